/* SPDX-License-Identifier: MIT */
/* Rows that are still to come when the connection is wanted for another. */
#include "users.h"

#include <malloc.h>

#include <ctxvar/deadline.h>

enum { ROWS = 20000 };

struct reading {
    cx_db *db;
    int64_t n;
    int64_t sum;
    size_t bytes; /* of the heap, once all is in memory */
};

static int read_row(const cx_param *fields, size_t n, void *arg)
{
    struct reading *reading = arg;

    (void)n;
    if (reading->n++ == 0) {
        size_t before = mallinfo2().uordblks;

        assert_int_equal(number(reading->db, "SELECT 1"), 1);
        reading->bytes = mallinfo2().uordblks - before;
    }
    assert_int_equal(fields[0].i64, reading->n);
    assert_true(fields[1].kind == CX_KIND_NULL);
    assert_int_equal(fields[2].text.len, 2);
    assert_string_equal(fields[2].text.data, "ab");
    reading->sum += fields[0].i64;
    return 0;
}

USERS_TEST(rows_that_are_put_by_take_what_their_values_take)
{
    struct reading reading = {.db = db};

    assert_ok(cx_db_sql_each(db,
                             "SELECT g::bigint, NULL::bigint, 'ab'::text FROM"
                             " generate_series(1, 20000) g",
                             NULL, read_row, &reading));
    assert_int_equal(reading.n, ROWS);
    assert_int_equal(reading.sum, (int64_t)ROWS * (ROWS + 1) / 2);
    assert_in_range(reading.bytes, 0, ROWS * 256);
}

static int ask_another(const cx_param *fields, size_t n, void *arg)
{
    struct reading *reading = arg;

    (void)fields;
    (void)n;
    reading->n++;
    return run(reading->db, "SELECT 1");
}

USERS_TEST(an_error_after_the_rows_comes_after_them)
{
    struct reading reading = {.db = db};

    assert_int_equal(cx_db_sql_each(db,
                                    "SELECT 1 / (5 - g) FROM"
                                    " generate_series(1, 10) g",
                                    NULL, ask_another, &reading),
                     -EDOM);
    assert_int_equal(reading.n, 4);
}

USERS_TEST(what_was_put_by_may_be_left)
{
    User user;
    int error, n = 0;

    for (int i = 0; i < 10; i++) {
        char name[] = {(char)('a' + i), '\0'};

        (void)user_add(db, name, i);
    }
    CX_DB_EACH(db, &user_model, NULL, &user, &error) {
        if (n++ == 5)
            break;
        assert_int_equal(number(db, "SELECT count(*) FROM users"), 10);
    }
    assert_ok(error);
    CX_DB_EACH(db, &user_model, NULL, &user, &error)
        n++;
    assert_ok(error);
    assert_int_equal(n, 16);
}

/* Each has its own, one within the other. */
USERS_TEST(statements_within_statements_are_put_by_each)
{
    User outer, inner;
    int error, within, n = 0;

    for (int i = 0; i < 5; i++) {
        char name[] = {(char)('a' + i), '\0'};

        (void)user_add(db, name, i);
    }
    CX_DB_EACH(db, &user_model, NULL, &outer, &error) {
        CX_DB_EACH(db, &user_model, NULL, &inner, &within)
            n += (int)number(db, "SELECT 1");
        assert_ok(within);
    }
    assert_ok(error);
    assert_int_equal(n, 25);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_that_are_put_by_take_what_their_values_take),
        cmocka_unit_test(an_error_after_the_rows_comes_after_them),
        cmocka_unit_test(what_was_put_by_may_be_left),
        cmocka_unit_test(statements_within_statements_are_put_by_each),
    };

    return cmocka_run_group_tests_name("postgres stash", tests, NULL, NULL);
}
