/* SPDX-License-Identifier: MIT */
/*
 * Generators: functions that give one value after the other, each when it is
 * asked for. The function runs in a task of its own, and so in a context of
 * its own: it sees what was set when the generator was made, and what it sets
 * stays with it.
 */
#ifndef CTXVAR_GENERATOR_H
#define CTXVAR_GENERATOR_H

#include <ctxvar/task.h>

CX__BEGIN_DECLS

/** A function that gives values, on its way; of one loop. */
typedef struct cx_generator cx_generator;

/** What gives the values, with cx_generate(): 0 at the end, or an error, a
 *  negative errno. */
typedef int cx_generator_fn(cx_generator *generator, void *arg);

/**
 * Make a generator. Its function begins when the first value is asked for.
 *
 * @param fn   Called once at most.
 * @param arg  Handed to fn.
 * @return the generator, owned by the caller, or NULL with errno
 *   EINVAL       fn is NULL
 *   ENOMEM       no memory
 *   EPERM        not called within a task
 *
 * Suspends: never. Threads: a loop's, within a task. Cost: a task.
 * Source: PEP 525, asynchronous generators.  Since: 0.1
 */
CX__API cx_generator *cx_generator_new(cx_generator_fn *fn, void *arg);

/**
 * Ask for the next value.
 *
 * @param generator  Borrowed.
 * @param value      Written if there is one.
 * @return 1: there is a value; 0: its function has ended; or
 *   what its function returned, again and again
 *   -ECANCELED   the calling task is cancelled; the value is still to come
 *   -ETIMEDOUT   the deadline has passed; likewise
 *   -EBUSY       another task waits for a value
 *   -EDEADLK     the caller is its function
 *   -EINVAL      generator or value is NULL
 *   -EXDEV       it is another thread's
 *   -EPERM       not called within a task
 *
 * Suspends: until there is one. Threads: its loop's, within a task. Cost: two
 * switches.
 * Source: PEP 525, __anext__().  Since: 0.1
 */
CX__API int cx_generator_next(cx_generator *generator, void **value);

/**
 * Give a value to whoever asks for it, and wait until the next is asked for.
 *
 * @param generator  Borrowed: the one whose function calls this.
 * @param value      Handed over.
 * @return 0, or
 *   -ECANCELED   nobody will ask any more: clean up and return. Once the
 *                generator is being freed, no value is given
 *   -ETIMEDOUT   the deadline of the generator's context has passed
 *   -EPERM       not called by its function
 *
 * Suspends: until the next is asked for. Threads: its loop's. Cost: as
 * cx_generator_next().
 * Source: Python, yield.  Since: 0.1
 */
CX__API int cx_generate(cx_generator *generator, void *value);

/**
 * Free a generator. A function that has begun and not ended is cancelled and
 * waited for first, so that it can clean up; a task that asks for a value then
 * gets what the function returns.
 *
 * Outside of a task, and by its own function or a task that this one awaits,
 * it cannot be waited for. It is cancelled all the same, and the generator goes
 * when it has ended.
 *
 * @param generator  Owned, given up; NULL and another thread's are ignored.
 *
 * Suspends: until it has ended, cancelled or not. Threads: its loop's. Cost: as
 * cx_generator_next().
 * Source: PEP 525, aclose().  Since: 0.1
 */
CX__API void cx_generator_free(cx_generator *generator);

CX__END_DECLS

#endif
