/* SPDX-License-Identifier: MIT */
/*
 * Descriptors that are somebody else's: a library that does its own reading
 * and writing is told here when it can.
 */
#ifndef CTXVAR_FD_H
#define CTXVAR_FD_H

#include <ctxvar/task.h>

CX__BEGIN_DECLS

/** What a descriptor can be ready for. */
enum cx_fd_event {
    CX_READABLE = 1, /**< a read will not wait; also at the end, on an error */
    CX_WRITABLE = 2  /**< a write will not wait; also on an error */
};

/**
 * Wait until a descriptor is ready; only the calling task waits.
 *
 * It is ready, too, when it has been so before the call. A file is always
 * ready, since its reads do not wait in this sense.
 *
 * @param fd      Borrowed; it need not be non-blocking. It must not be closed
 *                while a task waits for it: that task would wait on.
 * @param events  CX_READABLE, CX_WRITABLE or both: wait for either.
 * @return those of the events that it is ready for, more than 0, or
 *   -ECANCELED   the task is cancelled
 *   -ETIMEDOUT   the deadline has passed
 *   -EBUSY       another task waits for the same descriptor and event
 *   -EBADF       fd is no open descriptor
 *   -EINVAL      events has none of the two, or something else
 *   -ENOMEM      no memory
 *   -ENOSPC      the user has as many descriptors watched as is allowed
 *   -EPERM       not called within a task
 *
 * Suspends: yes. Threads: a loop's, within a task. Cost: one system call, and
 * a share in the loop's next poll; after cx_fd_add() the latter alone.
 * Source: asyncio, loop.add_reader(); poll().  Since: 0.1
 */
CX__API int cx_fd_wait(int fd, int events);

/**
 * Have the loop keep a descriptor, so that waits for it cost no system call of
 * their own: for one that is waited for again and again, as a connection is.
 *
 * @param fd  Borrowed until cx_fd_remove(), which must come before it is
 *            closed: else a wait for another descriptor that is given its
 *            number may never end.
 * @return 0, or, with nothing kept,
 *   -EEXIST      it is kept already
 *   -EBADF       fd is no open descriptor
 *   -ENOMEM      no memory
 *   -EPERM       not called on a loop's thread
 *
 * Suspends: never. Threads: a loop's. Cost: one system call.
 * Source: libevent, event_add() with EV_PERSIST.  Since: 0.1
 */
CX__API int cx_fd_add(int fd);

/**
 * Have the loop let go of a descriptor that it keeps, or that was waited for.
 * A task that waits for it gets -EBADF.
 *
 * The kernel still tells of one that was only waited for until it is closed or
 * this is called; that costs something where it stays in use otherwise.
 *
 * @param fd  One that was given to cx_fd_add() or cx_fd_wait() on this thread,
 *            and is no stream's; a number that was not is ignored.
 *
 * Suspends: never. Threads: the loop's that keeps it. Cost: one system call.
 * Source: libevent, event_del().  Since: 0.1
 */
CX__API void cx_fd_remove(int fd);

/**
 * Call a function each time a descriptor is ready, until cancelled.
 *
 * Each call runs in a fresh copy of the context in which this was called, and
 * may wait; the descriptor is looked at again when it has returned.
 *
 * @param fd      Borrowed; as for cx_fd_wait().
 * @param events  As for cx_fd_wait().
 * @param fn      Called with arg; what it does not read or write is told
 *                again.
 * @param arg     Handed to fn.
 * @return never 0:
 *   -ECANCELED   the task is cancelled
 *   -ETIMEDOUT   the deadline has passed
 *   -EINVAL      fn is NULL
 *   and the other errors of cx_fd_wait()
 *
 * Suspends: yes. Threads: a loop's, within a task. Cost: as cx_fd_wait(), and
 * a copy of the context each time.
 * Source: asyncio, loop.add_reader().  Since: 0.1
 */
CX__API int cx_fd_serve(int fd, int events, void (*fn)(void *), void *arg);

CX__END_DECLS

#endif
