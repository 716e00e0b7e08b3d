/* SPDX-License-Identifier: MIT */
/*
 * Deadlines. A deadline is in the context: it follows the work into tasks,
 * groups and pool jobs, and the earliest counts. Once it has passed, each wait
 * of a task in such a context gives -ETIMEDOUT at once, until the block that
 * set it is left. A CX_SHIELD holds off the deadline that there is when it
 * begins; one that is set within it counts.
 *
 * An operation that was complete before its deadline has succeeded and says
 * so. What does not wait is not interrupted: a job, or a task that computes,
 * asks cx_deadline_left().
 */
#ifndef CTXVAR_DEADLINE_H
#define CTXVAR_DEADLINE_H

#include <stdbool.h>
#include <stdint.h>

#include <ctxvar/var.h>

CX__BEGIN_DECLS

/**
 * Tell the time of the clock that sleeps and deadlines go by: it never goes
 * back, and has nothing to do with the date.
 *
 * @return milliseconds since some moment, the same for all threads.
 *
 * Suspends: never. Threads: any. Cost: one reading of the clock.
 * Source: asyncio, loop.time().  Since: 0.1
 */
CX__API uint64_t cx_time(void);

/**
 * Tell the deadline of the current context.
 *
 * @return a time of cx_time(); UINT64_MAX: there is none.
 *
 * Suspends: never. Threads: any. Cost: as cx_get().
 * Source: Go, context.Deadline().  Since: 0.1
 */
CX__API uint64_t cx_deadline(void);

/**
 * Tell how long the current context has, for a database or a client that
 * takes a timeout of its own.
 *
 * @return milliseconds, 0 once the deadline has passed; UINT64_MAX: there is
 *         no deadline.
 *
 * Suspends: never. Threads: any. Cost: as cx_get(), and one reading of the
 * clock if there is a deadline.
 * Source: Go, time.Until(context.Deadline()).  Since: 0.1
 */
CX__API uint64_t cx_deadline_left(void);

/**
 * Give the current context a deadline, unless it has an earlier one.
 *
 * @param time   A time of cx_time().
 * @param token  Written on success; give it to cx_timeout_end().
 * @return 0, or the errors of cx_var_bind().
 *
 * Suspends: never. Threads: any, acts on the caller's context. Cost: as
 * cx_var_bind().
 * Source: asyncio.timeout_at().  Since: 0.1
 */
CX__API int cx_timeout_at(uint64_t time, cx_token *token);

/**
 * Bring back the deadline that there was before cx_timeout_at().
 *
 * @param token  Borrowed; used from success on.
 * @return 0, or the errors of cx_var_reset().
 *
 * Suspends: never. Threads: any, acts on the caller's context. Cost: as
 * cx_var_reset().
 * Source: asyncio.timeout_at().  Since: 0.1
 */
CX__API int cx_timeout_end(cx_token *token);

/** For CX_TIMEOUT and CX_NO_TIMEOUT. Its members are private. */
struct cx__timeout {
    cx_token token;
    int error;
    bool done;
};

CX__API struct cx__timeout cx__timeout_begin(uint64_t ms);
CX__API struct cx__timeout cx__no_timeout_begin(void);
CX__API void cx__timeout_end(struct cx__timeout *timeout);

#ifndef __cplusplus

/**
 * Give what runs in the block that follows a number of milliseconds, no more
 * than it has anyway, however the block is left.
 *
 *     CX_TIMEOUT(500) {
 *         error = fetch(url);
 *     }
 *     if (error == -ETIMEDOUT)
 *         ...
 *
 * Without the memory to bind, the block is skipped; an else after the block
 * then runs instead.
 *
 * Cost: a bind and a reset; each wait in the block one entry in the loop's
 * heap.  Source: asyncio.timeout(); trio.fail_after().  Since: 0.1
 */
#define CX_TIMEOUT(ms)                                                         \
    CX__TIMEOUT(CX__UNIQUE(cx__timeout_), cx__timeout_begin(ms))

/**
 * Take the deadline off what runs in the block that follows: the tasks that
 * it creates keep their values, and have all the time there is.
 *
 * As CX_TIMEOUT() otherwise. It does not hold off a cancel: that is
 * CX_SHIELD.
 *
 * Source: Go, context.WithoutCancel().  Since: 0.1
 */
#define CX_NO_TIMEOUT                                                          \
    CX__TIMEOUT(CX__UNIQUE(cx__timeout_), cx__no_timeout_begin())

#define CX__TIMEOUT(timeout, begin)                                            \
    for (struct cx__timeout timeout CX__CLEANUP(cx__timeout_end) = begin;      \
         !timeout.done; timeout.done = true)                                   \
        if (timeout.error == 0)

#endif /* C */

CX__END_DECLS

#endif
