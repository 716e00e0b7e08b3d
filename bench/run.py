#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: MIT
"""Measure the core beside its peers: table, core.json and core.svg.

    bench/run.py BUILD [--rounds N]

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
import plot
import table
from programs import Built, Skipped


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", help="the build folder")
    parser.add_argument("--rounds", type=int, default=7)
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


def build_all(programs, build, skipped):
    """Those that can be built, in order."""
    ready = []
    for program in programs:
        progress(f"building {program.label}")
        try:
            ready.append(Built(program, os.path.join(build, "peers"),
                               os.path.join(os.path.abspath(build), "bench")))
        except Skipped as reason:
            skipped[program.label] = str(reason)
    return ready


def measure_all(ready, rounds, skipped):
    """{operation: {label: [ns of each round]}}"""
    found = {}
    for number in range(rounds):
        for program in list(ready):
            progress(f"round {number + 1} of {rounds}: {program.label}")
            try:
                measured = program.measure()
            except Skipped as reason:
                skipped[program.label] = str(reason)
                ready.remove(program)
                continue
            for operation, ns in measured.items():
                by = found.setdefault(operation, {})
                by.setdefault(program.label, []).append(ns)
    progress("")
    return found


def summary(rounds):
    return {"median": statistics.median(rounds), "min": min(rounds),
            "max": max(rounds), "rounds": rounds}


def describe(operation, found):
    return {
        "name": operation.name,
        "title": operation.title,
        "plotted": operation.plotted,
        "goals": {core.OURS: operation.goal,
                  core.OURS_BY_CALL: operation.goal_by_call},
        "by": {label: summary(rounds) for label, rounds in found.items()},
    }


def main():
    arguments = parse_arguments()
    skipped = {}
    ready = build_all(core.PROGRAMS, arguments.build, skipped)
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    found = measure_all(ready, arguments.rounds, skipped)
    results = {
        "unit": "ns",
        "rounds": arguments.rounds,
        "machine": {"cpu": cpu_name(), "kernel": platform.release()},
        "versions": {program.label: program.version for program in ready
                     if program.version},
        "skipped": skipped,
        "operations": [describe(operation, found[operation.name])
                       for operation in core.OPERATIONS
                       if operation.name in found],
    }
    with open(os.path.join(arguments.build, "core.json"), "w",
              encoding="utf-8") as file:
        json.dump(results, file, indent=1)
    with open(os.path.join(arguments.build, "core.svg"), "w",
              encoding="utf-8") as file:
        file.write(plot.draw(results, core.OURS))
    table.show(results, core.OURS)


if __name__ == "__main__":
    main()
