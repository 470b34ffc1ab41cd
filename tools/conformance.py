#!/usr/bin/env python3
"""README's conformance tables, made of what headers and tests say: "XEP-0166 §7.4", "RFC 4575 §4.4".

    tools/conformance.py            writes the tables between their markers in README.md
    tools/conformance.py --check    fails when a table there is not that table
    tools/conformance.py --root DIR

And the tables of what specifications say: of Coin's two, tests/coin/sentences.txt lists it, of extended presence's
four (XEP-xxxx is User Status) tests/mixer/presence_sentences.txt; a test says above itself what it shows, as
// XEP-0298 §5: "A mixer …". What nobody shows is an error, unless the list says why it is not done, and so is what
is not listed.

A row of the first is a header and a standard it names: the sections named right behind the standard's name, and, in a
header that names one standard only, any other. A test belongs to the row when it is named like the
header (coin/diff.h, tests/coin/diff_property_test.cc) or names one of those sections itself.
"""

import argparse
import collections
import pathlib
import re
import sys

BEGIN = "<!-- {}: begin (tools/conformance.py) -->"
END = "<!-- {}: end -->"
LISTS = {"sentences": "tests/coin/sentences.txt", "presence": "tests/mixer/presence_sentences.txt"}
SENTENCE = re.compile(r"((?:RFC|XEP)[ -](?:\d+|x{4}) §[\d.]+): (.+?)(?: — (not done: .+))?")
SHOWN = re.compile(r'// ((?:RFC|XEP)[ -](?:\d+|x{4}) §[\d.]+: )"(.+)"$')
TEST = re.compile(r"TEST(?:_F|_P)?\((\w+), (\w+)\)")
SECTION = r"§ ?([A-Z]?\d+(?:\.\d+)*)"
STANDARD = re.compile(rf"\b(RFC|XEP)[ -](\d{{3,5}})\b((?:[ ,;]|and|to|{SECTION}|–)*)")
OTHER = re.compile(r"\b[A-Z]{4,}(?= §)")  # a document with sections that is no standard
COMMENT = re.compile(r"(?://|^\s*#|/\*|\*)(.*)")
# They name standards to say where a word or a number comes from, not what is done here.
NO_CLAIMS = {"namespaces.h", "limits.h", "transport_limits.h", "shell_limits.h"}


def mentions(text):
    """{standard: set of sections} of what the comments of `text` name."""
    comments = " ".join(found.group(1).strip() for found in map(COMMENT.search, text.splitlines())
                        if found)
    named = collections.defaultdict(set)
    for kind, number, sections, _ in STANDARD.findall(comments):
        named[kind, int(number)].update(re.findall(SECTION, sections))
    if len(named) == 1 and not OTHER.search(comments):
        next(iter(named.values())).update(re.findall(SECTION, comments))
    return named


def name_of(standard):
    kind, number = standard
    if kind == "RFC":
        return f"[RFC {number}](https://www.rfc-editor.org/rfc/rfc{number})"
    return f"[XEP-{number:04}](https://xmpp.org/extensions/xep-{number:04}.html)"


def section_key(section):
    return [(not part.isdigit(), int(part) if part.isdigit() else 0, part)
            for part in re.findall(r"\d+|[A-Z]", section)]


def sections_of(sections):
    return ", ".join(f"§{section}" for section in sorted(sections, key=section_key))


def is_named_like(test, header):
    return (test.stem.startswith(header.stem + "_")
            and test.parts[0] == "_".join(header.parts[:-1]).removesuffix("_call"))


def table(root):
    test_files = {path: mentions(path.read_text(encoding="utf-8"))
                  for pattern in ("*_test.cc", "*_test.py", "*_fuzz.cc")
                  for path in sorted((root / "tests").rglob(pattern))
                  if path.name != "conformance_test.py"}
    rows = []
    for layer in ("coin", "signaling", "media", "mixer", "tools"):
        for header in sorted((root / layer).rglob("*.h")):
            if header.name in NO_CLAIMS:
                continue
            for standard, sections in mentions(header.read_text(encoding="utf-8")).items():
                checked = [test for test, named in test_files.items()
                           if is_named_like(test.relative_to(root / "tests"),
                                            header.relative_to(root))
                           or sections & named[standard]]
                rows.append((standard, header.relative_to(root), sections,
                             [test.relative_to(root / "tests") for test in checked]))
    # A standard named as a whole is a row only where no section of it is claimed anywhere.
    with_sections = {standard for standard, _, sections, _ in rows if sections}
    rows = [row for row in rows if row[2] or row[0] not in with_sections]
    lines = ["| standard | section | file | tests |", "|---|---|---|---|"]
    for standard, header, sections, checked in sorted(rows, key=lambda row: row[:2]):
        lines.append("| " + " | ".join([
            name_of(standard), sections_of(sections) or "–", f"`{header}`",
            ", ".join(f"`{name}`" for name in sorted(checked)) or "–"]) + " |")
    return "\n".join(lines)


def shown_sentences(root):
    """{sentence: [tests]} of what stands above tests; a SystemExit where no test follows."""
    shown = collections.defaultdict(list)
    for path in sorted((root / "tests").rglob("*_test.cc")):
        above = []
        for line in path.read_text(encoding="utf-8").splitlines():
            if found := SHOWN.match(line):
                above.append(found.group(1) + found.group(2))
            elif found := TEST.match(line):
                for sentence in above:
                    shown[sentence].append(".".join(found.groups()))
                above = []
            elif above and not line.startswith("//"):
                sys.exit(f"{path}: no test follows {above[0]}")
    return shown


def listed_sentences(root):
    """{name of a list: [(section, words, why it is not done)]}"""
    lists = {}
    for name, path in LISTS.items():
        lines = [line for line in (root / path).read_text(encoding="utf-8").splitlines()
                 if line and not line.startswith("#")]
        found = [SENTENCE.fullmatch(line) for line in lines]
        if None in found:
            sys.exit(f"{path}: not 'STANDARD §N: words': {lines[found.index(None)]}")
        lists[name] = [match.groups() for match in found]
    return lists


def sentences(root):
    """{name of a list: its table}"""
    lists, shown = listed_sentences(root), shown_sentences(root)
    listed = [f"{section}: {words}" for rows in lists.values() for section, words, _ in rows]
    wrong = [f"listed twice: {line}" for line in set(listed) if listed.count(line) > 1]
    wrong += [f"no test shows it: {section}: {words}" for rows in lists.values()
              for section, words, why in rows if f"{section}: {words}" not in shown and not why]
    wrong += [f"{tests[0]} shows what is not listed: {line}" for line, tests in shown.items()
              if line not in listed]
    if wrong:
        sys.exit("\n".join(wrong))
    tables = {}
    for name, rows in lists.items():
        lines = ["| section | says | shown by |", "|---|---|---|"]
        for section, words, why in rows:
            by = why or ", ".join(f"`{test}`" for test in shown[f"{section}: {words}"])
            section = section.replace("XEP-xxxx", "User Status")
            lines.append(f"| {section} | {words.replace('<', '&lt;')} | {by} |")
        tables[name] = "\n".join(lines)
    return tables


def replaced(text, name, table_text):
    begin, end = BEGIN.format(name), END.format(name)
    if text.count(begin) != 1 or text.count(end) != 1:
        sys.exit(f"README.md lacks the lines\n{begin}\n{end}")
    before, rest = text.split(begin)
    return f"{before}{begin}\n{table_text}\n{end}{rest.split(end)[1]}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--root", type=pathlib.Path,
                        default=pathlib.Path(__file__).resolve().parent.parent)
    arguments = parser.parse_args()
    readme = arguments.root / "README.md"
    text = readme.read_text(encoding="utf-8")
    wanted = replaced(text, "conformance", table(arguments.root))
    for name, rows in sentences(arguments.root).items():
        wanted = replaced(wanted, name, rows)
    if arguments.check:
        if wanted != text:
            sys.exit("README.md's conformance tables are stale: run tools/conformance.py")
    elif wanted != text:
        readme.write_text(wanted, encoding="utf-8")


if __name__ == "__main__":
    main()
