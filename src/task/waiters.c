/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <errno.h>

#include "debug.h"
#include "wait.h"
#include "waiters.h"

/*
 * One place in which a task waits. It may wait in several: they are all[0] to
 * all[n - 1], and whoever wakes it at one takes it off all.
 */
struct waiter {
    struct cx__wait wait; /* of all[0] */
    struct cx__list link;
    cx_task *task;
    void **item;
    struct waiter *all;
    size_t n;
    size_t chosen; /* of all[0]: where it was woken */
};

static void leave(struct waiter *all)
{
    for (size_t i = 0; i < all->n; i++)
        cx__list_remove(&all[i].link);
}

static bool waiter_abandon(struct cx__wait *wait)
{
    leave(CX__OWNER(wait, struct waiter, wait));
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

int cx__waiters_end(const struct cx__waiters *waiters)
{
    int error = cx__waiters_check(waiters);

    return error == 0 && cx__waiters_any(waiters) ? -EBUSY : error;
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
    struct waiter waiter = {.wait.kind = &waiters->kind,
                            .task = task,
                            .item = item,
                            .all = &waiter,
                            .n = 1};

    cx__list_insert(&waiters->list, &waiter.link);
    return cx__wait(task, &waiter.wait);
}

int cx__waiters_wait_any(struct cx__waiters *const waiters[],
                         void **const items[], size_t n, size_t *chosen)
{
    static const struct cx__wait_kind any = {"any of several queues",
                                             waiter_abandon};
    cx_task *task = cx__task_running();
    struct waiter all[CX__WAIT_ANY_MOST];
    int error;

    assert(n > 0 && n <= CX__WAIT_ANY_MOST);
    for (size_t i = 0; i < n; i++) {
        all[i] = (struct waiter){.wait.kind = &any,
                                 .task = task,
                                 .item = items[i],
                                 .all = all,
                                 .n = n};
        cx__list_insert(&waiters[i]->list, &all[i].link);
    }
    error = cx__wait(task, &all->wait);
    *chosen = all->chosen;
    return error;
}

void **cx__waiters_wake(struct cx__waiters *waiters, int result)
{
    struct waiter *first = CX__OWNER(waiters->list.next, struct waiter, link);

    first->all->chosen = (size_t)(first - first->all);
    leave(first->all);
    cx__wake(first->task, result);
    return first->item;
}

size_t cx__waiters_count(const struct cx__waiters *waiters)
{
    size_t n = 0;

    for (const struct cx__list *link = waiters->list.next;
         link != &waiters->list; link = link->next)
        n++;
    return n;
}

void cx__waiters_wake_all(struct cx__waiters *waiters, int result)
{
    while (cx__waiters_any(waiters))
        (void)cx__waiters_wake(waiters, result);
}
