/* SPDX-License-Identifier: MIT */
/* Transactions: all or nothing, however the block is left. */
#include "two.h"
#include "users.h"

#include <ctxvar/sync.h>
#include <ctxvar/transaction.h>

static int64_t count(cx_db *db)
{
    return number(db, "SELECT count(*) FROM users");
}

USERS_TEST(a_block_that_is_run_to_its_end_is_committed)
{
    int error = -1;

    CX_TRANSACTION(db, &error) {
        (void)user_add(db, "Ann", 1);
        (void)user_add(db, "Bob", 1);
    }
    assert_ok(error);
    assert_int_equal(count(db), 2);
}

USERS_TEST(a_block_that_ends_with_an_error_is_rolled_back)
{
    int error = -1;

    CX_TRANSACTION(db, &error) {
        (void)user_add(db, "Ann", 1);
        error = run(db, "INSERT INTO users (name) VALUES ('Ann')");
    }
    assert_int_equal(error, -EEXIST);
    assert_int_equal(count(db), 0);
}

USERS_TEST(a_block_that_is_broken_out_of_is_rolled_back)
{
    int error = -1;

    CX_TRANSACTION(db, &error) {
        (void)user_add(db, "Ann", 1);
        break;
    }
    assert_ok(error);
    assert_int_equal(count(db), 0);
}

USERS_TEST(a_block_that_is_continued_is_committed)
{
    int error = -1;

    CX_TRANSACTION(db, &error) {
        (void)user_add(db, "Ann", 1);
        continue;
    }
    assert_ok(error);
    assert_int_equal(count(db), 1);
}

static int add_and_return(cx_db *db)
{
    int error;

    CX_TRANSACTION(db, &error) {
        (void)user_add(db, "Ann", 1);
        return 5;
    }
    return error;
}

USERS_TEST(a_block_that_is_returned_from_is_rolled_back)
{
    assert_int_equal(add_and_return(db), 5);
    assert_int_equal(count(db), 0);
}

USERS_TEST(a_block_that_is_jumped_out_of_is_rolled_back)
{
    int error = -1;

    CX_TRANSACTION(db, &error) {
        (void)user_add(db, "Ann", 1);
        goto out;
    }
out:
    assert_int_equal(count(db), 0);
}

DB_TEST(without_a_tenant_the_block_is_skipped)
{
    int error = 0;
    bool otherwise = false;

    CX_TRANSACTION(db, &error) {
        fail();
    }
    else
    {
        otherwise = true;
    }
    assert_int_equal(error, -ENOKEY);
    assert_true(otherwise);
}

/* Whether each of two, one within the other, is committed: what is left. */
static void nest(cx_db *db, int outer, int inner, int64_t left)
{
    int outer_error = -1, inner_error = -1;

    CX_TRANSACTION(db, &outer_error) {
        (void)user_add(db, "Ann", 1);
        CX_TRANSACTION(db, &inner_error) {
            (void)user_add(db, "Bob", 1);
            (void)user_add(db, "Cid", 1);
            inner_error = inner;
        }
        (void)user_add(db, "Dot", 1);
        outer_error = outer;
    }
    assert_int_equal(outer_error, outer);
    assert_int_equal(inner_error, inner);
    assert_int_equal(count(db), left);
}

USERS_TEST(one_within_another_is_committed_with_it)
{
    nest(db, 0, 0, 4);
}

USERS_TEST(one_within_another_is_rolled_back_alone)
{
    nest(db, 0, -7, 2);
}

USERS_TEST(one_within_another_is_rolled_back_with_it)
{
    nest(db, -7, 0, 0);
}

static void deep(cx_db *db, int depth)
{
    int error;

    CX_TRANSACTION(db, &error) {
        char name[32];

        (void)snprintf(name, sizeof(name), "user %d", depth);
        (void)user_add(db, name, 1);
        if (depth > 0)
            deep(db, depth - 1);
        if (depth == 5)
            break;
    }
}

USERS_TEST(they_may_be_deep)
{
    deep(db, 9);
    assert_int_equal(count(db), 4);
}

static void *count_in_child(void *db)
{
    return as_pointer(count(db));
}

USERS_TEST(a_child_task_is_not_in_it)
{
    void *seen = NULL;
    int error = -1;

    CX_TRANSACTION(db, &error) {
        (void)user_add(db, "Ann", 1);
        assert_int_equal(cx_await(cx_task_create(count_in_child, db), &seen),
                         0);
        assert_int_equal(count(db), 1);
    }
    assert_int_equal((intptr_t)seen, 0);
    assert_int_equal(count(db), 1);
}

/* R5. */
ATTACK(another_tenant_is_refused_in_it)
{
    int error = -1, inner = -1;

    CX_TRANSACTION(db, &error) {
        assert_ok(run(db, "UPDATE users SET age = 0"));
        CX_WITH_TENANT(two->b) {
            assert_int_equal(run(db, "DELETE FROM users"), -EKEYREJECTED);
            CX_TRANSACTION(db, &inner) {
                fail();
            }
            assert_int_equal(inner, -EKEYREJECTED);
        }
        assert_ok(run(db, "UPDATE users SET age = id"));
    }
    assert_ok(error);
}

/* Whatever else is held, and since when. */
USERS_TEST(a_tenant_whose_rows_are_read_is_refused_in_anothers_transaction)
{
    cx_tenant *other = tenant_make(db, "B");
    int outer = -1, inner = -1, error = -1, n = 0;
    User user;

    (void)user_add(db, "Ann", 1);
    CX_WITH_TENANT(other) {
        (void)user_add(db, "Bob", 1);
    }
    CX_DB_EACH(db, &user_model, NULL, &user, &outer) {
        CX_WITH_TENANT(other) {
            CX_DB_EACH(db, &user_model, NULL, &user, &inner) {
                CX_WITH_TENANT(tenant) {
                    CX_TRANSACTION(db, &error) {
                        n++;
                        assert_ok(run(db, "SELECT 1"));
                        CX_WITH_TENANT(other) {
                            assert_int_equal(run(db, "SELECT 1"),
                                             -EKEYREJECTED);
                            assert_int_equal(cx_tenant_drop(other), -EBUSY);
                        }
                    }
                }
            }
        }
    }
    assert_ok(outer);
    assert_ok(inner);
    assert_ok(error);
    assert_int_equal(n, 1);
    cx_tenant_unref(other);
}

struct turns {
    cx_db *db;
    struct trace trace;
};

static void *take_turn(void *arg)
{
    struct turns *turns = arg;
    int error;

    CX_TRANSACTION(turns->db, &error) {
        trace_add(&turns->trace, '(');
        assert_ok(run(turns->db, "UPDATE users SET age = age + 1"));
        assert_int_equal(cx_sleep(1), 0);
        trace_add(&turns->trace, ')');
    }
    return as_pointer(error);
}

USERS_TEST(writers_take_turns)
{
    struct turns turns = {.db = db};
    cx_task *tasks[4];

    (void)user_add(db, "Ann", 0);
    for (int i = 0; i < 4; i++)
        tasks[i] = cx_task_create(take_turn, &turns);
    for (int i = 0; i < 4; i++) {
        void *error;

        assert_int_equal(cx_await(tasks[i], &error), 0);
        assert_null(error);
    }
    /* On a server it is rows that have writers, and not the database. */
    if (server() == NULL)
        assert_traced(&turns.trace, "()()()()");
    assert_int_equal(number(db, "SELECT age FROM users"), 4);
}

static void *add_one(void *db)
{
    User user = {.id = 1};
    int error;
    CX_ARENA(arena);

    CX_TRANSACTION(db, &error) {
        error = cx_db_lock(db, &user_model, &user, &arena);
        user.age.value++;
        if (error == 0)
            error = cx_yield();
        if (error == 0)
            error = cx_db_update(db, &user_model, &user, NULL);
    }
    return as_pointer(error);
}

enum { ADDERS = 20 };

USERS_TEST(what_is_locked_is_changed_without_losing_what_others_changed)
{
    cx_task *tasks[ADDERS];

    (void)user_add(db, "Ann", 0);
    for (int i = 0; i < ADDERS; i++)
        tasks[i] = cx_task_create(add_one, db);
    for (int i = 0; i < ADDERS; i++) {
        void *error;

        assert_int_equal(cx_await(tasks[i], &error), 0);
        assert_null(error);
    }
    assert_int_equal(number(db, "SELECT age FROM users"), ADDERS);
}

/* One of two that lock the same rows, each in another order; on a server, where
 * both have the first before either asks for the second. */
struct crossing {
    cx_db *db;
    cx_barrier *both;
    int64_t first, second;
    int tries;
};

static int lock_both(const struct crossing *crossing)
{
    User first = {.id = crossing->first}, second = {.id = crossing->second};
    CX_ARENA(arena);
    int error = -1;

    CX_TRANSACTION(crossing->db, &error) {
        error = cx_db_lock(crossing->db, &user_model, &first, &arena);
        if (error == 0 && crossing->tries == 1 && server() != NULL)
            (void)cx_barrier_wait(crossing->both);
        if (error == 0)
            error = cx_db_lock(crossing->db, &user_model, &second, &arena);
    }
    return error;
}

static void *cross(void *arg)
{
    struct crossing *crossing = arg;
    int error = -EBUSY;

    for (crossing->tries = 0; crossing->tries < 5 && error == -EBUSY;) {
        crossing->tries++;
        error = lock_both(crossing);
    }
    return as_pointer(error);
}

USERS_TEST(of_two_that_wait_for_each_other_one_gives_way_and_may_try_again)
{
    int64_t ann = user_add(db, "Ann", 1), bob = user_add(db, "Bob", 1);
    cx_barrier *both = cx_barrier_new(2);
    struct crossing one = {db, both, ann, bob, 0},
                    other = {db, both, bob, ann, 0};
    cx_task *tasks[] = {cx_task_create(cross, &one),
                        cx_task_create(cross, &other)};

    for (int i = 0; i < 2; i++) {
        void *error = NULL;

        assert_int_equal(cx_await(tasks[i], &error), 0);
        assert_int_equal((intptr_t)error, 0);
    }
    assert_int_equal(one.tries + other.tries, server() != NULL ? 3 : 2);
    assert_int_equal(cx_barrier_free(both), 0);
}

USERS_TEST(a_lock_outside_of_a_transaction_is_refused)
{
    User user = {.id = 1};
    CX_ARENA(arena);

    (void)user_add(db, "Ann", 0);
    assert_int_equal(cx_db_lock(db, &user_model, &user, &arena), -EINVAL);
    assert_string_equal(cx_db_problem(),
                        "lock in users: outside of a transaction");
}

USERS_TEST(a_lock_of_a_row_that_is_not_there_finds_none)
{
    User user = {.id = 1};
    int error;
    CX_ARENA(arena);

    CX_TRANSACTION(db, &error) {
        error = cx_db_lock(db, &user_model, &user, &arena);
    }
    assert_int_equal(error, -ENOENT);
}

static void *late_writer(void *db)
{
    int error = 0;

    CX_TIMEOUT(5) {
        CX_TRANSACTION(db, &error) {
            fail();
        }
    }
    return as_pointer(error);
}

/* SQLite's turn. */
USERS_TEST(a_writers_turn_is_waited_for_until_the_deadline)
{
    int error;
    void *result;

    if (server() != NULL)
        return;
    CX_TRANSACTION(db, &error) {
        assert_int_equal(cx_await(cx_task_create(late_writer, db), &result), 0);
    }
    assert_int_equal((intptr_t)result, -ETIMEDOUT);
}

USERS_TEST(readers_do_not_wait_for_a_writer)
{
    int error;
    void *seen;

    (void)user_add(db, "Ann", 1);
    CX_TRANSACTION(db, &error) {
        assert_ok(run(db, "DELETE FROM users"));
        assert_int_equal(cx_await(cx_task_create(count_in_child, db), &seen),
                         0);
        assert_int_equal((intptr_t)seen, 1);
    }
}

static void *cancelled_at_the_end(void *db)
{
    int error;

    CX_TRANSACTION(db, &error) {
        assert_ok(run(db, "DELETE FROM users"));
        (void)cx_cancel(cx_task_current());
    }
    return as_pointer(error);
}

/* R7, at the commit. */
ATTACK(a_task_that_is_cancelled_at_the_end_is_rolled_back)
{
    void *result;

    assert_int_equal(
        cx_await(cx_task_create(cancelled_at_the_end, db), &result), 0);
    assert_int_equal((intptr_t)result, -ECANCELED);
}

USERS_TEST(a_task_that_is_late_at_the_end_is_rolled_back)
{
    int error = -1;

    CX_TIMEOUT(server() != NULL ? 1000 : 20) {
        CX_TRANSACTION(db, &error) {
            (void)user_add(db, "Ann", 1);
            assert_int_equal(cx_sleep(60000), -ETIMEDOUT);
        }
    }
    assert_int_equal(error, -ETIMEDOUT);
    assert_int_equal(count(db), 0);
}

/* As many rows as make a statement long. */
static const char endless[] =
    "INSERT INTO users (name) WITH RECURSIVE n (i) AS"
    " (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT 'user ' || i FROM n";

USERS_TEST(what_follows_a_failure_that_ended_it_is_refused)
{
    int error = -1;

    CX_TRANSACTION(db, &error) {
        (void)user_add(db, "Ann", 1);
        CX_TIMEOUT(20) {
            assert_int_equal(run(db, endless), -ETIMEDOUT);
        }
        assert_int_equal(run(db, "INSERT INTO users (name) VALUES ('x')"),
                         -ECONNABORTED);
    }
    assert_int_equal(error, -ECONNABORTED);
    assert_int_equal(count(db), 0);
    assert_true(user_add(db, "Ann", 1) > 0);
}

USERS_TEST(a_failure_within_one_that_ended_both_ends_both)
{
    int outer = -1, inner = -1;

    CX_TRANSACTION(db, &outer) {
        CX_TRANSACTION(db, &inner) {
            CX_TIMEOUT(20) {
                inner = run(db, endless);
            }
        }
        assert_int_equal(inner, -ETIMEDOUT);
    }
    assert_int_equal(outer, -ECONNABORTED);
    assert_int_equal(count(db), 0);
}

USERS_TEST(a_loop_over_rows_goes_on_in_it)
{
    int error = -1, read_error = -1, n = 0;
    User user;

    (void)user_add(db, "Ann", 1);
    (void)user_add(db, "Bob", 1);
    CX_TRANSACTION(db, &error) {
        CX_DB_EACH(db, &user_model, CX_QUERY(.order = "id"), &user,
                   &read_error) {
            n++;
            assert_ok(cx_db_delete(db, &user_model, &user));
        }
        assert_ok(read_error);
        break;
    }
    assert_int_equal(n, 2);
    assert_int_equal(count(db), 2);
}

/* Rows before, within and after the ends of transactions on the same
 * connection: none is lost and none is met twice. */
static void assert_loop_goes_on(cx_db *db, int outcome)
{
    int error = -1, read_error = -1;
    int64_t last = 0;
    User user;

    CX_DB_EACH(db, &user_model, CX_QUERY(.order = "id"), &user, &read_error) {
        assert_int_equal(user.id, last + 1);
        assert_int_equal(user.rank, 0);
        last = user.id;
        user.rank = 1;
        CX_TRANSACTION(db, &error) {
            assert_ok(cx_db_update(db, &user_model, &user, CX_ONLY("rank")));
            error = outcome;
        }
        assert_int_equal(error, outcome);
    }
    assert_ok(read_error);
    assert_int_equal(last, 100);
}

USERS_TEST(a_loop_over_rows_goes_on_after_transactions_within_it)
{
    for (int i = 0; i < 100; i++) {
        char name[32];

        (void)snprintf(name, sizeof(name), "user %d", i);
        (void)user_add(db, name, i);
    }
    assert_loop_goes_on(db, -7);
    assert_int_equal(number(db, "SELECT count(*) FROM users WHERE rank = 1"),
                     0);
    assert_loop_goes_on(db, 0);
    assert_int_equal(number(db, "SELECT count(*) FROM users WHERE rank = 1"),
                     100);
}

USERS_TEST(a_child_process_that_reaches_the_end_leaves_it_to_its_parent)
{
    int error = -1;
    pid_t child = -1;

    CX_TRANSACTION(db, &error) {
        (void)user_add(db, "Ann", 1);
        child = fork();
        if (child != 0)
            assert_int_equal(status_of(child), EXDEV);
    }
    if (child == 0)
        leave(-error);
    assert_ok(error);
    assert_int_equal(count(db), 1);
}

USERS_TEST(a_child_process_that_breaks_out_of_it_leaves_it_to_its_parent)
{
    int outer = -1, inner = -1;
    pid_t child = -1;

    CX_TRANSACTION(db, &outer) {
        (void)user_add(db, "Ann", 1);
        CX_TRANSACTION(db, &inner) {
            (void)user_add(db, "Bob", 1);
            child = fork();
            if (child == 0)
                break;
            assert_int_equal(status_of(child), 0);
        }
        if (child == 0)
            break;
    }
    if (child == 0)
        leave(-outer - inner);
    assert_ok(inner);
    assert_ok(outer);
    assert_int_equal(count(db), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_block_that_is_run_to_its_end_is_committed),
        cmocka_unit_test(a_block_that_ends_with_an_error_is_rolled_back),
        cmocka_unit_test(a_block_that_is_broken_out_of_is_rolled_back),
        cmocka_unit_test(a_block_that_is_continued_is_committed),
        cmocka_unit_test(a_block_that_is_returned_from_is_rolled_back),
        cmocka_unit_test(a_block_that_is_jumped_out_of_is_rolled_back),
        cmocka_unit_test(without_a_tenant_the_block_is_skipped),
        cmocka_unit_test(one_within_another_is_committed_with_it),
        cmocka_unit_test(one_within_another_is_rolled_back_alone),
        cmocka_unit_test(one_within_another_is_rolled_back_with_it),
        cmocka_unit_test(they_may_be_deep),
        cmocka_unit_test(a_child_task_is_not_in_it),
        cmocka_unit_test(another_tenant_is_refused_in_it),
        cmocka_unit_test(
            a_tenant_whose_rows_are_read_is_refused_in_anothers_transaction),
        cmocka_unit_test(writers_take_turns),
        cmocka_unit_test(
            what_is_locked_is_changed_without_losing_what_others_changed),
        cmocka_unit_test(
            of_two_that_wait_for_each_other_one_gives_way_and_may_try_again),
        cmocka_unit_test(a_lock_outside_of_a_transaction_is_refused),
        cmocka_unit_test(a_lock_of_a_row_that_is_not_there_finds_none),
        cmocka_unit_test(a_writers_turn_is_waited_for_until_the_deadline),
        cmocka_unit_test(readers_do_not_wait_for_a_writer),
        cmocka_unit_test(a_task_that_is_cancelled_at_the_end_is_rolled_back),
        cmocka_unit_test(a_task_that_is_late_at_the_end_is_rolled_back),
        cmocka_unit_test(what_follows_a_failure_that_ended_it_is_refused),
        cmocka_unit_test(a_failure_within_one_that_ended_both_ends_both),
        cmocka_unit_test(a_loop_over_rows_goes_on_in_it),
        cmocka_unit_test(a_loop_over_rows_goes_on_after_transactions_within_it),
        cmocka_unit_test(
            a_child_process_that_reaches_the_end_leaves_it_to_its_parent),
        cmocka_unit_test(
            a_child_process_that_breaks_out_of_it_leaves_it_to_its_parent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
