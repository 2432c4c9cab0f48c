#!/usr/bin/env python3
"""Writes frontend/unicode_tables.cpp from Python's Unicode data: scripts/unicode_tables.py > frontend/unicode_tables.cpp"""
import sys
import unicodedata

EVERY = range(0x80, 0x110000)


def ranges(test):
    out, begin = [], None
    for code in range(0x80, 0x110001):
        inside = code < 0x110000 and test(chr(code))
        if inside and begin is None:
            begin = code
        if not inside and begin is not None:
            out.append((begin, code - 1))
            begin = None
    return out


def table(kind, name, rows, form):
    print(f"const {kind} {name}[] = {{")
    line = "   "
    for row in rows:
        cell = " " + form(row) + ","
        if len(line) + len(cell) > 118:
            print(line)
            line = "   "
        line += cell
    print(line)
    print("};")
    print(f"const std::size_t {name}_count = {len(rows)};\n")


def pair(row):
    return f"{{{row[0]:#x}, {row[1]:#x}}}"


def decompositions():
    for code in EVERY:
        if 0xAC00 <= code <= 0xD7A3:
            continue
        text = unicodedata.decomposition(chr(code))
        if text and not text.startswith("<"):
            parts = [int(x, 16) for x in text.split()] + [0]
            composes = unicodedata.normalize("NFC", chr(code)) == chr(code)
            yield code, parts[0], parts[1], composes


def classes():
    out = []
    for code in EVERY:
        k = unicodedata.combining(chr(code))
        if k and out and out[-1][2] == k and out[-1][1] == code - 1:
            out[-1] = (out[-1][0], code, k)
        elif k:
            out.append((code, code, k))
    return out


print(f"""// Tables of Unicode {unicodedata.unidata_version}, written by scripts/unicode_tables.py: letters, marks, widths, compositions.
// clang-format off
#include "frontend/unicode_tables.hpp"

namespace gradus::unicode {{
""")
category = unicodedata.category
table("Range", "letters", ranges(lambda c: category(c)[0] == "L"), pair)
table("Range", "marks", ranges(lambda c: category(c)[0] == "M"), pair)
table("Range", "digits", ranges(lambda c: category(c) == "Nd"), pair)
table("Range", "invisible", ranges(lambda c: category(c) in ("Cc", "Cf", "Zl", "Zp", "Zs", "Cn", "Co", "Cs") or c in "\u115f\u1160\u3164\uffa0"), pair)
table("Range", "wide", ranges(lambda c: unicodedata.east_asian_width(c) in "WF" and category(c)[0] != "M"), pair)
table("CombiningClass", "combining_classes", classes(), lambda r: f"{{{r[0]:#x}, {r[1]:#x}, {r[2]}}}")
table("Decomposition", "decompositions", list(decompositions()),
      lambda r: f"{{{r[0]:#x}, {r[1]:#x}, {r[2]:#x}, {'true' if r[3] else 'false'}}}")
print("}  // namespace gradus::unicode")
sys.stdout.flush()
