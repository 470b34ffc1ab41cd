"""What the figures of a load test's report are called, and what they mean."""

# Where a figure stands in the report: its name, its meaning.
WORDS = {
    "seed": ("seed", "of all that is drawn by lot: --seed"),
    "callers": ("callers", ""),
    "talkers": ("talkers in each room", "speech, and every 4 s a marker tone of their own"),
    "rooms": ("rooms", ""),
    "listeners": ("listeners send", "dtx: a frame of silence every 0.4 s; noise: 50 packets/s; none: nothing"),
    "ptime_ms": ("callers like in a packet, ms", "of sound"),
    "injected.loss_percent": ("loss, %", "of the RTP and RTCP on a bad line, each way"),
    "injected.burst": ("packets lost in a row", "on average"),
    "injected.jitter_ms": ("jitter, ms", "at most; it keeps the order"),
    "injected.reorder_percent": ("reordering, %", "of the packets, overtaken by the next"),
    "injected.afflicted": ("who may have a bad line", ""),
    "injected.afflicted_percent": ("of those so many do, %", ""),
    "injected.muted": ("muted talkers in each room", ""),
    "injected.silence_s": ("silence of all talkers, s", "in the middle of the time measured"),
    "injected.vanish_percent": ("callers who vanish, %", "without a word, in the middle"),
    "injected.rejoin_percent": ("callers who dial again at once, %", "in the middle"),
    "injected.churn_per_s": ("callers a second who dial again", "all the time"),
    "calls.connected": ("callers connected", "at their first call"),
    "calls.ended_as_asked": ("calls that ended as asked", "those who dial again have several"),
    "calls.refused": ("refused", "before the call began"),
    "calls.failed": ("failed", "while it was being set up, or by an error"),
    "calls.ended_by_mixer": ("ended by the mixer", "with that reason"),
    "calls.ended_of_vanished": ("of these, of callers who had vanished", "which is no fault"),
    "link_lost": ("link to the server lost", "why; –: it held"),
    "join_ms": ("join, ms", "from session-initiate until ICE, DTLS and the fingerprint check are done"),
    "rejoin_ms": ("join again, ms", "the same, of those who dialled again"),
    "vanishing_noticed_s": ("vanishing noticed, s", "from vanishing until the mixer ends the call"),
    "measured_from_s": ("measured from, s", "since the start"),
    "measured_s": ("measured, s", ""),
    "received_per_s": ("listeners get, packets/s", "that could be decrypted, over the time measured"),
    "listeners_below_49_per_s": ("listeners who got less than 49/s", "or, of longer packets, as many fewer"),
    "talkers_sent_per_s": ("talkers sent, packets/s", ""),
    "listeners_sent_per_s": ("listeners sent, packets/s", ""),
    "packets.sent": ("RTP packets sent", "by all callers"),
    "packets.received": ("RTP packets received", "by all callers; before a bad line spoils it"),
    "packets.undecryptable": ("undecryptable", "SRTP or SRTCP with a wrong tag, or replayed"),
    "packets.dropped_by_bad_lines": ("dropped by bad lines", "both ways"),
    "packets.delayed_by_bad_lines": ("delayed by bad lines", "both ways"),
    "packets.overtaken": ("overtaken", "received after a later one, as seen behind a bad line"),
    "packets.lost": ("lost", "on the way to callers, as seen behind a bad line (RFC 3550 §6.4.1)"),
    "gaps.count": ("gaps", "longer than three packets, 60 ms, without one, be it until the end, as a caller "
                           "sees it behind his bad line"),
    "gaps.over_two_packets": ("longer than two packets", "40 ms; the gaps are among them"),
    "gaps.longest_ms": ("longest gap, ms", ""),
    "bad_lines": ("callers on bad lines", ""),
    "listeners_with_loss": ("listeners who saw loss", ""),
    "loss_reported_by_mixer_percent": ("loss the mixer reported, %",
                                       "the most it told each caller on a bad line of what it sent"),
    "delay_ms": ("packet in to packet out, ms", "from sending the packet in which a marker begins until the packet "
                                                "arrives in which it is heard to begin; of those on bad lines, "
                                                "which may lose just that packet, only where there is nobody else"),
    "markers.said": ("marker tones said", ""),
    "markers.expected": ("marker tones expected", "of all whose sound was decoded, together"),
    "markers.heard": ("marker tones heard", "within a second"),
    "own_marker_db": ("own voice, dB", "the least of a talker's own marker in what he hears then: an echo would be in "
                                       "each. With several talkers the others' speech at that pitch is the floor "
                                       "(some -45 dB); alone he hears nothing (below -100 dB)"),
    "crowd_late_ms": ("own lateness, ms", "of the callers' clock: if it is not small, neither are the figures worth "
                                          "much"),
    "coin.documents": ("conference documents", "XEP-0298, to all callers"),
    "coin.full": ("of them full", ""),
    "coin.bytes": ("their bytes", ""),
    "coin.left_out": ("versions left out", "RFC 4575 §4.4: 0, or the receiver has to ask"),
    "coin.lag_ms": ("told of a newcomer, ms", "from being connected until a document says so to one of those picked"),
    "own.cpu_percent": ("CPU, % of a core", "user and system, over the time measured"),
    "own.cpu_percent_per_caller": ("of it for each caller, %", ""),
    "own.memory_mb": ("memory, MB", "resident, at the end"),
    "own.threads": ("threads", ""),
    "watched.cpu_percent": ("CPU, % of a core", "user and system, over the time measured"),
    "watched.cpu_percent_per_caller": ("of it for each caller, %", ""),
    "watched.memory_mb": ("memory, MB", "resident, at the end"),
    "watched.threads": ("threads", ""),
    # Of a second.
    "t": ("s", ""),
    "phase": ("phase", ""),
    "connected": ("connected", ""),
    "received_min": ("least packets", ""),
    "received_median": ("median packets", ""),
    "received_max": ("most packets", ""),
    "coin_bytes": ("bytes of documents so far", ""),
    "own_cpu_s": ("the callers' CPU so far, s", ""),
    "watched_cpu_s": ("the mixer's CPU so far, s", ""),
    "watched_memory_mb": ("the mixer's memory, MB", ""),
}
# What the figures beneath are about.
GROUPS = {"injected": "What was asked to go wrong", "calls": "Calls", "packets": "Packets", "gaps": "Packets",
          "markers": "Marker tones", "coin": "Conference documents", "own": "The callers themselves",
          "watched": "The mixer"}


def group(path):
    return GROUPS.get(path.partition(".")[0], "The run")


def name(path):
    """That of the figure at `path`; of the place it is in, if that has one: a call's reason; else the path."""
    if path in WORDS:
        return WORDS[path][0]
    above, _, last = path.rpartition(".")
    return f"{WORDS[above][0]}: {last}" if above in WORDS else path


def meaning(path):
    above = path.rpartition(".")[0]
    return WORDS.get(path, WORDS.get(above, ("", "")))[1]
