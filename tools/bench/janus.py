"""Debian's Janus with one AudioBridge room for participants with plain RTP, and the crowd that uses it."""

import http.client
import json
import os
import pathlib
import subprocess
import threading
import time
import urllib.request

LIB = pathlib.Path("/usr/lib/x86_64-linux-gnu/janus")
ROOM = 1


class Janus:
    """A private process: only the audiobridge plugin and the HTTP transport are loaded."""

    def __init__(self, folder, port, sampling_rate):
        folder = pathlib.Path(folder)
        for kind, names in {"plugins": ["libjanus_audiobridge.so"],
                            "transports": ["libjanus_http.so"], "events": [], "loggers": []}.items():
            (folder / kind).mkdir(parents=True, exist_ok=True)
            for name in names:
                (folder / kind / name).symlink_to((LIB / kind / name).resolve())
        # Its parser wants one setting on a line.
        folders = "\n".join(f'  {kind}_folder = "{folder / kind}"'
                            for kind in ("plugins", "transports", "events", "loggers"))
        self._write(folder / "janus.jcfg", f'general: {{\n  configs_folder = "{folder}"\n{folders}\n'
                    '  debug_level = 3\n  session_timeout = 0\n}\n'
                    'nat: {\n  ice_lite = true\n}\n')
        self._write(folder / "janus.transport.http.jcfg",
                    f'general: {{\n  json = "compact"\n  http = true\n  port = {port}\n'
                    '  ip = "127.0.0.1"\n  https = false\n}\nadmin: {\n  admin_http = false\n}\n')
        self._write(folder / "janus.plugin.audiobridge.jcfg",
                    'general: {\n  local_ip = "127.0.0.1"\n}\n'
                    f'room-{ROOM}: {{\n  description = "bench"\n  sampling_rate = {sampling_rate}\n'
                    '  record = false\n  allow_rtp_participants = true\n}\n')
        self.url = f"http://127.0.0.1:{port}/janus"
        self.log = open(folder / "janus.log", "wb")
        self.process = subprocess.Popen(["janus", "-F", str(folder)], stdout=self.log,
                                        stderr=subprocess.STDOUT)
        self._wait_until_up()
        self.session = self._post(self.url, janus="create")["data"]["id"]
        self.joined, self.failed = {}, None
        threading.Thread(target=self._listen, daemon=True).start()

    @staticmethod
    def _write(path, text):
        path.write_text(text)

    def _wait_until_up(self):
        for _ in range(300):
            if self.process.poll() is not None:
                break
            try:
                with urllib.request.urlopen(self.url + "/info", timeout=2):
                    return
            except OSError:
                time.sleep(0.1)
        raise RuntimeError(f"janus does not come up, see {self.log.name}")

    @staticmethod
    def _post(url, **body):
        body["transaction"] = os.urandom(6).hex()
        request = urllib.request.Request(url, json.dumps(body).encode(),
                                         {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def _listen(self):
        """Each who joins is told where to send by an event; the others are told of him."""
        while self.process.poll() is None:
            try:
                with urllib.request.urlopen(f"{self.url}/{self.session}?maxev=100", timeout=60) as got:
                    events = json.load(got)
            except (OSError, http.client.HTTPException):  # it ends while it answers
                continue
            for event in events if isinstance(events, list) else [events]:
                data = event.get("plugindata", {}).get("data", {})
                if data.get("audiobridge") == "joined" and "rtp" in data:
                    self.joined[event["sender"]] = (data["rtp"]["ip"], data["rtp"]["port"])
                elif "error" in data:
                    self.failed = data["error"]

    def join(self, port, number):
        """A participant whose packets come from and go to that UDP port; returns its handle."""
        handle = self._post(f"{self.url}/{self.session}", janus="attach",
                            plugin="janus.plugin.audiobridge")["data"]["id"]
        self._post(f"{self.url}/{self.session}/{handle}", janus="message",
                   body={"request": "join", "room": ROOM, "display": f"caller{number}",
                         "rtp": {"ip": "127.0.0.1", "port": port, "payload_type": 100}})
        return handle

    def addresses(self, handles, within_s):
        """Where each of the handles is to send to, once all have joined."""
        end = time.monotonic() + within_s
        while not all(handle in self.joined for handle in handles):
            if self.failed or time.monotonic() > end:
                raise RuntimeError(self.failed or "janus: not all have joined")
            time.sleep(0.05)
        return [self.joined[handle] for handle in handles]

    def close(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def run(janus, rtp_load, arguments, callers):
    """One run of the plain crowd in the room; rtp-load's report."""
    load = subprocess.Popen([rtp_load, "--callers", str(callers), "--watch-pid",
                             str(janus.process.pid), *arguments],
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        ports = json.loads(load.stdout.readline())
        # One that mixes as fast as it can answers so slowly that 300 would take ten minutes.
        within_s = 10 + callers * 0.2
        end, handles = time.monotonic() + within_s, []
        for port in ports:
            if time.monotonic() > end:
                raise RuntimeError(f"{len(handles)} of {callers} had joined after {within_s:.0f} s")
            handles.append(janus.join(port, len(handles) + 1))
        for ip, port in janus.addresses(handles, max(end - time.monotonic(), 10)):
            load.stdin.write(f"{ip} {port}\n")
        load.stdin.flush()
        report = load.stdout.readline()
        if load.wait(60) != 0 or not report:
            raise RuntimeError("rtp-load failed")
        return json.loads(report)
    finally:
        if load.poll() is None:
            load.kill()
            load.wait()
