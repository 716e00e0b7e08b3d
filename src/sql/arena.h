/* SPDX-License-Identifier: MIT */
#ifndef CTXVAR_SQL_ARENA_H
#define CTXVAR_SQL_ARENA_H

#include <ctxvar/data.h>

/* Memory for any type, until cx_arena_fini(); NULL: there is none. */
void *cx__arena_alloc(cx_arena *arena, size_t size);

/* A copy, followed by a NUL; NULL: no memory. */
const char *cx__arena_copy(cx_arena *arena, const void *data, size_t len);

/* Put text or bytes that a field borrows into an arena: 0 or -ENOMEM. */
int cx__arena_keep(cx_arena *arena, cx_param *field);

#endif
