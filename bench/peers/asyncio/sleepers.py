# SPDX-License-Identifier: MIT
"""Many sleepers as tasks of asyncio, each setting a context variable."""

import asyncio
import sys
import time
from contextvars import ContextVar

BOUND = ContextVar("bound")


async def sleeper(mine):
    BOUND.set(mine)
    await asyncio.sleep(1)
    return BOUND.get() == mine


def peak_kib():
    """The most memory that the process has had so far."""
    with open("/proc/self/status", encoding="ascii") as status:
        lines = dict(line.split(":", 1) for line in status)
    return int(lines["VmHWM"].split()[0])


async def main():
    count = int(sys.argv[1])
    kib, began = peak_kib(), time.perf_counter()
    tasks = [asyncio.create_task(sleeper(i)) for i in range(count)]
    wrong = [await task for task in tasks].count(False)
    if wrong:
        sys.exit(f"{wrong} wrong values")
    print(f"sleepers/{count} {time.perf_counter() - began - 1:.4f}")
    print(f"memory/{count} {(peak_kib() - kib) / count:.4f}")


asyncio.run(main())
