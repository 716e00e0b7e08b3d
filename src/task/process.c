/* SPDX-License-Identifier: MIT */
/*
 * Child processes. libuv forks, and hears of the end; the pipes are streams
 * as any other.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <ctxvar/process.h>

#include "debug.h"
#include "stream.h"
#include "wait.h"

enum { PIPES = 3 };

/* A task that waits for the end, on its stack: by the time it runs again, the
 * process may be gone. */
struct process_wait {
    struct cx__wait wait;
    cx_process *process;
    cx_task *task;
    int status;
};

/*
 * ended <=> the system has told of its end; status is what it told
 * given_up <=> cx_process_free() was called: the end frees it
 */
struct cx_process {
    struct cx__resource resource;
    uv_process_t handle;
    struct cx__loop *loop;
    struct process_wait *waiter;
    cx_stream *stream[PIPES];
    int status;
    bool ended;
    bool given_up;
};

static void process_closed(uv_handle_t *handle)
{
    free(CX__OWNER((uv_process_t *)handle, cx_process, handle));
}

static void process_close_handle(cx_process *process)
{
    uv_close((uv_handle_t *)&process->handle, process_closed);
}

/* As waitpid() would have said it. */
static int wait_status(int64_t exit_status, int signum)
{
    return signum != 0 ? signum : (int)((exit_status & 0xff) << 8);
}

static void process_ended(uv_process_t *handle, int64_t exit_status, int signum)
{
    cx_process *process = CX__OWNER(handle, cx_process, handle);

    process->ended = true;
    process->status = wait_status(exit_status, signum);
    if (process->given_up)
        process_close_handle(process);
    if (process->waiter == NULL)
        return;
    process->waiter->status = process->status;
    cx__wake(process->waiter->task, 0);
    process->waiter = NULL;
}

/*
 * A pipe for the program's descriptor i: ours becomes a stream. A socket pair,
 * since a program may well be a libuv one, which does not block on it.
 */
static int pipe_open(cx_process *process, int i, int *theirs)
{
    int fd[2];
    int error;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) != 0)
        return -errno;
    (void)shutdown(fd[0], i == 0 ? SHUT_RD : SHUT_WR);
    error = cx__stream_take(fd[0], true, &process->stream[i]);
    if (error != 0)
        (void)close(fd[1]);
    else
        *theirs = fd[1];
    return error;
}

static int stdio_open(cx_process *process, const cx_process_options *options,
                      uv_stdio_container_t stdio[PIPES])
{
    const enum cx_process_io kind[PIPES] = {options->in, options->out,
                                            options->err};
    int error = 0;

    for (int i = 0; i < PIPES && error == 0; i++) {
        stdio[i].flags = kind[i] == CX_PROCESS_NULL ? UV_IGNORE : UV_INHERIT_FD;
        stdio[i].data.fd = i;
        if (kind[i] == CX_PROCESS_PIPE)
            error = pipe_open(process, i, &stdio[i].data.fd);
    }
    return error;
}

/* The program has its ends by now, or never will. */
static void stdio_close(const cx_process *process,
                        const uv_stdio_container_t stdio[PIPES])
{
    for (int i = 0; i < PIPES; i++) {
        if (process->stream[i] != NULL)
            (void)close(stdio[i].data.fd);
    }
}

static int process_spawn(cx_process *process, const cx_process_options *options)
{
    uv_stdio_container_t stdio[PIPES] = {{.flags = UV_IGNORE}};
    const uv_process_options_t uv = {.exit_cb = process_ended,
                                     .file = options->argv[0],
                                     .args = (char **)options->argv,
                                     .env = (char **)options->env,
                                     .cwd = options->directory,
                                     .stdio_count = PIPES,
                                     .stdio = stdio};
    int error = stdio_open(process, options, stdio);

    if (error == 0)
        error = uv_spawn(cx__loop_uv(process->loop), &process->handle, &uv);
    else
        process->ended = true;
    stdio_close(process, stdio);
    return error;
}

static void streams_close(cx_process *process)
{
    for (int i = 0; i < PIPES; i++)
        cx_process_close(process, i);
}

static void process_close(struct cx__resource *resource)
{
    cx_process_free(CX__OWNER(resource, cx_process, resource));
}

int cx_process_start(const cx_process_options *options, cx_process **process)
{
    cx_task *task = cx__task_running();
    cx_process *started;
    int error;

    if (task == NULL)
        return -EPERM;
    if (options == NULL || options->argv == NULL || options->argv[0] == NULL ||
        process == NULL)
        return -EINVAL;
    started = calloc(1, sizeof(*started));
    if (started == NULL)
        return -ENOMEM;
    started->loop = task->loop;
    error = process_spawn(started, options);
    if (error == 0) {
        cx__resource_add(&task->loop->resources, &started->resource,
                         process_close);
        *process = started;
        return 0;
    }
    streams_close(started);
    if (started->ended)
        free(started);
    else
        process_close_handle(started);
    return error;
}

static bool process_abandon(struct cx__wait *wait)
{
    CX__OWNER(wait, struct process_wait, wait)->process->waiter = NULL;
    return true;
}

static const struct cx__wait_kind process_kind = {"process", process_abandon};

static int wait_for_end(cx_process *process, cx_task *task, int *status)
{
    struct process_wait wait = {
        .wait.kind = &process_kind, .process = process, .task = task};
    int error;

    process->waiter = &wait;
    error = cx__wait(task, &wait.wait);
    *status = wait.status;
    return error;
}

int cx_process_wait(cx_process *process, int *status)
{
    cx_task *task = cx__task_running();
    int ended_with;
    int error;

    if (task == NULL)
        return -EPERM;
    if (process == NULL)
        return -EINVAL;
    if (process->loop != task->loop)
        return cx__wrong_thread("process");
    if (process->waiter != NULL)
        return -EBUSY;
    error = cx__wait_begin(task);
    if (error == 0 && process->ended)
        ended_with = process->status;
    else if (error == 0)
        error = wait_for_end(process, task, &ended_with);
    if (error == 0 && status != NULL)
        *status = ended_with;
    return error;
}

int cx_process_signal(cx_process *process, int signum)
{
    if (process == NULL)
        return -EINVAL;
    if (process->loop != cx__loop_here)
        return cx__wrong_thread("process");
    return process->ended ? -ESRCH : uv_process_kill(&process->handle, signum);
}

pid_t cx_process_id(const cx_process *process)
{
    return process != NULL ? process->handle.pid : -EINVAL;
}

cx_stream *cx_process_stream(const cx_process *process, int fd)
{
    return process != NULL && fd >= 0 && fd < PIPES ? process->stream[fd]
                                                    : NULL;
}

void cx_process_close(cx_process *process, int fd)
{
    if (process == NULL || fd < 0 || fd >= PIPES)
        return;
    cx_stream_close(process->stream[fd]);
    process->stream[fd] = NULL;
}

void cx_process_free(cx_process *process)
{
    if (process == NULL || process->loop != cx__loop_here)
        return;
    cx__resource_remove(&process->resource);
    streams_close(process);
    (void)cx__loop_uv(process->loop);
    if (process->ended) {
        process_close_handle(process);
        return;
    }
    process->given_up = true;
    (void)uv_process_kill(&process->handle, SIGKILL);
}
