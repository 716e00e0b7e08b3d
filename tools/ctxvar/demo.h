/* SPDX-License-Identifier: MIT */
/*
 * `ctxvar demo`: one model, four clients, and who reads whose table. What its
 * programs share; each program is a file of its own.
 */
#ifndef CTXVAR_TOOL_DEMO_H
#define CTXVAR_TOOL_DEMO_H

#include <stdbool.h>
#include <stdint.h>

#include <ctxvar/executor.h>

#include "clients.h"
#include "store.h"

/* What a program's reads came to. */
struct tally {
    unsigned reads;
    unsigned wrong; /* reads on another client's table */
    unsigned none;  /* reads on no table, since none was chosen */
    unsigned rows;
    unsigned foreign;  /* rows of another client */
    unsigned attempts; /* statements that are to reach another's rows */
    unsigned refused;
};

struct demo {
    struct store *store;   /* NULL: no program that was asked for reads it */
    const char *url;       /* of the tenants' database; NULL: a temporary one */
    cx_executor *database; /* one thread, so that queries end as they began */
    uint64_t pace_ms;
    bool failed; /* a query did, or memory or threads ran out */
    struct tally tally;
};

int demo_main(int argc, char **argv);

/* Print what a client has read, and count it. For one thread at a time. */
void demo_report(struct demo *demo, const struct client *client,
                 const char *verb, const struct reading *reading);

/* The same for rows that a tenant has read, and what to say of them. */
void demo_report_rows(struct demo *demo, const struct client *client,
                      const char *verb, const char *what,
                      const struct reading *reading);

/* Print what came of a statement that is to reach another's rows: why it was
 * refused, or NULL; and count it. */
void demo_report_attempt(struct demo *demo, const struct client *client,
                         const char *statement, const char *refusal);

/* Note that a call failed, with a line on stderr; errors are negative. */
void demo_check(struct demo *demo, const char *what, int error);

/* The programs. */
void sequential_run(struct demo *demo);
void naive_run(struct demo *demo);
void context_run(struct demo *demo);
void threads_run(struct demo *demo);
void thread_tasks_run(struct demo *demo);
void executor_run(struct demo *demo);
void naive_pool_run(struct demo *demo);
void tenants_run(struct demo *demo);

#endif
