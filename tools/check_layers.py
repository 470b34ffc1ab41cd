#!/usr/bin/env python3
"""Who may include whom, and what every file owes its reader. One line per violation; exit 1 if any.

    tools/check_layers.py [ROOT]

The layers, from the bottom: coin; signaling on coin; media on nothing of ours; mixer on all three;
tools and tests on everything. `signaling` and `media` never meet. README, "Layers".
"""

import fnmatch
import pathlib
import re
import subprocess
import sys

TOP_LEVEL = {"CMakeLists.txt", "CMakePresets.json", "LICENSE", "README.md",
             "coin", "media", "mixer", "signaling", "tests", "tools"}
FORBIDDEN_FOLDERS = {"common", "util", "utils", "base", "helpers", "misc"}
MAX_LINES = 500
# What people write; data (golden stanzas, corpora, sound) and Markdown may be as long as they are.
COUNTED = {".h", ".cc", ".py", ".txt", ".cmake", ".sh", ".supp", ".lua", ""}

# First match decides. ours: prefixes of our own headers, but never what `not_ours` lists.
# theirs: third-party headers. pure: no socket, thread, file or terminal inside.
GST = ["gst/*", "glib.h", "glib-object.h", "gio/*", "nice/*", "stun/*"]  # the last two: libnice
LAYERS = [
    # (files, ours, not_ours, theirs, pure)
    ("coin/*", ["coin/"], [], ["pugixml.hpp", "tl/expected.hpp"], True),
    ("signaling/strophe_*", ["signaling/", "coin/"], [],
     ["strophe.h", "expat.h", "pugixml.hpp", "tl/expected.hpp"], False),
    # Digests are all that a pure part needs of a crypto library.
    ("signaling/digest.cc", ["signaling/"], ["signaling/strophe_*"], ["openssl/evp.h"], True),
    # pugixml accepts what is not well-formed; expat is asked first.
    ("signaling/xml.cc", ["signaling/", "coin/"], ["signaling/strophe_*"],
     ["pugixml.hpp", "tl/expected.hpp", "expat.h"], True),
    ("signaling/*", ["signaling/", "coin/"], ["signaling/strophe_*"],
     ["pugixml.hpp", "tl/expected.hpp", "stringprep.h", "idna.h"], True),
    ("media/gst/fetcher_main.cc", ["media/"], [], ["curl/curl.h"], False),
    ("media/gst/*", ["media/"], [],
     GST + ["openssl/*", "srtp2/*", "opus.h", "opus/*", "ebur128.h", "seccomp.h"], False),
    ("media/thread_role.h", ["media/"], ["media/gst/*"], [], False),
    ("media/cut_file.cc", ["media/"], ["media/gst/*"], ["ogg/ogg.h"], True),
    ("media/ogg_opus_writer.cc", ["media/"], ["media/gst/*"], ["opus.h", "ogg/ogg.h"], True),
    ("media/*", ["media/"], ["media/gst/*"], ["opus.h", "opus/*"], True),
    ("mixer/main.cc", ["mixer/", "media/", "signaling/", "coin/"], [],
     ["CLI/*", "gst/gst.h"], False),
    ("mixer/config_reader.cc", ["mixer/"], [], ["toml++/*"], False),
    ("mixer/ca_file.cc", ["mixer/"], [], ["openssl/pem.h"], False),
    ("mixer/log.cc", ["mixer/"], [], ["spdlog/*"], False),
    ("mixer/room_picture.cc", ["mixer/", "signaling/"], ["signaling/strophe_*"], ["png.h"], False),
    ("mixer/state_store.cc", ["mixer/", "media/", "signaling/"], ["media/gst/*", "signaling/strophe_*"],
     ["sqlite3.h", "tl/expected.hpp"], False),
    # The shell around the core.
    *[(f"mixer/{name}.*", ["mixer/", "media/", "signaling/", "coin/"],
       ["media/gst/*", "signaling/strophe_*"], ["pugixml.hpp", "tl/expected.hpp"], False)
      for name in ("config", "config_presence", "config_reader", "event_loop", "focus_agent", "log", "mailbox",
                   "recording_folder", "service", "thread_role")],
    ("mixer/*", ["mixer/", "media/", "signaling/", "coin/"],
     ["media/gst/*", "signaling/strophe_*"], ["pugixml.hpp", "tl/expected.hpp"], True),
    ("tools/*", ["tools/", "mixer/", "media/", "signaling/", "coin/"], [],
     ["*"], False),
    ("tests/*", ["tests/", "tools/", "mixer/", "media/", "signaling/", "coin/"], [], ["*"], False),
]
ANNOTATIONS = "absl/base/thread_annotations.h"  # for everyone

# Third-party headers that our headers may show to whoever includes them.
IN_HEADERS = {"tl/expected.hpp", ANNOTATIONS}
# Not a door of its layer: included by its own folder (and its tests) only.
PRIVATE_HEADERS = ["media/gst/*"]
PUBLIC_IN_PRIVATE = ["media/gst/gst_engine.h", "media/gst/child_main.h"]

# The C++ standard library and the system. What is not named here and has no slash is a library's.
IMPURE = {"thread", "mutex", "condition_variable", "future", "iostream", "fstream", "filesystem",
          "unistd.h", "poll.h", "fcntl.h", "netdb.h", "ifaddrs.h", "signal.h",
          "csignal", "dlfcn.h", "malloc.h", "pthread.h", "resolv.h", "sched.h", "spawn.h", "sysexits.h",
          "time.h"}
IMPURE_PATTERNS = ["sys/*", "net/*", "linux/*"]
SYSTEM = IMPURE | {"string.h", "stdlib.h", "stdint.h", "stdio.h", "errno.h", "math.h",
                   "limits.h", "alloca.h", "endian.h", "strings.h"}
SYSTEM_PATTERNS = IMPURE_PATTERNS + ["arpa/*", "netinet/*"]

# What a sanitizer may not see, and nothing of ours: each entry after a comment that says why.
SUPPRESSION = re.compile(r"[a-z_]+:(lib(glib|gobject|gio|gst|nice)[\w.+-]*|(g|gst|nice)_\w+)")

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def matches(name, patterns):
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def is_system(header):
    if header in SYSTEM or matches(header, SYSTEM_PATTERNS):
        return True
    return "/" not in header and "." not in header  # <vector>


def files_of(root):
    """Paths of everything that is, or could be, committed."""
    if (root / ".git").exists():
        listing = subprocess.run(
            ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others",
             "--exclude-standard"], check=True, capture_output=True).stdout.decode()
        names = [name for name in listing.split("\0") if name]
    else:
        names = [str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()]
        names = [name for name in names if "__pycache__" not in name]
    return sorted({name for name in names if (root / name).is_file()})


def check_include(name, number, bracket, header, root):
    rule = next((rule for rule in LAYERS if matches(name, [rule[0]])), None)
    if rule is None:
        return
    _, ours, not_ours, theirs, pure = rule
    where = f"{name}:{number}: "
    if bracket == '"':
        if header.startswith(".") or "/../" in header or "/" not in header:
            yield where + f'"{header}" is relative; write it from the root'
        elif not any(header.startswith(prefix) for prefix in ours) or matches(header, not_ours):
            yield where + f'"{header}" is out of reach for this layer'
        elif not (root / header).is_file():
            yield where + f'"{header}" does not exist'
        return
    if re.match(r"(coin|media|mixer|signaling|tests|tools)/", header):
        yield where + f"<{header}> is ours; use quotes"
    elif is_system(header):
        if pure and (header in IMPURE or matches(header, IMPURE_PATTERNS)):
            yield where + f"<{header}> in a pure part"
    elif header != ANNOTATIONS and not matches(header, theirs):
        yield where + f"<{header}> is out of reach for this layer"
    elif name.endswith(".h") and header not in IN_HEADERS and not name.startswith("tests/"):
        private = matches(name, PRIVATE_HEADERS) and not matches(name, PUBLIC_IN_PRIVATE)
        if not (private or name.startswith("tools/")):
            yield where + f"<{header}> in a header; forward-declare or hide it"


def check_suppressions(name, lines):
    for number, line in enumerate(lines, 1):
        if line and not line.startswith("#"):
            if not SUPPRESSION.fullmatch(line):
                yield f"{name}:{number}: {line}: only GLib, GStreamer and libnice"
            elif number < 2 or not lines[number - 2].startswith("#"):
                yield f"{name}:{number}: {line}: no reason above it"


def check_file(name, root):
    path = root / name
    folders = pathlib.PurePath(name).parts[:-1]
    for folder in FORBIDDEN_FOLDERS.intersection(folders):
        yield f"{name}: a folder named {folder}/ says nothing about what is in it"
    if path.suffix not in COUNTED or "golden" in folders or "corpus" in folders:
        return
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        if path.suffix:
            yield f"{name}: not UTF-8"
        return
    if len(lines) > MAX_LINES and name != "LICENSE":
        yield f"{name}: {len(lines)} lines; at most {MAX_LINES}"
    if path.suffix == ".supp":
        yield from check_suppressions(name, lines)
    if path.suffix not in {".h", ".cc"}:
        return
    if path.suffix == ".h":
        if not lines or not lines[0].startswith(f"// {name}: "):
            yield f"{name}:1: the first line does not say // {name}: and what it is"
        if "#pragma once" not in lines:
            yield f"{name}: no #pragma once"
    for number, line in enumerate(lines, 1):
        if re.search(r"\b(TODO|FIXME|XXX)\b", line):
            yield f"{name}:{number}: {line.strip()}: do it or leave it out"
        found = INCLUDE.match(line)
        if found:
            yield from check_include(name, number, *found.groups(), root)


def check(root):
    names = files_of(root)
    for entry in sorted({name.split("/")[0] for name in names}):
        if entry not in TOP_LEVEL and not entry.startswith("."):
            yield f"{entry}: not among the top-level entries"
    for name in names:
        if not name.startswith("."):
            yield from check_file(name, root)


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else
                        pathlib.Path(__file__).resolve().parent.parent).resolve()
    violations = list(check(root))
    for violation in violations:
        print(violation)
    print(f"{len(violations)} violations in {len(files_of(root))} files")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
