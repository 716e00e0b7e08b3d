/* SPDX-License-Identifier: MIT */
/* Work of the library's own within a transaction of its own. */
#ifndef CTXVAR_SQL_WITHIN_H
#define CTXVAR_SQL_WITHIN_H

#include "engine.h"

/*
 * Run a function in a transaction that keeps others from the list of tenants,
 * on the registry's connection, or from a room's tables. What it gives is the
 * result; if that is negative, or the commit fails, all of it is rolled back.
 */
int cx__within(struct cx__connection *connection,
               int (*fn)(struct cx__connection *connection, void *arg),
               void *arg);

/*
 * The same in two steps, for what has to be done together with the end of
 * another. The end gives what it is given, or why that was not committed.
 */
int cx__within_begin(struct cx__connection *connection);
int cx__within_end(struct cx__connection *connection, int result);

#endif
