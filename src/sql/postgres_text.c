/* SPDX-License-Identifier: MIT */
/*
 * Values as PostgreSQL writes them in text, in the one form that our sessions
 * have it use: ISO dates in UTC, bytes in hexadecimal. What is not so is not
 * read.
 */
#include <errno.h>
#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "postgres_value.h"

enum {
    US = 1000000, /* in a second */
    DAY = 86400   /* seconds */
};

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
    bool is_between = us % US < 0;
    int64_t seconds = us / US - is_between;
    int64_t days = seconds / DAY - (seconds % DAY < 0);
    int64_t rest = seconds - days * DAY;
    int64_t year;
    int month, day;

    date_of(days, &year, &month, &day);
    (void)snprintf(text, CX__PG_NUMBER_BYTES,
                   "%04" PRId64 "-%02d-%02d %02d:%02d:%02d.%06d+00%s",
                   year > 0 ? year : 1 - year, month, day, (int)(rest / 3600),
                   (int)(rest / 60 % 60), (int)(rest % 60),
                   (int)(us % US + (is_between ? US : 0)),
                   year > 0 ? "" : " BC");
}

/* printf() takes longer than all else that is done for a key. */
static void write_i64(char *text, int64_t value)
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
}

/* The C locale, whatever the program's is; libc keeps it for all. */
static locale_t c_locale(void)
{
    return newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

/* As many digits as it takes to be read as the same. */
static void write_f64(char *text, double value)
{
    locale_t before = uselocale(c_locale());

    if (isinf(value))
        (void)snprintf(text, CX__PG_NUMBER_BYTES, "%sInfinity",
                       value < 0 ? "-" : "");
    else
        (void)snprintf(text, CX__PG_NUMBER_BYTES, "%.17g", value);
    (void)uselocale(before);
}

void cx__pg_write_number(char *text, const cx_param *value)
{
    switch (value->kind) {
    case CX_KIND_I64:
        write_i64(text, value->i64);
        break;
    case CX_KIND_F64:
        write_f64(text, value->f64);
        break;
    case CX_KIND_BOOL:
        (void)snprintf(text, CX__PG_NUMBER_BYTES, "%s",
                       value->boolean ? "t" : "f");
        break;
    default:
        write_timestamp(text, value->timestamp.us);
        break;
    }
}

static int read_i64(const char *text, size_t len, cx_param *value)
{
    char *end;

    errno = 0;
    value->i64 = strtoll(text, &end, 10);
    return end != text && end == text + len && errno == 0
               ? 0
               : cx__pg_misfit(CX__PG_KIND);
}

static int read_f64(const char *text, size_t len, Oid type, cx_param *value)
{
    locale_t c = c_locale();
    char *end;

    /* Fewer digits are enough for what has fewer bits. */
    value->f64 = type == CX__OID_FLOAT4 ? (double)strtof_l(text, &end, c)
                                        : strtod_l(text, &end, c);
    return end != text && end == text + len ? 0 : cx__pg_misfit(CX__PG_KIND);
}

static int read_bool(const char *text, cx_param *value)
{
    value->boolean = text[0] == 't';
    return strcmp(text, "t") == 0 || strcmp(text, "f") == 0
               ? 0
               : cx__pg_misfit(CX__PG_KIND);
}

/* A number of digits, and the character that must follow; past both. False:
 * it is not so, or more than the most that it may be. */
static bool take_number(const char **text, char end, int64_t most,
                        int64_t *number)
{
    const char *at = *text;

    for (*number = 0; *at >= '0' && *at <= '9' && at - *text < 9; at++)
        *number = *number * 10 + (*at - '0');
    if (at == *text || (end != '\0' && *at != end) || *number > most)
        return false;
    *text = at + (end != '\0');
    return true;
}

/* "2026-11-23 07:00:00", a day's time. */
struct moment {
    int64_t year, month, day, hour, minute, second;
    int64_t us; /* of the second */
};

static bool take_moment(const char **text, struct moment *moment)
{
    int64_t unit = US;

    if (!take_number(text, '-', INT32_MAX, &moment->year) ||
        !take_number(text, '-', 12, &moment->month) ||
        !take_number(text, ' ', 31, &moment->day) ||
        !take_number(text, ':', 24, &moment->hour) ||
        !take_number(text, ':', 60, &moment->minute) ||
        !take_number(text, '\0', 60, &moment->second))
        return false;
    moment->us = 0;
    if (**text == '.') {
        while (*++*text >= '0' && **text <= '9')
            moment->us += (**text - '0') * (unit /= 10);
    }
    return moment->month > 0 && moment->day > 0;
}

/* False: it is too far away. */
static bool us_of(const struct moment *moment, int64_t *us)
{
    int64_t seconds =
        ((days_of(moment->year, (int)moment->month, (int)moment->day) * 24 +
          moment->hour) *
             60 +
         moment->minute) *
            60 +
        moment->second;

    return !__builtin_mul_overflow(seconds, (int64_t)US, us) &&
           !__builtin_add_overflow(*us, moment->us, us);
}

/* "2026-11-23 07:00:00.123456+00 BC": as many digits as there are, and "+00"
 * for a type with a time zone. */
static int read_timestamp(const char *text, cx_param *value)
{
    struct moment moment;

    if (strcmp(text, "infinity") == 0 || strcmp(text, "-infinity") == 0)
        return cx__pg_misfit(CX__PG_INFINITE);
    if (!take_moment(&text, &moment))
        return cx__pg_misfit(CX__PG_KIND);
    if (strncmp(text, "+00", 3) == 0)
        text += 3;
    if (strcmp(text, " BC") == 0) {
        moment.year = 1 - moment.year;
        text += 3;
    }
    if (*text != '\0')
        return cx__pg_misfit(CX__PG_KIND);
    return us_of(&moment, &value->timestamp.us) ? 0
                                                : cx__pg_misfit(CX__PG_RANGE);
}

/* -1: it is no digit. */
static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "\x0123..." */
static int read_blob(struct cx__scratch *scratch, const char *text, size_t len,
                     cx_param *value)
{
    char *data;

    if (len < 2 || text[0] != '\\' || text[1] != 'x' || len % 2 != 0)
        return cx__pg_misfit(CX__PG_KIND);
    value->blob.len = len / 2 - 1;
    data = cx__scratch_take(scratch, value->blob.len + 1);
    if (data == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < value->blob.len; i++) {
        int high = hex(text[2 * i + 2]);
        int low = hex(text[2 * i + 3]);

        if (high < 0 || low < 0)
            return cx__pg_misfit(CX__PG_KIND);
        data[i] = (char)(high * 16 + low);
    }
    value->blob.data = data;
    return 0;
}

int cx__pg_read_text(struct cx__scratch *scratch, const char *text, size_t len,
                     Oid type, cx_param *value)
{
    switch (value->kind) {
    case CX_KIND_I64:
        return read_i64(text, len, value);
    case CX_KIND_F64:
        return read_f64(text, len, type, value);
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
