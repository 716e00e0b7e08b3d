# SPDX-License-Identifier: MIT
"""HTTP servers under wrk, on the loopback device: what a request costs them,
and whether ours ever confuses two of them.

The server has the processor that everything is measured on, and wrk another
one, if there is. A single thread of wrk is no faster than the servers, so
that requests a second tell of wrk as well; the processor time does not.
"""

import os
import re
import shutil
import socket
import subprocess
import time

from programs import Skipped

SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "check.lua")
# Before run.py keeps to the last of them.
CPUS = sorted(os.sched_getaffinity(0))
CONNECTIONS = 64
LOAD_S = 3
CHECK_S = 5
CHECK_AT_LEAST = 100000
START_S = 10

NGINX = """\
daemon off;
worker_processes 1;
pid nginx.pid;
error_log stderr error;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    client_body_temp_path tmp;
    proxy_temp_path tmp;
    fastcgi_temp_path tmp;
    uwsgi_temp_path tmp;
    scgi_temp_path tmp;
    server {{
        listen 127.0.0.1:{port};
        location / {{
            add_header X-Request-Id $http_x_request_id;
            return 200 "";
        }}
    }}
}}
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait_for(port, process):
    """Until somebody listens there."""
    until = time.monotonic() + START_S
    while time.monotonic() < until and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.01)
    raise Skipped("did not start")


def _family(pid):
    """A process and its children: nginx works in one."""
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        return [pid, *map(int, file.read().split())]


def _cpu_us(pid):
    """What the processor has spent on a server so far, in user and system."""
    ticks = 0
    for each in _family(pid):
        with open(f"/proc/{each}/stat", encoding="ascii") as file:
            fields = file.read().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks * 1e6 / os.sysconf("SC_CLK_TCK")


def _wrk(port, seconds, *options):
    """What wrk says after so many seconds of load."""
    done = subprocess.run(
        ["taskset", "-c", str(CPUS[0]), "wrk", "-t1", f"-c{CONNECTIONS}",
         f"-d{seconds}s", *options, f"http://127.0.0.1:{port}/"],
        capture_output=True, text=True, timeout=seconds + 30, check=False)
    if done.returncode != 0:
        raise Skipped(f"wrk failed with {done.returncode}: {done.stderr}")
    if re.search("Socket errors|Non-2xx", done.stdout):
        raise Skipped("errors under load")
    return done.stdout


def found(pattern, text):
    return float(re.search(pattern, text).group(1))


class Running:
    """A server that runs in a `with` block; `said` after it."""

    def __init__(self, command, folder, port):
        self.command, self.folder, self.port = command, folder, port
        self.process, self.said = None, ""

    def __enter__(self):
        self.process = subprocess.Popen(
            self.command, cwd=self.folder, text=True, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL)
        try:
            _wait_for(self.port, self.process)
        except Skipped:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.said = self.process.communicate(timeout=START_S)[0]
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
            raise Skipped("did not end") from None


class _Ready:
    """A server that is there and can be started."""
    version = None

    def __init__(self, server, folder, programs):
        self.label = server.label
        self.rounds = server.rounds
        self.program = server.program.replace("{programs}", programs)
        self.folder = os.path.abspath(os.path.join(folder, "http"))
        for needed in ("wrk", "taskset", self.program):
            if shutil.which(needed) is None:
                raise Skipped(f"not installed: {os.path.basename(needed)}")
        os.makedirs(self.folder, exist_ok=True)

    def _start(self):
        port = free_port()
        command = [self.program, str(port)]
        if os.path.basename(self.program) == "nginx":
            config = os.path.join(self.folder, "nginx.conf")
            with open(config, "w", encoding="ascii") as file:
                file.write(NGINX.format(port=port))
            command = [self.program, "-p", self.folder, "-c", config]
        return Running(command, self.folder, port)


class _Loaded(_Ready):
    def measure(self):
        """What a request costs the server."""
        with self._start() as server:
            before = _cpu_us(server.process.pid)
            said = _wrk(server.port, LOAD_S, "-H", "X-Request-Id: abcdef")
            spent = _cpu_us(server.process.pid) - before
        return {
            (self.label, "http/rate"): found(r"Requests/sec:\s+([\d.]+)", said),
            (self.label, "http/cpu"): spent / found(r"(\d+) requests in", said),
        }


class _Checked(_Ready):
    def measure(self):
        """Does every answer have the id and the body of its request? Both
        the client and the server's own log say."""
        checked = wrong = 0
        with self._start() as server:
            while checked < CHECK_AT_LEAST:
                said = _wrk(server.port, CHECK_S, "-s", SCRIPT)
                checked += found(r"checked (\d+)", said)
                wrong += found(r"wrong (\d+)", said)
        wrong += found(r"(\d+) with another request's id", server.said)
        return {(self.label, "http/checked"): checked,
                (self.label, "http/wrong"): wrong}


class Server:
    """A server that is loaded, for run.py as a Program is."""

    def __init__(self, label, program, rounds=None, check=False):
        self.label, self.program, self.rounds = label, program, rounds
        self.check = check

    def prepare(self, folder, programs):
        ready = _Checked if self.check else _Loaded
        return ready(self, folder, programs)
