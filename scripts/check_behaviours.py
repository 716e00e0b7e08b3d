# SPDX-License-Identifier: MIT
"""Check that every behaviour of the catalogue has a test that names it, or is
an exception with a reason. A test names what it proves in the comment directly
above it, and its own name is the claim:

    /* Behaviours 14, 15. */
    static void a_reset_brings_the_value_before_back(void **state)

    python3 scripts/check_behaviours.py            # for `make check`
    python3 scripts/check_behaviours.py --table    # as Markdown
"""
import pathlib
import re
import sys

CHAPTERS = {
    1: "Variables, get, default",
    14: "Tokens and reset",
    33: "Contexts: copy, run, entry",
    61: "Lifetime",
    72: "Tasks and the event loop",
    102: "Threads and executors",
    113: "Flow, watchers, cancellation",
    127: "Process",
}
LAST = 133

EXCEPTIONS = {
    83: "tasks have no eager start: they begin at the creator's next wait",
    84: "tasks have no eager start: they begin at the creator's next wait",
    88: "tasks have no done callbacks: who wants the result awaits it",
    89: "tasks have no done callbacks: who wants the result awaits it",
    92: "reading is a call in the task: nothing captures its context",
    109: "a job is a function and an argument, and nothing to destroy",
    110: "executors have no hooks",
    112: "there is no executor of processes",
    122: "cancelling has no cause: a wait returns -ECANCELED or -ETIMEDOUT",
    123: "cancelling has no listeners: only waits end",
    125: "cancelling has no listeners: only waits end",
    133: "nothing lists the threads: a context is dumped by who has it",
}

# "Behaviour 14.", "Behaviours 14, 15: why.", or the numbers alone; then the
# head of the test.
TEST = re.compile(
    r"^/\* (?:Behaviours? )?(\d+(?:, \d+)*)(?:\.|:[^*]*)? \*/\n"
    r"(?:static\s+void\s+(\w+)\(\s*void \*\*state\)|TASK_TEST\((\w+)\))?",
    re.MULTILINE)


def tests(path, problems):
    """The (number, test) pairs of a file."""
    text = path.read_text()
    for match in TEST.finditer(text):
        name = match[2] or match[3]
        if name is None:
            problems.append(f"{path}: no test follows {match[0].strip()}")
            continue
        if len(re.findall(rf"\b{name}\b", text)) < 2:
            problems.append(f"{path}: {name} is not run")
        for number in match[1].split(", "):
            yield int(number), (path, name)


def behaviours(problems):
    """The tests of each behaviour, by number."""
    proofs = {number: [] for number in range(1, LAST + 1)}
    for folder in ("tests/core", "tests/task"):
        for path in sorted(pathlib.Path(folder).glob("*.c")):
            for number, test in tests(path, problems):
                if number in proofs:
                    proofs[number].append(test)
                else:
                    problems.append(f"{path}: there is no behaviour {number}")
    return proofs


def check(proofs, problems):
    for number, found in proofs.items():
        if not found and number not in EXCEPTIONS:
            problems.append(f"behaviour {number} has no test")
        if found and number in EXCEPTIONS:
            problems.append(f"behaviour {number} has a test: no exception")


def print_table(proofs):
    for number, found in proofs.items():
        if number in CHAPTERS:
            print(f"\n### {CHAPTERS[number]}\n\n| | proved by |\n|---|---|")
        names = "<br>".join(f"`{name}`" for path, name in found)
        print(f"| {number} | {names or 'none: ' + EXCEPTIONS.get(number, '')} |")


def main():
    problems = []
    proofs = behaviours(problems)
    check(proofs, problems)
    if "--table" in sys.argv[1:]:
        print_table(proofs)
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
