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

DB_TEST(what_is_wrong_with_a_script_is_told)
{
    static const char *const told[][2] = {
        {"ALTER TABLE users ADD name text",
         "a column that is there already: \"name\", \"users\" (SQLSTATE"
         " 42701)"},
        {"CREATE TABLE USERS (id bigint)",
         "a name that is there already: \"users\" (SQLSTATE 42P07)"},
        {"CREATE INDEX named ON users (name)",
         "a name that is there already: \"named\" (SQLSTATE 42P07)"},
        {"ALTER TABLE users ADD CONSTRAINT short CHECK (id > 0)",
         "a name that is there already: \"short\", \"users\" (SQLSTATE"
         " 42710)"},
        {"SELECT 1; CREATE TABLE x (a integr)",
         "type \"integr\" does not exist, at character 29 (SQLSTATE 42704)"},
        {"CREATE INDEX i ON users (nme)",
         "a name that the database does not know: \"nme\" (SQLSTATE 42703)"},
        {"ALTER TABLE nope ADD a integer",
         "a name that the database does not know: \"nope\" (SQLSTATE 42P01)"},
        {"ALTER TABLE users DROP nope",
         "a name that the database does not know: \"nope\", \"users\""
         " (SQLSTATE 42703)"},
        {"UPDATE users SET name = nope",
         "column \"nope\" does not exist, at character 25 (SQLSTATE 42703)"},
        {"CREATE TABLE x (a text CONSTRAINT f REFERENCES users)",
         "types that do not go together: \"f\", \"a\" (SQLSTATE 42804)"},
        {"CREATE TABLE x (a text REFERENCES users (name))",
         "a reference to what is not unique: \"users\" (SQLSTATE 42830)"},
        {"ALTER TABLE users ADD PRIMARY KEY (name)",
         "a table that cannot be like this: \"users\" (SQLSTATE 42P16)"},
        {"INSERT INTO users SELECT a.id FROM users a, users b GROUP BY name",
         "column reference \"name\" is ambiguous, at character 62 (SQLSTATE"
         " 42702)"},
        {"INSERT INTO users SELECT id FROM users GROUP BY name",
         "column \"users.id\" must appear in the GROUP BY clause or be used in"
         " an aggregate function, at character 26 (SQLSTATE 42803)"},
    };

    assert_ok(apply(db, 1,
                    "CREATE TABLE users (id bigint PRIMARY KEY, name"
                    " text CONSTRAINT short CHECK (name <> ''));"
                    "CREATE INDEX named ON users (name)"));
    for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++) {
        assert_int_equal(apply(db, 2, told[i][0]), -EINVAL);
        if (strcmp(cx_db_problem() + strlen("version 2, step: "), told[i][1]) !=
            0)
            fail_msg("%s: %s", told[i][0], cx_db_problem());
    }
}

/* The words of a tenant's migration. */
static void keep_words(cx_tenant *tenant, int error, void *words)
{
    if (tenant != NULL && error != 0)
        (void)snprintf(words, 256, "%s", cx_db_problem());
}

/* Where the tenant has a row of which it is made. */
static void assert_hidden(cx_db *db, const char *script)
{
    const cx_migration list[] = {
        {.version = 1,
         .name = "users",
         .postgres = "CREATE TABLE users (name text)"},
        {.version = 2, .name = "step", .postgres = script}};
    char words[256] = "";
    cx_migrate_options options = {.done = keep_words, .arg = words};

    if (cx_migrate(db, list, 2, &options, NULL) == 0 || words[0] == '\0' ||
        strstr(words, "SECRET") != NULL || strstr(words, "secret") != NULL)
        fail_msg("%s: %s", script, words);
}

DB_TEST(a_value_of_a_tenants_is_not_told)
{
    cx_tenant *tenant;

    assert_ok(apply(db, 1, "CREATE TABLE users (name text)"));
    tenant = tenant_make(db, "A");
    CX_WITH_TENANT(tenant) {
        assert_ok(run(db, "INSERT INTO users VALUES ('SECRET')"));
    }
    assert_hidden(db, "DO $$ DECLARE x text; BEGIN FOR x IN SELECT name FROM"
                      " users LOOP EXECUTE format('TABLE %I', x); END LOOP;"
                      " END $$");
    assert_hidden(db, "DO $$ DECLARE x text; BEGIN FOR x IN SELECT name FROM"
                      " users LOOP EXECUTE format('ALTER TABLE users ADD %I"
                      " int, ADD %1$I int', x); END LOOP; END $$");
    assert_hidden(db, "DO $$ DECLARE x text; BEGIN FOR x IN SELECT name FROM"
                      " users LOOP EXECUTE format('DROP TABLE %I', x);"
                      " END LOOP; END $$");
    assert_hidden(db, "SELECT name::regtype FROM users");
    assert_hidden(db, "ALTER TABLE users ALTER name TYPE bigint USING"
                      " name::bigint");
    assert_hidden(db, "UPDATE users SET name = NULL;"
                      "ALTER TABLE users ALTER name SET NOT NULL");
    assert_hidden(db, "INSERT INTO users SELECT name FROM users;"
                      "CREATE UNIQUE INDEX u ON users (name)");
    assert_hidden(db, "ALTER TABLE users ADD CHECK (name <> 'SEC' || 'RET')");
    cx_tenant_unref(tenant);
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
        cmocka_unit_test(what_is_wrong_with_a_script_is_told),
        cmocka_unit_test(a_value_of_a_tenants_is_not_told),
        cmocka_unit_test(what_a_script_sets_is_gone_when_it_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
