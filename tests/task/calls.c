/* SPDX-License-Identifier: MIT */
/* Calls that a loop makes: soon, later, again and again. */
#include "support.h"

#include <ctxvar/call.h>
#include <ctxvar/sync.h>

#include "loop.h"

CX_VAR(int, number, .initial = -1);
CX_VAR(void *, resource, .type = &counted);

static struct trace order;

static void trace_call(void *arg)
{
    trace_add(&order, *(char *)arg);
}

static void count_call(void *arg)
{
    ++*(int *)arg;
}

/* Wait until something has been counted that often. */
static void await_count(const int *count, int wanted)
{
    while (*count < wanted)
        assert_int_equal(cx_sleep(1), 0);
}

TASK_TEST(a_call_is_made_soon)
{
    int calls = 0;

    cx_call_detach(cx_call_soon(count_call, &calls));
    assert_int_equal(calls, 0);
    await_count(&calls, 1);
}

TASK_TEST(calls_are_made_in_the_order_in_which_they_were_asked_for)
{
    char names[] = "abcd";

    order = (struct trace){.len = 0};
    for (int i = 0; i < 4; i++)
        cx_call_detach(cx_call_soon(trace_call, &names[i]));
    while (order.len < 4)
        assert_int_equal(cx_yield(), 0);
    assert_traced(&order, "abcd");
}

static void set_event(void *arg)
{
    assert_int_equal(cx_event_set(arg), 0);
}

TASK_TEST(a_call_that_is_made_soon_does_not_wait_for_the_clock)
{
    enum { CALLS = 200 };
    cx_event *event = cx_event_new();
    uint64_t began = cx_time();

    for (int i = 0; i < CALLS; i++) {
        assert_int_equal(cx_event_clear(event), 0);
        cx_call_detach(cx_call_soon(set_event, event));
        assert_int_equal(cx_event_wait(event), 0);
    }
    assert_true(cx_time() - began < CALLS);
    assert_int_equal(cx_event_free(event), 0);
}

TASK_TEST(calls_due_at_once_are_made_in_the_order_in_which_they_came)
{
    char names[] = "abcdefghijklmnop";

    order = (struct trace){.len = 0};
    for (int i = 0; i < 16; i++)
        cx_call_detach(cx_call_later(5, trace_call, &names[i]));
    while (order.len < 16)
        assert_int_equal(cx_sleep(1), 0);
    assert_traced(&order, "abcdefghijklmnop");
}

TASK_TEST(calls_are_made_in_the_order_in_which_they_fall_due)
{
    char names[] = "abc";

    order = (struct trace){.len = 0};
    cx_call_detach(cx_call_later(30, trace_call, &names[2]));
    cx_call_detach(cx_call_later(1, trace_call, &names[0]));
    cx_call_detach(cx_call_later(10, trace_call, &names[1]));
    while (order.len < 3)
        assert_int_equal(cx_sleep(1), 0);
    assert_traced(&order, "abc");
}

struct moment {
    uint64_t time;
    int calls;
};

static void note_time(void *arg)
{
    struct moment *moment = arg;

    moment->time = cx_time();
    moment->calls++;
}

TASK_TEST(a_call_is_never_made_before_its_time)
{
    struct moment moment = {0, 0};
    uint64_t began = cx_time();

    cx_call_detach(cx_call_later(20, note_time, &moment));
    await_count(&moment.calls, 1);
    assert_true(moment.time - began >= 20);
}

static void add_number(void *arg)
{
    *(int *)arg += cx_get(number);
}

/* 85 */
TASK_TEST(a_call_reads_what_was_set_when_it_was_asked_for)
{
    int seen = 0;

    assert_int_equal(cx_set(number, 1), 0);
    cx_call_detach(cx_call_soon(add_number, &seen));
    cx_call_detach(cx_call_later(1, add_number, &seen));
    assert_int_equal(cx_set(number, 10), 0);
    await_count(&seen, 2);
    assert_int_equal(seen, 2);
}

static void set_number(void *arg)
{
    *(int *)arg = cx_get(number);
    (void)cx_set(number, 5);
}

/* 85 */
TASK_TEST(what_a_call_sets_is_not_seen_by_who_asked_for_it)
{
    int seen = 0;

    cx_call_detach(cx_call_soon(set_number, &seen));
    while (seen == 0)
        assert_int_equal(cx_yield(), 0);
    assert_int_equal(cx_get(number), -1);
}

struct ticks {
    int seen[4];
    int count;
    cx_call *call;
};

static void tick(void *arg)
{
    struct ticks *ticks = arg;

    ticks->seen[ticks->count] = cx_get(number);
    (void)cx_set(number, 99);
    if (++ticks->count == 4)
        (void)cx_call_cancel(ticks->call);
}

TASK_TEST(what_a_call_sets_is_not_seen_by_the_next_one)
{
    struct ticks ticks = {.count = 0};

    assert_int_equal(cx_set(number, 1), 0);
    ticks.call = cx_call_every(1, tick, &ticks);
    await_count(&ticks.count, 4);
    for (int i = 0; i < 4; i++)
        assert_int_equal(ticks.seen[i], 1);
}

TASK_TEST(a_call_may_call_itself_off)
{
    struct ticks ticks = {.count = 0};

    ticks.call = cx_call_every(1, tick, &ticks);
    await_count(&ticks.count, 4);
    assert_int_equal(cx_sleep(5), 0);
    assert_int_equal(ticks.count, 4);
}

/* Each call leaves out the beats that fall within it. */
struct slow {
    int running;
    int most;
    int calls;
};

static void be_slow(void *arg)
{
    struct slow *slow = arg;

    if (++slow->running > slow->most)
        slow->most = slow->running;
    (void)cx_sleep(5);
    slow->running--;
    slow->calls++;
}

TASK_TEST(repeated_calls_do_not_overlap)
{
    struct slow slow = {0, 0, 0};
    cx_call *call = cx_call_every(1, be_slow, &slow);

    await_count(&slow.calls, 3);
    assert_int_equal(slow.most, 1);
    (void)cx_call_cancel(call);
    /* The one that has begun goes on, with what is on this stack. */
    while (slow.running > 0)
        assert_int_equal(cx_sleep(1), 0);
}

struct beats {
    uint64_t first;
    uint64_t time[8];
    int count;
};

static void note_beat(void *arg)
{
    struct beats *beats = arg;

    if (beats->count < 8)
        beats->time[beats->count] = cx_time();
    beats->count++;
    (void)cx_sleep(2);
}

TASK_TEST(repeated_calls_keep_in_step_with_the_clock)
{
    enum { PERIOD = 10 };
    struct beats beats = {.first = cx_time() + PERIOD};
    cx_call *call = cx_call_every(PERIOD, note_beat, &beats);

    await_count(&beats.count, 8);
    (void)cx_call_cancel(call);
    for (int i = 0; i < 8; i++)
        assert_true(beats.time[i] >= beats.first + (uint64_t)i * PERIOD);
}

static void be_late(void *arg)
{
    struct moment *moment = arg;

    if (moment->calls++ > 0)
        return;
    moment->time = cx_time();
    while (cx_time() < moment->time + 20)
        ;
}

TASK_TEST(beats_that_were_missed_are_not_made_up_for)
{
    struct moment moment = {0, 0};
    cx_call *call = cx_call_every(2, be_late, &moment);

    await_count(&moment.calls, 2);
    assert_true(moment.calls < 5);
    (void)cx_call_cancel(call);
}

static void ask_with_a_resource(cx_call **call, uint64_t ms, int *calls)
{
    CX_WITH(resource, calls) {
        *call = ms != 0 ? cx_call_later(ms, count_call, calls)
                        : cx_call_soon(count_call, calls);
    }
}

/* 70 */
TASK_TEST(a_call_that_is_called_off_lets_go_of_its_context_at_once)
{
    const uint64_t times[] = {0, 1, UINT64_MAX};
    int calls = 0;

    for (size_t i = 0; i < 3; i++) {
        cx_call *call;

        ask_with_a_resource(&call, times[i], &calls);
        assert_int_equal(held_now(), 1);
        assert_true(cx_call_cancel(call));
        assert_int_equal(held_now(), 0);
    }
}

TASK_TEST(a_repeated_call_that_is_called_off_lets_go_of_its_context_at_once)
{
    int calls = 0;
    cx_call *call = NULL;

    CX_WITH(resource, &calls) {
        call = cx_call_every(1, count_call, &calls);
    }
    await_count(&calls, 2);
    assert_int_equal(held_now(), 1);
    (void)cx_call_cancel(call);
    assert_int_equal(held_now(), 0);
}

/* 69 */
TASK_TEST(a_call_that_was_made_has_let_go_of_its_context)
{
    int calls = 0;
    cx_call *call;

    ask_with_a_resource(&call, 1, &calls);
    await_count(&calls, 1);
    assert_int_equal(held_now(), 0);
    assert_false(cx_call_cancel(call));
}

TASK_TEST(a_call_that_is_called_off_is_not_made)
{
    int calls = 0;

    assert_true(cx_call_cancel(cx_call_soon(count_call, &calls)));
    assert_true(cx_call_cancel(cx_call_later(1, count_call, &calls)));
    assert_true(cx_call_cancel(cx_call_every(1, count_call, &calls)));
    assert_int_equal(cx_sleep(5), 0);
    assert_int_equal(calls, 0);
}

struct pair {
    cx_call *other;
    bool called_off;
};

static void call_off_other(void *arg)
{
    struct pair *pair = arg;

    pair->called_off = cx_call_cancel(pair->other);
}

/* By then it has its task, but has not begun. */
TASK_TEST(a_call_whose_time_has_come_can_still_be_called_off)
{
    struct pair pair = {.called_off = false};
    int calls = 0;

    cx_call_detach(cx_call_soon(call_off_other, &pair));
    pair.other = cx_call_soon(count_call, &calls);
    assert_int_equal(cx_sleep(2), 0);
    assert_true(pair.called_off);
    assert_int_equal(calls, 0);
}

static void wait_for_event(void *arg)
{
    assert_int_equal(cx_event_wait(arg), 0);
}

TASK_TEST(a_call_may_wait)
{
    cx_event *event = cx_event_new();
    int calls = 0;

    cx_call_detach(cx_call_soon(wait_for_event, event));
    cx_call_detach(cx_call_soon(count_call, &calls));
    await_count(&calls, 1);
    assert_int_equal(cx_event_set(event), 0);
    assert_int_equal(cx_yield(), 0);
    assert_int_equal(cx_event_free(event), 0);
}

TASK_TEST(a_call_that_has_begun_is_not_called_off)
{
    struct slow slow = {0, 0, 0};
    cx_call *once = cx_call_soon(be_slow, &slow);
    cx_call *often = cx_call_every(1, be_slow, &slow);

    while (slow.running < 2)
        assert_int_equal(cx_sleep(1), 0);
    assert_false(cx_call_cancel(once));
    assert_false(cx_call_cancel(often));
    await_count(&slow.calls, 2);
    assert_int_equal(cx_sleep(10), 0);
    assert_int_equal(slow.calls, 2);
}

TASK_TEST(a_call_of_nothing_is_refused)
{
    assert_null(cx_call_soon(NULL, NULL));
    assert_int_equal(errno, EINVAL);
    assert_null(cx_call_later(1, NULL, NULL));
    assert_int_equal(errno, EINVAL);
}

TASK_TEST(a_call_repeated_without_a_pause_is_refused)
{
    int calls = 0;

    assert_null(cx_call_every(0, count_call, &calls));
    assert_int_equal(errno, EINVAL);
}

static void without_a_loop_calls_are_refused(void **state)
{
    int calls = 0;

    (void)state;
    assert_null(cx_call_soon(count_call, &calls));
    assert_int_equal(errno, EPERM);
    assert_null(cx_call_later(1, count_call, &calls));
    assert_int_equal(errno, EPERM);
    assert_null(cx_call_every(1, count_call, &calls));
    assert_int_equal(errno, EPERM);
    assert_false(cx_call_cancel(NULL));
    cx_call_detach(NULL);
}

TASK_TEST(a_call_after_no_time_is_made_soon)
{
    int calls = 0;

    cx_call_detach(cx_call_later(0, count_call, &calls));
    assert_int_equal(cx_yield(), 0);
    assert_int_equal(cx_yield(), 0);
    await_count(&calls, 1);
}

TASK_TEST(the_handle_of_a_call_that_was_made_can_be_given_up)
{
    int calls = 0;
    cx_call *call = cx_call_soon(count_call, &calls);

    await_count(&calls, 1);
    cx_call_detach(call);
}

static void *leave_one_that_is_slow(void *arg)
{
    struct slow *slow = arg;

    cx_call_detach(cx_call_every(1, be_slow, slow));
    while (slow->running == 0)
        assert_int_equal(cx_sleep(1), 0);
    return NULL;
}

static void a_repeated_call_that_has_begun_is_the_loop_s_last(void **state)
{
    struct slow slow = {0, 0, 0};

    (void)state;
    assert_int_equal(cx_run(leave_one_that_is_slow, &slow, NULL), 0);
    assert_int_equal(slow.running, 0);
    assert_int_equal(slow.most, 1);
}

static void *leave_calls(void *arg)
{
    (void)cx_set(resource, arg);
    (void)cx_call_later(1000000, count_call, arg);
    (void)cx_call_every(1000000, count_call, arg);
    cx_call_detach(cx_call_later(1000000, count_call, arg));
    cx_call_detach(cx_call_every(1000000, count_call, arg));
    return NULL;
}

static void calls_whose_time_has_not_come_end_with_the_loop(void **state)
{
    int calls = 0;

    (void)state;
    assert_int_equal(cx_run(leave_calls, &calls, NULL), 0);
    assert_int_equal(calls, 0);
    assert_int_equal(held_now(), 0);
}

static void note_cancel(void *arg)
{
    *(int *)arg = cx_sleep(UINT64_MAX);
}

static void *leave_a_call_soon(void *arg)
{
    (void)cx_call_soon(note_cancel, arg);
    return NULL;
}

static void a_call_whose_time_has_come_is_made_cancelled(void **state)
{
    int error = 0;

    (void)state;
    assert_int_equal(cx_run(leave_a_call_soon, &error, NULL), 0);
    assert_int_equal(error, -ECANCELED);
}

static void *ask_when_cancelled(void *arg)
{
    int calls = 0;

    (void)cx_sleep(UINT64_MAX);
    errno = 0;
    *(bool *)arg =
        cx_call_later(1, count_call, &calls) == NULL && errno == ESHUTDOWN;
    return NULL;
}

static void *leave_one_that_asks(void *arg)
{
    (void)cx_task_create(ask_when_cancelled, arg);
    return NULL;
}

static void a_loop_that_ends_makes_no_new_calls(void **state)
{
    bool refused = false;

    (void)state;
    assert_int_equal(cx_run(leave_one_that_asks, &refused, NULL), 0);
    assert_true(refused);
}

TASK_TEST(calls_to_come_hold_no_stacks)
{
    int calls = 0;
    cx_call *asked[] = {cx_call_soon(count_call, &calls),
                        cx_call_later(1, count_call, &calls),
                        cx_call_every(1, count_call, &calls)};

    assert_int_equal(cx__loop_here->live, 1);
    await_count(&calls, 4);
    for (int i = 0; i < 3; i++)
        (void)cx_call_cancel(asked[i]);
}

static void *compute_and_yield(void *arg)
{
    const int *calls = arg;
    intptr_t turns = 0;

    for (; *calls < 5; turns++)
        (void)cx_yield();
    return as_pointer(turns);
}

TASK_TEST(a_task_that_only_yields_does_not_keep_calls_waiting)
{
    int calls = 0;
    cx_task *task = cx_task_create(compute_and_yield, &calls);
    cx_call *call = cx_call_every(1, count_call, &calls);

    assert_int_equal(cx_await(task, NULL), 0);
    (void)cx_call_cancel(call);
    assert_true(calls >= 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_is_made_soon),
        cmocka_unit_test(
            calls_are_made_in_the_order_in_which_they_were_asked_for),
        cmocka_unit_test(a_call_that_is_made_soon_does_not_wait_for_the_clock),
        cmocka_unit_test(
            calls_due_at_once_are_made_in_the_order_in_which_they_came),
        cmocka_unit_test(calls_are_made_in_the_order_in_which_they_fall_due),
        cmocka_unit_test(a_call_is_never_made_before_its_time),
        cmocka_unit_test(a_call_reads_what_was_set_when_it_was_asked_for),
        cmocka_unit_test(what_a_call_sets_is_not_seen_by_who_asked_for_it),
        cmocka_unit_test(what_a_call_sets_is_not_seen_by_the_next_one),
        cmocka_unit_test(a_call_may_call_itself_off),
        cmocka_unit_test(repeated_calls_do_not_overlap),
        cmocka_unit_test(repeated_calls_keep_in_step_with_the_clock),
        cmocka_unit_test(beats_that_were_missed_are_not_made_up_for),
        cmocka_unit_test(
            a_call_that_is_called_off_lets_go_of_its_context_at_once),
        cmocka_unit_test(
            a_repeated_call_that_is_called_off_lets_go_of_its_context_at_once),
        cmocka_unit_test(a_call_that_was_made_has_let_go_of_its_context),
        cmocka_unit_test(a_call_that_is_called_off_is_not_made),
        cmocka_unit_test(a_call_whose_time_has_come_can_still_be_called_off),
        cmocka_unit_test(a_call_may_wait),
        cmocka_unit_test(a_call_that_has_begun_is_not_called_off),
        cmocka_unit_test(a_call_of_nothing_is_refused),
        cmocka_unit_test(a_call_repeated_without_a_pause_is_refused),
        cmocka_unit_test(without_a_loop_calls_are_refused),
        cmocka_unit_test(a_call_after_no_time_is_made_soon),
        cmocka_unit_test(the_handle_of_a_call_that_was_made_can_be_given_up),
        cmocka_unit_test(a_repeated_call_that_has_begun_is_the_loop_s_last),
        cmocka_unit_test(calls_whose_time_has_not_come_end_with_the_loop),
        cmocka_unit_test(a_call_whose_time_has_come_is_made_cancelled),
        cmocka_unit_test(a_loop_that_ends_makes_no_new_calls),
        cmocka_unit_test(calls_to_come_hold_no_stacks),
        cmocka_unit_test(a_task_that_only_yields_does_not_keep_calls_waiting),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
