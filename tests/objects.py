#!/usr/bin/env python3
"""Built objects beside eval, bit for bit: objects.py GRADUS

Every formula is built as a shared library for this CPU and for x86-64-v3, and called at sizes that are no multiples of
anything, empty ones among them; loss and gradient must have the bits of `eval` with 1, 2 and 3 threads.
The last line reads: N passed, N failed
"""
import ctypes
import json
import pathlib
import struct
import subprocess
import sys
import tempfile

gradus = sys.argv[1]
SIZES = [(0, 3), (1, 1), (7, 0), (9, 17), (1023, 31), (4097, 30)]
LOGISTIC = """data  X[n, d], y[n]
param w[d], b
const lambda = 0.1
z    = X @ w + b
loss = mean(softplus(z) - y*z) + lambda/2 * ||w||^2
"""
# name, program, inputs in order of declaration (name, its sizes or the value of a const), inputs with a gradient
SUM = LOGISTIC.replace("mean(", "sum(")
CLASSES = """data  X[n, d]
data  c[n] : index(k)
param W[d, k]
dim k = 3
loss = sum[i](logsumexp[j](X[i] @ W[:, j])) - sum[i](X[i] @ W[:, c[i]]) + sum(tanh(W)^2)
"""
FORMULAS = [
    ("logistic", LOGISTIC, [("X", "nd"), ("y", "n"), ("w", "d"), ("b", ""), ("lambda", 0.1)], ["w", "b"]),
    ("logistic_sum", SUM, [("X", "nd"), ("y", "n"), ("w", "d"), ("b", ""), ("lambda", 0.1)], ["w", "b"]),
    ("classes", CLASSES, [("X", "nd"), ("c", "n"), ("W", "dk")], ["W"]),
]


class Numbers:
    """Values that need every bit, from a fixed sequence."""

    def __init__(self):
        self.state = 12345

    def next(self):
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) % 2**64
        return (self.state >> 11) / 2**52 - 1


def bits(values):
    return [struct.pack("<d", v) for v in values]


def flat(value):
    return [x for v in value for x in flat(v)] if isinstance(value, list) else [float(value)]


def npy(path, shape, values, code):
    header = "{'descr': '<%s8', 'fortran_order': False, 'shape': (%s), }" % (code, "".join(f"{s}," for s in shape))
    header += " " * (-(len(header) + 11) % 64) + "\n"
    with open(path, "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode())
        file.write(struct.pack(f"<{len(values)}{'d' if code == 'f' else 'q'}", *values))


def make_inputs(inputs, sizes):
    numbers, out = Numbers(), []
    for name, form in inputs:
        if isinstance(form, float):
            out.append((name, [], [form]))
            continue
        shape = [sizes[s] for s in form]
        count = 1
        for s in shape:
            count *= s
        values = [numbers.next() for _ in range(count)]
        if name == "y":
            values = [float(v > 0) for v in values]
        if name == "c":
            values = [int((v + 1) * 1.5) for v in values]
        out.append((name, shape, values))
    return out


def call(library, name, sizes, inputs, wanted):
    """The code, and [loss, gradient…] of a built formula."""
    arguments = [ctypes.c_int64(s) for s in sizes]
    for key, shape, values in inputs:
        if not shape:
            arguments.append(ctypes.c_double(values[0]))
        elif key == "c":
            arguments.append((ctypes.c_int64 * max(1, len(values)))(*values))
        else:
            arguments.append((ctypes.c_double * max(1, len(values)))(*values))
    counts = [1] + [len(v) for k, _, v in inputs if k in wanted]
    outputs = [(ctypes.c_double * max(1, n))(*[-7.0] * n) for n in counts]
    workspace = getattr(library, name + "_workspace")
    workspace.restype = ctypes.c_size_t
    memory = (ctypes.c_double * (workspace(*[ctypes.c_int64(s) for s in sizes]) // 8 + 1))()
    code = getattr(library, name + "_grad")(*arguments, *outputs, memory)
    return code, [v for o, n in zip(outputs, counts) for v in list(o)[:n]]


def evaluate(path, folder, inputs, sizes, wanted, threads):
    words = [gradus, "eval", str(path), "--grad", "--json", "--threads", str(threads)]
    for key, shape, values in inputs:
        if shape:
            npy(folder / f"{key}.npy", shape, values, "i" if key == "c" else "f")
            words.append(f"{key}=@{folder / key}.npy")
        else:
            words.append(f"{key}={values[0]!r}")
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode:
        return None
    result = json.loads(done.stdout)
    return flat(result["loss"]) + [v for key in wanted for v in flat(result["grad"][key])]


def main():
    passed = failed = 0

    def check(what, good):
        nonlocal passed, failed
        passed, failed = passed + bool(good), failed + (not good)
        if not good:
            print("FAIL:", what)

    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for formula, text, declared, wanted in FORMULAS:
            path = folder / f"{formula}.loss"
            path.write_text(text)
            libraries = {}
            for cpu in ("native", "x86-64-v3"):
                out = folder / cpu / formula
                built = subprocess.run([gradus, "build", str(path), "-o", str(out), "--emit", "shared", "--cpu", cpu])
                check(f"{formula} builds for {cpu}", built.returncode == 0)
                if built.returncode == 0:
                    libraries[cpu] = ctypes.CDLL(str(folder / cpu / f"lib{formula}.so"))
            for n, d in SIZES:
                sizes = {"n": n, "d": d, "k": 3}
                given = [n, d, 3] if formula == "classes" else [n, d]
                inputs = make_inputs(declared, sizes)
                values = {t: evaluate(path, folder, inputs, sizes, wanted, t) for t in (1, 2, 3)}
                for cpu, library in libraries.items():
                    code, got = call(library, formula, given, inputs, wanted)
                    what = f"{formula} at n={n}, d={d} on {cpu}"
                    if values[1] is None:
                        check(what + ": an error leaves outputs alone", code != 0 and all(v == -7.0 for v in got))
                        continue
                    check(f"{what}: code {code}", code == 0)
                    for threads, expected in values.items():
                        check(f"{what}: bits of eval with {threads} threads", bits(got) == bits(expected))
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed > 0 or passed == 0)


main()
