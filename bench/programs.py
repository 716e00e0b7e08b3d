# SPDX-License-Identifier: MIT
"""Programs that measure: building those of the peers, and running them all."""

import glob
import os
import shlex
import shutil
import subprocess
from dataclasses import dataclass, field
from typing import Optional

PEERS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "peers")


class Skipped(Exception):
    """A program that cannot be measured here, and why."""


@dataclass
class Operation:
    """Something that is measured, with the nanoseconds it should take."""
    name: str
    title: str
    goal: Optional[float] = None
    goal_by_call: Optional[float] = None
    plotted: bool = False


@dataclass
class Program:
    """A program; what it needs besides a C compiler is a Debian package.

    In commands {programs} is where the build has put ours, {peers} the
    sources of the others, {module} what pkg-config says of the module.
    """
    label: str
    run: list
    build: list = field(default_factory=list)
    package: Optional[str] = None
    tool: Optional[str] = None
    module: Optional[str] = None
    file: Optional[str] = None


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
                         .replace("{peers}", PEERS))
    return words


class Built:
    """A program that is ready to run, in a folder of its own."""

    def __init__(self, program, folder, programs):
        self.label = program.label
        self.folder = os.path.join(folder, program.run[0].split("/")[-1])
        self.version = None
        flags = _require(program)
        os.makedirs(self.folder, exist_ok=True)
        for command in program.build:
            self._build(_command(command, programs, flags))
        self.command = _command(program.run, programs, flags)

    def _build(self, command):
        done = subprocess.run(command, cwd=self.folder, capture_output=True,
                              text=True, check=False)
        if done.returncode != 0:
            said = (done.stderr or done.stdout).strip().splitlines()
            raise Skipped(f"did not build: {said[0] if said else command[0]}")

    def measure(self):
        """Run once: nanoseconds by the name of the operation."""
        done = subprocess.run(self.command, cwd=self.folder, text=True,
                              capture_output=True, check=False)
        if done.returncode != 0:
            raise Skipped(f"failed with {done.returncode}: "
                          f"{done.stderr.strip()}")
        found = {}
        for line in done.stdout.splitlines():
            name, _, value = line.partition(" ")
            if name == "version":
                self.version = value
            else:
                found[name] = float(value)
        return found
