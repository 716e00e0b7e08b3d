/* SPDX-License-Identifier: MIT */
/* Tasks on a loop of libuv's that the program runs. */
#include "support.h"

#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include <ctxvar/call.h>
#include <ctxvar/fd.h>
#include <ctxvar/group.h>
#include <ctxvar/remote.h>

CX_VAR(int, number, .initial = -1);
CX_VAR(void *, resource, .type = &counted);

static uv_loop_t uv;

static void attach(void)
{
    assert_int_equal(uv_loop_init(&uv), 0);
    assert_int_equal(cx_loop_attach(&uv), 0);
}

static void run(void)
{
    (void)uv_run(&uv, UV_RUN_DEFAULT);
}

static void detach(void)
{
    assert_int_equal(cx_loop_detach(), 0);
    run();
    assert_int_equal(uv_loop_close(&uv), 0);
    assert_null(cx_loop_current());
}

static void create(cx_task_fn *fn, void *arg)
{
    cx_task *task = cx_task_create(fn, arg);

    assert_non_null(task);
    cx_task_detach(task);
}

static void *count(void *arg)
{
    ++*(int *)arg;
    return NULL;
}

static void count_call(void *arg)
{
    ++*(int *)arg;
}

static void *sleep_and_count(void *arg)
{
    (void)cx_sleep(5);
    return count(arg);
}

static void tasks_that_the_program_creates_run_in_its_loop(void **state)
{
    int counted_tasks = 0;

    (void)state;
    attach();
    for (int i = 0; i < 3; i++)
        create(count, &counted_tasks);
    assert_int_equal(counted_tasks, 0);
    run();
    assert_int_equal(counted_tasks, 3);
    detach();
}

static void the_loop_goes_on_while_there_are_tasks(void **state)
{
    int done = 0;

    (void)state;
    attach();
    create(sleep_and_count, &done);
    run();
    assert_int_equal(done, 1);
    detach();
}

static void without_tasks_the_loop_ends(void **state)
{
    (void)state;
    attach();
    run();
    assert_int_equal(uv_loop_alive(&uv), 0);
    run();
    detach();
}

static void the_loop_goes_on_while_there_are_calls(void **state)
{
    int done = 0;

    (void)state;
    attach();
    cx_call_detach(cx_call_later(5, count_call, &done));
    run();
    assert_int_equal(done, 1);
    detach();
}

static void a_call_that_is_called_off_keeps_nothing_going(void **state)
{
    int done = 0;
    cx_call *call;

    (void)state;
    attach();
    call = cx_call_later(1000000, count_call, &done);
    (void)uv_run(&uv, UV_RUN_NOWAIT);
    assert_true(cx_call_cancel(call));
    run();
    detach();
}

static void *yield_often(void *arg)
{
    for (int i = 0; i < 100000; i++)
        (void)cx_yield();
    return count(arg);
}

struct ticker {
    uv_timer_t timer;
    int ticks;
    int enough;
};

static void tick(uv_timer_t *timer)
{
    struct ticker *ticker = timer->data;

    if (++ticker->ticks == ticker->enough)
        uv_close((uv_handle_t *)timer, NULL);
}

static void ticker_start(struct ticker *ticker, int enough)
{
    *ticker = (struct ticker){.enough = enough};
    assert_int_equal(uv_timer_init(&uv, &ticker->timer), 0);
    ticker->timer.data = ticker;
    assert_int_equal(uv_timer_start(&ticker->timer, tick, 1, 1), 0);
}

static void *yield_until_enough(void *arg)
{
    const struct ticker *ticker = arg;

    while (ticker->ticks < ticker->enough)
        (void)cx_yield();
    return NULL;
}

static void
a_task_that_only_yields_does_not_keep_the_program_waiting(void **state)
{
    struct ticker ticker;

    (void)state;
    attach();
    ticker_start(&ticker, 5);
    create(yield_until_enough, &ticker);
    run();
    assert_int_equal(ticker.ticks, 5);
    detach();
}

static void tasks_that_are_ready_do_not_wait_for_the_program(void **state)
{
    uint64_t began = cx_time();
    int done = 0;

    (void)state;
    attach();
    create(yield_often, &done);
    run();
    assert_int_equal(done, 1);
    assert_true(cx_time() - began < 20000);
    detach();
}

static void a_sleep_never_ends_early(void **state)
{
    uint64_t began;
    int done = 0;

    (void)state;
    attach();
    began = cx_time();
    create(sleep_and_count, &done);
    run();
    assert_true(cx_time() - began >= 5);
    detach();
}

/* The program is busy first, so that its idea of the time is old. */
static void compute_and_create(uv_timer_t *timer)
{
    uint64_t began = cx_time();

    while (cx_time() < began + 20)
        ;
    create(sleep_and_count, timer->data);
    uv_close((uv_handle_t *)timer, NULL);
}

static void a_task_created_by_a_callback_sleeps_long_enough(void **state)
{
    uv_timer_t timer = {.data = NULL};
    uint64_t began = cx_time();
    int done = 0;

    (void)state;
    attach();
    assert_int_equal(uv_timer_init(&uv, &timer), 0);
    timer.data = &done;
    assert_int_equal(uv_timer_start(&timer, compute_and_create, 0, 0), 0);
    run();
    assert_int_equal(done, 1);
    assert_true(cx_time() - began >= 25);
    detach();
}

static void *set_and_read(void *arg)
{
    int *seen = arg;

    *seen = cx_get(number);
    (void)cx_set(number, 9);
    (void)cx_sleep(1);
    *seen += cx_get(number);
    return NULL;
}

static void a_task_runs_in_a_copy_of_the_programs_context(void **state)
{
    int seen = 0;

    (void)state;
    attach();
    CX_WITH(number, 1) {
        create(set_and_read, &seen);
    }
    run();
    assert_int_equal(seen, 10);
    assert_int_equal(cx_get(number), -1);
    detach();
}

static void check_own(uv_timer_t *timer)
{
    *(bool *)timer->data = cx_get(number) == 3 && cx_task_current() == NULL;
    uv_close((uv_handle_t *)timer, NULL);
}

/* Tasks run in between, each in its own context. */
static void the_programs_callbacks_keep_the_programs_context(void **state)
{
    uv_timer_t timer;
    bool right = false;
    int seen = 0;

    (void)state;
    attach();
    create(set_and_read, &seen);
    assert_int_equal(uv_timer_init(&uv, &timer), 0);
    timer.data = &right;
    assert_int_equal(uv_timer_start(&timer, check_own, 1, 0), 0);
    CX_WITH(number, 3) {
        run();
    }
    assert_true(right);
    detach();
}

static void waiting_is_for_tasks_alone(void **state)
{
    cx_task *task;

    (void)state;
    attach();
    task = cx_task_create(return_arg, NULL);
    assert_int_equal(cx_sleep(1), -EPERM);
    assert_int_equal(cx_yield(), -EPERM);
    assert_int_equal(cx_await(task, NULL), -EPERM);
    assert_int_equal(cx_run(return_arg, NULL, NULL), -EBUSY);
    assert_int_equal(cx_loop_attach(&uv), -EBUSY);
    detach();
}

static void nowhere_is_nothing_attached(void **state)
{
    (void)state;
    assert_int_equal(cx_loop_attach(NULL), -EINVAL);
    assert_int_equal(cx_loop_detach(), -EPERM);
}

TASK_TEST(the_loop_of_a_run_is_not_left)
{
    assert_int_equal(cx_loop_detach(), -EPERM);
    assert_int_equal(cx_loop_attach(&uv), -EBUSY);
}

static int one_of_three(void *arg)
{
    (void)cx_sleep(1);
    ++*(int *)arg;
    return 0;
}

static void *wait_for_three(void *arg)
{
    cx_group *group = cx_group_new(NULL);

    for (int i = 0; i < 3; i++)
        (void)cx_group_start(group, one_of_three, arg);
    (void)cx_group_wait(group);
    cx_group_free(group);
    return count(arg);
}

static void tasks_create_and_await_others(void **state)
{
    int done = 0;

    (void)state;
    attach();
    create(wait_for_three, &done);
    run();
    assert_int_equal(done, 4);
    detach();
}

/* The other end of a socket pair, which the program writes to. */
struct pair {
    int fd[2];
    int read;
};

static void *read_pair(void *arg)
{
    struct pair *pair = arg;
    char byte;

    if (cx_fd_wait(pair->fd[0], CX_READABLE) == CX_READABLE)
        pair->read = (int)read(pair->fd[0], &byte, 1);
    return NULL;
}

static void write_pair(uv_timer_t *timer)
{
    struct pair *pair = timer->data;

    assert_int_equal(write(pair->fd[1], "x", 1), 1);
    uv_close((uv_handle_t *)timer, NULL);
}

static void a_task_waits_for_a_descriptor(void **state)
{
    struct pair pair = {.read = 0};
    uv_timer_t timer;

    (void)state;
    attach();
    assert_int_equal(
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.fd), 0);
    create(read_pair, &pair);
    assert_int_equal(uv_timer_init(&uv, &timer), 0);
    timer.data = &pair;
    assert_int_equal(uv_timer_start(&timer, write_pair, 2, 0), 0);
    run();
    assert_int_equal(pair.read, 1);
    assert_int_equal(uv_loop_alive(&uv), 0);
    assert_int_equal(close(pair.fd[0]) + close(pair.fd[1]), 0);
    detach();
}

static void *do_a_job(void *arg)
{
    void *result = NULL;

    if (cx_run_in_executor(NULL, return_arg, arg, &result) == 0)
        (void)count(result);
    return NULL;
}

static void a_task_waits_for_a_job(void **state)
{
    int done = 0;

    (void)state;
    attach();
    create(do_a_job, &done);
    run();
    assert_int_equal(done, 1);
    detach();
}

static void *ask_for_a_task(void *loop)
{
    cx_remote *remote = cx_task_create_threadsafe(loop, return_arg, loop);
    void *result = NULL;

    return as_pointer(cx_remote_await(remote, &result) == 0 && result == loop);
}

/* Something of the program's keeps its loop going meanwhile. */
static void other_threads_send_tasks(void **state)
{
    struct ticker ticker;
    pthread_t thread;
    void *right = NULL;

    (void)state;
    attach();
    ticker_start(&ticker, -1);
    assert_int_equal(
        pthread_create(&thread, NULL, ask_for_a_task, cx_loop_current()), 0);
    while (pthread_tryjoin_np(thread, &right) != 0)
        (void)uv_run(&uv, UV_RUN_ONCE);
    assert_ptr_equal(right, as_pointer(1));
    uv_close((uv_handle_t *)&ticker.timer, NULL);
    detach();
}

static void *note_cancel(void *arg)
{
    *(int *)arg = cx_sleep(UINT64_MAX);
    return NULL;
}

static void *note_cancel_late(void *arg)
{
    (void)note_cancel(arg);
    CX_SHIELD {
        (void)cx_sleep(5);
    }
    return NULL;
}

static void detaching_cancels_tasks_and_waits_for_them(void **state)
{
    int errors[3] = {0, 0, 0};
    int calls = 0;

    (void)state;
    attach();
    create(note_cancel, &errors[0]);
    create(note_cancel_late, &errors[1]);
    cx_call_detach(cx_call_later(1000000, count_call, &calls));
    (void)uv_run(&uv, UV_RUN_NOWAIT);
    create(note_cancel, &errors[2]);
    assert_int_equal(cx_loop_detach(), 0);
    assert_int_equal(cx_loop_detach(), 0);
    assert_int_equal(uv_loop_close(&uv), UV_EBUSY);
    detach();
    for (int i = 0; i < 3; i++)
        assert_int_equal(errors[i], -ECANCELED);
    assert_int_equal(calls, 0);
}

static void *detach_from_within(void *arg)
{
    *(int *)arg = cx_loop_detach();
    return NULL;
}

static void a_task_may_detach_its_loop(void **state)
{
    int error = 1;

    (void)state;
    attach();
    create(detach_from_within, &error);
    run();
    assert_int_equal(error, 0);
    assert_null(cx_loop_current());
    assert_int_equal(uv_loop_close(&uv), 0);
}

static void handles_that_nobody_gave_up_go_with_the_loop(void **state)
{
    int done = 0;

    (void)state;
    attach();
    CX_WITH(resource, &done) {
        (void)cx_task_create(count, &done);
        (void)cx_call_soon(count_call, &done);
        (void)cx_call_later(1000000, count_call, &done);
    }
    (void)uv_run(&uv, UV_RUN_NOWAIT);
    detach();
    assert_int_equal(done, 2);
    assert_int_equal(held_now(), 0);
}

static void a_loop_can_be_attached_again(void **state)
{
    int done = 0;

    (void)state;
    for (int i = 0; i < 3; i++) {
        attach();
        create(sleep_and_count, &done);
        run();
        detach();
    }
    assert_int_equal(done, 3);
    assert_int_equal(cx_run(return_arg, NULL, NULL), 0);
}

static void a_loop_that_was_left_refuses_what_is_sent(void **state)
{
    cx_loop *loop;
    int calls = 0;

    (void)state;
    attach();
    loop = cx_loop_ref(cx_loop_current());
    detach();
    assert_int_equal(cx_call_soon_threadsafe(loop, count_call, &calls),
                     -ESHUTDOWN);
    cx_loop_unref(loop);
}

static void *run_the_loop(void *arg)
{
    for (int i = 0; i < 3; i++)
        (void)uv_run(&uv, UV_RUN_NOWAIT);
    return count(arg);
}

static void a_task_that_runs_the_loop_does_not_run_tasks_in_itself(void **state)
{
    int done = 0;

    (void)state;
    attach();
    create(run_the_loop, &done);
    create(sleep_and_count, &done);
    run();
    assert_int_equal(done, 2);
    detach();
}

/* Another library's loop: it polls libuv's descriptor, no longer than libuv
 * says, and has no idea of tasks. */
static void run_from_outside(void)
{
    struct pollfd fd = {.fd = uv_backend_fd(&uv), .events = POLLIN};

    while (uv_loop_alive(&uv)) {
        uv_update_time(&uv);
        (void)poll(&fd, 1, uv_backend_timeout(&uv));
        (void)uv_run(&uv, UV_RUN_NOWAIT);
    }
}

static void tasks_run_where_libuv_itself_is_a_guest(void **state)
{
    struct pair pair = {.read = 0};
    int done = 0;

    (void)state;
    attach();
    assert_int_equal(
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.fd), 0);
    create(read_pair, &pair);
    create(sleep_and_count, &done);
    create(wait_for_three, &done);
    create(do_a_job, &done);
    assert_int_equal(write(pair.fd[1], "x", 1), 1);
    run_from_outside();
    assert_int_equal(done, 6);
    assert_int_equal(pair.read, 1);
    assert_int_equal(close(pair.fd[0]) + close(pair.fd[1]), 0);
    assert_int_equal(cx_loop_detach(), 0);
    run_from_outside();
    assert_int_equal(uv_loop_close(&uv), 0);
}

static void what_the_outside_wakes_runs_without_delay(void **state)
{
    cx_task *task;
    int error = 0;

    (void)state;
    attach();
    task = cx_task_create(note_cancel, &error);
    for (int i = 0; i < 5; i++)
        (void)uv_run(&uv, UV_RUN_NOWAIT);
    assert_int_equal(uv_backend_timeout(&uv), -1);
    assert_int_equal(cx_cancel(task), 0);
    assert_int_equal(uv_backend_timeout(&uv), 0);
    run_from_outside();
    assert_int_equal(error, -ECANCELED);
    detach();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tasks_that_the_program_creates_run_in_its_loop),
        cmocka_unit_test(the_loop_goes_on_while_there_are_tasks),
        cmocka_unit_test(without_tasks_the_loop_ends),
        cmocka_unit_test(the_loop_goes_on_while_there_are_calls),
        cmocka_unit_test(a_call_that_is_called_off_keeps_nothing_going),
        cmocka_unit_test(
            a_task_that_only_yields_does_not_keep_the_program_waiting),
        cmocka_unit_test(tasks_that_are_ready_do_not_wait_for_the_program),
        cmocka_unit_test(a_sleep_never_ends_early),
        cmocka_unit_test(a_task_created_by_a_callback_sleeps_long_enough),
        cmocka_unit_test(a_task_runs_in_a_copy_of_the_programs_context),
        cmocka_unit_test(the_programs_callbacks_keep_the_programs_context),
        cmocka_unit_test(waiting_is_for_tasks_alone),
        cmocka_unit_test(nowhere_is_nothing_attached),
        cmocka_unit_test(the_loop_of_a_run_is_not_left),
        cmocka_unit_test(tasks_create_and_await_others),
        cmocka_unit_test(a_task_waits_for_a_descriptor),
        cmocka_unit_test(a_task_waits_for_a_job),
        cmocka_unit_test(other_threads_send_tasks),
        cmocka_unit_test(detaching_cancels_tasks_and_waits_for_them),
        cmocka_unit_test(a_task_may_detach_its_loop),
        cmocka_unit_test(handles_that_nobody_gave_up_go_with_the_loop),
        cmocka_unit_test(a_loop_can_be_attached_again),
        cmocka_unit_test(a_loop_that_was_left_refuses_what_is_sent),
        cmocka_unit_test(
            a_task_that_runs_the_loop_does_not_run_tasks_in_itself),
        cmocka_unit_test(tasks_run_where_libuv_itself_is_a_guest),
        cmocka_unit_test(what_the_outside_wakes_runs_without_delay),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
