# SPDX-License-Identifier: MIT
"""asyncio, of the interpreter that runs this."""

import asyncio
import platform
import random
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor

RUNS = 9
RUN_NS = 4e6
GROUP = 1000
IN_FLIGHT = 64
CREW = 1000
CREW_REST_S = 0.001
WATCHED_S = 0.02
HOUR_S = 3600


async def run_time(body, n):
    began = time.perf_counter_ns()
    await body(n)
    return time.perf_counter_ns() - began


def is_wanted(operation):
    wanted = sys.argv[1:]
    return not wanted or any(operation.startswith(each) for each in wanted)


def print_median(operation, values):
    print(f"{operation} {statistics.median(values):.4f}", flush=True)


async def measure(operation, body):
    if not is_wanted(operation):
        return
    n = 1
    ns = await run_time(body, n)
    while ns < RUN_NS / 4:
        n *= 2
        ns = await run_time(body, n)
    n = int(n * RUN_NS / ns) + 1
    print_median(operation, [await run_time(body, n) / n for _ in range(RUNS)])


async def nothing():
    pass


async def yield_often(n):
    for _ in range(n):
        await asyncio.sleep(0)


async def yield_both(n):
    await asyncio.gather(yield_often(n), yield_often(n))


async def yield_apart(n):
    done = False

    async def other():
        while not done:
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    await yield_often(n)
    done = True
    await task


async def create_and_await(n):
    for _ in range(n):
        await asyncio.create_task(nothing())


async def group_of_1000(n):
    for _ in range(n):
        async with asyncio.TaskGroup() as group:
            for _ in range(GROUP):
                group.create_task(nothing())


async def hand_over(n):
    there, back = asyncio.Queue(1), asyncio.Queue(1)

    async def other():
        while (item := await there.get()) is not None:
            await back.put(item)

    task = asyncio.create_task(other())
    for i in range(n):
        await there.put(i)
        await back.get()
    await there.put(None)
    await task


def round_trip(executor):
    async def body(n):
        loop = asyncio.get_running_loop()
        for _ in range(n):
            await loop.run_in_executor(executor, int)
    return body


def round_trips_at_once(executor):
    """By job."""
    async def body(n):
        loop = asyncio.get_running_loop()
        left = n

        async def send_jobs():
            nonlocal left
            while left > 0:
                left -= 1
                await loop.run_in_executor(executor, int)

        await asyncio.gather(*(send_jobs() for _ in range(IN_FLIGHT)))
    return body


async def measure_crew(operation, slept):
    """The processor time of the crew, by the number of their sleeps."""
    all_ns = []
    await asyncio.sleep(WATCHED_S)
    for _ in range(RUNS):
        before, began = slept[0], time.process_time_ns()
        await asyncio.sleep(WATCHED_S)
        all_ns.append((time.process_time_ns() - began) / (slept[0] - before))
    print_median(operation, all_ns)


async def measure_sleeps():
    slept = [0]

    async def sleep_in_crew():
        while True:
            await asyncio.sleep(CREW_REST_S)
            slept[0] += 1

    def sleep_far():
        return asyncio.sleep(HOUR_S * (1 + random.random()))

    tasks = [asyncio.create_task(sleep_in_crew()) for _ in range(CREW)]
    tasks += [asyncio.create_task(sleep_far()) for _ in range(100)]
    await measure_crew("sleep/100", slept)
    tasks += [asyncio.create_task(sleep_far()) for _ in range(100000 - 100)]
    await measure_crew("sleep/100000", slept)
    for task in tasks:
        task.cancel()


async def main():
    print("version", platform.python_version())
    executor = ThreadPoolExecutor(1)
    await measure("yield", yield_both)
    await measure("apart", yield_apart)
    await measure("await", create_and_await)
    await measure("group", group_of_1000)
    await measure("queue", hand_over)
    await measure("pool/1", round_trip(None))
    await measure("pool/64", round_trips_at_once(None))
    await measure("executor/1", round_trip(executor))
    await measure("executor/64", round_trips_at_once(executor))
    if is_wanted("sleep"):
        await measure_sleeps()


asyncio.run(main())
