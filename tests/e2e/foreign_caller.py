#!/usr/bin/python3
"""A caller that shares no code with the project: slixmpp for XMPP, aiortc for ICE, DTLS-SRTP and Opus.

Logs in and does what lines of standard input say: "dial JID" (a direct session-initiate), "expect JID" (that one will
call), "mute", "unmute", "hold", "unhold", "hangup", "quit". Who proposes a call (XEP-0353) is told to proceed, who
calls is answered. In a call it plays a WAV (48 kHz, mono, S16) in a loop and records what it hears, whatever it has
said of itself. Every step is one JSON object a line on standard output; each conference-info document is printed as
it came. SIGTERM is "quit".
"""

import argparse
import asyncio
import fractions
import json
import os
import signal
import sys
import time
import uuid
import wave
import xml.etree.ElementTree as ET

try:
    import aioice.ice
    import aiortc
    import aiortc.sdp
    import av
    import slixmpp
    from slixmpp.xmlstream.handler import Callback
    from slixmpp.xmlstream.matcher import MatchXPath
except ImportError as missing:
    sys.exit(str(missing))

JINGLE = "urn:xmpp:jingle:1"
RTP = "urn:xmpp:jingle:apps:rtp:1"
RTP_INFO = "urn:xmpp:jingle:apps:rtp:info:1"
ICE = "urn:xmpp:jingle:transports:ice-udp:1"
DTLS = "urn:xmpp:jingle:apps:dtls:0"
HDREXT = "urn:xmpp:jingle:apps:rtp:rtp-hdrext:0"
SSMA = "urn:xmpp:jingle:apps:rtp:ssma:0"
GROUP = "urn:xmpp:jingle:apps:grouping:0"
COIN = "urn:xmpp:coin:1"
MESSAGE = "urn:xmpp:jingle-message:0"
CONFERENCE = "urn:ietf:params:xml:ns:conference-info"
FRAME = 960  # 20 ms at 48 kHz
STARTED = time.monotonic()


def say(event, detail="", **more):
    t = round(time.monotonic() - STARTED, 3)
    print(json.dumps({"t": t, "event": event, "detail": detail, **more}), flush=True)


class WavTrack(aiortc.MediaStreamTrack):
    """Plays a WAV in a loop, one frame each 20 ms of the event loop's clock."""

    kind = "audio"

    def __init__(self, path):
        super().__init__()
        with wave.open(path) as sound:
            assert (sound.getframerate(), sound.getnchannels(), sound.getsampwidth()) == (48000, 1, 2)
            self._samples = sound.readframes(sound.getnframes() // FRAME * FRAME)
        self._sent = 0
        self._start = None

    async def recv(self):
        if self._start is None:
            self._start = time.monotonic()
        late = self._start + self._sent * 0.02 - time.monotonic()
        if late > 0:
            await asyncio.sleep(late)
        at = self._sent * FRAME * 2 % len(self._samples)
        frame = av.AudioFrame(format="s16", layout="mono", samples=FRAME)
        frame.planes[0].update(self._samples[at : at + FRAME * 2])
        frame.sample_rate = 48000
        frame.time_base = fractions.Fraction(1, 48000)
        frame.pts = self._sent * FRAME
        self._sent += 1
        return frame


async def record(track, sound):
    """Writes what comes as mono (the left channel), and silence for what does not; ends with the track."""
    due = None  # RTP timestamp
    while True:
        try:
            frame = await asyncio.wait_for(track.recv(), 0.5)
        except asyncio.TimeoutError:
            if due is not None:
                sound.writeframes(bytes(2 * 24000))
                due += 24000
            continue
        except aiortc.mediastreams.MediaStreamError:
            return
        ahead = 0 if due is None else (frame.pts - due) % 2**32
        if ahead < 2**31:
            sound.writeframes(bytes(2 * ahead))
        samples = frame.to_ndarray().reshape(-1)
        sound.writeframes(samples[:: len(frame.layout.channels)].tobytes())
        due = frame.pts + frame.samples


def to_jingle(sdp, action, **attributes):
    """Our SDP, an offer or an answer (to an offer of audio alone), as a session-initiate or session-accept."""
    jingle = ET.Element(f"{{{JINGLE}}}jingle", action=action, **attributes)
    media = sdp.media[0]
    name = media.rtp.muxId or "audio"
    if action == "session-initiate":
        group = ET.SubElement(jingle, f"{{{GROUP}}}group", semantics="BUNDLE")
        ET.SubElement(group, f"{{{GROUP}}}content", name=name)
    content = ET.SubElement(jingle, f"{{{JINGLE}}}content", creator="initiator", name=name, senders="both")
    description = ET.SubElement(content, f"{{{RTP}}}description", media="audio")
    for codec in media.rtp.codecs:
        payload = ET.SubElement(
            description, f"{{{RTP}}}payload-type",
            id=str(codec.payloadType), name=codec.name, clockrate=str(codec.clockRate))
        if codec.channels and codec.channels > 1:
            payload.set("channels", str(codec.channels))
        for key, value in codec.parameters.items():
            ET.SubElement(payload, f"{{{RTP}}}parameter", name=str(key), value=str(value))
    for extension in media.rtp.headerExtensions:
        ET.SubElement(description, f"{{{HDREXT}}}rtp-hdrext", id=str(extension.id), uri=extension.uri)
    ET.SubElement(description, f"{{{RTP}}}rtcp-mux")
    for source in media.ssrc:
        element = ET.SubElement(description, f"{{{SSMA}}}source", ssrc=str(source.ssrc))
        ET.SubElement(element, f"{{{SSMA}}}parameter", name="cname", value=source.cname)
    transport = ET.SubElement(
        content, f"{{{ICE}}}transport", ufrag=media.ice.usernameFragment, pwd=media.ice.password)
    for fingerprint in media.dtls.fingerprints:
        element = ET.SubElement(
            transport, f"{{{DTLS}}}fingerprint", hash=fingerprint.algorithm,
            setup=aiortc.sdp.DTLS_ROLE_SETUP[media.dtls.role])
        element.text = fingerprint.value
    for number, candidate in enumerate(media.ice_candidates):
        ET.SubElement(
            transport, f"{{{ICE}}}candidate",
            component=str(candidate.component), foundation=candidate.foundation, generation="0",
            id=f"c{number}", ip=candidate.ip, network="0", port=str(candidate.port),
            priority=str(candidate.priority), protocol=candidate.protocol, type=candidate.type)
    return jingle


def candidate_line(element):
    line = "candidate:{foundation} {component} {protocol} {priority} {ip} {port} typ {type}".format(**element.attrib)
    if element.get("rel-addr"):
        line += f" raddr {element.get('rel-addr')} rport {element.get('rel-port')}"
    return line


def to_sdp(jingle):
    """A session-accept or session-initiate as the SDP that aiortc wants."""
    content = jingle.find(f"{{{JINGLE}}}content")
    description = content.find(f"{{{RTP}}}description")
    transport = content.find(f"{{{ICE}}}transport")
    fingerprint = transport.find(f"{{{DTLS}}}fingerprint")
    payloads = description.findall(f"{{{RTP}}}payload-type")
    lines = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0"]
    if jingle.find(f"{{{GROUP}}}group") is not None:
        lines.append(f"a=group:BUNDLE {content.get('name')}")
    lines += [
        "m=audio 9 UDP/TLS/RTP/SAVPF " + " ".join(p.get("id") for p in payloads),
        "c=IN IP4 0.0.0.0", f"a=mid:{content.get('name')}", "a=sendrecv", "a=rtcp:9 IN IP4 0.0.0.0",
    ]
    if description.find(f"{{{RTP}}}rtcp-mux") is not None:
        lines.append("a=rtcp-mux")
    for payload in payloads:
        channels = payload.get("channels", "1")
        lines.append(
            f"a=rtpmap:{payload.get('id')} {payload.get('name')}/{payload.get('clockrate')}"
            + (f"/{channels}" if channels != "1" else ""))
        parameters = [f"{p.get('name')}={p.get('value')}" for p in payload.findall(f"{{{RTP}}}parameter")]
        if parameters:
            lines.append(f"a=fmtp:{payload.get('id')} " + ";".join(parameters))
    for extension in description.findall(f"{{{HDREXT}}}rtp-hdrext"):
        lines.append(f"a=extmap:{extension.get('id')} {extension.get('uri')}")
    for source in description.findall(f"{{{SSMA}}}source"):
        for parameter in source.findall(f"{{{SSMA}}}parameter"):
            lines.append(f"a=ssrc:{source.get('ssrc')} {parameter.get('name')}:{parameter.get('value')}")
    lines += [f"a=ice-ufrag:{transport.get('ufrag')}", f"a=ice-pwd:{transport.get('pwd')}"]
    lines += ["a=" + candidate_line(c) for c in transport.findall(f"{{{ICE}}}candidate")]
    lines += [
        f"a=fingerprint:{fingerprint.get('hash')} {fingerprint.text.strip()}",
        f"a=setup:{fingerprint.get('setup')}",
    ]
    return "\r\n".join(lines) + "\r\n"


class ForeignCaller(slixmpp.ClientXMPP):
    def __init__(self, args):
        super().__init__(args.jid, args.password, plugin_config={
            "feature_mechanisms": {"unencrypted_plain": True}})
        self.args = args
        self.ca_certs = args.ca or None
        self.sid = None  # of the call
        self.to = None
        self.early = []  # candidates that overtook the session-accept
        self.accepted = False
        self.sound = wave.open(args.record, "wb")
        self.sound.setnchannels(1)
        self.sound.setsampwidth(2)
        self.sound.setframerate(48000)
        for plugin in ("xep_0030", "xep_0115", "xep_0199"):
            self.register_plugin(plugin)
        for feature in (JINGLE, RTP, "urn:xmpp:jingle:apps:rtp:audio", ICE, DTLS, COIN, MESSAGE):
            self["xep_0030"].add_feature(feature)
        self.add_event_handler("session_start", self.start)
        self.add_event_handler("failed_all_auth", lambda _: say("refused", "not-authorized"))
        self.register_handler(Callback(
            "jingle", MatchXPath(f"{{jabber:client}}iq/{{{JINGLE}}}jingle"), self.on_jingle))
        self.register_handler(Callback(
            "propose", MatchXPath(f"{{jabber:client}}message/{{{MESSAGE}}}propose"), self.on_propose))
        self.register_handler(Callback(
            "coin", MatchXPath(f"{{jabber:client}}iq/{{{CONFERENCE}}}conference-info"), self.on_document))

    async def start(self, _):
        self.send_presence()
        await self.get_roster()
        say("online")

    async def ask(self, iq):
        try:
            await iq.send(timeout=30)
        except slixmpp.exceptions.IqError as error:
            say("error", error.iq["error"]["condition"])
        except slixmpp.exceptions.IqTimeout:
            say("error", "timeout")

    def begin(self, to, sid):
        self.to, self.sid = to, sid
        self.early, self.accepted, self.relay_came = [], False, asyncio.Event()
        servers = [aiortc.RTCIceServer(
            urls=self.args.turn, username=self.args.turn_username, credential=self.args.turn_password)]
        self.pc = aiortc.RTCPeerConnection(
            aiortc.RTCConfiguration(iceServers=servers if self.args.turn else []))
        self.pc.addTrack(WavTrack(self.args.play))
        self.pc.on("track", self.on_track)
        self.pc.on("connectionstatechange", self.on_state)

    async def send_description(self, action, **attributes):
        """What the connection describes locally by now."""
        description = aiortc.sdp.SessionDescription.parse(self.pc.localDescription.sdp)
        self.name = description.media[0].rtp.muxId or "audio"
        request = self.make_iq_set(ito=self.to)
        request.append(to_jingle(description, action, sid=self.sid, **attributes))
        await self.ask(request)

    async def dial(self, to):
        self.begin(to, uuid.uuid4().hex)
        await self.pc.setLocalDescription(await self.pc.createOffer())
        await self.send_description("session-initiate", initiator=str(self.boundjid))

    async def expect(self, who):
        self.send_presence(pto=who)
        await self["xep_0030"].get_info(jid=f"{who}/focus")
        say("told", "expect")

    def on_propose(self, message):
        for what in ("ringing", "proceed"):
            answer = self.make_message(mto=message["from"], mtype="chat")
            proposed = message.xml.find(f"{{{MESSAGE}}}propose")
            answer.append(ET.Element(f"{{{MESSAGE}}}{what}", id=proposed.get("id")))
            answer.append(ET.Element("{urn:xmpp:hints}store"))
            answer.send()

    async def answer(self, sdp):
        await self.pc.setRemoteDescription(aiortc.RTCSessionDescription(sdp=sdp, type="offer"))
        await self.pc.setLocalDescription(await self.pc.createAnswer())
        await self.send_description("session-accept", responder=str(self.boundjid))
        self.accepted = True
        await self.add_candidates(self.early)

    def on_track(self, track):
        asyncio.ensure_future(record(track, self.sound))

    async def on_state(self):
        say(self.pc.connectionState)

    def jingle(self, action):
        """An IQ of the call, and the element in it."""
        request = self.make_iq_set(ito=self.to)
        jingle = ET.Element(f"{{{JINGLE}}}jingle", action=action, sid=self.sid)
        request.append(jingle)
        return request, jingle

    async def tell(self, what):
        """Mute and hold are said only: the tone goes on, so silence elsewhere is the mixer's doing."""
        request, jingle = self.jingle("session-info")
        info = ET.SubElement(jingle, f"{{{RTP_INFO}}}{what}")
        if what in ("mute", "unmute"):
            info.set("creator", "initiator")
            info.set("name", self.name)
        await self.ask(request)

    async def hang_up(self):
        if self.sid is None:
            return
        request, jingle = self.jingle("session-terminate")
        ET.SubElement(ET.SubElement(jingle, f"{{{JINGLE}}}reason"), f"{{{JINGLE}}}success")
        await self.ask(request)
        await self.end("success", "")

    async def end(self, reason, text):
        self.sid = None
        await self.pc.close()
        say("ended", reason, text=text)

    def on_jingle(self, iq):
        if iq["type"] != "set":
            return
        jingle = iq.xml.find(f"{{{JINGLE}}}jingle")
        action = jingle.get("action")
        if action == "session-initiate" and self.sid is None:
            self.begin(str(iq["from"]), jingle.get("sid"))
            asyncio.ensure_future(self.answer(to_sdp(jingle)))
        if jingle.get("sid") != self.sid:
            reply = iq.reply()
            reply.error()
            reply["error"]["condition"] = "item-not-found"
            reply.send()
            return
        iq.reply().send()
        if action == "session-accept":
            focus = jingle.find(f"{{{COIN}}}conference-info")
            say("accepted", isfocus=focus is not None and focus.get("isfocus") in ("true", "1"))
            asyncio.ensure_future(self.on_accept(to_sdp(jingle)))
        elif action == "transport-info":
            lines = [candidate_line(c) for c in jingle.iter(f"{{{ICE}}}candidate")]
            if self.accepted:
                asyncio.ensure_future(self.add_candidates(lines))
            else:
                self.early += lines
                if any(" typ relay" in line for line in lines):
                    self.relay_came.set()
        elif action == "session-terminate":
            reason = jingle.find(f"{{{JINGLE}}}reason")
            text = reason.findtext(f"{{{JINGLE}}}text", "")
            asyncio.ensure_future(self.end(reason[0].tag.split("}")[1], text))

    async def on_accept(self, sdp):
        if self.args.turn:  # aioice 0.8 checks no pair that comes once the others are under way
            await self.relay_came.wait()
        await self.pc.setRemoteDescription(aiortc.RTCSessionDescription(sdp=sdp, type="answer"))
        self.accepted = True
        await self.add_candidates(self.early)

    async def add_candidates(self, lines):
        for line in lines:
            candidate = aiortc.sdp.candidate_from_sdp(line.split(":", 1)[1])
            candidate.sdpMid = self.name  # aiortc 1.4 heeds no sdpMLineIndex
            await self.pc.addIceCandidate(candidate)

    def on_document(self, iq):
        iq.reply().send()
        document = iq.xml.find(f"{{{CONFERENCE}}}conference-info")
        ET.register_namespace("", CONFERENCE)
        say("document", ET.tostring(document, encoding="unicode"))

    async def obey(self, line):
        word, *arguments = line.split()
        if word == "dial":
            await self.dial(*arguments)
        elif word == "expect":
            await self.expect(*arguments)
        elif word == "hangup":
            await self.hang_up()
        else:
            await self.tell(word)


async def run(args):
    caller = ForeignCaller(args)
    host, port = args.server.rsplit(":", 1)
    caller.connect((host, int(port)), force_starttls=False)
    lines = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    loop.add_signal_handler(signal.SIGTERM, lines.feed_eof)
    while line := (await lines.readline()).decode().strip():
        if line == "quit":
            break
        await caller.obey(line)
    await caller.hang_up()
    await caller.disconnect(wait=1.0)
    caller.sound.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", required=True, metavar="HOST:PORT")
    parser.add_argument("--jid", required=True)
    parser.add_argument("--password", required=True)
    parser.add_argument("--play", required=True, metavar="WAV")
    parser.add_argument("--record", required=True, metavar="WAV")
    parser.add_argument("--ca", metavar="PEM", help="the server's certificate")
    parser.add_argument("--address", default="127.0.0.1", help="the one local address to offer")
    parser.add_argument("--turn", metavar="URL")
    parser.add_argument("--turn-username")
    parser.add_argument("--turn-password")
    args = parser.parse_args()
    aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: [args.address]
    asyncio.new_event_loop().run_until_complete(run(args))
    # slixmpp 1.8 leaves tasks behind that complain, long and in vain, when the interpreter takes them apart.
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
