#!/usr/bin/env python3
"""README's conformance table, made of what headers and tests say: "XEP-0166 §7.4", "RFC 4575 §4.4".

    tools/conformance.py            writes the table between its markers in README.md
    tools/conformance.py --check    fails when the table there is not that table
    tools/conformance.py --root DIR

A section stands for the standard named before it in the same file. A test belongs to a row when it
names the section itself, or is named like a header of the row (coin/diff.h,
tests/coin/diff_property_test.cc).
"""

import argparse
import collections
import pathlib
import re
import sys

BEGIN = "<!-- conformance: begin (tools/conformance.py) -->"
END = "<!-- conformance: end -->"
# A standard, another document with sections (whose sections are not a standard's), or a section.
MENTION = re.compile(r"\b(RFC|XEP)[ -](\d{3,5})\b|\b([A-Z]{3,})\b(?= §)|§ ?([A-Z]?\d*(?:\.\d+)*)")
COMMENT = re.compile(r"(?://|^\s*#|/\*|\*)(.*)")


def mentions(text):
    """(standard, section) of everything named in the comments of `text`; section "" for the whole."""
    found = set()
    standard = None
    for line in text.splitlines():
        comment = COMMENT.search(line)
        if not comment:
            continue
        for kind, number, other, section in MENTION.findall(comment.group(1)):
            if kind:
                standard = (kind, int(number))
                found.add((standard, ""))
            elif other:
                standard = None
            elif section and standard:
                found.add((standard, section))
    return found


def name_of(standard):
    kind, number = standard
    if kind == "RFC":
        return f"[RFC {number}](https://www.rfc-editor.org/rfc/rfc{number})"
    return f"[XEP-{number:04}](https://xmpp.org/extensions/xep-{number:04}.html)"


def section_key(section):
    return [(not part.isdigit(), int(part) if part.isdigit() else 0, part)
            for part in re.findall(r"\d+|[A-Z]", section)]


def table(root):
    headers, tests = collections.defaultdict(set), collections.defaultdict(set)
    for layer in ("coin", "signaling", "media", "mixer", "tools"):
        for path in sorted((root / layer).rglob("*.h")):
            for mention in mentions(path.read_text(encoding="utf-8")):
                headers[mention].add(str(path.relative_to(root)))
    test_files = [path for pattern in ("*_test.cc", "*_test.py", "*_fuzz.cc", "*_sim.cc")
                  for path in sorted((root / "tests").rglob(pattern))]
    for path in test_files:
        for mention in mentions(path.read_text(encoding="utf-8")):
            tests[mention].add(str(path.relative_to(root)))

    def named_like(header):
        path = pathlib.PurePath(header)
        for test in test_files:
            name = test.relative_to(root / "tests")
            if test.stem.startswith(path.stem + "_") and name.parts[0] == path.parts[0]:
                yield str(test.relative_to(root))

    # The whole standard gets a row only where no section of it is named.
    keys = set(headers) | set(tests)
    with_section = {standard for standard, section in keys if section}
    lines = ["| standard | section | files | tests |", "|---|---|---|---|"]
    for standard, section in sorted(keys, key=lambda key: (key[0], section_key(key[1]))):
        if not section and standard in with_section:
            continue
        files = sorted(headers[standard, section])
        checked = set(tests[standard, section])
        for header in files:
            checked.update(named_like(header))
        lines.append("| " + " | ".join([
            name_of(standard), f"§{section}" if section else "",
            ", ".join(f"`{name}`" for name in files) or "–",
            ", ".join(f"`{name}`" for name in sorted(checked)) or "–"]) + " |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--root", type=pathlib.Path,
                        default=pathlib.Path(__file__).resolve().parent.parent)
    arguments = parser.parse_args()
    readme = arguments.root / "README.md"
    text = readme.read_text(encoding="utf-8")
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        sys.exit(f"README.md lacks the lines\n{BEGIN}\n{END}")
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    wanted = f"{before}{BEGIN}\n{table(arguments.root)}\n{END}{after}"
    if arguments.check:
        if wanted != text:
            sys.exit("README.md's conformance table is stale: run tools/conformance.py")
    elif wanted != text:
        readme.write_text(wanted, encoding="utf-8")


if __name__ == "__main__":
    main()
