# SPDX-License-Identifier: MIT
"""The notes service under wrk, 100 tenants at once, on each engine: how fast
it answers, and whether any answer has another tenant's note.

The service, its database's server and wrk share what processors there are.
"""

import http.client
import json
import os
import re
import shutil
import subprocess
import tempfile

from load import CPUS, Running, found, free_port
from programs import Operation, Skipped

HERE = os.path.dirname(os.path.abspath(__file__))
SCRIPT = os.path.join(HERE, "notes.lua")
WITH_POSTGRES = os.path.join(os.path.dirname(HERE), "tests", "sql",
                             "with_postgres")
TENANTS = [f"tenant{number}" for number in range(100)]
NOTES = 10
CONNECTIONS = 16
LOAD_S = 5
CHECK_AT_LEAST = 100000

OPERATIONS = [
    Operation("notes/rate", "notes service, 100 tenants: requests a second; "
              "more is better", unit=""),
    Operation("notes/p50", "time of an answer, median", unit="us"),
    Operation("notes/p99", "time of an answer, 99 of 100", unit="us"),
    Operation("notes/checked", "answers whose notes were looked at", unit=""),
    Operation("notes/wrong", "those with another tenant's, or none", unit=""),
]


def _everywhere(*command):
    """Not on the one processor that all else is measured on."""
    return ["taskset", "-c", ",".join(map(str, CPUS)), *command]


def _fill(port):
    service = http.client.HTTPConnection("127.0.0.1", port)
    for tenant in TENANTS * NOTES:
        service.request("POST", "/notes", json.dumps({"title": tenant,
                                                      "text": ""}),
                        {"X-Tenant": tenant})
        if service.getresponse().read() == b"":
            raise Skipped("a note was not taken")
    service.close()


def _wrk(port):
    done = subprocess.run(
        _everywhere("wrk", f"-t{CONNECTIONS}", f"-c{CONNECTIONS}",
                    f"-d{LOAD_S}s", "-s", SCRIPT, f"http://127.0.0.1:{port}/"),
        capture_output=True, text=True, timeout=LOAD_S + 60, check=False)
    if done.returncode != 0:
        raise Skipped(f"wrk failed with {done.returncode}: {done.stderr}")
    if re.search("Socket errors", done.stdout):
        raise Skipped("errors under load")
    return done.stdout


class _Ready:
    version = None

    def __init__(self, notes, programs):
        self.label, self.rounds = notes.label, notes.rounds
        self.engine = notes.engine
        self.program = os.path.join(programs, "notes")
        for needed in ("wrk", "taskset", self.program):
            if shutil.which(needed) is None:
                raise Skipped(f"not installed: {os.path.basename(needed)}")

    def _command(self, folder, port):
        run = f'exec "$@" "$CTXVAR_POSTGRES" {port} {" ".join(TENANTS)}'
        if self.engine == "postgres":
            return _everywhere(WITH_POSTGRES, "sh", "-c", run, "notes",
                               self.program)
        return _everywhere(self.program, f"sqlite:{folder}/db", str(port),
                           *TENANTS)

    def measure(self):
        """How fast it is; and loaded again until enough was looked at."""
        port = free_port()
        with tempfile.TemporaryDirectory() as folder, \
                Running(self._command(folder, port), folder, port):
            _fill(port)
            first = said = _wrk(port)
            checked = found(r"checked (\d+)", said)
            wrong = found(r"wrong (\d+)", said)
            while checked < CHECK_AT_LEAST:
                said = _wrk(port)
                checked += found(r"checked (\d+)", said)
                wrong += found(r"wrong (\d+)", said)
        return {
            (self.label, "notes/rate"): found(r"Requests/sec:\s+([\d.]+)",
                                              first),
            (self.label, "notes/p50"): found(r"p50 (\d+)", first),
            (self.label, "notes/p99"): found(r"p99 (\d+)", first),
            (self.label, "notes/checked"): checked,
            (self.label, "notes/wrong"): wrong,
        }


class Notes:
    """The service on one engine, for run.py as a Program is."""
    rounds = 1

    def __init__(self, label, engine):
        self.label, self.engine = label, engine

    def prepare(self, _, programs):
        return _Ready(self, programs)
