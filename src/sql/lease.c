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

/* The current tenant, which must be one of this database. */
static int tenant_of(const cx_db *db, cx_tenant **tenant)
{
    cx_tenant *current = cx_get(cx__tenant_var);

    if (current == NULL)
        return cx__problem(-ENOKEY, "no tenant in the context");
    if (cx__tenant_db(current) != db)
        return cx__problem(-EKEYREJECTED,
                           "the current tenant is another database's");
    if (current->dropped)
        return cx__problem(-ESTALE, "the tenant was dropped");
    *tenant = current;
    return 0;
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

int cx__lease_begin(cx_db *db, struct cx__connection **connection)
{
    cx_tenant *tenant = NULL;
    int error = cx__db_check(db);

    if (error == 0)
        error = tenant_of(db, &tenant);
    if (error != 0)
        return error;
    if (tenant->pool == NULL)
        return lease_first(db, tenant, connection);
    return cx__pool_lease(tenant->pool, connection);
}

void cx__lease_end(struct cx__connection *connection)
{
    cx__pool_return(connection);
}
