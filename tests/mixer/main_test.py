#!/usr/bin/env python3
"""The program itself, without a server: main_test.py PATH_OF_JINGLE_MIXER."""

import os
import pathlib
import queue
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import unittest

PROGRAM = ""
README = pathlib.Path(__file__).resolve().parents[2] / "README.md"
PATIENCE = 60  # seconds for what should take none; nothing here measures time
GOOD = """[xmpp]
mode = "component"
jid = "mixer.localhost"
password = "secret"
host = "127.0.0.1"
port = {port}
[media]
addresses = ["127.0.0.1"]
port-range = "20000-20099"
"""


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


class Running:
    """The mixer in the foreground; its log line by line."""

    def __init__(self, config, environment):
        self.process = subprocess.Popen([PROGRAM, "--config", config], stderr=subprocess.PIPE,
                                        text=True, env=environment)
        self.lines = queue.Queue()
        self.seen = []
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stderr:
            self.lines.put(line)
        self.lines.put(None)

    def wait_for(self, text):
        while True:
            line = self.lines.get(timeout=PATIENCE)
            if line is None:
                raise AssertionError(f"ended without {text!r}:\n" + "".join(self.seen))
            self.seen.append(line)
            if text in line:
                return line

    def status(self):
        return self.process.wait(timeout=PATIENCE)

    def end(self):
        self.process.kill()
        self.process.wait()
        self.reader.join()
        self.process.stderr.close()


class Main(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def config(self, text):
        path = pathlib.Path(self.folder.name, "mixer.toml")
        path.write_text(text)
        path.chmod(0o600)
        return str(path)

    def start(self, text, **environment):
        clean = {key: value for key, value in os.environ.items() if key != "STATE_DIRECTORY"}
        running = Running(self.config(text), {**clean, **environment})
        self.addCleanup(running.end)
        return running

    def run_it(self, *arguments):
        run = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, check=False,
                             timeout=PATIENCE)
        return run.returncode, run.stdout, run.stderr

    def test_version(self):
        status, out, _ = self.run_it("--version")
        self.assertEqual(status, os.EX_OK)
        self.assertRegex(out, r"^jingle-mixer \d+\.\d+\.\d+\n$")

    def test_wrong_command_lines(self):
        for arguments in ([], ["--config"], ["--confg", "x"], ["--config", "a", "b"]):
            self.assertEqual(self.run_it(*arguments)[0], os.EX_USAGE, arguments)

    def test_a_good_configuration(self):
        path = self.config(GOOD.format(port=5347))
        self.assertEqual(self.run_it("--config", path, "--check-config"),
                         (os.EX_OK, "", f"{path}: ok\n"))

    def test_what_the_readme_shows_as_a_configuration_is_one(self):
        shown = re.findall(r"^```toml\n(.*?)^```$", README.read_text(), re.DOTALL | re.MULTILINE)
        self.assertGreaterEqual(len(shown), 2)
        for name in ("etc", "srv/music", "var/lib/jingle-mixer"):
            pathlib.Path(self.folder.name, name).mkdir(parents=True)
        password = pathlib.Path(self.folder.name, "etc/jingle-mixer.password")
        password.write_text("secret\n")
        password.chmod(0o600)
        for text in shown:
            with self.subTest(text):
                text = re.sub('"/', f'"{self.folder.name}/', text)  # the files of an operator
                path = self.config(text)
                self.assertEqual(self.run_it("--config", path, "--check-config"),
                                 (os.EX_OK, "", f"{path}: ok\n"))

    def test_the_readmes_unit_is_one(self):
        if shutil.which("systemd-analyze") is None:
            self.skipTest("no systemd-analyze")
        unit = re.search(r"^```ini\n(\[Unit\].*?)^```$", README.read_text(), re.DOTALL | re.MULTILINE)[1]
        path = pathlib.Path(self.folder.name, "jingle-mixer.service")
        path.write_text(re.sub("^(User=).*|/usr/local/bin/jingle-mixer",
                               lambda found: found[1] + "root" if found[1] else os.path.abspath(PROGRAM), unit,
                               flags=re.MULTILINE))
        verified = subprocess.run(["systemd-analyze", "verify", path], capture_output=True, text=True,
                                  check=False, timeout=PATIENCE)
        about_it = [line for line in verified.stderr.splitlines() if path.name in line]
        self.assertEqual((verified.returncode, about_it), (0, []), verified.stderr)

    def test_a_bad_configuration_names_file_line_and_key_and_ends_with_78(self):
        path = self.config(GOOD.format(port=0) + "bitrte = 1\n")
        for arguments in (["--check-config"], []):
            status, _, err = self.run_it("--config", path, *arguments)
            self.assertEqual(status, 78)
            self.assertIn(f"{path}:6: error: xmpp.port: ", err)
            self.assertIn(f'{path}:10: warning: media.bitrte: unknown key, ignored; did you mean '
                          '"bitrate"?', err)

    def test_a_configuration_that_is_not_there(self):
        status, _, err = self.run_it("--config", "/nonexistent.toml")
        self.assertEqual((status, err.splitlines()),
                         (78, ["/nonexistent.toml: error: cannot read: No such file or directory"]))

    def test_without_a_server_it_says_so_keeps_trying_and_stops_when_told(self):
        port = free_port()
        for number in (signal.SIGTERM, signal.SIGINT):
            mixer = self.start(GOOD.format(port=port))
            self.assertIn(f"jid=mixer.localhost server=127.0.0.1:{port}",
                          mixer.wait_for("service=starting"))
            self.assertIn("ports=20000-20099", mixer.wait_for("firewall="))
            first = mixer.wait_for("server not there, retry in ")
            self.assertIn(f"server=127.0.0.1:{port}", first)
            mixer.wait_for("server not there, retry in 2 s")
            mixer.process.send_signal(number)
            mixer.wait_for("service=stopped")
            self.assertEqual(mixer.status(), os.EX_OK)

    def test_what_needs_a_plugin_that_is_missing_is_said_at_the_start(self):
        nothing = {"GST_PLUGIN_SYSTEM_PATH_1_0": self.folder.name,
                   "GST_REGISTRY_1_0": str(pathlib.Path(self.folder.name, "registry"))}
        for key in ("denoise", "automatic-gain"):
            for table in ("rooms", "room.lobby"):
                text = GOOD.format(port=free_port()) + f"[{table}]\n{key} = true\n"
                mixer = self.start(text, **nothing)
                self.assertIn("gstreamer1.0-plugins-bad", mixer.wait_for("service=failed"))
                self.assertEqual(mixer.status(), os.EX_SOFTWARE)

    def test_it_stops_though_the_server_never_answers(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            server.settimeout(PATIENCE)
            mixer = self.start(GOOD.format(port=server.getsockname()[1]))
            accepted, _ = server.accept()
            with accepted:
                mixer.process.send_signal(signal.SIGTERM)
                mixer.wait_for("service=stopped")
                self.assertEqual(mixer.status(), os.EX_OK)

    def test_without_a_state_directory_it_says_once_that_nothing_is_kept(self):
        mixer = self.start(GOOD.format(port=free_port()))
        mixer.wait_for("state=memory")
        mixer.wait_for("server not there")

    def test_the_state_directory_is_the_configurations_else_systemds_first(self):
        made = pathlib.Path(self.folder.name, "made")
        made.mkdir()
        mixer = self.start(GOOD.format(port=free_port()), STATE_DIRECTORY=f"{made}:/nonexistent")
        self.assertIn("subscriptions=0", mixer.wait_for(f"state=open directory={made}"))
        own = pathlib.Path(self.folder.name, "own")
        mixer = self.start(GOOD.format(port=free_port()) + f'[state]\ndirectory = "{own}"\n',
                           STATE_DIRECTORY=str(made))
        mixer.wait_for(f"state=open directory={own}")
        self.assertEqual(oct((own / "state.db").stat().st_mode & 0o777), "0o600")

    def test_a_bot_that_publishes_nothing_any_more_opens_what_it_has_left(self):
        bot = GOOD.replace('"component"', '"client"').replace('"mixer.', '"bot@').format(port=free_port())
        state = pathlib.Path(self.folder.name, "state")
        bot += '[state]\ndirectory = "state"\n'
        self.start(bot).wait_for("server not there")
        self.assertFalse(state.exists(), "there is nothing to keep")
        first = self.start(bot + '[presence]\npublish = ["tune"]\n')
        first.wait_for("state=open")
        first.end()
        self.start(bot).wait_for("state=open")

    def test_two_on_one_state_directory_are_refused(self):
        text = GOOD.format(port=free_port()) + '[state]\ndirectory = "state"\n'
        first = self.start(text)
        first.wait_for("state=open")
        second = self.start(text)
        self.assertIn("error=in-use", second.wait_for("state=refused"))
        self.assertEqual(second.status(), os.EX_TEMPFAIL)
        self.assertIsNone(first.process.poll())
        self.assertEqual(self.run_it("--config", self.config(text), "--check-config")[0], os.EX_OK)
        first.process.kill()
        first.status()
        self.start(text).wait_for("state=open")

    def test_with_a_broken_database_it_goes_on_in_memory(self):
        state = pathlib.Path(self.folder.name, "state")
        state.mkdir()
        (state / "state.db").write_text("x" * 8192)
        mixer = self.start(GOOD.format(port=free_port()) + '[state]\ndirectory = "state"\n')
        line = mixer.wait_for("state=memory")
        self.assertIn("error=corrupt", line)
        self.assertIn(str(state / "state.db"), line)
        mixer.wait_for("server not there")
        self.assertEqual((state / "state.db").read_text(), "x" * 8192)

    def test_a_state_directory_that_cannot_be_is_a_wrong_configuration(self):
        path = self.config(GOOD.format(port=5347) + '[state]\ndirectory = "/nonexistent/a"\n')
        for arguments in (["--check-config"], []):
            status, _, err = self.run_it("--config", path, *arguments)
            self.assertEqual(status, 78)
            self.assertIn(f"{path}:11: error: state.directory: there is no /nonexistent to make it in",
                          err)


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main()
