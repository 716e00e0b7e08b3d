/* SPDX-License-Identifier: MIT */
/*
 * The way out of a migration that went well with the template, which has no
 * rows, and failed with the tenants.
 */
#include "support.h"

#include <signal.h>

#include <ctxvar/migrate.h>

#define STEP(version_, name_, script)                                          \
    {                                                                          \
        .version = (version_), .name = (name_), .sqlite = (script),            \
        .postgres = (script)                                                   \
    }

#define USERS                                                                  \
    STEP(1, "users",                                                           \
         "CREATE TABLE users (id bigint PRIMARY KEY, name text NOT NULL)")

/* What fails where there are rows. */
#define WRONG                                                                  \
    STEP(2, "age",                                                             \
         "CREATE TABLE ages (a bigint PRIMARY KEY, b bigint REFERENCES ages);" \
         "INSERT INTO ages VALUES (1, 1);"                                     \
         "ALTER TABLE users ADD COLUMN age bigint NOT NULL")

#define RIGHT(version)                                                         \
    STEP(version, "age",                                                       \
         "ALTER TABLE users ADD COLUMN age bigint NOT NULL DEFAULT 7")

#define MIGRATE(db, ...)                                                       \
    cx_migrate((db), (const cx_migration[]){__VA_ARGS__},                      \
               sizeof((const cx_migration[]){__VA_ARGS__}) /                   \
                   sizeof(cx_migration),                                       \
               NULL, NULL)

static int64_t number_of(cx_db *db, cx_tenant *tenant, const char *text)
{
    int64_t value = -1;

    CX_WITH_TENANT(tenant) {
        value = number(db, text);
    }
    return value;
}

static int version_of(cx_db *db, cx_tenant *tenant)
{
    int version = -1;

    CX_WITH_TENANT(tenant) {
        assert_ok(cx_migrate_version(db, &version));
    }
    return version;
}

/* A tenant with a row, and a script that fails there. */
static cx_tenant *fail_with_row(cx_db *db)
{
    cx_tenant *tenant = tenant_make(db, "acme");

    assert_ok(MIGRATE(db, USERS));
    CX_WITH_TENANT(tenant) {
        assert_ok(run(db, "INSERT INTO users VALUES (1, 'x')"));
    }
    assert_int_not_equal(MIGRATE(db, USERS, WRONG), 0);
    assert_int_equal(version_of(db, tenant), 1);
    return tenant;
}

/* It has its row, with an age; and the next tenant is as it is. */
static void assert_repaired(cx_db *db, cx_tenant *tenant, int version)
{
    cx_tenant *next = tenant_make(db, "next");

    assert_int_equal(number_of(db, tenant, "SELECT age FROM users"), 7);
    assert_int_equal(version_of(db, tenant), version);
    assert_int_equal(number_of(db, next, "SELECT count(age) FROM users"), 0);
    assert_int_equal(version_of(db, next), version);
    CX_WITH_TENANT(next) {
        assert_int_equal(run(db, "SELECT * FROM ages"), -EINVAL);
    }
    cx_tenant_unref(next);
    cx_tenant_unref(tenant);
}

DB_TEST(a_script_that_no_tenant_has_had_may_be_changed)
{
    cx_tenant *tenant = fail_with_row(db);

    assert_ok(MIGRATE(db, USERS, RIGHT(2)));
    assert_string_equal(cx_db_problem(), "");
    assert_repaired(db, tenant, 2);
    assert_ok(MIGRATE(db, USERS, RIGHT(2)));
}

DB_TEST(a_script_that_no_tenant_has_had_may_have_another_number)
{
    cx_tenant *tenant = fail_with_row(db);

    assert_ok(MIGRATE(db, USERS, RIGHT(3)));
    assert_repaired(db, tenant, 3);
}

DB_TEST(a_script_that_no_tenant_has_had_may_come_after_another)
{
    cx_tenant *tenant = fail_with_row(db);

    assert_int_not_equal(
        MIGRATE(db, USERS, WRONG, STEP(3, "more", "CREATE TABLE more (a int)")),
        0);
    assert_ok(MIGRATE(db, USERS, STEP(2, "more", "CREATE TABLE more (a int)"),
                      RIGHT(3)));
    assert_int_equal(number_of(db, tenant, "SELECT count(*) FROM more"), 0);
    assert_repaired(db, tenant, 3);
}

DB_TEST(a_script_that_no_tenant_has_had_may_go_with_another_after_it)
{
    cx_tenant *tenant = fail_with_row(db);

    assert_int_not_equal(MIGRATE(db, USERS, WRONG, STEP(3, "more", "SELECT 1")),
                         0);
    assert_ok(MIGRATE(db, USERS, STEP(3, "more", "SELECT 1"), RIGHT(4)));
    assert_repaired(db, tenant, 4);
}

/* Nor is it taken for granted that an older program knows better. */
DB_TEST(a_script_that_is_the_last_goes_for_an_empty_one)
{
    cx_tenant *tenant = fail_with_row(db);

    assert_int_equal(MIGRATE(db, USERS), -ERANGE);
    assert_non_null(strstr(cx_db_problem(), "version 2"));
    assert_non_null(strstr(cx_db_problem(), "an empty one"));
    assert_ok(MIGRATE(db, USERS, STEP(2, "age", "")));
    assert_int_equal(version_of(db, tenant), 2);
    assert_ok(MIGRATE(db, USERS, STEP(2, "age", ""), RIGHT(3)));
    assert_repaired(db, tenant, 3);
}

DB_TEST(what_takes_its_place_may_fail_too)
{
    cx_tenant *tenant = fail_with_row(db);

    assert_int_equal(MIGRATE(db, USERS, STEP(2, "age", "CREATE TABEL x")),
                     -EINVAL);
    /* The template is what it was. */
    assert_int_not_equal(MIGRATE(db, USERS, WRONG), 0);
    assert_int_not_equal(
        MIGRATE(
            db, USERS,
            STEP(2, "age", "ALTER TABLE users ADD COLUMN y bigint NOT NULL")),
        0);
    assert_int_equal(version_of(db, tenant), 1);
    assert_ok(MIGRATE(db, USERS, RIGHT(2)));
    assert_repaired(db, tenant, 2);
}

DB_TEST(a_tenant_that_has_had_it_is_named)
{
    static const cx_migration lists[][3] = {
        {USERS, RIGHT(2)},
        {USERS, RIGHT(3)},
        {USERS, STEP(2, "age", ""), RIGHT(3)},
    };
    cx_tenant *tenant = fail_with_row(db);
    cx_tenant *late = tenant_make(db, "late");

    assert_int_equal(version_of(db, late), 2);
    for (size_t i = 0; i < 3; i++) {
        size_t len = i < 2 ? 2 : 3;

        assert_int_equal(cx_migrate(db, lists[i], len, NULL, NULL),
                         -EPROTOTYPE);
        assert_non_null(strstr(cx_db_problem(), "version 2 was "));
        assert_non_null(strstr(cx_db_problem(), "tenant 2 has it"));
        assert_non_null(strstr(cx_db_problem(), "a new script"));
        assert_null(strstr(cx_db_problem(), "late"));
    }
    /* Nothing has changed. */
    assert_int_equal(number_of(db, late, "SELECT count(age) FROM users"), 0);
    assert_int_equal(version_of(db, tenant), 1);
    assert_int_not_equal(MIGRATE(db, USERS, WRONG), 0);
    cx_tenant_unref(late);
    cx_tenant_unref(tenant);
}

DB_TEST(a_tenant_that_has_had_it_may_be_dropped)
{
    cx_tenant *tenant = fail_with_row(db);
    cx_tenant *late = tenant_make(db, "late");

    assert_ok(cx_tenant_drop(late));
    cx_tenant_unref(late);
    assert_ok(MIGRATE(db, USERS, RIGHT(2)));
    assert_repaired(db, tenant, 2);
}

DB_TEST(what_fails_for_its_rows_is_tried_again_without_them)
{
    cx_tenant *tenant = fail_with_row(db);

    CX_WITH_TENANT(tenant) {
        assert_ok(run(db, "DELETE FROM users"));
    }
    assert_ok(MIGRATE(db, USERS, WRONG));
    assert_int_equal(version_of(db, tenant), 2);
    cx_tenant_unref(tenant);
}

/* Where some have had it and others cannot. */
DB_TEST(a_change_may_be_declared)
{
    static const cx_migration list[] = {
        USERS,
        STEP(2, "age",
             "CREATE TABLE ages (a bigint PRIMARY KEY, b bigint);"
             "ALTER TABLE users ADD COLUMN age bigint NOT NULL DEFAULT 7")};
    cx_migrate_options options = {.changed = 2};
    cx_tenant *tenant = fail_with_row(db);
    cx_tenant *late = tenant_make(db, "late");
    cx_migrate_report report;

    assert_int_equal(cx_migrate(db, list, 2, NULL, NULL), -EPROTOTYPE);
    options.changed = 1;
    assert_int_equal(cx_migrate(db, list, 2, &options, NULL), -EPROTOTYPE);
    options.changed = 2;
    assert_ok(cx_migrate(db, list, 2, &options, &report));
    assert_int_equal(report.migrated, 2);
    assert_int_equal(number_of(db, tenant, "SELECT age FROM users"), 7);
    assert_int_equal(number_of(db, late, "SELECT count(*) FROM ages"), 1);
    assert_ok(cx_migrate(db, list, 2, NULL, &report));
    assert_int_equal(report.current, 2);
    cx_tenant_unref(late);
    cx_tenant_unref(tenant);
}

DB_TEST(a_change_of_what_the_list_has_not_is_refused)
{
    static const cx_migration list[] = {USERS, RIGHT(4)};
    static const int changed[] = {-1, 2, 5};

    for (int i = 0; i < 3; i++) {
        cx_migrate_options options = {.changed = changed[i]};

        assert_int_equal(cx_migrate(db, list, 2, &options, NULL), -EINVAL);
        assert_string_equal(cx_db_problem(),
                            "changed is no version of the list");
    }
    assert_int_equal(
        cx_migrate(db, NULL, 0, &(cx_migrate_options){.changed = 1}, NULL),
        -EINVAL);
}

DB_TEST(the_version_of_new_tenants_is_reported)
{
    cx_migrate_report report = {.version = -1};

    assert_ok(cx_migrate(db, (const cx_migration[]){USERS, RIGHT(4)}, 2, NULL,
                         &report));
    assert_int_equal(report.version, 4);
    assert_int_equal(
        cx_migrate(db, (const cx_migration[]){USERS}, 1, NULL, &report),
        -ERANGE);
    assert_int_equal(report.version, 0);
    assert_ok(cx_migrate(db, (const cx_migration[]){USERS, RIGHT(4)}, 2, NULL,
                         &report));
    assert_int_equal(report.version, 4);
}

/* A numbered key is as if there had not been rows before. */
DB_TEST(what_is_made_anew_begins_anew)
{
    static const cx_migration numbered[] = {
        {.version = 1,
         .name = "t",
         .sqlite = "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, a);"
                   "INSERT INTO t (a) VALUES (1), (2);",
         .postgres = "CREATE SEQUENCE alone; SELECT nextval('alone');"
                     "CREATE TABLE \"a \"\"b\" (n bigint DEFAULT"
                     " nextval('alone'));"
                     "CREATE TABLE t (id bigserial PRIMARY KEY, a integer);"
                     "INSERT INTO t (a) VALUES (1), (2)"}};
    static const cx_migration again[] = {
        {.version = 1,
         .name = "t",
         .sqlite = "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, a)",
         .postgres = "CREATE SEQUENCE alone;"
                     "CREATE TABLE t (id bigserial PRIMARY KEY, a integer)"}};
    cx_tenant *tenant;

    assert_ok(cx_migrate(db, numbered, 1, NULL, NULL));
    assert_ok(cx_migrate(db, again, 1, NULL, NULL));
    tenant = tenant_make(db, "A");
    CX_WITH_TENANT(tenant) {
        assert_ok(run(db, "INSERT INTO t (a) VALUES (5)"));
        assert_int_equal(number(db, "SELECT id FROM t"), 1);
    }
    cx_tenant_unref(tenant);
}

/* Another list is migrated to between a migration's template and tenants. */
struct meanwhile {
    cx_db *db;
    int error;
    char words[128];
};

static void migrate_meanwhile(cx_tenant *tenant, int error, void *arg)
{
    struct meanwhile *meanwhile = arg;

    assert_ok(tenant == NULL ? error : 0);
    if (tenant == NULL)
        meanwhile->error = MIGRATE(meanwhile->db, USERS, WRONG);
    else
        (void)snprintf(meanwhile->words, sizeof(meanwhile->words), "%s",
                       cx_db_problem());
}

TASK_TEST(a_script_that_another_takes_the_place_of_is_not_committed)
{
    static const cx_migration list[] = {USERS, RIGHT(2)};
    cx_db_options one = {.connections = 1, .connections_each = 1};
    struct meanwhile meanwhile = {.error = 0};
    cx_migrate_options options = {.done = migrate_meanwhile, .arg = &meanwhile};
    struct folder folder;
    cx_tenant *tenant;
    cx_db *db;

    folder_make(&folder);
    assert_ok(cx_db_open(folder.url, &one, &db));
    assert_ok(cx_db_open(folder.url, &one, &meanwhile.db));
    tenant = fail_with_row(db);
    assert_int_equal(cx_migrate(db, list, 2, &options, NULL), -EPROTOTYPE);
    assert_int_not_equal(meanwhile.error, 0);
    assert_memory_equal(meanwhile.words, "another list ", 13);
    assert_int_equal(version_of(db, tenant), 1);
    assert_ok(cx_migrate(db, list, 2, NULL, NULL));
    assert_repaired(db, tenant, 2);
    assert_ok(cx_db_close(meanwhile.db));
    assert_ok(cx_db_close(db));
    folder_remove(&folder);
}

static void *fail_in(void *folder)
{
    cx_db *db;

    assert_ok(cx_db_open(((struct folder *)folder)->url, NULL, &db));
    cx_tenant_unref(fail_with_row(db));
    assert_ok(cx_db_close(db));
    return NULL;
}

/* A repair that does not get past the template. */
static void *repair_for_ever(void *folder)
{
    cx_db *db;

    assert_ok(cx_db_open(((struct folder *)folder)->url, NULL, &db));
    assert_int_not_equal(
        MIGRATE(db, USERS, RIGHT(2),
                STEP(3, "endless",
                     "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL"
                     " SELECT i FROM n) INSERT INTO users SELECT i, 'x', 1"
                     " FROM n WHERE i > 1")),
        0);
    return NULL;
}

/* Is it at work on the template? */
static bool is_repairing(const struct folder *folder)
{
    char path[128];
    sqlite3 *file;
    int code;

    (void)snprintf(path, sizeof(path), "%s/db/t0.db", folder->path);
    assert_int_equal(sqlite3_open(path, &file), SQLITE_OK);
    code = sqlite3_exec(file, "BEGIN IMMEDIATE", NULL, NULL, NULL);
    assert_int_equal(sqlite3_close(file), SQLITE_OK);
    return code == SQLITE_BUSY;
}

static void *repair_in(void *folder)
{
    cx_tenant *tenant, *late;
    cx_db *db;

    assert_ok(cx_db_open(((struct folder *)folder)->url, NULL, &db));
    assert_ok(cx_tenant_find(db, CX_TEXT("acme"), &tenant));
    late = tenant_make(db, "late");
    assert_int_equal(version_of(db, late), 2);
    assert_int_equal(number_of(db, late, "SELECT count(*) FROM ages"), 1);
    assert_ok(cx_tenant_drop(late));
    cx_tenant_unref(late);
    assert_ok(MIGRATE(db, USERS, RIGHT(2)));
    assert_repaired(db, tenant, 2);
    assert_ok(cx_db_close(db));
    return NULL;
}

/* On a server it goes on until its statement ends. */
static void a_process_that_ends_amid_it_leaves_the_template_as_it_was(
    CX__UNUSED void **state)
{
    struct folder folder;
    pid_t child;
    int status;

    if (server() != NULL)
        return;
    folder_make(&folder);
    assert_int_equal(cx_run(fail_in, &folder, NULL), 0);
    child = fork();
    if (child == 0) {
        (void)cx_run(repair_for_ever, &folder, NULL);
        _exit(1);
    }
    while (!is_repairing(&folder))
        assert_int_equal(waitpid(child, &status, WNOHANG), 0);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(cx_run(repair_in, &folder, NULL), 0);
    folder_remove(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_script_that_no_tenant_has_had_may_be_changed),
        cmocka_unit_test(
            a_script_that_no_tenant_has_had_may_have_another_number),
        cmocka_unit_test(
            a_script_that_no_tenant_has_had_may_come_after_another),
        cmocka_unit_test(
            a_script_that_no_tenant_has_had_may_go_with_another_after_it),
        cmocka_unit_test(a_script_that_is_the_last_goes_for_an_empty_one),
        cmocka_unit_test(what_takes_its_place_may_fail_too),
        cmocka_unit_test(a_tenant_that_has_had_it_is_named),
        cmocka_unit_test(a_tenant_that_has_had_it_may_be_dropped),
        cmocka_unit_test(what_fails_for_its_rows_is_tried_again_without_them),
        cmocka_unit_test(a_change_may_be_declared),
        cmocka_unit_test(a_change_of_what_the_list_has_not_is_refused),
        cmocka_unit_test(the_version_of_new_tenants_is_reported),
        cmocka_unit_test(what_is_made_anew_begins_anew),
        cmocka_unit_test(
            a_script_that_another_takes_the_place_of_is_not_committed),
        cmocka_unit_test(
            a_process_that_ends_amid_it_leaves_the_template_as_it_was),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
