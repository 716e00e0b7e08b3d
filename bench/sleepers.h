/* SPDX-License-Identifier: MIT */
/*
 * Many sleepers, for the programs in C and C++: so many tasks, as the argument
 * says, each binding a variable, sleeping for a second, and reading it back.
 * Printed are the seconds that this takes over the one, and the memory: by
 * how much the process has grown, in KiB a task.
 */
#ifndef BENCH_SLEEPERS_H
#define BENCH_SLEEPERS_H

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static long sleepers_wrong; /* that read something else */

/* The most memory that the process has had so far. */
static long peak_kib(void)
{
    FILE *status = fopen("/proc/self/status", "r");
    char line[256];
    long kib = 0;

    while (status != NULL && fgets(line, sizeof(line), status) != NULL)
        (void)sscanf(line, "VmHWM: %ld", &kib);
    if (status != NULL)
        (void)fclose(status);
    return kib;
}

static double now_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Run so many sleepers to their end; what the program is to exit with. */
static int measure_sleepers(char **argv, void (*run)(long count))
{
    long count = argv[1] != NULL ? atol(argv[1]) : 10000;
    long kib = peak_kib();
    double began = now_s();

    run(count);
    if (sleepers_wrong > 0) {
        (void)fprintf(stderr, "%ld wrong values\n", sleepers_wrong);
        return 1;
    }
    printf("sleepers/%ld %.4f\n", count, now_s() - began - 1);
    printf("memory/%ld %.4f\n", count,
           (double)(peak_kib() - kib) / (double)count);
    return 0;
}

#endif
