/* SPDX-License-Identifier: MIT */
/*
 * libuv alone: uv_queue_work(), with one thread unless the pool's default is
 * asked for, and one uv_timer for each sleep, which a callback starts again:
 * nothing is switched here.
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

static void far_over(uv_timer_t *timer)
{
    (void)timer;
}

static void sleep_in_crew(uv_timer_t *timer)
{
    crew_sleeps++;
    (void)uv_timer_start(timer, sleep_in_crew, CREW_MS, 0);
}

static void watch_over(uv_timer_t *timer)
{
    uv_stop(timer->loop);
}

static void watch(uint64_t ms)
{
    static uv_timer_t timer;

    (void)uv_timer_init(loop, &timer);
    (void)uv_timer_start(&timer, watch_over, ms, 0);
    (void)uv_run(loop, UV_RUN_DEFAULT);
}

static void add_sleepers(unsigned count)
{
    uv_timer_t *timer = calloc(count, sizeof(*timer));

    for (unsigned i = 0; i < count; i++) {
        (void)uv_timer_init(loop, &timer[i]);
        (void)uv_timer_start(&timer[i], far_over, far_ms(), 0);
    }
}

static void measure_sleeps(void)
{
    static uv_timer_t crew[CREW];

    if (!is_wanted("timer"))
        return;
    for (int i = 0; i < CREW; i++) {
        (void)uv_timer_init(loop, &crew[i]);
        (void)uv_timer_start(&crew[i], sleep_in_crew, CREW_MS, 0);
    }
    add_sleepers(100);
    print("timer/100", crew_ns(watch));
    add_sleepers(100000 - 100);
    print("timer/100000", crew_ns(watch));
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
    measure_sleeps();
    return 0;
}
