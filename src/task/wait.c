/* SPDX-License-Identifier: MIT */
/*
 * Waiting, waking, and being cancelled.
 *
 * Cancelling is a level, not an edge: a cancelled task stays so, and each of
 * its waits says so, but for those in a shield. A shield holds a deadline off
 * by its time: one that is set within is another. One that has been woken has
 * its result and keeps it: what is complete wins over a cancel that comes
 * later. A wait that is refused lets the others run once all the same, so
 * that a task that does not look at the answer cannot keep the thread.
 */
#include <assert.h>
#include <errno.h>

#include "debug.h"
#include "wait.h"
#include "yield.h"

/* Let the others run, and tell whether the task is cancelled. */
static inline int task_yield(cx_task *task)
{
    task->state = CX__READY;
    cx__fifo_push(&task->loop->ready, &task->ready);
    cx__loop_switch(task->loop, task);
    return cx__is_cancelled(task) ? -ECANCELED : 0;
}

/* Has the deadline of the current context passed? */
static bool is_late(const cx_task *task)
{
    uint64_t deadline = cx__deadline_ms();

    return deadline != UINT64_MAX && deadline != task->held_off &&
           cx_time() >= deadline;
}

int cx__wait_begin(cx_task *task)
{
    if (CX__LIKELY(!cx__is_cancelled(task) && !is_late(task)))
        return 0;
    return task_yield(task) != 0 ? -ECANCELED : -ETIMEDOUT;
}

/* The due time of a task's wait has come. */
static void wait_over(struct cx__deadline *deadline)
{
    cx_task *task = CX__OWNER(deadline, cx_task, deadline);

    task->timed = false;
    if (task->wait->kind->abandon(task->wait))
        cx__wake(task, task->late);
}

int cx__wait_until(cx_task *task, struct cx__wait *wait, uint64_t due)
{
    uint64_t ms = cx__deadline_ms();
    uint64_t deadline = cx__time_ns(ms);

    task->late = 0;
    if (deadline < due && ms != task->held_off) {
        task->late = -ETIMEDOUT;
        due = deadline;
    }
    if (due != UINT64_MAX) {
        task->deadline.over = wait_over;
        cx__heap_push(&task->loop->sleepers, &task->deadline, due);
        task->timed = true;
    }
    return cx__wait_untimed(task, wait);
}

void cx__wake(cx_task *task, int result)
{
    assert(task->state == CX__WAITING);
    if (task->timed) {
        cx__heap_remove(&task->loop->sleepers, &task->deadline);
        task->timed = false;
    }
    task->wait = NULL;
    task->woken_with = result;
    task->state = CX__READY;
    cx__fifo_push(&task->loop->ready, &task->ready);
    cx__loop_stir(task->loop);
}

void cx__task_cancel(cx_task *task)
{
    task->cancelled = true;
    if (task->state == CX__WAITING && task->shields == 0 &&
        task->wait->kind->abandon(task->wait))
        cx__wake(task, -ECANCELED);
}

int cx_yield(void)
{
    cx_task *task = cx__task_running();
    int error;

    if (task == NULL)
        return -EPERM;
    error = task_yield(task);
    return error == 0 && is_late(task) ? -ETIMEDOUT : error;
}

int cx__yield_long(void)
{
    cx_task *task = cx__task_running();

    if (task != NULL) {
        task->loop->granted -= task->loop->budget;
        task->loop->budget = 0;
    }
    return cx_yield();
}

int cx_task_check(void)
{
    cx_task *task = cx__task_running();

    return task != NULL ? cx__wait_begin(task) : -EPERM;
}

int cx_cancel(cx_task *task)
{
    if (task == NULL)
        return -EINVAL;
    if (task->loop != cx__loop_here)
        return cx__wrong_thread("task");
    cx__task_cancel(task);
    return 0;
}

struct cx__shield cx__shield_begin(void)
{
    cx_task *task = cx__task_running();
    struct cx__shield shield = {.task = task};

    if (task != NULL) {
        shield.held_off = task->held_off;
        task->held_off = cx__deadline_ms();
        task->shields++;
    }
    return shield;
}

void cx__shield_end(struct cx__shield *shield)
{
    if (shield->task != NULL) {
        shield->task->held_off = shield->held_off;
        shield->task->shields--;
    }
}
