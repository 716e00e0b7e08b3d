/* SPDX-License-Identifier: MIT */
/*
 * Looking into a loop: which tasks there are, what they wait for, and how much
 * there is of everything.
 *
 * With CTXVAR_DEBUG=1 in the environment of a program, its loops also report:
 *
 * - a task that has kept the loop to itself for more than 100 ms;
 * - a task that nobody awaited or detached, and where it was created;
 * - a task that ended within a context that it had entered;
 * - a call for something that belongs to another thread's loop.
 *
 * A loop looks at the clock at each switch then. Without it nothing is looked
 * for, and nothing is said.
 */
#ifndef CTXVAR_DEBUG_H
#define CTXVAR_DEBUG_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <ctxvar/platform.h>

CX__BEGIN_DECLS

/** What a loop has, and has done. */
typedef struct cx_stats {
    size_t tasks;       /**< that have not ended */
    size_t ready;       /**< those of them that could run */
    size_t sleepers;    /**< sleeps, deadlines of waits, and calls to come */
    uint64_t created;   /**< tasks, so far */
    uint64_t switches;  /**< from one task to another or to the loop */
    uint64_t rounds;    /**< of running tasks, each followed by a poll */
    size_t stack_bytes; /**< address space of all stacks, used or kept */
} cx_stats;

/**
 * Write what each task of this thread's loop is doing, each below the one that
 * created it:
 *
 *     main #1: waiting for group, 12 ms, created at app+0x11d3
 *       A #2: waiting for queue, 12 ms, 2 variables, created at app+0x14a0
 *       B #3: ready, created at load (libload.so+0x9c2)
 *
 * How long is known to the round of the loop. A task from another loop's
 * thread, or whose creator has ended, is at the margin.
 *
 * It was created at the call of cx_task_create(), cx_group_start() or whatever
 * else created it: `addr2line -f -e app 0x14a0` tells function, file and line
 * if app was compiled with -g. Exported functions, with -rdynamic those of a
 * program, are named here, too. Where a function ends with that call, the
 * compiler may have left it by then, and the place is its caller's.
 *
 * @param out  Borrowed.
 * @return 0, or
 *   -EIO         out cannot be written
 *   -ENOMEM      no memory
 *   -EINVAL      out is NULL
 *   -EPERM       this thread runs no loop
 *
 * Suspends: never. Threads: a loop's. Cost: O(n log n) for n tasks.
 * Source: asyncio, `python -m asyncio pstree`.  Since: 0.1
 */
CX__API int cx_task_dump(FILE *out);

/**
 * Count what this thread's loop has, and has done.
 *
 * @param stats  Written on success.
 * @return 0, or
 *   -EINVAL      stats is NULL
 *   -EPERM       this thread runs no loop
 *
 * Suspends: never. Threads: a loop's. Cost: O(tasks).
 * Source: tokio, RuntimeMetrics.  Since: 0.1
 */
CX__API int cx_stats_get(cx_stats *stats);

/**
 * Have the reports of CTXVAR_DEBUG=1 go somewhere else than to stderr.
 *
 * @param fn   Called with one line, without its end, and arg, on whatever
 *             thread the cause is; NULL: to stderr again.
 * @param arg  Handed to fn.
 *
 * Suspends: never. Threads: any. Cost: a lock.
 * Source: asyncio, loop.set_exception_handler().  Since: 0.1
 */
CX__API void cx_debug_report_to(void (*fn)(const char *line, void *arg),
                                void *arg);

CX__END_DECLS

#endif
