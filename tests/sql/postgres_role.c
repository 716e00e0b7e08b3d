/* SPDX-License-Identifier: MIT */
/*
 * What tenant A does to its own role and to what all share on the server: it
 * gets over it, and nobody else need. The numbers are those of the catalogue of
 * attacks.
 */
#include "administrator.h"
#include "two.h"

#include <ctxvar/deadline.h>
#include <ctxvar/migrate.h>
#include <ctxvar/model.h>

#include "pool.h"

/* A task with one statement, which goes on until it is ended. */
struct statement {
    cx_db *db;
    const char *text;
};

static void *run_one(void *arg)
{
    const struct statement *statement = arg;

    return as_pointer(run(statement->db, statement->text));
}

/* ... and has begun: its session says so to the administrator. */
static cx_task *start(struct statement *statement, const char *url,
                      const char *active)
{
    cx_task *task = cx_task_create(run_one, statement);

    assert_non_null(task);
    await_none(url, active);
    return task;
}

#define ACTIVE(id)                                                             \
    "SELECT 1 - sign(count(*))::int FROM pg_stat_activity"                     \
    " WHERE usename = " ROLE_OF(id) " AND state = 'active'"

/* P22. */
TWO_TEST(a_statement_that_catches_its_cancel_ends_with_its_tenant)
{
    struct statement stubborn = {
        db, "DO $$ BEGIN LOOP BEGIN LOCK TABLE cx_migrations IN ACCESS SHARE"
            " MODE; PERFORM pg_sleep(60); EXCEPTION WHEN query_canceled THEN"
            " NULL; END; END LOOP; END $$"};
    cx_tenant *c = tenant_make(db, "C");

    CX_WITH_TENANT(c) {
        cx_task *task = start(&stubborn, folder->url, ACTIVE("3"));

        assert_int_equal(cx_cancel(task), 0);
        assert_int_equal(cx_await(task, NULL), 0);
    }
    two_check(db, two);
    assert_ok(cx_tenant_drop(c));
    assert_false(has_room(folder, 3));
    await_none(folder->url, "SELECT count(*) FROM pg_stat_activity"
                            " WHERE usename = " ROLE_OF("3"));
    cx_tenant_unref(c);
}

/* P22: sessions are counted, so that one tenant's do not take all there are. */
ATTACK(a_tenant_has_so_many_sessions_at_most)
{
    assert_int_equal(number(db, "SELECT rolconnlimit::bigint FROM pg_roles"
                                " WHERE rolname = current_user"),
                     64);
}

/* P24: a grant that gives nothing changes the database's row all the same. */
ATTACK(a_tenant_that_holds_the_databases_row_does_not_keep_it_from_opening)
{
    struct statement holding = {
        db, "DO $$ BEGIN EXECUTE format('GRANT CONNECT ON DATABASE %I TO"
            " CURRENT_USER', current_database()); PERFORM pg_sleep(600);"
            " END $$"};
    cx_task *task = start(&holding, folder->url, ACTIVE("1"));
    cx_db *again = NULL;

    CX_TIMEOUT(60000) {
        assert_ok(cx_db_open(folder->url, NULL, &again));
        assert_ok(cx_db_close(again));
    }
    assert_int_equal(cx_cancel(task), 0);
    assert_int_equal(cx_await(task, NULL), 0);
}

/* A session that was ended may not have been missed yet. */
static int run_soon(cx_db *db, const char *text)
{
    int error = run(db, text);

    while (error == -ECONNRESET)
        error = run(db, text);
    return error;
}

/* P23. */
ATTACK(settings_that_a_role_gives_itself_are_taken_from_it)
{
    static const char *const settings[] = {
        "ALTER ROLE CURRENT_USER SET default_transaction_read_only = on",
        "ALTER ROLE CURRENT_USER SET local_preload_libraries = 'nope'",
        "ALTER ROLE CURRENT_USER SET statement_timeout = 1",
        "DO $$ BEGIN EXECUTE format('ALTER ROLE CURRENT_USER IN DATABASE %I"
        " SET default_transaction_read_only = on', current_database());"
        " END $$",
    };

    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
        cx_db *again;
        cx_tenant *tenant;

        assert_ok(run_soon(db, settings[i]));
        assert_ok(cx_db_open(folder->url, NULL, &again));
        assert_ok(cx_tenant_find(again, CX_TEXT("A"), &tenant));
        CX_WITH_TENANT(tenant) {
            assert_ok(run(again, "UPDATE users SET age = age"));
            assert_int_equal(number(again, "SELECT count(*) FROM"
                                           " pg_db_role_setting"),
                             0);
        }
        cx_tenant_unref(tenant);
        assert_ok(cx_db_close(again));
    }
    assert_ok(run_soon(db, "SELECT 1"));
}

/* P24: what is put right is a row that the role itself can have locked. */
ATTACK(a_role_that_holds_its_own_row_is_put_right_all_the_same)
{
    struct statement holding = {
        db, "DO $$ BEGIN ALTER ROLE CURRENT_USER SET work_mem = '1MB';"
            " PERFORM pg_sleep(600); END $$"};
    cx_task *task;
    cx_tenant *tenant;
    cx_db *again;

    assert_ok(run(db, "ALTER ROLE CURRENT_USER SET statement_timeout = 1"));
    task = start(&holding, folder->url, ACTIVE("1"));
    assert_ok(cx_db_open(folder->url, NULL, &again));
    assert_ok(cx_tenant_find(again, CX_TEXT("A"), &tenant));
    CX_WITH_TENANT(tenant) {
        CX_TIMEOUT(8000) {
            assert_ok(run(again, "UPDATE users SET age = age"));
        }
    }
    assert_int_equal(cx_cancel(task), 0);
    assert_int_equal(cx_await(task, NULL), 0);
    cx_tenant_unref(tenant);
    assert_ok(cx_db_close(again));
}

/* A database whose tenants need their passwords. */
static void guarded_make(struct folder *folder)
{
    const char *rest = strstr(server(), "/postgres?");

    folder_make(folder);
    server_run(server(), "CREATE DATABASE guarded TEMPLATE template0");
    (void)snprintf(folder->url, sizeof(folder->url), "%.*s/guarded%s",
                   (int)(rest - server()), server(),
                   rest + strlen("/postgres"));
}

/* P23: the one that it gives itself, it may give to others. */
TASK_TEST(a_password_that_a_role_gives_itself_is_taken_from_it)
{
    struct folder folder;
    cx_tenant *tenant;
    cx_db *db;

    guarded_make(&folder);
    (void)two_make_in(&folder);
    assert_ok(cx_db_open(folder.url, NULL, &db));
    assert_ok(cx_tenant_find(db, CX_TEXT("A"), &tenant));
    CX_WITH_TENANT(tenant) {
        assert_ok(run(db, "ALTER ROLE CURRENT_USER PASSWORD 'known'"));
    }
    cx_tenant_unref(tenant);
    assert_ok(cx_db_close(db));
    (void)two_check_in(&folder);
    server_run(server(), "DROP DATABASE guarded");
    folder_remove(&folder);
}

/* Have pg_hba.conf refuse a role, or nobody, and wait until it does. */
static void refuse(const char *url, const char *role)
{
    char statement[256], before[ANSWER_BYTES], after[ANSWER_BYTES];

    ask(url, "SELECT pg_conf_load_time()", before);
    (void)snprintf(
        statement, sizeof(statement),
        "DO \\$\\$ BEGIN EXECUTE format('COPY (SELECT ''%s'') TO %%L',"
        " current_setting('data_directory') || '/refused'); END"
        " \\$\\$",
        role);
    server_run_as_superuser(url, statement);
    server_run_as_superuser(url, "SELECT pg_reload_conf()");
    do {
        assert_ok(cx_sleep(10));
        ask(url, "SELECT pg_conf_load_time()", after);
    } while (strcmp(before, after) == 0);
}

/* A tenant whose login fails with these words, how often it tries; and keeps
 * its password. */
static void assert_kept_out(const char *url, cx_db *db, const char *words)
{
    static const char its[] = "SELECT secret FROM ctxvar.cx_secrets";
    char before[ANSWER_BYTES], after[ANSWER_BYTES];

    ask(url, its, before);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(run(db, "SELECT 1"), -EACCES);
        assert_non_null(strstr(cx_db_problem(), words));
    }
    ask(url, its, after);
    assert_string_equal(before, after);
}

DB_TEST(a_role_that_pg_hba_conf_refuses_keeps_its_password)
{
    cx_tenant *tenant = tenant_make(db, "A");
    char role[64];

    role_of(folder, 1, role);
    refuse(folder->url, role);
    CX_WITH_TENANT(tenant) {
        assert_kept_out(folder->url, db, "pg_hba.conf");
        refuse(folder->url, "nobody");
        assert_ok(run(db, "SELECT 1"));
    }
    cx_tenant_unref(tenant);
}

/* What a role cannot have done to itself is an administrator's doing; but one
 * that is not there is made again. */
TASK_TEST(a_role_that_an_administrator_keeps_out_stays_out)
{
    static const char *const changes[][3] = {
        {"ALTER ROLE %s NOLOGIN", "ALTER ROLE %s LOGIN", "NOLOGIN"},
        {"ALTER ROLE %s VALID UNTIL '2001-01-01'",
         "ALTER ROLE %s VALID UNTIL 'infinity'", "VALID UNTIL"},
    };
    struct folder folder;
    char role[64], statement[128];
    cx_tenant *tenant;
    cx_db *db;

    guarded_make(&folder);
    assert_ok(cx_db_open(folder.url, NULL, &db));
    tenant = tenant_make(db, "A");
    role_of(&folder, 1, role);
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        (void)snprintf(statement, sizeof(statement), changes[i][0], role);
        server_run_as_superuser(folder.url, statement);
        CX_WITH_TENANT(tenant) {
            assert_kept_out(folder.url, db, changes[i][2]);
        }
        (void)snprintf(statement, sizeof(statement), changes[i][1], role);
        server_run_as_superuser(folder.url, statement);
    }
    (void)snprintf(statement, sizeof(statement),
                   "ALTER ROLE %s RENAME TO elsewhere", role);
    server_run_as_superuser(folder.url, statement);
    CX_WITH_TENANT(tenant) {
        assert_ok(run(db, "SELECT count(*) FROM cx_migrations"));
    }
    server_run_as_superuser(folder.url, "DROP OWNED BY elsewhere");
    server_run_as_superuser(folder.url, "DROP ROLE elsewhere");
    assert_ok(cx_tenant_drop(tenant));
    cx_tenant_unref(tenant);
    assert_ok(cx_db_close(db));
    server_run(server(), "DROP DATABASE guarded");
    folder_remove(&folder);
}

/* Of what others have given it, a role can drop only what it is to have of
 * tables to come. */
DB_TEST(a_role_that_gives_up_its_rights_has_them_all_the_same)
{
    static const cx_migration serial[] = {
        {1, "users",
         .postgres =
             "CREATE TABLE users (id bigserial PRIMARY KEY, name text)"},
    };
    cx_tenant *tenant = tenant_make(db, "A");

    CX_WITH_TENANT(tenant) {
        assert_ok(run(db, "DROP OWNED BY CURRENT_USER"));
        assert_ok(cx_migrate(db, serial, 1, NULL, NULL));
        assert_ok(run(db, "INSERT INTO users (name) VALUES ('x')"));
        assert_ok(run(db, "UPDATE users SET name = 'y'"));
        assert_ok(run(db, "DELETE FROM users"));
        assert_int_equal(run(db, "DELETE FROM cx_migrations"), -EACCES);
        assert_int_equal(run(db, "TRUNCATE users"), -EACCES);
    }
    cx_tenant_unref(tenant);
}

/* P24: more than the server has locks for in one transaction. */
TWO_TEST(a_tenant_with_many_large_objects_is_dropped_all_the_same)
{
    cx_tenant *c = tenant_make(db, "C");

    CX_WITH_TENANT(c) {
        for (int i = 0; i < 4; i++)
            assert_ok(
                run(db, "SELECT lo_create(0) FROM generate_series(1, 4000)"));
    }
    assert_ok(cx_tenant_drop(c));
    assert_false(has_room(folder, 3));
    cx_tenant_unref(c);
}

static void *drop_tenant(void *tenant)
{
    return as_pointer(cx_tenant_drop(tenant));
}

/* A table that an administrator's session holds is waited for without keeping
 * anybody else, and not for ever. */
DB_TEST(a_drop_that_has_to_wait_keeps_nobody_from_creating)
{
    cx_tenant *tenant = tenant_make(db, "A");
    char url[256], command[512];
    void *result;
    cx_task *drop;
    cx_db *again;

    url_as("postgres", folder->url, url, sizeof(url));
    (void)snprintf(command, sizeof(command),
                   "psql -qX '%s' -c \"DO \\$\\$ BEGIN LOCK TABLE"
                   " t1.cx_migrations; PERFORM pg_sleep(600); END \\$\\$\""
                   " >/dev/null 2>&1 &",
                   url);
    assert_int_equal(system(command), 0);
    await_none(folder->url, "SELECT 1 - count(*) FROM pg_locks WHERE relation ="
                            " 't1.cx_migrations'::regclass");
    drop = cx_task_create(drop_tenant, tenant);
    await_none(folder->url, "SELECT 1 - count(*) FROM pg_locks WHERE relation ="
                            " 't1.cx_migrations'::regclass AND NOT granted");
    CX_TIMEOUT(5000) {
        cx_tenant_unref(tenant_make(db, "B"));
    }
    assert_int_equal(cx_await(drop, &result), 0);
    assert_int_equal((intptr_t)result, -EINPROGRESS);
    server_run_as_superuser(folder->url,
                            "SELECT pg_terminate_backend(pid, 10000)"
                            " FROM pg_stat_activity WHERE query LIKE 'DO%'");
    assert_ok(cx_db_open(folder->url, NULL, &again));
    assert_ok(cx_db_close(again));
    assert_false(has_room(folder, 1));
    cx_tenant_unref(tenant);
}

/* P24: the administrator's role says so itself. */
TASK_TEST(functions_that_take_locks_without_end_are_closed)
{
    struct folder folder;
    struct two two;
    char url[192];
    cx_db *db;

    folder_make(&folder);
    url_as("postgres", folder.url, url, sizeof(url));
    memcpy(folder.url, url, sizeof(url));
    assert_ok(cx_db_open(folder.url, NULL, &db));
    two_make(&two, &folder, db);
    CX_WITH_TENANT(two.a) {
        assert_all_refused(db, "SELECT pg_advisory_lock(1)",
                           "SELECT pg_try_advisory_xact_lock_shared(1, 2)",
                           "SELECT lo_create(0)",
                           "SELECT lo_from_bytea(0, '')");
    }
    two_check(db, &two);
    two_end(&two);
    assert_ok(cx_db_close(db));
    folder_remove(&folder);
}

/* Have the administrator say something of a role. */
static void say_of(const struct folder *folder, const char *format,
                   const char *role)
{
    char statement[128];

    (void)snprintf(statement, sizeof(statement), format, role);
    server_run_as_superuser(folder->url, statement);
}

/* P16: what is done to it, and what undoes that. */
TWO_TEST(a_role_with_rights_in_another_room_is_not_let_in)
{
    static const char *const changes[][2] = {
        {"GRANT USAGE ON SCHEMA t1 TO %s", "REVOKE USAGE ON SCHEMA t1 FROM %s"},
        {"GRANT SELECT ON t1.users TO %s", "REVOKE SELECT ON t1.users FROM %s"},
        {"GRANT SELECT (name) ON t1.users TO %s",
         "REVOKE SELECT (name) ON t1.users FROM %s"},
        {"GRANT SELECT ON ctxvar.cx_secrets TO %s",
         "REVOKE SELECT ON ctxvar.cx_secrets FROM %s"},
        {"ALTER TABLE t1.users OWNER TO %s",
         "ALTER TABLE t1.users OWNER TO owner"},
        {"ALTER SCHEMA t1 OWNER TO %s", "ALTER SCHEMA t1 OWNER TO owner"}};
    cx_tenant *c = tenant_make(db, "C");
    char role[48];

    role_of(folder, 3, role);
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        say_of(folder, changes[i][0], role);
        CX_WITH_TENANT(c) {
            assert_int_equal(run(db, "SELECT 1"), -EACCES);
        }
        say_of(folder, changes[i][1], role);
        CX_WITH_TENANT(c) {
            assert_ok(run(db, "SELECT 1"));
        }
        cx__pool_close_idle(db);
    }
    cx_tenant_unref(c);
}

/* What it may make without being asked is no reason to shut it out. */
DB_TEST(a_role_with_large_objects_and_default_rights_is_let_in)
{
    cx_tenant *tenant = tenant_make(db, "A");

    CX_WITH_TENANT(tenant) {
        cx_db *again;
        cx_tenant *same;

        assert_ok(run(db, "SELECT lo_create(0)"));
        assert_ok(run(db, "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO"
                          " PUBLIC"));
        assert_ok(cx_db_open(folder->url, NULL, &again));
        assert_ok(cx_tenant_find(again, CX_TEXT("A"), &same));
        CX_WITH_TENANT(same) {
            assert_ok(run(again, "SELECT 1"));
        }
        cx_tenant_unref(same);
        assert_ok(cx_db_close(again));
    }
    cx_tenant_unref(tenant);
}

TASK_TEST(a_role_that_does_not_own_the_database_is_told_so)
{
    struct folder folder;
    char url[256];
    cx_db *db;

    folder_make(&folder);
    server_run_as_superuser(folder.url,
                            "CREATE ROLE stranger LOGIN CREATEROLE");
    url_as("stranger", folder.url, url, sizeof(url));
    assert_int_equal(cx_db_open(url, NULL, &db), -EACCES);
    assert_non_null(strstr(cx_db_problem(), "own the database"));
    folder_remove(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            a_statement_that_catches_its_cancel_ends_with_its_tenant),
        cmocka_unit_test(a_tenant_has_so_many_sessions_at_most),
        cmocka_unit_test(
            a_tenant_that_holds_the_databases_row_does_not_keep_it_from_opening),
        cmocka_unit_test(settings_that_a_role_gives_itself_are_taken_from_it),
        cmocka_unit_test(
            a_role_that_holds_its_own_row_is_put_right_all_the_same),
        cmocka_unit_test(a_password_that_a_role_gives_itself_is_taken_from_it),
        cmocka_unit_test(a_role_that_pg_hba_conf_refuses_keeps_its_password),
        cmocka_unit_test(a_role_that_an_administrator_keeps_out_stays_out),
        cmocka_unit_test(a_role_that_gives_up_its_rights_has_them_all_the_same),
        cmocka_unit_test(
            a_tenant_with_many_large_objects_is_dropped_all_the_same),
        cmocka_unit_test(a_drop_that_has_to_wait_keeps_nobody_from_creating),
        cmocka_unit_test(functions_that_take_locks_without_end_are_closed),
        cmocka_unit_test(a_role_with_rights_in_another_room_is_not_let_in),
        cmocka_unit_test(
            a_role_with_large_objects_and_default_rights_is_let_in),
        cmocka_unit_test(a_role_that_does_not_own_the_database_is_told_so),
    };

    return cmocka_run_group_tests_name("postgres role", tests, NULL, NULL);
}
