/* SPDX-License-Identifier: MIT */
/*
 * Who has which connection: quotas, turns, cancels at each point, and many
 * tasks of many tenants. The numbers are those of the catalogue of attacks.
 */
#include "many.h"

#include <ctxvar/callback.h>
#include <ctxvar/group.h>
#include <ctxvar/transaction.h>

/* S23. */
TASK_TEST(more_tenants_than_connections_are_all_served)
{
    cx_db_options few = {.connections = 4, .connections_each = 2};
    struct many many;

    many_make(&many, &few, 40);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 40; i++)
            assert_own_row(&many, round % 2 == 0 ? i : 39 - i);
    }
    many_end(&many);
}

/* How many tasks wait for a connection of a tenant's. */
static uint64_t waiting(const struct many *many, int tenant)
{
    cx_db_stats stats;

    assert_ok(cx_db_stats_get(many->db, many->tenants[tenant], &stats));
    return stats.waiting;
}

/* R11: though there is one more that it could have. */
TASK_TEST(a_tenant_that_has_its_quota_does_not_keep_the_others_waiting)
{
    cx_db_options options = {.connections = 6, .connections_each = 2};
    struct holder holders[3];
    cx_task *tasks[3];
    struct many many;

    many_make(&many, &options, 2);
    for (int i = 0; i < 3; i++) {
        tasks[i] = holder_start(&holders[i], &many, 0);
        if (i < 2)
            assert_int_equal(cx_event_wait(holders[i].held), 0);
    }
    assert_int_equal(cx_yield(), 0);
    assert_int_equal(waiting(&many, 0), 1);
    assert_own_row(&many, 1);
    CX_WITH_TENANT(many.tenants[0]) {
        CX_TIMEOUT(5) {
            assert_int_equal(run(many.db, "SELECT 1"), -ETIMEDOUT);
        }
    }
    for (int i = 0; i < 3; i++)
        holder_end(&holders[i], tasks[i]);
    many_end(&many);
}

/* A parent that awaits a child would else wait for itself. */
TASK_TEST(who_finds_all_its_tenant_s_connections_in_use_is_given_another_s)
{
    cx_db_options two = {.connections = 2, .connections_each = 2};
    struct holder holder;
    struct many many;
    cx_task *task;

    many_make(&many, &two, 2);
    task = holder_start(&holder, &many, 0);
    assert_int_equal(cx_event_wait(holder.held), 0);
    assert_own_row(&many, 1);
    assert_own_row(&many, 0);
    assert_own_row(&many, 1);
    holder_end(&holder, task);
    many_end(&many);
}

struct turns {
    const struct many *many;
    struct trace trace;
};

struct turn {
    struct turns *turns;
    char name;
};

static void *take_turn(void *arg)
{
    struct turn *turn = arg;

    CX_WITH_TENANT(turn->turns->many->tenants[0]) {
        if (run(turn->turns->many->db, "SELECT 1") == 0)
            trace_add(&turn->turns->trace, turn->name);
    }
    return NULL;
}

/* R11: first come, first served, and one that goes leaves no gap. */
TASK_TEST(who_waits_first_is_served_first)
{
    cx_db_options one = {.connections = 1, .connections_each = 1};
    struct turn turn[4];
    struct turns turns;
    struct holder holder;
    struct many many;
    cx_task *tasks[4];
    cx_task *task;

    many_make(&many, &one, 2);
    turns = (struct turns){.many = &many};
    task = holder_start(&holder, &many, 0);
    assert_int_equal(cx_event_wait(holder.held), 0);
    for (int i = 0; i < 4; i++) {
        turn[i] = (struct turn){&turns, (char)('a' + i)};
        tasks[i] = cx_task_create(take_turn, &turn[i]);
        assert_int_equal(cx_yield(), 0);
    }
    assert_int_equal(cx_cancel(tasks[1]), 0);
    holder_end(&holder, task);
    for (int i = 0; i < 4; i++)
        assert_int_equal(cx_await(tasks[i], NULL), 0);
    assert_traced(&turns.trace, "acd");
    assert_own_row(&many, 0);
    many_end(&many);
}

/* How far a task has come that does everything once, and can be cancelled
 * anywhere. */
enum stage { CONNECTS, INSERTS, YIELDS, UPDATES, SLEEPS, COMMITS, ENDED };

struct journey {
    const struct many *many;
    enum stage stage;
};

/* Its next stage, unless something has failed. */
static bool enter(struct journey *journey, enum stage stage, int error)
{
    if (error == 0)
        journey->stage = stage;
    return error == 0;
}

static void *do_everything(void *arg)
{
    struct journey *journey = arg;
    cx_db *db = journey->many->db;
    int error = 0;

    CX_WITH_TENANT(journey->many->tenants[0]) {
        CX_TRANSACTION(db, &error) {
            User user = {.name = CX_TEXT("x")};

            if (enter(journey, INSERTS, 0))
                error = cx_db_insert(db, &user_model, &user);
            if (enter(journey, YIELDS, error))
                error = cx_yield();
            if (enter(journey, UPDATES, error))
                error = run(db, "UPDATE users SET rank = (WITH RECURSIVE n (i)"
                                " AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
                                " WHERE i < 200000) SELECT count(*) FROM n)");
            if (enter(journey, SLEEPS, error))
                error = cx_sleep(1);
            (void)enter(journey, COMMITS, error);
        }
    }
    journey->stage = ENDED;
    return as_pointer(error);
}

/* It is there as a whole; then it is not any more. */
static void undo_everything(const struct many *many)
{
    CX_WITH_TENANT(many->tenants[0]) {
        assert_int_equal(number(many->db, "SELECT count(*) FROM users"
                                          " WHERE rank = 200000"),
                         ROWS + 1);
        assert_ok(run(many->db, "DELETE FROM users WHERE age IS NULL"));
        assert_ok(run(many->db, "UPDATE users SET rank = 0"));
    }
}

/* Cancel it so many turns after it has come to a stage: in which it is then. */
static enum stage cancel_at(const struct many *many, enum stage stage,
                            int turns)
{
    struct journey journey = {.many = many};
    cx_task *task = cx_task_create(do_everything, &journey);
    enum stage at;
    void *result;

    while (journey.stage < stage || turns-- > 0)
        assert_int_equal(cx_yield(), 0);
    at = journey.stage;
    assert_int_equal(cx_cancel(task), 0);
    assert_int_equal(cx_await(task, &result), 0);
    if (result == NULL)
        undo_everything(many);
    else if ((intptr_t)result != -ECONNABORTED)
        assert_int_equal((intptr_t)result, -ECANCELED);
    assert_true(result != NULL || at >= COMMITS);
    return at;
}

/* R7: a little later each time, and so at each of the waits. */
TASK_TEST(a_cancel_at_any_point_leaves_all_of_it_or_nothing)
{
    cx_db_options one = {.connections = 1, .connections_each = 1};
    int met[ENDED + 1] = {0};
    struct many many;

    many_make(&many, &one, 2);
    for (int stage = CONNECTS; stage <= COMMITS; stage++) {
        for (int turns = 0; turns < 6; turns++) {
            /* The connection is the other tenant's, so that one is opened. */
            assert_own_row(&many, 1);
            met[cancel_at(&many, stage, turns)]++;
            two_check(many.db, &many.two);
        }
    }
    assert_true(met[CONNECTS] > 0 && met[YIELDS] > 0);
    assert_true(met[UPDATES] > 0 && met[SLEEPS] > 0);
    many_end(&many);
}

static void *read_half(void *arg)
{
    const struct many *many = arg;
    int error = 0, n = 0;
    User user;

    CX_WITH_TENANT(many->tenants[0]) {
        CX_DB_EACH(many->db, &user_model, NULL, &user, &error) {
            if (++n == 500)
                (void)cx_cancel(cx_task_current());
            error = cx_yield();
            if (error != 0)
                break;
        }
    }
    return as_pointer(error == -ECANCELED ? n : error);
}

/* R7, at row 500 of 1,000. */
TASK_TEST(a_cancel_amid_the_rows_leaves_the_connection_clean)
{
    struct many many;
    void *n;

    many_make(&many, NULL, 2);
    CX_WITH_TENANT(many.tenants[0]) {
        assert_ok(run(many.db,
                      "INSERT INTO users (name) WITH RECURSIVE n (i) AS"
                      " (SELECT 101 UNION ALL SELECT i + 1 FROM n WHERE"
                      " i < 1000) SELECT 'user ' || i FROM n"));
    }
    assert_int_equal(cx_await(cx_task_create(read_half, &many), &n), 0);
    assert_int_equal((intptr_t)n, 500);
    CX_WITH_TENANT(many.tenants[0]) {
        assert_int_equal(number(many.db, "SELECT count(*) FROM users"), 1000);
        assert_ok(run(many.db, "DELETE FROM users WHERE age IS NULL"));
    }
    many_end(&many);
}

struct called {
    cx_db *db;
    const char *word; /* whose rows are read */
    int calls;
};

static void read_when_called(void *arg)
{
    struct called *called = arg;

    called->calls++;
    assert_users(called->db, called->word);
}

/* R2: whoever calls it, and within what. */
TWO_TEST(a_callback_has_the_tenant_of_when_it_was_made)
{
    struct called called = {.db = db, .word = "open"};
    cx_callback *callback = NULL;

    CX_WITH_TENANT(two->a) {
        callback = cx_callback_new(read_when_called, &called);
    }
    cx_callback_call(callback);
    CX_WITH_TENANT(two->b) {
        cx_callback_call(callback);
        assert_users(db, "SECRET");
    }
    assert_int_equal(called.calls, 2);
    cx_callback_free(callback);
}

static void *drop_tenant(void *tenant)
{
    return as_pointer(cx_tenant_drop(tenant));
}

TASK_TEST(a_drop_waits_for_those_who_use_it_and_lets_nobody_in)
{
    struct holder holder;
    struct many many;
    cx_task *task, *drop;
    void *error;

    many_make(&many, NULL, 3);
    task = holder_start(&holder, &many, 2);
    assert_int_equal(cx_event_wait(holder.held), 0);
    drop = cx_task_create(drop_tenant, many.tenants[2]);
    assert_int_equal(cx_yield(), 0);
    CX_WITH_TENANT(many.tenants[2]) {
        assert_int_equal(run(many.db, "SELECT 1"), -ESTALE);
    }
    assert_true(has_room(&many.folder, 3));
    holder_end(&holder, task);
    assert_int_equal(cx_await(drop, &error), 0);
    assert_null(error);
    assert_false(has_room(&many.folder, 3));
    many_end(&many);
}

TASK_TEST(a_drop_that_is_cancelled_has_not_been)
{
    struct holder holder;
    struct many many;
    cx_task *task, *drop;
    void *error;

    many_make(&many, NULL, 2);
    task = holder_start(&holder, &many, 0);
    assert_int_equal(cx_event_wait(holder.held), 0);
    drop = cx_task_create(drop_tenant, many.tenants[0]);
    assert_int_equal(cx_yield(), 0);
    assert_int_equal(cx_cancel(drop), 0);
    assert_int_equal(cx_await(drop, &error), 0);
    assert_int_equal((intptr_t)error, -ECANCELED);
    holder_end(&holder, task);
    assert_own_row(&many, 0);
    many_end(&many);
}

enum { TENANTS = 1000, TASKS = 10000, CONNECTIONS = 64 };

struct shuffled {
    const struct many *many;
    int tenant;
};

/* Put a row in, and meet none that is another's. */
static void *write_and_read(void *arg)
{
    const struct shuffled *shuffled = arg;
    const struct many *many = shuffled->many;
    char word[32], name[64];
    int wrong = 0;

    many_word(word, sizeof(word), shuffled->tenant);
    (void)snprintf(name, sizeof(name), "%s by %p", word, arg);
    CX_WITH_TENANT(many->tenants[shuffled->tenant]) {
        User own = {.name = CX_TEXT(name)};
        User user;
        int error = 0;

        wrong += cx_db_insert(many->db, &user_model, &own) != 0;
        wrong += cx_yield() != 0;
        CX_DB_EACH(many->db, &user_model, NULL, &user, &error) {
            wrong += !is_row_of(&user, shuffled->tenant);
            if (user.id % 3 == 0)
                wrong += cx_yield() != 0;
        }
        wrong += error != 0;
    }
    return as_pointer(wrong);
}

/* On a server a tenant's first connection takes milliseconds: a tenth of all
 * that will do, unless CTXVAR_FULL is set. */
static int share(void)
{
    return server() != NULL && getenv("CTXVAR_FULL") == NULL ? 10 : 1;
}

/* R12. */
TASK_TEST(tasks_of_many_tenants_never_meet)
{
    int tenants = TENANTS / share();
    int tasks = TASKS / share();
    cx_db_options options = {.connections = CONNECTIONS};
    struct shuffled *shuffled = calloc((size_t)tasks, sizeof(*shuffled));
    void **args = calloc((size_t)tasks, sizeof(*args));
    void **results = calloc((size_t)tasks, sizeof(*results));
    struct many many;
    intptr_t wrong = 0;
    unsigned random = 1;

    many_make(&many, &options, tenants);
    for (int i = 0; i < tasks; i++) {
        random = random * 1103515245 + 12345;
        shuffled[i] = (struct shuffled){&many, (int)(random >> 8) % tenants};
        args[i] = &shuffled[i];
    }
    assert_int_equal(cx_gather(write_and_read, args, results, (size_t)tasks),
                     0);
    for (int i = 0; i < tasks; i++)
        wrong += (intptr_t)results[i];
    assert_int_equal(wrong, 0);
    for (int i = 0; i < 2; i++) {
        CX_WITH_TENANT(many.tenants[i]) {
            assert_ok(run(many.db, "DELETE FROM users WHERE age IS NULL"));
        }
    }
    free(shuffled);
    free(args);
    free(results);
    many_end(&many);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(more_tenants_than_connections_are_all_served),
        cmocka_unit_test(
            a_tenant_that_has_its_quota_does_not_keep_the_others_waiting),
        cmocka_unit_test(
            who_finds_all_its_tenant_s_connections_in_use_is_given_another_s),
        cmocka_unit_test(who_waits_first_is_served_first),
        cmocka_unit_test(a_cancel_at_any_point_leaves_all_of_it_or_nothing),
        cmocka_unit_test(a_cancel_amid_the_rows_leaves_the_connection_clean),
        cmocka_unit_test(a_callback_has_the_tenant_of_when_it_was_made),
        cmocka_unit_test(a_drop_waits_for_those_who_use_it_and_lets_nobody_in),
        cmocka_unit_test(a_drop_that_is_cancelled_has_not_been),
        cmocka_unit_test(tasks_of_many_tenants_never_meet),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
