/* SPDX-License-Identifier: MIT */
/*
 * Handles of tenants from the inside.
 */
#ifndef CTXVAR_SQL_TENANT_H
#define CTXVAR_SQL_TENANT_H

#include <ctxvar/tenant.h>
#include <ctxvar/var.h>

#include "database.h"

struct cx__pool;

/*
 * One for each tenant of a database that somebody holds. Handles may be held
 * and let go of on any thread; what else is here belongs to the loop's.
 *
 * refs     under the roster's lock when it falls to 0, so that none that is
 *          found there is on its way out
 * dropped  nobody may use it any more
 * pool     NULL: no connection, and nobody who wants one; it has a hold on
 *          this
 * file     which file is the tenant's, as the engine tells files apart, noted
 *          at the first connection; 0, 0 before
 */
struct cx_tenant {
    uint32_t refs;
    bool dropped;
    int64_t id;
    struct cx__roster *roster; /* a hold on it */
    cx_tenant *next;           /* in the roster */
    struct cx__pool *pool;
    uint64_t file[2];
    cx_db_stats stats; /* counted so far; idle is not */
    char *name;        /* may hold any byte but NUL; ends with one */
    size_t name_len;
};

/* All handles of one database. It outlives that for as long as there are any.
 * NULL: no memory. */
struct cx__roster *cx__roster_new(cx_db *db);

/* The database is closed: its handles are of no use. */
void cx__roster_close(struct cx__roster *roster);

/* The handle of a tenant, to be let go of; NULL: no memory. */
cx_tenant *cx__roster_hold(struct cx__roster *roster, int64_t id, cx_text name);

/* A copy of a name, for the handle that takes it. 0 or -ENOMEM. */
int cx__tenant_name_copy(cx_text name, char **copy);
void cx__tenant_take_name(cx_tenant *tenant, char *name, size_t len);

/* Does its database belong to this thread's loop? */
bool cx__tenant_is_here(const cx_tenant *tenant);

/* If so: the database of a tenant; NULL: it is closed. */
cx_db *cx__tenant_db(const cx_tenant *tenant);

/* Is it one of this database? */
static inline bool cx__tenant_is_of(const cx_tenant *tenant, const cx_db *db)
{
    return tenant->roster == db->roster;
}

/* The tenant of the current context. */
CX_VAR_DECLARE(cx_tenant *, cx__tenant_var);

static inline cx_tenant *cx__tenant_current(void)
{
    const struct cx__entry *entry = cx__entry_of(&cx__tenant_var.var, 0);

    return entry != NULL ? entry->value.ptr : NULL;
}

#endif
