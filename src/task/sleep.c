/* SPDX-License-Identifier: MIT */
/* Sleeping: a wait that nothing but its due time ends. */
#include <errno.h>

#include "wait.h"

static bool sleep_abandon(struct cx__wait *wait)
{
    (void)wait;
    return true;
}

static const struct cx__wait_kind sleep_kind = {"sleep", sleep_abandon};

static int sleep_until(cx_task *task, uint64_t due)
{
    struct cx__wait wait = {.kind = &sleep_kind};
    int error = cx__wait_begin(task);

    return error == 0 ? cx__wait_until(task, &wait, due) : error;
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

    return task != NULL ? sleep_until(task, cx__time_ns(time)) : -EPERM;
}
