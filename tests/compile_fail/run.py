# SPDX-License-Identifier: MIT
"""run.py FILE: check that every CASE_ of a C file fails to compile.

The file without any case must compile without a word. With one case defined,
gcc and clang must each refuse it, with default warnings, with an error that
names a line of that case.
"""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
COMPILERS = ("gcc", "clang")


def compile_file(compiler, path, *flags):
    command = [compiler, "-std=c11", "-I", ROOT / "include", *flags,
               "-c", path, "-o", "/dev/null"]
    return subprocess.run(command, capture_output=True, text=True,
                          check=False)


def cases(text):
    """Yield (name, range of its lines)."""
    name = begin = None
    for number, line in enumerate(text.splitlines(), 1):
        found = re.match(r"#ifdef (CASE_\w+)$", line)
        if found:
            name, begin = found[1], number
        elif line.startswith("#endif") and name:
            yield name, range(begin, number)
            name = None


def refusal_problem(compiler, path, name, lines):
    result = compile_file(compiler, path, "-D" + name)
    if result.returncode == 0:
        return "compiles"
    if "error:" not in result.stderr:
        return "fails without an error:\n" + result.stderr
    named = re.findall(rf"{re.escape(path.name)}:(\d+)", result.stderr)
    if not any(int(number) in lines for number in named):
        return "fails elsewhere:\n" + result.stderr
    return None


def problems(path):
    found = list(cases(path.read_text()))
    if not found:
        yield "no case in it"
    for compiler in COMPILERS:
        plain = compile_file(compiler, path)
        if plain.returncode != 0 or plain.stderr:
            yield f"{compiler}: without any case:\n{plain.stderr}"
            continue
        for name, lines in found:
            problem = refusal_problem(compiler, path, name, lines)
            if problem:
                yield f"{compiler}: {name} {problem}"


def main():
    path = pathlib.Path(sys.argv[1])
    count = 0
    for problem in problems(path):
        print(f"{path.name}: {problem}")
        count += 1
    sys.exit(1 if count else 0)


if __name__ == "__main__":
    main()
