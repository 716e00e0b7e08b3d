/* SPDX-License-Identifier: MIT */
/*
 * The note's read(): a client chooses its table, then reads four times with
 * waits between. It is the same for every kind of variable that the model may
 * keep the table in.
 */
#ifndef CTXVAR_TOOL_VISIT_H
#define CTXVAR_TOOL_VISIT_H

#include <stddef.h>

#include "demo.h"

/* Where the model User keeps its table. */
struct model {
    void (*choose)(const char *table);
    const char *(*table)(void);
    bool carried; /* it is asked on the database's thread, not before */
};

struct visit {
    struct demo *demo;
    const struct client *client;
    const struct model *model;
    uint64_t from;  /* cx_time() at which it begins; its waits keep the beat */
    unsigned due;   /* unit of the line that it reads or waits for */
    unsigned since; /* unit at which it began to wait for that */
    const struct visit *peers; /* those at once, itself among them */
    size_t peer_count;         /* 0: it is alone */
};

/* A visit, which is the argument, within a task; returns when it is over. */
void *visit_run(void *arg);

/* The visits of all clients at once, a task each; what they have in common is
 * the argument. */
void *visits_run(void *arg);

#endif
