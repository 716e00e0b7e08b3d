/* SPDX-License-Identifier: MIT */
/* Sleeping. The heap has room for every task, so that it cannot fail. */
#include <errno.h>

#include "loop.h"
#include "sleep.h"
#include "wait.h"

enum { MS = 1000000 }; /* ns */

struct sleep {
    struct cx__wait wait;
    struct cx__deadline deadline;
    cx_task *task;
};

void cx__sleep_over(struct cx__deadline *deadline)
{
    cx__wake(CX__OWNER(deadline, struct sleep, deadline)->task, 0);
}

static bool sleep_abandon(struct cx__wait *wait)
{
    struct sleep *sleep = CX__OWNER(wait, struct sleep, wait);

    cx__heap_remove(&sleep->task->loop->sleepers, &sleep->deadline);
    return true;
}

static int sleep_until(cx_task *task, uint64_t due)
{
    struct sleep sleep = {.wait.abandon = sleep_abandon, .task = task};
    int error = cx__wait_begin(task);

    if (error != 0)
        return error;
    cx__heap_push(&task->loop->sleepers, &sleep.deadline, due);
    return cx__wait(task, &sleep.wait);
}

int cx_sleep(uint64_t ms)
{
    cx_task *task = cx__task_running();

    if (task == NULL)
        return -EPERM;
    return ms != 0 ? sleep_until(task, cx__loop_due(ms)) : cx_yield();
}

int cx_sleep_until(uint64_t time)
{
    cx_task *task = cx__task_running();

    if (task == NULL)
        return -EPERM;
    return sleep_until(task, time < UINT64_MAX / MS ? time * MS : UINT64_MAX);
}

uint64_t cx_time(void)
{
    return uv_hrtime() / MS;
}
