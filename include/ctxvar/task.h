/* SPDX-License-Identifier: MIT */
/*
 * Tasks: asyncio's model. A loop on a thread, coroutines with a stack each on
 * it, every one in a context of its own.
 *
 * Tasks of one loop run one at a time, on the loop's thread, and change over
 * only where a function says "Suspends: yes". They wake in the order in which
 * what they waited for came about.
 *
 * Being cancelled is a state: once cx_cancel() was called, every wait of the
 * task returns -ECANCELED, the present one and all later ones, so that an
 * answer that nobody looks at cannot make a task hang. A wait that is
 * refused in this way still lets the other tasks run. What must wait all the
 * same, to clean up, does it in a CX_SHIELD. An operation that was complete
 * before the cancel came has succeeded and says so.
 *
 * A task is never done away with: it runs until its function returns.
 */
#ifndef CTXVAR_TASK_H
#define CTXVAR_TASK_H

#include <stdint.h>

#include <ctxvar/context.h>
#include <ctxvar/deadline.h>
#include <ctxvar/executor.h>

CX__BEGIN_DECLS

/** A task; of one loop, and so of one thread. */
typedef struct cx_task cx_task;

/** What a task does; what it returns is the task's result. */
typedef void *cx_task_fn(void *arg);

/** What a task is to be like; zero members are the defaults. */
typedef struct cx_task_options {
    /** Copied; at most 255 bytes. NULL: "task". */
    const char *name;
    /** What the task runs in, held until its end; what it sets stays there.
     *  Several tasks may share one. NULL: a copy of the current context. */
    cx_context *context;
    /** Bytes of address space for its stack, rounded up to 16 KiB, 64 KiB,
     *  256 KiB, 1 MiB or 8 MiB; memory is taken only as it is touched. Less
     *  than two kilobytes of it are the task's own record. 0: 256 KiB. */
    size_t stack_size;
} cx_task_options;

/**
 * Run a loop on this thread, with a function as its first task, "main".
 *
 * The task runs in a copy of the current context. When it ends, tasks that
 * are still there are cancelled, those created from then on too, and this
 * returns when the last of them has ended. Of a program that was started
 * without standard input, output or error, those are /dev/null from here on.
 *
 * @param fn      The first task's function.
 * @param arg     Handed to fn.
 * @param result  Written on success: what fn returned; NULL: not wanted.
 * @return 0, or, without having called fn,
 *   -EBUSY       this thread runs a loop already
 *   -EINVAL      fn is NULL
 *   -ENOMEM      no memory
 *   -EMFILE      no more file descriptors for the process
 *   -ENFILE      no more file descriptors for the system
 *   -ESHUTDOWN   this thread is past its last destructor
 *
 * Suspends: never; blocks the thread. Threads: any, one loop each.
 * Cost: some ten microseconds, and that of the tasks.
 * Source: asyncio.run().  Since: 0.1
 */
CX__API int cx_run(cx_task_fn *fn, void *arg, void **result);

/**
 * Create a task with default options.
 *
 * @param fn   The task's function, called once, not before the next wait of
 *             the running task.
 * @param arg  Handed to fn.
 * @return as cx_task_create_with().
 *
 * Suspends: never. Threads: a loop's, within a task. Cost: as
 * cx_task_create_with().
 * Source: asyncio.create_task().  Since: 0.1
 */
CX__API cx_task *cx_task_create(cx_task_fn *fn, void *arg);

/**
 * Create a task in a copy of the current context, or in one of your own.
 *
 * It starts after the tasks that are ready now. One that is cancelled before
 * that starts all the same, so that it can release what arg is.
 *
 * @param options  Borrowed for the call; NULL: the defaults.
 * @param fn       The task's function, called once, not before the next wait
 *                 of the running task.
 * @param arg      Handed to fn.
 * @return the task, whose handle goes to the caller until cx_await() or
 *         cx_task_detach(), at the latest until cx_run() returns; or NULL
 *         with errno
 *   EPERM        not called within a task, nor on a thread whose loop the
 *                program runs
 *   EINVAL       fn is NULL, or there is no such stack or name
 *   ENOMEM       no memory, or no address space for a stack
 *
 * Suspends: never. Threads: a loop's, within a task. Cost: some tens of
 * nanoseconds when a stack can be reused.
 * Source: asyncio.create_task(name=, context=).  Since: 0.1
 */
CX__API cx_task *cx_task_create_with(const cx_task_options *options,
                                     cx_task_fn *fn, void *arg);

/**
 * Wait until a task has ended, take its result and give up its handle.
 *
 * A task that was cancelled has a result like any other: what its function
 * returned. Being cancelled or too late oneself while waiting leaves the
 * awaited task alone, and its handle with the caller.
 *
 * @param task    Owned, given up on success; on error still yours.
 * @param result  Written on success: what the task's function returned;
 *                NULL: not wanted.
 * @return 0, or
 *   -ECANCELED   the calling task is cancelled
 *   -ETIMEDOUT   the deadline has passed
 *   -EDEADLK     task is the caller, or waits in the end for the caller
 *   -EBUSY       another task awaits it
 *   -EINVAL      task is NULL, was detached, or is the main task
 *   -EXDEV       it is another thread's
 *   -EPERM       not called within a task
 *
 * Suspends: yes, unless the task has ended. Threads: that of both tasks.
 * Cost: O(1), and O(tasks) along a chain of tasks that await each other.
 * Source: asyncio, await task; pthread_join().  Since: 0.1
 */
CX__API int cx_await(cx_task *task, void **result);

/**
 * Give up a task's handle: nobody will await it, and it frees itself.
 *
 * @param task  Owned, given up; NULL is ignored, and so is a task that
 *              another one awaits, or one of another thread.
 *
 * Suspends: never. Threads: that of the task. Cost: O(1).
 * Source: pthread_detach().  Since: 0.1
 */
CX__API void cx_task_detach(cx_task *task);

/**
 * Cancel a task: its present wait and all later ones return -ECANCELED, but
 * for those in a shield.
 *
 * It goes on to run in its own context until its function returns. A job of
 * its that waits for a worker is withdrawn; one that runs is waited for and
 * keeps its result.
 *
 * @param task  Borrowed; may be the caller. One that has ended is left as it
 *              is.
 * @return 0, or
 *   -EINVAL      task is NULL
 *   -EXDEV       it is another thread's
 *
 * Suspends: never. Threads: that of the task. Cost: O(1), O(log sleepers) if
 * it sleeps.
 * Source: trio, level-triggered cancellation; asyncio, Task.cancel().
 * Since: 0.1
 */
CX__API int cx_cancel(cx_task *task);

/**
 * Suspend the running task for a time, never less.
 *
 * Of several that are over in the same millisecond, those that are due
 * earlier end first, and those due at once in the order in which they began.
 *
 * @param ms  Milliseconds; 0: as cx_yield(). More than can be counted: for
 *            ever.
 * @return 0, or
 *   -ECANCELED   the task is cancelled
 *   -ETIMEDOUT   the deadline has passed
 *   -EPERM       not called within a task
 *
 * Suspends: yes. Threads: a loop's, within a task. Cost: O(log sleepers).
 * Source: asyncio.sleep().  Since: 0.1
 */
CX__API int cx_sleep(uint64_t ms);

/**
 * Suspend the running task until a time of the clock of cx_time(), for work
 * that keeps a beat: what the work itself takes does not add up.
 *
 * Those that wait for the same time end in the order in which they began. A
 * time that has passed lets the other ready tasks run first.
 *
 * @param time  Milliseconds, as cx_time() counts them.
 * @return 0, or
 *   -ECANCELED   the task is cancelled
 *   -ETIMEDOUT   the deadline has passed
 *   -EPERM       not called within a task
 *
 * Suspends: yes. Threads: a loop's, within a task. Cost: O(log sleepers).
 * Source: trio.sleep_until().  Since: 0.1
 */
CX__API int cx_sleep_until(uint64_t time);

/**
 * Let the tasks that are ready run before the caller goes on.
 *
 * @return 0, or
 *   -ECANCELED   the task is cancelled; the others have run all the same
 *   -ETIMEDOUT   the deadline has passed; likewise
 *   -EPERM       not called within a task
 *
 * Suspends: yes. Threads: a loop's, within a task. Cost: two switches.
 * Source: asyncio.sleep(0).  Since: 0.1
 */
CX__API int cx_yield(void);

/**
 * Tell whether the task that calls this may go on.
 *
 * A task that does much between two waits asks now and then. One that has to
 * end lets the others run, so that it cannot keep the thread if it does not
 * look at the answer.
 *
 * @return 0, or
 *   -ECANCELED   the task is cancelled
 *   -ETIMEDOUT   the deadline has passed
 *   -EPERM       not called within a task
 *
 * Suspends: only with -ECANCELED and -ETIMEDOUT. Threads: a loop's, within a
 * task. Cost: some loads.
 * Source: Trio, lowlevel.checkpoint_if_cancelled().  Since: 0.1
 */
CX__API int cx_task_check(void);

/**
 * Give the task that calls this.
 *
 * @return the task, borrowed; NULL outside of tasks.
 *
 * Suspends: never. Threads: any. Cost: O(1).
 * Source: asyncio.current_task().  Since: 0.1
 */
CX__API cx_task *cx_task_current(void);

/**
 * Tell the name of a task.
 *
 * @param task  Borrowed; NULL gives NULL.
 * @return the name, borrowed from the task.
 *
 * Suspends: never. Threads: that of the task. Cost: O(1).
 * Source: asyncio, Task.get_name().  Since: 0.1
 */
CX__API const char *cx_task_name(const cx_task *task);

/**
 * Run a function on a thread of an executor; only the calling task waits.
 *
 * The function runs in a copy of the current context, as it is now. The copy
 * is gone when the task goes on.
 *
 * @param executor  Borrowed; NULL: the default pool.
 * @param fn        Called once, on one of the executor's threads.
 * @param arg       Handed to fn.
 * @param result    Written on success: what fn returned; NULL: not wanted.
 * @return 0, or, without fn having been called,
 *   -ECANCELED   the task is cancelled; never once fn has begun
 *   -ETIMEDOUT   the deadline has passed; likewise
 *   -EINVAL      fn is NULL
 *   -ENOMEM      no memory
 *   -ENOBUFS     the executor's queue is full
 *   -EAGAIN      it has no thread, and none can be had
 *   -ESHUTDOWN   it is being freed
 *   -EPERM       not called within a task
 *
 * Suspends: yes. Threads: a loop's, within a task. Cost: some microseconds,
 * to wake a thread and to be woken by it.
 * Source: asyncio, loop.run_in_executor(), which leaves the context behind,
 * and asyncio.to_thread().  Since: 0.1
 */
CX__API int cx_run_in_executor(cx_executor *executor, cx_task_fn *fn, void *arg,
                               void **result);

/** For CX_SHIELD. Its members are private. */
struct cx__shield {
    cx_task *task;
    uint64_t held_off;
    bool done;
};

CX__API struct cx__shield cx__shield_begin(void);
CX__API void cx__shield_end(struct cx__shield *shield);

/**
 * Wait in the block that follows as if the running task were not cancelled
 * and not late, however the block is left: at its end, by break, continue,
 * return or goto. A deadline that is set within counts, so that what cleans up
 * can be given its own time.
 *
 *     CX_SHIELD {
 *         CX_TIMEOUT(5000) {
 *             cx_await(writer, NULL);
 *         }
 *     }
 *
 * Outside of tasks, a block like any other.
 *
 * Source: trio, CancelScope(shield=True).  Since: 0.1
 */
#define CX_SHIELD CX__SHIELD(CX__UNIQUE(cx__shield_))

#define CX__SHIELD(shield)                                                     \
    for (struct cx__shield shield CX__CLEANUP(cx__shield_end) =                \
             cx__shield_begin();                                               \
         !shield.done; shield.done = true)

CX__END_DECLS

#endif
