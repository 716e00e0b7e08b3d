/* SPDX-License-Identifier: MIT */
/*
 * Several loops, each on a thread of its own, for as many processors. A task
 * stays on the loop that it was created on; work goes from one loop to another
 * with cx_call_soon_threadsafe() and cx_task_create_threadsafe().
 */
#ifndef CTXVAR_LOOPS_H
#define CTXVAR_LOOPS_H

#include <ctxvar/group.h>
#include <ctxvar/loop.h>

CX__BEGIN_DECLS

/**
 * Run several loops at once, with the same function as the first task of each,
 * and wait until all have ended.
 *
 * The calling thread is one of theirs, the first. Each first task runs in a
 * copy of the caller's context, none before all loops are there. If one
 * returns an error, the others are cancelled; -ECANCELED is none.
 *
 * @param n    How many; 0: as many as there are processors.
 * @param fn   Called n times, on n threads: 0, or an error, a negative errno.
 * @param arg  Handed to fn each time.
 * @return 0, the first error that fn returned, or, without having called fn,
 *   -EBUSY       this thread runs a loop already
 *   -EINVAL      fn is NULL
 *   -EAGAIN      no more threads can be had
 *   -ENOMEM      no memory
 *   -EMFILE      no more file descriptors for the process
 *   -ENFILE      no more file descriptors for the system
 *   -ESHUTDOWN   this thread is past its last destructor
 *
 * Suspends: never; blocks the thread. Threads: any. Cost: n - 1 threads, and
 * n times that of cx_run().
 * Source: own; tokio, the multi-thread runtime, but tasks do not migrate.
 * Since: 0.1
 */
CX__API int cx_loops_run(unsigned n, cx_group_fn *fn, void *arg);

/**
 * Give one of the loops that run together with the calling thread's.
 *
 * @param i  Which, from 0 on.
 * @return the loop, borrowed until cx_loops_run() returns; NULL: there is no
 *         such loop, or this thread is none of cx_loops_run().
 *
 * Suspends: never. Threads: any. Cost: O(1).
 * Source: own.  Since: 0.1
 */
CX__API cx_loop *cx_loops_at(unsigned i);

/**
 * Count the loops that run together with the calling thread's.
 *
 * @return their number; 0: this thread is none of cx_loops_run().
 *
 * Suspends: never. Threads: any. Cost: O(1).
 * Source: own.  Since: 0.1
 */
CX__API unsigned cx_loops_len(void);

/**
 * Tell which of the loops that run together is the calling thread's.
 *
 * @return its number, from 0 on, which is that of the thread that called
 *         cx_loops_run().
 *
 * Suspends: never. Threads: any. Cost: O(1).
 * Source: own.  Since: 0.1
 */
CX__API unsigned cx_loops_index(void);

CX__END_DECLS

#endif
