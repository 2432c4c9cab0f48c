#!/usr/bin/env python3
"""The examples of errors in tests/errors: runs them, records what they print, and writes docs/errors.md from the record.

usage: errors.py GRADUS            what is printed is what is recorded,
                                   docs/errors.md is made of the record, and every message of the sources occurs in it
                                   or stands in tests/errors/not_shown (--missing lists those that do neither).
                                   The last line reads: N passed, N failed
       errors.py GRADUS --update   records anew and writes docs/errors.md

tests/errors/SECTION.txt holds cases separated by lines %%: a line `$ gradus COMMAND f.loss …` (left out: check), the
program f.loss, a line -->, and what is printed to stderr. Lines before the first case are the section's heading and text.
What prints nothing is legal and stays so; the page leaves it out. Data files lie in tests/errors/data."""
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDER = ROOT / "tests" / "errors"
PAGE = ROOT / "docs" / "errors.md"
ORDER = ["letters", "syntax", "declarations", "names", "shapes", "functions", "index", "data", "command_line", "limits"]
SOURCES = ["frontend/*.cpp", "symbolic/elaborate.cpp", "symbolic/elaborate/*.cpp", "runtime/*.cpp", "cli/*.cpp"]

NOT_SHOWN = FOLDER / "not_shown"  # a message a line, under comments that say why none of its kind has an example


class Case:
    def __init__(self, text):
        head, _, recorded = (text.rstrip("\n") + "\n").partition("\n-->\n")
        self.recorded = recorded.strip("\n")
        lines = head.strip("\n").split("\n")
        self.command = lines.pop(0) if lines and lines[0].startswith("$ ") else None
        self.program = "\n".join(lines)

    def run(self, gradus, folder):
        (folder / "f.loss").write_text(self.program + "\n", encoding="utf-8")
        words = shlex.split(self.command[2:])[1:] if self.command else ["check", "f.loss"]
        try:
            done = subprocess.run([gradus, *words], capture_output=True, cwd=folder, stdin=subprocess.DEVNULL, timeout=20)
        except subprocess.TimeoutExpired:
            return "no answer in 20 s"
        if done.returncode not in (0, 1, 2, 3):
            return f"status {done.returncode}"
        return done.stderr.decode("utf-8", "replace").strip("\n")

    def text(self):
        parts = ([self.command] if self.command else []) + ([self.program] if self.program else [])
        return "\n".join(parts + ["-->", self.recorded]) + "\n"

    def markdown(self):
        shown = "\n".join(([self.command] if self.command else []) + ([self.program] if self.program else []))
        return f"```\n{shown}\n```\n```text\n{self.recorded}\n```\n"


class Section:
    def __init__(self, name):
        self.path = FOLDER / f"{name}.txt"
        self.head, *cases = self.path.read_text(encoding="utf-8").split("\n%%\n")
        self.cases = [Case(one) for one in cases]

    def text(self):
        return "\n%%\n".join([self.head.rstrip("\n")] + [c.text().rstrip("\n") for c in self.cases]) + "\n"

    def markdown(self):
        return "\n".join([self.head.strip("\n") + "\n"] + [c.markdown() for c in self.cases if c.recorded])


def page(sections):
    head = (
        "# Errors and warnings\n\nWhat Gradus says about wrong programs, data and command lines, by example. Generated from"
        " `tests/errors` by\n`scripts/errors.py`; a test runs every example. `gradus check f.loss` where no command is"
        " shown.\n\n"
    )
    return head + "\n".join(s.markdown() for s in sections)


def literals(text):
    """The string literals of C++ source, adjacent ones joined; comments and #include lines are left out."""
    text = re.sub(r"^\s*#.*$", "", text, flags=re.M)
    text = re.sub(r"//[^\n\"]*$", "", text, flags=re.M)
    string = r'"(?:[^"\\\n]|\\.)*"'
    for found in re.finditer(rf"{string}(?:\s*{string})*", text):
        before = text[max(0, found.start() - 200):found.start()]
        if re.search(r"add_(option|flag|subcommand)[^;]*$", before):
            continue
        yield "".join(re.findall(r'"((?:[^"\\\n]|\\.)*)"', found.group(0)))


def messages():
    """The longest fixed part of every message of the sources: of at least three words."""
    out = {}
    for pattern in SOURCES:
        for path in sorted(ROOT.glob(pattern)):
            for literal in literals(path.read_text(encoding="utf-8")):
                literal = literal.replace("\\n", "\n").replace('\\"', '"').replace("\\\\", "\\")
                literal = literal.replace("{{", "\0").replace("}}", "\1")
                parts = [p.replace("\0", "{").replace("\1", "}").strip() for p in re.split(r"\{[^}]*\}|\n", literal)]
                part = max(parts, key=len)
                formula = re.search(r"[@$][0-9]", part)  # of a function of another language
                if len(re.findall(r"[A-Za-z]+", part)) >= 3 and " " in part and not formula:
                    out.setdefault(part, path.relative_to(ROOT))
    return out


def main():
    gradus = pathlib.Path(sys.argv[1]).resolve()
    update = "--update" in sys.argv[2:]
    sections = [Section(name) for name in ORDER]
    passed = failed = 0
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for file in (FOLDER / "data").glob("*"):
            shutil.copy(file, folder)
        for section in sections:
            for case in section.cases:
                printed = case.run(gradus, folder)
                if update:
                    case.recorded = printed
                elif printed != case.recorded:
                    failed += 1
                    print(f"differs: {section.path.name}: {case.command or ''}\n{case.program}\n--- recorded\n{case.recorded}\n--- printed\n{printed}")
                else:
                    passed += 1
    if update:
        for section in sections:
            section.path.write_text(section.text(), encoding="utf-8")
        PAGE.write_text(page(sections), encoding="utf-8")
    current = PAGE.exists() and PAGE.read_text(encoding="utf-8") == page(sections)
    if not current:
        print("FAIL docs/errors.md is not current: run scripts/errors.py build/gradus --update")
    shown = "\n".join(c.recorded for s in sections for c in s.cases)
    squeezed = re.sub(r"\s+", " ", shown)
    known = messages()
    absent = {part for part in known if re.sub(r"\s+", " ", part) not in squeezed}
    lines = NOT_SHOWN.read_text(encoding="utf-8").split("\n")
    excused = {line.strip() for line in lines if line.strip() and not line.startswith("# ")}
    missing, stale = sorted(absent - excused), sorted(excused - absent)
    for part in missing:
        print(f"no example shows the message of {known[part]}: {part}")
    for part in stale:
        print(f"in tests/errors/not_shown, but shown or gone: {part}")
    print(f"{len(known) - len(absent)} of {len(known)} messages occur, {len(absent & excused)} have no example and a reason")
    failed += (not current) + len(missing) + len(stale)
    passed += current
    print(f"{passed} passed, {failed} failed")
    return failed > 0


sys.exit(main())
