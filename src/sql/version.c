/* SPDX-License-Identifier: MIT */
/* Versions: that of the current tenant's tables, and those of all tenants'. */
#include <errno.h>

#include "lease.h"
#include "pool.h"
#include "problem.h"
#include "tenant.h"

int cx_migrate_version(cx_db *db, int *version)
{
    struct cx__connection *connection;
    int error = version != NULL ? cx__lease_begin(db, &connection)
                                : cx__wordless(-EINVAL);

    if (error != 0)
        return error;
    error = cx__lease_look(connection);
    if (error == 0)
        *version = connection->version;
    cx__lease_end(connection);
    return error;
}

/*
 * A call of cx_migrate_versions().
 *
 * pool  whose connection tells of each; NULL: each tenant's own does
 */
struct walk {
    cx_db *db;
    struct cx__pool *pool;
    int (*fn)(cx_tenant *tenant, int version, void *arg);
    void *arg;
};

/* The version of a tenant's own telling, or the error. */
static int told_by(cx_db *db, cx_tenant *tenant)
{
    int version = 0;
    int error = -ENOMEM;

    CX_WITH_TENANT(tenant) {
        error = cx_migrate_version(db, &version);
    }
    return error == 0 ? version : error;
}

/* Nothing is held between one tenant and the next. */
static int told_of(struct cx__pool *pool, int64_t id)
{
    struct cx__connection *connection;
    int version = 0;
    int error = cx__pool_lease(pool, &connection);

    if (error == 0) {
        error = pool->db->engine->version_of(connection, id, &version);
        cx__pool_return(connection);
    }
    return error == 0 ? version : error;
}

static int visit(cx_tenant *tenant, void *arg)
{
    const struct walk *walk = arg;
    int version = walk->pool != NULL ? told_of(walk->pool, tenant->id)
                                     : told_by(walk->db, tenant);

    return walk->fn(tenant, version, walk->arg);
}

static int walk_all(struct walk *walk)
{
    int error;

    if (walk->db->engine->version_of == NULL)
        return cx_tenant_each(walk->db, visit, walk);
    walk->pool = cx__pool_new(walk->db, NULL, CX__SCHEMA, CX__TEMPLATE);
    if (walk->pool == NULL)
        return cx__wordless(-ENOMEM);
    error = cx_tenant_each(walk->db, visit, walk);
    cx__pool_end(walk->pool);
    return error;
}

int cx_migrate_versions(cx_db *db,
                        int (*fn)(cx_tenant *tenant, int version, void *arg),
                        void *arg)
{
    struct walk walk = {.db = db, .fn = fn, .arg = arg};
    int error = fn != NULL ? cx__db_check(db) : cx__wordless(-EINVAL);

    if (error == 0 && cx__lease_is_any_held(db))
        error = cx__problem(-EBUSY, "this task uses a tenant itself");
    if (error != 0)
        return error;
    db->users++;
    error = walk_all(&walk);
    db->users--;
    return error;
}
