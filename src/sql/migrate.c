/* SPDX-License-Identifier: MIT */
/*
 * Migrations. A tenant's own list, cx_migrations, says which were applied to
 * it, and is written in the transaction that applies them.
 *
 * The template is migrated first, while the list of tenants is locked: who is
 * in it then is met by the walk over it, and who comes later is of the new
 * version. The connection to the template is had before that to the registry,
 * since whoever has one to a room may have to ask the registry.
 */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include <ctxvar/group.h>

#include "lease.h"
#include "param.h"
#include "pool.h"
#include "problem.h"
#include "statement.h"
#include "tenant.h"
#include "within.h"

enum { AT_ONCE = 4 };

static const char list_applied[] =
    "SELECT version, checksum FROM cx_migrations ORDER BY version";
static const char add_applied[] =
    "INSERT INTO cx_migrations (version, name, checksum, at)"
    " VALUES ($1, $2, $3, $4)";

/* A call of cx_migrate(). */
struct run {
    cx_db *db;
    const cx_migration *list;
    size_t len;
    const cx_migrate_options *options;
    cx_migrate_report report;
    cx_group *group;
    int error; /* of the first tenant that failed */
};

/* A tenant of it. */
struct member {
    struct run *run;
    cx_tenant *tenant; /* a hold on it */
};

/* None is nothing to do, as an empty one is. */
static const char *script_of(const struct run *run, size_t n)
{
    const char *script = run->db->engine->script_of(&run->list[n]);

    return script != NULL ? script : "";
}

/* What tells a script from one that was changed since. */
static int64_t checksum(const struct run *run, size_t n)
{
    const char *script = script_of(run, n);

    return (int64_t)cx__shape_of_text(CX_TEXT(script)).shape;
}

/* What was applied as the n-th must be the list's n-th. */
static int check_applied(const struct run *run, size_t n, int64_t version,
                         int64_t sum)
{
    if (n == run->len)
        return cx__problem(-ERANGE,
                           "the tables are of version %lld, which the"
                           " list does not have",
                           (long long)version);
    if (run->list[n].version != version)
        return cx__problem(-EPROTOTYPE,
                           "version %lld was applied where the"
                           " list has version %d",
                           (long long)version, run->list[n].version);
    if (checksum(run, n) != sum)
        return cx__problem(-EPROTOTYPE,
                           "version %lld was changed since it was applied",
                           (long long)version);
    return 0;
}

/* Walk over what was applied: how many there are, or the error. */
static int walk_applied(const struct run *run, struct cx__statement *statement,
                        size_t *n)
{
    const struct cx__engine *engine = run->db->engine;
    int result;

    while ((result = engine->step(statement)) == 1) {
        cx_param version, sum;

        result = engine->column(statement, 0, CX_KIND_I64, &version);
        if (result == 0)
            result = engine->column(statement, 1, CX_KIND_I64, &sum);
        if (result == 0)
            result = check_applied(run, *n, version.i64, sum.i64);
        if (result != 0)
            return result;
        (*n)++;
    }
    return result;
}

static int count_applied(const struct run *run,
                         struct cx__connection *connection, size_t *n)
{
    struct cx__statement *statement;
    int error = cx__statement_own(connection, list_applied, &statement);

    if (error == 0) {
        error = walk_applied(run, statement, n);
        cx__statement_done(statement);
    }
    return error;
}

/* Write down that the n-th was applied. */
static int add(const struct run *run, struct cx__connection *connection,
               size_t n)
{
    const struct cx__engine *engine = run->db->engine;
    const cx_param values[] = {
        cx__param_i64(run->list[n].version),
        cx__param_string(run->list[n].name),
        cx__param_i64(checksum(run, n)),
        cx__param_i64((int64_t)time(NULL)),
    };
    struct cx__statement *statement;
    int error = cx__param_check(&values[1]);

    if (error == 0)
        error = cx__statement_own(connection, add_applied, &statement);
    if (error != 0)
        return error;
    for (unsigned i = 0; error == 0 && i < 4; i++)
        error = engine->bind(statement, i + 1, &values[i]);
    if (error == 0)
        error = engine->step(statement);
    cx__statement_done(statement);
    return error;
}

static int apply(const struct run *run, struct cx__connection *connection,
                 size_t n)
{
    int error = run->db->engine->run_script(connection, script_of(run, n));

    if (error != 0 && cx_db_problem()[0] != '\0')
        error = cx__problem(error, "version %d, %s: %s", run->list[n].version,
                            run->list[n].name, cx_db_problem());
    return error == 0 ? add(run, connection, n) : error;
}

/* Within a transaction: apply what is left. 1: there was something; 0. */
static int apply_all(struct cx__connection *connection, void *arg)
{
    const struct run *run = arg;
    size_t applied = 0;
    int error = count_applied(run, connection, &applied);
    bool is_current = applied == run->len;

    for (size_t n = applied; error == 0 && n < run->len; n++)
        error = apply(run, connection, n);
    return error == 0 ? !is_current : error;
}

/* A tenant's tables: 1, 0 or the error. */
static int migrate_tables(struct run *run, struct cx__connection *connection)
{
    return cx__within(connection, apply_all, run);
}

/* The template's, and the call that they are migrated in. */
struct template
{
    struct run *run;
    struct cx__connection *connection;
};

/* With the list of tenants locked. */
static int migrate_locked(struct cx__connection *registry, void *arg)
{
    const struct template *template = arg;

    (void)registry;
    return migrate_tables(template->run, template->connection);
}

/* The tables of the template, with nobody making a copy of it. */
static int migrate_template(struct run *run, struct cx__connection *connection)
{
    struct template template = {.run = run, .connection = connection};
    struct cx__connection *registry;
    int result = cx__pool_lease(run->db->registry, &registry);

    if (result != 0)
        return result;
    result = cx__within(registry, migrate_locked, &template);
    cx__pool_return(registry);
    return result;
}

/* Have a room migrated, through a connection of its own. */
static int migrate_room(struct run *run, cx_tenant *tenant, int64_t id,
                        int (*fn)(struct run *run,
                                  struct cx__connection *connection))
{
    struct cx__pool *pool = cx__pool_new(run->db, tenant, CX__SCHEMA, id);
    struct cx__connection *connection;
    int result;

    if (pool == NULL)
        return -ENOMEM;
    result = cx__pool_lease(pool, &connection);
    if (result == 0) {
        result = fn(run, connection);
        connection->broken = true;
        cx__pool_return(connection);
    }
    cx__pool_release(pool);
    return result;
}

/* Count a tenant, and tell of it. */
static void tell(struct run *run, cx_tenant *tenant, int result)
{
    int error = result < 0 ? result : 0;

    if (tenant != NULL) {
        run->report.migrated += result == 1;
        run->report.current += result == 0;
        run->report.failed += result < 0;
    }
    if (run->error == 0)
        run->error = error;
    if (run->options->done != NULL)
        run->options->done(tenant, error, run->options->arg);
}

/* One that is dropped meanwhile has no need of it. */
static int member_main(void *arg)
{
    struct member *member = arg;
    struct run *run = member->run;
    cx_tenant *tenant = member->tenant;
    int result = migrate_room(run, tenant, tenant->id, migrate_tables);

    if (result == 1 && tenant->pool != NULL)
        cx__pool_expire(tenant->pool);
    if (!tenant->dropped)
        tell(run, tenant, result);
    cx_tenant_unref(tenant);
    free(member);
    return 0;
}

/* Start a tenant's migration as soon as there are few enough at work. */
static int start(cx_tenant *tenant, void *arg)
{
    struct run *run = arg;
    struct member *member = malloc(sizeof(*member));
    int error;

    if (member == NULL)
        return -ENOMEM;
    *member = (struct member){.run = run, .tenant = cx_tenant_ref(tenant)};
    error = cx_group_start(run->group, member_main, member);
    if (error != 0) {
        cx_tenant_unref(tenant);
        free(member);
    }
    return error;
}

static int migrate_tenants(struct run *run)
{
    cx_group_options options = {
        .limit = run->options->at_once != 0 ? run->options->at_once : AT_ONCE};
    int error, ended;

    run->group = cx_group_new(&options);
    if (run->group == NULL)
        return -errno;
    error = cx_tenant_each(run->db, start, run);
    if (error != 0)
        cx_group_cancel(run->group);
    ended = cx_group_wait(run->group);
    cx_group_free(run->group);
    return error != 0 ? error : ended;
}

static int migrate(struct run *run)
{
    int result = migrate_room(run, NULL, CX__TEMPLATE, migrate_template);

    tell(run, NULL, result);
    if (result >= 0)
        result = migrate_tenants(run);
    return result != 0 ? result : run->error;
}

static int check_list(const cx_migration *list, size_t len)
{
    int before = 0;

    if (list == NULL && len > 0)
        return cx__wordless(-EINVAL);
    for (size_t n = 0; n < len; n++) {
        if (list[n].version <= before || list[n].name == NULL)
            return cx__problem(-EINVAL,
                               "migration %zu of the list has no name"
                               " or no greater version",
                               n + 1);
        before = list[n].version;
    }
    return 0;
}

int cx_migrate(cx_db *db, const cx_migration *list, size_t len,
               const cx_migrate_options *options, cx_migrate_report *report)
{
    static const cx_migrate_options none;
    struct run run = {.db = db,
                      .list = list,
                      .len = len,
                      .options = options != NULL ? options : &none};
    int error = cx__db_check(db);

    if (error == 0)
        error = check_list(list, len);
    if (error == 0 && cx__lease_is_any_held(db))
        error = cx__problem(-EBUSY, "this task uses a tenant itself");
    if (error == 0) {
        db->users++;
        error = migrate(&run);
        db->users--;
    }
    if (report != NULL)
        *report = run.report;
    return error;
}
