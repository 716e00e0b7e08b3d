/* SPDX-License-Identifier: MIT */
/*
 * Functions in the place of SQLite's own, which give the same, but sooner.
 * Between two steps of a statement a cancel is heeded; within a function it is
 * not. SQLite's instr() and replace() compare the text that is sought with
 * every place of the other: where both are a megabyte, that is a minute. These
 * go over both texts once. SQLite's trim() looks for each character among any
 * number of others; here there is an end to that number.
 */
#include <string.h>

#include "sqlite.h"

enum { SET_BYTES = 100 }; /* of characters to be trimmed, at most */

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
    size_t len = in.len - n * what.len;
    unsigned char *text;

    if (len > most || (with.len > 0 && n > (most - len) / with.len)) {
        sqlite3_result_error_toobig(context);
        return;
    }
    len += n * with.len;
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

/* The length of a character, whatever bytes it may be. */
static size_t character(const unsigned char *text, const unsigned char *end)
{
    const unsigned char *at = text + 1;

    if (*text >= 0xc0) {
        while (at < end && is_inner(*at))
            at++;
    }
    return (size_t)(at - text);
}

/* How many bytes at one end of a text are a character of a set; 0: none. */
static size_t match(struct bytes in, struct bytes set, bool at_begin)
{
    const unsigned char *end = set.data + set.len;
    unsigned char byte = in.data[at_begin ? 0 : in.len - 1];
    size_t len;

    if (byte < 0x80)
        return memchr(set.data, byte, set.len) != NULL;
    for (const unsigned char *at = set.data; at < end; at += len) {
        len = character(at, end);
        if (len <= in.len &&
            memcmp(at_begin ? in.data : in.data + in.len - len, at, len) == 0)
            return len;
    }
    return 0;
}

enum { BEGIN = 1, END = 2 };

/* trim(X, Y), ltrim(X, Y), rtrim(X, Y): X without those of Y at its ends. */
static void trim(sqlite3_context *context, int n, sqlite3_value **values)
{
    const int *ends = sqlite3_user_data(context);
    struct bytes in = text_of(values[0]);
    struct bytes set = text_of(values[1]);
    size_t len;

    (void)n;
    if (in.data == NULL || set.data == NULL)
        return;
    set.len = strlen((const char *)set.data);
    if (set.len > SET_BYTES) {
        sqlite3_result_error_toobig(context);
        return;
    }
    while ((*ends & BEGIN) != 0 && in.len > 0 &&
           (len = match(in, set, true)) != 0)
        in = after(in, in.data + len);
    while ((*ends & END) != 0 && in.len > 0 &&
           (len = match(in, set, false)) != 0)
        in.len -= len;
    sqlite3_result_text(context, (const char *)in.data, (int)in.len,
                        SQLITE_TRANSIENT);
}

static const struct function {
    const char *name;
    int parameters;
    void (*call)(sqlite3_context *, int, sqlite3_value **);
    int ends;
} functions[] = {
    {"instr", 2, instr, 0},         {"replace", 3, replace, 0},
    {"trim", 2, trim, BEGIN | END}, {"ltrim", 2, trim, BEGIN},
    {"rtrim", 2, trim, END},
};

int cx__sqlite_functions(sqlite3 *handle)
{
    int code = SQLITE_OK;

    for (size_t i = 0;
         i < sizeof(functions) / sizeof(functions[0]) && code == SQLITE_OK; i++)
        code = sqlite3_create_function_v2(
            handle, functions[i].name, functions[i].parameters,
            SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS,
            (void *)(uintptr_t)&functions[i].ends, functions[i].call, NULL,
            NULL, NULL);
    return code;
}
