/* SPDX-License-Identifier: MIT */
#ifndef CTXVAR_SQL_ARENA_H
#define CTXVAR_SQL_ARENA_H

#include <stddef.h>

#include <ctxvar/data.h>

/* Memory for any type, until cx_arena_fini(); NULL: there is none. */
void *cx__arena_alloc(cx_arena *arena, size_t size);

/* A copy, followed by a NUL; NULL: no memory. */
const char *cx__arena_copy(cx_arena *arena, const void *data, size_t len);

/* Put text or bytes that a field borrows into an arena: 0 or -ENOMEM. */
int cx__arena_keep(cx_arena *arena, cx_param *field);

/* What a field that is kept so takes at most: an array that grows is there
 * twice, and what lies in an arena ends where another thing may begin. */
static inline size_t cx__arena_bytes(const cx_param *field)
{
    size_t bytes = 2 * sizeof(*field);

    if (field->kind == CX_KIND_TEXT || field->kind == CX_KIND_BLOB)
        bytes += field->text.len + sizeof(max_align_t);
    return bytes;
}

#endif
