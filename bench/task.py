# SPDX-License-Identifier: MIT
"""What is measured of the task runtime, by which programs, and what it should
take: as core.py does for the core.

Everything has one processor, pools of threads too, so that a round trip is
what the switches between threads cost, and not how long an idle processor
takes to wake.
"""

import os

from core import CC, TOKIO
from load import Server
from programs import Operation, Program, Suite

OURS = "ctxvar"
UV = "libuv alone"

# A million tasks of ours take some 5 GiB.
MILLION_BYTES = 15 << 30


def _sleepers(count, goal, goal_memory, plotted=False):
    return [
        Operation(f"sleepers/{count}", f"{count:,} tasks bind a variable, "
                  "sleep 1 s, read it back: time over the 1 s", goal=goal,
                  plotted=plotted, unit="s"),
        Operation(f"memory/{count}", f"memory of {count:,} such tasks, each",
                  goal=goal_memory, unit="KiB"),
    ]


OPERATIONS = [
    Operation("yield", "yield, two tasks, there and back", goal=35,
              plotted=True),
    Operation("apart", "the same, each in a function of its own"),
    Operation("await", "create and await a task", goal=60, plotted=True),
    Operation("group", "a group of 1,000 tasks", plotted=True),
    Operation("queue", "an item to another task by a queue, and one back",
              plotted=True),
    Operation("executor/1", "a job on an executor of one thread, and back",
              goal=(UV, 1.1), plotted=True),
    Operation("executor/64", "the same, 64 in flight, each", goal=1200,
              plotted=True),
    Operation("pool/1", "a job on the default pool, and back",
              goal=(UV, 1.1)),
    Operation("pool/64", "the same, 64 in flight, each", goal=1200),
    Operation("sleep/100", "sleep, 1,100 tasks asleep, processor time",
              plotted=True),
    Operation("sleep/100000", "sleep, 101,000 tasks asleep, processor time",
              plotted=True),
    Operation("timer/100", "one of 100 timers is set anew, without a switch",
              goal=(UV, 1 / 3), plotted=True),
    Operation("timer/100000", "one of 100,000 timers is set anew",
              goal=(UV, 1 / 10), plotted=True),
    *_sleepers(10000, None, 4.5),
    *_sleepers(100000, 0.45, 4.5, plotted=True),
    *_sleepers(1000000, 5, 4.5),
    Operation("http/cpu", "an HTTP request, processor time of the server",
              plotted=True, unit="us"),
    Operation("http/rate", "HTTP requests a second; more is better, and the "
              "client is at its limit too", unit=""),
    Operation("http/checked", "HTTP answers whose id and body were compared",
              unit=""),
    Operation("http/wrong", "those with another request's id", goal=0,
              unit=""),
]

ST = {
    "folder": "state_threads",
    "package": "libst-dev",
    "file": "/usr/include/st.h",
    "build": [[*CC, "-o", name, f"{{peers}}/state_threads/{name}.c", "-lst"]
              for name in ("task", "sleepers")],
}


def _fiber(name):
    return {
        "folder": f"fiber-{name}",
        "package": "libboost-fiber-dev",
        "file": "/usr/include/boost/fiber/all.hpp",
        "build": [["g++", "-O2", "-o", name, f"{{peers}}/fiber/{name}.cpp",
                   "-lboost_fiber", "-lboost_context", "-pthread"]],
    }


def _go(name, *files):
    return {
        "folder": f"go-{name}",
        "package": "golang-go",
        "tool": "go",
        "build": [["go", "build", "-o", name,
                   *(f"{{peers}}/go/{file}.go" for file in files)]],
    }


def _python(name, *arguments):
    return {
        "run": ["python3", f"{{peers}}/asyncio/{name}.py", *arguments],
        "package": "python3",
        "tool": "python3",
    }


SHORT = [
    Program(OURS, run=["{programs}/task"]),
    Program(OURS, run=["{programs}/heap"]),
    Program("Boost.Context alone", run=["./fcontext", "yield", "await"],
            build=[[*CC, "-o", "fcontext", "{peers}/fcontext/fcontext.c",
                    "-l:libboost_context.a"]]),
    Program(UV, run=["./uv", "executor", "timer"],
            build=[[*CC, "-o", "uv", "{peers}/uv/uv.c", "-luv"]]),
    Program(UV, run=["./uv", "pool"]),
    Program("State Threads", run=["./task"], **ST),
    Program("Boost.Fiber", run=["./task"], **_fiber("task")),
    Program("Go", run=["./task"], **_go("task", "task", "measure")),
    Program("tokio", run=["./release/task"], **TOKIO),
    Program("asyncio", **_python("task")),
]


def _many(count):
    """Those that sleep by the thousand, in three rounds at most. At a million
    Boost.Fiber has no memory, and asyncio no end."""
    argument = str(count)
    programs = [
        Program(OURS, run=["{programs}/sleepers", argument]),
        Program("State Threads", run=["./sleepers", argument], **ST),
        Program("Go", run=["./sleepers", argument],
                **_go("sleepers", "sleepers")),
        Program("tokio", run=["./release/sleepers", argument], **TOKIO),
    ]
    if count < 1000000:
        programs += [
            Program("Boost.Fiber", run=["./sleepers", argument],
                    **_fiber("sleepers")),
            Program("asyncio", **_python("sleepers", argument)),
        ]
    for program in programs:
        program.rounds = 3
    return programs


HTTP = [
    Server(OURS, "{programs}/http_echo", rounds=3),
    Server("nginx, an empty answer", "nginx", rounds=3),
    Server(OURS, "{programs}/http_echo", rounds=1, check=True),
]


def has_memory_for_a_million():
    return (os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") >=
            MILLION_BYTES)


def suite(million):
    programs = [*SHORT, *_many(10000), *_many(100000)]
    if million:
        programs += _many(1000000)
    return Suite("task", "Time, less is better", OURS,
                 raw=(UV, "Boost.Context alone"), raw_title="bare parts",
                 operations=OPERATIONS, programs=[*programs, *HTTP])
