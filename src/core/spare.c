/* SPDX-License-Identifier: MIT */
/*
 * Memory for resets, set aside when a context with open tokens comes to share
 * its table: for the one copy of it that they may need, and for one page each.
 */
#include <errno.h>

#include "page.h"
#include "spare.h"
#include "table.h"
#include "thread.h"

void *cx__spare_take_table(struct cx__spare *spare, uint32_t len)
{
    void *block;

    if (spare->table == NULL || spare->len != len)
        return cx__alloc(cx__table_bytes(len));
    block = spare->table;
    spare->table = NULL;
    return block;
}

void *cx__spare_take_page(struct cx__spare *spare)
{
    struct cx__page *page;

    if (spare->pages == NULL)
        return cx__alloc(cx__page_bytes(CX__PAGE_SLOTS));
    page = spare->pages;
    spare->pages = page->entry[0].value.ptr;
    spare->pages_len--;
    return page;
}

static void spare_free_table(struct cx__spare *spare)
{
    if (spare->table != NULL)
        cx__free(spare->table, cx__table_bytes(spare->len));
    spare->table = NULL;
}

static int spare_fill_table(struct cx__spare *spare, uint32_t len)
{
    if (spare->table != NULL && spare->len == len)
        return 0;
    spare_free_table(spare);
    spare->table = cx__alloc(cx__table_bytes(len));
    spare->len = len;
    return spare->table != NULL ? 0 : -1;
}

static int spare_fill_pages(struct cx__spare *spare, uint64_t pages)
{
    while (spare->pages_len < pages) {
        struct cx__page *page = cx__alloc(cx__page_bytes(CX__PAGE_SLOTS));

        if (page == NULL)
            return -1;
        page->entry[0].value.ptr = spare->pages;
        spare->pages = page;
        spare->pages_len++;
    }
    return 0;
}

int cx__spare_fill(struct cx__spare **spare, const struct cx__table *table,
                   uint64_t tokens)
{
    uint32_t shareable = cx__pages_of(table->len) - 1;

    if (*spare == NULL) {
        *spare = cx__alloc(sizeof(**spare));
        if (*spare != NULL)
            **spare = (struct cx__spare){.len = 0};
    }
    if (*spare != NULL && spare_fill_table(*spare, table->len) == 0 &&
        spare_fill_pages(*spare, tokens < shareable ? tokens : shareable) == 0)
        return 0;
    errno = ENOMEM;
    return -1;
}

void cx__spare_free(struct cx__spare *spare)
{
    if (spare == NULL)
        return;
    spare_free_table(spare);
    while (spare->pages != NULL) {
        struct cx__page *page = spare->pages;

        spare->pages = page->entry[0].value.ptr;
        cx__free(page, cx__page_bytes(CX__PAGE_SLOTS));
    }
    cx__free(spare, sizeof(*spare));
}
