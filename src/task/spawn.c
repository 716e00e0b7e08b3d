/* SPDX-License-Identifier: MIT */
/* Tasks in the background, and their errors. */
#include <errno.h>
#include <stdlib.h>

#include "loop.h"

struct spawned {
    cx_group_fn *fn;
    void *arg;
};

void cx__failure_tell(struct cx__loop *loop, int error)
{
    if (loop->failure != NULL && error != 0 && error != -ECANCELED)
        loop->failure(error, loop->failure_arg);
}

static void *spawned_main(void *arg)
{
    struct spawned spawned = *(struct spawned *)arg;

    free(arg);
    cx__failure_tell(cx__loop_here, spawned.fn(spawned.arg));
    return NULL;
}

int cx_spawn(cx_group_fn *fn, void *arg)
{
    struct spawned *spawned;
    cx_task *task;

    if (fn == NULL)
        return -EINVAL;
    spawned = malloc(sizeof(*spawned));
    if (spawned == NULL)
        return -ENOMEM;
    *spawned = (struct spawned){fn, arg};
    task = cx__task_create(NULL, spawned_main, spawned, CX__SITE);
    if (task == NULL) {
        free(spawned);
        return -errno;
    }
    cx_task_detach(task);
    return 0;
}

int cx_on_failure(cx_failure_fn *handler, void *arg)
{
    struct cx__loop *loop = cx__loop_here;

    if (loop == NULL)
        return -EPERM;
    loop->failure = handler;
    loop->failure_arg = arg;
    return 0;
}
