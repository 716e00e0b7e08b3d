/* SPDX-License-Identifier: MIT */
/*
 * The loop: rounds of waking and running tasks, between which whoever runs it
 * (run.c) polls.
 *
 *            +---------------------------------------------------+
 *            v                                                   |
 *     wake those whose sleep is over                             |
 *            |                                                   |
 *     run ready tasks, `budget` switches at most                 |
 *            |                                                   |
 *     poll: at once if a task is ready; else block until the     |
 *     first sleep is over or something happens ------------------+
 *
 * A poll costs as much as some tens of switches, so a round is a batch of
 * them; but a batch that took long is followed by smaller ones, so that tasks
 * that compute do not keep sleepers and sockets waiting.
 *
 * A sleep's due time is a whole millisecond of the clock, rounded up: as
 * fine as a poll can wait, and tasks that sleep in step wake in the order in
 * which they went to sleep, not in that of some microseconds of noise.
 */
#include <errno.h>
#include <limits.h>

#include "debug.h"
#include "loop.h"
#include "wait.h"

enum {
    MS = 1000000,     /* ns */
    BATCH_FIRST = 16, /* switches */
    BATCH_MOST = 256,
    ROUND_MOST = 200000, /* ns of tasks between polls, roughly */
};

CX__THREAD_LOCAL struct cx__loop *cx__loop_here CX__INITIAL_EXEC;

_Noreturn void cx__loop_leave(struct cx__loop *loop, cx_task *task)
{
    struct cx__coroutine *next = &loop->hub;

    if (task->detached)
        loop->dead = task;
    else
        next = cx__loop_next(loop);
    cx__coroutine_leave(&task->coroutine, next);
}

uint64_t cx__loop_due(uint64_t ms)
{
    uint64_t tick = (uv_hrtime() + MS - 1) / MS;

    return ms < UINT64_MAX / MS - tick ? (tick + ms) * MS : UINT64_MAX;
}

static void loop_wake_due(struct cx__loop *loop, uint64_t now)
{
    struct cx__deadline *deadline;

    while ((deadline = cx__heap_pop(&loop->sleepers, now)) != NULL)
        deadline->over(deadline);
}

void cx__loop_end(struct cx__loop *loop)
{
    struct cx__list others;

    loop->closing = true;
    cx__inbox_shut(loop->inbox);
    cx__calls_drop(loop);
    cx__list_move(&others, &loop->tasks);
    while (!cx__list_is_empty(&others)) {
        cx_task *task = CX__OWNER(others.next, cx_task, all);

        cx__list_remove(&task->all);
        cx__list_insert(&loop->tasks, &task->all);
        cx__task_cancel(task);
    }
}

/* Free the task that has just ended with nobody to await it. */
static void loop_bury(struct cx__loop *loop)
{
    cx_task *task = loop->dead;

    loop->dead = NULL;
    if (task == loop->main) {
        loop->main = NULL;
        loop->result = task->value;
        cx__loop_end(loop);
    }
    cx__task_free(task);
}

static void loop_run_ready(struct cx__loop *loop)
{
    loop->budget = loop->granted = loop->batch;
    while (loop->ready.head != NULL && loop->budget > 0) {
        cx__coroutine_switch(&loop->hub, cx__loop_next(loop));
        if (loop->dead != NULL)
            loop_bury(loop);
    }
    loop->switches += loop->granted - loop->budget;
    loop->budget = loop->granted = 0;
}

/* Take more switches to the next round, or fewer, by how long this took. */
static void loop_pace(struct cx__loop *loop, uint64_t took)
{
    if (took > ROUND_MOST)
        loop->batch = loop->batch > 4 ? loop->batch / 4 : 1;
    else if (loop->batch < BATCH_MOST)
        loop->batch *= 2;
}

/* The same, with an eye on the clock. */
static void loop_run_watched(struct cx__loop *loop)
{
    for (unsigned n = loop->batch; n > 0 && loop->ready.head != NULL; n--) {
        loop->granted = 1;
        cx__debug_switch(loop);
        if (loop->dead != NULL)
            loop_bury(loop);
        loop->switches++;
        loop->budget = loop->granted = 0;
    }
}

/* Mostly there are none. */
static inline void make_calls(struct cx__loop *loop)
{
    if (!cx__list_is_empty(&loop->calls.due))
        cx__calls_make(loop);
}

void cx__loop_round(struct cx__loop *loop)
{
    uint64_t began = uv_hrtime();

    /* Those that came with the poll; and then those that tasks asked for. */
    make_calls(loop);
    loop->now = began;
    loop->rounds++;
    loop_wake_due(loop, began);
    if (CX__LIKELY(!cx__debugging))
        loop_run_ready(loop);
    else
        loop_run_watched(loop);
    make_calls(loop);
    loop_pace(loop, uv_hrtime() - began);
}

int cx__loop_timeout(const struct cx__loop *loop)
{
    uint64_t due, now, ms;

    /* Calls that are late, for want of memory. */
    if (!cx__list_is_empty(&loop->calls.due))
        return 1;
    if (loop->sleepers.len == 0)
        return -1;
    due = loop->sleepers.entry[0].due;
    now = uv_hrtime();
    ms = due > now ? (due - now + MS - 1) / MS : 0;
    return ms < INT_MAX ? (int)ms : INT_MAX;
}

int cx__loop_init(struct cx__loop *loop, uv_loop_t *uv)
{
    int error;

    cx__debug_init();
    *loop = (struct cx__loop){.batch = BATCH_FIRST, .uv = uv};
    error = cx__fault_stack_init(&loop->fault_stack);
    if (error != 0)
        return error;
    error = cx__poller_init(&loop->poller);
    if (error == 0) {
        loop->inbox = cx__inbox_new(&loop->poller);
        error = loop->inbox != NULL ? 0 : -errno;
        if (error != 0)
            cx__poller_fini(&loop->poller);
    }
    if (error != 0) {
        cx__fault_stack_fini(&loop->fault_stack);
        return error;
    }
    cx__coroutine_init_thread(&loop->hub);
    cx__fifo_init(&loop->ready);
    cx__list_init(&loop->tasks);
    cx__list_init(&loop->resources);
    cx__calls_init(&loop->calls);
    cx__stacks_init(&loop->stacks);
    return 0;
}

/* What is open, and ended tasks and calls whose handles nobody gave up, go with
 * the loop. */
void cx__loop_close(struct cx__loop *loop)
{
    cx__resources_close(&loop->resources);
    cx__loop_here = NULL;
    if (cx__debugging)
        cx__debug_tasks_left(loop);
    while (!cx__list_is_empty(&loop->tasks))
        cx__task_free(CX__OWNER(loop->tasks.next, cx_task, all));
    cx__calls_fini(&loop->calls);
    cx__inbox_close(loop->inbox);
}

void cx__loop_fini(struct cx__loop *loop)
{
    cx__poller_fini(&loop->poller);
    cx__fault_stack_fini(&loop->fault_stack);
    cx__heap_fini(&loop->sleepers);
    cx__stacks_fini(&loop->stacks);
}
