/* SPDX-License-Identifier: MIT */
/*
 * Data on its way to a database and back: text, bytes and moments, parameters,
 * and the memory that what was read lies in.
 */
#ifndef CTXVAR_DATA_H
#define CTXVAR_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <ctxvar/platform.h>

CX__BEGIN_DECLS

/** UTF-8 of a known length, which need not end with a NUL; what a database has
 *  given does. */
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

/** A value that may be missing: SQL's NULL, where .set is false. */
typedef struct cx_maybe_i64 {
    int64_t value;
    bool set;
} cx_maybe_i64;

/** See cx_maybe_i64. */
typedef struct cx_maybe_i32 {
    int32_t value;
    bool set;
} cx_maybe_i32;

/** See cx_maybe_i64. */
typedef struct cx_maybe_f64 {
    double value;
    bool set;
} cx_maybe_f64;

/** See cx_maybe_i64. */
typedef struct cx_maybe_bool {
    bool value;
    bool set;
} cx_maybe_bool;

/** See cx_maybe_i64. */
typedef struct cx_maybe_timestamp {
    cx_timestamp value;
    bool set;
} cx_maybe_timestamp;

/** What kind of value a cx_param is; cx_rows tells that of what is read. */
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

/** Parameters of a statement, $1 first. */
typedef struct cx_params {
    const cx_param *list;
    size_t len;
} cx_params;

/**
 * Memory for what is read: text and bytes of any number of rows, let go of at
 * once. {0} is an empty one. Its members are private.
 */
typedef struct cx_arena {
    struct cx__chunk *chunks;
    char *at;
    size_t left;
} cx_arena;

/**
 * Let go of all that lies in an arena; it is empty then, and may be used on.
 *
 * @param arena  Borrowed; NULL is ignored.
 *
 * Suspends: never. Threads: any, one at a time. Cost: that of freeing each
 * 4 KiB of it.
 * Source: own.  Since: 0.1
 */
CX__API void cx_arena_fini(cx_arena *arena);

/**
 * Define an arena on the stack that is let go of with its block.
 *
 *     CX_ARENA(arena);
 *
 * Source: own.  Since: 0.1
 */
#define CX_ARENA(name)                                                         \
    cx_arena name CX__CLEANUP(cx_arena_fini) = {NULL, NULL, 0}

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

CX__INLINE cx_param cx__param_i64(int64_t value)
{
    cx_param param;

    param.kind = CX_KIND_I64;
    param.i64 = value;
    return param;
}

CX__INLINE cx_param cx__param_f64(double value)
{
    cx_param param;

    param.kind = CX_KIND_F64;
    param.f64 = value;
    return param;
}

CX__INLINE cx_param cx__param_bool(bool value)
{
    cx_param param;

    param.kind = CX_KIND_BOOL;
    param.boolean = value;
    return param;
}

CX__INLINE cx_param cx__param_text(cx_text value)
{
    cx_param param;

    param.kind = value.data != NULL ? CX_KIND_TEXT : CX_KIND_NULL;
    param.text = value;
    return param;
}

CX__INLINE cx_param cx__param_string(const char *value)
{
    return cx__param_text(cx__text(value));
}

CX__INLINE cx_param cx__param_blob(cx_blob value)
{
    cx_param param;

    param.kind = value.data != NULL ? CX_KIND_BLOB : CX_KIND_NULL;
    param.blob = value;
    return param;
}

CX__INLINE cx_param cx__param_timestamp(cx_timestamp value)
{
    cx_param param;

    param.kind = CX_KIND_TIMESTAMP;
    param.timestamp = value;
    return param;
}

CX__INLINE cx_param cx__param_null(void)
{
    cx_param param;

    param.kind = CX_KIND_NULL;
    param.i64 = 0;
    return param;
}

CX__INLINE cx_param cx__param_maybe_i64(cx_maybe_i64 value)
{
    return value.set ? cx__param_i64(value.value) : cx__param_null();
}

CX__INLINE cx_param cx__param_maybe_i32(cx_maybe_i32 value)
{
    return value.set ? cx__param_i64(value.value) : cx__param_null();
}

CX__INLINE cx_param cx__param_maybe_f64(cx_maybe_f64 value)
{
    return value.set ? cx__param_f64(value.value) : cx__param_null();
}

CX__INLINE cx_param cx__param_maybe_bool(cx_maybe_bool value)
{
    return value.set ? cx__param_bool(value.value) : cx__param_null();
}

CX__INLINE cx_param cx__param_maybe_timestamp(cx_maybe_timestamp value)
{
    return value.set ? cx__param_timestamp(value.value) : cx__param_null();
}

CX__INLINE cx_param cx__param_same(cx_param value)
{
    return value;
}

#ifndef __cplusplus

/**
 * SQL's NULL, as a cx_param.
 *
 * Source: own.  Since: 0.1
 */
#define CX_NULL cx__param_null()

/**
 * A value as a cx_param, of the kind that its type says: an integer of up to
 * 64 bits with a sign or 32 without, a floating point number, bool, a C
 * string, cx_text, cx_blob, cx_timestamp, one of these that may be missing
 * (cx_maybe_i64 and the like), cx_param. What it points to is borrowed. A value
 * of another type is not compiled.
 *
 * Source: own.  Since: 0.1
 */
#define CX_PARAM(value)                                                        \
    _Generic((value), bool                                                     \
             : cx__param_bool, char                                            \
             : cx__param_i64, signed char                                      \
             : cx__param_i64, short                                            \
             : cx__param_i64, int                                              \
             : cx__param_i64, long                                             \
             : cx__param_i64, long long                                        \
             : cx__param_i64, unsigned char                                    \
             : cx__param_i64, unsigned short                                   \
             : cx__param_i64, unsigned                                         \
             : cx__param_i64, float                                            \
             : cx__param_f64, double                                           \
             : cx__param_f64, char *                                           \
             : cx__param_string, const char *                                  \
             : cx__param_string, cx_text                                       \
             : cx__param_text, cx_blob                                         \
             : cx__param_blob, cx_timestamp                                    \
             : cx__param_timestamp, cx_maybe_i64                               \
             : cx__param_maybe_i64, cx_maybe_i32                               \
             : cx__param_maybe_i32, cx_maybe_f64                               \
             : cx__param_maybe_f64, cx_maybe_bool                              \
             : cx__param_maybe_bool, cx_maybe_timestamp                        \
             : cx__param_maybe_timestamp, cx_param                             \
             : cx__param_same)(value)

/**
 * One to 16 values as the parameters $1, $2 and so on of a statement, in the
 * block that this is in.
 *
 *     cx_db_sql(db, "SELECT name FROM users WHERE age > $1", CX_PARAMS(18),
 *               &rows);
 *
 * Source: own.  Since: 0.1
 */
#define CX_PARAMS(...)                                                         \
    (&(const cx_params){                                                       \
        (const cx_param[]){CX__EACH(CX_PARAM, __VA_ARGS__)},                   \
        sizeof((const cx_param[]){CX__EACH(CX_PARAM, __VA_ARGS__)}) /          \
            sizeof(cx_param)})

/* m(x) for each x, with commas between. */
#define CX__EACH(m, ...)                                                       \
    CX__EACH_OF(__VA_ARGS__, CX__EACH_16, CX__EACH_15, CX__EACH_14,            \
                CX__EACH_13, CX__EACH_12, CX__EACH_11, CX__EACH_10,            \
                CX__EACH_9, CX__EACH_8, CX__EACH_7, CX__EACH_6, CX__EACH_5,    \
                CX__EACH_4, CX__EACH_3, CX__EACH_2, CX__EACH_1, )              \
    (m, __VA_ARGS__)
#define CX__EACH_OF(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13,    \
                    a14, a15, a16, each, ...)                                  \
    each
#define CX__EACH_1(m, x) m(x)
#define CX__EACH_2(m, x, ...) m(x), CX__EACH_1(m, __VA_ARGS__)
#define CX__EACH_3(m, x, ...) m(x), CX__EACH_2(m, __VA_ARGS__)
#define CX__EACH_4(m, x, ...) m(x), CX__EACH_3(m, __VA_ARGS__)
#define CX__EACH_5(m, x, ...) m(x), CX__EACH_4(m, __VA_ARGS__)
#define CX__EACH_6(m, x, ...) m(x), CX__EACH_5(m, __VA_ARGS__)
#define CX__EACH_7(m, x, ...) m(x), CX__EACH_6(m, __VA_ARGS__)
#define CX__EACH_8(m, x, ...) m(x), CX__EACH_7(m, __VA_ARGS__)
#define CX__EACH_9(m, x, ...) m(x), CX__EACH_8(m, __VA_ARGS__)
#define CX__EACH_10(m, x, ...) m(x), CX__EACH_9(m, __VA_ARGS__)
#define CX__EACH_11(m, x, ...) m(x), CX__EACH_10(m, __VA_ARGS__)
#define CX__EACH_12(m, x, ...) m(x), CX__EACH_11(m, __VA_ARGS__)
#define CX__EACH_13(m, x, ...) m(x), CX__EACH_12(m, __VA_ARGS__)
#define CX__EACH_14(m, x, ...) m(x), CX__EACH_13(m, __VA_ARGS__)
#define CX__EACH_15(m, x, ...) m(x), CX__EACH_14(m, __VA_ARGS__)
#define CX__EACH_16(m, x, ...) m(x), CX__EACH_15(m, __VA_ARGS__)

#endif /* C */

CX__END_DECLS

#endif
