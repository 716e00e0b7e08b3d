/* SPDX-License-Identifier: MIT */
/* Statements that change rows and give some. */
#include "returning.h"

#include <ctxvar/deadline.h>
#include <ctxvar/sync.h>
#include <ctxvar/transaction.h>

/* A writer that waits for another one. */
struct pair {
    cx_db *db;
    cx_tenant *other;
    int rows;
    int error;
};

static void *set_rank(void *arg)
{
    struct pair *pair = arg;

    pair->error = run(pair->db, "UPDATE users SET rank = rank + 10");
    return NULL;
}

static int await_writer(const cx_param *fields, size_t n, void *arg)
{
    struct pair *pair = arg;
    cx_task *task = cx_task_create(set_rank, pair);

    (void)fields;
    (void)n;
    assert_non_null(task);
    assert_int_equal(cx_await(task, NULL), 0);
    pair->rows++;
    return pair->error;
}

USERS_TEST(another_writer_is_waited_for_within_the_rows_of_a_change)
{
    struct pair pair = {.db = db};

    (void)user_add(db, "Ann", 1);
    (void)user_add(db, "Bob", 2);
    CX_TIMEOUT(20000) {
        assert_ok(cx_db_sql_each(db,
                                 "UPDATE users SET rank = rank + 1"
                                 " RETURNING id",
                                 NULL, await_writer, &pair));
    }
    assert_int_equal(pair.rows, 2);
    assert_int_equal(number(db, "SELECT CAST(sum(rank) AS bigint) FROM users"),
                     42);
}

/* Each is at its rows before either goes on. */
static cx_barrier *both;

static int write_at_other(const cx_param *fields, size_t n, void *arg)
{
    struct pair *pair = arg;
    int error = cx_barrier_wait(both);

    (void)fields;
    (void)n;
    pair->rows++;
    CX_WITH_TENANT(pair->other) {
        if (error >= 0)
            error = run(pair->db, "UPDATE users SET rank = rank + 10");
    }
    return error;
}

static void *write_at_both(void *arg)
{
    struct pair *pair = arg;

    CX_TIMEOUT(20000) {
        pair->error = cx_db_sql_each(
            pair->db, "UPDATE users SET rank = rank + 1 RETURNING id", NULL,
            write_at_other, pair);
    }
    return NULL;
}

USERS_TEST(two_tenants_write_at_each_other_within_the_rows_of_a_change)
{
    cx_tenant *other = tenant_make(db, "B");
    struct pair pairs[2] = {{.db = db, .other = other},
                            {.db = db, .other = tenant}};
    cx_tenant *const tenants[2] = {tenant, other};
    cx_task *tasks[2];

    both = cx_barrier_new(2);
    assert_non_null(both);
    for (int i = 0; i < 2; i++) {
        CX_WITH_TENANT(tenants[i]) {
            (void)user_add(db, "Ann", 1);
            tasks[i] = cx_task_create(write_at_both, &pairs[i]);
        }
        assert_non_null(tasks[i]);
    }
    for (int i = 0; i < 2; i++)
        assert_int_equal(cx_await(tasks[i], NULL), 0);
    for (int i = 0; i < 2; i++) {
        assert_ok(pairs[i].error);
        assert_int_equal(pairs[i].rows, 1);
        CX_WITH_TENANT(tenants[i]) {
            assert_int_equal(number(db, "SELECT rank FROM users"), 11);
        }
    }
    (void)cx_barrier_free(both);
    cx_tenant_unref(other);
}

BOUND_TEST(rows_that_are_not_wanted_have_no_bound)
{
    assert_ok(run(db, INSERT_MANY));
    assert_int_equal(count_users(db), 1000);
    assert_ok(run(db, "DELETE FROM users RETURNING name"));
    assert_int_equal(count_users(db), 0);
}

BOUND_TEST(rows_that_are_wanted_once_may_not_be_the_next_time)
{
    static const char text[] = "UPDATE users SET rank = 1 RETURNING id";
    cx_rows rows;

    (void)user_add(db, "Ann", 1);
    for (int i = 0; i < 3; i++) {
        int n = 0;

        assert_ok(run(db, text));
        assert_ok(cx_db_sql(db, text, NULL, &rows));
        assert_int_equal(rows.len, 1);
        assert_int_equal(rows.changed, 1);
        cx_rows_fini(&rows);
        assert_ok(run(db, text));
        assert_ok(cx_db_sql_each(db, text, NULL, count_row, &n));
        assert_int_equal(n, 1);
    }
}

BOUND_TEST(a_transaction_lives_on_when_the_rows_of_a_change_are_too_many)
{
    cx_rows rows;
    int error;

    CX_TRANSACTION(db, &error) {
        (void)user_add(db, "Ann", 1);
        assert_int_equal(cx_db_sql(db, INSERT_MANY, NULL, &rows), -E2BIG);
        (void)user_add(db, "Bob", 1);
        error = 0;
    }
    assert_ok(error);
    assert_int_equal(count_users(db), server() == NULL ? 2 : 1002);
}

/* They come one by one from a server, which is the reason for the call. */
BOUND_TEST(rows_of_a_change_that_are_taken_one_by_one_are_kept_on_sqlite)
{
    int n = 0;
    int error = cx_db_sql_each(db, INSERT_MANY, NULL, count_row, &n);

    assert_int_equal(error, server() == NULL ? -E2BIG : 0);
    assert_int_equal(n, server() == NULL ? 0 : 1000);
    assert_int_equal(count_users(db), n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            another_writer_is_waited_for_within_the_rows_of_a_change),
        cmocka_unit_test(
            two_tenants_write_at_each_other_within_the_rows_of_a_change),
        cmocka_unit_test(rows_that_are_not_wanted_have_no_bound),
        cmocka_unit_test(rows_that_are_wanted_once_may_not_be_the_next_time),
        cmocka_unit_test(
            a_transaction_lives_on_when_the_rows_of_a_change_are_too_many),
        cmocka_unit_test(
            rows_of_a_change_that_are_taken_one_by_one_are_kept_on_sqlite),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
