/* SPDX-License-Identifier: MIT */
/* Rows that are collected: fields in one array that doubles, what they borrow
 * in an arena. */
#include <errno.h>
#include <string.h>

#include "arena.h"
#include "collection.h"
#include "problem.h"

static size_t bytes_of(const cx_param *fields, size_t n)
{
    size_t bytes = 0;

    for (size_t i = 0; i < n; i++)
        bytes += cx__arena_bytes(&fields[i]);
    return bytes;
}

/* Room for one more row of n fields: twice as much as there was. */
static int grow(struct cx__collection *all, size_t n)
{
    size_t room = all->room != 0 ? all->room * 2 : 8;
    cx_param *field;

    if (all->rows.len < all->room)
        return 0;
    if (room > SIZE_MAX / 4 / (n + 1) / sizeof(cx_param))
        return -E2BIG;
    field = cx__arena_alloc(&all->rows.arena, room * n * sizeof(cx_param));
    if (field == NULL)
        return -ENOMEM;
    if (all->rows.len > 0)
        memcpy(field, all->field, all->rows.len * n * sizeof(cx_param));
    all->field = field;
    all->room = room;
    return 0;
}

int cx__collection_add(struct cx__collection *all, const cx_param *fields,
                       size_t n)
{
    size_t bytes = bytes_of(fields, n);
    cx_param *row;
    int error;

    if (bytes > all->left)
        return cx__problem(-E2BIG, "%s", cx__problem_many_rows);
    all->left -= bytes;
    error = grow(all, n);
    row = error == 0 ? &all->field[all->rows.len * n] : NULL;
    for (size_t i = 0; error == 0 && i < n; i++) {
        row[i] = fields[i];
        error = cx__arena_keep(&all->rows.arena, &row[i]);
    }
    all->rows.len += error == 0;
    return error;
}

int cx__collection_end(struct cx__collection *all, int error, cx_rows *rows)
{
    all->rows.field = all->field;
    if (error == 0 && rows != NULL)
        *rows = all->rows;
    else
        cx_arena_fini(&all->rows.arena);
    return error;
}
