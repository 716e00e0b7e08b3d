/* SPDX-License-Identifier: MIT */
/* Want of threads, made: what includes this has pthread_create() wrapped. */
#ifndef CTXVAR_TESTS_SQL_THREADS_H
#define CTXVAR_TESTS_SQL_THREADS_H

#include <errno.h>
#include <pthread.h>

/* Threads that are refused; 0: none. */
static int refused_threads;

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*fn)(void *), void *arg);
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*fn)(void *), void *arg);

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*fn)(void *), void *arg)
{
    if (refused_threads > 0 && refused_threads-- > 0)
        return EAGAIN;
    return __real_pthread_create(thread, attributes, fn, arg);
}

#endif
