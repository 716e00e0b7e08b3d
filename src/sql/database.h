/* SPDX-License-Identifier: MIT */
/* A database from the inside. All of it is on its loop's thread. */
#ifndef CTXVAR_SQL_DATABASE_H
#define CTXVAR_SQL_DATABASE_H

#include <ctxvar/sync.h>
#include <ctxvar/tenant.h>

#include "gate.h"
#include "task/list.h"

struct cx__connection;
struct cx__engine;
struct cx__pool;
struct cx__roster;

enum { CX__HELD = 64 };

/*
 * users       tasks that have a connection or wait for one
 * open        connections that there are: at most `most`, and `each` more
 * slots       of which each task with a tenant's connection has one, so that
 *             who has a slot finds open < most, or one that is idle
 * idle        connections that nobody has, the one unused longest first
 * held        connections that tasks have, by their task
 * process     a number that a fork changes: an open file of SQLite's must not
 *             be used in two processes
 */
struct cx_db {
    const struct cx__engine *engine;
    void *own; /* the engine's */
    cx_event *ready;
    struct cx__gate slots;
    struct cx__roster *roster;
    struct cx__pool *registry;
    struct cx__list idle;
    struct cx__connection *held[CX__HELD];
    unsigned users;
    unsigned open;
    unsigned most;
    unsigned each;     /* of them for one pool */
    size_t rows_bytes; /* that a program's statement may give at once */
    unsigned process;
    bool existing; /* it must be there already */
    bool closing;
    cx_db_stats stats; /* counted so far, of all tenants; idle is not */
};

/* May the running task use it now? 0 or the error. */
int cx__db_check(const cx_db *db);

#endif
