/* SPDX-License-Identifier: MIT */
/* Migrations: all tenants, each as a whole, again until all are done. */
#include "two.h"

#include <ctxvar/migrate.h>
#include <ctxvar/model.h>
#include <ctxvar/transaction.h>

/* A script that both engines have, as it is. */
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
};

/* What happened, tenant by tenant. */
struct log {
    size_t template_done;
    size_t tenants_done;
    int64_t failed_id;
    char words[128];
};

static void note(cx_tenant *tenant, int error, void *arg)
{
    struct log *log = arg;

    if (tenant == NULL)
        log->template_done++;
    else
        log->tenants_done++;
    if (error != 0) {
        log->failed_id = cx_tenant_id(tenant);
        (void)snprintf(log->words, sizeof(log->words), "%s", cx_db_problem());
    }
}

static int migrate(cx_db *db, size_t len, cx_migrate_report *report)
{
    return cx_migrate(db, steps, len, NULL, report);
}

static int64_t number_of(cx_db *db, cx_tenant *tenant, const char *text)
{
    int64_t value = -1;

    CX_WITH_TENANT(tenant) {
        value = number(db, text);
    }
    return value;
}

DB_TEST(a_new_tenant_is_of_the_last_version)
{
    cx_tenant *tenant;

    assert_ok(migrate(db, 3, NULL));
    tenant = tenant_make(db, "A");
    assert_int_equal(number_of(db, tenant, "SELECT count(age) FROM users"), 0);
    assert_int_equal(number_of(db, tenant, "SELECT id FROM users"), 1);
    cx_tenant_unref(tenant);
}

static int version_of(cx_db *db, cx_tenant *tenant)
{
    int version = -1;

    CX_WITH_TENANT(tenant) {
        assert_ok(cx_migrate_version(db, &version));
    }
    return version;
}

DB_TEST(the_version_is_that_of_the_last_migration)
{
    cx_tenant *tenant = tenant_make(db, "A");

    assert_int_equal(version_of(db, tenant), 0);
    assert_ok(migrate(db, 2, NULL));
    assert_int_equal(version_of(db, tenant), 2);
    assert_ok(migrate(db, 3, NULL));
    assert_int_equal(version_of(db, tenant), 5);
    cx_tenant_unref(tenant);
}

DB_TEST(the_version_is_a_tenants)
{
    int version;

    assert_int_equal(cx_migrate_version(db, &version), -ENOKEY);
    assert_int_equal(cx_migrate_version(NULL, &version), -EINVAL);
    assert_int_equal(cx_migrate_version(db, NULL), -EINVAL);
}

/* What was told of each tenant, up to one that is too many. */
struct told {
    int64_t id[4];
    int version[4];
    char words[128];
    size_t n;
    size_t most;
};

static int take_version(cx_tenant *tenant, int version, void *arg)
{
    struct told *told = arg;

    if (told->n == told->most)
        return 7;
    told->id[told->n] = cx_tenant_id(tenant);
    told->version[told->n++] = version;
    if (version < 0)
        (void)snprintf(told->words, sizeof(told->words), "%s", cx_db_problem());
    return 0;
}

/* Three tenants of version 2. */
static void make_three(cx_db *db)
{
    for (int i = 0; i < 3; i++)
        cx_tenant_unref(tenant_make(db, (char[]){(char)('A' + i), '\0'}));
    assert_ok(migrate(db, 2, NULL));
}

DB_TEST(the_versions_of_all_tenants_are_told_in_the_order_of_their_ids)
{
    struct told told = {.most = 4};

    assert_int_equal(cx_migrate_versions(db, NULL, NULL), -EINVAL);
    assert_int_equal(cx_migrate_versions(NULL, take_version, &told), -EINVAL);
    assert_ok(cx_migrate_versions(db, take_version, &told));
    assert_int_equal(told.n, 0);
    make_three(db);
    assert_ok(cx_migrate_versions(db, take_version, &told));
    assert_int_equal(told.n, 3);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(told.id[i], i + 1);
        assert_int_equal(told.version[i], 2);
    }
    told = (struct told){.most = 1};
    assert_int_equal(cx_migrate_versions(db, take_version, &told), 7);
}

DB_TEST(a_version_that_cannot_be_read_hides_no_other)
{
    struct told told = {.most = 4};
    char path[128];

    make_three(db);
    (void)snprintf(path, sizeof(path), "%s/db/t2.db", folder->path);
    if (server() != NULL)
        server_run(folder->url, "SET client_min_messages = error;"
                                " DROP SCHEMA t2 CASCADE");
    else
        assert_int_equal(unlink(path), 0);
    assert_ok(cx_migrate_versions(db, take_version, &told));
    assert_int_equal(told.n, 3);
    assert_int_equal(told.version[0], 2);
    assert_true(told.version[1] < 0);
    assert_string_not_equal(told.words, "");
    assert_int_equal(told.version[2], 2);
}

/* A tenant's own call, made while the versions of all are told. */
static int use_tenant(cx_tenant *tenant, int version, void *db)
{
    CX_WITH_TENANT(tenant) {
        assert_int_equal(number(db, "SELECT count(*) FROM users"), 1);
    }
    assert_int_equal(version, 2);
    return 0;
}

TASK_TEST(a_walk_over_versions_has_no_connection_between_them)
{
    const cx_db_options options = {.connections = 1};
    struct folder folder;
    cx_db *db;

    folder_make(&folder);
    assert_ok(cx_db_open(folder.url, &options, &db));
    make_three(db);
    assert_ok(cx_migrate_versions(db, use_tenant, db));
    assert_ok(cx_db_close(db));
    folder_remove(&folder);
}

DB_TEST(all_tenants_are_migrated)
{
    cx_tenant *tenants[10];
    cx_migrate_report report;

    for (int i = 0; i < 10; i++) {
        char name[2] = {(char)('A' + i), '\0'};

        tenants[i] = tenant_make(db, name);
    }
    assert_ok(migrate(db, 1, &report));
    assert_int_equal(report.migrated, 10);
    assert_int_equal(report.current + report.failed, 0);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(
            number_of(db, tenants[i], "SELECT count(*) FROM users"), 1);
        cx_tenant_unref(tenants[i]);
    }
}

DB_TEST(what_is_done_is_not_done_again)
{
    cx_tenant *tenant = tenant_make(db, "A");
    cx_migrate_report report;

    assert_ok(migrate(db, 2, &report));
    assert_ok(migrate(db, 2, &report));
    assert_int_equal(report.current, 1);
    assert_int_equal(report.migrated, 0);
    assert_ok(migrate(db, 3, &report));
    assert_int_equal(report.migrated, 1);
    assert_int_equal(number_of(db, tenant, "SELECT count(*) FROM users"), 1);
    cx_tenant_unref(tenant);
}

DB_TEST(each_is_told_of_with_the_template_first)
{
    struct log log = {.template_done = 0};
    cx_migrate_options options = {.done = note, .arg = &log};

    cx_tenant_unref(tenant_make(db, "A"));
    cx_tenant_unref(tenant_make(db, "B"));
    assert_ok(cx_migrate(db, steps, 3, &options, NULL));
    assert_int_equal(log.template_done, 1);
    assert_int_equal(log.tenants_done, 2);
    assert_int_equal(log.failed_id, 0);
}

static const cx_migration unique_ages[] = {
    STEP(1, "rank", "ALTER TABLE users ADD COLUMN rank bigint"),
    STEP(2, "ages", "CREATE UNIQUE INDEX ages ON users (age)"),
};
CX_MODEL(Row, later_model, "users", row_columns, .from = 1);

/* R16: it refuses who needs the new tables, too. */
TWO_TEST(one_that_fails_is_as_it_was_and_the_others_go_on)
{
    struct log log = {.template_done = 0};
    cx_migrate_options options = {.done = note, .arg = &log};
    cx_migrate_report report;
    Row row = {.id = 1};
    CX_ARENA(arena);

    CX_WITH_TENANT(two->b) {
        assert_ok(run(db, "INSERT INTO users (name, age) VALUES ('x', 1)"));
    }
    assert_int_equal(cx_migrate(db, unique_ages, 2, &options, &report),
                     -EEXIST);
    assert_int_equal(report.migrated, 1);
    assert_int_equal(report.failed, 1);
    assert_int_equal(log.failed_id, 2);
    assert_memory_equal(log.words, "version 2, ages: ", 17);
    CX_WITH_TENANT(two->b) {
        assert_int_equal(run(db, "SELECT rank FROM users"), -EINVAL);
        assert_int_equal(cx_db_find(db, &later_model, &row, &arena), -ERANGE);
        assert_ok(run(db, "DELETE FROM users WHERE name = 'x'"));
    }
    CX_WITH_TENANT(two->a) {
        assert_ok(cx_db_find(db, &later_model, &row, &arena));
    }
    two_check(db, two);
    assert_ok(cx_migrate(db, unique_ages, 2, NULL, &report));
    assert_int_equal(report.migrated, 1);
    assert_int_equal(report.current, 1);
}

DB_TEST(what_fails_on_the_template_is_tried_on_no_tenant)
{
    static const cx_migration wrong[] = {STEP(1, "wrong", "CREATE TABEL x")};
    cx_tenant *tenant = tenant_make(db, "A");
    struct log log = {.template_done = 0};
    cx_migrate_options options = {.done = note, .arg = &log};

    assert_int_equal(cx_migrate(db, wrong, 1, &options, NULL), -EINVAL);
    assert_int_equal(log.template_done, 1);
    assert_int_equal(log.tenants_done, 0);
    assert_memory_equal(log.words, "version 1, wrong: ", 18);
    assert_ok(migrate(db, 1, NULL));
    cx_tenant_unref(tenant);
}

DB_TEST(a_migration_that_was_changed_is_refused)
{
    static const cx_migration changed[] = {
        STEP(1, "users", "CREATE TABLE users (id bigint PRIMARY KEY)")};

    assert_ok(migrate(db, 1, NULL));
    cx_tenant_unref(tenant_make(db, "A"));
    assert_int_equal(cx_migrate(db, changed, 1, NULL, NULL), -EPROTOTYPE);
}

DB_TEST(a_migration_that_was_put_in_between_is_refused)
{
    static const cx_migration between[] = {
        STEP(1, "users",
             "CREATE TABLE users (id bigint PRIMARY KEY, name text NOT NULL);"
             "INSERT INTO users VALUES (1, 'first')"),
        STEP(2, "age", "ALTER TABLE users ADD COLUMN age bigint"),
        STEP(3, "late", "ALTER TABLE users ADD COLUMN late bigint"),
        STEP(5, "names", "CREATE UNIQUE INDEX users_name ON users (name)"),
    };

    assert_ok(migrate(db, 3, NULL));
    cx_tenant_unref(tenant_make(db, "A"));
    assert_int_equal(cx_migrate(db, between, 4, NULL, NULL), -EPROTOTYPE);
}

DB_TEST(tables_of_a_later_version_are_left_alone)
{
    assert_ok(migrate(db, 3, NULL));
    assert_int_equal(migrate(db, 1, NULL), -ERANGE);
}

DB_TEST(versions_that_do_not_rise_are_refused)
{
    static const cx_migration lists[][2] = {
        {STEP(0, "a", "SELECT 1"), STEP(1, "b", "SELECT 1")},
        {STEP(1, "a", "SELECT 1"), STEP(1, "b", "SELECT 1")},
        {STEP(1, "a", "SELECT 1"), STEP(2, NULL, "SELECT 1")}};

    for (int i = 0; i < 3; i++)
        assert_int_equal(cx_migrate(db, lists[i], 2, NULL, NULL), -EINVAL);
}

DB_TEST(a_connection_that_was_open_sees_the_new_tables)
{
    cx_tenant *tenant;

    assert_ok(migrate(db, 1, NULL));
    tenant = tenant_make(db, "A");
    CX_WITH_TENANT(tenant) {
        assert_int_equal(run(db, "SELECT age FROM users"), -EINVAL);
        assert_ok(migrate(db, 3, NULL));
        assert_ok(run(db, "SELECT age FROM users"));
    }
    cx_tenant_unref(tenant);
}

typedef struct User {
    int64_t id;
    cx_maybe_i64 age;
} User;

static const cx_column user_columns[] = {
    CX_COLUMN(User, id, .key = true),
    CX_COLUMN(User, age),
};
CX_MODEL(User, user_model, "users", user_columns, .from = 2, .until = 4);

DB_TEST(a_model_serves_the_versions_of_its_range)
{
    User user = {.id = 1};
    cx_tenant *tenant;

    assert_ok(migrate(db, 1, NULL));
    tenant = tenant_make(db, "A");
    CX_WITH_TENANT(tenant) {
        assert_int_equal(cx_db_find(db, &user_model, &user, NULL), -ERANGE);
        assert_ok(migrate(db, 2, NULL));
        assert_ok(cx_db_find(db, &user_model, &user, NULL));
        assert_ok(migrate(db, 3, NULL));
        assert_int_equal(cx_db_find(db, &user_model, &user, NULL), -ERANGE);
    }
    cx_tenant_unref(tenant);
}

DB_TEST(a_script_stays_within_its_tenants_tables)
{
    static const char *const scripts[] = {
        "ATTACH 'x' AS x",
        "PRAGMA user_version = 7",
        "CREATE TABLE cx_x (id bigint)",
        "DROP TABLE cx_room",
        "UPDATE cx_migrations SET version = 9",
        "CREATE TRIGGER x AFTER INSERT ON users BEGIN SELECT 1; END",
        "CREATE VIEW x AS SELECT 1",
        "CREATE TEMP TABLE x (id bigint)",
        "COMMIT",
        "VACUUM",
    };

    if (server() != NULL)
        return;
    assert_ok(migrate(db, 1, NULL));
    for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
        cx_migration list[] = {steps[0], STEP(2, "hostile", scripts[i])};
        int error = cx_migrate(db, list, 2, NULL, NULL);

        if (error != -EACCES && error != -EINVAL)
            fail_msg("%s: %d (%s)", scripts[i], error, cx_db_problem());
    }
    assert_ok(migrate(db, 3, NULL));
}

DB_TEST(a_script_with_nothing_in_it_is_nothing_to_do)
{
    static const cx_migration list[] = {
        STEP(1, "empty", ""), STEP(2, "blank", " \n"), STEP(3, "none", NULL),
        STEP(4, "comment", "-- nothing\n"), STEP(5, "semicolons", ";;")};
    cx_tenant *tenant = tenant_make(db, "A");

    assert_ok(cx_migrate(db, list, 5, NULL, NULL));
    assert_int_equal(version_of(db, tenant), 5);
    cx_tenant_unref(tenant);
}

/* What SQLite has changes done by, with a reference to what is built anew. */
DB_TEST(a_table_may_be_built_anew)
{
    static const cx_migration list[] = {
        STEP(1, "tables",
             "CREATE TABLE a (id integer PRIMARY KEY, x integer);"
             "CREATE TABLE b (id integer PRIMARY KEY, a integer REFERENCES a"
             " ON DELETE CASCADE);"
             "INSERT INTO a VALUES (1, 1); INSERT INTO b VALUES (1, 1)"),
        STEP(2, "anew",
             "CREATE TABLE a2 (id integer PRIMARY KEY, x integer, y integer);"
             "INSERT INTO a2 (id, x) SELECT id, x FROM a;"
             "DROP TABLE a; ALTER TABLE a2 RENAME TO a;"
             "ALTER TABLE a RENAME COLUMN x TO z; ALTER TABLE a DROP COLUMN y;"
             "-- done\n"),
    };
    const cx_migration broken[] = {list[0], list[1],
                                   STEP(3, "broken", "DELETE FROM a")};
    cx_tenant *tenant = tenant_make(db, "A");

    if (server() == NULL) {
        assert_ok(cx_migrate(db, list, 2, NULL, NULL));
        assert_int_equal(number_of(db, tenant, "SELECT z FROM a"), 1);
        assert_int_equal(number_of(db, tenant, "SELECT a FROM b"), 1);
        assert_int_equal(cx_migrate(db, broken, 3, NULL, NULL), -EDOM);
    }
    cx_tenant_unref(tenant);
}

static void assert_busy(cx_db *db)
{
    struct told told = {.most = 4};

    assert_int_equal(migrate(db, 2, NULL), -EBUSY);
    assert_int_equal(cx_migrate_versions(db, take_version, &told), -EBUSY);
}

DB_TEST(who_uses_a_tenant_does_not_wait_for_itself)
{
    cx_tenant *tenant;
    User user;
    int error;

    assert_ok(migrate(db, 2, NULL));
    tenant = tenant_make(db, "A");
    CX_WITH_TENANT(tenant) {
        CX_TRANSACTION(db, &error) {
            assert_busy(db);
            CX_WITH_TENANT(NULL) {
                assert_busy(db);
            }
        }
        assert_ok(error);
        CX_DB_EACH(db, &user_model, NULL, &user, &error) {
            assert_busy(db);
        }
        assert_ok(error);
    }
    assert_ok(migrate(db, 3, NULL));
    cx_tenant_unref(tenant);
}

static void *migrate_all(void *db)
{
    return as_pointer(migrate(db, 3, NULL));
}

DB_TEST(a_cancelled_migration_goes_on_where_it_was)
{
    cx_tenant *tenant = tenant_make(db, "A");
    cx_task *task = cx_task_create(migrate_all, db);
    void *result;

    for (int i = 0; i < 3; i++)
        assert_int_equal(cx_yield(), 0);
    assert_int_equal(cx_cancel(task), 0);
    assert_int_equal(cx_await(task, &result), 0);
    assert_int_equal((intptr_t)result, -ECANCELED);
    assert_ok(migrate(db, 3, NULL));
    assert_int_equal(number_of(db, tenant, "SELECT id FROM users"), 1);
    cx_tenant_unref(tenant);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_tenant_is_of_the_last_version),
        cmocka_unit_test(the_version_is_that_of_the_last_migration),
        cmocka_unit_test(the_version_is_a_tenants),
        cmocka_unit_test(
            the_versions_of_all_tenants_are_told_in_the_order_of_their_ids),
        cmocka_unit_test(a_version_that_cannot_be_read_hides_no_other),
        cmocka_unit_test(a_walk_over_versions_has_no_connection_between_them),
        cmocka_unit_test(all_tenants_are_migrated),
        cmocka_unit_test(what_is_done_is_not_done_again),
        cmocka_unit_test(each_is_told_of_with_the_template_first),
        cmocka_unit_test(one_that_fails_is_as_it_was_and_the_others_go_on),
        cmocka_unit_test(what_fails_on_the_template_is_tried_on_no_tenant),
        cmocka_unit_test(a_migration_that_was_changed_is_refused),
        cmocka_unit_test(a_migration_that_was_put_in_between_is_refused),
        cmocka_unit_test(tables_of_a_later_version_are_left_alone),
        cmocka_unit_test(versions_that_do_not_rise_are_refused),
        cmocka_unit_test(a_connection_that_was_open_sees_the_new_tables),
        cmocka_unit_test(a_model_serves_the_versions_of_its_range),
        cmocka_unit_test(a_script_stays_within_its_tenants_tables),
        cmocka_unit_test(a_script_with_nothing_in_it_is_nothing_to_do),
        cmocka_unit_test(a_table_may_be_built_anew),
        cmocka_unit_test(a_cancelled_migration_goes_on_where_it_was),
        cmocka_unit_test(who_uses_a_tenant_does_not_wait_for_itself),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
