/* SPDX-License-Identifier: MIT */
/*
 * A statement that changes rows and gives some is done as a whole, or nothing
 * of it is.
 */
#include "returning.h"

#include <ctxvar/transaction.h>

/* What is left of a change by any of the two calls, which both fail. */
static void assert_undone(cx_db *db, const char *text, int error)
{
    int64_t before = count_users(db);
    cx_rows rows;
    int n = 0;

    assert_int_equal(cx_db_sql(db, text, NULL, &rows), error);
    assert_int_equal(cx_db_sql_each(db, text, NULL, count_row, &n), error);
    assert_int_equal(n, 0);
    assert_int_equal(count_users(db), before);
}

static void add_many(cx_db *db)
{
    assert_ok(run(db, INSERT_MANY));
    assert_int_equal(count_users(db), 1000);
}

static void *add_zoe(void *db)
{
    (void)user_add(db, "Zoe", 1);
    return NULL;
}

/* Another connection may write. */
static void let_another_write(cx_db *db)
{
    cx_task *task = cx_task_create(add_zoe, db);

    assert_non_null(task);
    assert_int_equal(cx_await(task, NULL), 0);
    assert_ok(run(db, "DELETE FROM users WHERE name = 'Zoe'"));
}

BOUND_TEST(an_insert_whose_rows_are_too_many_is_undone)
{
    assert_undone(db, INSERT_MANY, -E2BIG);
    let_another_write(db);
}

BOUND_TEST(an_update_or_a_delete_whose_rows_are_too_many_is_undone)
{
    add_many(db);
    assert_undone(db, "UPDATE users SET rank = 7 RETURNING name", -E2BIG);
    assert_int_equal(number(db, "SELECT max(rank) FROM users"), 0);
    assert_undone(db, "DELETE FROM users RETURNING name", -E2BIG);
    let_another_write(db);
}

BOUND_TEST(one_row_that_is_too_large_undoes_the_change)
{
    assert_undone(db,
                  "INSERT INTO users (name) VALUES ('x')"
                  " RETURNING zeroblob(100000)",
                  -E2BIG);
}

/* What a transaction had before stays, and what it does afterwards. */
static void change_too_much_between(cx_db *db, const char *before,
                                    const char *after)
{
    (void)user_add(db, before, 1);
    assert_undone(db, INSERT_MANY, -E2BIG);
    (void)user_add(db, after, 1);
}

BOUND_TEST(a_transaction_around_what_is_undone_lives_on)
{
    int error, within;

    CX_TRANSACTION(db, &error) {
        change_too_much_between(db, "a", "b");
        CX_TRANSACTION(db, &within) {
            change_too_much_between(db, "c", "d");
            within = 0;
        }
        assert_ok(within);
        CX_TRANSACTION(db, &within) {
            change_too_much_between(db, "e", "f");
            within = -7;
        }
        error = 0;
    }
    assert_ok(error);
    assert_int_equal(count_users(db), 4);
    let_another_write(db);
}

static int insert_many_within(const cx_param *fields, size_t n, void *arg)
{
    (void)fields;
    (void)n;
    assert_int_equal(cx_db_sql_each(arg, INSERT_MANY, NULL, count_row, &n),
                     -E2BIG);
    assert_ok(run(arg, "UPDATE users SET rank = rank + 1"));
    return 0;
}

BOUND_TEST(rows_that_are_being_read_around_what_is_undone_go_on)
{
    for (int i = 0; i < 200; i++) {
        char name[32];

        (void)snprintf(name, sizeof(name), "user %d", i);
        (void)user_add(db, name, 1);
    }
    assert_ok(cx_db_sql_each(db, "SELECT id FROM users", NULL,
                             insert_many_within, db));
    assert_int_equal(number(db, "SELECT min(rank) FROM users"), 200);
    assert_int_equal(count_users(db), 200);
    let_another_write(db);
}

/* As many as there are bytes for, and one byte more. */
BOUND_TEST(the_bound_is_that_of_rows_that_are_read)
{
    static const char text[] =
        "INSERT INTO users (name) VALUES (zeroblob(1)) RETURNING zeroblob($1)";
    const int most =
        ROWS_BYTES - (int)(2 * sizeof(cx_param) + sizeof(max_align_t));
    cx_rows rows;

    assert_int_equal(cx_db_sql(db, text, CX_PARAMS(most + 1), &rows), -E2BIG);
    assert_int_equal(count_users(db), 0);
    assert_ok(cx_db_sql(db, text, CX_PARAMS(most), &rows));
    assert_int_equal(rows.field->blob.len, most);
    cx_rows_fini(&rows);
    assert_int_equal(count_users(db), 1);
}

/* Else SQLite keeps what was changed up to there. */
USERS_TEST(a_change_that_fails_in_the_middle_has_changed_nothing)
{
    (void)user_add(db, "Ann", 1);
    assert_undone(db,
                  "INSERT OR FAIL INTO users (name) VALUES ('Bob'), ('Ann')"
                  " RETURNING id",
                  -EEXIST);
    let_another_write(db);
}

USERS_TEST(a_change_that_ends_its_transaction_is_told_of)
{
    static const char text[] =
        "INSERT OR ROLLBACK INTO users (name) VALUES ('Bob'), ('Ann')"
        " RETURNING id";
    int error;

    (void)user_add(db, "Ann", 1);
    assert_undone(db, text, -EEXIST);
    CX_TRANSACTION(db, &error) {
        (void)user_add(db, "Cid", 1);
        assert_int_equal(run(db, text), -EEXIST);
        assert_int_equal(run(db, "SELECT 1"), -ECONNABORTED);
        error = 0;
    }
    assert_int_equal(error, -ECONNABORTED);
    assert_int_equal(count_users(db), 1);
}

/* It is at the end that this is seen, when the rows are there. */
DB_TEST(a_reference_that_is_missed_at_the_end_undoes_the_change)
{
    cx_tenant *tenant;

    template_exec(folder, "CREATE TABLE users (id INTEGER PRIMARY KEY,"
                          " friend INTEGER REFERENCES users"
                          " DEFERRABLE INITIALLY DEFERRED)");
    tenant = tenant_make(db, "A");
    CX_WITH_TENANT(tenant) {
        assert_undone(db, "INSERT INTO users VALUES (1, 9) RETURNING id",
                      -EDOM);
        assert_ok(run(db, "INSERT INTO users VALUES (1, 1) RETURNING id"));
        assert_int_equal(count_users(db), 1);
    }
    cx_tenant_unref(tenant);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_insert_whose_rows_are_too_many_is_undone),
        cmocka_unit_test(
            an_update_or_a_delete_whose_rows_are_too_many_is_undone),
        cmocka_unit_test(one_row_that_is_too_large_undoes_the_change),
        cmocka_unit_test(a_transaction_around_what_is_undone_lives_on),
        cmocka_unit_test(rows_that_are_being_read_around_what_is_undone_go_on),
        cmocka_unit_test(the_bound_is_that_of_rows_that_are_read),
        cmocka_unit_test(a_change_that_fails_in_the_middle_has_changed_nothing),
        cmocka_unit_test(a_change_that_ends_its_transaction_is_told_of),
        cmocka_unit_test(
            a_reference_that_is_missed_at_the_end_undoes_the_change),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
