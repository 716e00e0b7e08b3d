/* SPDX-License-Identifier: MIT */
/* Waiting for several tasks: for all of them, and for any. */
#include <errno.h>
#include <stdlib.h>

#include <ctxvar/group.h>

#include "debug.h"
#include "wait.h"

/* Start n tasks: how many could be. */
static size_t start(cx_task *tasks[], cx_task_fn *fn, void *const args[],
                    size_t n, const void *site)
{
    size_t started = 0;

    while (started < n) {
        tasks[started] = cx__task_create(NULL, fn, args[started], site);
        if (tasks[started] == NULL)
            break;
        started++;
    }
    return started;
}

static int await_each(cx_task *const tasks[], void *results[], size_t n,
                      size_t *awaited)
{
    int error = 0;

    for (; *awaited < n && error == 0; *awaited += error == 0)
        error = cx_await(tasks[*awaited],
                         results != NULL ? &results[*awaited] : NULL);
    return error;
}

static void cancel_each(cx_task *const tasks[], size_t n, size_t awaited)
{
    for (size_t i = awaited; i < n; i++)
        (void)cx_cancel(tasks[i]);
    CX_SHIELD {
        (void)await_each(tasks, NULL, n, &awaited);
    }
}

static int gather(cx_task *tasks[], cx_task_fn *fn, void *const args[],
                  void *results[], size_t n, const void *site)
{
    size_t started = start(tasks, fn, args, n, site);
    size_t awaited = 0;
    int error = started == n ? 0 : -errno;

    if (error == 0)
        error = await_each(tasks, results, n, &awaited);
    if (error != 0)
        cancel_each(tasks, started, awaited);
    return error;
}

int cx_gather(cx_task_fn *fn, void *const args[], void *results[], size_t n)
{
    cx_task **tasks;
    int error;

    if (cx__task_running() == NULL)
        return -EPERM;
    if (fn == NULL || (args == NULL && n != 0))
        return -EINVAL;
    tasks = calloc(n != 0 ? n : 1, sizeof(cx_task *));
    if (tasks == NULL)
        return -ENOMEM;
    error = gather(tasks, fn, args, results, n, CX__SITE);
    free(tasks);
    return error;
}

static int first_ended(cx_task *const tasks[], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (tasks[i] != NULL && tasks[i]->state == CX__ENDED)
            return (int)i;
    }
    return -EAGAIN;
}

static int check(const cx_task *self, cx_task *const tasks[], size_t n)
{
    int error = -EINVAL;

    for (size_t i = 0; i < n; i++) {
        if (tasks[i] == NULL)
            continue;
        if (tasks[i]->loop != self->loop)
            return cx__wrong_thread("task");
        if (tasks[i] == self)
            return -EDEADLK;
        if (tasks[i]->detached)
            return -EINVAL;
        if (tasks[i]->awaiter != NULL)
            return -EBUSY;
        error = 0;
    }
    return error;
}

static void set_awaiter(cx_task *const tasks[], size_t n, cx_task *awaiter)
{
    for (size_t i = 0; i < n; i++) {
        if (tasks[i] != NULL)
            tasks[i]->awaiter = awaiter;
    }
}

static bool any_abandon(struct cx__wait *wait)
{
    (void)wait;
    return true;
}

static const struct cx__wait_kind any_kind = {"any of several tasks",
                                              any_abandon};

int cx_wait_any(cx_task *const tasks[], size_t n)
{
    struct cx__wait wait = {.kind = &any_kind};
    cx_task *self = cx__task_running();
    int error;

    if (self == NULL || (tasks == NULL && n != 0))
        return self == NULL ? -EPERM : -EINVAL;
    error = check(self, tasks, n);
    if (error == 0)
        error = cx__wait_begin(self);
    if (error != 0)
        return error;
    if (first_ended(tasks, n) < 0) {
        set_awaiter(tasks, n, self);
        error = cx__wait(self, &wait);
        set_awaiter(tasks, n, NULL);
    }
    return error != 0 ? error : first_ended(tasks, n);
}
