/* SPDX-License-Identifier: MIT */
/*
 * Running a loop of one's own: on this thread, on a uv_loop_t that nobody else
 * knows, until no task is left.
 */
#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "loop.h"

/* libuv looks at its timers before it polls, too: then it must not block. */
static void sleep_over(uv_timer_t *timer)
{
    uv_stop(timer->loop);
}

static void poll(struct cx__loop *loop)
{
    if (loop->ready.head != NULL) {
        (void)uv_run(loop->uv, UV_RUN_NOWAIT);
        return;
    }
    cx__stacks_trim(&loop->stacks);
    cx__loop_arm(loop, sleep_over);
    (void)uv_run(loop->uv, UV_RUN_ONCE);
}

/*
 * Are there as many descriptors as a loop takes? libuv aborts where its first
 * one finds none, so they are asked for before.
 */
static int descriptors(void)
{
    enum { MOST = 8 };
    int fds[MOST];
    int error = 0;
    size_t n = 0;

    for (; n < MOST && error == 0; n += error == 0) {
        fds[n] = eventfd(0, EFD_CLOEXEC);
        if (fds[n] < 0)
            error = -errno;
    }
    while (n > 0)
        (void)close(fds[--n]);
    return error;
}

static int run_init(struct cx__loop *loop, uv_loop_t *uv)
{
    int error = descriptors();

    if (error == 0)
        error = uv_loop_init(uv);
    if (error != 0)
        return error;
    error = cx__loop_init(loop, uv);
    if (error != 0)
        (void)uv_loop_close(uv);
    return error;
}

static void run_fini(struct cx__loop *loop)
{
    cx__loop_close(loop);
    (void)uv_run(loop->uv, UV_RUN_DEFAULT);
    (void)uv_loop_close(loop->uv);
    cx__loop_fini(loop);
}

/* Run the first task and all that come of it. */
static int run_main(struct cx__loop *loop, cx_task_fn *fn, void *arg)
{
    static const cx_task_options options = {.name = "main"};

    loop->main = cx__task_new(loop, &options, fn, arg);
    if (loop->main == NULL)
        return -errno;
    loop->main->detached = true;
    cx__loop_here = loop;
    for (;;) {
        cx__loop_round(loop);
        if (!cx__loop_is_busy(loop))
            break;
        poll(loop);
    }
    return 0;
}

int cx_run(cx_task_fn *fn, void *arg, void **result)
{
    struct cx__loop loop;
    uv_loop_t uv;
    int error;

    if (fn == NULL)
        return -EINVAL;
    if (cx__loop_here != NULL)
        return -EBUSY;
    error = run_init(&loop, &uv);
    if (error != 0)
        return error;
    error = run_main(&loop, fn, arg);
    if (error == 0 && result != NULL)
        *result = loop.result;
    run_fini(&loop);
    return error;
}
