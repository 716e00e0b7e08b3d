/* SPDX-License-Identifier: MIT */
/* Migrations while others are at work: of the same tenants, of new ones, and
 * with the tables that change. */
#include "support.h"

#include <ctxvar/deadline.h>
#include <ctxvar/migrate.h>
#include <ctxvar/model.h>

#define STEP(version_, name_, script)                                          \
    {                                                                          \
        .version = (version_), .name = (name_), .sqlite = (script),            \
        .postgres = (script)                                                   \
    }

static const cx_migration steps[] = {
    STEP(1, "users",
         "CREATE TABLE users (id bigint PRIMARY KEY, name text NOT NULL);"
         "INSERT INTO users VALUES (1, 'first')"),
    STEP(2, "age", "ALTER TABLE users ADD COLUMN age bigint"),
    STEP(5, "names", "CREATE UNIQUE INDEX users_name ON users (name)"),
    STEP(6, "rows", "UPDATE users SET name = 'one'"),
    STEP(7, "nothing", NULL),
};

static int migrate(cx_db *db, size_t len, cx_migrate_report *report)
{
    return cx_migrate(db, steps, len, NULL, report);
}

static void *migrate_all(void *db)
{
    return as_pointer(migrate(db, 3, NULL));
}

/* A folder or server's database that is open twice, as by two processes. */
struct twice {
    struct folder folder;
    cx_db *db[2];
    unsigned created;
    unsigned wanted;
    bool done;
};

static void twice_make(struct twice *twice)
{
    *twice = (struct twice){.created = 0};
    folder_make(&twice->folder);
    for (int i = 0; i < 2; i++)
        assert_ok(cx_db_open(twice->folder.url, NULL, &twice->db[i]));
}

static void twice_end(struct twice *twice)
{
    for (int i = 0; i < 2; i++)
        assert_ok(cx_db_close(twice->db[i]));
    folder_remove(&twice->folder);
}

TASK_TEST(migrations_at_once_wait_for_each_other)
{
    cx_task *tasks[2];
    struct twice twice;

    twice_make(&twice);
    for (int i = 0; i < 5; i++) {
        char name[2] = {(char)('A' + i), '\0'};

        cx_tenant_unref(tenant_make(twice.db[0], name));
    }
    for (int i = 0; i < 2; i++)
        tasks[i] = cx_task_create(migrate_all, twice.db[i]);
    for (int i = 0; i < 2; i++) {
        void *error;

        assert_int_equal(cx_await(tasks[i], &error), 0);
        assert_int_equal((intptr_t)error, 0);
    }
    twice_end(&twice);
}

static void *create_until_done(void *arg)
{
    struct twice *twice = arg;

    while (!twice->done) {
        char name[32];

        /* So that whoever migrates them catches up. */
        if (twice->created >= twice->wanted) {
            assert_int_equal(cx_sleep(1), 0);
            continue;
        }

        (void)snprintf(name, sizeof(name), "%u", twice->created++);
        assert_ok(cx_tenant_create(twice->db[1], CX_TEXT(name), NULL));
    }
    return NULL;
}

/* It is a copy of the template as it was before, or as it is afterwards. */
TASK_TEST(a_tenant_that_is_made_amid_a_migration_is_whole)
{
    cx_migrate_report report;
    struct twice twice;
    cx_task *task;

    twice_make(&twice);
    task = cx_task_create(create_until_done, &twice);
    for (size_t len = 1; len <= 3; len++) {
        twice.wanted += 8;
        while (twice.created + 4 < twice.wanted)
            assert_int_equal(cx_sleep(1), 0);
        assert_ok(migrate(twice.db[0], len, NULL));
    }
    twice.done = true;
    assert_int_equal(cx_await(task, NULL), 0);
    assert_ok(migrate(twice.db[0], 3, &report));
    assert_int_equal(report.failed, 0);
    assert_int_equal(report.migrated + report.current, twice.created);
    twice_end(&twice);
}

/* Something else that changes the template, or its rows, and is at it. */
struct hold {
    sqlite3 *file;
    FILE *psql;
};

static int64_t ask_server(const struct folder *folder, const char *text)
{
    char command[512];
    char answer[32] = "";
    FILE *pipe;

    (void)snprintf(command, sizeof(command), "psql -qXAt '%s' -c \"%s\"",
                   folder->url, text);
    pipe = popen(command, "r");
    assert_non_null(pipe);
    assert_non_null(fgets(answer, sizeof(answer), pipe));
    assert_int_equal(pclose(pipe), 0);
    return strtoll(answer, NULL, 10);
}

static void hold_on_server(struct hold *hold, const struct folder *folder)
{
    char command[256];

    (void)snprintf(command, sizeof(command), "psql -qX '%s'", folder->url);
    hold->psql = popen(command, "w");
    assert_non_null(hold->psql);
    (void)fputs("BEGIN; LOCK TABLE t0.cx_migrations IN SHARE MODE;\n",
                hold->psql);
    (void)fflush(hold->psql);
    while (ask_server(folder, "SELECT count(*) FROM pg_locks WHERE granted AND"
                              " relation = 't0.cx_migrations'::regclass") == 0)
        ;
}

static void hold_begin(struct hold *hold, const struct folder *folder)
{
    char path[128];

    *hold = (struct hold){.file = NULL};
    if (server() != NULL) {
        hold_on_server(hold, folder);
        return;
    }
    (void)snprintf(path, sizeof(path), "%s/db/t0.db", folder->path);
    assert_int_equal(sqlite3_open(path, &hold->file), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(hold->file, "BEGIN IMMEDIATE", NULL, NULL, NULL),
        SQLITE_OK);
}

static void hold_end(const struct hold *hold)
{
    if (hold->psql != NULL)
        assert_int_equal(pclose(hold->psql), 0);
    assert_int_equal(sqlite3_close(hold->file), SQLITE_OK);
}

/* Has a migration the list of tenants for itself? */
static bool is_locked(const struct folder *folder)
{
    char path[128];
    sqlite3 *file;
    int code;

    if (server() != NULL)
        return ask_server(folder,
                          "SELECT count(*) FROM pg_locks WHERE granted"
                          " AND mode = 'ShareRowExclusiveLock' AND"
                          " relation = 'ctxvar.cx_tenants'::regclass") > 0;
    (void)snprintf(path, sizeof(path), "%s/db/registry.db", folder->path);
    assert_int_equal(sqlite3_open(path, &file), SQLITE_OK);
    code = sqlite3_exec(file, "BEGIN IMMEDIATE", NULL, NULL, NULL);
    assert_int_equal(sqlite3_close(file), SQLITE_OK);
    return code == SQLITE_BUSY;
}

/* Start a migration that does not get past the template. */
static cx_task *start_held(struct hold *hold, const struct twice *twice)
{
    cx_task *task;

    hold_begin(hold, &twice->folder);
    task = cx_task_create(migrate_all, twice->db[0]);
    while (!is_locked(&twice->folder))
        assert_ok(cx_sleep(1));
    return task;
}

static int create_in_time(cx_db *db)
{
    int error = -1;

    CX_TIMEOUT(50) {
        error = cx_tenant_create(db, CX_TEXT("late"), NULL);
    }
    return error;
}

TASK_TEST(no_tenant_is_made_of_a_template_that_is_being_migrated)
{
    struct twice twice;
    struct hold hold;
    cx_task *task;
    cx_tenant *tenant;
    void *error;

    twice_make(&twice);
    task = start_held(&hold, &twice);
    for (int i = 0; i < 2; i++)
        assert_int_equal(create_in_time(twice.db[i]), -ETIMEDOUT);
    hold_end(&hold);
    tenant = tenant_make(twice.db[1], "late");
    CX_WITH_TENANT(tenant) {
        int version;

        assert_ok(cx_migrate_version(twice.db[1], &version));
        assert_int_equal(version, 5);
    }
    assert_int_equal(cx_await(task, &error), 0);
    assert_int_equal((intptr_t)error, 0);
    cx_tenant_unref(tenant);
    twice_end(&twice);
}

TASK_TEST(a_migration_that_is_cancelled_at_the_template_keeps_nobody)
{
    struct twice twice;
    struct hold hold;
    cx_task *task;
    void *error;

    twice_make(&twice);
    task = start_held(&hold, &twice);
    assert_int_equal(cx_cancel(task), 0);
    assert_int_equal(cx_await(task, &error), 0);
    assert_int_equal((intptr_t)error, -ECANCELED);
    while (is_locked(&twice.folder))
        assert_ok(cx_sleep(1));
    hold_end(&hold);
    cx_tenant_unref(tenant_make(twice.db[1], "late"));
    twice_end(&twice);
}

/* Who has a connection to a tenant's room may need one to the registry. */
TASK_TEST(a_migration_with_a_single_connection_waits_its_turn)
{
    cx_db_options options = {.connections = 1, .connections_each = 1};
    struct folder folder;
    cx_task *task;
    cx_db *db;
    void *error;

    folder_make(&folder);
    assert_ok(cx_db_open(folder.url, &options, &db));
    cx_tenant_unref(tenant_make(db, "A"));
    task = cx_task_create(migrate_all, db);
    for (int i = 0; i < 8; i++) {
        char name[2] = {(char)('B' + i), '\0'};
        cx_tenant *tenant = tenant_make(db, name);

        CX_WITH_TENANT(tenant) {
            assert_ok(run(db, "SELECT 1"));
        }
        cx_tenant_unref(tenant);
    }
    assert_int_equal(cx_await(task, &error), 0);
    assert_int_equal((intptr_t)error, 0);
    assert_ok(cx_db_close(db));
    folder_remove(&folder);
}

typedef struct User {
    int64_t id;
} User;

static const cx_column user_columns[] = {CX_COLUMN(User, id, .key = true)};
CX_MODEL(User, early_model, "users", user_columns, .from = 1, .until = 1);
CX_MODEL(User, middle_model, "users", user_columns, .from = 2, .until = 5);
CX_MODEL(User, late_model, "users", user_columns, .from = 6, .until = 6);

static int find(cx_db *db, const cx_model *model)
{
    return cx_model_find(db, model, &(User){.id = 1}, NULL);
}

/* With all that went before it still in use. */
static void assert_out_of_range(cx_db *db, const cx_model *model)
{
    int error = find(db, model);

    while (error == 0)
        error = cx_sleep(1) != 0 ? -1 : find(db, model);
    assert_int_equal(error, -ERANGE);
}

/* What is told of comes a moment after the migration's end. */
TASK_TEST(a_program_that_runs_on_sees_anothers_migration)
{
    struct twice twice;
    cx_tenant *tenant;
    cx_db *db;

    twice_make(&twice);
    db = twice.db[1];
    assert_ok(migrate(twice.db[0], 1, NULL));
    tenant = tenant_make(db, "A");
    CX_WITH_TENANT(tenant) {
        assert_ok(find(db, &early_model.model));
        assert_ok(migrate(twice.db[0], 2, NULL));
        assert_out_of_range(db, &early_model.model);
        assert_ok(find(db, &middle_model.model));
        assert_ok(migrate(twice.db[0], 4, NULL));
        assert_out_of_range(db, &middle_model.model);
        assert_ok(find(db, &late_model.model));
        assert_ok(migrate(twice.db[0], 5, NULL));
        assert_out_of_range(db, &late_model.model);
    }
    cx_tenant_unref(tenant);
    twice_end(&twice);
}

/* Its own statement clears away what a session has set, and asks anew. */
TASK_TEST(a_program_with_statements_of_its_own_sees_anothers_migration)
{
    struct twice twice;
    cx_tenant *tenant;
    cx_db *db;

    twice_make(&twice);
    db = twice.db[1];
    assert_ok(migrate(twice.db[0], 1, NULL));
    tenant = tenant_make(db, "A");
    CX_WITH_TENANT(tenant) {
        assert_ok(run(db, "SELECT 1"));
        assert_ok(find(db, &early_model.model));
        assert_ok(migrate(twice.db[0], 2, NULL));
        assert_out_of_range(db, &early_model.model);
    }
    cx_tenant_unref(tenant);
    twice_end(&twice);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(migrations_at_once_wait_for_each_other),
        cmocka_unit_test(a_tenant_that_is_made_amid_a_migration_is_whole),
        cmocka_unit_test(
            no_tenant_is_made_of_a_template_that_is_being_migrated),
        cmocka_unit_test(
            a_migration_that_is_cancelled_at_the_template_keeps_nobody),
        cmocka_unit_test(a_migration_with_a_single_connection_waits_its_turn),
        cmocka_unit_test(a_program_that_runs_on_sees_anothers_migration),
        cmocka_unit_test(
            a_program_with_statements_of_its_own_sees_anothers_migration),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
