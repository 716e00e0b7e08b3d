/* SPDX-License-Identifier: MIT */
/* Scripts of migrations on a server: each is a whole, and leaves nothing. */
#include "support.h"

#include <ctxvar/migrate.h>

/* Apply one script; it is the n-th that is. */
static int apply(cx_db *db, int n, const char *script)
{
    static cx_migration list[8];

    list[n - 1] =
        (cx_migration){.version = n, .name = "step", .postgres = script};
    return cx_migrate(db, list, (size_t)n, NULL, NULL);
}

static void assert_refused_script(cx_db *db, const char *script)
{
    char text[256];

    (void)snprintf(text, sizeof(text), "CREATE TABLE early (); %s", script);
    if (apply(db, 1, text) != -EACCES)
        fail_msg("%s: %s", script, cx_db_problem());
    /* It is not there, for it can be made. */
    assert_ok(apply(db, 1, "CREATE TABLE early (); CREATE TABLE late ()"));
}

TASK_TEST(a_script_cannot_leave_its_transaction)
{
    static const char *const scripts[] = {
        "COMMIT; BEGIN; CREATE TABLE late (); SELECT 1/0",
        "COMMIT; BEGIN",
        "COMMIT",
        "ROLLBACK; BEGIN",
        "COMMIT AND CHAIN",
        "SAVEPOINT x; ROLLBACK TO x",
        "PREPARE TRANSACTION 'x'",
        "DO $$ BEGIN COMMIT; END $$",
        "DO $$ BEGIN EXECUTE 'COMMIT'; END $$",
    };

    for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
        struct folder own;
        cx_db *db;

        folder_make(&own);
        assert_ok(cx_db_open(own.url, NULL, &db));
        assert_refused_script(db, scripts[i]);
        assert_ok(cx_db_close(db));
        folder_remove(&own);
    }
}

DB_TEST(what_cannot_be_in_a_transaction_is_refused)
{
    assert_ok(apply(db, 1, "CREATE TABLE users (id bigint)"));
    assert_int_equal(apply(db, 2, "CREATE INDEX CONCURRENTLY x ON users (id)"),
                     -EACCES);
    assert_non_null(strstr(cx_db_problem(), "CREATE INDEX CONCURRENTLY"));
    assert_int_equal(apply(db, 2, "VACUUM users"), -EACCES);
    assert_int_equal(apply(db, 2, "COPY users FROM STDIN"), -EACCES);
    assert_int_equal(apply(db, 2, "COPY users TO STDOUT"), -EACCES);
    assert_ok(apply(db, 2, "CREATE INDEX x ON users (id)"));
}

DB_TEST(a_script_has_what_its_earlier_statements_made)
{
    cx_tenant *tenant = tenant_make(db, "A");

    assert_ok(
        apply(db, 1,
              "CREATE TABLE users (id bigint PRIMARY KEY, name text);"
              "INSERT INTO users VALUES (1, 'it''s $1 %s $do$ \\');"
              "ALTER TABLE users ADD age bigint; UPDATE users SET age = 5;"
              "DO $$ BEGIN UPDATE users SET age = age + 1; END $$"));
    CX_WITH_TENANT(tenant) {
        assert_int_equal(number(db, "SELECT age FROM users"), 6);
    }
    cx_tenant_unref(tenant);
}

DB_TEST(the_place_of_a_mistake_is_told)
{
    assert_int_equal(apply(db, 1, "SELECT 1; CREATE TABEL x"), -EINVAL);
    assert_string_equal(cx_db_problem(),
                        "version 1, step: not a statement that the database"
                        " understands, at character 18 (SQLSTATE 42601)");
}

/* Else the next script, and the list of migrations, would be another's. */
DB_TEST(what_a_script_sets_is_gone_when_it_ends)
{
    cx_tenant *tenant = tenant_make(db, "A");

    assert_ok(apply(db, 1, "CREATE TABLE x (); SET search_path = public"));
    assert_ok(apply(db, 2, "CREATE TABLE y (); SET LOCAL search_path = t9"));
    CX_WITH_TENANT(tenant) {
        int version;

        assert_ok(cx_migrate_version(db, &version));
        assert_int_equal(version, 2);
        assert_int_equal(number(db, "SELECT count(*) FROM x, y"), 0);
    }
    cx_tenant_unref(tenant);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_script_cannot_leave_its_transaction),
        cmocka_unit_test(what_cannot_be_in_a_transaction_is_refused),
        cmocka_unit_test(a_script_has_what_its_earlier_statements_made),
        cmocka_unit_test(the_place_of_a_mistake_is_told),
        cmocka_unit_test(what_a_script_sets_is_gone_when_it_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
