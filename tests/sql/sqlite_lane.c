/* SPDX-License-Identifier: MIT */
/*
 * A program's own statements run beside the loop, and their rows are read
 * ahead. The numbers are those of the catalogue of attacks.
 */
#include "two.h"

#include <ctxvar/migrate.h>

#include "threads.h"

/* S20: no step of it calls back. */
ATTACK(a_function_that_takes_long_keeps_nobody_waiting)
{
    static const char *const texts[] = {
        "SELECT hex(zeroblob(2000000)) LIKE"
        " '%' || hex(zeroblob(48)) || '1%'",
        "SELECT hex(zeroblob(2000000)) GLOB"
        " '*' || hex(zeroblob(48)) || '1*'",
        "SELECT trim(hex(zeroblob(2000000)), '10')",
        "SELECT upper(hex(zeroblob(4000000))), lower(hex(zeroblob(4000000))),"
        " length(hex(zeroblob(4000000))), quote(hex(zeroblob(4000000)))",
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct turn_count turns = {0, false};
        cx_task *task = cx_task_create(count_turns, &turns);

        assert_ok(run(db, texts[i]));
        if (turns.n < 5)
            fail_msg("%s: %d turns", texts[i], turns.n);
        turns.ended = true;
        assert_int_equal(cx_await(task, NULL), 0);
    }
}

/* Rows as they are given: the i-th says i. */
struct series {
    cx_db *db;
    int64_t n;
    int64_t stop; /* at this one; 0: never */
    const char *within;
};

static int take_next(const cx_param *fields, size_t n, void *arg)
{
    struct series *series = arg;

    assert_int_equal(n, 2);
    assert_int_equal(fields[0].i64, ++series->n);
    assert_int_equal(strspn(fields[1].text.data, "0"), fields[1].text.len);
    if (series->within != NULL)
        assert_ok(run(series->db, series->within));
    return series->n == series->stop ? 7 : 0;
}

/* So many rows, each with so many bytes. */
#define SERIES                                                                 \
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL"                              \
    " SELECT i + 1 FROM n LIMIT $1) SELECT i, hex(zeroblob($2 / 2)) FROM n"

ATTACK(rows_come_one_by_one_however_many_are_read_ahead)
{
    static const int sizes[][2] = {{1, 0},      {63, 2},       {64, 2},
                                   {65, 2},     {1000, 100},   {10, 65536},
                                   {10, 65534}, {3, 10000000}, {20000, 0}};

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct series series = {.n = 0};
        int error =
            cx_db_sql_each(db, SERIES, CX_PARAMS(sizes[i][0], sizes[i][1]),
                           take_next, &series);

        assert_ok(error);
        assert_int_equal(series.n, sizes[i][0]);
    }
}

ATTACK(rows_that_are_not_wanted_any_more_are_nobodys)
{
    for (int stop = 1; stop < 200; stop += 21) {
        struct series series = {.stop = stop};

        assert_int_equal(
            cx_db_sql_each(db, SERIES, CX_PARAMS(1000, 2), take_next, &series),
            7);
        assert_int_equal(series.n, stop);
    }
    assert_int_equal(number(db, "SELECT count(*) FROM users"), ROWS);
}

ATTACK(statements_within_a_statement_do_not_disturb_its_rows)
{
    static const char *const texts[] = {
        "SELECT id FROM users", "UPDATE users SET age = age",
        "WITH n (i) AS (VALUES (1), (2), (3)) SELECT i FROM n"};

    for (size_t i = 0; i < 3; i++) {
        struct series series = {.db = db, .within = texts[i]};

        assert_ok(
            cx_db_sql_each(db, SERIES, CX_PARAMS(300, 2), take_next, &series));
        assert_int_equal(series.n, 300);
    }
}

static int take_statement_again(const cx_param *fields, size_t n, void *arg)
{
    struct series *series = arg;
    struct series within = {.n = 0};

    assert_int_equal(fields[0].i64, ++series->n);
    (void)n;
    return cx_db_sql_each(series->db, SERIES, CX_PARAMS(100, 2), take_next,
                          &within);
}

ATTACK(a_statement_can_be_run_within_itself)
{
    struct series series = {.db = db};

    assert_ok(cx_db_sql_each(db, SERIES, CX_PARAMS(100, 2),
                             take_statement_again, &series));
    assert_int_equal(series.n, 100);
}

static int count_one(const cx_param *fields, size_t n, void *arg)
{
    (void)fields;
    (void)n;
    ++*(int *)arg;
    return 0;
}

/* What it says is told after the rows, whatever was done with them. */
static int count_and_fail(const cx_param *fields, size_t n, void *arg)
{
    struct series *series = arg;

    (void)fields;
    (void)n;
    series->n++;
    assert_int_equal(run(series->db, "SELECT nothing"), -EINVAL);
    return 0;
}

#define FAILS_AT_50                                                            \
    "SELECT CASE id WHEN 50 THEN abs(-9223372036854775807 - 1) END"            \
    " FROM users ORDER BY id"

ATTACK(rows_before_an_error_come_before_it)
{
    struct series series = {.db = db};
    int n = 0;

    assert_int_equal(cx_db_sql_each(db, FAILS_AT_50, NULL, count_one, &n),
                     -EDOM);
    assert_int_equal(n, 49);
    assert_string_equal(cx_db_problem(), "integer overflow");
    assert_int_equal(
        cx_db_sql_each(db, FAILS_AT_50, NULL, count_and_fail, &series), -EDOM);
    assert_int_equal(series.n, 49);
    assert_string_equal(cx_db_problem(), "integer overflow");
}

/* S20. */
TWO_TEST(a_statement_that_no_thread_can_be_had_for_is_told)
{
    cx_tenant *a;
    cx_db *again;
    int version;

    assert_ok(cx_db_open(folder->url, NULL, &again));
    assert_ok(cx_tenant_find(again, CX_TEXT("A"), &a));
    CX_WITH_TENANT(a) {
        assert_ok(cx_migrate_version(again, &version));
        refused_threads = 1;
        assert_int_equal(run(again, "SELECT 1"), -EAGAIN);
        assert_int_equal(refused_threads, 0);
        assert_users(again, "open");
    }
    cx_tenant_unref(a);
    assert_ok(cx_db_close(again));
}

/* Tasks whose statements are in the midst of something. */
struct busy {
    cx_db *db;
    int error;
};

static void *run_for_ever(void *arg)
{
    struct busy *busy = arg;

    busy->error =
        run(busy->db, "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1"
                      " FROM n) SELECT count(*) FROM n");
    return NULL;
}

/* S20: as many as one tenant may have, and the other's still run. */
ATTACK(statements_without_end_do_not_keep_another_tenants_waiting)
{
    struct busy busy[8];
    cx_task *tasks[8];

    for (int i = 0; i < 8; i++) {
        busy[i] = (struct busy){db, 1};
        tasks[i] = cx_task_create(run_for_ever, &busy[i]);
    }
    assert_int_equal(cx_yield(), 0);
    CX_WITH_TENANT(two->b) {
        for (int i = 0; i < 10; i++)
            assert_int_equal(number(db, "SELECT count(*) FROM users"), ROWS);
    }
    for (int i = 0; i < 8; i++) {
        assert_int_equal(busy[i].error, 1);
        assert_int_equal(cx_cancel(tasks[i]), 0);
    }
    for (int i = 0; i < 8; i++) {
        assert_int_equal(cx_await(tasks[i], NULL), 0);
        assert_int_equal(busy[i].error, -ECANCELED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_function_that_takes_long_keeps_nobody_waiting),
        cmocka_unit_test(rows_come_one_by_one_however_many_are_read_ahead),
        cmocka_unit_test(rows_that_are_not_wanted_any_more_are_nobodys),
        cmocka_unit_test(statements_within_a_statement_do_not_disturb_its_rows),
        cmocka_unit_test(a_statement_can_be_run_within_itself),
        cmocka_unit_test(rows_before_an_error_come_before_it),
        cmocka_unit_test(a_statement_that_no_thread_can_be_had_for_is_told),
        cmocka_unit_test(
            statements_without_end_do_not_keep_another_tenants_waiting),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
