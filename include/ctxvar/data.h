/* SPDX-License-Identifier: MIT */
/*
 * Data on its way to a database and back: text, bytes and moments.
 */
#ifndef CTXVAR_DATA_H
#define CTXVAR_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <ctxvar/platform.h>

CX__BEGIN_DECLS

/** UTF-8 of a known length, which need not end with a NUL. */
typedef struct cx_text {
    const char *data; /**< NULL: no text at all, SQL's NULL */
    size_t len;       /**< in bytes */
} cx_text;

/** Bytes. */
typedef struct cx_blob {
    const void *data; /**< NULL: SQL's NULL */
    size_t len;
} cx_blob;

/** A moment, to the microsecond, whatever the clock on the wall says. */
typedef struct cx_timestamp {
    int64_t us; /**< since 1970-01-01 00:00:00 UTC, without leap seconds */
} cx_timestamp;

/** What kind of value a cx_param is. */
typedef enum cx_kind {
    CX_KIND_NULL = 0,
    CX_KIND_I64 = 1,
    CX_KIND_F64 = 2,
    CX_KIND_BOOL = 3,
    CX_KIND_TEXT = 4,
    CX_KIND_BLOB = 5,
    CX_KIND_TIMESTAMP = 6,
} cx_kind;

/** A value and its kind: a parameter of a statement, or a field of a row. */
typedef struct cx_param {
    cx_kind kind;
    union {
        int64_t i64;
        double f64;
        bool boolean;
        cx_text text;
        cx_blob blob;
        cx_timestamp timestamp;
    };
} cx_param;

CX__INLINE cx_text cx__text(const char *string)
{
    cx_text text;

    text.data = string;
    text.len = string != NULL ? strlen(string) : 0;
    return text;
}

/**
 * A C string as a cx_text, borrowed; NULL gives no text.
 *
 * Source: own.  Since: 0.1
 */
#define CX_TEXT(string) cx__text(string)

CX__END_DECLS

#endif
