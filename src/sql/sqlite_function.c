/* SPDX-License-Identifier: MIT */
/*
 * Functions in the place of SQLite's own, which give the same, but sooner.
 * Between two steps of a statement others have their turn; within a function
 * nobody has. SQLite's instr() and replace() compare the text that is sought
 * with every place of the other: where both are a megabyte, that is a minute.
 * These go over both texts once.
 */
#include <string.h>

#include "sqlite.h"

struct bytes {
    const unsigned char *data;
    size_t len;
};

/* As text, whatever it is. data: NULL for NULL, or without memory. */
static struct bytes text_of(sqlite3_value *value)
{
    const unsigned char *data = sqlite3_value_text(value);

    return (struct bytes){data, (size_t)sqlite3_value_bytes(value)};
}

/* The same, but that bytes stay what they are. */
static struct bytes bytes_of(sqlite3_value *value)
{
    static const unsigned char empty[1];
    struct bytes bytes;

    if (sqlite3_value_type(value) != SQLITE_BLOB)
        return text_of(value);
    bytes.data = sqlite3_value_blob(value);
    bytes.len = (size_t)sqlite3_value_bytes(value);
    if (bytes.len == 0)
        bytes.data = empty;
    return bytes;
}

static bool is_inner(unsigned char byte)
{
    return (byte & 0xc0) == 0x80;
}

static const unsigned char *find(struct bytes in, struct bytes what)
{
    return memmem(in.data, in.len, what.data, what.len);
}

/* The same in text: a character is not found in the middle of another. */
static const unsigned char *find_text(struct bytes in, struct bytes what)
{
    if (what.len == 0 || !is_inner(what.data[0]))
        return find(in, what);
    return what.len <= in.len && memcmp(in.data, what.data, what.len) == 0
               ? in.data
               : NULL;
}

/* How many characters begin after the first byte, up to and with the last. */
static int characters(const unsigned char *from, const unsigned char *last)
{
    int n = 0;

    while (from < last)
        n += !is_inner(*++from);
    return n;
}

/* instr(X, Y): where Y begins in X, from 1; 0: nowhere. */
static void instr(sqlite3_context *context, int n, sqlite3_value **values)
{
    bool is_blob = sqlite3_value_type(values[0]) == SQLITE_BLOB &&
                   sqlite3_value_type(values[1]) == SQLITE_BLOB;
    struct bytes in, what;
    const unsigned char *at;

    (void)n;
    if (sqlite3_value_type(values[0]) == SQLITE_NULL ||
        sqlite3_value_type(values[1]) == SQLITE_NULL)
        return;
    in = bytes_of(values[0]);
    what = bytes_of(values[1]);
    if (in.data == NULL || what.data == NULL) {
        sqlite3_result_error_nomem(context);
        return;
    }
    at = is_blob ? find(in, what) : find_text(in, what);
    if (at == NULL)
        sqlite3_result_int(context, 0);
    else
        sqlite3_result_int(context, 1 + (is_blob ? (int)(at - in.data)
                                                 : characters(in.data, at)));
}

/* What is left after a place. */
static struct bytes after(struct bytes bytes, const unsigned char *at)
{
    return (struct bytes){at, bytes.len - (size_t)(at - bytes.data)};
}

static size_t count(struct bytes in, struct bytes what)
{
    const unsigned char *at;
    size_t n = 0;

    for (; (at = find(in, what)) != NULL; n++)
        in = after(in, at + what.len);
    return n;
}

static unsigned char *append(unsigned char *to, const unsigned char *from,
                             size_t len)
{
    memcpy(to, from, len);
    return to + len;
}

/* Write `in` with `with` for each `what`. */
static void put(unsigned char *to, struct bytes in, struct bytes what,
                struct bytes with)
{
    const unsigned char *at;

    while ((at = find(in, what)) != NULL) {
        to = append(to, in.data, (size_t)(at - in.data));
        to = append(to, with.data, with.len);
        in = after(in, at + what.len);
    }
    (void)append(to, in.data, in.len);
}

/* The same as a result, which has a limit. */
static void give(sqlite3_context *context, struct bytes in, struct bytes what,
                 struct bytes with)
{
    sqlite3 *handle = sqlite3_context_db_handle(context);
    size_t most = (size_t)sqlite3_limit(handle, SQLITE_LIMIT_LENGTH, -1);
    size_t n = count(in, what);
    size_t len = in.len - n * what.len + n * with.len;
    unsigned char *text;

    if (len > most) {
        sqlite3_result_error_toobig(context);
        return;
    }
    text = sqlite3_malloc64(len + 1);
    if (text == NULL) {
        sqlite3_result_error_nomem(context);
        return;
    }
    put(text, in, what, with);
    text[len] = '\0';
    sqlite3_result_text(context, (char *)text, (int)len, sqlite3_free);
}

/* replace(X, Y, Z): X with Z for each Y. */
static void replace(sqlite3_context *context, int n, sqlite3_value **values)
{
    struct bytes in = text_of(values[0]);
    struct bytes what = text_of(values[1]);
    struct bytes with;

    (void)n;
    if (in.data == NULL || what.data == NULL)
        return;
    if (what.data[0] == '\0') {
        sqlite3_result_value(context, values[0]);
        return;
    }
    with = text_of(values[2]);
    if (with.data != NULL)
        give(context, in, what, with);
}

int cx__sqlite_functions(sqlite3 *handle)
{
    int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS;
    int code = sqlite3_create_function_v2(handle, "instr", 2, flags, NULL,
                                          instr, NULL, NULL, NULL);

    if (code == SQLITE_OK)
        code = sqlite3_create_function_v2(handle, "replace", 3, flags, NULL,
                                          replace, NULL, NULL, NULL);
    return code;
}
