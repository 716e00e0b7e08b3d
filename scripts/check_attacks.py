# SPDX-License-Identifier: MIT
"""Check that every attack of the catalogue has a test that names it, or is an
exception with a reason, that each such test ends by comparing the rows of two
tenants, and that docs/attacks.md tells which. A test names its attacks in the
comment directly above it, and its own name is the claim:

    /* S7. */
    ATTACK(no_other_file_can_be_attached)

    python3 scripts/check_attacks.py            # for `make check`
    python3 scripts/check_attacks.py --write    # docs/attacks.md anew
"""
import pathlib
import re
import sys

CATALOGUE = {
    "N": ("Names of tenants", {
        1: "a name that ends a statement", 2: "a name that ends a string",
        3: "a name that calls a function", 4: "a NUL in a name",
        5: "an empty name, spaces", 7: "long in bytes, short in characters",
        8: "not UTF-8, control characters, names that look alike",
        10: "words of PostgreSQL's", 11: "words of SQLite's", 12: "paths",
        13: "words, numbers, formats", 14: "a number as a name",
        15: "a name that is given again",
    }),
    "S": ("SQLite, by statements of tenant A's", {
        1: "no tenant in the context", 2: "another tenant's table by name",
        3: "FULL JOIN past the authorizer", 4: "a join as an oracle",
        5: "all clauses that name a table", 7: "ATTACH", 8: "VACUUM INTO",
        9: "PRAGMA", 10: "temporary tables that shadow", 11: "changes of tables",
        12: "the engine's own tables", 13: "REINDEX",
        14: "functions that do more than compute",
        16: "another tenant between prepare and step",
        17: "a cached statement", 19: "what was planted in a file",
        20: "statements without end, or too large",
        21: "a full disk, a lock, a damaged file",
        22: "two who create the same tenant",
        23: "fork, files that are mixed up, more tenants than files",
    }),
    "P": ("PostgreSQL, by statements of tenant A's", {
        1: "another role", 2: "another schema", 3: "a setting that is trusted",
        4: "transactions in raw SQL", 6: "DISCARD ALL, DEALLOCATE ALL",
        8: "new objects that shadow or serve", 10: "catalogues and statistics",
        11: "programs, files, other sessions", 12: "views and functions of the owner's",
        13: "TRUNCATE", 14: "keys as an oracle", 15: "an empty setting",
        16: "a role that may too much", 17: "settings that are rolled back",
        18: "one statement, two tenants", 19: "a plan made for another role",
        20: "a role that is gone", 21: "a pooler in between",
        22: "a statement that outlives its cancel",
        23: "its own role's password, settings and rights",
        24: "what all share: the database's row, the table of locks",
        25: "a copy of the database, which names the original's roles",
    }),
    "R": ("The runtime", {
        1: "child tasks", 2: "callbacks", 3: "executors",
        5: "another tenant within a transaction",
        6: "a lease in another tenant's task", 7: "a cancel at any point",
        8: "a cancel that comes late", 9: "the server goes away",
        11: "a tenant that takes all connections",
        12: "10,000 tasks of 1,000 tenants", 13: "work across tenants",
        15: "a cache without a tenant", 16: "a migration that fails",
    }),
}

PAGE = pathlib.Path("docs/attacks.md")

HEAD = """\
# Attacks, and the tests of each

What was tried to reach another tenant's rows, and what shows that it does not.
A test is `file: name`, in tests/sql/; those of a file that is not named after
an engine run on both. Its name says what it shows. Each has two tenants with a
hundred rows, and ends by reading all of them, each tenant's with a lease of its
own: every field is what it was.

This page is written by `python3 scripts/check_attacks.py --write`.
"""

ROW_MODE = "rows of several tenants in one table are not built"

EXCEPTIONS = {
    "P3": ROW_MODE,
    "P14": ROW_MODE,
    "P15": ROW_MODE,
    "P17": "nothing is remembered of what a session has set",
    "P19": "a connection is logged in as one role for its life",
    "P20": "logins that are shared are not built",
    "R6": "a lease is never in a program's hands",
    "R13": "no handle is for all tenants: cx_tenant_each() gives one by one",
    "R15": "there is no cache",
}

# "S7.", "P8, P13: why."; then the head of the test.
TEST = re.compile(
    r"^/\* ([NSPR]\d+(?:, [NSPR]\d+)*)(?:\.|[:,](?:[^*]|\*(?!/))*)\s\*/\n"
    r"(?:static\s+void\s+(\w+)\(\s*void \*\*state\)|[A-Z_]+TEST\((\w+)\)|"
    r"ATTACK\((\w+)\))?", re.MULTILINE)

# A function and what it does.
FUNCTION = re.compile(r"^static[^;{}]*?\b(\w+)\([^;{}]*\)\n\{(.*?)^\}",
                      re.MULTILINE | re.DOTALL)

HEADERS = "".join(path.read_text()
                  for path in sorted(pathlib.Path("tests/sql").glob("*.h")))


def comparing(text):
    """What finds a function or a test of a file that compares the rows of both
    tenants: two_check() is called by it, or by what it calls."""
    names = {"two_check"}
    functions = FUNCTION.findall(HEADERS + text)
    while True:
        calls = re.compile(rf"\b({'|'.join(names)})\(")
        found = {name for name, body in functions if calls.search(body)}
        if found <= names:
            return re.compile(rf"^(ATTACK|TWO_TEST)\(|\b({'|'.join(names)})\b",
                              re.MULTILINE)
        names |= found


def tests(path, problems):
    """The (number, test) pairs of a file, tests as the page has them."""
    text = path.read_text()
    compares = comparing(text)
    for match in TEST.finditer(text):
        name = match[2] or match[3] or match[4]
        if name is None:
            problems.append(f"{path}: no test follows {match[0].strip()}")
            continue
        if len(re.findall(rf"\b{name}\b", text)) < 2:
            problems.append(f"{path}: {name} is not run")
        whole = text[match.start():text.index("\n}\n", match.end())]
        if not compares.search(whole):
            problems.append(f"{path}: {name} does not end with two_check()")
        for number in match[1].split(", "):
            yield number, f"`{path.stem}: {name}`"


def attacks(problems):
    """The tests of each attack, by number."""
    proofs = {f"{letter}{number}": []
              for letter, (_, titles) in CATALOGUE.items()
              for number in titles}
    for path in sorted(pathlib.Path("tests/sql").glob("*.c")):
        for number, test in tests(path, problems):
            if number in proofs:
                proofs[number].append(test)
            else:
                problems.append(f"{path}: there is no attack {number}")
    return proofs


def check(proofs, problems):
    for number, found in proofs.items():
        if not found and number not in EXCEPTIONS:
            problems.append(f"attack {number} has no test")
        if found and number in EXCEPTIONS:
            problems.append(f"attack {number} has a test: no exception")


def page(proofs):
    lines = [HEAD]
    for letter, (chapter, titles) in CATALOGUE.items():
        lines.append(f"## {chapter}\n\n| | attack | shown by |\n|---|---|---|")
        for number, title in titles.items():
            key = f"{letter}{number}"
            names = "<br>".join(proofs[key])
            lines.append(f"| {key} | {title} | "
                         f"{names or 'none: ' + EXCEPTIONS.get(key, '')} |")
        lines.append("")
    return "\n".join(lines)


def main():
    problems = []
    proofs = attacks(problems)
    check(proofs, problems)
    if "--write" in sys.argv[1:]:
        PAGE.write_text(page(proofs))
    elif not PAGE.exists() or PAGE.read_text() != page(proofs):
        problems.append(f"{PAGE} is not up to date: {sys.argv[0]} --write")
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
