/* SPDX-License-Identifier: MIT */
/*
 * Out of memory, address space or threads, everywhere: allocation 1 fails,
 * then 2, ... until the call succeeds. Each time the error is told and all
 * else goes on; nothing leaks. libuv's own memory is left out: it ends the
 * process where that fails.
 */
#include "support.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <uv.h>

#include <ctxvar/broadcast.h>
#include <ctxvar/call.h>
#include <ctxvar/channel.h>
#include <ctxvar/generator.h>
#include <ctxvar/loops.h>
#include <ctxvar/queue.h>
#include <ctxvar/remote.h>
#include <ctxvar/spawn.h>

/* Which allocation of a thread fails: none, the n-th, all. */
enum { PLENTY = 0, NOTHING = -1, AS_OTHERS = -2 };

static CX__THREAD_LOCAL int scarce = AS_OTHERS;
static int scarce_elsewhere; /* on threads that have no wish of their own */
static int live;             /* blocks and mappings */

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *block, size_t size);
void __real_free(void *block);
void *__real_mmap(void *address, size_t size, int protection, int flags, int fd,
                  off_t offset);
int __real_munmap(void *address, size_t size);
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attr,
                          void *(*fn)(void *), void *arg);

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *block, size_t size);
void __wrap_free(void *block);
void *__wrap_mmap(void *address, size_t size, int protection, int flags, int fd,
                  off_t offset);
int __wrap_munmap(void *address, size_t size);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr,
                          void *(*fn)(void *), void *arg);

static bool refuse(void)
{
    if (scarce == AS_OTHERS)
        return __atomic_load_n(&scarce_elsewhere, __ATOMIC_SEQ_CST) == NOTHING;
    return scarce == NOTHING || (scarce > 0 && --scarce == 0);
}

static void count(int change)
{
    (void)__atomic_fetch_add(&live, change, __ATOMIC_SEQ_CST);
}

void *__wrap_malloc(size_t size)
{
    void *block = refuse() ? NULL : __real_malloc(size);

    count(block != NULL);
    return block;
}

void *__wrap_calloc(size_t n, size_t size)
{
    void *block = refuse() ? NULL : __real_calloc(n, size);

    count(block != NULL);
    return block;
}

void *__wrap_realloc(void *block, size_t size)
{
    void *grown = refuse() ? NULL : __real_realloc(block, size);

    count(grown != NULL && block == NULL);
    return grown;
}

void __wrap_free(void *block)
{
    count(-(block != NULL));
    __real_free(block);
}

void *__wrap_mmap(void *address, size_t size, int protection, int flags, int fd,
                  off_t offset)
{
    void *mapping = MAP_FAILED;

    if (!refuse())
        mapping = __real_mmap(address, size, protection, flags, fd, offset);
    else
        errno = ENOMEM;
    count(mapping != MAP_FAILED);
    return mapping;
}

int __wrap_munmap(void *address, size_t size)
{
    count(-1);
    return __real_munmap(address, size);
}

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr,
                          void *(*fn)(void *), void *arg)
{
    return refuse() ? EAGAIN : __real_pthread_create(thread, attr, fn, arg);
}

/* One attempt, on a thread of its own: threads keep blocks for reuse. */
struct attempt {
    int (*act)(int nth);
    int nth;
    int result;
    int left; /* blocks and mappings that are not back */
};

static void *attempt_run(void *arg)
{
    struct attempt *attempt = arg;

    scarce = PLENTY;
    attempt->result = attempt->act(attempt->nth);
    return NULL;
}

static void attempt_make(struct attempt *attempt)
{
    int before = __atomic_load_n(&live, __ATOMIC_SEQ_CST);
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, attempt_run, attempt), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    attempt->left = __atomic_load_n(&live, __ATOMIC_SEQ_CST) - before;
}

/* How many attempts failed before the one that did not. */
static int sweep(int (*act)(int nth))
{
    struct attempt attempt = {.act = act};

    do {
        attempt.nth++;
        attempt_make(&attempt);
        assert_int_equal(attempt.left, 0);
        if (attempt.result != -EAGAIN && attempt.result != 0)
            assert_int_equal(attempt.result, -ENOMEM);
        assert_in_range(attempt.nth, 1, 100);
    } while (attempt.result != 0);
    return attempt.nth - 1;
}

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

/* Run fn as a main task and have its result. */
static int in_a_loop(cx_task_fn *fn, intptr_t arg)
{
    void *result = as_pointer(-EIO);
    int error = cx_run(fn, as_pointer(arg), &result);

    return error != 0 ? error : (int)(intptr_t)result;
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

static int create_many(int nth)
{
    return in_a_loop(create_many_short, nth);
}

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

static int create_with_options(int nth)
{
    return in_a_loop(create_with_options_short, nth);
}

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

static int job(int nth)
{
    return in_a_loop(job_short, nth);
}

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

static int ask_for_calls(int nth)
{
    return in_a_loop(ask_for_calls_short, nth);
}

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

static int create_remote(int nth)
{
    return in_a_loop(create_remote_short, nth);
}

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

static int spawn(int nth)
{
    return in_a_loop(spawn_short, nth);
}

static void spawning_survives_want_of_memory(void **state)
{
    (void)state;
    assert_true(sweep(spawn) > 0);
}

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

static void *broadcast_short(void *nth)
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

static int broadcast(int nth)
{
    return in_a_loop(broadcast_short, nth);
}

static void broadcasting_survives_want_of_memory(void **state)
{
    (void)state;
    assert_int_equal(sweep(broadcast), 3);
}

static void *put_into_channel(void *channel)
{
    return as_pointer(cx_channel_put(channel, NULL));
}

/* All that it takes is taken when it is made. */
static void *channel_short(void *nth)
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

static int channel(int nth)
{
    return in_a_loop(channel_short, nth);
}

static void a_channel_needs_memory_when_it_is_made_and_no_more(void **state)
{
    (void)state;
    assert_int_equal(sweep(channel), 1);
}

static void *select_short(void *nth)
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

static int select_one(int nth)
{
    return in_a_loop(select_short, nth);
}

static void selecting_survives_want_of_memory(void **state)
{
    (void)state;
    assert_int_equal(sweep(select_one), 1);
}

static int generate_once(cx_generator *generator, void *value)
{
    return cx_generate(generator, value);
}

/* Asking and freeing need none. */
static void *generator_short(void *nth)
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

static int generator(int nth)
{
    return in_a_loop(generator_short, nth);
}

static void making_a_generator_survives_want_of_memory(void **state)
{
    (void)state;
    assert_int_equal(sweep(generator), 2);
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
        cmocka_unit_test(broadcasting_survives_want_of_memory),
        cmocka_unit_test(a_channel_needs_memory_when_it_is_made_and_no_more),
        cmocka_unit_test(selecting_survives_want_of_memory),
        cmocka_unit_test(making_a_generator_survives_want_of_memory),
        cmocka_unit_test(calls_are_made_when_there_is_memory_again),
        cmocka_unit_test(
            the_default_pool_can_be_made_when_there_is_memory_again),
        cmocka_unit_test(a_job_never_runs_without_its_context),
        cmocka_unit_test(waiting_and_cancelling_need_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
