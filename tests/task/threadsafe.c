/* SPDX-License-Identifier: MIT */
/* A loop, as other threads know it, and what they send to it. */
#include "support.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include <ctxvar/call.h>
#include <ctxvar/sync.h>

CX_VAR(int, number, .initial = -1);
CX_VAR(int, of_tasks, .initial = -1, .inherit = CX_INHERIT_TASKS);
CX_VAR(void *, resource, .type = &counted);

static void outside_of_a_loop_there_is_none(void **state)
{
    (void)state;
    assert_null(cx_loop_current());
}

TASK_TEST(a_thread_has_one_loop_for_all_its_tasks)
{
    cx_loop *loop = cx_loop_current();

    assert_non_null(loop);
    assert_ptr_equal(cx_loop_current(), loop);
}

static void *hold_loop(void *arg)
{
    *(cx_loop **)arg = cx_loop_ref(cx_loop_current());
    return NULL;
}

static void a_handle_outlives_its_loop(void **state)
{
    cx_loop *loop = NULL;

    (void)state;
    assert_int_equal(cx_run(hold_loop, &loop, NULL), 0);
    assert_non_null(loop);
    assert_ptr_equal(cx_loop_ref(loop), loop);
    cx_loop_unref(loop);
    cx_loop_unref(loop);
    cx_loop_unref(NULL);
}

/* What another thread asks of a loop. */
struct errand {
    cx_loop *loop;
    void (*fn)(void *);
    void *arg;
    int number; /* set in the thread's context before */
    int error;
};

static void *do_errand(void *arg)
{
    struct errand *errand = arg;

    (void)cx_set(number, errand->number);
    (void)cx_set(of_tasks, errand->number);
    errand->error =
        cx_call_soon_threadsafe(errand->loop, errand->fn, errand->arg);
    return NULL;
}

static void on_a_thread(cx_task_fn *fn, void *arg)
{
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, fn, arg), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
}

/* What the call saw. */
struct report {
    cx_event *done;
    pthread_t thread;
    int number;
    int of_tasks;
};

static void write_report(void *arg)
{
    struct report *report = arg;

    report->thread = pthread_self();
    report->number = cx_get(number);
    report->of_tasks = cx_get(of_tasks);
    assert_int_equal(cx_event_set(report->done), 0);
}

static struct report report_from_a_thread(void)
{
    struct report report = {.done = cx_event_new()};
    struct errand errand = {cx_loop_current(), write_report, &report, 7, 1};

    on_a_thread(do_errand, &errand);
    assert_int_equal(errand.error, 0);
    assert_int_equal(cx_event_wait(report.done), 0);
    assert_int_equal(cx_event_free(report.done), 0);
    return report;
}

TASK_TEST(a_call_for_another_thread_is_made_on_that_thread)
{
    struct report report = report_from_a_thread();

    assert_true(pthread_equal(report.thread, pthread_self()));
}

/* 87 */
TASK_TEST(a_call_for_another_thread_is_made_in_the_callers_context)
{
    assert_int_equal(cx_set(number, 1), 0);
    assert_int_equal(report_from_a_thread().number, 7);
    assert_int_equal(cx_get(number), 1);
}

TASK_TEST(what_is_for_tasks_of_its_thread_stays_on_its_thread)
{
    assert_int_equal(report_from_a_thread().of_tasks, -1);
}

/* The loop sleeps for ever, or so it thinks. */
struct alarm {
    cx_loop *loop;
    cx_event *event;
};

static void wake_up(void *arg)
{
    assert_int_equal(cx_event_set(arg), 0);
}

static void *call_when_asleep(void *arg)
{
    struct alarm *alarm = arg;

    assert_int_equal(
        cx_call_soon_threadsafe(alarm->loop, wake_up, alarm->event), 0);
    return NULL;
}

TASK_TEST(a_call_wakes_a_loop_that_sleeps)
{
    struct alarm alarm = {cx_loop_current(), cx_event_new()};
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, call_when_asleep, &alarm),
                     0);
    assert_int_equal(cx_event_wait(alarm.event), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(cx_event_free(alarm.event), 0);
}

enum { SENDERS = 4, SENT = 2000, AHEAD_MOST = 100 };

struct sender {
    cx_loop *loop;
    int next; /* what is to arrive next */
    int accepted;
    int made;
    bool in_order;
    pthread_t thread;
};

struct item {
    struct sender *sender;
    int number;
};

static void receive(void *arg)
{
    struct item *item = arg;
    struct sender *sender = item->sender;

    sender->in_order &= item->number == sender->next++;
    __atomic_store_n(&sender->made, sender->made + 1, __ATOMIC_RELEASE);
    free(item);
}

static bool send_one(struct sender *sender)
{
    struct item *item = malloc(sizeof(*item));

    *item = (struct item){sender, sender->accepted};
    if (cx_call_soon_threadsafe(sender->loop, receive, item) != 0) {
        free(item);
        return false;
    }
    sender->accepted++;
    return true;
}

static void *send_many(void *arg)
{
    for (int i = 0; i < SENT; i++)
        (void)send_one(arg);
    return NULL;
}

static void senders_start(struct sender *senders, cx_task_fn *fn)
{
    for (int i = 0; i < SENDERS; i++) {
        senders[i] = (struct sender){.loop = cx_loop_ref(cx_loop_current()),
                                     .in_order = true};
        assert_int_equal(
            pthread_create(&senders[i].thread, NULL, fn, &senders[i]), 0);
    }
}

static void senders_end(struct sender *senders)
{
    for (int i = 0; i < SENDERS; i++) {
        assert_int_equal(pthread_join(senders[i].thread, NULL), 0);
        cx_loop_unref(senders[i].loop);
    }
}

TASK_TEST(calls_of_one_thread_are_made_in_its_order)
{
    struct sender senders[SENDERS];

    senders_start(senders, send_many);
    for (int i = 0; i < SENDERS; i++) {
        while (senders[i].made < SENT)
            assert_int_equal(cx_sleep(1), 0);
        assert_true(senders[i].in_order);
    }
    senders_end(senders);
}

/* Until the loop has ended; but not faster than it can take them. */
static void *send_on(void *arg)
{
    struct sender *sender = arg;

    while (send_one(sender)) {
        while (sender->accepted >
               __atomic_load_n(&sender->made, __ATOMIC_ACQUIRE) + AHEAD_MOST)
            (void)sched_yield();
    }
    return NULL;
}

static void *end_amid_calls(void *arg)
{
    struct sender *senders = arg;

    senders_start(senders, send_on);
    for (int i = 0; i < SENDERS; i++) {
        while (senders[i].made < 100)
            (void)cx_sleep(1);
    }
    return NULL;
}

static void what_a_loop_has_accepted_is_made_before_it_ends(void **state)
{
    struct sender senders[SENDERS];

    (void)state;
    assert_int_equal(cx_run(end_amid_calls, senders, NULL), 0);
    senders_end(senders);
    for (int i = 0; i < SENDERS; i++) {
        assert_int_equal(senders[i].made, senders[i].accepted);
        assert_true(senders[i].in_order);
    }
}

static void note_call(void *arg)
{
    *(bool *)arg = true;
}

static void a_loop_that_has_ended_refuses_calls(void **state)
{
    cx_loop *loop = NULL;
    bool called = false;

    (void)state;
    assert_int_equal(cx_run(hold_loop, &loop, NULL), 0);
    assert_int_equal(cx_set(resource, loop), 0);
    assert_int_equal(cx_call_soon_threadsafe(loop, note_call, &called),
                     -ESHUTDOWN);
    assert_int_equal(cx_unset(resource), 0);
    assert_int_equal(held_now(), 0);
    assert_false(called);
    cx_loop_unref(loop);
}

static void *call_when_cancelled(void *arg)
{
    bool called;

    (void)cx_sleep(UINT64_MAX);
    *(int *)arg =
        cx_call_soon_threadsafe(cx_loop_current(), note_call, &called);
    return NULL;
}

static void *leave_one_that_calls(void *arg)
{
    (void)cx_task_create(call_when_cancelled, arg);
    return NULL;
}

static void a_loop_that_ends_refuses_calls(void **state)
{
    int error = 0;

    (void)state;
    assert_int_equal(cx_run(leave_one_that_calls, &error, NULL), 0);
    assert_int_equal(error, -ESHUTDOWN);
}

TASK_TEST(a_call_of_nothing_or_nowhere_is_refused)
{
    assert_int_equal(cx_call_soon_threadsafe(NULL, wake_up, NULL), -EINVAL);
    assert_int_equal(cx_call_soon_threadsafe(cx_loop_current(), NULL, NULL),
                     -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outside_of_a_loop_there_is_none),
        cmocka_unit_test(a_thread_has_one_loop_for_all_its_tasks),
        cmocka_unit_test(a_handle_outlives_its_loop),
        cmocka_unit_test(a_call_for_another_thread_is_made_on_that_thread),
        cmocka_unit_test(
            a_call_for_another_thread_is_made_in_the_callers_context),
        cmocka_unit_test(what_is_for_tasks_of_its_thread_stays_on_its_thread),
        cmocka_unit_test(a_call_wakes_a_loop_that_sleeps),
        cmocka_unit_test(calls_of_one_thread_are_made_in_its_order),
        cmocka_unit_test(what_a_loop_has_accepted_is_made_before_it_ends),
        cmocka_unit_test(a_loop_that_has_ended_refuses_calls),
        cmocka_unit_test(a_loop_that_ends_refuses_calls),
        cmocka_unit_test(a_call_of_nothing_or_nowhere_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
