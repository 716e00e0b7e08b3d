# SPDX-License-Identifier: MIT
"""What is measured, and the programs that do: building those of the peers,
and running them all."""

import glob
import os
import shlex
import shutil
import subprocess
from dataclasses import dataclass, field
from typing import Optional, Union

HERE = os.path.dirname(os.path.abspath(__file__))
PEERS = os.path.join(HERE, "peers")
TESTS = os.path.join(os.path.dirname(HERE), "tests")
LONGEST_S = 120


class Skipped(Exception):
    """A program that cannot be measured here, and why."""


@dataclass
class Operation:
    """Something that is measured, with what it should take, in its unit.

    The goal is a number, or (label, times): so many times what the program of
    that label takes in the same run.
    """
    name: str
    title: str
    goal: Union[float, tuple, None] = None
    goal_by_call: Optional[float] = None
    plotted: bool = False
    unit: str = "ns"


@dataclass
class Suite:
    """Operations, the programs that measure them, and who is who in a plot:
    ours, and the bare parts `raw` that everybody's are made of."""
    name: str
    title: str
    ours: str
    raw: str
    raw_title: str
    operations: list
    programs: list


def _module_flags(module):
    done = subprocess.run(["pkg-config", "--cflags", "--libs", module],
                          capture_output=True, text=True, check=False)
    return shlex.split(done.stdout) if done.returncode == 0 else None


def _require(program):
    """The flags of its module; Skipped where something is not installed."""
    flags = _module_flags(program.module) if program.module else []
    if ((program.tool and shutil.which(program.tool) is None)
            or (program.file and not glob.glob(program.file))
            or flags is None):
        raise Skipped(f"not installed: {program.package}")
    return flags


def _command(command, programs, flags):
    words = []
    for word in command:
        if word == "{module}":
            words += flags
        else:
            words.append(word.replace("{programs}", programs)
                         .replace("{peers}", PEERS)
                         .replace("{tests}", TESTS))
    return words


class Built:
    """A program that is ready to run, in a folder of its own."""

    _folders = set()  # that have been built

    def __init__(self, program, folder, programs):
        name = program.folder or os.path.basename(program.run[0])
        self.label = program.label
        self.rounds = program.rounds
        self.folder = os.path.join(folder, name)
        self.version = None
        flags = _require(program)
        os.makedirs(self.folder, exist_ok=True)
        if self.folder not in Built._folders:
            for command in program.build:
                self._build(_command(command, programs, flags))
        Built._folders.add(self.folder)
        self.command = _command(program.run, programs, flags)

    def _build(self, command):
        done = subprocess.run(command, cwd=self.folder, capture_output=True,
                              text=True, check=False)
        if done.returncode != 0:
            said = (done.stderr or done.stdout).strip().splitlines()
            raise Skipped(f"did not build: {said[0] if said else command[0]}")

    def _run(self):
        name = " ".join([os.path.basename(self.command[0]),
                         *self.command[1:]])
        try:
            done = subprocess.run(self.command, cwd=self.folder, text=True,
                                  capture_output=True, timeout=LONGEST_S,
                                  check=False)
        except subprocess.TimeoutExpired:
            raise Skipped(f"{name} took over {LONGEST_S} s") from None
        if done.returncode != 0:
            raise Skipped(f"{name} failed with {done.returncode}: "
                          f"{done.stderr.strip()}")
        return done.stdout

    def measure(self):
        """Run once: what was measured, by label and name of the operation."""
        found = {}
        for line in self._run().splitlines():
            label, _, result = line.rpartition(": ")
            name, _, value = result.partition(" ")
            if name == "version":
                self.version = value
            else:
                found[label or self.label, name] = float(value)
        return found


@dataclass
class Program:
    """A program; what it needs besides a C compiler is a Debian package. It
    prints a line for each operation, "name value"; or "label: name value" if
    it measures a peer, too.

    In commands {programs} is where the build has put ours, {peers} the
    sources of the others, {tests} our tests, {module} what pkg-config says of the module.
    Programs of one folder are built together, by what the first of them says.
    """
    label: str
    run: list
    build: list = field(default_factory=list)
    folder: Optional[str] = None
    package: Optional[str] = None
    tool: Optional[str] = None
    module: Optional[str] = None
    file: Optional[str] = None
    rounds: Optional[int] = None  # at most; None: all

    def prepare(self, folder, programs):
        """Build it: what run.py measures; Skipped where it cannot be."""
        return Built(self, folder, programs)
