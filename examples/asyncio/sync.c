/* SPDX-License-Identifier: MIT */
/* asyncio's ways to wait for each other, in C: the rows of docs/asyncio.md
 * about events, locks, futures and the like. */
#include "row.h"

#include <ctxvar/future.h>
#include <ctxvar/sync.h>

static void *set_event(void *event)
{
    return as_pointer(cx_event_set(event));
}

static void event(void)
{
    cx_event *event = cx_event_new();
    cx_task *task = cx_task_create(set_event, event);

    check(cx_event_wait(event) == 0);
    check(cx_event_is_set(event));
    check(cx_event_clear(event) == 0);
    check(cx_await(task, NULL) == 0);
    check(cx_event_free(event) == 0);
}

/* A number that takes two steps to change, and who guards it. */
struct counter {
    cx_lock *lock;
    cx_condition *changed;
    int number;
};

static void *add_slowly(void *arg)
{
    struct counter *counter = arg;

    CX_LOCKED(counter->lock) {
        int number = counter->number;

        (void)cx_sleep(1);
        counter->number = number + 1;
        (void)cx_condition_broadcast(counter->changed);
    }
    return NULL;
}

static void counter_make(struct counter *counter, cx_task *tasks[3])
{
    *counter = (struct counter){cx_lock_new(), cx_condition_new(), 0};
    for (int i = 0; i < 3; i++)
        tasks[i] = cx_task_create(add_slowly, counter);
}

static void counter_end(struct counter *counter, cx_task *tasks[3])
{
    for (int i = 0; i < 3; i++)
        check(cx_await(tasks[i], NULL) == 0);
    check(counter->number == 3);
    check(cx_condition_free(counter->changed) == 0);
    check(cx_lock_free(counter->lock) == 0);
}

static void lock(void)
{
    struct counter counter;
    cx_task *tasks[3];

    counter_make(&counter, tasks);
    check(cx_lock_acquire(counter.lock) == 0);
    check(cx_lock_is_held(counter.lock));
    check(cx_lock_release(counter.lock) == 0);
    CX_LOCKED(counter.lock) { /* released however the block is left */
        check(cx_lock_is_held(counter.lock));
    }
    counter_end(&counter, tasks);
}

static void condition(void)
{
    struct counter counter;
    cx_task *tasks[3];

    counter_make(&counter, tasks);
    CX_LOCKED(counter.lock) {
        while (counter.number < 3)
            check(cx_condition_wait(counter.changed, counter.lock) == 0);
    }
    counter_end(&counter, tasks);
}

static int inside, most;

static void *go_inside(void *semaphore)
{
    check(cx_semaphore_acquire(semaphore) == 0);
    inside++;
    most = inside > most ? inside : most;
    (void)cx_sleep(1);
    inside--;
    return as_pointer(cx_semaphore_release(semaphore));
}

static void semaphore(void)
{
    cx_semaphore *semaphore = cx_semaphore_new(2);
    cx_task *tasks[6];

    for (int i = 0; i < 6; i++)
        tasks[i] = cx_task_create(go_inside, semaphore);
    for (int i = 0; i < 6; i++)
        check(cx_await(tasks[i], NULL) == 0);
    check(most == 2);
    check(cx_semaphore_free(semaphore) == 0);
}

static void *meet(void *barrier)
{
    return as_pointer(cx_barrier_wait(barrier));
}

static void barrier(void)
{
    cx_barrier *barrier = cx_barrier_new(2);
    cx_task *task = cx_task_create(meet, barrier);

    check(cx_barrier_wait(barrier) >= 0);
    check(cx_await(task, NULL) == 0);
    check(cx_barrier_free(barrier) == 0);
}

static void *answer(void *future)
{
    return as_pointer(cx_future_set(future, as_pointer(42)));
}

static void future(void)
{
    cx_future *future = cx_future_new();
    cx_task *task = cx_task_create(answer, future);
    void *result;

    check(cx_future_wait(future, &result) == 0);
    check((intptr_t)result == 42);
    check(cx_future_is_done(future));
    check(cx_await(task, NULL) == 0);
    check(cx_future_free(future) == 0);
}

static void future_exception(void)
{
    cx_future *future = cx_future_new();

    check(cx_future_fail(future, -EIO) == 0);
    check(cx_future_wait(future, NULL) == -EIO);
    check(cx_future_free(future) == 0);
}

int main(void)
{
    static struct row rows[] = {
        ROW(event),   ROW(lock),   ROW(condition),        ROW(semaphore),
        ROW(barrier), ROW(future), ROW(future_exception), {NULL, NULL},
    };

    return run_all(rows);
}
