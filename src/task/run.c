/* SPDX-License-Identifier: MIT */
/*
 * Running a loop of one's own: on this thread, until no task is left. It waits
 * in the poller. libuv has a loop that nobody else knows, which is run when it
 * was asked for something, and when the poller says that it has something.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "run.h"

static void poll(struct cx__loop *loop)
{
    int timeout = 0;

    if (loop->ready.head == NULL && !loop->uv_asked) {
        cx__stacks_trim(&loop->stacks);
        timeout = cx__loop_timeout(loop);
    }
    cx__poller_poll(loop, timeout);
    if (loop->uv_asked) {
        loop->uv_asked = false;
        (void)uv_run(loop->uv, UV_RUN_NOWAIT);
    }
}

static void stay(uv_prepare_t *alive)
{
    (void)alive;
}

/*
 * libuv's set is watched by a descriptor of our own, since ThreadSanitizer,
 * which does not see libuv close its, would take the number for that of
 * another thread's. A loop that has nothing to wait for would not look at it.
 */
static int start_uv(struct cx__run *run)
{
    int error;

    run->set = fcntl(uv_backend_fd(&run->uv), F_DUPFD_CLOEXEC, 0);
    if (run->set < 0)
        return -errno;
    error = cx__poller_add_source(&run->loop.poller, run->set, CX__FROM_UV);
    if (error != 0) {
        (void)close(run->set);
        return error;
    }
    (void)uv_prepare_init(&run->uv, &run->alive);
    (void)uv_prepare_start(&run->alive, stay);
    run->loop.uv_asked = true;
    return 0;
}

/*
 * libuv aborts where it has to close one of the first three descriptors, which
 * it gets where the program was started without: they are taken, for good.
 */
static int take_standard(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        int taken =
            fcntl(fd, F_GETFD) < 0 ? open("/dev/null", O_RDWR | O_CLOEXEC) : fd;

        if (taken < 0)
            return -errno;
        if (taken != fd)
            (void)close(taken);
    }
    return 0;
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

int cx__run_init(struct cx__run *run)
{
    int error = take_standard();

    if (error == 0)
        error = descriptors();
    if (error == 0)
        error = uv_loop_init(&run->uv);
    if (error != 0)
        return error;
    error = cx__loop_init(&run->loop, &run->uv);
    if (error == 0) {
        error = start_uv(run);
        if (error != 0) {
            cx__loop_close(&run->loop);
            cx__loop_fini(&run->loop);
        }
    }
    if (error != 0)
        (void)uv_loop_close(&run->uv);
    return error;
}

void cx__run_fini(struct cx__run *run)
{
    cx__loop_close(&run->loop);
    uv_close((uv_handle_t *)&run->alive, NULL);
    while (uv_run(&run->uv, UV_RUN_NOWAIT) != 0)
        cx__poller_poll(&run->loop, uv_backend_timeout(&run->uv));
    (void)close(run->set);
    (void)uv_loop_close(&run->uv);
    cx__loop_fini(&run->loop);
}

int cx__run_main(struct cx__run *run, cx_task_fn *fn, void *arg,
                 const void *site)
{
    static const cx_task_options options = {.name = "main"};
    struct cx__loop *loop = &run->loop;

    loop->main = cx__task_new(loop, &options, fn, arg, site);
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
    struct cx__run run;
    int error;

    if (fn == NULL)
        return -EINVAL;
    if (cx__loop_here != NULL)
        return -EBUSY;
    error = cx__run_init(&run);
    if (error != 0)
        return error;
    error = cx__run_main(&run, fn, arg, CX__SITE);
    if (error == 0 && result != NULL)
        *result = run.loop.result;
    cx__run_fini(&run);
    return error;
}
