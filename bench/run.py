#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: MIT
"""Measure the core, the task runtime and models beside their peers: for each
a table, a .json and an .svg in the build folder.

    bench/run.py BUILD [--only core|task|models] [--rounds N]
                 [--million|--no-million]

BUILD is the build folder of the preset "bench". Everything runs on one CPU,
in rounds: each round runs every program once, each in a process of its own,
so that a machine that is slow for a while is so for all of them. A figure is
the median over the rounds of the medians that the processes tell.
"""

import argparse
import json
import os
import platform
import statistics
import sys

import core
import models
import plot
import table
import task
from programs import Skipped


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", help="the build folder")
    parser.add_argument("--only", choices=("core", "task", "models"))
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--million", action=argparse.BooleanOptionalAction,
                        default=task.has_memory_for_a_million(),
                        help="a million tasks too; the default if there is "
                        "the memory")
    return parser.parse_args()


def cpu_name():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        for line in file:
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.machine()


def progress(text):
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def build_all(suite, build, skipped):
    """Those that can be built, in order."""
    ready = []
    for program in suite.programs:
        progress(f"building {program.label}")
        try:
            ready.append(program.prepare(
                os.path.join(build, "peers"),
                os.path.join(os.path.abspath(build), "bench")))
        except Skipped as reason:
            skip(skipped, program, reason)
    return ready


def skip(skipped, program, reason):
    entry = {"label": program.label, "reason": str(reason)}
    if entry not in skipped:
        skipped.append(entry)


def measure_all(ready, rounds, skipped):
    """{operation: {label: [value of each round]}}"""
    found = {}
    for number in range(rounds):
        for program in [each for each in ready
                        if number < (each.rounds or rounds)]:
            progress(f"round {number + 1} of {rounds}: {program.label}")
            try:
                measured = program.measure()
            except Skipped as reason:
                skip(skipped, program, reason)
                ready.remove(program)
                continue
            for (label, operation), value in measured.items():
                by = found.setdefault(operation, {})
                by.setdefault(label, []).append(value)
    progress("")
    return found


def summary(rounds):
    return {"median": statistics.median(rounds), "min": min(rounds),
            "max": max(rounds), "rounds": rounds}


def goal_of(operation, by):
    """In the operation's unit; None: there is none in this run."""
    if not isinstance(operation.goal, tuple):
        return operation.goal
    label, times = operation.goal
    return by[label]["median"] * times if label in by else None


def describe(suite, operation, found):
    by = {label: summary(rounds) for label, rounds in found.items()}
    return {
        "name": operation.name,
        "title": operation.title,
        "unit": operation.unit,
        "plotted": operation.plotted,
        "goals": {suite.ours: goal_of(operation, by),
                  f"{suite.ours}, by call": operation.goal_by_call},
        "by": by,
    }


def measure(suite, ready, rounds, skipped):
    found = measure_all(ready, rounds, skipped)
    return {
        "rounds": rounds,
        "machine": {"cpu": cpu_name(), "kernel": platform.release()},
        "versions": {program.label: program.version for program in ready
                     if program.version},
        "skipped": skipped,
        "operations": [describe(suite, operation, found[operation.name])
                       for operation in suite.operations
                       if operation.name in found],
    }


def write(suite, results, build):
    path = os.path.join(build, suite.name)
    with open(f"{path}.json", "w", encoding="utf-8") as file:
        json.dump(results, file, indent=1)
    with open(f"{path}.svg", "w", encoding="utf-8") as file:
        file.write(plot.draw(suite, results))


def main():
    arguments = parse_arguments()
    suites = [suite for suite in (core.SUITE, task.suite(arguments.million),
                               models.SUITE)
              if arguments.only in (None, suite.name)]
    skipped = {suite.name: [] for suite in suites}
    ready = {suite.name: build_all(suite, arguments.build,
                                   skipped[suite.name]) for suite in suites}
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    for suite in suites:
        results = measure(suite, ready[suite.name], arguments.rounds,
                          skipped[suite.name])
        write(suite, results, arguments.build)
        table.show(results, suite.ours)


if __name__ == "__main__":
    main()
