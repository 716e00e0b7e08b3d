/* SPDX-License-Identifier: MIT */
/* Tasks that have a connection and wait for one more, and which of them would
 * do so for ever. */
#ifndef CTXVAR_SQL_DEADLOCK_H
#define CTXVAR_SQL_DEADLOCK_H

#include "pool.h"

/*
 * A task's wait for a connection of a tenant's pool: for a place in its quota,
 * or, with one, for a slot.
 *
 * The connections that the task has are in db->blocked, and their `blocked` is
 * this <=> it waits, or has been let in or cancelled and has not run since
 */
struct cx__blocked {
    struct cx__pool *pool;
    uint64_t since; /* as db->looks counts */
};

/*
 * Before the running task waits so: 0; -EDEADLK: it would for ever;
 * -ECANCELED, -ETIMEDOUT. Where it looks like the first the others are let run
 * once, so that a place may be free afterwards.
 */
int cx__blocked_begin(struct cx__blocked *blocked, struct cx__pool *pool);

/* After the wait, or instead of it. */
void cx__blocked_end(const struct cx__blocked *blocked);

#endif
