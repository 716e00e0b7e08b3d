# SPDX-License-Identifier: MIT
"""Print what the tests cover, and why the rest of the core is not.

    gcovr --json ... | python3 scripts/coverage.py

A branch of src/core/ that no test takes must be in tests/unreached.list, with
the reason; one that is not there, or an entry that fits no line, fails.
"""
import json
import pathlib
import sys

LIST = pathlib.Path("tests/unreached.list")
LAYERS = {
    "src/core": ("src/core/", "include/ctxvar/detail.h"),
    "src/task": ("src/task/", "src/platform/"),
    "src/sql": ("src/sql/", "include/ctxvar/data.h"),
}
STRICT = "src/core"


class Reason:
    """One entry of the list: why a line has branches that no test takes."""

    def __init__(self, entry):
        self.file, self.code, self.why = entry.split(" | ")
        self.lines = [number for number, line
                      in enumerate(source(self.file), 1) if self.code in line]

    def covers(self, file, number):
        return self.file == file and self.lines == [number]


def source(file):
    return pathlib.Path(file).read_text().splitlines()


def reasons():
    entries = [line for line in LIST.read_text().splitlines()
               if line and not line.startswith("#")]
    return [Reason(entry) for entry in entries]


def why(known, file, number):
    return next((reason.why for reason in known
                 if reason.covers(file, number)), None)


class Layer:
    """The counts of some files, and the lines with branches not taken."""

    def __init__(self, files):
        self.lines = [line for file in files for line in file["lines"]
                      if not line["gcovr/noncode"]]
        self.branches = [branch for line in self.lines
                         for branch in line["branches"]]
        self.missed = [(file["file"], line["line_number"])
                       for file in files for line in file["lines"]
                       if any(b["count"] == 0 for b in line["branches"])]

    def print(self, name):
        print(f"{name:<26}{share(self.lines)}{share(self.branches)}")


def share(counted):
    reached = sum(one["count"] > 0 for one in counted)
    percent = 100 * reached / len(counted) if counted else 100
    return f"{reached:>7} / {len(counted):<5}{percent:6.1f} %"


def print_missed(layer, known):
    """Each missed branch with its reason; how many have none."""
    unexplained = 0
    for file, number in layer.missed:
        reason = why(known, file, number)
        unexplained += reason is None
        print(f"  {file}:{number}: {reason or 'NOT EXPLAINED'}")
    return unexplained


def main():
    files = json.load(sys.stdin)["files"]
    known = reasons()
    failed = 0
    print(f"{'':<26}{'lines':>23}{'branches':>23}")
    for name, prefixes in LAYERS.items():
        its = [file for file in files if file["file"].startswith(prefixes)]
        for file in its:
            Layer([file]).print(file["file"])
        layer = Layer(its)
        layer.print(name)
        if name == STRICT:
            failed += print_missed(layer, known)
        print()
    for reason in known:
        if len(reason.lines) != 1:
            print(f"{LIST}: fits {len(reason.lines)} lines of {reason.file}: "
                  f"{reason.code}")
            failed += 1
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
