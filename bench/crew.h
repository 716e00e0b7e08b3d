/* SPDX-License-Identifier: MIT */
/*
 * What a sleep costs, for the programs in C and C++: the processor time of a
 * crew of a thousand that do nothing else, by the number of their sleeps. By
 * the clock it would be the sleep itself.
 */
#ifndef BENCH_CREW_H
#define BENCH_CREW_H

#include "measure.h"

enum {
    CREW = 1000,
    CREW_MS = 1,      /* that one of them sleeps */
    RUN_MS = 20,      /* that the crew is watched for */
    FAR_MS = 3600000, /* that the others sleep, at least */
};

static uint64_t crew_sleeps; /* those that are over */

/* As good as random, and quick. */
static inline uint64_t any_number(void)
{
    static uint64_t state = 1;

    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

/* Milliseconds that nobody waits for the end of. */
static inline uint64_t far_ms(void)
{
    return FAR_MS + any_number() % FAR_MS;
}

static inline double cpu_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* Nanoseconds of a sleep; `watch` lets the crew sleep so many milliseconds. */
static inline double crew_ns(void (*watch)(uint64_t ms))
{
    double ns[RUNS];

    watch(RUN_MS);
    for (int i = 0; i < RUNS; i++) {
        uint64_t before = crew_sleeps;
        double began = cpu_ns();

        watch(RUN_MS);
        ns[i] = (cpu_ns() - began) / (double)(crew_sleeps - before);
    }
    return median(ns);
}

#endif
