/* SPDX-License-Identifier: MIT */
/* asyncio and threads, in C: the rows of docs/asyncio.md about them. */
#include "row.h"

#include <pthread.h>

#include <ctxvar/call.h>
#include <ctxvar/channel.h>
#include <ctxvar/executor.h>
#include <ctxvar/loops.h>
#include <ctxvar/remote.h>
#include <ctxvar/sync.h>

static pthread_t loop_thread;

static void *is_elsewhere(void *arg)
{
    (void)arg;
    return as_pointer(!pthread_equal(pthread_self(), loop_thread));
}

static void to_thread(void)
{
    void *elsewhere;

    loop_thread = pthread_self();
    check(cx_run_in_executor(NULL, is_elsewhere, NULL, &elsewhere) == 0);
    check(elsewhere != NULL);
}

static void run_in_executor(void)
{
    cx_executor *one = cx_executor_new(
        &(cx_executor_options){.threads = 1, .name = "database"});
    void *elsewhere;

    check(cx_run_in_executor(one, is_elsewhere, NULL, &elsewhere) == 0);
    check(elsewhere != NULL);
    cx_executor_free(one); /* drains it */
}

/* Another thread, which has work for a loop. */
struct outsider {
    cx_loop *loop;
    cx_event *done;
    pthread_t thread;
    intptr_t result;
};

static void outsider_start(struct outsider *outsider, void *(*fn)(void *))
{
    *outsider = (struct outsider){.loop = cx_loop_ref(cx_loop_current()),
                                  .done = cx_event_new()};
    need(pthread_create(&outsider->thread, NULL, fn, outsider) == 0, "thread");
}

/* It has ended, or is about to. */
static void outsider_end(struct outsider *outsider)
{
    check(cx_event_wait(outsider->done) == 0);
    need(pthread_join(outsider->thread, NULL) == 0, "thread");
    check(cx_event_free(outsider->done) == 0);
    cx_loop_unref(outsider->loop);
}

static void set_done(void *arg)
{
    struct outsider *outsider = arg;

    (void)cx_event_set(outsider->done);
}

static void *call_the_loop(void *arg)
{
    struct outsider *outsider = arg;

    check(cx_call_soon_threadsafe(outsider->loop, set_done, outsider) == 0);
    return NULL;
}

static void call_soon_threadsafe(void)
{
    struct outsider outsider;

    outsider_start(&outsider, call_the_loop);
    outsider_end(&outsider);
}

static void *on_the_loop(void *arg)
{
    check(is_elsewhere(NULL) == NULL);
    set_done(arg);
    return as_pointer(42);
}

static void *run_on_the_loop(void *arg)
{
    struct outsider *outsider = arg;
    cx_remote *task =
        cx_task_create_threadsafe(outsider->loop, on_the_loop, outsider);
    void *result;

    check(cx_remote_await(task, &result) == 0);
    outsider->result = (intptr_t)result;
    return NULL;
}

static void run_coroutine_threadsafe(void)
{
    struct outsider outsider;

    outsider_start(&outsider, run_on_the_loop);
    outsider_end(&outsider);
    check(outsider.result == 42);
}

static void *put_items(void *channel)
{
    for (intptr_t i = 1; i <= 3; i++)
        check(cx_channel_put(channel, as_pointer(i)) == 0);
    return as_pointer(cx_channel_close(channel));
}

static void channel(void)
{
    cx_channel *channel = cx_channel_new(1);
    intptr_t seen = 0;
    pthread_t thread;
    void *item;

    need(pthread_create(&thread, NULL, put_items, channel) == 0, "thread");
    while (cx_channel_get(channel, &item) == 0)
        seen = seen * 10 + (intptr_t)item;
    check(seen == 123);
    need(pthread_join(thread, NULL) == 0, "thread");
    cx_channel_unref(channel);
}

static atomic_uint loops_seen;

static int note_loop(void *arg)
{
    (void)arg;
    atomic_fetch_or(&loops_seen, 1U << cx_loops_index());
    return cx_sleep(1);
}

static void *run_loops(void *arg)
{
    (void)arg;
    return as_pointer(cx_loops_run(2, note_loop, NULL));
}

static void loops(void)
{
    void *error;

    check(cx_run_in_executor(NULL, run_loops, NULL, &error) == 0);
    check(error == NULL);
    check(atomic_load(&loops_seen) == 3);
}

int main(void)
{
    static struct row rows[] = {
        ROW(to_thread),
        ROW(run_in_executor),
        ROW(call_soon_threadsafe),
        ROW(run_coroutine_threadsafe),
        ROW(channel),
        ROW(loops),
        {NULL, NULL},
    };

    return run_all(rows);
}
