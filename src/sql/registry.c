/* SPDX-License-Identifier: MIT */
/*
 * The registry.
 *
 *             create                drop              files removed
 *   (none) -----------> LISTED ------------> DROPPED -------------> GONE
 *
 * A tenant's room is made within the transaction that lists it, so that one
 * that is listed has its room. What a crash leaves of that is a room of a
 * number that was never given, and makes way for the next one. Rows stay, and
 * with them the numbers that are used up.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include <ctxvar/tenant.h>

#include "lease.h"
#include "problem.h"
#include "registry.h"
#include "statement.h"
#include "tenant.h"
#include "utf8.h"
#include "within.h"

enum { NAME_BYTES = 255, REMOVE_MS = 60000, SWEEP_MS = 2000 };

/* Statements on one tenant; each gives its id and name. */
static const char find_by_name[] =
    "SELECT id, name FROM cx_tenants WHERE name = $1 AND state = " CX__LISTED;
static const char find_next[] =
    "SELECT id, name FROM cx_tenants WHERE id > $1 AND state = " CX__LISTED
    " ORDER BY id LIMIT 1";
static const char find_dropped[] =
    "SELECT id, name FROM cx_tenants WHERE id > $1 AND state = " CX__DROPPED
    " ORDER BY id LIMIT 1";
static const char insert[] =
    "INSERT INTO cx_tenants (name, state) VALUES ($1, " CX__LISTED
    ") RETURNING id, name";
static const char set_name[] =
    "UPDATE cx_tenants SET name = $1 WHERE id = $2 AND state = " CX__LISTED
    " RETURNING id, name";
static const char set_dropped[] =
    "UPDATE cx_tenants SET state = " CX__DROPPED
    " WHERE id = $1 AND state < " CX__DROPPED " RETURNING id, name";
static const char set_gone[] =
    "UPDATE cx_tenants SET state = " CX__GONE
    " WHERE id = $1 AND state < " CX__GONE " RETURNING id, name";

static bool is_name(cx_text name)
{
    return name.data != NULL && name.len > 0 && name.len <= NAME_BYTES &&
           cx__utf8_is_valid(name) && !cx__utf8_has_control(name);
}

/* A tenant as it is in the list. */
struct listed {
    int64_t id;
    cx_tenant *tenant; /* a hold on it; NULL unless wanted */
};

/* Take the row that a statement is at. That of a change must not fail for want
 * of memory, since the change is made: a number needs none. */
static int read_row(cx_db *db, struct cx__statement *statement, bool wanted,
                    struct listed *listed)
{
    cx_param id, name;
    int error = db->engine->column(statement, 0, CX_KIND_I64, &id);

    if (error != 0)
        return error;
    *listed = (struct listed){.id = id.i64};
    if (!wanted)
        return 0;
    error = db->engine->column(statement, 1, CX_KIND_TEXT, &name);
    if (error != 0)
        return error;
    listed->tenant = cx__roster_hold(db->roster, id.i64, name.text);
    return listed->tenant != NULL ? 0 : -ENOMEM;
}

/* Run a prepared statement: 1 with a tenant, 0 without, or the error. */
static int run_prepared(cx_db *db, struct cx__statement *statement,
                        const cx_param *params, unsigned n, bool wanted,
                        struct listed *listed)
{
    int result = 0;

    for (unsigned i = 0; result == 0 && i < n; i++)
        result = db->engine->bind(statement, i + 1, &params[i]);
    if (result == 0)
        result = db->engine->step(statement);
    if (result == 1) {
        int error = read_row(db, statement, wanted, listed);

        /* An update is done only when no more rows come. */
        if (error == 0)
            error = db->engine->step(statement);
        result = error == 0 ? 1 : error;
    }
    if (result != 1) {
        cx_tenant_unref(listed->tenant);
        listed->tenant = NULL;
    }
    return result;
}

static int run(struct cx__connection *connection, const char *text,
               const cx_param *params, unsigned n, bool wanted,
               struct listed *listed)
{
    struct cx__statement *statement;
    int result = cx__statement_own(connection, text, &statement);

    if (result == 0) {
        result =
            run_prepared(connection->db, statement, params, n, wanted, listed);
        cx__statement_done(statement);
    }
    return result;
}

int cx__registry_next(struct cx__connection *connection, int64_t *id)
{
    struct listed listed = {.id = *id};
    cx_param after = cx__param_i64(*id);
    int result = run(connection, find_next, &after, 1, false, &listed);

    *id = listed.id;
    return result;
}

/* The same, with a connection to the registry for it. */
static int ask(cx_db *db, const char *text, const cx_param *params, unsigned n,
               bool wanted, struct listed *listed)
{
    struct cx__connection *connection;
    int result = cx__db_check(db);

    if (result == 0)
        result = cx__pool_lease(db->registry, &connection);
    if (result == 0) {
        result = run(connection, text, params, n, wanted, listed);
        cx__pool_return(connection);
    }
    return result;
}

/* A tenant to be created. */
struct creation {
    cx_text name;
    struct listed listed;
};

/* List a tenant and make its room. */
static int list_and_provision(struct cx__connection *connection, void *arg)
{
    struct creation *creation = arg;
    struct listed *listed = &creation->listed;
    cx_db *db = connection->db;
    cx_param param = cx__param_text(creation->name);
    int result = run(connection, insert, &param, 1, true, listed);

    if (result == -EEXIST)
        return cx__problem(-EEXIST, "there is a tenant of this name");
    return result < 0 ? result : db->engine->provision(db, listed->id);
}

static int check_name(const cx_db *db, cx_text name)
{
    int error = cx__db_check(db);

    if (error == 0 && !is_name(name))
        error = cx__problem(-EINVAL, "not a name for a tenant: 1 to 255 bytes"
                                     " of UTF-8 without control characters");
    return error;
}

int cx_tenant_create(cx_db *db, cx_text name, cx_tenant **tenant)
{
    struct creation creation = {.name = name};
    struct cx__connection *connection;
    int error = check_name(db, name);

    if (error == 0)
        error = cx__pool_lease(db->registry, &connection);
    if (error != 0)
        return error;
    error = cx__within(connection, list_and_provision, &creation);
    cx__pool_return(connection);
    if (error == 0 && tenant != NULL)
        *tenant = creation.listed.tenant;
    else
        cx_tenant_unref(creation.listed.tenant);
    return error;
}

int cx_tenant_find(cx_db *db, cx_text name, cx_tenant **tenant)
{
    struct listed listed = {.tenant = NULL};
    cx_param param = cx__param_text(name);
    int result = tenant != NULL ? check_name(db, name) : cx__wordless(-EINVAL);

    if (result == 0)
        result = ask(db, find_by_name, &param, 1, true, &listed);
    if (result == 0)
        return cx__problem(-ENOENT, "there is no tenant of this name");
    if (result == 1)
        *tenant = listed.tenant;
    return result == 1 ? 0 : result;
}

int cx_tenant_each(cx_db *db, int (*fn)(cx_tenant *tenant, void *arg),
                   void *arg)
{
    struct listed listed = {.id = 0};
    int error = fn != NULL ? cx__db_check(db) : cx__wordless(-EINVAL);
    int result = 1;

    if (error != 0)
        return error;
    db->users++;
    while (error == 0 && result == 1) {
        cx_param after = cx__param_i64(listed.id);

        result = ask(db, find_next, &after, 1, true, &listed);
        if (result == 1) {
            error = fn(listed.tenant, arg);
            cx_tenant_unref(listed.tenant);
            listed.tenant = NULL;
        }
    }
    db->users--;
    return result < 0 ? result : error;
}

static int dropped(void)
{
    return cx__problem(-ESTALE, "the tenant was dropped");
}

/* The database of a handle that is still of use. */
static int db_of(const cx_tenant *tenant, cx_db **db)
{
    if (tenant == NULL)
        return cx__wordless(-EINVAL);
    if (cx_task_current() == NULL || !cx__tenant_is_here(tenant)) {
        int error = cx__db_elsewhere();

        assert(error != 0);
        return error;
    }
    *db = cx__tenant_db(tenant);
    if (*db == NULL)
        return cx__problem(-ESTALE, "the tenant's database is closed");
    return tenant->dropped ? dropped() : 0;
}

int cx_tenant_rename(cx_tenant *tenant, cx_text name)
{
    struct listed listed = {.tenant = NULL};
    char *copy = NULL;
    cx_db *db;
    int result = db_of(tenant, &db);

    if (result == 0)
        result = check_name(db, name);
    if (result == 0)
        result = cx__tenant_name_copy(name, &copy);
    if (result == 0) {
        cx_param params[] = {cx__param_text(name), cx__param_i64(tenant->id)};

        result = ask(db, set_name, params, 2, false, &listed);
        if (result == 0)
            result = dropped();
        else if (result == -EEXIST)
            result = cx__problem(-EEXIST, "there is a tenant of this name");
    }
    if (result == 1)
        cx__tenant_take_name(tenant, copy, name.len);
    else
        free(copy);
    return result == 1 ? 0 : result;
}

/* Have the list say so: 1, or 0 where it says so already. */
static int advance(cx_db *db, int64_t id, const char *text)
{
    struct listed listed = {.tenant = NULL};
    cx_param param = cx__param_i64(id);

    return ask(db, text, &param, 1, false, &listed);
}

static int remove_room(cx_db *db, int64_t id)
{
    int result = db->engine->remove(db, id);

    if (result == 0)
        result = advance(db, id, set_gone);
    return result < 0 ? result : 0;
}

/* Of a tenant that is dropped; what cannot be removed now can be later. */
static int remove_in_time(cx_db *db, int64_t id)
{
    int error = -ENOMEM;

    CX_SHIELD {
        CX_TIMEOUT(REMOVE_MS) {
            error = remove_room(db, id);
        }
    }
    return error == -EBUSY || error == -ETIMEDOUT ? -EINPROGRESS : error;
}

/* With nobody else there. */
static int drop_drained(cx_db *db, cx_tenant *tenant)
{
    int result = advance(db, tenant->id, set_dropped);

    if (result == 1)
        return remove_in_time(db, tenant->id);
    if (result == 0)
        return dropped();
    tenant->dropped = false;
    return result;
}

/* Wait until nobody uses it. Nobody can begin to meanwhile. */
static int drain(cx_tenant *tenant)
{
    struct cx__pool *pool = tenant->pool;
    int error;

    if (pool == NULL)
        return 0;
    pool->users++;
    error = cx__pool_drain(pool);
    cx__pool_release(pool);
    return error;
}

int cx_tenant_drop(cx_tenant *tenant)
{
    cx_db *db;
    int error = db_of(tenant, &db);

    if (error == 0)
        error = cx__db_check(db);
    if (error == 0 && cx__lease_is_held(db, tenant))
        error = cx__problem(-EBUSY, "this task uses the tenant itself");
    if (error != 0)
        return error;
    db->users++;
    tenant->dropped = true;
    error = drain(tenant);
    if (error == 0)
        error = drop_drained(db, tenant);
    else
        tenant->dropped = false;
    db->users--;
    return error;
}

static int sweep(cx_db *db)
{
    struct listed listed = {.id = 0};
    int result;

    do {
        cx_param after = cx__param_i64(listed.id);

        result = ask(db, find_dropped, &after, 1, false, &listed);
        if (result == 1)
            (void)remove_room(db, listed.id);
    } while (result == 1);
    return result;
}

/* What takes longer is for whoever opens the database next. */
int cx__registry_sweep(cx_db *db)
{
    int error = -ENOMEM;

    CX_TIMEOUT(SWEEP_MS) {
        error = sweep(db);
    }
    return error != -ETIMEDOUT ? error : 0;
}
