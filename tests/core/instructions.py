#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: MIT
"""instructions.py PREFIX [--record]: the hot paths are as short as they were.

Counts the instructions of each operation with callgrind, in programs that
link the library installed under PREFIX, and compares with what is recorded in
instructions/bounds.txt: more than 5 % above it fails. --record writes there
what was counted, for a change that is worth what it costs or that saves.
"""
import argparse
import concurrent.futures
import os
import pathlib
import platform
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent / "instructions"
BOUNDS = HERE / "bounds.txt"
TIMES = 10_000
SLACK = 1.05
SKIPPED = 77


def build(prefix, folder):
    """Both drivers, as a program of a user would be built."""
    environment = dict(os.environ, PKG_CONFIG_PATH=f"{prefix}/lib/pkgconfig")
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "ctxvar"],
                           env=environment, check=True, capture_output=True,
                           text=True).stdout.split()
    for name, more in ("inline", []), ("call", ["-DCX_MIGRATING"]):
        subprocess.run(["gcc", "-O2", "-std=c11", "-Wall", "-Wextra",
                        "-Werror", *more, "-o", f"{folder}/{name}",
                        HERE / "driver.c", *flags,
                        f"-Wl,-rpath,{prefix}/lib"], check=True)


def collected(program, operation, times):
    """The instructions of a whole run."""
    done = subprocess.run(
        ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null",
         program, operation, str(times)],
        capture_output=True, text=True, check=True)
    return int(re.search(r"Collected : (\d+)", done.stderr)[1])


def count(folder, name):
    """The instructions of one operation and of one round of its loop."""
    operation, _, form = name.partition(":")
    program = f"{folder}/{form or 'inline'}"
    more = collected(program, operation, 2 * TIMES)
    return round((more - collected(program, operation, TIMES)) / TIMES, 1)


def recorded():
    """{operation: instructions}"""
    lines = [line.split() for line in BOUNDS.read_text().splitlines()
             if line and not line.startswith("#")]
    return {name: float(instructions) for name, instructions in lines}


def record(counts):
    """Write them down under the words that are there."""
    head = [line for line in BOUNDS.read_text().splitlines()
            if line.startswith("#")]
    rows = [f"{name:18}{counts[name]:g}" for name in counts]
    BOUNDS.write_text("\n".join(head + rows) + "\n")


def compare(bounds, counts):
    """Print each; the number of those that have become longer."""
    longer = 0
    for name, bound in bounds.items():
        too_long = counts[name] > bound * SLACK
        longer += too_long
        print(f"{name:18}{counts[name]:8g}  recorded {bound:g}"
              f"{'  TOO LONG' if too_long else ''}")
    return longer


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("prefix", type=pathlib.Path)
    parser.add_argument("--record", action="store_true")
    arguments = parser.parse_args()
    if shutil.which("valgrind") is None:
        print("skipped: valgrind is not installed")
        return SKIPPED
    if platform.machine() != "x86_64":
        print("skipped: the counts are those of x86-64")
        return SKIPPED
    bounds = recorded()
    with tempfile.TemporaryDirectory() as folder, \
            concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        build(arguments.prefix.resolve(), folder)
        counted = pool.map(lambda name: count(folder, name), bounds)
        counts = dict(zip(bounds, counted))
    if arguments.record:
        record(counts)
        return 0
    return 1 if compare(bounds, counts) else 0


if __name__ == "__main__":
    sys.exit(main())
