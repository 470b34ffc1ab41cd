#!/usr/bin/env python3
"""tools/load/report: whatever a run says is on the page, as text, and the page is whole."""

import html.parser
import importlib.machinery
import importlib.util
import json
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "tools/load/report"
sys.path.insert(0, str(ROOT / "tools/load"))
sys.dont_write_bytecode = True
import svg  # noqa: E402
import words  # noqa: E402

_spec = importlib.util.spec_from_loader("report", importlib.machinery.SourceFileLoader("report", str(SCRIPT)))
report = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(report)


def spread(*figures):
    return dict(zip(["count", "min", "median", "p99", "max"], figures))


def good_run():
    """What jingle-load says of ten callers; the figures are unlike each other."""
    times = [{"t": t + 0.5, "phase": phase, "connected": 10, "received_min": 48 + t, "received_median": 50 + t,
              "received_max": 52 + t, "coin_bytes": 1000 * t * t, "own_cpu_s": 0.2 * t, "watched_cpu_s": 0.4 * t,
              "watched_memory_mb": 30 + t}
             for t, phase in enumerate(["joining", "settling", "measuring", "measuring", "leaving"])]
    return {
        "seed": 2933359261, "callers": 10, "talkers": 2, "rooms": 1, "listeners": "dtx", "ptime_ms": 20,
        "injected": {"loss_percent": 5.5, "burst": 2.25, "jitter_ms": 41, "reorder_percent": 7, "afflicted": "talkers",
                     "afflicted_percent": 91, "muted": 1, "silence_s": 3.5, "vanish_percent": 0, "rejoin_percent": 13,
                     "churn_per_s": 0.75},
        "calls": {"connected": 10, "ended_as_asked": 11, "refused": {}, "failed": {}, "ended_by_mixer": {},
                  "ended_of_vanished": {}},
        "link_lost": None, "join_ms": spread(10, 20.1, 54.3, 279.2, 294.1), "rejoin_ms": None,
        "vanishing_noticed_s": None, "measured_from_s": 2.01, "measured_s": 8.0001,
        "received_per_s": spread(8, 49.6, 50.1, 50.2, 50.3), "listeners_below_49_per_s": 0,
        "talkers_sent_per_s": spread(2, 47.1, 47.2, 47.3, 47.4),
        "listeners_sent_per_s": spread(8, 2.41, 2.51, 2.61, 2.71),
        "packets": {"sent": 1234567, "received": 79001, "undecryptable": 0, "dropped_by_bad_lines": 601,
                    "delayed_by_bad_lines": 602, "overtaken": 603, "lost": 604},
        "gaps": {"count": 605, "over_two_packets": 606, "longest_ms": 123.4}, "bad_lines": 14, "listeners_with_loss": 15,
        "loss_reported_by_mixer_percent": spread(2, 4.1, 4.2, 4.3, 4.4),
        "delay_ms": spread(3, 31.5, 38.5, 42.9, 78.7), "markers": {"said": 77, "expected": 89, "heard": 88},
        "own_marker_db": spread(2, -51.1, -48.1, -47.1, -46.1), "crowd_late_ms": spread(4000, 0.001, 0.021, 3.2, 8.8),
        "sampled": [{"caller": 1, "talker": True, "markers_expected": 4, "markers_heard": 3,
                     "delay_ms": spread(3, 33.3, 38.8, 42.1, 43.1), "own_db": -45.9},
                    {"caller": 7, "talker": False, "on_bad_line": True, "markers_expected": 5, "markers_heard": 5, "delay_ms": None}],
        "delays": [[0.5, 31.5], [1.5, 38.5], [2.5, 78.7]],
        "coin": {"documents": 967, "full": 201, "bytes": 17081000, "left_out": 0,
                 "lag_ms": spread(50, 12.1, 434.9, 934.1, 996.2)},
        "own": {"cpu_percent": 18.1, "cpu_percent_per_caller": 0.092, "memory_mb": 53.5, "threads": 2},
        "watched": {"cpu_percent": 35.8, "cpu_percent_per_caller": 0.179, "memory_mb": 69.5, "threads": 7},
        "timeline": times,
    }


class Nesting(html.parser.HTMLParser):
    """That every element ends where it should, as HTML reads it."""

    def __init__(self):
        super().__init__()
        self.open, self.wrong, self.seen, self.attributes = [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        self.attributes += [name for name, _ in attrs] + [value or "" for _, value in attrs]
        if tag not in ("meta",):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.seen.append(tag)
        self.attributes += [name for name, _ in attrs]

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)


def leaves(value, path=()):
    if isinstance(value, dict):
        for name, each in value.items():
            yield from leaves(each, (*path, name))
    elif isinstance(value, list):
        for each in value:
            yield from leaves(each, path)
    else:
        yield path, value


class Report(unittest.TestCase):
    def page(self, run):
        page = report.page(run)
        ElementTree.fromstring(page.split("\n", 1)[1])  # as XML
        nesting = Nesting()
        nesting.feed(page)
        nesting.close()
        self.assertEqual((nesting.wrong, nesting.open), ([], []))
        self.assertNotIn("script", nesting.seen)
        self.assertFalse([a for a in nesting.attributes if a.startswith(("on", "href", "src", "http:", "https:"))
                          and a != "http://www.w3.org/2000/svg"])
        return page

    def words_of(self, page):
        body = ElementTree.fromstring(page.split("\n", 1)[1]).find("body")
        return re.sub(r"\s+", " ", " ".join(body.itertext()))

    def test_every_figure_is_on_the_page_with_its_name(self):
        run = good_run()
        page = self.words_of(self.page(run))
        for path, value in leaves(run):
            if path[0] == "delays" or value is None:
                continue
            with self.subTest(figure=".".join(path)):
                shown = str(value)
                if isinstance(value, bool):
                    shown = "talker" if value else "listener"
                elif path == ("seed",):
                    pass
                elif isinstance(value, (int, float)):
                    shown = svg.number(value)
                self.assertRegex(page, rf"(?<![\d.,]){re.escape(shown)}(?![\d,]|\.\d)")
        for path in (p for p in words.WORDS if p.split(".")[0] in run):
            self.assertIn(words.WORDS[path][0], page)

    def test_every_figure_that_jingle_load_tells_has_a_name(self):
        for path, _ in leaves(good_run()):
            name = ".".join(path)
            if path[0] in ("sampled", "delays"):
                continue
            known = (name in words.WORDS or name.rpartition(".")[0] in words.WORDS or path[-1] in words.WORDS)
            self.assertTrue(known, name)

    def test_figures_are_told_as_precisely_as_they_are_read(self):
        for value, text in {0: "0", 38.517123: "38.5", 0.0921: "0.092", 2.414: "2.41", 1234567: "1,234,567",
                            17081.6: "17,082", -48.06: "-48.1", 50.0: "50"}.items():
            self.assertEqual(svg.number(value), text)

    def test_plots_have_a_point_for_each_second_and_dot_for_each_delay(self):
        run = good_run()
        page = self.page(run)
        lines = [len(points.split()) for points in re.findall(r'<polyline[^>]* points="([^"]*)"', page)]
        seconds = len(run["timeline"])
        # Connected, received, CPU of two, memory, documents; what is a rate has one less.
        self.assertEqual(sorted(lines), sorted([seconds] * 3 + [seconds - 1] * 3))
        self.assertEqual(len(re.findall(r'<circle class="c0 dot faint"', page)), len(run["delays"]))

    def test_plots_have_titles_descriptions_axes_and_units(self):
        page = self.page(good_run())
        plots = re.findall(r'<svg .*?</svg>', page, re.DOTALL)
        self.assertEqual(len(plots), 7)
        ids = re.findall(r'id="([^"]+)"', page)
        self.assertEqual(len(ids), len(set(ids)))
        for plot in plots:
            title, description = re.search(r'aria-labelledby="(\S+) (\S+)"', plot).groups()
            self.assertRegex(plot, rf'<title id="{title}">.+</title>')
            self.assertRegex(plot, rf'<desc id="{description}">.+ over .+</desc>')
            self.assertGreaterEqual(len(re.findall(r'class="soft"', plot)), 2)

    def test_all_is_well_only_when_it_is(self):
        self.assertIn("All went as it should", self.page(good_run()))
        for change, told in [
                (lambda r: r["calls"].update(connected=9), "9 of 10 callers were connected"),
                (lambda r: r["calls"]["refused"].update(busy=2), "Calls refused: 2, for “busy”"),
                (lambda r: r["calls"]["failed"].update({"failed-transport": 1}), "failed: 1, for “failed-transport”"),
                (lambda r: r["calls"]["ended_by_mixer"].update(expired=3), "ended by the mixer: 3, for “expired”"),
                (lambda r: r.update(link_lost="see-other-host"), "The link to the server was lost: see-other-host"),
                (lambda r: r.update(listeners_below_49_per_s=4), "4 listeners got less than 49 packets/s"),
                (lambda r: r.update(listeners_below_49_per_s=4, ptime_ms=60),
                 "4 listeners got less than 16.3 packets/s"),
                (lambda r: r["markers"].update(heard=84), "84 of 89 marker tones"),
                (lambda r: r.update(bad_lines=0), "605 gaps, the longest 123.4 ms, though no line was bad"),
                (lambda r: r.update(bad_lines=0), "604 packets were lost, though no line was bad"),
                (lambda r: r["packets"].update(undecryptable=5), "5 packets could not be decrypted"),
                (lambda r: r["own_marker_db"].update(max=-3), "A talker hears himself, at -3 dB"),
                (lambda r: r.update(talkers=1), "A talker hears himself, at -46.1 dB"),
                (lambda r: r["coin"].update(left_out=6), "6 versions of conference documents were left out"),
                (lambda r: r["crowd_late_ms"].update(p99=44), "Void: the callers themselves were 44 ms late"),
                (lambda r: r.update(measured_s=0), "Void: nothing was measured")]:
            run = good_run()
            change(run)
            page = self.words_of(self.page(run))
            with self.subTest(told):
                self.assertIn(told, page)
                self.assertNotIn("All went as it should", page)

    def test_that_who_vanished_is_missed_is_no_fault(self):
        run = good_run()
        run["injected"]["vanish_percent"] = 20
        run["calls"]["ended_by_mixer"] = run["calls"]["ended_of_vanished"] = {"connectivity-error": 2}
        page = self.words_of(self.page(run))
        self.assertIn("All went as it should", page)
        self.assertIn("ended by the mixer: connectivity-error", page)

    def test_that_some_vanished_excuses_no_other_call(self):
        run = good_run()
        run["injected"]["vanish_percent"] = 20
        run["calls"].update(ended_by_mixer={"connectivity-error": 5, "gone": 3},
                            ended_of_vanished={"connectivity-error": 2})
        page = self.words_of(self.page(run))
        self.assertIn("Calls ended by the mixer: 3, for “connectivity-error”", page)
        self.assertIn("Calls ended by the mixer: 3, for “gone”", page)
        self.assertNotIn("All went as it should", page)

    def test_hostile_words_are_words(self):
        hostile = "ann'\"<script>alert(1)</script>&amp;]]>@evil.example"

        def poison(value):
            if isinstance(value, dict):
                return {name: poison(each) for name, each in value.items()}
            if isinstance(value, list):
                return [poison(each) for each in value]
            return hostile if isinstance(value, str) else value
        run = poison(good_run())
        run["calls"]["refused"] = {hostile: 1}
        run["link_lost"] = hostile
        run[hostile] = {hostile: hostile}
        page = self.page(run)
        self.assertNotIn("<script", page)
        self.assertIn(hostile, self.words_of(page))

    def test_any_part_may_be_missing(self):
        self.assertIn("nothing was measured", self.words_of(self.page({})))
        parts = {path[:depth] for path, _ in leaves(good_run()) for depth in range(1, len(path) + 1)}
        for path in parts:
            for without in (lambda part, name: part.pop(name), lambda part, name: part.update({name: None})):
                run = good_run()
                part = run
                for name in path[:-1]:
                    part = part[name][0] if isinstance(part[name], list) else part[name]
                if path[-1] in part:
                    with self.subTest(".".join(path)):
                        without(part, path[-1])
                        self.page(run)

    def test_one_caller_and_a_run_of_one_second(self):
        run = good_run()
        run.update(callers=1, talkers=1, delays=[[0, 40]], timeline=run["timeline"][:1], received_per_s=None,
                   sampled=run["sampled"][:1], bad_lines=0)
        self.assertIn("1 callers", self.page(run))
        run.update(delays=[], timeline=[], delay_ms=None, own_marker_db=None, watched=None)
        self.assertNotIn("Over time", self.page(run))

    def test_values_of_any_size_are_drawn_within_the_plot(self):
        seed = random.randrange(1 << 32)
        draw = random.Random(seed)
        for _ in range(25):
            run = good_run()
            scale = 10 ** draw.uniform(-6, 9)
            for each in run["timeline"]:
                for name in ("connected", "received_min", "received_median", "received_max", "watched_memory_mb"):
                    each[name] = draw.choice([0, draw.random() * scale])
            for each in run["delays"]:
                each[1] = draw.random() * scale
            page = self.page(run)
            drawn = [point.split(",") for points in re.findall(r' points="([^"]*)"', page) for point in points.split()]
            drawn += re.findall(r'cx="([^"]*)" cy="([^"]*)"', page)
            self.assertGreater(len(drawn), 30)
            for x, y in drawn:
                self.assertTrue(0 <= float(x) <= 440 and 0 <= float(y) <= 270, (seed, x, y))

    def test_colours_can_be_told_from_their_ground_by_day_and_by_night(self):
        def luminance(colour):
            parts = [int(colour[i:i + 2], 16) / 255 for i in (1, 3, 5)]
            linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
            return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

        def contrast(one, other):
            light, dark = sorted((luminance(one), luminance(other)), reverse=True)
            return (light + 0.05) / (dark + 0.05)
        for name, palette in svg.PALETTES.items():
            for ground in (palette["ground"], palette["shade"]):
                for read in ("ink", "soft", "good", "bad"):
                    self.assertGreaterEqual(contrast(palette[read], ground), 4.5, (name, read))
                for i in range(svg.SERIES):
                    self.assertGreaterEqual(contrast(palette[f"c{i}"], ground), 3, (name, i))
        self.assertIn("prefers-color-scheme: dark", self.page(good_run()))

    def test_the_command_writes_the_page_or_says_what_is_wrong(self):
        with tempfile.TemporaryDirectory() as folder:
            run, page = pathlib.Path(folder, "run.json"), pathlib.Path(folder, "run.html")

            def status(*arguments):
                return subprocess.run([sys.executable, SCRIPT, *arguments], capture_output=True).returncode
            run.write_text(json.dumps(good_run()))
            self.assertEqual(status(run, page), 0)
            self.assertEqual(page.read_text(), report.page(good_run()))
            self.assertEqual(status(run), 64)
            for wrong in ("{", "[]"):
                run.write_text(wrong)
                self.assertEqual(status(run, page), 65)
            self.assertEqual(status(pathlib.Path(folder, "none"), page), 65)


if __name__ == "__main__":
    unittest.main()
