/* SPDX-License-Identifier: MIT */
/*
 * Values as PostgreSQL writes them, in the one form that our sessions have it
 * use: ISO dates in UTC, bytes in hexadecimal.
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "postgres_value.h"
#include "problem.h"
#include "utf8.h"

enum {
    OID_BOOL = 16,
    OID_BYTEA = 17,
    OID_INT8 = 20,
    OID_INT2 = 21,
    OID_INT4 = 23,
    OID_OID = 26,
    OID_FLOAT4 = 700,
    OID_FLOAT8 = 701,
    OID_TIMESTAMP = 1114,
    OID_TIMESTAMPTZ = 1184,
    NUMBER_BYTES = 64,
    I64_BYTES = 21,
    US = 1000000, /* in a second */
    DAY = 86400   /* seconds */
};

struct cx__scratch_block {
    struct cx__scratch_block *next;
    char data[];
};

static char *scratch_take(struct cx__scratch *scratch, size_t bytes)
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

/* Days since 1970-01-01 of a day of the Gregorian calendar, and back; the year
 * begins in March here, so that the day that comes and goes is its last. */
static int64_t days_of(int64_t year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t of_era = y - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year -
           719468;
}

static void date_of(int64_t days, int64_t *year, int *month, int *day)
{
    int64_t z = days + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t of_era = z - era * 146097;
    int64_t y =
        (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * y + y / 4 - y / 100);
    int64_t m = (5 * of_year + 2) / 153;

    *day = (int)(of_year - (153 * m + 2) / 5 + 1);
    *month = (int)(m < 10 ? m + 3 : m - 9);
    *year = y + era * 400 + (*month <= 2);
}

static void write_timestamp(char *text, int64_t us)
{
    int64_t seconds = us / US - (us % US < 0);
    int64_t days = seconds / DAY - (seconds % DAY < 0);
    int64_t rest = seconds - days * DAY;
    int64_t year;
    int month, day;

    date_of(days, &year, &month, &day);
    (void)snprintf(text, NUMBER_BYTES,
                   "%04" PRId64 "-%02d-%02d %02d:%02d:%02d.%06d+00%s",
                   year > 0 ? year : 1 - year, month, day, (int)(rest / 3600),
                   (int)(rest / 60 % 60), (int)(rest % 60),
                   (int)(us - seconds * US), year > 0 ? "" : " BC");
}

/* printf() takes longer than all else that is done for a key. The text's end
 * is returned. */
static char *write_i64(char *text, int64_t value)
{
    uint64_t left = value < 0 ? -(uint64_t)value : (uint64_t)value;
    char digits[20];
    size_t n = 0;

    do
        digits[n++] = (char)('0' + left % 10);
    while ((left /= 10) != 0);
    if (value < 0)
        *text++ = '-';
    while (n > 0)
        *text++ = digits[--n];
    *text = '\0';
    return text;
}

/* A number's text. */
static void write_number(char *text, const cx_param *value)
{
    switch (value->kind) {
    case CX_KIND_I64:
        (void)write_i64(text, value->i64);
        break;
    case CX_KIND_F64:
        if (isinf(value->f64))
            (void)snprintf(text, NUMBER_BYTES, "%sInfinity",
                           value->f64 < 0 ? "-" : "");
        else
            (void)snprintf(text, NUMBER_BYTES, "%.17g", value->f64);
        break;
    case CX_KIND_BOOL:
        (void)snprintf(text, NUMBER_BYTES, "%s", value->boolean ? "t" : "f");
        break;
    default:
        write_timestamp(text, value->timestamp.us);
        break;
    }
}

/* libpq takes strings that end with a NUL. */
static int write_text(struct cx__scratch *scratch, cx_text from,
                      const char **text)
{
    char *copy;

    *text = NULL;
    if (from.data == NULL)
        return 0;
    if (!cx__utf8_is_valid(from) || memchr(from.data, '\0', from.len) != NULL)
        return cx__problem(-EILSEQ, "a text that is not UTF-8, or has a NUL");
    copy = scratch_take(scratch, from.len + 1);
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
    char *made = scratch_take(scratch, n * I64_BYTES + 3);
    char *at = made;

    if (made == NULL)
        return -ENOMEM;
    *at++ = '{';
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            *at++ = ',';
        at = write_i64(at, list[i]);
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
    if (value->kind == CX_KIND_F64 && isnan(value->f64))
        return cx__problem(-EDOM, "a number that is none");
    number = scratch_take(scratch, value->kind == CX_KIND_I64 ? I64_BYTES
                                                              : NUMBER_BYTES);
    if (number == NULL)
        return -ENOMEM;
    write_number(number, value);
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
    case OID_FLOAT4:
    case OID_FLOAT8:
        return CX_KIND_F64;
    case OID_TIMESTAMP:
    case OID_TIMESTAMPTZ:
        return CX_KIND_TIMESTAMP;
    default:
        return CX_KIND_TEXT;
    }
}

static int wrong(void)
{
    return cx__problem(-EBADMSG, "a field of another kind than the column's");
}

static int read_i64(const char *text, cx_param *value)
{
    char *end;

    errno = 0;
    value->i64 = strtoll(text, &end, 10);
    return end != text && *end == '\0' && errno == 0 ? 0 : wrong();
}

static int read_f64(const char *text, cx_param *value)
{
    char *end;

    value->f64 = strtod(text, &end);
    return end != text && *end == '\0' ? 0 : wrong();
}

static int read_bool(const char *text, cx_param *value)
{
    value->boolean = text[0] == 't';
    return strcmp(text, "t") == 0 || strcmp(text, "f") == 0 ? 0 : wrong();
}

/* A number of digits, and the character that must follow; past both. False:
 * it is not so. */
static bool take_number(const char **text, char end, int64_t *number)
{
    const char *at = *text;

    for (*number = 0; *at >= '0' && *at <= '9' && at - *text < 9; at++)
        *number = *number * 10 + (*at - '0');
    if (at == *text || (end != '\0' && *at != end))
        return false;
    *text = at + (end != '\0');
    return true;
}

/* The microseconds of "2026-11-23 07:00:00", and past that. */
static bool take_moment(const char **text, int64_t *year, int64_t *us)
{
    int64_t month, day, hour, minute, second;

    if (!take_number(text, '-', year) || !take_number(text, '-', &month) ||
        !take_number(text, ' ', &day) || !take_number(text, ':', &hour) ||
        !take_number(text, ':', &minute) || !take_number(text, '\0', &second))
        return false;
    if (strstr(*text, " BC") != NULL)
        *year = 1 - *year;
    *us = (days_of(*year, (int)month, (int)day) * DAY + hour * 3600 +
           minute * 60 + second) *
          US;
    return true;
}

/* "2026-11-23 07:00:00.123456+00", with as many digits as there are. */
static int read_timestamp(const char *text, cx_param *value)
{
    int64_t year, us;
    int64_t unit = US;

    if (!take_moment(&text, &year, &us))
        return wrong();
    if (*text == '.') {
        while (*++text >= '0' && *text <= '9')
            us += (*text - '0') * (unit /= 10);
    }
    if (strncmp(text, "+00", 3) == 0)
        text += 3;
    if (*text != '\0' && strcmp(text, " BC") != 0)
        return wrong();
    value->timestamp.us = us;
    return 0;
}

static int hex(char c)
{
    return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
}

/* "\x0123..." */
static int read_blob(struct cx__scratch *scratch, const char *text, size_t len,
                     cx_param *value)
{
    char *data;

    if (len < 2 || text[0] != '\\' || text[1] != 'x' || len % 2 != 0)
        return wrong();
    value->blob.len = len / 2 - 1;
    data = scratch_take(scratch, value->blob.len + 1);
    if (data == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < value->blob.len; i++)
        data[i] = (char)(hex(text[2 * i + 2]) << 4 | hex(text[2 * i + 3]));
    value->blob.data = data;
    return 0;
}

int cx__pg_read(struct cx__scratch *scratch, const PGresult *rows, int row,
                int column, cx_kind wanted, cx_param *value)
{
    const char *text = PQgetvalue(rows, row, column);
    size_t len = (size_t)PQgetlength(rows, row, column);

    *value = (cx_param){.kind = CX_KIND_NULL};
    if (PQgetisnull(rows, row, column))
        return 0;
    value->kind =
        wanted != CX_KIND_NULL ? wanted : cx__pg_kind(PQftype(rows, column));
    switch (value->kind) {
    case CX_KIND_I64:
        return read_i64(text, value);
    case CX_KIND_F64:
        return read_f64(text, value);
    case CX_KIND_BOOL:
        return read_bool(text, value);
    case CX_KIND_BLOB:
        return read_blob(scratch, text, len, value);
    case CX_KIND_TIMESTAMP:
        return read_timestamp(text, value);
    default:
        value->text = (cx_text){text, len};
        return 0;
    }
}
