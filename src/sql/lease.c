/* SPDX-License-Identifier: MIT */
/*
 * Leases. The tenant is read from the context once, when a lease begins, and
 * a connection never leaves its tenant's room: there is no state of "the
 * tenant of this connection" that could be wrong.
 */
#include <errno.h>

#include "lease.h"
#include "problem.h"
#include "tenant.h"

/* The current tenant, which must be one of this database; NULL: error says
 * why not. */
static cx_tenant *tenant_of(const cx_db *db, int *error)
{
    cx_tenant *current = cx__tenant_current();

    if (current == NULL)
        *error = cx__problem(-ENOKEY, "no tenant in the context");
    else if (!cx__tenant_is_of(current, db))
        *error = cx__problem(-EKEYREJECTED,
                             "the current tenant is another database's");
    else if (current->dropped)
        *error = cx__problem(-ESTALE, "the tenant was dropped");
    else
        return current;
    return NULL;
}

static size_t bucket_of(const cx_task *task)
{
    return ((uintptr_t)task / sizeof(max_align_t) *
            UINT64_C(0x9e3779b97f4a7c15)) /
           (UINT64_MAX / CX__HELD + 1);
}

static void hold(cx_db *db, struct cx__connection *connection)
{
    struct cx__connection **bucket;

    connection->holder = cx_task_current();
    connection->leases = 1;
    bucket = &db->held[bucket_of(connection->holder)];
    connection->held_next = *bucket;
    *bucket = connection;
}

static void unhold(cx_db *db, const struct cx__connection *connection)
{
    struct cx__connection **at = &db->held[bucket_of(connection->holder)];

    while (*at != connection)
        at = &(*at)->held_next;
    *at = connection->held_next;
}

/* The connection that the running task has to a tenant's room; NULL: none.
 * elsewhere: whether it is in another tenant's transaction. */
static struct cx__connection *
find_held(const cx_db *db, const cx_tenant *tenant, bool *elsewhere)
{
    const cx_task *task = cx_task_current();
    struct cx__connection *each = db->held[bucket_of(task)];
    struct cx__connection *found = NULL;

    *elsewhere = false;
    for (; each != NULL; each = each->held_next) {
        if (each->holder != task)
            continue;
        if (each->pool->tenant == tenant)
            found = each;
        else
            *elsewhere |= each->depth > 0;
    }
    return found;
}

bool cx__lease_is_held(const cx_db *db, const cx_tenant *tenant)
{
    bool elsewhere;

    return find_held(db, tenant, &elsewhere) != NULL;
}

struct cx__connection *cx__lease_own(const cx_db *db,
                                     const struct cx__connection *after)
{
    const cx_task *task = cx_task_current();
    struct cx__connection *each =
        after != NULL ? after->held_next : db->held[bucket_of(task)];

    while (each != NULL && each->holder != task)
        each = each->held_next;
    return each;
}

bool cx__lease_is_any_held(const cx_db *db)
{
    return cx__lease_own(db, NULL) != NULL;
}

/* A tenant's first connection. */
static int lease_first(cx_db *db, cx_tenant *tenant,
                       struct cx__connection **connection)
{
    struct cx__pool *pool = cx__pool_new(db, tenant, CX__TENANT, tenant->id);
    int error;

    if (pool == NULL)
        return -ENOMEM;
    tenant->pool = pool;
    error = cx__pool_lease(pool, connection);
    cx__pool_release(pool);
    return error;
}

int cx__lease_lost(void)
{
    return cx__problem(-ECONNABORTED, "the transaction was rolled back when an"
                                      " earlier statement failed");
}

static int lease_new(cx_db *db, cx_tenant *tenant,
                     struct cx__connection **connection)
{
    int error = tenant->pool != NULL ? cx__pool_lease(tenant->pool, connection)
                                     : lease_first(db, tenant, connection);

    if (error == 0)
        hold(db, *connection);
    return error;
}

int cx__lease_look(struct cx__connection *connection)
{
    const struct cx__engine *engine = connection->db->engine;

    return engine->look != NULL ? engine->look(connection) : 0;
}

int cx__lease_begin(cx_db *db, struct cx__connection **connection)
{
    int error = cx__db_check(db);
    cx_tenant *tenant = error == 0 ? tenant_of(db, &error) : NULL;
    bool elsewhere;

    if (tenant == NULL)
        return error;
    *connection = find_held(db, tenant, &elsewhere);
    if (elsewhere)
        return cx__problem(-EKEYREJECTED, "the current tenant is another one"
                                          " than the transaction's");
    if (*connection == NULL)
        return lease_new(db, tenant, connection);
    if ((*connection)->lost)
        return cx__lease_lost();
    (*connection)->leases++;
    return 0;
}

void cx__lease_end(struct cx__connection *connection)
{
    if (--connection->leases > 0 || !cx__db_is_here(connection->db))
        return;
    unhold(connection->db, connection);
    cx__pool_return(connection);
}
