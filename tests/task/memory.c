/* SPDX-License-Identifier: MIT */
/*
 * Out of memory, address space or threads: allocation 1 fails, then 2, ...
 * until the call succeeds. Each time the error is told and all else goes on;
 * nothing leaks. libuv's own memory is left out: it ends the process where that
 * fails. Here loops, tasks, calls and jobs; memory_*.c have the rest.
 */
#include "scarce.h"

#include <uv.h>

#include <ctxvar/call.h>
#include <ctxvar/loops.h>
#include <ctxvar/remote.h>
#include <ctxvar/spawn.h>

static int run_short(int nth)
{
    int error;

    scarce = nth;
    error = cx_run(return_arg, NULL, NULL);
    scarce = PLENTY;
    /* Whatever it was, it does no harm to the next. */
    return cx_run(return_arg, NULL, NULL) == 0 ? error : -EIO;
}

static void run_survives_want_of_memory(void **state)
{
    (void)state;
    assert_true(sweep(run_short) > 3);
}

static cx_task *create_short(const cx_task_options *options, int nth)
{
    cx_task *task;

    scarce = nth;
    task = cx_task_create_with(options, return_arg, NULL);
    scarce = PLENTY;
    return task;
}

/* Create tasks until all stacks of a slab and the room to sleep are used. */
static void *create_many_short(void *nth)
{
    int error = 0;

    for (int i = 0; i < 100 && error == 0; i++) {
        if (create_short(NULL, (int)(intptr_t)nth) == NULL)
            error = -errno;
    }
    if (cx_await(cx_task_create(return_arg, NULL), NULL) != 0)
        return as_pointer(-EIO);
    return as_pointer(error);
}

SWEEP(create_many)

static void creating_tasks_survives_want_of_memory(void **state)
{
    (void)state;
    assert_true(sweep(create_many) > 1);
}

static void *create_with_options_short(void *nth)
{
    cx_task_options options = {.name = "large", .stack_size = 1 << 20};
    cx_task *task = create_short(&options, (int)(intptr_t)nth);

    return as_pointer(task != NULL ? cx_await(task, NULL) : -errno);
}

SWEEP(create_with_options)

static void
creating_a_task_of_another_size_survives_want_of_memory(void **state)
{
    (void)state;
    assert_true(sweep(create_with_options) > 1);
}

static int executor_short(int nth)
{
    cx_executor *executor;
    int error;

    scarce = nth;
    executor = cx_executor_new(NULL);
    error = executor != NULL ? 0 : -errno;
    scarce = PLENTY;
    cx_executor_free(executor);
    return error;
}

static void making_an_executor_survives_want_of_memory(void **state)
{
    (void)state;
    assert_int_equal(sweep(executor_short), 1);
}

CX_VAR(int, limited, .inherit = CX_INHERIT_TASKS);

static int calls;

/* A variable with limited inheritance makes a snapshot a copy. */
static void *job_short(void *nth)
{
    cx_executor *executor = cx_executor_new(NULL);
    int error;

    (void)cx_set(limited, 1);
    scarce = (int)(intptr_t)nth;
    error = cx_run_in_executor(executor, return_arg, NULL, NULL);
    scarce = PLENTY;
    if (cx_run_in_executor(executor, return_arg, NULL, NULL) != 0)
        error = -EIO;
    cx_executor_free(executor);
    return as_pointer(error);
}

SWEEP(job)

static void submitting_a_job_survives_want_of_memory_and_threads(void **state)
{
    (void)state;
    assert_int_equal(sweep(job), 2);
}

static void *count_call(void *arg)
{
    calls++;
    return arg;
}

static void count_in_a_call(void *arg)
{
    (void)arg;
    calls++;
}

static int ask_short(cx_call *call)
{
    int error = call != NULL ? 0 : -errno;

    (void)cx_call_cancel(call);
    return error;
}

/* Of those that are not refused, none is called off. */
static void *ask_for_calls_short(void *nth)
{
    int error;

    (void)cx_set(limited, 1);
    scarce = (int)(intptr_t)nth;
    error = ask_short(cx_call_soon(count_in_a_call, NULL));
    if (error == 0)
        error = ask_short(cx_call_later(1, count_in_a_call, NULL));
    if (error == 0)
        error = ask_short(cx_call_every(1, count_in_a_call, NULL));
    if (error == 0)
        error =
            cx_call_soon_threadsafe(cx_loop_current(), count_in_a_call, NULL);
    scarce = PLENTY;
    return as_pointer(error);
}

SWEEP(ask_for_calls)

static void asking_for_calls_survives_want_of_memory(void **state)
{
    (void)state;
    calls = 0;
    assert_true(sweep(ask_for_calls) > 3);
    assert_int_equal(calls, 1);
}

static void *create_remote_short(void *nth)
{
    cx_remote *remote;
    int error;

    (void)cx_set(limited, 1);
    scarce = (int)(intptr_t)nth;
    remote = cx_task_create_threadsafe(cx_loop_current(), return_arg, NULL);
    error = remote != NULL ? 0 : -errno;
    scarce = PLENTY;
    if (remote != NULL && cx_remote_await(remote, NULL) != 0)
        error = -EIO;
    return as_pointer(error);
}

SWEEP(create_remote)

static void creating_a_task_for_a_loop_survives_want_of_memory(void **state)
{
    (void)state;
    assert_true(sweep(create_remote) > 1);
}

static int be_one_of_two(void *arg)
{
    (void)arg;
    (void)__atomic_add_fetch(&calls, 1, __ATOMIC_SEQ_CST);
    return 0;
}

static int run_loops(int nth)
{
    int error;

    calls = 0;
    scarce = nth;
    error = cx_loops_run(2, be_one_of_two, NULL);
    scarce = PLENTY;
    return calls == (error == 0 ? 2 : 0) ? error : -EIO;
}

static void loops_begin_all_or_none_for_want_of_memory(void **state)
{
    (void)state;
    assert_true(sweep(run_loops) > 4);
}

static int attach_short(int nth)
{
    uv_loop_t uv;
    int error;

    (void)uv_loop_init(&uv);
    scarce = nth;
    error = cx_loop_attach(&uv);
    scarce = PLENTY;
    if (error == 0 && cx_loop_detach() != 0)
        error = -EIO;
    (void)uv_run(&uv, UV_RUN_DEFAULT);
    return uv_loop_close(&uv) == 0 ? error : -EIO;
}

static void attaching_survives_want_of_memory(void **state)
{
    (void)state;
    assert_true(sweep(attach_short) >= 2);
}

static int do_nothing(void *arg)
{
    (void)arg;
    return 0;
}

static void *spawn_short(void *nth)
{
    int error;

    scarce = (int)(intptr_t)nth;
    error = cx_spawn(do_nothing, NULL);
    scarce = PLENTY;
    return as_pointer(error);
}

SWEEP(spawn)

static void spawning_survives_want_of_memory(void **state)
{
    (void)state;
    assert_true(sweep(spawn) > 0);
}

/* From now on nothing can be had, for so many rounds. */
static void *ask_and_run_short(void *arg)
{
    cx_call *later = cx_call_later(1, count_in_a_call, NULL);
    cx_call *often = cx_call_every(1, count_in_a_call, NULL);

    (void)arg;
    cx_call_detach(cx_call_soon(count_in_a_call, NULL));
    scarce = NOTHING;
    (void)cx_sleep(5);
    if (calls != 0)
        return as_pointer(-EIO);
    scarce = PLENTY;
    while (calls < 4)
        (void)cx_sleep(1);
    (void)cx_call_cancel(often);
    return as_pointer(cx_call_cancel(later) ? -EIO : 0);
}

static void calls_are_made_when_there_is_memory_again(void **state)
{
    (void)state;
    calls = 0;
    assert_int_equal(in_a_loop(ask_and_run_short, 0), 0);
}

/* The default pool is kept, so that this comes after what counts blocks. */
static void *default_pool_short(void *arg)
{
    int error;

    scarce = 1;
    error = cx_run_in_executor(NULL, count_call, NULL, NULL);
    scarce = PLENTY;
    if (cx_run_in_executor(NULL, count_call, NULL, NULL) != 0)
        return arg;
    return as_pointer(error);
}

static void
the_default_pool_can_be_made_when_there_is_memory_again(void **state)
{
    (void)state;
    calls = 0;
    assert_int_equal(in_a_loop(default_pool_short, 0), -ENOMEM);
    assert_int_equal(calls, 1);
}

/* The worker's memory runs out, and it has no context to run the job in. */
static void *worker_short(void *arg)
{
    cx_executor_options options = {.threads = 1};
    cx_executor *executor = cx_executor_new(&options);
    int error;

    (void)arg;
    __atomic_store_n(&scarce_elsewhere, NOTHING, __ATOMIC_SEQ_CST);
    error = cx_run_in_executor(executor, count_call, NULL, NULL);
    __atomic_store_n(&scarce_elsewhere, PLENTY, __ATOMIC_SEQ_CST);
    if (cx_run_in_executor(executor, count_call, NULL, NULL) != 0)
        error = -EIO;
    cx_executor_free(executor);
    return as_pointer(error);
}

static void a_job_never_runs_without_its_context(void **state)
{
    (void)state;
    calls = 0;
    scarce = PLENTY;
    assert_int_equal(in_a_loop(worker_short, 0), -ENOMEM);
    assert_int_equal(calls, 1);
}

static void *wait_without_memory(void *arg)
{
    cx_task *task = cx_task_create(return_arg, NULL);
    cx_task *sleeper = cx_task_create(sleep_for_ever, NULL);
    int errors;

    scarce = NOTHING;
    errors = cx_sleep(1) + cx_yield() + cx_await(task, NULL) +
             cx_cancel(sleeper) + cx_await(sleeper, NULL);
    CX_SHIELD {
        errors += cx_sleep(1);
    }
    scarce = PLENTY;
    return as_pointer(errors + (arg != NULL));
}

static void waiting_and_cancelling_need_no_memory(void **state)
{
    (void)state;
    assert_int_equal(in_a_loop(wait_without_memory, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_survives_want_of_memory),
        cmocka_unit_test(creating_tasks_survives_want_of_memory),
        cmocka_unit_test(
            creating_a_task_of_another_size_survives_want_of_memory),
        cmocka_unit_test(making_an_executor_survives_want_of_memory),
        cmocka_unit_test(submitting_a_job_survives_want_of_memory_and_threads),
        cmocka_unit_test(asking_for_calls_survives_want_of_memory),
        cmocka_unit_test(creating_a_task_for_a_loop_survives_want_of_memory),
        cmocka_unit_test(loops_begin_all_or_none_for_want_of_memory),
        cmocka_unit_test(attaching_survives_want_of_memory),
        cmocka_unit_test(spawning_survives_want_of_memory),
        cmocka_unit_test(calls_are_made_when_there_is_memory_again),
        cmocka_unit_test(
            the_default_pool_can_be_made_when_there_is_memory_again),
        cmocka_unit_test(a_job_never_runs_without_its_context),
        cmocka_unit_test(waiting_and_cancelling_need_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
