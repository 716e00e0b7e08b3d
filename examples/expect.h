/* SPDX-License-Identifier: MIT */
/*
 * What the examples check themselves with: need() for what must work, expect()
 * for what is shown, on any thread, and verdict() as main()'s result.
 */
#ifndef EXAMPLES_EXPECT_H
#define EXAMPLES_EXPECT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static atomic_int expectations, disappointments;

/* End the program where it cannot go on. */
static inline void need(bool done, const char *what)
{
    if (done)
        return;
    fprintf(stderr, "no %s\n", what);
    exit(1);
}

/* Tell what was seen, and complain where it is not what was wanted. */
static inline void expect(const char *where, const char *seen, const char *want)
{
    if (seen == NULL)
        seen = "(nothing)";
    atomic_fetch_add(&expectations, 1);
    printf("%-32s %s\n", where, seen);
    if (strcmp(seen, want) == 0)
        return;
    atomic_fetch_add(&disappointments, 1);
    fprintf(stderr, "%s: saw \"%s\" instead of \"%s\"\n", where, seen, want);
}

/* 0, if everything was as wanted, as many times as it should have been. */
static inline int verdict(int times)
{
    int made = atomic_load(&expectations);

    if (made != times)
        fprintf(stderr, "checked %d times instead of %d\n", made, times);
    return made != times || atomic_load(&disappointments) != 0;
}

#endif
