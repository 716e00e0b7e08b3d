/* SPDX-License-Identifier: MIT */
/* One of several operations on queues. */
#include "support.h"

#include <ctxvar/deadline.h>
#include <ctxvar/queue.h>

static void *item_of(intptr_t number)
{
    return as_pointer(number);
}

static cx_queue_op get_op(cx_queue *queue)
{
    return (cx_queue_op){.queue = queue};
}

static cx_queue_op put_op(cx_queue *queue, intptr_t number)
{
    return (cx_queue_op){.queue = queue, .put = true, .item = item_of(number)};
}

struct pair {
    cx_queue *a;
    cx_queue *b;
};

static struct pair make(size_t limit)
{
    return (struct pair){cx_queue_new(limit), cx_queue_new(limit)};
}

static void drop(struct pair pair)
{
    assert_int_equal(cx_queue_free(pair.a), 0);
    assert_int_equal(cx_queue_free(pair.b), 0);
}

TASK_TEST(what_can_be_done_now_is_done)
{
    struct pair pair = make(0);
    cx_queue_op ops[] = {get_op(pair.a), get_op(pair.b)};

    assert_int_equal(cx_queue_try_select(ops, 2), -EAGAIN);
    assert_int_equal(cx_queue_put(pair.b, item_of(7)), 0);
    assert_int_equal(cx_queue_select(ops, 2), 1);
    assert_int_equal(ops[1].error, 0);
    assert_ptr_equal(ops[1].item, item_of(7));
    assert_int_equal(cx_queue_len(pair.b), 0);
    drop(pair);
}

static void *put_7(void *queue)
{
    assert_int_equal(cx_queue_put(queue, item_of(7)), 0);
    return NULL;
}

TASK_TEST(it_waits_for_whichever_comes_first)
{
    struct pair pair = make(0);
    cx_queue_op ops[] = {get_op(pair.a), get_op(pair.b)};
    cx_task *task = cx_task_create(put_7, pair.b);

    assert_int_equal(cx_queue_select(ops, 2), 1);
    assert_ptr_equal(ops[1].item, item_of(7));
    assert_int_equal(cx_await(task, NULL), 0);
    /* Nobody waits at the other one any more. */
    assert_int_equal(cx_queue_put(pair.a, item_of(8)), 0);
    assert_int_equal(cx_queue_len(pair.a), 1);
    drop(pair);
}

static void *get_one(void *queue)
{
    void *item;

    assert_int_equal(cx_queue_get(queue, &item), 0);
    return item;
}

TASK_TEST(a_put_that_waits_is_done_when_there_is_room)
{
    struct pair pair = make(1);
    cx_queue_op ops[] = {put_op(pair.a, 2), get_op(pair.b)};
    void *first, *second;
    cx_task *task;

    assert_int_equal(cx_queue_put(pair.a, item_of(1)), 0);
    task = cx_task_create(get_one, pair.a);
    assert_int_equal(cx_queue_select(ops, 2), 0);
    assert_int_equal(cx_await(task, &first), 0);
    assert_ptr_equal(first, item_of(1));
    assert_int_equal(cx_queue_get(pair.a, &second), 0);
    assert_ptr_equal(second, item_of(2));
    drop(pair);
}

enum { TURNS = 200 };

/* A task that selects of two queues that are always ready. */
struct chooser {
    struct pair pair;
    int seen[2];
};

static void *choose_again_and_again(void *arg)
{
    struct chooser *chooser = arg;

    for (int i = 0; i < TURNS; i++) {
        cx_queue_op ops[] = {get_op(chooser->pair.a), get_op(chooser->pair.b)};

        (void)cx_queue_try_put(chooser->pair.a, NULL);
        (void)cx_queue_try_put(chooser->pair.b, NULL);
        chooser->seen[cx_queue_select(ops, 2)]++;
        assert_int_equal(cx_yield(), 0);
    }
    return NULL;
}

TASK_TEST(each_that_is_ready_has_its_turn)
{
    struct chooser chooser = {.pair = make(1)};

    (void)choose_again_and_again(&chooser);
    assert_in_range(chooser.seen[0], TURNS / 4, TURNS * 3 / 4);
    drop(chooser.pair);
}

TASK_TEST(each_has_its_turn_when_tasks_select_by_turns)
{
    struct chooser choosers[2] = {{.pair = make(1)}, {.pair = make(1)}};
    cx_task *tasks[2];

    for (int i = 0; i < 2; i++)
        tasks[i] = cx_task_create(choose_again_and_again, &choosers[i]);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(cx_await(tasks[i], NULL), 0);
        assert_in_range(choosers[i].seen[0], TURNS / 4, TURNS * 3 / 4);
        drop(choosers[i].pair);
    }
}

TASK_TEST(nothing_is_written_to_those_that_are_not_done)
{
    enum { OTHER = 1234 };
    struct pair pair = make(0);
    cx_queue_op ops[] = {get_op(pair.a), get_op(pair.b)};
    cx_task *task;

    ops[0].item = item_of(OTHER);
    ops[0].error = OTHER;
    assert_int_equal(cx_queue_put(pair.b, item_of(7)), 0);
    for (int i = 0; i < TURNS; i++) {
        assert_int_equal(cx_queue_try_select(ops, 2), 1);
        assert_int_equal(cx_queue_put(pair.b, item_of(7)), 0);
    }
    assert_int_equal(cx_queue_try_select(ops, 2), 1);
    assert_int_equal(cx_queue_try_select(ops, 2), -EAGAIN);
    task = cx_task_create(put_7, pair.b);
    assert_int_equal(cx_queue_select(ops, 2), 1);
    assert_int_equal(cx_await(task, NULL), 0);
    assert_ptr_equal(ops[0].item, item_of(OTHER));
    assert_int_equal(ops[0].error, OTHER);
    drop(pair);
}

static void *close_it(void *queue)
{
    assert_int_equal(cx_queue_close(queue), 0);
    return NULL;
}

TASK_TEST(a_queue_that_is_closed_is_chosen_and_says_so)
{
    struct pair pair = make(0);
    cx_queue_op ops[] = {get_op(pair.a), get_op(pair.b)};
    cx_task *task = cx_task_create(close_it, pair.b);

    assert_int_equal(cx_queue_select(ops, 2), 1);
    assert_int_equal(ops[1].error, -EPIPE);
    assert_int_equal(cx_await(task, NULL), 0);
    assert_int_equal(cx_queue_try_select(ops, 2), 1);
    assert_int_equal(ops[1].error, -EPIPE);
    drop(pair);
}

TASK_TEST(one_that_is_late_has_done_nothing)
{
    struct pair pair = make(1);
    cx_queue_op ops[] = {get_op(pair.a), put_op(pair.b, 2)};

    assert_int_equal(cx_queue_put(pair.b, item_of(1)), 0);
    CX_TIMEOUT(1) {
        assert_int_equal(cx_queue_select(ops, 2), -ETIMEDOUT);
    }
    assert_int_equal(cx_queue_put(pair.a, NULL), 0);
    assert_int_equal(cx_queue_len(pair.a), 1);
    assert_int_equal(cx_queue_len(pair.b), 1);
    drop(pair);
}

TASK_TEST(one_queue_may_be_there_twice)
{
    struct pair pair = make(0);
    cx_queue_op ops[] = {get_op(pair.a), get_op(pair.a)};
    cx_task *task = cx_task_create(put_7, pair.a);

    assert_in_range(cx_queue_select(ops, 2), 0, 1);
    assert_int_equal(cx_await(task, NULL), 0);
    assert_int_equal(cx_queue_put(pair.a, NULL), 0);
    assert_int_equal(cx_queue_len(pair.a), 1);
    drop(pair);
}

TASK_TEST(what_makes_no_sense_is_refused)
{
    struct pair pair = make(0);
    cx_queue_op ops[33];

    for (int i = 0; i < 33; i++)
        ops[i] = get_op(pair.a);
    assert_int_equal(cx_queue_select(ops, 33), -E2BIG);
    assert_int_equal(cx_queue_select(ops, 0), -EINVAL);
    assert_int_equal(cx_queue_select(NULL, 1), -EINVAL);
    ops[0].queue = NULL;
    assert_int_equal(cx_queue_select(ops, 1), -EINVAL);
    drop(pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_can_be_done_now_is_done),
        cmocka_unit_test(it_waits_for_whichever_comes_first),
        cmocka_unit_test(a_put_that_waits_is_done_when_there_is_room),
        cmocka_unit_test(each_that_is_ready_has_its_turn),
        cmocka_unit_test(each_has_its_turn_when_tasks_select_by_turns),
        cmocka_unit_test(nothing_is_written_to_those_that_are_not_done),
        cmocka_unit_test(a_queue_that_is_closed_is_chosen_and_says_so),
        cmocka_unit_test(one_that_is_late_has_done_nothing),
        cmocka_unit_test(one_queue_may_be_there_twice),
        cmocka_unit_test(what_makes_no_sense_is_refused),
    };

    return cmocka_run_group_tests_name("select", tests, NULL, NULL);
}
