#!/usr/bin/env python3
"""tools/bench/versus-janus: a row counts only if it was what it says."""

import importlib.machinery
import importlib.util
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest
import unittest.mock
import xml.etree.ElementTree as ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "tools/bench/versus-janus"
sys.dont_write_bytecode = True
_spec = importlib.util.spec_from_loader("versus_janus",
                                        importlib.machinery.SourceFileLoader("versus_janus", str(SCRIPT)))
versus_janus = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(versus_janus)

SIZE = 103  # 100 of them listen


def report():
    """Of a run in which all was as it should be, in DTX."""
    def spread(count, least, most):
        return {"count": count, "min": least, "median": (least + most) / 2, "p99": most, "max": most}
    return {"measured_s": 60.01, "received_per_s": spread(100, 49.9, 50.1), "listeners_below_49_per_s": 0,
            "listeners_sent_per_s": spread(100, 2.45, 2.55), "listeners_with_loss": 10, "bad_lines": 10,
            "calls": {"connected": SIZE}, "mixer_status": 0, "delay_ms": spread(400, 30, 40),
            "sampled": [{"talker": i < 3, "markers_expected": 40, "markers_heard": 38, "on_bad_line": i > 20}
                        for i in range(23)],
            "own": {"cpu_percent": 10}, "watched": {"cpu_percent": 20.6, "memory_mb": 40, "threads": 7},
            "empty_mb": 19.4}


def void(changed, sends="dtx", size=SIZE):
    return versus_janus.void_because(changed, size, sends, 60)


class Rows(unittest.TestCase):
    def test_one_in_which_all_was_as_it_should_be_counts(self):
        self.assertEqual(void(report()), "")
        row = versus_janus.row_of("mixer", SIZE, "dtx", report(), 60)
        self.assertEqual(row["void"], "")
        self.assertAlmostEqual(row["cpu"], 0.2)
        self.assertAlmostEqual(row["memory"], 0.2)
        noisy = report()
        noisy["listeners_sent_per_s"].update(min=49.9, max=50.1)
        self.assertEqual(void(noisy, "noise"), "")

    def test_one_of_bare_rtp_has_no_calls(self):
        bare = report()
        del bare["calls"], bare["mixer_status"]
        self.assertEqual(void(bare), "")

    def test_each_thing_that_was_not_makes_one_void(self):
        for change, why in [
                (lambda r: r.update(measured_s=42.0), "measured for 42 s only"),
                (lambda r: r.update(watched=None), "the process was gone"),
                (lambda r: r.update(mixer_status=-11), "the mixer ended with -11"),
                (lambda r: r["calls"].update(connected=102), "102 connected"),
                (lambda r: r["received_per_s"].update(count=99), "99 of 100 listeners"),
                (lambda r: r.update(listeners_below_49_per_s=1), "1 listeners got less than 49/s"),
                (lambda r: r["sampled"][5].update(markers_heard=37), "1 of 20 sampled missed markers"),
                (lambda r: r["sampled"][5].update(markers_expected=0), "1 of 20 sampled missed markers"),
                (lambda r: r["sampled"][22].update(markers_heard=33), "the 2 sampled on bad lines missed markers"),
                (lambda r: r["sampled"].pop(), "19 sampled"),
                (lambda r: r["listeners_sent_per_s"].update(max=3.1), "listeners sent 2.5 to 3.1/s"),
                (lambda r: r["listeners_sent_per_s"].update(min=0), "listeners sent 0.0 to 2.5/s"),
                (lambda r: r.update(listeners_with_loss=9), "9 listeners saw loss"),
                (lambda r: r.update(received_per_s=None), "nobody who only listens"),
                (lambda r: r.update(listeners_sent_per_s=None), "nobody who only listens")]:
            changed = report()
            change(changed)
            with self.subTest(why):
                self.assertIn(why, void(changed))
                self.assertEqual(versus_janus.row_of("mixer", SIZE, "dtx", changed, 60)["void"], void(changed))
        self.assertIn("listeners sent", void(report(), "noise"))

    def test_in_a_small_room_all_are_heard_and_one_sees_loss(self):
        small = report()
        small["received_per_s"]["count"] = small["listeners_sent_per_s"]["count"] = 7
        small["calls"]["connected"] = 10
        small.update(sampled=small["sampled"][:10], listeners_with_loss=1)
        self.assertEqual(void(small, size=10), "")
        small["listeners_with_loss"] = 0
        self.assertIn("saw loss", void(small, size=10))

    def test_where_all_are_to_see_loss_it_is_not_enough_that_some_do(self):
        self.assertIn("99 listeners saw loss",
                      versus_janus.void_because(report() | {"listeners_with_loss": 99}, SIZE, "dtx", 60, lossy=100))

    def test_of_a_bad_line_chance_takes_markers(self):
        some = report()
        some["sampled"][22]["markers_heard"] = 34
        self.assertEqual(void(some), "", "72 of 80")
        lossy = report() | {"listeners_with_loss": 100}
        for ear in lossy["sampled"]:
            ear.update(on_bad_line=True, markers_heard=36)
        self.assertEqual(versus_janus.row_of("mixer", SIZE, "dtx", lossy, 60, lossy=100)["void"], "")
        lossy["sampled"][5]["markers_heard"] = 35
        self.assertEqual(versus_janus.row_of("mixer", SIZE, "dtx", lossy, 60, lossy=100)["void"],
                         "the 20 sampled on bad lines missed markers")

    def test_rooms_of_several_sizes_and_numbers_are_measured_and_no_row_has_more_people_than_asked_for(self):
        def measured(most):
            asked = []

            class Bench:
                @staticmethod
                def mixer(size, sends, rooms=1, bitrate=32000, lossy=10, ptime=20):
                    asked.append((rooms, size // rooms, bitrate, lossy, ptime))
                    return report()
            with tempfile.TemporaryDirectory() as folder:
                class Args:
                    sizes, rows, without_janus, capacity, seconds = [], [], True, most, 60
                    out = pathlib.Path(folder)
                rows = versus_janus.measure(Bench, Args)[1]
            self.assertEqual([(row["rooms"], row["size"]) for row in rows], [(r, r * n) for r, n, *_ in asked])
            return asked, versus_janus.table([], rows, type("Of", (), {"seconds": 60, "janus_rate": 48000}))
        asked, text = measured(400)
        self.assertEqual({each for rooms, each, *_ in asked}, {10, 50, 200})
        for each in (10, 50, 200):
            self.assertEqual(len({rooms for rooms, size, *_ in asked if size == each}), 2, each)
        self.assertEqual({bitrate for _, _, bitrate, *_ in asked}, {16000, 32000, 64000})
        self.assertEqual({lossy for *_, lossy, _ in asked}, {10, 100})
        self.assertEqual({ptime for *_, ptime in asked}, {20, 60})
        self.assertIn("| 32 kbit/s | 20 | 10 | ", text)
        self.assertTrue(all(rooms * each <= 20 for rooms, each, *_ in measured(20)[0]))

    def test_a_trial_says_so_and_is_not_for_the_readme(self):
        done = subprocess.run([sys.executable, SCRIPT, "--readme", "--seconds", "59"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 2)
        self.assertIn("--readme takes rows of at least 60 s", done.stderr)

        class Args:
            seconds, janus_rate = 59, 48000
        rows = [versus_janus.row_of("mixer", SIZE, "dtx", report(), 59)]
        self.assertIn("A trial, which proves nothing", versus_janus.table(rows, [], Args))
        Args.seconds = 60
        self.assertNotIn("trial", versus_janus.table(rows, [], Args))

    def test_what_the_hypervisor_gave_to_others_is_told_from_a_hundredth_on(self):
        def told(stolen):
            now = (1000, 50000)

            class Bench:
                @staticmethod
                def mixer(size, sends):
                    nonlocal now
                    now = (now[0] + (stolen if size == 50 else 0), now[1] + 1000)
                    return report()
            with tempfile.TemporaryDirectory() as folder:
                class Args:
                    sizes, rows, without_janus, capacity, seconds, janus_rate = [10, 50, SIZE], ["dtx"], True, 0, 60, 48000
                    out = pathlib.Path(folder)
                with unittest.mock.patch.object(versus_janus, "cpu_ticks", lambda: now):
                    rows = versus_janus.measure(Bench, Args)[0]
            return re.search("the hypervisor gave.*", versus_janus.table(rows, [], Args))
        self.assertIsNone(told(9))
        self.assertIn("0.0 % of the machine's time to others in the median row, 7.3 % in the worst (50, mixer, "
                      "listeners in DTX)", told(73)[0])
        stolen, everything = versus_janus.cpu_ticks()
        self.assertTrue(0 <= stolen < everything)

    def test_each_is_kept_as_soon_as_it_is_there(self):
        with tempfile.TemporaryDirectory() as folder:
            out = pathlib.Path(folder)

            class Args:
                sizes, rows, without_janus, capacity, seconds = [SIZE, 500], ["dtx"], False, 9, 60
            Args.out = out
            kept = []

            class Bench:
                @staticmethod
                def mixer(size, sends, rooms=1, **_):
                    return report()

                @staticmethod
                def janus(size, sends):
                    kept.append(len(json.loads((out / "versus-janus.json").read_text())["rows"]))
                    raise RuntimeError("17 of 500 had joined")
            rows, capacity = versus_janus.measure(Bench, Args)
            self.assertEqual(kept, [1, 3])
            self.assertEqual(rows[1]["void"], "17 of 500 had joined")
            self.assertEqual(json.loads((out / "versus-janus.json").read_text()),
                             {"rows": rows, "capacity": capacity})

    def test_a_peer_that_lets_people_in_too_slowly_is_not_waited_for(self):
        class Slow:
            process = subprocess.Popen(["true"])
            joined = 0

            def join(self, port, number):
                self.joined += 1
                clock.now += 2
                return number

        class Clock:
            now = 0.0

            def monotonic(self):
                return self.now
        slow, clock = Slow(), Clock()
        with unittest.mock.patch.object(versus_janus.janus_bridge, "time", clock):
            with self.assertRaisesRegex(RuntimeError, "^36 of 300 had joined after 70 s$"), \
                    tempfile.TemporaryDirectory() as folder:
                load = pathlib.Path(folder) / "rtp-load"
                load.write_text(f"#!/bin/sh\necho '{list(range(1, 301))}'\nread -r never\n")
                load.chmod(0o755)
                versus_janus.janus_bridge.run(slow, load, [], 300)
        slow.process.wait()


class Drawn(unittest.TestCase):
    def setUp(self):
        self.rows = [versus_janus.row_of(who, size, sends, report(), 60)
                     for size in (50, 100) for sends in ("dtx", "noise") for who in ("mixer", "Janus")]
        for row in self.rows:
            row["void"] = "too slow" if row["who"] == "Janus" and row["size"] == 100 else ""
        self.rows.append({"who": "Janus", "size": 500, "sends": "dtx", "void": "died"})

    def test_rows_that_are_void_have_no_figures(self):
        class Args:
            seconds, janus_rate = 60, 48000
        text = versus_janus.table(self.rows, [{"what": "16 kbit/s", "rooms": 1, "size": 9, "void": "no"}], Args)
        self.assertEqual(text.count("| void: too slow |  |  |  |  |"), 2)
        self.assertIn("| 500 | Janus | listeners in DTX | void: died |  |  |  |  |", text)
        self.assertIn("| 16 kbit/s | 1 | 9 | void: no | |", text)

    def test_the_picture_is_well_formed_and_shows_what_is_void(self):
        picture = ElementTree.fromstring(versus_janus.plots(self.rows))
        svg = "{http://www.w3.org/2000/svg}"
        plots = picture.findall(svg + "svg")
        self.assertEqual(len(plots), 4)
        for plot in plots:
            words = [each.text for each in plot.iter(svg + "text")]
            self.assertIn("Janus: void", words)
            self.assertNotIn("mixer: void", words)
            crosses = [each for each in plot.iter(svg + "path") if re.search("l8 8", each.get("d"))]
            self.assertEqual(len(crosses), 3 + 1, "three rows, and the legend's")
            self.assertEqual(len(list(plot.iter(svg + "polyline"))), 4)
            self.assertIsNotNone(plot.find(svg + "title"))
            self.assertIsNotNone(plot.find(svg + "desc"))

    def test_what_has_been_measured_nowhere_is_drawn_too(self):
        ElementTree.fromstring(versus_janus.plots([{"who": "Janus", "size": 10, "sends": "dtx", "void": "died"}]))

    def test_the_picture_of_the_readme_is_well_formed(self):
        ElementTree.parse(ROOT / "tools/bench/versus-janus.svg")


if __name__ == "__main__":
    unittest.main()
