/* SPDX-License-Identifier: MIT */
/*
 * libuv alone: uv_queue_work(), with one thread unless the pool's default is
 * asked for, and a uv_timer for each that sleeps.
 */
#include <uv.h>

#include "../../crew.h"

enum { IN_FLIGHT = 64 };

static uv_loop_t *loop;
static uint64_t left;

static void nothing(uv_work_t *work)
{
    (void)work;
}

static void next_job(uv_work_t *work, int error)
{
    (void)error;
    if (left > 0) {
        left--;
        (void)uv_queue_work(loop, work, nothing, next_job);
    }
}

static void jobs(unsigned in_flight, uint64_t n)
{
    uv_work_t work[IN_FLIGHT];

    left = n;
    for (unsigned i = 0; i < in_flight; i++)
        next_job(&work[i], 0);
    (void)uv_run(loop, UV_RUN_DEFAULT);
}

static void round_trip(uint64_t n)
{
    jobs(1, n);
}

static void round_trips_at_once(uint64_t n)
{
    jobs(IN_FLIGHT, n);
}

static void over(uv_timer_t *timer)
{
    (void)timer;
}

static uv_timer_t *timer;
static unsigned timers;

static void choose(uint64_t n)
{
    ROUNDS(n)
    {
        USE(&timer[any_number() % timers]);
        USE(far_ms());
    }
}

/* One of all timers is set anew. */
static void restart(uint64_t n)
{
    ROUNDS(n)
    {
        uv_timer_t *chosen = &timer[any_number() % timers];

        (void)uv_timer_stop(chosen);
        (void)uv_timer_start(chosen, over, far_ms(), 0);
    }
}

static void measure_timers(const char *operation, unsigned count)
{
    timers = count;
    timer = calloc(count, sizeof(*timer));
    for (unsigned i = 0; i < count; i++) {
        (void)uv_timer_init(loop, &timer[i]);
        (void)uv_timer_start(&timer[i], over, far_ms(), 0);
    }
    measure(operation, restart, choose);
    for (unsigned i = 0; i < count; i++)
        (void)uv_timer_stop(&timer[i]);
}

int main(int argc, char **argv)
{
    measure_init(argc, argv);
    loop = uv_default_loop();
    if (is_wanted("executor"))
        (void)setenv("UV_THREADPOOL_SIZE", "1", 1);
    printf("version %s\n", uv_version_string());
    measure("executor/1", round_trip, NULL);
    measure("executor/64", round_trips_at_once, NULL);
    measure("pool/1", round_trip, NULL);
    measure("pool/64", round_trips_at_once, NULL);
    measure_timers("timer/100", 100);
    measure_timers("timer/100000", 100000);
    return 0;
}
