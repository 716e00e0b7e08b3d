/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "debug.h"
#include "wait.h"
#include "waiters.h"

struct waiter {
    struct cx__wait wait;
    struct cx__list link;
    cx_task *task;
    void **item;
};

static bool waiter_abandon(struct cx__wait *wait)
{
    cx__list_remove(&CX__OWNER(wait, struct waiter, wait)->link);
    return true;
}

int cx__waiters_init(struct cx__waiters *waiters, const char *name)
{
    if (cx__loop_here == NULL)
        return -EPERM;
    waiters->kind = (struct cx__wait_kind){name, waiter_abandon};
    waiters->loop = cx__loop_here;
    cx__list_init(&waiters->list);
    return 0;
}

int cx__waiters_check(const struct cx__waiters *waiters)
{
    return waiters->loop == cx__loop_here
               ? 0
               : cx__wrong_thread(waiters->kind.name);
}

int cx__waiters_begin(const struct cx__waiters *waiters)
{
    cx_task *task = cx__task_running();

    if (task == NULL)
        return -EPERM;
    return task->loop == waiters->loop ? cx__wait_begin(task)
                                       : cx__wrong_thread(waiters->kind.name);
}

int cx__waiters_wait(struct cx__waiters *waiters, void **item)
{
    cx_task *task = cx__task_running();
    struct waiter waiter = {
        .wait.kind = &waiters->kind, .task = task, .item = item};

    cx__list_insert(&waiters->list, &waiter.link);
    return cx__wait(task, &waiter.wait);
}

void **cx__waiters_wake(struct cx__waiters *waiters, int result)
{
    struct waiter *first = CX__OWNER(waiters->list.next, struct waiter, link);

    cx__list_remove(&first->link);
    cx__wake(first->task, result);
    return first->item;
}

void cx__waiters_wake_all(struct cx__waiters *waiters, int result)
{
    while (cx__waiters_any(waiters))
        (void)cx__waiters_wake(waiters, result);
}
