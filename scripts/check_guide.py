# SPDX-License-Identifier: MIT
"""Check docs/asyncio.md and docs/models.md: each row links a function that is
there and that, by itself or through others of its file, uses what the row names;
and each row of examples/asyncio/ and examples/models.c is linked."""
import glob
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
DOCS = os.path.join(ROOT, "docs")
# What the examples of a guide are, and how its tables begin.
GUIDES = {"asyncio.md": ("asyncio/*.c", ("| asyncio |", "| contextvars |")),
          "models.md": ("models.c", ("| SQL |", "| to |"))}

ROW = re.compile(r"^\| (.*) \| (.*) \| \[(\w+)\]\(([^)]*)\) \|$")
NAME = re.compile(r"\b(?:cx|CX)_\w+")
FUNCTION = re.compile(r"^static (?:inline )?[^;{}=]*?(\w+)\([^;{}]*\)\n\{\n"
                      r"(.*?)^\}", re.MULTILINE | re.DOTALL)


def functions_of(path):
    with open(path, encoding="ascii") as file:
        return dict(FUNCTION.findall(file.read()))


def reached(function, functions):
    """The text of a function and of all that it names, directly or not."""
    texts, left = {}, [function]
    while left:
        name = left.pop()
        if name in functions and name not in texts:
            texts[name] = functions[name]
            left += re.findall(r"\w+", functions[name])
    return "\n".join(texts.values())


def problems_of(line, linked):
    match = ROW.match(line)
    if match is None:
        yield "not a row with a link to a function at its end"
        return
    ours, function, link = match[2], match[3], match[4]
    path = os.path.normpath(os.path.join(DOCS, link))
    if not os.path.exists(path):
        yield f"no such file: {link}"
        return
    functions = functions_of(path)
    if function not in functions:
        yield f"{link} has no function {function}"
        return
    linked.add((path, function))
    text = reached(function, functions)
    for name in NAME.findall(ours):
        if re.search(rf"\b{name}\b", text) is None and name != "CX_VAR":
            yield f"{function} does not use {name}"


def check(guide, examples, heads):
    """(how many rows a guide has, what is wrong with it)"""
    problems, linked, rows = [], set(), 0
    with open(os.path.join(DOCS, guide), encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if line.startswith("| ") and not line.startswith(heads):
                rows += 1
                problems += [f"docs/{guide}:{number}: {problem}" for problem
                             in problems_of(line.rstrip("\n"), linked)]
    for path in sorted(glob.glob(os.path.join(ROOT, "examples", examples))):
        with open(path, encoding="ascii") as file:
            for function in re.findall(r"\bROW\((?!name)(\w+)\)", file.read()):
                if (path, function) not in linked:
                    problems.append(f"{os.path.basename(path)}: {function} is"
                                    " in no row of the guide")
    if rows == 0:
        problems.append(f"docs/{guide}: no rows")
    return rows, problems


def main():
    failed = False
    for guide, (examples, heads) in GUIDES.items():
        rows, problems = check(guide, examples, heads)
        for problem in problems:
            print(problem)
        print(f"{guide}: {rows} rows, {len(problems)} problems")
        failed |= bool(problems)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
