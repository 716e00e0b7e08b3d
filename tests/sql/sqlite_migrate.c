/* SPDX-License-Identifier: MIT */
/*
 * What a migration's script may do on SQLite: all that there is of tables and
 * their rows, and nothing else.
 */
#include "support.h"

#include <ctxvar/migrate.h>

/* A migration of a script alone, which becomes the database's next. */
static int migrate(cx_db *db, const char *script)
{
    const cx_migration list = {.version = 1, .name = "only", .sqlite = script};

    return cx_migrate(db, &list, 1, NULL, NULL);
}

/* The number that a statement gives a new tenant of a migrated database. */
static int64_t number_after(cx_db *db, const char *script, const char *insert,
                            const char *text)
{
    cx_tenant *tenant;
    int64_t value = -1;

    assert_ok(migrate(db, script));
    tenant = tenant_make(db, "A");
    CX_WITH_TENANT(tenant) {
        assert_ok(run(db, insert));
        value = number(db, text);
    }
    cx_tenant_unref(tenant);
    return value;
}

DB_TEST(a_number_that_counts_up_is_never_given_again)
{
    cx_tenant *tenant;

    assert_ok(migrate(db, "CREATE TABLE users (id INTEGER PRIMARY KEY"
                          " AUTOINCREMENT, name TEXT);"
                          "CREATE TABLE more (id INTEGER PRIMARY KEY"
                          " AUTOINCREMENT)"));
    tenant = tenant_make(db, "A");
    CX_WITH_TENANT(tenant) {
        assert_ok(run(db, "INSERT INTO users (name) VALUES ('x'), ('y')"));
        assert_ok(run(db, "DELETE FROM users"));
        assert_ok(run(db, "INSERT INTO users (name) VALUES ('z')"));
        assert_int_equal(number(db, "SELECT id FROM users"), 3);
        assert_int_equal(run(db, "SELECT * FROM sqlite_sequence"), -EACCES);
        assert_int_equal(run(db, "DELETE FROM sqlite_sequence"), -EACCES);
    }
    cx_tenant_unref(tenant);
}

DB_TEST(a_script_may_set_where_a_number_counts_from)
{
    assert_int_equal(
        number_after(db,
                     "CREATE TABLE users (id INTEGER PRIMARY KEY"
                     " AUTOINCREMENT, name TEXT);"
                     "INSERT INTO sqlite_sequence VALUES ('users', 1000)",
                     "INSERT INTO users (name) VALUES ('x')",
                     "SELECT id FROM users"),
        1001);
}

DB_TEST(a_table_that_counts_up_is_changed_and_goes)
{
    assert_int_equal(
        number_after(db,
                     "CREATE TABLE a (id INTEGER PRIMARY KEY AUTOINCREMENT);"
                     "CREATE TABLE b (id INTEGER PRIMARY KEY AUTOINCREMENT);"
                     "INSERT INTO a VALUES (7); DROP TABLE b;"
                     "ALTER TABLE a RENAME TO b;",
                     "INSERT INTO b DEFAULT VALUES", "SELECT max(id) FROM b"),
        8);
}

DB_TEST(columns_have_defaults_checks_and_computed_values)
{
    static const char script[] =
        "CREATE TABLE t (a INTEGER NOT NULL CHECK (a > 0),"
        " b INTEGER DEFAULT (abs(-3)), c AS (a + b) STORED,"
        " d INTEGER AS (c * 2) VIRTUAL, e TEXT UNIQUE DEFAULT 'x',"
        " f TEXT DEFAULT CURRENT_TIMESTAMP, UNIQUE (a, b), CHECK (d < 100))";

    assert_int_equal(number_after(db, script, "INSERT INTO t (a) VALUES (1)",
                                  "SELECT d FROM t"),
                     8);
}

DB_TEST(tables_are_strict_or_without_numbers_and_refer_to_others)
{
    static const char script[] =
        "CREATE TABLE a (k TEXT PRIMARY KEY, n INTEGER) WITHOUT ROWID;"
        "CREATE TABLE b (k TEXT REFERENCES a (k) ON DELETE CASCADE"
        " DEFERRABLE INITIALLY DEFERRED, n INT) STRICT;"
        "INSERT INTO a VALUES ('x', 1);"
        "INSERT INTO b VALUES ('x', 2)";

    assert_int_equal(
        number_after(db, script, "DELETE FROM a", "SELECT count(*) FROM b"), 0);
}

DB_TEST(indexes_are_partial_or_of_expressions)
{
    static const char script[] =
        "CREATE TABLE t (a INTEGER, b TEXT COLLATE NOCASE);"
        "CREATE UNIQUE INDEX part ON t (a) WHERE b IS NOT NULL;"
        "CREATE INDEX expression ON t (lower(b), a + 1 DESC);"
        "CREATE INDEX gone ON t (b); REINDEX t; DROP INDEX gone";

    assert_int_equal(number_after(db, script,
                                  "INSERT INTO t VALUES (1, NULL), (1, 'b')",
                                  "SELECT a FROM t WHERE lower(b) = 'b'"),
                     1);
}

DB_TEST(tables_are_altered)
{
    static const char script[] =
        "CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT, c TEXT);"
        "INSERT INTO t VALUES (1, 'b', 'c');"
        "ALTER TABLE t ADD COLUMN d INTEGER NOT NULL DEFAULT 5;"
        "ALTER TABLE t ADD COLUMN e INTEGER DEFAULT 6 CHECK (e > 0);"
        "ALTER TABLE t ADD COLUMN f INTEGER AS (d + e) VIRTUAL NOT NULL;"
        "ALTER TABLE t ADD COLUMN g INTEGER REFERENCES t (a);"
        "ALTER TABLE t RENAME COLUMN a TO z;"
        "ALTER TABLE t DROP COLUMN b;"
        "ALTER TABLE t RENAME TO u";

    assert_int_equal(number_after(db, script, "UPDATE u SET z = z + 1",
                                  "SELECT z + d + e + f FROM u WHERE c = 'c'"),
                     2 + 5 + 6 + 11);
}

DB_TEST(rows_are_moved_from_table_to_table)
{
    static const char script[] =
        "CREATE TABLE a (id INTEGER PRIMARY KEY, n INTEGER);"
        "INSERT INTO a VALUES (1, 10), (2, 20);"
        "CREATE TABLE b AS SELECT id, n FROM a;"
        "INSERT INTO b SELECT id + 2, n FROM a;"
        "UPDATE b SET n = b.n + a.n FROM a WHERE a.id = b.id;"
        "INSERT INTO a VALUES (1, 5) ON CONFLICT (id) DO UPDATE SET n = 7;"
        "WITH r AS (SELECT max(id) AS id FROM b)"
        " DELETE FROM b WHERE id = (SELECT id FROM r);"
        "REPLACE INTO a VALUES (2, 1)";

    assert_int_equal(number_after(db, script, "DELETE FROM b WHERE id = 1",
                                  "SELECT sum(n) FROM b"),
                     40 + 10);
}

DB_TEST(what_else_can_be_made_is_refused_by_its_name)
{
    static const char *const refused[][2] = {
        {"CREATE VIEW v AS SELECT 1", "views"},
        {"CREATE TEMP VIEW v AS SELECT 1", "temporary tables"},
        {"CREATE TRIGGER r AFTER INSERT ON t BEGIN SELECT 1; END", "triggers"},
        {"CREATE TEMP TRIGGER r AFTER INSERT ON t BEGIN SELECT 1; END",
         "temporary tables"},
        {"CREATE TEMP TABLE u (a)", "temporary tables"},
        {"CREATE VIRTUAL TABLE u USING fts5 (a)", "virtual tables"},
    };

    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        char script[128], words[128];

        (void)snprintf(script, sizeof(script), "CREATE TABLE t (a); %s",
                       refused[i][0]);
        (void)snprintf(words, sizeof(words),
                       "version 1, only: a migration makes no %s",
                       refused[i][1]);
        assert_int_equal(migrate(db, script), -EACCES);
        assert_string_equal(cx_db_problem(), words);
    }
}

DB_TEST(what_is_no_matter_of_tables_and_rows_is_refused)
{
    static const char *const scripts[] = {
        "PRAGMA user_version = 7",
        "PRAGMA writable_schema = 1",
        "ATTACH ':memory:' AS x",
        "COMMIT",
        "SAVEPOINT x",
        "SELECT * FROM cx_room",
        "DELETE FROM cx_migrations",
        "DROP TABLE cx_migrations",
        "ALTER TABLE cx_room RENAME TO x",
        "CREATE INDEX x ON cx_room (id)",
        "CREATE TABLE cx_mine (a)",
        "SELECT load_extension('x')",
    };

    for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
        if (migrate(db, scripts[i]) != -EACCES)
            fail_msg("%s: %s", scripts[i], cx_db_problem());
    }
    /* Before anybody is asked whether they may. */
    assert_int_equal(migrate(db, "VACUUM"), -EINVAL);
    assert_int_equal(migrate(db, "DELETE FROM sqlite_master"), -EINVAL);
    assert_int_equal(migrate(db, "CREATE TABLE sqlite_sequence (a)"), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_number_that_counts_up_is_never_given_again),
        cmocka_unit_test(a_script_may_set_where_a_number_counts_from),
        cmocka_unit_test(a_table_that_counts_up_is_changed_and_goes),
        cmocka_unit_test(columns_have_defaults_checks_and_computed_values),
        cmocka_unit_test(
            tables_are_strict_or_without_numbers_and_refer_to_others),
        cmocka_unit_test(indexes_are_partial_or_of_expressions),
        cmocka_unit_test(tables_are_altered),
        cmocka_unit_test(rows_are_moved_from_table_to_table),
        cmocka_unit_test(what_else_can_be_made_is_refused_by_its_name),
        cmocka_unit_test(what_is_no_matter_of_tables_and_rows_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
