/* SPDX-License-Identifier: MIT */
/*
 * Pools: the connections to one room, and the tasks that want one.
 */
#ifndef CTXVAR_SQL_POOL_H
#define CTXVAR_SQL_POOL_H

#include <ctxvar/tenant.h>

#include "database.h"
#include "engine.h"

/* The number of the template's room, which is no tenant's. */
enum { CX__TEMPLATE = 0 };

/* What a room is, and with it what a connection to it may do. */
enum cx__room {
    CX__REGISTRY, /* the list of tenants: the library's own statements */
    CX__TENANT,   /* a tenant's rows: any statement on rows */
    CX__SCHEMA    /* a tenant's tables, for migrations: any but the library's */
};

/*
 * users       tasks that have one of its connections, or wait for one
 * open        connections that there are
 * quota       of which each task with a connection has one
 * returned    a place for each connection that came back while one was awaited
 * writer      held by whoever writes, in an engine where that is one at a time
 * generation  that of connections which may still be used
 * search      the last one that has come by here, and where it goes from here
 * apart       its connections wait for none of the database's slots: somebody
 *             who has one may be waiting for who needs them
 *
 * A tenant's pool is there <=> users > 0 or open > 0; the registry's always
 */
struct cx__pool {
    cx_db *db;
    cx_tenant *tenant; /* a hold on it; NULL: it is nobody's */
    enum cx__room room;
    bool apart;
    int64_t id;
    struct cx__gate quota;
    struct cx__gate returned;
    cx_event *drained; /* of who waits to be its last user; NULL: nobody does */
    cx_lock *writer;
    struct cx__list idle; /* connections, the one used last first */
    unsigned users;
    unsigned open;
    unsigned generation;
    uint64_t search;
    struct cx__pool *search_next;
};

/* NULL: no memory. The first hold on it is the caller's, as a user. */
struct cx__pool *cx__pool_new(cx_db *db, cx_tenant *tenant, enum cx__room room,
                              int64_t id);
/* The same for one that is nobody's and apart. */
struct cx__pool *cx__pool_apart(cx_db *db, enum cx__room room, int64_t id);

/* A connection for the running task alone, waiting for one. */
int cx__pool_lease(struct cx__pool *pool, struct cx__connection **connection);
void cx__pool_return(struct cx__connection *connection);

/* One user less: without users and connections, a pool goes. */
void cx__pool_release(struct cx__pool *pool);

/* Wait until nobody else uses it, and close its connections. The caller is a
 * user of the pool, and has seen to it that nobody can lease from it. */
int cx__pool_drain(struct cx__pool *pool);

/* The end of one that only the caller knows: its connections are closed, and it
 * goes. */
void cx__pool_end(struct cx__pool *pool);

/* Have no connection that is open now used again. */
void cx__pool_expire(struct cx__pool *pool);

/* Close all connections of a database that nobody has. */
void cx__pool_close_idle(cx_db *db);

#endif
