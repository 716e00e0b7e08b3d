/* SPDX-License-Identifier: MIT */
/*
 * What errors of a server's are here. Values are never in the words, whatever
 * a statement makes of them.
 */
#include "users.h"

#include <ctxvar/transaction.h>

/* A statement that fails with a value at hand. */
static void assert_fails(cx_db *db, const char *statement, int error)
{
    int result = run(db, statement);

    if (result != error)
        fail_msg("%s: %d (%s)", statement, result, cx_db_problem());
    assert_string_not_equal(cx_db_problem(), "");
    if (strstr(cx_db_problem(), "SECRET") != NULL)
        fail_msg("%s: %s", statement, cx_db_problem());
}

USERS_TEST(an_error_that_is_raised_is_neither_believed_nor_repeated)
{
    (void)user_add(db, "SECRET", 1);
    assert_fails(db,
                 "DO $$ BEGIN RAISE undefined_table USING CONSTRAINT ="
                 " (SELECT name FROM users), TABLE = 'SECRET', COLUMN ="
                 " 'SECRET'; END $$",
                 -EDOM);
    assert_null(strstr(cx_db_problem(), "42P01"));
    assert_fails(db, "DO $$ BEGIN RAISE 'SECRET'; END $$", -EDOM);
    assert_fails(db, "DO $$ BEGIN RAISE SQLSTATE 'XX001'; END $$", -EDOM);
    assert_fails(db, "DO $$ BEGIN RAISE SQLSTATE '08006'; END $$", -EDOM);
    assert_fails(db, "DO $$ BEGIN ASSERT false, 'SECRET'; END $$", -EDOM);
    assert_int_equal(number(db, "SELECT count(*) FROM users"), 1);
}

USERS_TEST(a_name_that_is_made_of_a_value_is_not_told)
{
    (void)user_add(db, "SECRET", 1);
    assert_fails(db, "SELECT name::regclass FROM users", -EINVAL);
    assert_fails(db,
                 "SELECT query_to_xml('TABLE \"' || name || '\"', true, true,"
                 " '') FROM users",
                 -EINVAL);
    assert_fails(db,
                 "DO $$ BEGIN EXECUTE (SELECT format('TABLE %I', name) FROM"
                 " users); END $$",
                 -EINVAL);
    assert_fails(db, "SELECT name::regtype FROM users", -EINVAL);
    assert_fails(db, "SELECT name::regproc FROM users", -EINVAL);
    assert_fails(db, "SELECT name::regnamespace FROM users", -EINVAL);
    assert_fails(db, "SELECT set_config(name, '', true) FROM users", -EINVAL);
    assert_fails(db, "SELECT name::bigint FROM users", -EDOM);
}

USERS_TEST(a_name_in_a_statements_text_is_told)
{
    assert_fails(db, "SELECT * FROM nowhere", -EINVAL);
    assert_non_null(strstr(cx_db_problem(), "nowhere"));
    assert_fails(db, "SELECT nothing FROM users", -EINVAL);
    assert_non_null(strstr(cx_db_problem(), "nothing"));
    assert_fails(db, "SELECT no_function(1)", -EINVAL);
    assert_non_null(strstr(cx_db_problem(), "no_function"));
}

USERS_TEST(what_is_wrong_with_a_statement_is_told)
{
    static const char *const told[][3] = {
        {"SELECT id FROM users a, users b", "\"id\" is ambiguous", "42702"},
        {"SELECT name, count(*) FROM users", "\"users.name\" must", "42803"},
        {"SELECT CASE WHEN true THEN 1 ELSE now() END", "cannot be matched",
         "42804"},
        {"SELECT 1::integr", "\"integr\"", "42704"},
        {"SELECT now()::bigint", "timestamp", "42846"},
        {"SELECT 1 FROM users u, users u", "two tables of one name", "42712"},
    };

    for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++) {
        assert_fails(db, told[i][0], -EINVAL);
        if (strstr(cx_db_problem(), told[i][1]) == NULL ||
            strstr(cx_db_problem(), told[i][2]) == NULL)
            fail_msg("%s: %s", told[i][0], cx_db_problem());
    }
    assert_int_equal(
        cx_db_sql(db, "SELECT $1 IS NULL", CX_PARAMS((cx_maybe_i64){0}), NULL),
        -EINVAL);
    assert_string_equal(cx_db_problem(), "a parameter of no known type: write"
                                         " $1::bigint (SQLSTATE 42P18)");
}

/* Nobody here has asked for a cancel. */
USERS_TEST(a_statement_that_takes_longer_than_the_server_allows_is_late)
{
    int error;

    CX_TRANSACTION(db, &error) {
        assert_ok(run(db, "SET LOCAL statement_timeout = 1"));
        error = run(db, "SELECT pg_sleep(60)");
    }
    assert_int_equal(error, -ETIMEDOUT);
}

/* A statement that is kept is of the table as it was. */
USERS_TEST(a_table_that_its_owner_changes_is_told_once)
{
    User user = {.id = user_add(db, "Ann", 1)};
    int error;
    CX_ARENA(arena);

    assert_ok(cx_db_find(db, &user_model, &user, &arena));
    server_run(folder->url, "ALTER TABLE t1.users ALTER name TYPE varchar(20)");
    assert_int_equal(cx_db_find(db, &user_model, &user, &arena), -EBUSY);
    assert_non_null(strstr(cx_db_problem(), "try again"));
    assert_ok(cx_db_find(db, &user_model, &user, &arena));
    server_run(folder->url, "ALTER TABLE t1.users ALTER name TYPE text");
    CX_TRANSACTION(db, &error) {
        error = cx_db_find(db, &user_model, &user, &arena);
    }
    assert_int_equal(error, -EBUSY);
    CX_TRANSACTION(db, &error) {
        error = cx_db_find(db, &user_model, &user, &arena);
    }
    assert_ok(error);
}

USERS_TEST(each_error_has_its_number)
{
    static const struct {
        const char *statement;
        int error;
    } cases[] = {
        {"SELECT 1 / (SELECT 0)", -EDOM},
        {"SELECT 9223372036854775807 + (SELECT 1)", -EDOM},
        {"SELECT (SELECT generate_series(1, 2))", -EDOM},
        {"INSERT INTO users (name) VALUES (NULL)", -EDOM},
        {"FETCH nowhere", -EINVAL},
        {"EXECUTE nothing", -EINVAL},
        {"SELECT currval('users_id_seq')", -EINVAL},
        {"SELECT repeat('x', 2000000000)", -E2BIG},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_fails(db, cases[i].statement, cases[i].error);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            an_error_that_is_raised_is_neither_believed_nor_repeated),
        cmocka_unit_test(a_name_that_is_made_of_a_value_is_not_told),
        cmocka_unit_test(a_name_in_a_statements_text_is_told),
        cmocka_unit_test(what_is_wrong_with_a_statement_is_told),
        cmocka_unit_test(
            a_statement_that_takes_longer_than_the_server_allows_is_late),
        cmocka_unit_test(a_table_that_its_owner_changes_is_told_once),
        cmocka_unit_test(each_error_has_its_number),
    };

    return cmocka_run_group_tests_name("postgres error", tests, NULL, NULL);
}
