/* SPDX-License-Identifier: MIT */
/*
 * What the core knows of a thread: its own context, its free lists, and the
 * end of both. The part that is read at every cx_get() is cx__tls.
 */
#ifndef CTXVAR_CORE_THREAD_H
#define CTXVAR_CORE_THREAD_H

#include <stddef.h>
#include <stdint.h>

#include <ctxvar/context.h>

#include "../platform/pool.h"

/* Blocks of up to 1 KiB are recycled, by size in steps of 64 bytes. */
enum { CX__POOL_STEP = 64, CX__POOL_BINS = 16 };

struct cx__bin {
    void *head; /* linked through the first word of each block */
    unsigned len;
};

/*
 *            first set                 last destructor round
 *   (none) ------------> LIVE record -----------------------> GONE
 *
 * NULL <=> nothing was ever set or copied on this thread
 * GONE <=> the thread is past its last destructor: values read as not set,
 *          and a set is refused, since nobody would release it
 */
struct cx__thread {
    cx_context *own;       /* where the thread starts; made at need */
    cx_context *variables; /* what thread variables are kept in; at need */
    uint64_t id;           /* of the same numbers as contexts */
    unsigned rounds;       /* of destructors seen */
    struct cx__bin bin[CX__POOL_BINS];
};

/* The record of a thread that is past its last destructor. */
extern struct cx__thread cx__thread_gone;

struct cx__thread *cx__thread_make(void);

/* This thread's record; NULL with errno ENOMEM or ESHUTDOWN. */
static inline struct cx__thread *cx__thread_get(void)
{
    struct cx__thread *thread = cx__tls.thread;

    return CX__LIKELY(thread != NULL && thread != &cx__thread_gone)
               ? thread
               : cx__thread_make();
}

/* A record for a thread to come, which adopts it with its first context. */
struct cx__thread *cx__thread_new(void);
void cx__thread_free(struct cx__thread *thread);
void cx__thread_adopt(struct cx__thread *thread, cx_context *own);

/* This thread's id, 0 where it has no record. */
uint64_t cx__thread_id(void);

/* A number that no context or thread had before. Threads draw blocks of
 * them, so that making a context costs no atomic operation. */
struct cx__ids {
    uint64_t next, end;
};
extern CX__THREAD_LOCAL struct cx__ids cx__ids;
void cx__ids_draw(void);

static inline uint64_t cx__next_id(void)
{
    if (cx__ids.next == cx__ids.end)
        cx__ids_draw();
    return cx__ids.next++;
}

/* Memory from this thread's free lists. The block's size is told twice. */
void *cx__alloc_new(size_t size);
void cx__free_old(void *block);

static inline void *cx__alloc(size_t size)
{
    struct cx__thread *thread = cx__tls.thread;
    size_t i = (size - 1) / CX__POOL_STEP;

    if (CX__LIKELY(thread != NULL && i < CX__POOL_BINS)) {
        struct cx__bin *bin = &thread->bin[i];
        void *block = bin->head;

        if (CX__LIKELY(block != NULL)) {
            bin->head = *(void **)block;
            bin->len--;
            return block;
        }
    }
    return cx__alloc_new(size);
}

static inline void cx__free(void *block, size_t size)
{
    struct cx__thread *thread = cx__tls.thread;
    size_t i = (size - 1) / CX__POOL_STEP;

    if (CX__LIKELY(thread != NULL && thread != &cx__thread_gone &&
                   i < CX__POOL_BINS &&
                   thread->bin[i].len + 1 <= CX__POOL_KEEP)) {
        struct cx__bin *bin = &thread->bin[i];

        *(void **)block = bin->head;
        bin->head = block;
        bin->len++;
        return;
    }
    cx__free_old(block);
}

/* The one lock of the core: variables' numbers, and who watches. */
void cx__lock(void);
void cx__unlock(void);

#endif
