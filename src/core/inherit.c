/* SPDX-License-Identifier: MIT */
/*
 * Copies of tables that hold variables with restricted inheritance, or cells:
 * a table of their own, whose pages are gone through.
 */
#include <errno.h>

#include "inherit.h"
#include "page.h"
#include "table.h"
#include "thread.h"
#include "variable.h"

/*
 * Make an entry of a fresh page right for the copy that it is in: gone, if
 * its variable stays behind, or with a cell of its own. False: no memory, and
 * the entry is gone.
 */
static bool entry_inherit(struct cx__table *table, struct cx__page *page,
                          uint32_t i, enum cx__copy_for whom)
{
    struct cx__entry *entry = &page->entry[i];
    const cx_var *var = entry->var;
    struct cx__entry shared = *entry;
    bool stays = ((unsigned)*var->inherit & whom) == whom;
    bool ok = true;

    if (!stays && (cx__var_flags(var) & CX__CELL) != 0) {
        entry->value.ptr = cx__cell_new(var, shared.value.ptr);
        ok = entry->value.ptr != NULL;
    } else if (!stays) {
        return true;
    }
    if (stays || !ok) {
        cx__page_unset(page, i);
        table->limited--;
    }
    if ((cx__var_flags(var) & CX__MANAGED) != 0)
        cx__entry_unref(&shared);
    return ok;
}

static bool page_inherit(struct cx__table *table, struct cx__page **page,
                         enum cx__copy_for whom)
{
    bool ok = true;

    if (cx__is_shared(&(*page)->refs)) {
        struct cx__page *copy = cx__page_copy(*page, NULL);

        if (copy == NULL)
            return false;
        cx__page_unref(*page);
        *page = copy;
    }
    for (uint32_t bits = (*page)->limited; bits != 0; bits &= bits - 1)
        ok &= entry_inherit(table, *page, (uint32_t)__builtin_ctz(bits), whom);
    return ok;
}

static struct cx__table *table_inherit(const struct cx__table *from,
                                       enum cx__copy_for whom)
{
    struct cx__table *table = cx__table_grow(from, from->len, false, NULL);
    bool ok = table != NULL;

    for (uint32_t i = 0; ok && i < cx__pages_of(table->len); i++) {
        if (table->page[i]->limited != 0)
            ok = page_inherit(table, &table->page[i], whom);
    }
    if (!ok) {
        if (table != NULL)
            cx__table_unref(table);
        errno = ENOMEM;
        return NULL;
    }
    table->origin = cx__thread_id();
    return table;
}

/* What stays behind is released meanwhile, by code of the program's, which
 * may set variables: so the table is held, and cannot be written in place. */
struct cx__table *cx__table_inherit(struct cx__table *from,
                                    enum cx__copy_for whom)
{
    struct cx__table *table;

    (void)cx__table_ref(from);
    table = table_inherit(from, whom);
    cx__table_unref(from);
    return table;
}

struct cx__table *cx__table_copy_for_run(struct cx__table *table)
{
    if (CX__LIKELY(table->limited == 0))
        return cx__table_ref(table);
    return cx__table_inherit(table, table->origin == cx__thread_id()
                                        ? CX__FOR_TASK
                                        : CX__FOR_THREAD);
}
