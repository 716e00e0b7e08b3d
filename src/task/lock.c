/* SPDX-License-Identifier: MIT */
/*
 * Locks and conditions. A lock is handed over: whoever is woken has it, so
 * that nobody comes in between.
 */
#include <errno.h>
#include <stdlib.h>

#include <ctxvar/sync.h>

#include "waiters.h"

struct cx_lock {
    struct cx__waiters waiters; /* none, if there is no owner */
    cx_task *owner;
};

struct cx_condition {
    struct cx__waiters waiters;
};

cx_lock *cx_lock_new(void)
{
    cx_lock *lock = calloc(1, sizeof(*lock));
    int error =
        lock != NULL ? cx__waiters_init(&lock->waiters, "lock") : -ENOMEM;

    if (error == 0)
        return lock;
    free(lock);
    errno = -error;
    return NULL;
}

int cx_lock_free(cx_lock *lock)
{
    int error = lock != NULL ? cx__waiters_end(&lock->waiters) : 0;

    if (error == 0 && lock != NULL && lock->owner != NULL)
        error = -EBUSY;
    if (error == 0)
        free(lock);
    return error;
}

/* The item of a lock's waiter is the waiter itself, to be the next owner. */
static int lock_take(cx_lock *lock)
{
    void *self = cx__task_running();

    if (lock->owner != NULL)
        return cx__waiters_wait(&lock->waiters, &self);
    lock->owner = self;
    return 0;
}

int cx_lock_acquire(cx_lock *lock)
{
    int error = lock != NULL ? cx__waiters_begin(&lock->waiters) : -EINVAL;

    if (error == 0 && lock->owner == cx__task_running())
        error = -EDEADLK;
    return error == 0 ? lock_take(lock) : error;
}

static void lock_give(cx_lock *lock)
{
    lock->owner = NULL;
    if (cx__waiters_any(&lock->waiters))
        lock->owner = *cx__waiters_wake(&lock->waiters, 0);
}

int cx_lock_release(cx_lock *lock)
{
    if (lock == NULL)
        return -EINVAL;
    if (lock->owner == NULL || lock->owner != cx__task_running())
        return -EPERM;
    lock_give(lock);
    return 0;
}

bool cx_lock_is_held(const cx_lock *lock)
{
    return lock != NULL && lock->owner != NULL;
}

struct cx__locked cx__locked_begin(cx_lock *lock)
{
    return (struct cx__locked){.lock = lock, .error = cx_lock_acquire(lock)};
}

void cx__locked_end(struct cx__locked *locked)
{
    if (locked->error == 0)
        (void)cx_lock_release(locked->lock);
}

cx_condition *cx_condition_new(void)
{
    cx_condition *condition = calloc(1, sizeof(*condition));
    int error = condition != NULL
                    ? cx__waiters_init(&condition->waiters, "condition")
                    : -ENOMEM;

    if (error == 0)
        return condition;
    free(condition);
    errno = -error;
    return NULL;
}

int cx_condition_free(cx_condition *condition)
{
    int error = condition != NULL ? cx__waiters_end(&condition->waiters) : 0;

    if (error == 0)
        free(condition);
    return error;
}

int cx_condition_wait(cx_condition *condition, cx_lock *lock)
{
    int error;

    if (condition == NULL || lock == NULL)
        return -EINVAL;
    error = cx__waiters_begin(&condition->waiters);
    if (error == 0 && lock->owner != cx__task_running())
        error = -EPERM;
    if (error != 0)
        return error;
    lock_give(lock);
    error = cx__waiters_wait(&condition->waiters, NULL);
    /* The caller has the lock again, whatever ended its wait. */
    CX_SHIELD {
        (void)lock_take(lock);
    }
    return error;
}

int cx_condition_signal(cx_condition *condition)
{
    int error =
        condition != NULL ? cx__waiters_check(&condition->waiters) : -EINVAL;

    if (error == 0 && cx__waiters_any(&condition->waiters))
        (void)cx__waiters_wake(&condition->waiters, 0);
    return error;
}

int cx_condition_broadcast(cx_condition *condition)
{
    int error =
        condition != NULL ? cx__waiters_check(&condition->waiters) : -EINVAL;

    if (error == 0)
        cx__waiters_wake_all(&condition->waiters, 0);
    return error;
}
