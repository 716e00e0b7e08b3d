/* SPDX-License-Identifier: MIT */
/*
 * Migrations. A tenant's own list, cx_migrations, says which were applied to
 * it, and is written in the transaction that applies them.
 *
 * The template is migrated first, while the list of tenants is locked: who is
 * in it then is met by the walk over it, and who comes later is of the new
 * version. The connection to the template is had before that to the registry,
 * since whoever has one to a room may have to ask the registry.
 *
 * A script that went well there, where there are no rows, may fail with all
 * tenants, and then has to be another. So a template whose scripts are not the
 * list's is made anew, in one transaction, if no tenant has had a script that
 * the list has not. What others are at meanwhile must not make that untrue: a
 * tenant's migration is committed while the list of tenants is locked, too, and
 * only if the template is still the list's.
 */
#include <errno.h>
#include <stdlib.h>

#include <ctxvar/group.h>

#include "history.h"
#include "lease.h"
#include "pool.h"
#include "problem.h"
#include "registry.h"
#include "tenant.h"
#include "within.h"

enum { AT_ONCE = 4 };

/* A call of cx_migrate(). */
struct run {
    cx_db *db;
    struct cx__pool *template; /* for looks at it, once it is migrated */
    struct cx__scripts scripts;
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

static int apply(const struct run *run, struct cx__connection *connection,
                 size_t n)
{
    const cx_migration *each = &run->scripts.list[n];
    int error = run->db->engine->run_script(
        connection, cx__history_script(&run->scripts, n));

    if (error != 0 && cx_db_problem()[0] != '\0')
        error = cx__problem(error, "version %d, %s: %s", each->version,
                            each->name, cx_db_problem());
    return error == 0 ? cx__history_add(&run->scripts, connection, n) : error;
}

/* Apply what is left, from the n-th on. 1: there was something; 0. */
static int apply_from(const struct run *run, struct cx__connection *connection,
                      size_t n)
{
    bool is_current = n == run->scripts.len;
    int error = 0;

    for (; error == 0 && n < run->scripts.len; n++)
        error = apply(run, connection, n);
    return error == 0 ? !is_current : error;
}

typedef int room_fn(struct run *run, struct cx__connection *connection);

/* Do something with a room, through a connection of its own: a tenant's; or,
 * with NULL, any, apart from the slots. */
static int use_room(struct run *run, cx_tenant *tenant, int64_t id, room_fn *fn)
{
    struct cx__pool *pool = tenant != NULL
                                ? cx__pool_new(run->db, tenant, CX__SCHEMA, id)
                                : cx__pool_apart(run->db, CX__SCHEMA, id);
    struct cx__connection *connection;
    int result;

    if (pool == NULL)
        return cx__wordless(-ENOMEM);
    result = cx__pool_lease(pool, &connection);
    if (result == 0) {
        result = fn(run, connection);
        connection->broken = true;
        cx__pool_return(connection);
    }
    cx__pool_release(pool);
    return result;
}

/* Is what a tenant has had of the list? */
static int check_history(struct run *run, struct cx__connection *connection)
{
    struct cx__history history;
    int error = cx__history_read(&run->scripts, connection, &history);

    return cx__history_refuse(&run->scripts, &history, error);
}

/* Is that so of all tenants? */
static int check_histories(struct run *run, struct cx__connection *registry)
{
    int64_t id = 0;
    int error = 0;
    int result = 0;

    while (error == 0 && (result = cx__registry_next(registry, &id)) == 1)
        error = use_room(run, NULL, id, check_history);
    if (error == -EPROTOTYPE || error == -ERANGE)
        return cx__problem(error,
                           "%s, and tenant %lld has it: let it be as it was,"
                           " and what is to be otherwise be a new script; if"
                           " others cannot have it, declare it changed",
                           cx_db_problem(), (long long)id);
    if (error != 0)
        return cx__problem(error, "tenant %lld: %s", (long long)id,
                           cx_db_problem());
    return result;
}

/* What was applied to the template, where no script may be another than it
 * was: new tenants get what it has. */
static int read_template(const struct run *run,
                         struct cx__connection *connection,
                         struct cx__history *history)
{
    struct cx__scripts scripts = run->scripts;

    scripts.changed = 0;
    return cx__history_read(&scripts, connection, history);
}

/* The template's tables, and the call that they are migrated in. */
struct template
{
    struct run *run;
    struct cx__connection *connection;
    struct cx__connection *registry; /* with the list of tenants locked */
};

/* How many of the list's scripts it has. If it has others, which no tenant has
 * had, it is cleared: none. */
static int start_template(const struct template *template, size_t *n)
{
    struct cx__history history;
    int error = read_template(template->run, template->connection, &history);

    *n = history.n;
    if (error == -ERANGE)
        return cx__problem(error,
                           "new tenants are of version %lld, which the list"
                           " does not have: it is an older list, or the script"
                           " was taken back and needs another in its place, be"
                           " it an empty one",
                           (long long)history.version);
    if (error != -EPROTOTYPE)
        return error;
    *n = 0;
    error = check_histories(template->run, template->registry);
    return error == 0 ? template->run->db->engine->clear(template->connection)
                      : error;
}

/* Within a transaction of the template's. */
static int apply_to_template(struct cx__connection *connection, void *arg)
{
    const struct template *template = arg;
    size_t n;
    int error = start_template(template, &n);

    return error == 0 ? apply_from(template->run, connection, n) : error;
}

static int migrate_locked(struct cx__connection *registry, void *arg)
{
    struct template *template = arg;

    template->registry = registry;
    return cx__within(template->connection, apply_to_template, template);
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

/* Are the template's scripts still the list's, or those of a longer one? */
static int check_template(const struct run *run)
{
    struct cx__connection *connection;
    struct cx__history history;
    int error = cx__pool_lease(run->template, &connection);

    if (error != 0)
        return error;
    error = read_template(run, connection, &history);
    cx__pool_return(connection);
    if (error == -EPROTOTYPE || (error == 0 && history.n < run->scripts.len))
        return cx__problem(-EPROTOTYPE, "another list of migrations took the"
                                        " place of this one meanwhile");
    return error == -ERANGE ? 0 : error;
}

/* Commit a tenant's migration, while nobody makes the template anew. */
static int commit(const struct run *run, struct cx__connection *connection)
{
    struct cx__connection *registry;
    int result = cx__pool_lease(run->db->registry, &registry);

    if (result != 0)
        return cx__within_end(connection, result);
    result = cx__within_begin(registry);
    if (result == 0) {
        result = check_template(run);
        result = cx__within_end(connection, result == 0 ? 1 : result);
        (void)cx__within_end(registry, 0);
    } else {
        (void)cx__within_end(connection, result);
    }
    cx__pool_return(registry);
    return result;
}

/* Within a transaction of the tenant's. */
static int apply_to_tenant(const struct run *run,
                           struct cx__connection *connection)
{
    struct cx__history history;
    int accepted;
    int result = cx__history_read(&run->scripts, connection, &history);

    if (result != 0)
        return cx__history_refuse(&run->scripts, &history, result);
    accepted = cx__history_accept_changed(&run->scripts, connection);
    if (accepted < 0)
        return accepted;
    result = apply_from(run, connection, history.n);
    return result == 0 ? accepted : result;
}

/* A tenant's tables: 1, 0 or the error. */
static int migrate_tenant(struct run *run, struct cx__connection *connection)
{
    int result = cx__within_begin(connection);

    if (result != 0)
        return result;
    result = apply_to_tenant(run, connection);
    return result == 1 ? commit(run, connection)
                       : cx__within_end(connection, result);
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
    int result = use_room(run, tenant, tenant->id, migrate_tenant);

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

/* With a look at the template from time to time. */
static int migrate_beside_template(struct run *run)
{
    int error;

    run->template = cx__pool_apart(run->db, CX__SCHEMA, CX__TEMPLATE);
    if (run->template == NULL)
        return cx__wordless(-ENOMEM);
    error = migrate_tenants(run);
    cx__pool_end(run->template);
    return error;
}

static int migrate(struct run *run)
{
    int result = use_room(run, NULL, CX__TEMPLATE, migrate_template);

    if (result >= 0 && run->scripts.len > 0)
        run->report.version = run->scripts.list[run->scripts.len - 1].version;
    tell(run, NULL, result);
    if (result >= 0)
        result = migrate_beside_template(run);
    return result != 0 ? result : run->error;
}

static bool has_version(const struct cx__scripts *scripts, int version)
{
    size_t n = 0;

    while (n < scripts->len && scripts->list[n].version != version)
        n++;
    return n < scripts->len;
}

static int check_list(const struct cx__scripts *scripts)
{
    const cx_migration *list = scripts->list;
    int before = 0;

    if (list == NULL && scripts->len > 0)
        return cx__wordless(-EINVAL);
    for (size_t n = 0; n < scripts->len; n++) {
        if (list[n].version <= before || list[n].name == NULL)
            return cx__problem(-EINVAL,
                               "migration %zu of the list has no name"
                               " or no greater version",
                               n + 1);
        before = list[n].version;
    }
    if (scripts->changed != 0 && !has_version(scripts, scripts->changed))
        return cx__problem(-EINVAL, "changed is no version of the list");
    return 0;
}

int cx_migrate(cx_db *db, const cx_migration *list, size_t len,
               const cx_migrate_options *options, cx_migrate_report *report)
{
    static const cx_migrate_options none;
    struct run run = {.db = db, .options = options != NULL ? options : &none};
    int error = cx__db_check(db);

    if (error == 0) {
        run.scripts = (struct cx__scripts){.engine = db->engine,
                                           .list = list,
                                           .len = len,
                                           .changed = run.options->changed};
        error = check_list(&run.scripts);
    }
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
