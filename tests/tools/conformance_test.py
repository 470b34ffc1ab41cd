#!/usr/bin/env python3
"""tools/conformance.py: finds what headers and tests name, and notices a stale table."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "tools" / "conformance.py"
README = ("# x\n<!-- conformance: begin (tools/conformance.py) -->\nold\n"
          "<!-- conformance: end -->\n<!-- sentences: begin (tools/conformance.py) -->\n"
          "<!-- sentences: end -->\n<!-- presence: begin (tools/conformance.py) -->\n"
          "<!-- presence: end -->\nthe end\n")
TREE = {
    "README.md": README,
    "coin/diff.h": "// coin/diff.h: partials (RFC 4575 §4.4).\n// Then §4.6.\nint x;\n",
    "signaling/jingle.h": "// signaling/jingle.h: XEP-0166 §7.10 and\n"
                          "// §7.4; XEP-0167 §8. §9 is nobody's.\n"
                          'auto text = "XEP-0999 §1";\n',
    "media/rtp.h": "// media/rtp.h: RFC 3550, README §3.\n",
    "media/limits.h": "// media/limits.h: RFC 3550 §5.1.\n",
    "tests/coin/diff_property_test.cc": "int y;\n",
    "tests/signaling/other_test.cc": "// XEP-0166 §7.4 is the table.\n",
    "tests/mixer/presence_sentences.txt": "XEP-xxxx §2.1: It MAY be — not done: it need not\n",
    "tests/coin/sentences.txt": "# list\n\nXEP-0298 §5: A mixer <says>\n",
    "tests/coin/coin_test.cc": '// XEP-0298 §5: "A mixer <says>"\n// So.\nTEST_F(Coin, Says) {\n',
}


class Conformance(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.root = pathlib.Path(self.folder.name)
        for name, text in TREE.items():
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            (self.root / name).write_text(text)

    def run_tool(self, *arguments):
        return subprocess.run([sys.executable, str(SCRIPT), "--root", str(self.root), *arguments],
                              capture_output=True, text=True, check=False).returncode

    def test_a_row_for_each_header_and_standard_with_its_sections_and_tests(self):
        self.assertEqual(self.run_tool(), 0)
        rows = [[cell.strip() for cell in line.strip("|").split("|")]
                for line in (self.root / "README.md").read_text().splitlines()
                if line.startswith("| [")]
        self.assertEqual([[row[0].split("]")[0][1:], *row[1:]] for row in rows], [
            ["RFC 3550", "–", "`media/rtp.h`", "–"],
            ["RFC 4575", "§4.4, §4.6", "`coin/diff.h`", "`coin/diff_property_test.cc`"],
            ["XEP-0166", "§7.4, §7.10", "`signaling/jingle.h`", "`signaling/other_test.cc`"],
            ["XEP-0167", "§8", "`signaling/jingle.h`", "–"],
        ])

    def test_a_sentence_has_the_tests_that_show_it(self):
        self.assertEqual(self.run_tool(), 0)
        self.assertIn("| XEP-0298 §5 | A mixer &lt;says> | `Coin.Says` |\n",
                      (self.root / "README.md").read_text())

    def test_a_sentence_that_nobody_shows_fails_and_so_does_one_not_listed(self):
        self.run_tool()
        listed, test = self.root / "tests/coin/sentences.txt", self.root / "tests/coin/coin_test.cc"
        sentences, source = listed.read_text(), test.read_text()
        for path, text in ((listed, sentences + "XEP-0298 §6: More\n"), (listed, sentences * 2),
                           (listed, sentences.replace(" §5", "")), (listed, ""),
                           (test, source.replace("TEST_F", "int x;\nTEST_F"))):
            before = path.read_text()
            path.write_text(text)
            self.assertNotEqual(self.run_tool("--check"), 0, text)
            path.write_text(before)
        self.assertEqual(self.run_tool("--check"), 0)

    def test_the_rest_of_the_readme_stays(self):
        self.run_tool()
        text = (self.root / "README.md").read_text()
        self.assertTrue(text.startswith("# x\n") and text.endswith("-->\nthe end\n"), text)

    def test_a_stale_table_is_noticed(self):
        self.assertNotEqual(self.run_tool("--check"), 0)
        self.assertEqual((self.root / "README.md").read_text(), README, "checking writes nothing")
        self.run_tool()
        self.assertEqual(self.run_tool("--check"), 0)
        with open(self.root / "coin/diff.h", "a", encoding="utf-8") as header:
            header.write("// RFC 4575 §5.1.\n")
        self.assertNotEqual(self.run_tool("--check"), 0)

    def test_a_readme_without_markers_is_an_error(self):
        (self.root / "README.md").write_text("# x\n")
        self.assertNotEqual(self.run_tool(), 0)


if __name__ == "__main__":
    unittest.main()
