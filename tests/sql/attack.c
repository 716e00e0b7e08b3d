/* SPDX-License-Identifier: MIT */
/*
 * What is tried on either engine. The numbers are those of the catalogue of
 * attacks.
 */
#include "two.h"

#include <ctxvar/transaction.h>

/* What comes of a call, which must not have been one on the database. */
#define assert_no_tenant(call)                                                 \
    do {                                                                       \
        assert_int_equal((call), -ENOKEY);                                     \
        assert_string_equal(cx_db_problem(), "no tenant in the context");      \
    } while (0)

static int read_rows(cx_db *db)
{
    int error = 0;
    Row row;

    CX_DB_EACH(db, &row_model, NULL, &row, &error) {
        fail();
    }
    return error;
}

static int begin(cx_db *db)
{
    int error = 0;

    CX_TRANSACTION(db, &error) {
        fail();
    }
    return error;
}

/* S1. */
TWO_TEST(without_a_tenant_nothing_is_read_or_written)
{
    Row row = {.id = 1, .name = CX_TEXT("x")};
    cx_db_stats before, after;
    CX_ARENA(arena);

    assert_ok(cx_db_stats_get(db, NULL, &before));
    assert_no_tenant(run(db, "SELECT 1"));
    assert_no_tenant(cx_db_find(db, &row_model, &row, &arena));
    assert_no_tenant(cx_db_insert(db, &row_model, &row));
    assert_no_tenant(cx_db_update(db, &row_model, &row, NULL));
    assert_no_tenant(cx_db_delete(db, &row_model, &row));
    assert_no_tenant(read_rows(db));
    assert_no_tenant(begin(db));
    assert_ok(cx_db_stats_get(db, NULL, &after));
    assert_int_equal(after.leases, before.leases);
}

/* S17. */
TWO_TEST(a_cached_statement_is_the_tenants_own)
{
    for (int i = 0; i < 6; i++) {
        Row row = {.id = 7};
        CX_ARENA(arena);

        CX_WITH_TENANT(i % 2 == 0 ? two->a : two->b) {
            assert_users(db, i % 2 == 0 ? "open" : "SECRET");
            assert_ok(cx_db_find(db, &row_model, &row, &arena));
        }
        assert_string_equal(row.name.data, i % 2 == 0 ? "open 7" : "SECRET 7");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_tenant_nothing_is_read_or_written),
        cmocka_unit_test(a_cached_statement_is_the_tenants_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
