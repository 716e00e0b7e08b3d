/* SPDX-License-Identifier: MIT */
/*
 * Leases: the connection that the running task has to its tenant's room. What
 * a call reads and writes, it does through one.
 */
#ifndef CTXVAR_SQL_LEASE_H
#define CTXVAR_SQL_LEASE_H

#include "pool.h"

/* A connection to the current tenant's room: the boundary. One that the task
 * has already it gets once more. */
int cx__lease_begin(cx_db *db, struct cx__connection **connection);
void cx__lease_end(struct cx__connection *connection);

/* See of which version the tables are, as connection->version. */
int cx__lease_look(struct cx__connection *connection);

/* That a transaction is lost: the error, with its words. */
int cx__lease_lost(void);

/* The running task's next connection; the first after NULL. NULL: no more. */
struct cx__connection *cx__lease_own(const cx_db *db,
                                     const struct cx__connection *after);

/* Has the running task a connection to this tenant's room, or to any? */
bool cx__lease_is_held(const cx_db *db, const cx_tenant *tenant);
bool cx__lease_is_any_held(const cx_db *db);

#endif
