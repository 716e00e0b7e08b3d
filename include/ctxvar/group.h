/* SPDX-License-Identifier: MIT */
/*
 * Groups: tasks that belong together, of which none is left when the group is
 * done. The first that fails cancels the others; all are waited for.
 */
#ifndef CTXVAR_GROUP_H
#define CTXVAR_GROUP_H

#include <stddef.h>

#include <ctxvar/task.h>

CX__BEGIN_DECLS

/** Tasks that are waited for together; of one loop. */
typedef struct cx_group cx_group;

/** What a task of a group does: 0, or an error, a negative errno. */
typedef int cx_group_fn(void *arg);

/** What a group is to be like; zero members are the defaults. */
typedef struct cx_group_options {
    /** How many of its tasks run at once at most; 0: any number. */
    size_t limit;
} cx_group_options;

/**
 * Make a group without tasks.
 *
 * @param options  Borrowed for the call; NULL: the defaults.
 * @return the group, owned by the caller, or NULL with errno
 *   ENOMEM       no memory
 *   EPERM        not called within a task
 *
 * Suspends: never. Threads: a loop's, within a task. Cost: one allocation.
 * Source: asyncio.TaskGroup().  Since: 0.1
 */
CX__API cx_group *cx_group_new(const cx_group_options *options);

/**
 * Start a task in a group, in a copy of the current context.
 *
 * If its function returns an error, the group is cancelled; -ECANCELED is
 * none, since it is what a cancelled task returns.
 *
 * @param group  Borrowed; if it is freed while this waits, nothing is started.
 * @param fn     The task's function.
 * @param arg    Handed to fn.
 * @return 0, or, without a task having been started,
 *   -ECANCELED   the group is cancelled, or the calling task is
 *   -ETIMEDOUT   the deadline has passed while it waited for its turn
 *   -EINVAL      group or fn is NULL
 *   -ENOMEM      no memory
 *   -EPERM       not called within a task of the group's loop
 *
 * Suspends: while the group is at its limit. Threads: the group's loop's.
 * Cost: as cx_task_create(), and one allocation.
 * Source: asyncio, TaskGroup.create_task().  Since: 0.1
 */
CX__API int cx_group_start(cx_group *group, cx_group_fn *fn, void *arg);

/**
 * Wait until all tasks of a group have ended.
 *
 * If the caller is cancelled or late meanwhile, so are they, and it waits for
 * them all the same. Afterwards the group may be used again.
 *
 * @param group  Borrowed.
 * @return 0, the first error that a task of the group returned, or
 *   -ECANCELED   the calling task is cancelled, or cx_group_cancel() was
 *                called
 *   -ETIMEDOUT   the deadline has passed
 *   -EBUSY       another task waits for the group
 *   -EDEADLK     the caller is in the group
 *   -EINVAL      group is NULL
 *   -EPERM       not called within a task of the group's loop
 *
 * Suspends: yes, while there are tasks. Threads: the group's loop's.
 * Cost: O(1), but for the check that the caller is not in it: O(tasks).
 * Source: asyncio, TaskGroup.__aexit__().  Since: 0.1
 */
CX__API int cx_group_wait(cx_group *group);

/**
 * Cancel the tasks of a group, and those that would be started until it is
 * waited for.
 *
 * @param group  Borrowed; NULL is ignored, and so is one of another thread.
 *
 * Suspends: never. Threads: the group's loop's. Cost: O(tasks).
 * Source: trio, nursery.cancel_scope.cancel().  Since: 0.1
 */
CX__API void cx_group_cancel(cx_group *group);

/**
 * Read the errors that tasks of a group returned since the last wait began,
 * the first one first.
 *
 * @param group   Borrowed.
 * @param errors  Written: `most` of them at most; NULL: only count.
 * @param most    How many errors there is room for.
 * @return how many there are.
 *
 * Suspends: never. Threads: the group's loop's. Cost: O(errors).
 * Source: Python, ExceptionGroup.exceptions.  Since: 0.1
 */
CX__API size_t cx_group_errors(const cx_group *group, int *errors, size_t most);

/**
 * Free a group; tasks that it still has are cancelled and waited for first.
 *
 * Outside of a task, by a task of the group, and while another waits for it,
 * they cannot be waited for. They are cancelled all the same, and the group
 * goes with the last of them.
 *
 * @param group  Owned, given up; NULL and another thread's are ignored.
 *
 * Suspends: while there are tasks, cancelled or not. Threads: the group's
 * loop's. Cost: O(tasks).
 * Source: trio, the end of a nursery.  Since: 0.1
 */
CX__API void cx_group_free(cx_group *group);

/**
 * Call a function for each of several arguments, all at once, each in a task
 * of its own, and wait for all of them.
 *
 * If the caller is cancelled or late meanwhile, so are they, and it waits for
 * them all the same.
 *
 * @param fn       Called n times.
 * @param args     n arguments, borrowed.
 * @param results  n results, written on success; NULL: not wanted.
 * @param n        How many.
 * @return 0, or, with all tasks ended,
 *   -ECANCELED   the calling task is cancelled
 *   -ETIMEDOUT   the deadline has passed
 *   -EINVAL      fn or args is NULL
 *   -ENOMEM      no memory; those that had been started were cancelled
 *   -EPERM       not called within a task
 *
 * Suspends: yes. Threads: a loop's, within a task. Cost: n tasks.
 * Source: asyncio.gather().  Since: 0.1
 */
CX__API int cx_gather(cx_task_fn *fn, void *const args[], void *results[],
                      size_t n);

/**
 * Wait until one of several tasks has ended.
 *
 * Called again with that one awaited and taken out, it gives them as they
 * are completed.
 *
 * @param tasks  n tasks, borrowed; NULL ones are left out.
 * @param n      How many.
 * @return the place of the first one that has ended, or
 *   -ECANCELED   the calling task is cancelled
 *   -ETIMEDOUT   the deadline has passed
 *   -EBUSY       another task awaits one of them
 *   -EDEADLK     one of them is the caller
 *   -EINVAL      there is none
 *   -EXDEV       one is another thread's
 *   -EPERM       not called within a task
 *
 * Suspends: yes, unless one has ended. Threads: that of the tasks.
 * Cost: O(n).
 * Source: asyncio.wait(FIRST_COMPLETED); asyncio.as_completed().  Since: 0.1
 */
CX__API int cx_wait_any(cx_task *const tasks[], size_t n);

CX__END_DECLS

#endif
