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
    OID_INT8_ARRAY = 1016,
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

static size_t put_64(char *bytes, int64_t value)
{
    uint64_t eight = htobe64((uint64_t)value);

    memcpy(bytes, &eight, sizeof(eight));
    return sizeof(eight);
}

static size_t put_32(char *bytes, int32_t value)
{
    uint32_t four = htobe32((uint32_t)value);

    memcpy(bytes, &four, sizeof(four));
    return sizeof(four);
}

static size_t put_i64(char *bytes, int64_t value, Oid type)
{
    if (type == OID_INT8)
        return put_64(bytes, value);
    return type == OID_INT4 && value == (int32_t)value
               ? put_32(bytes, (int32_t)value)
               : 0;
}

static size_t put_f64(char *bytes, double value, Oid type)
{
    int64_t bits;

    memcpy(&bits, &value, sizeof(bits));
    return type == OID_FLOAT8 ? put_64(bytes, bits) : 0;
}

/* The first and the last number are infinite. */
static size_t put_timestamp(char *bytes, cx_timestamp value, Oid type)
{
    int64_t us;

    if ((type != OID_TIMESTAMP && type != OID_TIMESTAMPTZ) ||
        __builtin_sub_overflow(value.us, EPOCH_US, &us) || us == INT64_MIN)
        return 0;
    return put_64(bytes, us);
}

static size_t put_bool(char *bytes, bool value, Oid type)
{
    bytes[0] = (char)value;
    return type == OID_BOOL ? sizeof(*bytes) : 0;
}

/* A number, a time or a truth as a type has it in binary, 8 bytes at most: how
 * many; 0: it is to be text, of which the server makes what it can. */
static size_t put_binary(char *bytes, const cx_param *value, Oid type)
{
    switch (value->kind) {
    case CX_KIND_I64:
        return put_i64(bytes, value->i64, type);
    case CX_KIND_F64:
        return put_f64(bytes, value->f64, type);
    case CX_KIND_BOOL:
        return put_bool(bytes, value->boolean, type);
    default:
        return put_timestamp(bytes, value->timestamp, type);
    }
}

static int write_number(struct cx__scratch *scratch, const cx_param *value,
                        Oid type, struct cx__pg_sent *sent)
{
    char bytes[sizeof(int64_t)];
    size_t len = put_binary(bytes, value, type);
    char *number = cx__scratch_take(scratch, len > 0 ? len
                                             : value->kind == CX_KIND_I64
                                                 ? CX__PG_I64_BYTES
                                                 : CX__PG_NUMBER_BYTES);

    if (number == NULL)
        return -ENOMEM;
    if (len > 0)
        memcpy(number, bytes, len);
    else
        cx__pg_write_number(number, value);
    *sent = (struct cx__pg_sent){number, (int)len, len > 0};
    return 0;
}

/* libpq takes as text what ends with a NUL. */
static int write_text(struct cx__scratch *scratch, cx_text from, Oid type,
                      struct cx__pg_sent *sent)
{
    char *copy;

    if (type == OID_TEXT || type == OID_VARCHAR || type == OID_BPCHAR) {
        *sent = (struct cx__pg_sent){from.data, (int)from.len, 1};
        return 0;
    }
    copy = cx__scratch_take(scratch, from.len + 1);
    if (copy == NULL)
        return -ENOMEM;
    (void)memcpy(copy, from.data, from.len);
    copy[from.len] = '\0';
    sent->data = copy;
    return 0;
}

int cx__pg_write(struct cx__scratch *scratch, const cx_param *value, Oid type,
                 struct cx__pg_sent *sent)
{
    *sent = (struct cx__pg_sent){.data = NULL};
    switch (value->kind) {
    case CX_KIND_NULL:
        return 0;
    case CX_KIND_TEXT:
        return write_text(scratch, value->text, type, sent);
    case CX_KIND_BLOB:
        *sent = (struct cx__pg_sent){value->blob.data, (int)value->blob.len, 1};
        return 0;
    default:
        return write_number(scratch, value, type, sent);
    }
}

/* One dimension, no NULL in it, the type, how many from which index on; then
 * each with its length. */
static char *put_array(char *at, const int64_t *list, size_t n)
{
    const int32_t head[] = {1, 0, OID_INT8, (int32_t)n, 1};

    for (size_t i = 0; i < sizeof(head) / sizeof(head[0]); i++)
        at += put_32(at, head[i]);
    for (size_t i = 0; i < n; i++) {
        at += put_32(at, sizeof(list[i]));
        at += put_64(at, list[i]);
    }
    return at;
}

static char *put_array_text(char *at, const int64_t *list, size_t n)
{
    char before = '{';

    for (size_t i = 0; i < n; i++) {
        const cx_param number = cx__param_i64(list[i]);

        *at++ = before;
        before = ',';
        cx__pg_write_number(at, &number);
        at += strlen(at);
    }
    *at++ = '}';
    *at = '\0';
    return at;
}

int cx__pg_write_numbers(struct cx__scratch *scratch, const int64_t *list,
                         size_t n, Oid type, struct cx__pg_sent *sent)
{
    char *made = cx__scratch_take(scratch, (n + 1) * CX__PG_I64_BYTES);
    bool binary = type == OID_INT8_ARRAY;
    const char *end;

    if (made == NULL)
        return -ENOMEM;
    end = binary ? put_array(made, list, n) : put_array_text(made, list, n);
    *sent = (struct cx__pg_sent){made, (int)(end - made), binary};
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
    /* NULL has no bytes, and is asked for where there are none. */
    if (len == 0 && PQgetisnull(rows, row, column))
        return 0;
    value->kind = wanted != CX_KIND_NULL ? wanted : cx__pg_kind(type);
    if (PQfformat(rows, column) != 0)
        return read_binary(data, len, type, value);
    return cx__pg_read_text(scratch, data, len, type, value);
}
