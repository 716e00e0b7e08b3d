/* SPDX-License-Identifier: MIT */
/*
 * Want of memory, address space and threads, made: what includes this has
 * malloc() and the like wrapped, and sweeps over calls that need them.
 */
#ifndef CTXVAR_TESTS_TASK_SCARCE_H
#define CTXVAR_TESTS_TASK_SCARCE_H

#include "support.h"

#include <dirent.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>

/* Which allocation of a thread fails: none, the n-th, all. */
enum { PLENTY = 0, NOTHING = -1, AS_OTHERS = -2 };

static CX__THREAD_LOCAL int scarce = AS_OTHERS;
static int scarce_elsewhere; /* on threads that have no wish of their own */
static int live;             /* blocks and mappings */

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *block, size_t size);
void __real_free(void *block);
void *__real_mmap(void *address, size_t size, int protection, int flags, int fd,
                  off_t offset);
int __real_munmap(void *address, size_t size);
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attr,
                          void *(*fn)(void *), void *arg);

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *block, size_t size);
void __wrap_free(void *block);
void *__wrap_mmap(void *address, size_t size, int protection, int flags, int fd,
                  off_t offset);
int __wrap_munmap(void *address, size_t size);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr,
                          void *(*fn)(void *), void *arg);

static bool refuse(void)
{
    if (scarce == AS_OTHERS)
        return __atomic_load_n(&scarce_elsewhere, __ATOMIC_SEQ_CST) == NOTHING;
    return scarce == NOTHING || (scarce > 0 && --scarce == 0);
}

static void count(int change)
{
    (void)__atomic_fetch_add(&live, change, __ATOMIC_SEQ_CST);
}

void *__wrap_malloc(size_t size)
{
    void *block = refuse() ? NULL : __real_malloc(size);

    count(block != NULL);
    return block;
}

void *__wrap_calloc(size_t n, size_t size)
{
    void *block = refuse() ? NULL : __real_calloc(n, size);

    count(block != NULL);
    return block;
}

void *__wrap_realloc(void *block, size_t size)
{
    void *grown = refuse() ? NULL : __real_realloc(block, size);

    count(grown != NULL && block == NULL);
    return grown;
}

void __wrap_free(void *block)
{
    count(-(block != NULL));
    __real_free(block);
}

void *__wrap_mmap(void *address, size_t size, int protection, int flags, int fd,
                  off_t offset)
{
    void *mapping = MAP_FAILED;

    if (!refuse())
        mapping = __real_mmap(address, size, protection, flags, fd, offset);
    else
        errno = ENOMEM;
    count(mapping != MAP_FAILED);
    return mapping;
}

int __wrap_munmap(void *address, size_t size)
{
    count(-1);
    return __real_munmap(address, size);
}

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr,
                          void *(*fn)(void *), void *arg)
{
    return refuse() ? EAGAIN : __real_pthread_create(thread, attr, fn, arg);
}

/* One attempt, on a thread of its own: threads keep blocks for reuse. */
struct attempt {
    int (*act)(int nth);
    int nth;
    int result;
    int left;      /* blocks and mappings that are not back */
    int left_open; /* descriptors, likewise */
};

/* Those of this process. */
static int descriptors(void)
{
    DIR *fds = opendir("/proc/self/fd");
    int n = 0;

    assert_non_null(fds);
    while (readdir(fds) != NULL)
        n++;
    (void)closedir(fds);
    return n;
}

static void *attempt_run(void *arg)
{
    struct attempt *attempt = arg;

    scarce = PLENTY;
    attempt->result = attempt->act(attempt->nth);
    return NULL;
}

static void attempt_make(struct attempt *attempt)
{
    int before = __atomic_load_n(&live, __ATOMIC_SEQ_CST);
    int before_open = descriptors();
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, attempt_run, attempt), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    attempt->left = __atomic_load_n(&live, __ATOMIC_SEQ_CST) - before;
    attempt->left_open = descriptors() - before_open;
}

/* What libuv opens once, and keeps. */
static int open_what_is_kept(int nth)
{
    (void)nth;
    return cx_run(return_arg, NULL, NULL);
}

/* How many attempts failed before the one that did not. */
static int sweep(int (*act)(int nth))
{
    struct attempt attempt = {.act = open_what_is_kept};

    attempt_make(&attempt);
    attempt.act = act;
    do {
        attempt.nth++;
        attempt_make(&attempt);
        assert_int_equal(attempt.left, 0);
        assert_int_equal(attempt.left_open, 0);
        if (attempt.result != -EAGAIN && attempt.result != 0)
            assert_int_equal(attempt.result, -ENOMEM);
        assert_in_range(attempt.nth, 1, 100);
    } while (attempt.result != 0);
    return attempt.nth - 1;
}

/* Run fn as a main task and have its result. */
static CX__UNUSED int in_a_loop(cx_task_fn *fn, intptr_t arg)
{
    void *result = as_pointer(-EIO);
    int error = cx_run(fn, as_pointer(arg), &result);

    return error != 0 ? error : (int)(intptr_t)result;
}

/* The sweep of what is done within a loop: main gets the number of the
 * allocation that fails, and returns 0 or the error. */
#define SWEEP(name)                                                            \
    static int name(int nth)                                                   \
    {                                                                          \
        return in_a_loop(name##_short, nth);                                   \
    }

#endif
