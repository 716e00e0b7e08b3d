/* SPDX-License-Identifier: MIT */
/*
 * Values as they are said to PostgreSQL and come from it, in binary where that
 * can be; in text, postgres_text.c.
 */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "postgres_value.h"
#include "problem.h"

enum {
    OID_BOOL = 16,
    OID_BYTEA = 17,
    OID_NAME = 19,
    OID_INT8 = 20,
    OID_INT2 = 21,
    OID_INT4 = 23,
    OID_TEXT = 25,
    OID_OID = 26,
    OID_JSON = 114,
    OID_FLOAT8 = 701,
    OID_BPCHAR = 1042,
    OID_VARCHAR = 1043,
    OID_TIMESTAMP = 1114,
    OID_TIMESTAMPTZ = 1184
};

/* From 1970-01-01 to the server's first moment, 2000-01-01. */
#define EPOCH_US (INT64_C(946684800) * 1000000)

struct cx__scratch_block {
    struct cx__scratch_block *next;
    char data[];
};

char *cx__scratch_take(struct cx__scratch *scratch, size_t bytes)
{
    struct cx__scratch_block *block;

    if (bytes <= sizeof(scratch->first) - scratch->used) {
        scratch->used += bytes;
        return scratch->first + scratch->used - bytes;
    }
    block = malloc(sizeof(*block) + bytes);
    if (block == NULL)
        return NULL;
    block->next = scratch->blocks;
    scratch->blocks = block;
    return block->data;
}

void cx__scratch_clear(struct cx__scratch *scratch)
{
    while (scratch->blocks != NULL) {
        struct cx__scratch_block *block = scratch->blocks;

        scratch->blocks = block->next;
        free(block);
    }
    scratch->used = 0;
}

/* libpq takes strings that end with a NUL. */
static int write_text(struct cx__scratch *scratch, cx_text from,
                      const char **text)
{
    char *copy;

    *text = NULL;
    if (from.data == NULL)
        return 0;
    copy = cx__scratch_take(scratch, from.len + 1);
    if (copy == NULL)
        return -ENOMEM;
    (void)memcpy(copy, from.data, from.len);
    copy[from.len] = '\0';
    *text = copy;
    return 0;
}

int cx__pg_write_numbers(struct cx__scratch *scratch, const int64_t *list,
                         size_t n, const char **text)
{
    char *made = cx__scratch_take(scratch, n * CX__PG_I64_BYTES + 3);
    char *at = made;

    if (made == NULL)
        return -ENOMEM;
    *at++ = '{';
    for (size_t i = 0; i < n; i++) {
        const cx_param number = cx__param_i64(list[i]);

        if (i > 0)
            *at++ = ',';
        cx__pg_write_number(at, &number);
        at += strlen(at);
    }
    *at++ = '}';
    *at = '\0';
    *text = made;
    return 0;
}

int cx__pg_write(struct cx__scratch *scratch, const cx_param *value,
                 const char **text)
{
    char *number;

    switch (value->kind) {
    case CX_KIND_NULL:
        *text = NULL;
        return 0;
    case CX_KIND_TEXT:
        return write_text(scratch, value->text, text);
    case CX_KIND_BLOB:
        *text = value->blob.data;
        return 0;
    default:
        break;
    }
    number = cx__scratch_take(scratch, value->kind == CX_KIND_I64
                                           ? CX__PG_I64_BYTES
                                           : CX__PG_NUMBER_BYTES);
    if (number == NULL)
        return -ENOMEM;
    cx__pg_write_number(number, value);
    *text = number;
    return 0;
}

cx_kind cx__pg_kind(Oid type)
{
    switch (type) {
    case OID_BOOL:
        return CX_KIND_BOOL;
    case OID_BYTEA:
        return CX_KIND_BLOB;
    case OID_INT8:
    case OID_INT2:
    case OID_INT4:
    case OID_OID:
        return CX_KIND_I64;
    case CX__OID_FLOAT4:
    case OID_FLOAT8:
        return CX_KIND_F64;
    case OID_TIMESTAMP:
    case OID_TIMESTAMPTZ:
        return CX_KIND_TIMESTAMP;
    default:
        return CX_KIND_TEXT;
    }
}

bool cx__pg_is_ours(Oid type)
{
    return cx__pg_kind(type) != CX_KIND_TEXT || type == OID_TEXT ||
           type == OID_VARCHAR || type == OID_BPCHAR || type == OID_NAME ||
           type == OID_JSON;
}

int cx__pg_misfit(enum cx__pg_misfit misfit)
{
    static const char *const words[] = {
        [CX__PG_KIND] = "of another kind",
        [CX__PG_RANGE] = "out of range",
        [CX__PG_INFINITE] = "infinite",
    };

    return cx__problem(-EBADMSG, "%s", words[misfit]);
}

/* A number of 2, 4 or 8 bytes, the first one being the highest. */
static bool take_i64(const char *data, size_t len, int64_t *value)
{
    uint16_t two;
    uint32_t four;
    uint64_t eight;

    switch (len) {
    case sizeof(two):
        memcpy(&two, data, len);
        *value = (int16_t)be16toh(two);
        return true;
    case sizeof(four):
        memcpy(&four, data, len);
        *value = (int32_t)be32toh(four);
        return true;
    case sizeof(eight):
        memcpy(&eight, data, len);
        *value = (int64_t)be64toh(eight);
        return true;
    default:
        return false;
    }
}

static int read_i64(const char *data, size_t len, Oid type, cx_param *value)
{
    if (!take_i64(data, len, &value->i64))
        return cx__pg_misfit(CX__PG_KIND);
    if (type == OID_OID)
        value->i64 = (uint32_t)value->i64;
    return 0;
}

static int read_f64(const char *data, size_t len, cx_param *value)
{
    int64_t bits;
    uint32_t half;
    float f32;

    if (!take_i64(data, len, &bits))
        return cx__pg_misfit(CX__PG_KIND);
    half = (uint32_t)bits;
    memcpy(&f32, &half, sizeof(f32));
    memcpy(&value->f64, &bits, sizeof(value->f64));
    if (len == sizeof(f32))
        value->f64 = (double)f32;
    return len >= sizeof(f32) ? 0 : cx__pg_misfit(CX__PG_KIND);
}

static int read_bool(const char *data, size_t len, cx_param *value)
{
    value->boolean = len == 1 && data[0] == 1;
    return len == 1 && (data[0] == 0 || data[0] == 1)
               ? 0
               : cx__pg_misfit(CX__PG_KIND);
}

/* The first and the last number are infinite. */
static int read_timestamp(const char *data, size_t len, cx_param *value)
{
    int64_t us;

    if (len != sizeof(us) || !take_i64(data, len, &us))
        return cx__pg_misfit(CX__PG_KIND);
    if (us == INT64_MIN || us == INT64_MAX)
        return cx__pg_misfit(CX__PG_INFINITE);
    if (__builtin_add_overflow(us, EPOCH_US, &value->timestamp.us))
        return cx__pg_misfit(CX__PG_RANGE);
    return 0;
}

static int read_binary(const char *data, size_t len, Oid type, cx_param *value)
{
    if (value->kind != cx__pg_kind(type))
        return cx__pg_misfit(CX__PG_KIND);
    switch (value->kind) {
    case CX_KIND_I64:
        return read_i64(data, len, type, value);
    case CX_KIND_F64:
        return read_f64(data, len, value);
    case CX_KIND_BOOL:
        return read_bool(data, len, value);
    case CX_KIND_BLOB:
        value->blob = (cx_blob){data, len};
        return 0;
    case CX_KIND_TIMESTAMP:
        return read_timestamp(data, len, value);
    default:
        value->text = (cx_text){data, len};
        return 0;
    }
}

int cx__pg_read(struct cx__scratch *scratch, const PGresult *rows, int row,
                int column, cx_kind wanted, cx_param *value)
{
    const char *data = PQgetvalue(rows, row, column);
    size_t len = (size_t)PQgetlength(rows, row, column);
    Oid type = PQftype(rows, column);

    *value = (cx_param){.kind = CX_KIND_NULL};
    if (PQgetisnull(rows, row, column))
        return 0;
    value->kind = wanted != CX_KIND_NULL ? wanted : cx__pg_kind(type);
    if (PQfformat(rows, column) != 0)
        return read_binary(data, len, type, value);
    return cx__pg_read_text(scratch, data, len, type, value);
}
