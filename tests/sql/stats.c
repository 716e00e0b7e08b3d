/* SPDX-License-Identifier: MIT */
/* What is counted of connections. */
#include "many.h"

static cx_db_stats stats_of(const struct many *many, int tenant)
{
    cx_db_stats stats;

    assert_ok(cx_db_stats_get(
        many->db, tenant >= 0 ? many->tenants[tenant] : NULL, &stats));
    return stats;
}

enum { ALL = -1 };

TASK_TEST(a_connection_is_opened_once_and_given_often)
{
    cx_db_stats before, after;
    struct many many;

    many_make(&many, NULL, 2);
    before = stats_of(&many, 0);
    for (int i = 0; i < 5; i++)
        assert_own_row(&many, 0);
    after = stats_of(&many, 0);
    assert_int_equal(after.leases, before.leases + 5);
    assert_int_equal(after.opened, 1);
    assert_int_equal(after.idle, 1);
    assert_int_equal(after.used, 0);
    assert_int_equal(after.waits, 0);
    assert_int_equal(after.refused, 0);
    many_end(&many);
}

TASK_TEST(a_connection_is_used_while_a_task_has_it)
{
    struct holder holder;
    struct many many;
    cx_task *task;

    many_make(&many, NULL, 2);
    task = holder_start(&holder, &many, 0);
    assert_int_equal(cx_event_wait(holder.held), 0);
    assert_int_equal(stats_of(&many, 0).used, 1);
    assert_int_equal(stats_of(&many, 0).idle, 0);
    holder_end(&holder, task);
    assert_int_equal(stats_of(&many, 0).used, 0);
    assert_int_equal(stats_of(&many, 0).idle, 1);
    many_end(&many);
}

TASK_TEST(all_is_the_sum_of_the_tenants)
{
    struct many many;
    cx_db_stats all;

    many_make(&many, NULL, 3);
    assert_own_row(&many, 1);
    assert_own_row(&many, 2);
    assert_own_row(&many, 2);
    all = stats_of(&many, ALL);
    assert_int_equal(all.opened, 3);
    assert_int_equal(all.idle, 3);
    assert_int_equal(all.leases, stats_of(&many, 0).leases +
                                     stats_of(&many, 1).leases +
                                     stats_of(&many, 2).leases);
    assert_int_equal(stats_of(&many, 2).leases, stats_of(&many, 0).leases + 2);
    many_end(&many);
}

TASK_TEST(who_waits_is_counted_and_who_gives_up_is)
{
    cx_db_options one = {.connections_each = 1};
    struct holder first, second;
    cx_task *tasks[2];
    struct many many;
    cx_db_stats stats;

    many_make(&many, &one, 2);
    tasks[0] = holder_start(&first, &many, 0);
    assert_int_equal(cx_event_wait(first.held), 0);
    tasks[1] = holder_start(&second, &many, 0);
    assert_int_equal(cx_yield(), 0);
    assert_int_equal(stats_of(&many, 0).waiting, 1);
    CX_WITH_TENANT(many.tenants[0]) {
        CX_TIMEOUT(2) {
            assert_int_equal(run(many.db, "SELECT 1"), -ETIMEDOUT);
        }
    }
    holder_end(&first, tasks[0]);
    holder_end(&second, tasks[1]);
    stats = stats_of(&many, 0);
    assert_int_equal(stats.waiting, 0);
    assert_int_equal(stats.waits, 2);
    assert_true(stats.waited_ms >= 2);
    assert_int_equal(stats.refused, 1);
    many_end(&many);
}

TASK_TEST(a_place_that_is_made_for_another_is_counted)
{
    cx_db_options one = {.connections = 1};
    struct many many;
    uint64_t evicted;

    many_make(&many, &one, 2);
    assert_own_row(&many, 0);
    evicted = stats_of(&many, 0).evicted;
    assert_own_row(&many, 1);
    assert_int_equal(stats_of(&many, 0).evicted, evicted + 1);
    assert_int_equal(stats_of(&many, 0).idle, 0);
    assert_int_equal(stats_of(&many, ALL).idle, 1);
    many_end(&many);
}

/* To open a connection takes longer than most that are in use are used. */
TASK_TEST(a_tenant_waits_for_its_own_rather_than_take_another_s)
{
    cx_db_options two = {.connections = 2, .connections_each = 2};
    struct holder first, second;
    cx_task *tasks[2];
    struct many many;
    cx_db_stats before, after;

    many_make(&many, &two, 2);
    assert_own_row(&many, 1);
    tasks[0] = holder_start(&first, &many, 0);
    assert_int_equal(cx_event_wait(first.held), 0);
    before = stats_of(&many, ALL);
    tasks[1] = holder_start(&second, &many, 0);
    assert_int_equal(cx_yield(), 0);
    assert_int_equal(stats_of(&many, 0).waiting, 1);
    holder_end(&first, tasks[0]);
    assert_int_equal(cx_event_wait(second.held), 0);
    after = stats_of(&many, ALL);
    assert_int_equal(after.opened, before.opened);
    assert_int_equal(after.evicted, before.evicted);
    holder_end(&second, tasks[1]);
    many_end(&many);
}

TASK_TEST(what_is_asked_wrongly_is_refused)
{
    struct many many, other;
    cx_db_stats stats;

    many_make(&many, NULL, 2);
    many_make(&other, NULL, 2);
    assert_int_equal(cx_db_stats_get(NULL, NULL, &stats), -EINVAL);
    assert_int_equal(cx_db_stats_get(many.db, NULL, NULL), -EINVAL);
    assert_int_equal(cx_db_stats_get(many.db, other.tenants[0], &stats),
                     -EKEYREJECTED);
    many_end(&many);
    many_end(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_connection_is_opened_once_and_given_often),
        cmocka_unit_test(a_connection_is_used_while_a_task_has_it),
        cmocka_unit_test(all_is_the_sum_of_the_tenants),
        cmocka_unit_test(who_waits_is_counted_and_who_gives_up_is),
        cmocka_unit_test(a_place_that_is_made_for_another_is_counted),
        cmocka_unit_test(a_tenant_waits_for_its_own_rather_than_take_another_s),
        cmocka_unit_test(what_is_asked_wrongly_is_refused),
    };

    return cmocka_run_group_tests_name("stats", tests, NULL, NULL);
}
