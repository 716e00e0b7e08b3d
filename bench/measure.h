/* SPDX-License-Identifier: MIT */
/*
 * What the programs in C and C++ measure with: the nanoseconds that one round
 * of a loop takes, the median of several runs in this process. The medians of
 * several processes, and who is faster, are bench/run.py's.
 *
 * A program prints a line for each operation, its name and its nanoseconds.
 * Arguments choose: only operations that begin with one of them are measured.
 */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define RUNS 9
#define RUN_NS 4e6

/* All memory may have changed: no load or store leaves its round. */
#define BARRIER() __asm__ volatile("" : : : "memory")
/* The value is needed. */
#define USE(value) __asm__ volatile("" : : "r"(value))
/* One round of a loop, and as little else as a loop can be. */
#define ROUNDS(n) for (uint64_t round_ = 0; round_ < (n); round_++)

/* Does something n times. */
typedef void body_fn(uint64_t n);

static int measure_argc;
static char **measure_argv;

/*
 * Computes something inexact, as taking times does: coroutines that are made
 * after this have that flag set too. Between two that differ in it, Boost's
 * switch takes ten times as long on Intel's processors.
 */
static void measure_init(int argc, char **argv)
{
    volatile double third = 1;

    third /= 3;
    measure_argc = argc;
    measure_argv = argv;
}

static int is_wanted(const char *operation)
{
    for (int i = 1; i < measure_argc; i++) {
        if (strncmp(operation, measure_argv[i], strlen(measure_argv[i])) == 0)
            return 1;
    }
    return measure_argc <= 1;
}

static double run_ns(body_fn *body, uint64_t n)
{
    struct timespec from, to;

    clock_gettime(CLOCK_MONOTONIC, &from);
    body(n);
    clock_gettime(CLOCK_MONOTONIC, &to);
    return (double)(to.tv_sec - from.tv_sec) * 1e9 +
           (double)(to.tv_nsec - from.tv_nsec);
}

/* How many rounds fill a run. */
static uint64_t rounds_of(body_fn *body)
{
    uint64_t n = 256;
    double ns = run_ns(body, n);

    while (ns < RUN_NS / 4) {
        n *= 2;
        ns = run_ns(body, n);
    }
    return (uint64_t)((double)n * RUN_NS / ns) + 1;
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(double ns[RUNS])
{
    qsort(ns, RUNS, sizeof(ns[0]), compare_doubles);
    return ns[RUNS / 2];
}

static void print(const char *operation, double ns)
{
    printf("%s %.4f\n", operation, ns);
    fflush(stdout);
}

/*
 * Measure an operation and print the median. What the body does besides it,
 * so that it can be measured at all, is measured in turn with it and taken
 * off.
 */
static void measure(const char *operation, body_fn *body, body_fn *without)
{
    double ns[RUNS];
    uint64_t n;

    if (!is_wanted(operation))
        return;
    n = rounds_of(body);
    for (int i = 0; i < RUNS; i++) {
        ns[i] = run_ns(body, n) / (double)n;
        if (without != NULL)
            ns[i] -= run_ns(without, n) / (double)n;
    }
    print(operation, median(ns));
}

#endif
