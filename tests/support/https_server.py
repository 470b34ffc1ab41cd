#!/usr/bin/python3
"""A web server on loopback, with its ways: serves a folder by https, and is as slow, endless, forgetful or misleading
as it is asked to be. Prints its port, then the path of each request; `connection` for each connection before TLS.

    https_server.py FOLDER CERTIFICATE KEY ADDRESS

/NAME               that file; its Content-Type by its ending
/ranged/NAME        the same, and any part of it: an ETag, Accept-Ranges and Last-Modified of long ago
/ranged/HOW/NAME    HOW: untagged (no ETag), weak (only that), unvouched (no ETag, and changed just now),
                    unable (all of it whatever is asked for), changing (another one each time), moved (each part to
                    /ranged/NAME), changed (its parts have another one), trap (each part to an address that is not public),
                    elsewhere (another part), shrinking (another size), refusing (416), brief (256 KiB at a time, and then
                    nothing but a closed connection), broken (no byte of a part),
                    stalling (a part's first half, and then nothing), silent (no answer for a part);
                    from `moved` on, but for `brief`, in its last quarter only, and not at its end: what kind of thing it is
                    is looked for elsewhere
/unsized/NAME       that file in a chunk, so without its length
/station/NAME       the same without end and length, over and over, titles in between if they are wanted
/titles/NAME        that file, a title after each byte, each time another
/to?URL             leads there
/round              leads to itself
/short/NAME         its first half, and then nothing but a closed connection
/stall/NAME         its first half, and then nothing
/silent             no answer
/trickle            an answer whose headers never end
/large              says it has a terabyte
/status/NUMBER      nothing but that
/list?TEXT          that text as audio/x-mpegurl
"""

import email.utils
import http.server
import os
import ssl
import sys
import time
import urllib.parse

TYPES = {"m3u": "audio/x-mpegurl", "m3u8": "application/vnd.apple.mpegurl", "pls": "audio/x-scpls", "mp3": "audio/mpeg",
         "ogg": "application/ogg", "flac": "audio/flac"}
INTERVAL = 1000  # bytes between titles
PIECE = 1 << 18


def say(text):
    print(text, flush=True)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    folder = "."

    def setup(self):
        say("connection")
        self.request.settimeout(60)
        self.request = self.server.context.wrap_socket(self.request, server_side=True)
        super().setup()

    def log_message(self, *_):
        pass

    def begin(self, status, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def wait(self):
        self.wfile.flush()
        self.rfile.read(1)  # until the other end is gone

    def file(self, name):
        with open(os.path.join(self.folder, name), "rb") as file:
            return file.read(), TYPES.get(name.rsplit(".", 1)[-1], "application/octet-stream")

    def do_GET(self):
        say(self.path)
        url = urllib.parse.urlsplit(self.path)
        word, _, rest = url.path[1:].partition("/")
        query = urllib.parse.unquote(url.query)
        self.close_connection = True
        if word == "to":
            self.begin(302, Location=query, Content_Length=0)
        elif word == "round":
            self.begin(302, Location="/round", Content_Length=0)
        elif word == "status":
            self.begin(int(rest), Content_Length=0)
        elif word == "list":
            self.begin(200, Content_Type="audio/x-mpegurl", Content_Length=len(query.encode()))
            self.wfile.write(query.encode())
        elif word == "large":
            self.begin(200, Content_Type="audio/mpeg", Content_Length=1 << 40)
            self.wait()
        elif word == "silent":
            self.wait()
        elif word == "trickle":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nX-")
            self.wait()
        elif word == "station":
            self.station(rest)
        elif word == "titles":
            self.titles(rest)
        elif word == "ranged":
            how, _, name = rest.rpartition("/")
            self.ranged(how, name)
        elif word == "unsized":
            data, kind = self.file(rest)
            self.begin(200, Content_Type=kind, Transfer_Encoding="chunked")
            self.wfile.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(data), data))
        elif word in ("short", "stall"):
            data, kind = self.file(rest)
            self.begin(200, Content_Type=kind, Content_Length=len(data))
            self.wfile.write(data[:len(data) // 2])
            if word == "stall":
                self.wait()
        elif os.path.isfile(os.path.join(self.folder, urllib.parse.unquote(url.path[1:]))):
            data, kind = self.file(urllib.parse.unquote(url.path[1:]))
            self.begin(200, Content_Type=kind, Content_Length=len(data))
            self.wfile.write(data)
        else:
            self.begin(404, Content_Length=0)

    def ranged(self, how, name):
        data, kind = self.file(name)
        size, now, text = len(data), time.time(), self.headers.get("Range")
        first = int(text.removeprefix("bytes=").removesuffix("-")) if text else 0
        if text and not size * 3 // 4 < first < size - (1 << 16) and how not in ("changing", "untagged", "brief"):
            how = ""
        headers = {"Content_Type": kind, "Accept_Ranges": "bytes",
                   "ETag": 'W/"a"' if how == "weak" else f'"{now}"' if how == "changing" else
                   '"b"' if text and how == "changed" else '"a"',
                   "Last_Modified": email.utils.formatdate(now if how in ("unvouched", "weak") else 1e9, usegmt=True)}
        if how in ("untagged", "unvouched"):
            del headers["ETag"]
        if text:
            say(f"{text} {self.headers.get('If-Range')}")
        if text and how in ("moved", "trap"):
            self.begin(302, Location="/ranged/" + name if how == "moved" else "https://169.254.10.10/", Content_Length=0)
        elif text and how == "refusing":
            self.begin(416, Content_Length=0)
        elif text and how == "silent":
            self.wait()
        elif not text or how == "unable" or self.headers.get("If-Range") != headers.get("ETag", headers["Last_Modified"]):
            self.begin(200, Content_Length=size, **headers)
            self.wfile.write(data[:PIECE] if how == "brief" else data)
        else:
            shift, more = int(how == "elsewhere"), int(how == "shrinking")
            self.begin(206, Content_Range=f"bytes {first + shift}-{size - 1}/{size + more}",
                       Content_Length=size - first - shift, **headers)
            data = data[first + shift:]
            parts = {"broken": 0, "brief": PIECE, "stalling": len(data) // 2}
            self.wfile.write(data[:parts.get(how, len(data))])
            if how == "stalling":
                self.wait()

    def station(self, name):
        data, kind = self.file(name)
        wanted = self.headers.get("Icy-MetaData") == "1"
        self.begin(200, Content_Type=kind, icy_name="Radio Test", Connection="close",
                   **({"icy_metaint": INTERVAL} if wanted else {}))
        place, count = 0, 0
        while True:
            part = (data + data)[place:place + INTERVAL]
            place = (place + INTERVAL) % len(data)
            self.wfile.write(part)
            if wanted:
                text = f"StreamTitle='The Testers - It's number {count // 20}';".encode() if count % 20 == 0 else b""
                text += b"\0" * (-len(text) % 16)
                self.wfile.write(bytes([len(text) // 16]) + text)
            count += 1

    def titles(self, name):
        data, kind = self.file(name)
        self.begin(200, Content_Type=kind, icy_name="Radio Test", icy_metaint=1, Connection="close")
        titles = [f"\1StreamTitle='{title}';".encode() for title in "AB"]
        self.wfile.write(b"".join(data[i:i + 1] + titles[i % 2] for i in range(len(data))))

    def handle(self):
        try:
            super().handle()
        except OSError:
            pass  # whoever asked is gone

    def finish(self):
        try:
            super().finish()
            self.request.close()
        except OSError:
            pass


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], OSError):  # a handshake that failed is one
            super().handle_error(request, client_address)


def main():
    folder, certificate, key, address = sys.argv[1:]
    Handler.folder = folder
    server = Server((address, 0), Handler)
    server.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.context.load_cert_chain(certificate, key)
    say("port " + str(server.server_address[1]))
    server.serve_forever()


if __name__ == "__main__":
    main()
