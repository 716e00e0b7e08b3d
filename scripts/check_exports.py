# SPDX-License-Identifier: MIT
"""check_exports.py LIBRARY LIST [--write]: compare what a shared library
exports with the list that is committed, or write that list."""
import difflib
import pathlib
import subprocess
import sys


def exported(library):
    out = subprocess.run(["nm", "-D", "--defined-only", library], check=True,
                         stdout=subprocess.PIPE, text=True).stdout
    return sorted(line.split()[-1].split("@")[0] for line in out.splitlines())


def main():
    names = exported(sys.argv[1])
    path = pathlib.Path(sys.argv[2])
    if "--write" in sys.argv[3:]:
        path.write_text("".join(name + "\n" for name in names))
        return
    listed = path.read_text().splitlines() if path.exists() else []
    difference = list(
        difflib.unified_diff(listed, names, str(path), sys.argv[1], n=0,
                             lineterm=""))
    if difference:
        print("\n".join(difference))
        print("If this is meant: scripts/check_exports.py "
              f"{sys.argv[1]} {path} --write")
        sys.exit(1)


if __name__ == "__main__":
    main()
