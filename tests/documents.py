#!/usr/bin/env python3
"""Runs what the documentation shows: documents.py GRADUS DOCUMENT.md …

```loss           a program: `gradus check` must accept it; `<!-- file: NAME.loss -->` on the line before also saves it
```console        a session: lines after `$ ` are run in a folder that holds examples/ and the saved programs; what follows
                  is their exact output (stdout and stderr), where `…` stands for anything inside a line and a line `…` alone for any lines
The last line reads: N passed, N failed
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile


def pattern(expected):
    parts = []
    for line in expected.rstrip("\n").split("\n"):
        if line.strip() == "…":
            parts.append(r"(?:.*\n)*?")
        else:
            parts.append(r".*?".join(re.escape(p) for p in line.rstrip().split("…")) + r"[ ]*\n")
    return re.compile("".join(parts))


def blocks(text):
    """(language, saved name or None, line, body) of every fenced block."""
    name, inside, language, start, body = None, False, "", 0, []
    for number, line in enumerate(text.split("\n"), 1):
        if inside:
            if line.startswith("```"):
                yield language, name, start, "\n".join(body) + "\n"
                inside, name = False, None
            else:
                body.append(line)
        elif line.startswith("```"):
            inside, language, start, body = True, line[3:].strip(), number, []
        elif found := re.fullmatch(r"<!-- file: (\S+) -->", line):
            name = found.group(1)


def run(command, folder):
    env = dict(os.environ, LC_ALL="C.UTF-8")
    done = subprocess.run(["bash", "-c", command], cwd=folder, env=env, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120)
    return done.stdout.decode("utf-8", "replace")


def session(body):
    """(command, expected output) pairs."""
    steps = []
    for line in body.split("\n"):
        if line.startswith("$ "):
            steps.append([line[2:], ""])
        elif steps and steps[-1][0].endswith("\\"):
            steps[-1][0] += "\n" + line
        elif steps:
            steps[-1][1] += line + "\n"
    return [(c, e.rstrip("\n") + "\n" if e.strip() else "") for c, e in steps]


def main():
    gradus, documents = os.path.abspath(sys.argv[1]), sys.argv[2:]
    root = pathlib.Path(__file__).resolve().parent.parent
    passed = failed = 0
    for document in documents:
        with tempfile.TemporaryDirectory() as folder:
            os.symlink(root / "examples", pathlib.Path(folder) / "examples")
            os.makedirs(pathlib.Path(folder) / "bin")
            os.symlink(gradus, pathlib.Path(folder) / "bin" / "gradus")
            os.environ["PATH"] = f"{folder}/bin:" + os.environ["PATH"]
            for language, name, line, body in blocks(pathlib.Path(document).read_text(encoding="utf-8")):
                if language == "loss":
                    file = name or "block.loss"
                    (pathlib.Path(folder) / file).write_text(body, encoding="utf-8")
                    done = subprocess.run([gradus, "check", file], cwd=folder, capture_output=True, text=True)
                    if done.returncode == 0:
                        passed += 1
                    else:
                        failed += 1
                        print(f"{document}:{line}: this program is refused:\n{done.stderr}")
                elif language == "console":
                    for command, expected in session(body):
                        got = run(command, folder)
                        if pattern(expected).fullmatch(got if got.endswith("\n") or not got else got + "\n") or got == expected:
                            passed += 1
                        else:
                            failed += 1
                            print(f"{document}:{line}: $ {command}\n--- shown\n{expected}--- now\n{got}")
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed or not passed else 0)


if __name__ == "__main__":
    main()
