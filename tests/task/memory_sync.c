/* SPDX-License-Identifier: MIT */
/* Out of memory, where tasks wait for each other: what memory.c says of loops
 * and tasks, of all that is made for them. */
#include "scarce.h"

#include <ctxvar/broadcast.h>
#include <ctxvar/channel.h>
#include <ctxvar/future.h>
#include <ctxvar/generator.h>
#include <ctxvar/group.h>
#include <ctxvar/queue.h>
#include <ctxvar/sync.h>

/* An item that is copied, to one who subscribes. */
static int broadcast_to_one(cx_broadcast **broadcast,
                            cx_subscription **subscription)
{
    char text[] = "text";

    *broadcast = cx_broadcast_new(4, &cx_string);
    if (*broadcast == NULL)
        return -errno;
    *subscription = cx_subscription_new(*broadcast);
    if (*subscription == NULL)
        return -errno;
    return cx_broadcast_put(*broadcast, text);
}

static void *use_broadcast_short(void *nth)
{
    cx_broadcast *broadcast = NULL;
    cx_subscription *subscription = NULL;
    int error;

    scarce = (int)(intptr_t)nth;
    error = broadcast_to_one(&broadcast, &subscription);
    scarce = PLENTY;
    if (cx_subscription_free(subscription) != 0 ||
        cx_broadcast_free(broadcast) != 0)
        error = -EIO;
    return as_pointer(error);
}

SWEEP(use_broadcast)

static void broadcasting_survives_want_of_memory(void **state)
{
    (void)state;
    assert_int_equal(sweep(use_broadcast), 3);
}

static void *put_into_channel(void *channel)
{
    return as_pointer(cx_channel_put(channel, NULL));
}

/* All that it takes is taken when it is made. */
static void *use_channel_short(void *nth)
{
    cx_task *task;
    cx_channel *channel;
    void *item;
    int error = 0;

    scarce = (int)(intptr_t)nth;
    channel = cx_channel_new(4);
    scarce = PLENTY;
    if (channel == NULL)
        return as_pointer(-errno);
    task = cx_task_create(put_into_channel, channel);
    scarce = NOTHING;
    if (cx_channel_get(channel, &item) != 0 || cx_await(task, NULL) != 0)
        error = -EIO;
    scarce = PLENTY;
    cx_channel_unref(channel);
    return as_pointer(error);
}

SWEEP(use_channel)

static void a_channel_needs_memory_when_it_is_made_and_no_more(void **state)
{
    (void)state;
    assert_int_equal(sweep(use_channel), 1);
}

static void *use_select_short(void *nth)
{
    cx_queue *queue = cx_queue_new(1);
    cx_queue_op op = {.queue = queue, .put = true};
    int place;

    scarce = (int)(intptr_t)nth;
    place = cx_queue_select(&op, 1);
    scarce = PLENTY;
    if (place != 0 || cx_queue_len(queue) != (op.error == 0))
        op.error = -EIO;
    (void)cx_queue_free(queue);
    return as_pointer(op.error);
}

SWEEP(use_select)

static void selecting_survives_want_of_memory(void **state)
{
    (void)state;
    assert_int_equal(sweep(use_select), 1);
}

static int generate_once(cx_generator *generator, void *value)
{
    return cx_generate(generator, value);
}

/* Asking and freeing need none. */
static void *use_generator_short(void *nth)
{
    cx_generator *generator;
    void *value;
    int error;

    scarce = (int)(intptr_t)nth;
    generator = cx_generator_new(generate_once, NULL);
    error = generator != NULL ? 0 : -errno;
    scarce = NOTHING;
    if (generator != NULL && cx_generator_next(generator, &value) != 1)
        error = -EIO;
    cx_generator_free(generator);
    scarce = PLENTY;
    return as_pointer(error);
}

SWEEP(use_generator)

static void making_a_generator_survives_want_of_memory(void **state)
{
    (void)state;
    assert_int_equal(sweep(use_generator), 2);
}

/* What tasks wait for is made by one allocation; to wait for it takes none. */
struct kind {
    void *(*make)(void);
    int (*free)(void *made);
};

#define KIND(name, make_expression)                                            \
    static void *make_##name(void)                                             \
    {                                                                          \
        return make_expression;                                                \
    }                                                                          \
    static int free_##name(void *made)                                         \
    {                                                                          \
        return cx_##name##_free(made);                                         \
    }

KIND(event, cx_event_new())
KIND(lock, cx_lock_new())
KIND(condition, cx_condition_new())
KIND(semaphore, cx_semaphore_new(1))
KIND(barrier, cx_barrier_new(2))
KIND(queue, cx_queue_new(0))
KIND(future, cx_future_new())

static const struct kind *kind;

static void *make_short(void *nth)
{
    void *made;
    int error;

    scarce = (int)(intptr_t)nth;
    errno = 0;
    made = kind->make();
    error = made != NULL ? 0 : -errno;
    scarce = PLENTY;
    return as_pointer(kind->free(made) == 0 ? error : -EIO);
}

SWEEP(make)

static void what_tasks_wait_for_is_made_or_not_for_want_of_memory(void **state)
{
    const struct kind kinds[] = {
        {make_event, free_event},         {make_lock, free_lock},
        {make_condition, free_condition}, {make_semaphore, free_semaphore},
        {make_barrier, free_barrier},     {make_queue, free_queue},
        {make_future, free_future}};

    (void)state;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        kind = &kinds[i];
        assert_int_equal(sweep(make), 1);
    }
}

enum { ITEMS = 20 };

/* What was put before is there, and in its order. */
static int check_items(cx_queue *queue, intptr_t n)
{
    void *item;

    for (intptr_t i = 0; i < n; i++) {
        if (cx_queue_try_get(queue, &item) != 0 || item != as_pointer(i))
            return -EIO;
    }
    return cx_queue_len(queue) == 0 ? 0 : -EIO;
}

static void *fill_short(void *nth)
{
    cx_queue *queue = cx_queue_new(0);
    int error = 0;
    intptr_t n = 0;

    scarce = (int)(intptr_t)nth;
    while (error == 0 && n < ITEMS) {
        error = cx_queue_put(queue, as_pointer(n));
        n += error == 0;
    }
    scarce = PLENTY;
    if (check_items(queue, n) != 0)
        error = -EIO;
    (void)cx_queue_free(queue);
    return as_pointer(error);
}

SWEEP(fill)

static void a_queue_that_cannot_grow_keeps_what_it_has(void **state)
{
    (void)state;
    assert_int_equal(sweep(fill), 3);
}

static int fail_with(void *arg)
{
    return (int)(intptr_t)arg;
}

/* Members that are refused are not there; those that are need no memory to
 * fail. */
static void *start_short(void *nth)
{
    enum { MEMBERS = 3 };
    cx_group *group;
    int error = 0;
    size_t started = 0;

    scarce = (int)(intptr_t)nth;
    group = cx_group_new(NULL);
    if (group == NULL)
        return as_pointer(-errno);
    for (int i = 0; i < MEMBERS && error == 0; i++) {
        error = cx_group_start(group, fail_with, as_pointer(-EPIPE));
        started += error == 0;
    }
    scarce = NOTHING;
    if (cx_group_wait(group) != (started > 0 ? -EPIPE : 0) ||
        cx_group_errors(group, NULL, 0) != started)
        error = -EIO;
    scarce = PLENTY;
    cx_group_free(group);
    return as_pointer(error);
}

SWEEP(start)

static void a_group_survives_want_of_memory(void **state)
{
    (void)state;
    assert_true(sweep(start) > 4);
}

static int do_nothing(void *arg)
{
    (void)arg;
    return 0;
}

static void *start_without_memory(void *group)
{
    int error;

    error = cx_group_start(group, do_nothing, NULL);
    scarce = PLENTY;
    return as_pointer(error);
}

static void *start_with_memory(void *group)
{
    return as_pointer(cx_group_start(group, do_nothing, NULL));
}

static int leave_nothing(void *arg)
{
    (void)arg;
    (void)cx_sleep(1);
    scarce = NOTHING;
    return 0;
}

/* Two wait for their turn. */
static void *pass_the_turn(void *arg)
{
    cx_group *group = cx_group_new(&(cx_group_options){.limit = 1});
    cx_task *first, *second;
    void *error;

    assert_int_equal(cx_group_start(group, leave_nothing, NULL), 0);
    first = cx_task_create(start_without_memory, group);
    second = cx_task_create(start_with_memory, group);
    assert_int_equal(cx_await(first, &error), 0);
    assert_ptr_equal(error, as_pointer(-ENOMEM));
    assert_int_equal(cx_await(second, &error), 0);
    assert_ptr_equal(error, as_pointer(0));
    assert_int_equal(cx_group_wait(group), 0);
    cx_group_free(group);
    return arg;
}

static void
a_starter_that_lacks_memory_leaves_its_turn_to_the_next(void **state)
{
    (void)state;
    scarce = PLENTY;
    assert_int_equal(in_a_loop(pass_the_turn, 0), 0);
}

static int running; /* of a gather's tasks */

static void *sleep_and_count(void *arg)
{
    running++;
    (void)cx_sleep(1);
    running--;
    return arg;
}

static void *gather_short(void *nth)
{
    void *args[40] = {NULL};
    void *results[40];
    int error;

    scarce = (int)(intptr_t)nth;
    error = cx_gather(sleep_and_count, args, results, 40);
    scarce = PLENTY;
    return as_pointer(running == 0 ? error : -EIO);
}

SWEEP(gather)

static void a_gather_that_cannot_start_all_leaves_none(void **state)
{
    (void)state;
    assert_true(sweep(gather) > 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(broadcasting_survives_want_of_memory),
        cmocka_unit_test(a_channel_needs_memory_when_it_is_made_and_no_more),
        cmocka_unit_test(selecting_survives_want_of_memory),
        cmocka_unit_test(making_a_generator_survives_want_of_memory),
        cmocka_unit_test(what_tasks_wait_for_is_made_or_not_for_want_of_memory),
        cmocka_unit_test(a_queue_that_cannot_grow_keeps_what_it_has),
        cmocka_unit_test(a_group_survives_want_of_memory),
        cmocka_unit_test(
            a_starter_that_lacks_memory_leaves_its_turn_to_the_next),
        cmocka_unit_test(a_gather_that_cannot_start_all_leaves_none),
    };

    return cmocka_run_group_tests_name("memory_sync", tests, NULL, NULL);
}
