/* SPDX-License-Identifier: MIT */
/*
 * What the rows of docs/asyncio.md have in common: each is a function here,
 * named as in asyncio, which runs in the main task and checks what it shows.
 */
#ifndef EXAMPLES_ASYNCIO_ROW_H
#define EXAMPLES_ASYNCIO_ROW_H

#include <errno.h>
#include <stdint.h>

#include <ctxvar/task.h>

#include "../expect.h"

#define ROW(name)                                                              \
    {                                                                          \
#name, name                                                            \
    }

struct row {
    const char *name;
    void (*run)(void);
};

/* Of a row's checks, each must hold. */
#define check(claim) expect_that((claim), __func__, #claim)

static inline void expect_that(bool holds, const char *row, const char *claim)
{
    atomic_fetch_add(&expectations, 1);
    if (holds)
        return;
    atomic_fetch_add(&disappointments, 1);
    fprintf(stderr, "%s: not so: %s\n", row, claim);
}

static inline void *as_pointer(intptr_t number)
{
    return (void *)number;
}

/* Run the rows, which end with an empty one, in the main task. */
static void *run_rows(void *rows)
{
    for (const struct row *row = rows; row->name != NULL; row++) {
        printf("%s\n", row->name);
        row->run();
    }
    return NULL;
}

static inline int run_all(struct row *rows)
{
    need(cx_run(run_rows, rows, NULL) == 0, "loop");
    return atomic_load(&disappointments) != 0 ||
           atomic_load(&expectations) == 0;
}

#endif
