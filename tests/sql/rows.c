/* SPDX-License-Identifier: MIT */
/* How much of what a statement gives is kept in memory at once. */
#include "two.h"

#define SERIES                                                                 \
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"          \
    " WHERE i < 1000) SELECT i, CAST($1 AS text) FROM n"

static const char text[] = "0123456789012345678901234567890123456789";

static int count_row(const cx_param *fields, size_t n, void *arg)
{
    (void)fields;
    (void)n;
    ++*(int *)arg;
    return 0;
}

/* As the current tenant, in a database that keeps so many bytes at most. */
static void with_bound(const struct folder *folder, size_t bytes,
                       void (*fn)(cx_db *db))
{
    cx_db_options options = {.rows_bytes = bytes};
    cx_tenant *tenant;
    cx_db *db;

    assert_ok(cx_db_open(folder->url, &options, &db));
    assert_ok(cx_tenant_find(db, cx_tenant_name(cx_tenant_current()), &tenant));
    CX_WITH_TENANT(tenant) {
        fn(db);
    }
    cx_tenant_unref(tenant);
    assert_ok(cx_db_close(db));
}

static void take_too_many(cx_db *db)
{
    cx_rows rows = {.len = 0};
    int n = 0;

    assert_int_equal(cx_db_sql(db, SERIES, CX_PARAMS(text), &rows), -E2BIG);
    assert_string_equal(cx_db_problem(), "the rows take too much memory");
    assert_int_equal(rows.len, 0);
    assert_ok(cx_db_sql_each(db, SERIES, CX_PARAMS(text), count_row, &n));
    assert_int_equal(n, 1000);
    assert_ok(cx_db_sql(db, SERIES, CX_PARAMS(text), NULL));
}

/* S20. */
ATTACK(rows_that_take_too_much_memory_are_taken_one_by_one)
{
    with_bound(folder, 50000, take_too_many);
}

static void take_all(cx_db *db)
{
    cx_rows rows;

    assert_ok(cx_db_sql(db, SERIES, CX_PARAMS(text), &rows));
    assert_int_equal(rows.len, 1000);
    cx_rows_fini(&rows);
}

ATTACK(rows_that_there_is_memory_for_are_kept)
{
    with_bound(
        folder,
        1000 * (4 * sizeof(cx_param) + sizeof(max_align_t) + sizeof(text) - 1),
        take_all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_that_take_too_much_memory_are_taken_one_by_one),
        cmocka_unit_test(rows_that_there_is_memory_for_are_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
