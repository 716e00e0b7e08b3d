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
#include <time.h>

#include <ctxvar/group.h>

#include "lease.h"
#include "param.h"
#include "pool.h"
#include "problem.h"
#include "registry.h"
#include "statement.h"
#include "tenant.h"
#include "within.h"

enum { AT_ONCE = 4 };

static const char list_applied[] =
    "SELECT version, checksum FROM cx_migrations ORDER BY version";
static const char add_applied[] =
    "INSERT INTO cx_migrations (version, name, checksum, at)"
    " VALUES ($1, $2, $3, $4)";
static const char set_checksum[] = "UPDATE cx_migrations SET checksum = $1"
                                   " WHERE version = $2 AND checksum <> $1";

/* A call of cx_migrate(). */
struct run {
    cx_db *db;
    struct cx__pool *template; /* for looks at it, once it is migrated */
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

/* What tells a script from one that was changed since: FNV-1a, of 64 bits. It
 * is kept in each tenant's list, and so must stay what it is. */
static int64_t checksum(const struct run *run, size_t n)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (const char *at = script_of(run, n); *at != '\0'; at++)
        hash = (hash ^ (unsigned char)*at) * UINT64_C(0x100000001b3);
    return (int64_t)hash;
}

/* How much of what was applied to a room is the list's: n scripts of it, and
 * what then comes, if there is more, a version. */
struct history {
    size_t n;
    int64_t version;
};

/* Is a script that was applied the list's next? changed: a version whose script
 * may be another than it was; 0: none. An error has no words yet. */
static int check_applied(const struct run *run, int changed,
                         const struct history *history, int64_t sum)
{
    size_t n = history->n;

    if (n == run->len)
        return -ERANGE;
    if (run->list[n].version != history->version)
        return -EPROTOTYPE;
    return history->version == changed || checksum(run, n) == sum ? 0
                                                                  : -EPROTOTYPE;
}

/* Leave words for that error of a walk. */
static int refuse(const struct run *run, const struct history *history,
                  int error)
{
    long long version = history->version;

    if (error == -ERANGE)
        return cx__problem(error,
                           "the tables are of version %lld, which the"
                           " list does not have",
                           version);
    if (error == -EPROTOTYPE && run->list[history->n].version != version)
        return cx__problem(error,
                           "version %lld was applied where the"
                           " list has version %d",
                           version, run->list[history->n].version);
    if (error == -EPROTOTYPE)
        return cx__problem(
            error, "version %lld was changed since it was applied", version);
    return error;
}

/* Walk over what was applied. */
static int walk_applied(const struct run *run, int changed,
                        struct cx__statement *statement,
                        struct history *history)
{
    const struct cx__engine *engine = run->db->engine;
    int result;

    while ((result = engine->step(statement)) == 1) {
        cx_param version, sum;

        result = engine->column(statement, 0, CX_KIND_I64, &version);
        if (result == 0)
            result = engine->column(statement, 1, CX_KIND_I64, &sum);
        if (result != 0)
            return result;
        history->version = version.i64;
        result = check_applied(run, changed, history, sum.i64);
        if (result != 0)
            return result;
        history->n++;
    }
    return result;
}

static int read_applied(const struct run *run, int changed,
                        struct cx__connection *connection,
                        struct history *history)
{
    struct cx__statement *statement;
    int error = cx__statement_own(connection, list_applied, &statement);

    *history = (struct history){.n = 0};
    if (error == 0) {
        error = walk_applied(run, changed, statement, history);
        cx__statement_done(statement);
    }
    return error;
}

/* Change a room's list: how many rows, or the error. */
static int change(struct cx__connection *connection, const char *text,
                  const cx_param *values, unsigned n)
{
    const struct cx__engine *engine = connection->db->engine;
    struct cx__statement *statement;
    int result = cx__statement_own(connection, text, &statement);

    if (result != 0)
        return result;
    for (unsigned i = 0; result == 0 && i < n; i++)
        result = engine->bind(statement, i + 1, &values[i]);
    if (result == 0)
        result = engine->step(statement);
    if (result == 0)
        result = (int)engine->changed(statement);
    cx__statement_done(statement);
    return result;
}

/* Write down that the n-th was applied. */
static int add(const struct run *run, struct cx__connection *connection,
               size_t n)
{
    const cx_param values[] = {
        cx__param_i64(run->list[n].version),
        cx__param_string(run->list[n].name),
        cx__param_i64(checksum(run, n)),
        cx__param_i64((int64_t)time(NULL)),
    };
    int result = cx__param_check(&values[1]);

    if (result == 0)
        result = change(connection, add_applied, values, 4);
    return result < 0 ? result : 0;
}

/* Write down that a script is another now: 1, or 0 where it is not. */
static int accept_changed(const struct run *run,
                          struct cx__connection *connection)
{
    for (size_t n = 0; n < run->len; n++) {
        const cx_param values[] = {
            cx__param_i64(checksum(run, n)),
            cx__param_i64(run->list[n].version),
        };

        if (run->list[n].version == run->options->changed)
            return change(connection, set_checksum, values, 2);
    }
    return 0;
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

/* Apply what is left, from the n-th on. 1: there was something; 0. */
static int apply_from(const struct run *run, struct cx__connection *connection,
                      size_t n)
{
    bool is_current = n == run->len;
    int error = 0;

    for (; error == 0 && n < run->len; n++)
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
    struct history history;
    int error = read_applied(run, run->options->changed, connection, &history);

    return refuse(run, &history, error);
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

/* The template's tables, and the call that they are migrated in. */
struct template
{
    struct run *run;
    struct cx__connection *connection;
    struct cx__connection *registry; /* with the list of tenants locked */
};

/* What of the list is applied to it: as many as are, or, if there are others
 * which no tenant has had, none any more. */
static int start_template(const struct template *template, size_t *n)
{
    struct history history;
    int error = read_applied(template->run, 0, template->connection, &history);

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
    struct history history;
    int error = cx__pool_lease(run->template, &connection);

    if (error != 0)
        return error;
    error = read_applied(run, 0, connection, &history);
    cx__pool_return(connection);
    if (error == -EPROTOTYPE || (error == 0 && history.n < run->len))
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
    struct history history;
    int accepted;
    int result = read_applied(run, run->options->changed, connection, &history);

    if (result != 0)
        return refuse(run, &history, result);
    accepted = accept_changed(run, connection);
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

    if (result >= 0 && run->len > 0)
        run->report.version = run->list[run->len - 1].version;
    tell(run, NULL, result);
    if (result >= 0)
        result = migrate_beside_template(run);
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
