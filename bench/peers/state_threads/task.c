/* SPDX-License-Identifier: MIT */
/*
 * State Threads. It has no yield: a signal of a condition stands in, there
 * and back. Its stacks have no guards.
 */
#include <stdbool.h>

#include <st.h>

#include "../../crew.h"

enum { GROUP = 1000, STACK_BYTES = 16 << 10 };

static void *nothing(void *arg)
{
    return arg;
}

static st_thread_t start(void *(*fn)(void *), void *arg)
{
    return st_thread_create(fn, arg, 1, STACK_BYTES);
}

static st_cond_t turn[2];

static void *take_turns(void *arg)
{
    uint64_t *n = arg;
    int me = n[1]++ != 0;

    ROUNDS(n[0])
    {
        (void)st_cond_signal(turn[!me]);
        (void)st_cond_wait(turn[me]);
    }
    (void)st_cond_signal(turn[!me]);
    return NULL;
}

/* Two threads, both in the same function; and in two. */
static void yield(uint64_t n)
{
    uint64_t shared[] = {n, 0};
    st_thread_t one = start(take_turns, shared);
    st_thread_t other = start(take_turns, shared);

    (void)st_thread_join(one, NULL);
    (void)st_thread_join(other, NULL);
}

static bool is_done;

static void *answer(void *arg)
{
    while (!is_done) {
        (void)st_cond_signal(turn[0]);
        (void)st_cond_wait(turn[1]);
    }
    return arg;
}

static void yield_apart(uint64_t n)
{
    st_thread_t other;

    is_done = false;
    other = start(answer, NULL);
    (void)st_cond_wait(turn[0]);
    ROUNDS(n)
    {
        (void)st_cond_signal(turn[1]);
        (void)st_cond_wait(turn[0]);
    }
    is_done = true;
    (void)st_cond_signal(turn[1]);
    (void)st_thread_join(other, NULL);
}

static void create_and_join(uint64_t n)
{
    ROUNDS(n)
    (void)st_thread_join(start(nothing, NULL), NULL);
}

static void group_of_1000(uint64_t n)
{
    static st_thread_t thread[GROUP];

    ROUNDS(n)
    {
        for (int i = 0; i < GROUP; i++)
            thread[i] = start(nothing, NULL);
        for (int i = 0; i < GROUP; i++)
            (void)st_thread_join(thread[i], NULL);
    }
}

static void *sleep_far(void *arg)
{
    (void)st_usleep(far_ms() * 1000);
    return arg;
}

static void *sleep_in_crew(void *arg)
{
    for (;; crew_sleeps++)
        (void)st_usleep(CREW_MS * 1000);
    return arg;
}

static void watch(uint64_t ms)
{
    (void)st_usleep(ms * 1000);
}

static void add_sleepers(unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        (void)start(sleep_far, NULL);
}

static void measure_sleeps(void)
{
    if (!is_wanted("sleep"))
        return;
    for (int i = 0; i < CREW; i++)
        (void)start(sleep_in_crew, NULL);
    add_sleepers(100);
    print("sleep/100", crew_ns(watch));
    add_sleepers(100000 - 100);
    print("sleep/100000", crew_ns(watch));
}

int main(int argc, char **argv)
{
    measure_init(argc, argv);
    (void)st_init();
    turn[0] = st_cond_new();
    turn[1] = st_cond_new();
    printf("version %d.%d\n", ST_VERSION_MAJOR, ST_VERSION_MINOR);
    measure("yield", yield, NULL);
    measure("apart", yield_apart, NULL);
    measure("await", create_and_join, NULL);
    measure("group", group_of_1000, NULL);
    measure_sleeps();
    return 0;
}
