/* SPDX-License-Identifier: MIT */
/*
 * A thread's record: made when the thread first needs one, and taken down
 * after its other destructors, so that they still read their values.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "context.h"
#include "hold.h"
#include "thread.h"

CX__THREAD_LOCAL struct cx__tls cx__tls CX__INITIAL_EXEC = {
    .scope = {{.table = &cx__empty_table}, {.table = &cx__empty_table}},
};

struct cx__thread cx__thread_gone;
CX__THREAD_LOCAL struct cx__ids cx__ids;

static pthread_key_t key;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static int key_error;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t last_id;

void cx__lock(void)
{
    (void)pthread_mutex_lock(&lock);
}

void cx__unlock(void)
{
    (void)pthread_mutex_unlock(&lock);
}

void cx__ids_draw(void)
{
    enum { BLOCK = 4096 };

    cx__ids.next = __atomic_fetch_add(&last_id, BLOCK, __ATOMIC_RELAXED) + 1;
    cx__ids.end = cx__ids.next + BLOCK;
}

static void bin_empty(struct cx__bin *bin)
{
    while (bin->head != NULL) {
        void *block = bin->head;

        bin->head = *(void **)block;
        free(block);
    }
    bin->len = 0;
}

void cx__thread_free(struct cx__thread *thread)
{
    if (thread == NULL)
        return;
    for (size_t i = 0; i < CX__POOL_BINS; i++)
        bin_empty(&thread->bin[i]);
    free(thread);
}

static void thread_release(struct cx__thread *thread)
{
    cx_context *own = thread->own;
    cx_context *variables = thread->variables;

    thread->own = NULL;
    thread->variables = NULL;
    cx__tls.scope[1] = (struct cx__scope){.table = &cx__empty_table};
    cx__context_leave_all();
    cx__context_disown(own);
    cx__context_disown(variables);
}

/* A released value may set variables once more; the second time it may not. */
static void thread_end(struct cx__thread *thread)
{
    thread_release(thread);
    cx__tls.thread = &cx__thread_gone;
    thread_release(thread);
    cx__thread_free(thread);
}

/*
 * The key's destructor. Other keys' destructors may want to read variables,
 * all of which run in the first round, so it asks to be called again in the
 * second. The rounds left are for records that a destructor brings about.
 */
static void thread_exit(void *arg)
{
    struct cx__thread *thread = arg;

    if (++thread->rounds < 2 && pthread_setspecific(key, thread) == 0)
        return;
    thread_end(thread);
}

static void core_init(void)
{
    key_error = pthread_key_create(&key, thread_exit);
    (void)pthread_atfork(cx__lock, cx__unlock, cx__unlock);
}

/* A fork must find the lock looked after even where no thread has a record. */
__attribute__((constructor)) static void core_load(void)
{
    (void)pthread_once(&once, core_init);
}

struct cx__thread *cx__thread_new(void)
{
    struct cx__thread *thread;

    (void)pthread_once(&once, core_init);
    if (key_error != 0) {
        errno = ENOMEM;
        return NULL;
    }
    thread = calloc(1, sizeof(*thread));
    if (thread != NULL)
        thread->id = cx__next_id();
    else
        errno = ENOMEM;
    return thread;
}

/*
 * The process ends, or a plugin that the library is linked into is unloaded.
 * The thread that does it has no key destructors called; others that end later
 * must not find them gone. It is among the last destructors, since the others
 * may end threads.
 */
__attribute__((destructor(101))) static void core_unload(void)
{
    struct cx__thread *thread = cx__tls.thread;

    if (thread != NULL && thread != &cx__thread_gone)
        thread_end(thread);
    if (key_error == 0)
        (void)pthread_key_delete(key);
}

void cx__thread_adopt(struct cx__thread *thread, cx_context *own)
{
    /* Refused only for want of memory: then the record outlives its thread. */
    (void)pthread_setspecific(key, thread);
    cx__tls.thread = thread;
    thread->own = own;
    (void)cx_context_swap(own);
}

struct cx__thread *cx__thread_make(void)
{
    struct cx__thread *thread;

    if (cx__tls.thread == &cx__thread_gone) {
        errno = ESHUTDOWN;
        return NULL;
    }
    thread = cx__thread_new();
    if (thread == NULL)
        return NULL;
    if (pthread_setspecific(key, thread) != 0) {
        cx__thread_free(thread);
        errno = ENOMEM;
        return NULL;
    }
    cx__tls.thread = thread;
    return thread;
}

uint64_t cx__thread_id(void)
{
    const struct cx__thread *thread = cx__tls.thread;

    return thread != NULL ? thread->id : 0;
}

void *cx__alloc_new(size_t size)
{
    return malloc(((size - 1) / CX__POOL_STEP + 1) * CX__POOL_STEP);
}

void cx__free_old(void *block)
{
    free(block);
}
