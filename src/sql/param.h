/* SPDX-License-Identifier: MIT */
/* Parameters of statements, before an engine has them. */
#ifndef CTXVAR_SQL_PARAM_H
#define CTXVAR_SQL_PARAM_H

#include "engine.h"

/* Bytes of a statement's text, or of its values together: PostgreSQL takes
 * messages of less than a GiB, and a part of that is around them. */
enum { CX__PARAM_MOST = (1 << 30) - (1 << 16) };

/* May a statement have so many? 0, or -E2BIG with words. */
int cx__param_check_number(const struct cx__engine *engine, size_t n);

/* Is it a value that every engine stores as what it is? 0, or the error with
 * words left for it. */
int cx__param_check(const cx_param *value);

/* How many bytes a text or a blob has; 0: it is none. */
static inline size_t cx__param_bytes(const cx_param *value)
{
    switch (value->kind) {
    case CX_KIND_TEXT:
        return value->text.len;
    case CX_KIND_BLOB:
        return value->blob.len;
    default:
        return 0;
    }
}

#endif
