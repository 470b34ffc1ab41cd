#!/usr/bin/env python3
"""tools/check_layers.py: a tree that keeps the rules passes, and each rule, once broken, is reported."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "tools" / "check_layers.py"


def header(name, *lines):
    return "\n".join([f"// {name}: a thing.", "#pragma once", *lines, ""])


GOOD = {
    "CMakeLists.txt": "project(x)\n",
    "README.md": "# x\n" * 600,
    "coin/info.h": header("coin/info.h", "#include <string>", "#include <tl/expected.hpp>"),
    "coin/xml.cc": '#include <pugixml.hpp>\n#include "coin/info.h"\n',
    "signaling/stanza.h": header("signaling/stanza.h", '#include "coin/info.h"'),
    "signaling/stanza.cc": '#include "signaling/stanza.h"\n#include <pugixml.hpp>\n',
    "signaling/digest.cc": "#include <openssl/evp.h>\n",
    "signaling/strophe_door.h": header("signaling/strophe_door.h", "#include <memory>"),
    "signaling/strophe_door.cc": "#include <strophe.h>\n#include <expat.h>\n#include <poll.h>\n",
    "media/engine.h": header("media/engine.h", "#include <absl/base/thread_annotations.h>"),
    "media/coder.cc": '#include <opus/opus.h>\n#include "media/engine.h"\n',
    "media/gst/element.h": header("media/gst/element.h", "#include <gst/gst.h>"),
    "media/gst/leg.cc": "#include <nice/agent.h>\n#include <openssl/ssl.h>\n"
                        "#include <srtp2/srtp.h>\n",
    "media/gst/gst_engine.h": header("media/gst/gst_engine.h", '#include "media/engine.h"'),
    "mixer/focus.h": header("mixer/focus.h", '#include "media/engine.h"',
                            '#include "signaling/stanza.h"'),
    "mixer/event_loop.cc": "#include <poll.h>\n",
    "mixer/main.cc": '#include <CLI/CLI.hpp>\n#include "media/gst/gst_engine.h"\n'
                     '#include "signaling/strophe_door.h"\n',
    "tools/call.cc": '#include <gst/gst.h>\n#include <thread>\n#include "media/engine.h"\n',
    "tests/mixer/focus_test.cc": '#include <gtest/gtest.h>\n#include "mixer/focus.h"\n',
    "tests/golden/long.xml": "<a/>\n" * 900,
    "tests/support/tsan.supp": "# Futexes.\nrace:libglib-2.0.so\n\n# Agents.\nrace:nice_agent_send\n",
    ".ci/run": "#!/bin/bash\n",
}

# What is written over or beside the good tree, and a part of what must be said about it.
BROKEN = [
    ("coin sees xmpp", {"coin/a.cc": '#include "signaling/stanza.h"\n'},
     'coin/a.cc:1: "signaling/stanza.h" is out of reach'),
    ("coin sees a library", {"coin/a.cc": "#include <opus/opus.h>\n"}, "<opus/opus.h> is out of"),
    ("coin sees sockets", {"coin/a.cc": "#include <sys/socket.h>\n"}, "<sys/socket.h> in a pure"),
    ("signaling sees media", {"signaling/a.cc": '#include "media/engine.h"\n'}, "out of reach"),
    ("media sees signaling", {"media/a.cc": '#include "signaling/stanza.h"\n'}, "out of reach"),
    ("media/gst sees signaling", {"media/gst/a.cc": '#include "signaling/stanza.h"\n'}, "out of"),
    ("media sees mixer", {"media/a.cc": '#include "mixer/focus.h"\n'}, "out of reach"),
    ("signaling sees strophe", {"signaling/a.cc": "#include <strophe.h>\n"}, "<strophe.h> is out"),
    ("signaling sees expat", {"signaling/a.cc": "#include <expat.h>\n"}, "<expat.h> is out of"),
    ("signaling enters by the door", {"signaling/a.cc": '#include "signaling/strophe_door.h"\n'},
     "out of reach"),
    ("signaling sees openssl", {"signaling/a.cc": "#include <openssl/ssl.h>\n"}, "out of reach"),
    ("signaling has a thread", {"signaling/a.cc": "#include <thread>\n"}, "in a pure part"),
    ("media's kernel sees gst", {"media/a.cc": "#include <gst/gst.h>\n"}, "<gst/gst.h> is out of"),
    ("media's kernel sees the engine", {"media/a.cc": '#include "media/gst/element.h"\n'}, "reach"),
    ("media's kernel sees libnice", {"media/a.cc": "#include <nice/agent.h>\n"}, "out of reach"),
    ("media's kernel sees srtp", {"media/a.cc": "#include <srtp2/srtp.h>\n"}, "out of reach"),
    ("the focus polls", {"mixer/a.cc": "#include <poll.h>\n"}, "<poll.h> in a pure part"),
    ("the focus logs", {"mixer/a.cc": "#include <spdlog/spdlog.h>\n"}, "out of reach"),
    ("the focus sees gst", {"mixer/a.cc": '#include "media/gst/gst_engine.h"\n'}, "out of reach"),
    ("the focus sees libstrophe", {"mixer/a.cc": '#include "signaling/strophe_door.h"\n'}, "reach"),
    ("a library in a header", {"signaling/a.h": header("signaling/a.h", "#include <pugixml.hpp>")},
     "<pugixml.hpp> in a header"),
    ("a library in the engine's header",
     {"media/gst/gst_engine.h": header("media/gst/gst_engine.h", "#include <gst/gst.h>")},
     "<gst/gst.h> in a header"),
    ("no pragma", {"coin/a.h": "// coin/a.h: a thing.\n"}, "coin/a.h: no #pragma once"),
    ("a header that is called otherwise", {"coin/a.h": header("coin/b.h")}, "coin/a.h:1: the first"),
    ("a long file", {"coin/a.cc": "//\n" * 501}, "coin/a.cc: 501 lines"),
    ("a long script", {"tools/a": "#\n" * 501}, "tools/a: 501 lines"),
    ("an include of the same folder", {"coin/a.cc": '#include "info.h"\n'}, "is relative"),
    ("an include of the folder above", {"coin/a.cc": '#include "../coin/info.h"\n'}, "is relative"),
    ("an include that is not there", {"coin/a.cc": '#include "coin/none.h"\n'}, "does not exist"),
    ("ours in angle brackets", {"coin/a.cc": "#include <coin/info.h>\n"}, "is ours; use quotes"),
    ("a further folder at the top", {"docs/a.md": "x\n"}, "docs: not among the top-level"),
    ("a further file at the top", {"notes.txt": "x\n"}, "notes.txt: not among the top-level"),
    ("a drawer for everything", {"mixer/util/a.cc": "\n"}, "a folder named util/"),
    ("a suppression of ours", {"tests/support/a.supp": "# Why.\nrace:mixer::Mailbox\n"},
     "a.supp:2: race:mixer::Mailbox: only GLib"),
    ("a suppression without a reason", {"tests/support/a.supp": "race:libnice.so\n"}, "no reason"),
    ("a promise", {"coin/a.cc": "// TO" + "DO: later\n"}, "do it or leave it out"),
]


class CheckLayers(unittest.TestCase):
    def run_on(self, files):
        with tempfile.TemporaryDirectory() as folder:
            for name, text in files.items():
                path = pathlib.Path(folder, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            run = subprocess.run([sys.executable, str(SCRIPT), folder], capture_output=True,
                                 text=True, check=False)
            return run.returncode, run.stdout

    def test_a_tree_that_keeps_the_rules_passes(self):
        status, said = self.run_on(GOOD)
        self.assertEqual((status, said.splitlines()[:-1]), (0, []))

    def test_each_broken_rule_is_the_one_thing_reported(self):
        for what, change, expected in BROKEN:
            with self.subTest(what):
                status, said = self.run_on({**GOOD, **change})
                self.assertEqual(status, 1, said)
                self.assertIn(expected, said)
                self.assertEqual(len(said.splitlines()), 2, said)


if __name__ == "__main__":
    unittest.main()
