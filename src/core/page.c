/* SPDX-License-Identifier: MIT */
/*
 * Pages: copying and releasing them.
 */
#include <string.h>

#include "page.h"
#include "spare.h"
#include "thread.h"
#include "variable.h"

struct cx__page cx__empty_page;

void cx__page_free(struct cx__page *page)
{
    cx__page_each(page, cx__entry_unref);
    cx__free(page, cx__page_bytes(CX__PAGE_SLOTS));
}

/* Copies of a size that the compiler knows are much cheaper for the few
 * entries that there mostly are. */
static void entries_copy(struct cx__entry *to, const struct cx__entry *from,
                         uint32_t len)
{
    for (uint32_t i = 0; i < len; i += CX__STEP)
        memcpy(&to[i], &from[i], CX__STEP * sizeof(to[0]));
}

void cx__page_clear(struct cx__page *page, uint32_t from, uint32_t to)
{
    for (uint32_t i = from; i < to; i += CX__STEP)
        memset(&page->entry[i], 0, CX__STEP * sizeof(page->entry[0]));
}

void cx__page_fill(struct cx__page *to, const struct cx__page *from,
                   uint32_t from_len, uint32_t to_len)
{
    to->refs = 1;
    to->managed = from->managed;
    to->limited = from->limited;
    entries_copy(to->entry, from->entry, from_len);
    cx__page_clear(to, from_len, to_len);
}

struct cx__page *cx__page_copy(const struct cx__page *from,
                               struct cx__spare *spare)
{
    struct cx__page *page = spare != NULL
                                ? cx__spare_take_page(spare)
                                : cx__alloc(cx__page_bytes(CX__PAGE_SLOTS));

    if (page != NULL) {
        cx__page_fill(page, from, CX__PAGE_SLOTS, CX__PAGE_SLOTS);
        cx__page_each(page, cx__entry_ref);
    }
    return page;
}
