# SPDX-License-Identifier: MIT
"""What is measured of the core, by which programs, and what it should take.

The goals are those for a Zen 4 at 3.5 GHz; on another machine the ratios
tell more.
"""

from programs import Operation, Program, Suite

OURS = "ctxvar"
OURS_BY_CALL = "ctxvar, by call"

OPERATIONS = [
    Operation("get/1", "get, 1 variable set", goal=1, goal_by_call=3,
              plotted=True),
    Operation("get/20", "get, 20 variables set", goal=1, goal_by_call=3,
              plotted=True),
    Operation("get/1000", "get, 1,000 variables set", goal=1, goal_by_call=3,
              plotted=True),
    Operation("get/switched", "get straight after a switch, over the switch",
              goal=1, goal_by_call=3, plotted=True),
    Operation("get/default", "get, not set, the default"),
    Operation("set", "set, table not shared", goal=4, goal_by_call=4,
              plotted=True),
    Operation("bind/set", "bind and reset, on a set variable", goal=6,
              goal_by_call=6, plotted=True),
    Operation("bind/unset", "bind and reset, on an unset variable", goal=6,
              goal_by_call=6),
    Operation("snapshot/1", "snapshot and drop, 1 variable", goal=8),
    Operation("snapshot/1000", "snapshot and drop, 1,000 variables", goal=8),
    Operation("copy/1", "copy and drop, 1 variable", goal=8),
    Operation("copy/20", "copy and drop, 20 variables", goal=8, plotted=True),
    Operation("copy/1000", "copy and drop, 1,000 variables", goal=8),
    Operation("copy+set/1", "first set after a copy, 1 variable", goal=20),
    Operation("copy+set/20", "first set after a copy, 20 variables", goal=20,
              plotted=True),
    Operation("copy+set/1000", "first set after a copy, 1,000 variables"),
    Operation("enter+exit", "enter and exit", goal=5, plotted=True),
    Operation("job/20", "copy, enter, set, exit, drop, 20 variables",
              plotted=True),
    Operation("swap", "context swap, there and back"),
    Operation("switch", "coroutine switch, there and back, with the swap"),
    Operation("machine/atomic", "machine: atomic addition"),
    Operation("machine/atomics", "machine: atomic addition and subtraction"),
    Operation("machine/malloc", "machine: malloc(512) and free"),
    Operation("machine/memcpy", "machine: memcpy of 512 bytes"),
]

CC = ["gcc", "-O2", "-std=c11", "-D_GNU_SOURCE"]

# Cargo writes beside the sources, what another cargo may not read. Debian's
# crates need no network.
TOKIO = {
    "folder": "tokio",
    "package": "cargo librust-tokio-dev",
    "tool": "cargo",
    "file": "/usr/share/cargo/registry/tokio-*",
    "build": [["rm", "-f", "Cargo.lock"],
              ["cp", "-r", "{peers}/tokio/.", "."],
              ["cargo", "build", "-q", "--release", "--offline",
               "--target-dir", ".", "--config",
               "source.crates-io.replace-with='debian'", "--config",
               "source.debian.directory='/usr/share/cargo/registry'"]],
}

PROGRAMS = [
    Program(OURS, run=["{programs}/core"]),
    Program(OURS_BY_CALL, run=["{programs}/core-call", "get", "set", "bind"]),
    Program(OURS, run=["{programs}/switch"]),
    Program("_Thread_local", run=["./thread_local"],
            build=[[*CC, "-o", "thread_local", "{peers}/thread_local/"
                    "thread_local.c"]]),
    Program("_Thread_local, by call", run=["./call"],
            build=[[*CC, "-shared", "-fPIC", "-o", "libgetter.so",
                    "{peers}/thread_local/getter.c"],
                   [*CC, "-o", "call", "{peers}/thread_local/call.c",
                    "-L.", "-lgetter", "-Wl,-rpath,$ORIGIN"]]),
    Program("bare", run=["./machine"],
            build=[[*CC, "-o", "machine", "{peers}/machine/machine.c"]]),
    Program("Boost.Context alone", run=["./fcontext", "switch"],
            build=[[*CC, "-o", "fcontext", "{peers}/fcontext/fcontext.c",
                    "-l:libboost_context.a"]]),
    Program("pthread key", run=["./pthread"],
            build=[[*CC, "-pthread", "-o", "pthread",
                    "{peers}/pthread/pthread.c"]]),
    Program("GLib GPrivate", run=["./glib"], package="libglib2.0-dev",
            module="glib-2.0",
            build=[[*CC, "-o", "glib", "{peers}/glib/glib.c", "{module}"]]),
    Program("Boost.Fiber", run=["./fiber"], package="libboost-fiber-dev",
            file="/usr/include/boost/fiber/all.hpp",
            build=[["g++", "-O2", "-o", "fiber", "{peers}/fiber/core.cpp",
                    "-lboost_fiber", "-lboost_context", "-pthread"]]),
    Program("CPython, C API", run=["./cpython"], package="python3-dev",
            module="python3-embed",
            build=[[*CC, "-o", "cpython", "{peers}/cpython/cpython.c",
                    "{module}"]]),
    Program("Go context", run=["./go"], package="golang-go", tool="go",
            build=[["go", "build", "-o", "go", "{peers}/go/core.go",
                    "{peers}/go/measure.go"]]),
    Program("Node AsyncLocalStorage", package="nodejs", tool="node",
            run=["node", "{peers}/node/main.mjs"]),
    Program("Java ThreadLocal", run=["java", "-cp", ".", "Bench"],
            package="default-jdk-headless", tool="javac",
            build=[["javac", "-d", ".", "{peers}/java/Bench.java"]]),
    Program("tokio task_local", run=["./release/core"], **TOKIO),
]

SUITE = Suite("core", "Nanoseconds, less is better", OURS,
              raw=("_Thread_local", "_Thread_local, by call"),
              raw_title="plain thread-local", operations=OPERATIONS,
              programs=PROGRAMS)
