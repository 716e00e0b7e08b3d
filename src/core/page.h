/* SPDX-License-Identifier: MIT */
/*
 * Pages: the arrays of entries that tables share, and the counting of holders
 * that they have in common with tables.
 *
 * The first page of a table is part of it and has one holder as long as the
 * table lives. An entry in k pages holds its value k times, as its type counts.
 */
#ifndef CTXVAR_CORE_PAGE_H
#define CTXVAR_CORE_PAGE_H

#include <ctxvar/var.h>

struct cx__spare;

/* Every number of entries that there is room for is a multiple of this. */
enum { CX__STEP = 8 };

/* Stands for a page on which nothing is set. Its refs is never 1. */
extern struct cx__page cx__empty_page;

static inline bool cx__is_shared(const uint32_t *refs)
{
    return __atomic_load_n(refs, __ATOMIC_ACQUIRE) != 1;
}

/* So many holds less; true for the last. */
static inline bool cx__drop(uint32_t *refs, uint32_t n)
{
    return __atomic_load_n(refs, __ATOMIC_ACQUIRE) == n ||
           __atomic_fetch_sub(refs, n, __ATOMIC_ACQ_REL) == n;
}

static inline size_t cx__page_bytes(uint32_t len)
{
    return offsetof(struct cx__page, entry) + len * sizeof(struct cx__entry);
}

static inline struct cx__page *cx__page_ref(struct cx__page *page)
{
    if (page != &cx__empty_page)
        (void)__atomic_fetch_add(&page->refs, 1, __ATOMIC_RELAXED);
    return page;
}

/* Its last holder has gone. */
void cx__page_free(struct cx__page *page);

static inline void cx__page_unref(struct cx__page *page)
{
    if (page != &cx__empty_page && cx__drop(&page->refs, 1))
        cx__page_free(page);
}

/* Make these entries unset, whatever the block had there. */
void cx__page_clear(struct cx__page *page, uint32_t from, uint32_t to);

/* Copy the first from_len entries into a page with room for to_len, whose
 * others are unset. The values are not held once more. */
void cx__page_fill(struct cx__page *to, const struct cx__page *from,
                   uint32_t from_len, uint32_t to_len);

/* A copy of a page, which holds the values once more; spare may be NULL.
 * NULL: no memory. */
struct cx__page *cx__page_copy(const struct cx__page *from,
                               struct cx__spare *spare);

/* Call a function for each entry whose value or variable is counted. */
static inline void cx__page_each(const struct cx__page *page,
                                 void (*fn)(const struct cx__entry *))
{
    for (uint32_t bits = page->managed; bits != 0; bits &= bits - 1)
        fn(&page->entry[__builtin_ctz(bits)]);
}

/* Make one entry unset, whose hold on its value has gone elsewhere. */
static inline void cx__page_unset(struct cx__page *page, uint32_t i)
{
    page->managed &= ~(1u << i);
    page->limited &= ~(1u << i);
    page->entry[i].var = NULL;
}

#endif
