/* SPDX-License-Identifier: MIT */
/*
 * Functions that take the place of SQLite's own: they give the same, and not
 * after minutes. The numbers are those of the catalogue of attacks.
 */
#include "two.h"

/* What SQLite itself makes of a statement that gives one text. */
static void ask_sqlite(sqlite3 *plain, const char *text, char *answer,
                       size_t size)
{
    sqlite3_stmt *statement;

    assert_int_equal(sqlite3_prepare_v2(plain, text, -1, &statement, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    (void)snprintf(answer, size, "%s", sqlite3_column_text(statement, 0));
    assert_int_equal(sqlite3_finalize(statement), SQLITE_OK);
}

static void assert_same(cx_db *db, sqlite3 *plain, const char *text)
{
    char answer[2048];
    cx_rows rows;

    ask_sqlite(plain, text, answer, sizeof(answer));
    assert_ok(cx_db_sql(db, text, NULL, &rows));
    if (strcmp(rows.field->text.data, answer) != 0)
        fail_msg("%s: %s and not %s", text, rows.field->text.data, answer);
    cx_rows_fini(&rows);
}

/* Pieces of which values are made: letters, parts of characters, NULs. */
static const char *const pieces[] = {"61", "62", "C3A9", "C3", "A9", "00"};

static unsigned random_below(unsigned *seed, unsigned n)
{
    *seed = *seed * 1103515245 + 12345;
    return (*seed >> 16) % n;
}

/* A value, as SQL writes it: of bytes, as text or not; or another. */
static void make_value(char *to, size_t size, unsigned *seed, unsigned most)
{
    static const char *const others[] = {"NULL", "1211", "-2.5", "''", "x''"};
    char bytes[128] = "";
    unsigned n = random_below(seed, most + 1);

    if (random_below(seed, 10) == 0) {
        (void)snprintf(to, size, "%s", others[random_below(seed, 5)]);
        return;
    }
    for (unsigned i = 0; i < n; i++)
        (void)strcat(bytes, pieces[random_below(seed, 6)]);
    (void)snprintf(to, size,
                   random_below(seed, 3) == 0 ? "x'%s'" : "CAST(x'%s' AS TEXT)",
                   bytes);
}

/* S20. */
ATTACK(the_functions_give_what_sqlites_own_do)
{
    unsigned seed = 1;
    sqlite3 *plain;

    assert_int_equal(sqlite3_open(":memory:", &plain), SQLITE_OK);
    for (int i = 0; i < 5000; i++) {
        char in[192], what[192], with[192], text[4096];

        make_value(in, sizeof(in), &seed, 12);
        make_value(what, sizeof(what), &seed, 3);
        make_value(with, sizeof(with), &seed, 3);
        (void)snprintf(text, sizeof(text),
                       "SELECT quote(instr(%s, %s)) || ' ' ||"
                       " hex(replace(%s, %s, %s)) || ' ' ||"
                       " typeof(replace(%s, %s, %s)) || ' ' ||"
                       " ifnull(hex(trim(%s, %s)), 'NULL') || ' ' ||"
                       " ifnull(hex(ltrim(%s, %s)), 'NULL') || ' ' ||"
                       " ifnull(hex(rtrim(%s, %s)), 'NULL')",
                       in, what, in, what, with, in, what, with, in, what, in,
                       what, in, what);
        assert_same(db, plain, text);
    }
    assert_int_equal(sqlite3_close(plain), SQLITE_OK);
}

/* S20: with a million of them it would be days. */
ATTACK(trimming_takes_a_hundred_characters_and_no_more)
{
    assert_int_equal(number(db, "SELECT length(trim(hex(zeroblob(1000)),"
                                " hex(zeroblob(50))))"),
                     0);
    assert_int_equal(run(db, "SELECT trim('x', hex(zeroblob(50)) || '1')"),
                     -E2BIG);
}

/* S20: it would be hours. */
ATTACK(searching_for_what_is_long_is_not_long)
{
    assert_int_equal(number(db, "SELECT instr(hex(zeroblob(10000000)),"
                                " hex(zeroblob(5000000)) || '1')"),
                     0);
    assert_int_equal(number(db, "SELECT length(replace(hex(zeroblob(10000000)),"
                                " hex(zeroblob(5000000)) || '1', ''))"),
                     20000000);
}

/* S20: what goes in takes a megabyte, what comes out would take twenty. */
ATTACK(a_result_that_memory_lacks_for_is_told)
{
    static char letters[(1 << 20) + 1];
    static const char text[] = "SELECT length(replace($1, hex(zeroblob(512)),"
                               " hex(zeroblob(10240))))";

    memset(letters, '0', sizeof(letters) - 1);
    (void)sqlite3_hard_heap_limit64(sqlite3_memory_used() + (8 << 20));
    assert_int_equal(cx_db_sql(db, text, CX_PARAMS(letters), NULL), -ENOMEM);
    (void)sqlite3_hard_heap_limit64(0);
    assert_ok(cx_db_sql(db, text, CX_PARAMS(letters), NULL));
}

/* Also when the tables have changed since the connection was made. */
ATTACK(tables_of_json_show_what_they_are_given)
{
    cx_rows rows;

    for (int i = 0; i < 2; i++) {
        assert_ok(cx_db_sql(db, "SELECT value FROM json_each($1)",
                            CX_PARAMS("[5, \"x\", {\"y\": 7}]"), &rows));
        assert_int_equal(rows.len, 3);
        assert_int_equal(rows.field[0].i64, 5);
        cx_rows_fini(&rows);
        assert_int_equal(number(db, "SELECT count(*) FROM users, json_tree("
                                    "'{\"a\": [1, 2]}') WHERE atom = users.id"),
                         2);
        file_exec(folder, "t1.db", "CREATE TABLE x (y); DROP TABLE x");
    }
    assert_all_unknown(db, "DELETE FROM json_each",
                       "CREATE VIRTUAL TABLE x USING json_each");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_functions_give_what_sqlites_own_do),
        cmocka_unit_test(trimming_takes_a_hundred_characters_and_no_more),
        cmocka_unit_test(searching_for_what_is_long_is_not_long),
        cmocka_unit_test(a_result_that_memory_lacks_for_is_told),
        cmocka_unit_test(tables_of_json_show_what_they_are_given),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
