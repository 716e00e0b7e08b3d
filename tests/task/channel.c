/* SPDX-License-Identifier: MIT */
/* Channels: between tasks, loops and plain threads. */
#include "support.h"

#include <pthread.h>
#include <sched.h>
#include <uv.h>

#include <ctxvar/channel.h>
#include <ctxvar/loop.h>

CX_VAR(int, number, .initial = -1);

/* One that gets or puts one item: as a task, or on a thread. */
struct worker {
    cx_channel *channel;
    void *item;
    int error;
    int number; /* what it found in its context afterwards */
};

static void *get_one(void *arg)
{
    struct worker *worker = arg;

    worker->error = cx_channel_get(worker->channel, &worker->item);
    worker->number = cx_get(number);
    return NULL;
}

static void *put_one(void *arg)
{
    struct worker *worker = arg;

    worker->error = cx_channel_put(worker->channel, worker->item);
    return NULL;
}

/* A task that waits. */
static cx_task *start(cx_task_fn *fn, struct worker *worker)
{
    cx_task *task;

    worker->error = -EIO;
    task = cx_task_create(fn, worker);
    assert_non_null(task);
    assert_int_equal(cx_yield(), 0);
    assert_int_equal(worker->error, -EIO);
    return task;
}

static pthread_t thread_start(cx_task_fn *fn, void *arg)
{
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, fn, arg), 0);
    return thread;
}

static void on_a_thread(cx_task_fn *fn, void *arg)
{
    assert_int_equal(pthread_join(thread_start(fn, arg), NULL), 0);
}

static void assert_gets(cx_channel *channel, intptr_t expected)
{
    void *item = as_pointer(-EIO);

    assert_int_equal(cx_channel_get(channel, &item), 0);
    assert_ptr_equal(item, as_pointer(expected));
}

/* One after the other. */

static void items_come_out_in_the_order_in_which_they_went_in(void **state)
{
    cx_channel *channel = cx_channel_new(3);

    (void)state;
    for (intptr_t round = 0; round < 5; round++) {
        for (intptr_t i = 0; i < 2; i++)
            assert_int_equal(cx_channel_put(channel, as_pointer(round + i)), 0);
        for (intptr_t i = 0; i < 2; i++)
            assert_gets(channel, round + i);
    }
    cx_channel_unref(channel);
}

static void
a_channel_that_is_full_or_empty_says_so_to_who_only_tries(void **state)
{
    cx_channel *channel = cx_channel_new(1);
    void *item;

    (void)state;
    assert_int_equal(cx_channel_try_get(channel, &item), -EAGAIN);
    assert_int_equal(cx_channel_try_put(channel, as_pointer(1)), 0);
    assert_int_equal(cx_channel_try_put(channel, as_pointer(2)), -EAGAIN);
    assert_int_equal(cx_channel_try_get(channel, &item), 0);
    assert_ptr_equal(item, as_pointer(1));
    cx_channel_unref(channel);
}

static void items_outlive_the_close(void **state)
{
    cx_channel *channel = cx_channel_new(2);
    void *item;

    (void)state;
    assert_int_equal(cx_channel_put(channel, as_pointer(1)), 0);
    assert_int_equal(cx_channel_close(channel), 0);
    assert_int_equal(cx_channel_put(channel, NULL), -EPIPE);
    assert_int_equal(cx_channel_try_put(channel, NULL), -EPIPE);
    assert_gets(channel, 1);
    assert_int_equal(cx_channel_get(channel, &item), -EPIPE);
    assert_int_equal(cx_channel_try_get(channel, &item), -EPIPE);
    cx_channel_unref(channel);
}

static void a_channel_lives_as_long_as_somebody_holds_it(void **state)
{
    cx_channel *channel = cx_channel_new(1);

    (void)state;
    assert_ptr_equal(cx_channel_ref(channel), channel);
    cx_channel_unref(channel);
    assert_int_equal(cx_channel_put(channel, NULL), 0);
    cx_channel_unref(channel);
    assert_null(cx_channel_ref(NULL));
    cx_channel_unref(NULL);
}

/* Plain threads. */

static void *put_three(void *channel)
{
    for (intptr_t i = 1; i <= 3; i++)
        (void)cx_channel_put(channel, as_pointer(i));
    return NULL;
}

static void a_thread_blocks_until_there_is_room(void **state)
{
    cx_channel *channel = cx_channel_new(1);
    pthread_t thread = thread_start(put_three, channel);

    (void)state;
    for (intptr_t i = 1; i <= 3; i++)
        assert_gets(channel, i);
    assert_int_equal(pthread_join(thread, NULL), 0);
    cx_channel_unref(channel);
}

static void a_thread_blocks_until_there_is_an_item(void **state)
{
    struct worker worker = {.channel = cx_channel_new(1)};
    pthread_t thread = thread_start(get_one, &worker);

    (void)state;
    assert_int_equal(cx_channel_put(worker.channel, as_pointer(4)), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(worker.error, 0);
    assert_ptr_equal(worker.item, as_pointer(4));
    cx_channel_unref(worker.channel);
}

static void a_thread_waits_no_longer_than_its_deadline(void **state)
{
    cx_channel *channel = cx_channel_new(1);
    void *item;

    (void)state;
    CX_TIMEOUT(1) {
        assert_int_equal(cx_channel_get(channel, &item), -ETIMEDOUT);
        /* It has passed now. */
        assert_int_equal(cx_channel_put(channel, NULL), -ETIMEDOUT);
    }
    assert_int_equal(cx_channel_put(channel, as_pointer(2)), 0);
    CX_TIMEOUT(1) {
        assert_int_equal(cx_channel_put(channel, NULL), -ETIMEDOUT);
    }
    assert_gets(channel, 2);
    assert_int_equal(cx_channel_try_get(channel, &item), -EAGAIN);
    cx_channel_unref(channel);
}

static void a_close_wakes_threads(void **state)
{
    struct worker worker = {.channel = cx_channel_new(1)};
    pthread_t thread = thread_start(get_one, &worker);

    (void)state;
    assert_int_equal(cx_channel_close(worker.channel), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(worker.error, -EPIPE);
    cx_channel_unref(worker.channel);
}

/* Tasks. */

TASK_TEST(a_task_waits_for_an_item_of_its_own_loop)
{
    struct worker worker = {.channel = cx_channel_new(1)};
    cx_task *task = start(get_one, &worker);

    assert_int_equal(cx_channel_put(worker.channel, as_pointer(5)), 0);
    assert_int_equal(cx_await(task, NULL), 0);
    assert_int_equal(worker.error, 0);
    assert_ptr_equal(worker.item, as_pointer(5));
    cx_channel_unref(worker.channel);
}

TASK_TEST(a_task_waits_for_a_thread_to_put)
{
    struct worker putter = {.channel = cx_channel_new(1),
                            .item = as_pointer(6)};
    struct worker getter = {.channel = putter.channel};
    cx_task *task = start(get_one, &getter);

    on_a_thread(put_one, &putter);
    assert_int_equal(putter.error, 0);
    assert_int_equal(cx_await(task, NULL), 0);
    assert_int_equal(getter.error, 0);
    assert_ptr_equal(getter.item, as_pointer(6));
    cx_channel_unref(putter.channel);
}

TASK_TEST(a_task_waits_for_a_thread_to_make_room)
{
    struct worker putter = {.channel = cx_channel_new(1),
                            .item = as_pointer(2)};
    struct worker getter = {.channel = putter.channel};
    cx_task *task;

    assert_int_equal(cx_channel_put(putter.channel, as_pointer(1)), 0);
    task = start(put_one, &putter);
    on_a_thread(get_one, &getter);
    assert_ptr_equal(getter.item, as_pointer(1));
    assert_int_equal(cx_await(task, NULL), 0);
    assert_int_equal(putter.error, 0);
    assert_gets(putter.channel, 2);
    cx_channel_unref(putter.channel);
}

TASK_TEST(those_who_wait_are_served_in_their_order)
{
    struct worker first = {.channel = cx_channel_new(1)};
    struct worker second = {.channel = first.channel};
    cx_task *tasks[2] = {start(get_one, &first), start(get_one, &second)};

    for (intptr_t i = 1; i <= 2; i++)
        assert_int_equal(cx_channel_put(first.channel, as_pointer(i)), 0);
    assert_int_equal(cx_await(tasks[0], NULL), 0);
    assert_int_equal(cx_await(tasks[1], NULL), 0);
    assert_ptr_equal(first.item, as_pointer(1));
    assert_ptr_equal(second.item, as_pointer(2));
    cx_channel_unref(first.channel);
}

static void *put_in_another_context(void *arg)
{
    (void)cx_set(number, 2);
    return put_one(arg);
}

/* Behaviour 96. */
TASK_TEST(one_that_waits_wakes_in_its_own_context)
{
    struct worker putter = {.channel = cx_channel_new(1)};
    struct worker getter = {.channel = putter.channel};
    cx_task *task;

    assert_int_equal(cx_set(number, 1), 0);
    task = start(get_one, &getter);
    on_a_thread(put_in_another_context, &putter);
    assert_int_equal(cx_await(task, NULL), 0);
    assert_int_equal(getter.number, 1);
    cx_channel_unref(putter.channel);
}

TASK_TEST(a_task_that_is_cancelled_takes_no_item)
{
    struct worker worker = {.channel = cx_channel_new(1)};
    cx_task *task = start(get_one, &worker);

    assert_int_equal(cx_cancel(task), 0);
    assert_int_equal(cx_channel_put(worker.channel, as_pointer(7)), 0);
    assert_int_equal(cx_await(task, NULL), 0);
    assert_int_equal(worker.error, -ECANCELED);
    assert_gets(worker.channel, 7);
    cx_channel_unref(worker.channel);
}

TASK_TEST(a_task_that_is_cancelled_puts_no_item)
{
    struct worker worker = {.channel = cx_channel_new(1),
                            .item = as_pointer(2)};
    cx_task *task;
    void *item;

    assert_int_equal(cx_channel_put(worker.channel, as_pointer(1)), 0);
    task = start(put_one, &worker);
    assert_int_equal(cx_cancel(task), 0);
    assert_int_equal(cx_await(task, NULL), 0);
    assert_int_equal(worker.error, -ECANCELED);
    assert_gets(worker.channel, 1);
    assert_int_equal(cx_channel_try_get(worker.channel, &item), -EAGAIN);
    cx_channel_unref(worker.channel);
}

/* The loop has yet to hear from the thread that has served its task. */
TASK_TEST(an_item_from_a_thread_is_not_lost_by_a_late_cancel)
{
    struct worker putter = {.channel = cx_channel_new(1),
                            .item = as_pointer(8)};
    struct worker getter = {.channel = putter.channel};
    cx_task *task = start(get_one, &getter);

    on_a_thread(put_one, &putter);
    assert_int_equal(cx_cancel(task), 0);
    assert_int_equal(cx_await(task, NULL), 0);
    assert_int_equal(getter.error, 0);
    assert_ptr_equal(getter.item, as_pointer(8));
    cx_channel_unref(putter.channel);
}

static void *get_one_soon(void *arg)
{
    CX_TIMEOUT(1) {
        (void)get_one(arg);
    }
    return NULL;
}

/* Likewise, and the deadline passes meanwhile. */
TASK_TEST(an_item_from_a_thread_is_not_lost_by_a_deadline)
{
    struct worker putter = {.channel = cx_channel_new(1),
                            .item = as_pointer(9)};
    struct worker getter = {.channel = putter.channel};
    cx_task *task = start(get_one_soon, &getter);
    uint64_t late = cx_time() + 3;

    on_a_thread(put_one, &putter);
    while (cx_time() < late)
        (void)sched_yield();
    assert_int_equal(cx_await(task, NULL), 0);
    assert_int_equal(getter.error, 0);
    assert_ptr_equal(getter.item, as_pointer(9));
    cx_channel_unref(putter.channel);
}

TASK_TEST(a_task_waits_no_longer_than_its_deadline)
{
    cx_channel *channel = cx_channel_new(1);
    void *item;

    CX_TIMEOUT(1) {
        assert_int_equal(cx_channel_get(channel, &item), -ETIMEDOUT);
    }
    assert_int_equal(cx_channel_put(channel, as_pointer(1)), 0);
    assert_gets(channel, 1);
    cx_channel_unref(channel);
}

static void *close_channel(void *channel)
{
    (void)cx_channel_close(channel);
    return NULL;
}

TASK_TEST(a_close_on_another_thread_wakes_all_tasks)
{
    struct worker workers[2] = {{.channel = cx_channel_new(1)}};
    cx_task *tasks[2];

    workers[1].channel = workers[0].channel;
    for (int i = 0; i < 2; i++)
        tasks[i] = start(get_one, &workers[i]);
    on_a_thread(close_channel, workers[0].channel);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(cx_await(tasks[i], NULL), 0);
        assert_int_equal(workers[i].error, -EPIPE);
    }
    cx_channel_unref(workers[0].channel);
}

TASK_TEST(a_close_turns_away_those_who_wait_to_put)
{
    struct worker worker = {.channel = cx_channel_new(1)};
    cx_task *task;

    assert_int_equal(cx_channel_put(worker.channel, as_pointer(1)), 0);
    task = start(put_one, &worker);
    assert_int_equal(cx_channel_close(worker.channel), 0);
    assert_int_equal(cx_await(task, NULL), 0);
    assert_int_equal(worker.error, -EPIPE);
    assert_gets(worker.channel, 1);
    cx_channel_unref(worker.channel);
}

/* Where the program runs the loop. */
static void a_thread_with_a_loop_is_not_blocked(void **state)
{
    cx_channel *channel = cx_channel_new(1);
    uv_loop_t uv;
    void *item;

    (void)state;
    assert_int_equal(uv_loop_init(&uv), 0);
    assert_int_equal(cx_loop_attach(&uv), 0);
    assert_int_equal(cx_channel_put(channel, NULL), -EPERM);
    assert_int_equal(cx_channel_get(channel, &item), -EPERM);
    assert_int_equal(cx_channel_try_put(channel, as_pointer(3)), 0);
    assert_int_equal(cx_channel_try_get(channel, &item), 0);
    assert_ptr_equal(item, as_pointer(3));
    assert_int_equal(cx_loop_detach(), 0);
    assert_int_equal(uv_run(&uv, UV_RUN_DEFAULT), 0);
    assert_int_equal(uv_loop_close(&uv), 0);
    cx_channel_unref(channel);
}

static void what_makes_no_sense_is_refused(void **state)
{
    cx_channel *channel = cx_channel_new(1);
    void *item;

    (void)state;
    assert_null(cx_channel_new(0));
    assert_int_equal(errno, EINVAL);
    assert_null(cx_channel_new(SIZE_MAX));
    assert_int_equal(errno, ENOMEM);
    assert_int_equal(cx_channel_put(NULL, NULL), -EINVAL);
    assert_int_equal(cx_channel_try_put(NULL, NULL), -EINVAL);
    assert_int_equal(cx_channel_get(NULL, &item), -EINVAL);
    assert_int_equal(cx_channel_get(channel, NULL), -EINVAL);
    assert_int_equal(cx_channel_try_get(NULL, &item), -EINVAL);
    assert_int_equal(cx_channel_try_get(channel, NULL), -EINVAL);
    assert_int_equal(cx_channel_close(NULL), -EINVAL);
    cx_channel_unref(channel);
}

/* All at once: plain threads and the tasks of several loops. */

enum {
    THREADS = 2, /* of each of four kinds */
    TASKS = 4,   /* of each loop */
    PUTTERS = THREADS + THREADS * TASKS,
    EACH = 500, /* items a putter */
    SIGN = 1000,
};

static struct {
    cx_channel *channel;
    int begun; /* putters */
    int got;
    int disorder;
} crowd;

/* Items say whose they are, and which. */
static void *put_many(void *arg)
{
    intptr_t self = __atomic_fetch_add(&crowd.begun, 1, __ATOMIC_SEQ_CST);

    for (intptr_t i = 0; i < EACH; i++) {
        if (cx_channel_put(crowd.channel, as_pointer(self * SIGN + i)) != 0)
            break;
    }
    return arg;
}

/* Of each putter, the items must come in their order. */
static void *get_many(void *arg)
{
    intptr_t next[PUTTERS] = {0};
    int got = 0, disorder = 0;
    void *item;

    for (; cx_channel_get(crowd.channel, &item) == 0; got++) {
        intptr_t putter = (intptr_t)item / SIGN, i = (intptr_t)item % SIGN;

        disorder += i < next[putter];
        next[putter] = i + 1;
    }
    (void)__atomic_add_fetch(&crowd.got, got, __ATOMIC_SEQ_CST);
    (void)__atomic_add_fetch(&crowd.disorder, disorder, __ATOMIC_SEQ_CST);
    return arg;
}

/* A loop of several such tasks. */

struct company {
    cx_task_fn *fn;
};

static void *company_main(void *arg)
{
    struct company *company = arg;
    cx_task *tasks[TASKS];

    for (int i = 0; i < TASKS; i++)
        tasks[i] = cx_task_create(company->fn, NULL);
    for (int i = 0; i < TASKS; i++)
        (void)cx_await(tasks[i], NULL);
    return NULL;
}

static void *company_run(void *arg)
{
    (void)cx_run(company_main, arg, NULL);
    return NULL;
}

static void
eight_threads_lose_and_double_nothing_and_keep_the_order(void **state)
{
    struct company putters = {put_many}, getters = {get_many};
    pthread_t put[2 * THREADS], get[2 * THREADS];

    (void)state;
    crowd.channel = cx_channel_new(3);
    for (int i = 0; i < THREADS; i++) {
        get[i] = thread_start(get_many, NULL);
        get[THREADS + i] = thread_start(company_run, &getters);
        put[i] = thread_start(put_many, NULL);
        put[THREADS + i] = thread_start(company_run, &putters);
    }
    for (int i = 0; i < 2 * THREADS; i++)
        assert_int_equal(pthread_join(put[i], NULL), 0);
    assert_int_equal(cx_channel_close(crowd.channel), 0);
    for (int i = 0; i < 2 * THREADS; i++)
        assert_int_equal(pthread_join(get[i], NULL), 0);
    assert_int_equal(crowd.got, PUTTERS * EACH);
    assert_int_equal(crowd.disorder, 0);
    cx_channel_unref(crowd.channel);
}

/* Loops that end while threads send to their tasks. */

static struct {
    cx_channel *channel;
    int put;
    int got;
} leaving;

static void *put_until_closed(void *arg)
{
    int put = 0;

    while (cx_channel_put(leaving.channel, NULL) == 0)
        put++;
    (void)__atomic_add_fetch(&leaving.put, put, __ATOMIC_SEQ_CST);
    return arg;
}

static void *get_until_cancelled(void *arg)
{
    void *item;

    while (cx_channel_get(leaving.channel, &item) == 0)
        (void)__atomic_add_fetch(&leaving.got, 1, __ATOMIC_SEQ_CST);
    return arg;
}

/* The end of the main task cancels the others, some waiting, some served. */
static void *leave_while_they_get(void *arg)
{
    for (int i = 0; i < TASKS; i++)
        cx_task_detach(cx_task_create(get_until_cancelled, NULL));
    for (int i = 0; i < 3; i++)
        (void)cx_yield();
    return arg;
}

static void *run_and_leave(void *arg)
{
    for (int i = 0; i < 200; i++)
        (void)cx_run(leave_while_they_get, NULL, NULL);
    return arg;
}

static void loops_that_end_meanwhile_lose_no_item(void **state)
{
    pthread_t put[THREADS], get[THREADS];
    void *item;

    (void)state;
    leaving.channel = cx_channel_new(2);
    for (int i = 0; i < THREADS; i++) {
        put[i] = thread_start(put_until_closed, NULL);
        get[i] = thread_start(run_and_leave, NULL);
    }
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(get[i], NULL), 0);
    assert_int_equal(cx_channel_close(leaving.channel), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(put[i], NULL), 0);
    while (cx_channel_try_get(leaving.channel, &item) == 0)
        leaving.got++;
    assert_int_equal(leaving.got, leaving.put);
    cx_channel_unref(leaving.channel);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_come_out_in_the_order_in_which_they_went_in),
        cmocka_unit_test(
            a_channel_that_is_full_or_empty_says_so_to_who_only_tries),
        cmocka_unit_test(items_outlive_the_close),
        cmocka_unit_test(a_channel_lives_as_long_as_somebody_holds_it),
        cmocka_unit_test(a_thread_blocks_until_there_is_room),
        cmocka_unit_test(a_thread_blocks_until_there_is_an_item),
        cmocka_unit_test(a_thread_waits_no_longer_than_its_deadline),
        cmocka_unit_test(a_close_wakes_threads),
        cmocka_unit_test(a_task_waits_for_an_item_of_its_own_loop),
        cmocka_unit_test(a_task_waits_for_a_thread_to_put),
        cmocka_unit_test(a_task_waits_for_a_thread_to_make_room),
        cmocka_unit_test(those_who_wait_are_served_in_their_order),
        cmocka_unit_test(one_that_waits_wakes_in_its_own_context),
        cmocka_unit_test(a_task_that_is_cancelled_takes_no_item),
        cmocka_unit_test(a_task_that_is_cancelled_puts_no_item),
        cmocka_unit_test(an_item_from_a_thread_is_not_lost_by_a_late_cancel),
        cmocka_unit_test(an_item_from_a_thread_is_not_lost_by_a_deadline),
        cmocka_unit_test(a_task_waits_no_longer_than_its_deadline),
        cmocka_unit_test(a_close_on_another_thread_wakes_all_tasks),
        cmocka_unit_test(a_close_turns_away_those_who_wait_to_put),
        cmocka_unit_test(a_thread_with_a_loop_is_not_blocked),
        cmocka_unit_test(what_makes_no_sense_is_refused),
        cmocka_unit_test(
            eight_threads_lose_and_double_nothing_and_keep_the_order),
        cmocka_unit_test(loops_that_end_meanwhile_lose_no_item),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
