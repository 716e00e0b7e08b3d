/* SPDX-License-Identifier: MIT */
/* Child processes. */
#ifndef CTXVAR_PROCESS_H
#define CTXVAR_PROCESS_H

#include <sys/types.h>

#include <ctxvar/stream.h>

CX__BEGIN_DECLS

/** A program that was started; of one loop. */
typedef struct cx_process cx_process;

/** What a program gets for one of its standard descriptors. */
enum cx_process_io {
    CX_PROCESS_NULL = 0, /**< /dev/null */
    CX_PROCESS_PIPE,     /**< a pipe, whose other end is a stream of ours */
    CX_PROCESS_INHERIT   /**< what this process has */
};

/** What to start, and how; zero members are the defaults. */
typedef struct cx_process_options {
    /** The program, looked for in PATH, and its arguments, the name first,
     *  NULL last. */
    char *const *argv;
    /** Its environment, "NAME=value", NULL last; NULL: this process's. */
    char *const *env;
    /** Where it runs; NULL: where this process does. */
    const char *directory;
    enum cx_process_io in;
    enum cx_process_io out;
    enum cx_process_io err;
} cx_process_options;

/**
 * Start a program.
 *
 * @param options  Borrowed for the call.
 * @param process  Written on success: owned by the caller.
 * @return 0, or, with nothing started,
 *   -ENOENT, -EACCES and whatever exec() says
 *   -EAGAIN      no process can be had
 *   -EMFILE      no descriptor left
 *   -EINVAL      options, argv, its first member or process is NULL
 *   -ENOMEM      no memory
 *   -EPERM       not called within a task
 *
 * Suspends: never, but blocks the thread until exec() is done. Threads: a
 * loop's, within a task. Cost: a fork.
 * Source: asyncio.create_subprocess_exec().  Since: 0.1
 */
CX__API int cx_process_start(const cx_process_options *options,
                             cx_process **process);

/**
 * Wait until a program has ended.
 *
 * @param process  Borrowed.
 * @param status   Written on success, as by waitpid(): for WIFEXITED() and the
 *                 like; NULL: not wanted.
 * @return 0, or
 *   -ECANCELED   the task is cancelled
 *   -ETIMEDOUT   the deadline has passed
 *   -EBUSY       another task waits for it
 *   -EINVAL      process is NULL
 *   -EXDEV       it is another thread's
 *   -EPERM       not called within a task
 *
 * Suspends: until it ends. Threads: its loop's, within a task. Cost: O(1).
 * Source: asyncio, Process.wait().  Since: 0.1
 */
CX__API int cx_process_wait(cx_process *process, int *status);

/**
 * Send a signal to a program.
 *
 * @param process  Borrowed.
 * @param signum   SIGTERM and the like.
 * @return 0, or
 *   -ESRCH       it has ended
 *   -EINVAL      signum is none, or process is NULL
 *   -EXDEV       it is another thread's
 *
 * Suspends: never. Threads: its loop's. Cost: one system call.
 * Source: asyncio, Process.send_signal().  Since: 0.1
 */
CX__API int cx_process_signal(cx_process *process, int signum);

/**
 * Tell the number of a process.
 *
 * @param process  Borrowed; NULL gives -EINVAL.
 * @return its id, that of nobody else until it was waited for; or -EINVAL.
 *
 * Suspends: never. Threads: its loop's. Cost: O(1).
 * Source: asyncio, Process.pid.  Since: 0.1
 */
CX__API pid_t cx_process_id(const cx_process *process);

/**
 * Give our end of one of a program's pipes.
 *
 * @param process  Borrowed.
 * @param fd       0: what it reads is written here; 1, 2: what it writes is
 *                 read here.
 * @return the stream, borrowed from the process; NULL: there is none, or it
 *         was closed.
 *
 * Suspends: never. Threads: its loop's. Cost: O(1).
 * Source: asyncio, Process.stdin, .stdout, .stderr.  Since: 0.1
 */
CX__API cx_stream *cx_process_stream(const cx_process *process, int fd);

/**
 * Close our end of one of a program's pipes: of what it reads, that is the
 * end.
 *
 * @param process  Borrowed; NULL is ignored.
 * @param fd       0, 1 or 2.
 *
 * Suspends: never. Threads: its loop's. Cost: system calls.
 * Source: asyncio, Process.stdin.close().  Since: 0.1
 */
CX__API void cx_process_close(cx_process *process, int fd);

/**
 * Let go of a program: close its pipes, and, if it has not ended, kill it. A
 * task that waits for it is still told of its end.
 *
 * @param process  Owned, given up; NULL and another thread's are ignored.
 *
 * Suspends: never. Threads: its loop's. Cost: system calls.
 * Source: trio, the end of a cancelled run_process().  Since: 0.1
 */
CX__API void cx_process_free(cx_process *process);

CX__END_DECLS

#endif
