/* SPDX-License-Identifier: MIT */
/*
 * Tasks waiting for each other: events, locks, conditions, semaphores and
 * barriers, for the tasks of one loop.
 *
 * Who waits first is served first. Every wait ends when the task is cancelled
 * or its deadline passes; one that was served before that has been served,
 * and says so.
 */
#ifndef CTXVAR_SYNC_H
#define CTXVAR_SYNC_H

#include <stdbool.h>
#include <stddef.h>

#include <ctxvar/task.h>

CX__BEGIN_DECLS

/** Something that has happened, or has not. */
typedef struct cx_event cx_event;

/** What one task holds at a time. */
typedef struct cx_lock cx_lock;

/** A change to wait for, of what a lock guards. */
typedef struct cx_condition cx_condition;

/** So many that may go on at once. */
typedef struct cx_semaphore cx_semaphore;

/** Where tasks wait until all of them are there. */
typedef struct cx_barrier cx_barrier;

/**
 * Make an event that is not set.
 *
 * @return the event, owned by the caller, or NULL with errno
 *   ENOMEM       no memory
 *   EPERM        this thread runs no loop
 *
 * Suspends: never. Threads: a loop's.
 * Cost: one allocation.
 * Source: asyncio.Event().  Since: 0.1
 */
CX__API cx_event *cx_event_new(void);

/**
 * Free an event.
 *
 * @param event  Owned, given up on success; NULL is ignored.
 * @return 0, or, with nothing freed,
 *   -EBUSY       a task waits for it
 *   -EXDEV       it is another thread's
 *
 * Suspends: never. Threads: the loop's that it was made on.
 * Cost: O(1).
 * Source: own.  Since: 0.1
 */
CX__API int cx_event_free(cx_event *event);

/**
 * Wait until an event is set.
 *
 * @param event  Borrowed.
 * @return 0, or
 *   -ECANCELED   the task is cancelled
 *   -ETIMEDOUT   the deadline has passed
 *   -EINVAL      event is NULL
 *   -EXDEV       it is another thread's
 *   -EPERM       not called within a task
 *
 * Suspends: yes, unless it is set. Threads: a loop's, within a task.
 * Cost: O(1).
 * Source: asyncio, Event.wait().  Since: 0.1
 */
CX__API int cx_event_wait(cx_event *event);

/**
 * Set an event, and wake all who wait for it.
 *
 * @param event  Borrowed.
 * @return 0, or
 *   -EINVAL      event is NULL
 *   -EXDEV       it is another thread's
 *
 * Suspends: never. Threads: the loop's that it was made on.
 * Cost: O(waiting tasks).
 * Source: asyncio, Event.set().  Since: 0.1
 */
CX__API int cx_event_set(cx_event *event);

/**
 * Clear an event: waits for it wait again.
 *
 * @param event  Borrowed.
 * @return 0, or
 *   -EINVAL      event is NULL
 *   -EXDEV       it is another thread's
 *
 * Suspends: never. Threads: the loop's that it was made on.
 * Cost: O(1).
 * Source: asyncio, Event.clear().  Since: 0.1
 */
CX__API int cx_event_clear(cx_event *event);

/**
 * Tell whether an event is set.
 *
 * @param event  Borrowed; NULL is not set.
 * @return true when it is set.
 *
 * Suspends: never. Threads: the loop's that it was made on.
 * Cost: O(1).
 * Source: asyncio, Event.is_set().  Since: 0.1
 */
CX__API bool cx_event_is_set(const cx_event *event);

/**
 * Make a lock that nobody holds.
 *
 * @return the lock, owned by the caller, or NULL with errno
 *   ENOMEM       no memory
 *   EPERM        this thread runs no loop
 *
 * Suspends: never. Threads: a loop's.
 * Cost: one allocation.
 * Source: asyncio.Lock().  Since: 0.1
 */
CX__API cx_lock *cx_lock_new(void);

/**
 * Free a lock.
 *
 * @param lock  Owned, given up on success; NULL is ignored.
 * @return 0, or, with nothing freed,
 *   -EBUSY       a task holds it
 *   -EXDEV       it is another thread's
 *
 * Suspends: never. Threads: the loop's that it was made on.
 * Cost: O(1).
 * Source: own.  Since: 0.1
 */
CX__API int cx_lock_free(cx_lock *lock);

/**
 * Take a lock, waiting until it is free.
 *
 * @param lock  Borrowed.
 * @return 0, or
 *   -EDEADLK     the task holds it already
 *   -ECANCELED   the task is cancelled
 *   -ETIMEDOUT   the deadline has passed
 *   -EINVAL      lock is NULL
 *   -EXDEV       it is another thread's
 *   -EPERM       not called within a task
 *
 * Suspends: yes, unless it is free. Threads: a loop's, within a task.
 * Cost: O(1).
 * Source: asyncio, Lock.acquire().  Since: 0.1
 */
CX__API int cx_lock_acquire(cx_lock *lock);

/**
 * Give a lock back, to the first who waits for it.
 *
 * @param lock  Borrowed.
 * @return 0, or
 *   -EINVAL      lock is NULL
 *   -EPERM       the calling task does not hold it
 *
 * Suspends: never. Threads: a loop's, within a task.
 * Cost: O(1).
 * Source: asyncio, Lock.release().  Since: 0.1
 */
CX__API int cx_lock_release(cx_lock *lock);

/**
 * Tell whether a task holds a lock.
 *
 * @param lock  Borrowed; NULL is not held.
 * @return true when one does.
 *
 * Suspends: never. Threads: the loop's that it was made on.
 * Cost: O(1).
 * Source: asyncio, Lock.locked().  Since: 0.1
 */
CX__API bool cx_lock_is_held(const cx_lock *lock);

/** For CX_LOCKED. Its members are private. */
struct cx__locked {
    cx_lock *lock;
    int error;
    bool done;
};

CX__API struct cx__locked cx__locked_begin(cx_lock *lock);
CX__API void cx__locked_end(struct cx__locked *locked);

#ifndef __cplusplus

/**
 * Hold a lock in the block that follows, given back however the block is
 * left.
 *
 * If the lock cannot be had (the task is cancelled, or too late), the block is
 * skipped; an else after the block then runs instead.
 *
 * Source: asyncio, async with lock.  Since: 0.1
 */
#define CX_LOCKED(lock) CX__LOCKED(CX__UNIQUE(cx__locked_), (lock))

#define CX__LOCKED(locked, lock)                                               \
    for (struct cx__locked locked CX__CLEANUP(cx__locked_end) =                \
             cx__locked_begin(lock);                                           \
         !locked.done; locked.done = true)                                     \
        if (locked.error == 0)

#endif /* C */

/**
 * Make a condition.
 *
 * @return the condition, owned by the caller, or NULL with errno
 *   ENOMEM       no memory
 *   EPERM        this thread runs no loop
 *
 * Suspends: never. Threads: a loop's.
 * Cost: one allocation.
 * Source: asyncio.Condition().  Since: 0.1
 */
CX__API cx_condition *cx_condition_new(void);

/**
 * Free a condition.
 *
 * @param condition  Owned, given up on success; NULL is ignored.
 * @return 0, or, with nothing freed,
 *   -EBUSY       a task waits for it
 *   -EXDEV       it is another thread's
 *
 * Suspends: never. Threads: the loop's that it was made on.
 * Cost: O(1).
 * Source: own.  Since: 0.1
 */
CX__API int cx_condition_free(cx_condition *condition);

/**
 * Give a lock back, wait for a condition, and take the lock again.
 *
 * The lock is held again when this returns, whatever it returns; taking it is
 * shielded. What the condition says may have changed meanwhile: look again.
 *
 * @param condition  Borrowed.
 * @param lock       Borrowed; held by the calling task.
 * @return 0, or
 *   -ECANCELED   the task is cancelled
 *   -ETIMEDOUT   the deadline has passed
 *   -EINVAL      condition or lock is NULL
 *   -EXDEV       the condition is another thread's
 *   -EPERM       not called within a task, or it does not hold the lock
 *
 * Suspends: yes. Threads: a loop's, within a task.
 * Cost: O(1).
 * Source: asyncio, Condition.wait().  Since: 0.1
 */
CX__API int cx_condition_wait(cx_condition *condition, cx_lock *lock);

/**
 * Wake the first who waits for a condition.
 *
 * @param condition  Borrowed.
 * @return 0, or
 *   -EINVAL      condition is NULL
 *   -EXDEV       it is another thread's
 *
 * Suspends: never. Threads: the loop's that it was made on.
 * Cost: O(1).
 * Source: asyncio, Condition.notify().  Since: 0.1
 */
CX__API int cx_condition_signal(cx_condition *condition);

/**
 * Wake all who wait for a condition.
 *
 * @param condition  Borrowed.
 * @return 0, or
 *   -EINVAL      condition is NULL
 *   -EXDEV       it is another thread's
 *
 * Suspends: never. Threads: the loop's that it was made on.
 * Cost: O(waiting tasks).
 * Source: asyncio, Condition.notify_all().  Since: 0.1
 */
CX__API int cx_condition_broadcast(cx_condition *condition);

/**
 * Make a semaphore.
 *
 * @param n  How often it can be taken before somebody has to wait.
 * @return the semaphore, owned by the caller, or NULL with errno
 *   ENOMEM       no memory
 *   EPERM        this thread runs no loop
 *
 * Suspends: never. Threads: a loop's.
 * Cost: one allocation.
 * Source: asyncio.Semaphore().  Since: 0.1
 */
CX__API cx_semaphore *cx_semaphore_new(size_t n);

/**
 * Free a semaphore.
 *
 * @param semaphore  Owned, given up on success; NULL is ignored.
 * @return 0, or, with nothing freed,
 *   -EBUSY       a task waits for it
 *   -EXDEV       it is another thread's
 *
 * Suspends: never. Threads: the loop's that it was made on.
 * Cost: O(1).
 * Source: own.  Since: 0.1
 */
CX__API int cx_semaphore_free(cx_semaphore *semaphore);

/**
 * Take a semaphore once, waiting until it can be had.
 *
 * @param semaphore  Borrowed.
 * @return 0, or
 *   -ECANCELED   the task is cancelled
 *   -ETIMEDOUT   the deadline has passed
 *   -EINVAL      semaphore is NULL
 *   -EXDEV       it is another thread's
 *   -EPERM       not called within a task
 *
 * Suspends: yes, unless it can be had. Threads: a loop's, within a task.
 * Cost: O(1).
 * Source: asyncio, Semaphore.acquire().  Since: 0.1
 */
CX__API int cx_semaphore_acquire(cx_semaphore *semaphore);

/**
 * Give a semaphore back once, to the first who waits for it.
 *
 * @param semaphore  Borrowed.
 * @return 0, or
 *   -EINVAL      semaphore is NULL
 *   -EXDEV       it is another thread's
 *
 * Suspends: never. Threads: the loop's that it was made on.
 * Cost: O(1).
 * Source: asyncio, Semaphore.release().  Since: 0.1
 */
CX__API int cx_semaphore_release(cx_semaphore *semaphore);

/**
 * Make a barrier.
 *
 * @param parties  How many tasks it waits for.
 * @return the barrier, owned by the caller, or NULL with errno
 *   EINVAL       parties is 0
 *   ENOMEM       no memory
 *   EPERM        this thread runs no loop
 *
 * Suspends: never. Threads: a loop's.
 * Cost: one allocation.
 * Source: asyncio.Barrier().  Since: 0.1
 */
CX__API cx_barrier *cx_barrier_new(size_t parties);

/**
 * Free a barrier.
 *
 * @param barrier  Owned, given up on success; NULL is ignored.
 * @return 0, or, with nothing freed,
 *   -EBUSY       a task waits at it
 *   -EXDEV       it is another thread's
 *
 * Suspends: never. Threads: the loop's that it was made on.
 * Cost: O(1).
 * Source: own.  Since: 0.1
 */
CX__API int cx_barrier_free(cx_barrier *barrier);

/**
 * Wait at a barrier until all parties are there; then it starts over.
 *
 * One that is cancelled or too late has not been there.
 *
 * @param barrier  Borrowed.
 * @return 1 for the last to come, 0 for the others, or
 *   -ECANCELED   the task is cancelled
 *   -ETIMEDOUT   the deadline has passed
 *   -EINVAL      barrier is NULL
 *   -EXDEV       it is another thread's
 *   -EPERM       not called within a task
 *
 * Suspends: yes, but for the last. Threads: a loop's, within a task.
 * Cost: O(1), O(parties) for the last.
 * Source: asyncio, Barrier.wait().  Since: 0.1
 */
CX__API int cx_barrier_wait(cx_barrier *barrier);

CX__END_DECLS

#endif
