"""The mixer under jingle-load's crowd: a private Prosody and both programs, on loopback."""

import json
import os
import pathlib
import random
import re
import socket
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
CONFIG = """[xmpp]
mode = "component"
jid = "mixer.localhost"
password = "secret"
host = "127.0.0.1"
port = {port}
[media]
addresses = ["127.0.0.1"]
bitrate = {bitrate}
[limits]
participants-per-room = 4000
participants = 4000
rooms-per-domain-and-hour = 5000
[log]
level = "info"
"""


def free_port():
    while True:
        port = random.randint(20000, 32000)  # below those the kernel gives to others
        with socket.socket() as one:
            if one.connect_ex(("127.0.0.1", port)) != 0:
                return port


def wait_for_port(port):
    for _ in range(300):
        with socket.socket() as one:
            if one.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError(f"nobody listens on port {port}")


def memory_mb(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) * 1024 / 1e6


class MixerBench:
    """`build` has the mixer and, if `crowd_build` has not, jingle-load; files are made in `work`.
    `environment` is the mixer's, beside ours."""

    def __init__(self, build, work, crowd_build=None, environment=None):
        self.build, self.crowd_build = pathlib.Path(build), pathlib.Path(crowd_build or build)
        self.work, self.environment = pathlib.Path(work), {**os.environ, **(environment or {})}
        self.processes = []
        self.port, clients = free_port(), free_port()
        (self.work / "prosody").mkdir()
        self._start([ROOT / "tools/private_prosody", self.work / "prosody", clients, self.port],
                    "prosody.log")
        wait_for_port(self.port)

    def _start(self, argv, log, environment=None):
        process = subprocess.Popen([str(a) for a in argv], stdout=open(self.work / log, "wb"),
                                   stderr=subprocess.STDOUT, env=environment)
        self.processes.append(process)
        return process

    def _wait_for_log(self, process, log, text):
        for _ in range(600):
            written = (self.work / log).read_text()
            if text in written:
                return
            if process.poll() is not None:
                break
            time.sleep(0.05)
        raise RuntimeError(f"{log}: {written[-200:]}")

    def _stop(self, process):
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self.processes.remove(process)
        return process.returncode

    def close(self):
        for process in list(self.processes):
            self._stop(process)

    def run(self, crowd, bitrate=32000):
        """A fresh mixer under one crowd: jingle-load's report with its options `crowd`, and
        `empty_mb`, what it took with nobody there, `began`, jingle-load's 0 s (since 1970), and
        `mixer_status`, how it ended (0: well)."""
        config = self.work / "mixer.toml"
        config.write_text(CONFIG.format(port=self.port, bitrate=bitrate))
        mixer = self._start([self.build / "mixer/jingle-mixer", "--config", config], "mixer.log",
                            self.environment)
        try:
            self._wait_for_log(mixer, "mixer.log", "xmpp=up")
            empty, began = memory_mb(mixer.pid), time.time()
            done = subprocess.run(
                [self.crowd_build / "tools/jingle-load", "--component", "load.localhost", "--secret",
                 "secret", "--server", f"127.0.0.1:{self.port}", "--to", "bench@mixer.localhost",
                 "--join-rate", "25", "--watch-pid", str(mixer.pid), "--json", "--quiet", *crowd],
                capture_output=True, text=True)
            if not done.stdout:
                raise RuntimeError(done.stderr.strip().splitlines()[-1])
        finally:
            status = self._stop(mixer)
        return dict(json.loads(done.stdout), empty_mb=empty, began=began, mixer_status=status)
