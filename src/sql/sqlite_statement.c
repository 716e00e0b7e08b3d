/* SPDX-License-Identifier: MIT */
/* Statements of SQLite's: what is common to all engines is in statement.c. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "problem.h"
#include "sqlite_statement.h"
#include "task/yield.h"

/* Of a value: as long as many rows. */
enum { LARGE_BYTES = 1 << 20 };

static struct cx__sqlite_statement *own(struct cx__statement *statement)
{
    return cx__sqlite_statement_of(statement);
}

static sqlite3_stmt *handle_of(const struct cx__statement *statement)
{
    return CX__OWNER(statement, const struct cx__sqlite_statement, base)
        ->handle;
}

static struct cx__sqlite_connection *
connection_of(const struct cx__statement *statement)
{
    return cx__sqlite_connection_of(statement->connection);
}

/* What follows the space, semicolon or comment that begins here; here, if none
 * does. */
static const char *skip_one(const char *at, const char *end)
{
    size_t left = (size_t)(end - at);
    const char *last;

    if (strchr(" \t\r\n\f;", *at) != NULL)
        return at + 1;
    if (left >= 2 && memcmp(at, "--", 2) == 0) {
        last = memchr(at, '\n', left);
        return last != NULL ? last + 1 : end;
    }
    if (left >= 2 && memcmp(at, "/*", 2) == 0) {
        last = memmem(at + 2, left - 2, "*/", 2);
        return last != NULL ? last + 2 : end;
    }
    return at;
}

/* Is there anything after the statement that is one, too? */
static bool has_more(const char *tail, const char *end)
{
    const char *next;

    while (tail < end && (next = skip_one(tail, end)) != tail)
        tail = next;
    return tail < end;
}

/* The handle is the caller's to finalize, also after an error. */
static int compile(struct cx__sqlite_connection *connection, cx_text text,
                   enum cx__origin origin, sqlite3_stmt **handle)
{
    const char *tail = NULL;
    int code;

    if (text.data == NULL || memchr(text.data, '\0', text.len) != NULL)
        return cx__problem(-EINVAL, "a statement with a NUL in it");
    if (text.len > INT32_MAX)
        return cx__problem(-E2BIG, "the statement is too long");
    if (origin == CX__PROGRAM)
        code = cx__lane_prepare(connection, text, handle, &tail);
    else
        code = sqlite3_prepare_v3(connection->handle, text.data, (int)text.len,
                                  SQLITE_PREPARE_PERSISTENT, handle, &tail);
    if (code != SQLITE_OK)
        return code < 0 ? code : cx__sqlite_problem(connection, code);
    if (*handle == NULL)
        return cx__problem(-EINVAL, "there is no statement in the text");
    if (has_more(tail, text.data + text.len))
        return cx__problem(-EINVAL, "there is more than one statement");
    return 0;
}

/* The place that the n-th parameter's name says; 0: none, as SQLite's own ? and
 * :name have, which no server knows. */
static unsigned place_of(sqlite3_stmt *handle, unsigned n)
{
    const char *name = sqlite3_bind_parameter_name(handle, (int)n);
    unsigned long place;
    char *end;

    if (name == NULL || name[0] != '$')
        return 0;
    place = strtoul(name + 1, &end, 10);
    return *end == '\0' && place <= UINT16_MAX ? (unsigned)place : 0;
}

/*
 * SQLite counts $2 before $1 if it comes first. Elsewhere the number in the
 * name is the place, and so it is here.
 */
static int map_places(struct cx__sqlite_statement *statement)
{
    unsigned n = statement->base.parameters;
    bool is_mapped = false;

    statement->place = calloc(n + 1, sizeof(*statement->place));
    if (statement->place == NULL)
        return -ENOMEM;
    for (unsigned i = 1; i <= n; i++) {
        unsigned place = place_of(statement->handle, i);

        if (place == 0 || place > n || statement->place[place] != 0)
            return cx__problem(-EINVAL, "parameters are $1, $2 and so on");
        statement->place[place] = (unsigned short)i;
        is_mapped |= place != i;
    }
    if (!is_mapped) {
        free(statement->place);
        statement->place = NULL;
    }
    return 0;
}

static int examine(struct cx__sqlite_statement *statement,
                   enum cx__origin origin)
{
    statement->base.parameters =
        (unsigned)sqlite3_bind_parameter_count(statement->handle);
    /* What is explained is not done, but counts as if it were. */
    statement->writes = !sqlite3_stmt_readonly(statement->handle) &&
                        sqlite3_stmt_isexplain(statement->handle) == 0;
    if (origin == CX__PROGRAM) {
        statement->ahead = cx__ahead_new();
        if (statement->ahead == NULL)
            return -ENOMEM;
    }
    return statement->base.parameters > 0 ? map_places(statement) : 0;
}

void cx__sqlite_finalize(struct cx__statement *base)
{
    struct cx__sqlite_statement *statement = own(base);

    (void)sqlite3_finalize(statement->handle);
    cx__ahead_free(statement->ahead);
    free(statement->place);
    free(statement);
}

int cx__sqlite_prepare(struct cx__connection *base, cx_text text,
                       enum cx__origin origin, struct cx__statement **out)
{
    struct cx__sqlite_connection *connection = cx__sqlite_connection_of(base);
    struct cx__sqlite_statement *statement = calloc(1, sizeof(*statement));
    int error;

    if (statement == NULL)
        return -ENOMEM;
    connection->trusted = origin == CX__OWN;
    connection->preparing = true;
    error = compile(connection, text, origin, &statement->handle);
    connection->preparing = false;
    if (error == 0)
        error = examine(statement, origin);
    if (error != 0)
        cx__sqlite_finalize(&statement->base);
    else
        *out = &statement->base;
    return error;
}

static bool is_large(size_t bytes)
{
    return bytes >= LARGE_BYTES;
}

static int bind_value(struct cx__sqlite_statement *statement, int place,
                      const cx_param *value)
{
    sqlite3_stmt *handle = statement->handle;

    switch (value->kind) {
    case CX_KIND_NULL:
        break;
    case CX_KIND_I64:
        return sqlite3_bind_int64(handle, place, value->i64);
    case CX_KIND_TIMESTAMP:
        return sqlite3_bind_int64(handle, place, value->timestamp.us);
    case CX_KIND_BOOL:
        return sqlite3_bind_int(handle, place, value->boolean);
    case CX_KIND_F64:
        return sqlite3_bind_double(handle, place, value->f64);
    case CX_KIND_TEXT:
        statement->large |= is_large(value->text.len);
        return sqlite3_bind_text64(handle, place, value->text.data,
                                   value->text.len, SQLITE_STATIC, SQLITE_UTF8);
    case CX_KIND_BLOB:
        statement->large |= is_large(value->blob.len);
        return sqlite3_bind_blob64(handle, place, value->blob.data,
                                   value->blob.len, SQLITE_STATIC);
    }
    return sqlite3_bind_null(handle, place);
}

int cx__sqlite_bind(struct cx__statement *base, unsigned place,
                    const cx_param *value)
{
    struct cx__sqlite_statement *statement = own(base);
    int code;

    if (statement->place != NULL)
        place = statement->place[place];
    code = bind_value(statement, (int)place, value);
    return code <= 0 ? code : cx__sqlite_problem(connection_of(base), code);
}

static int step_failed(struct cx__sqlite_connection *connection, int code)
{
    struct cx__outcome outcome;

    (void)cx__sqlite_step_outcome(connection, code, &outcome);
    return cx__sqlite_tell(&outcome);
}

static int step_result(struct cx__sqlite_connection *connection, int code)
{
    if (CX__LIKELY(code == SQLITE_ROW))
        return 1;
    return code == SQLITE_DONE ? 0 : step_failed(connection, code);
}

/* On a lane; where there is no thread to be had, here. */
static int step_long(struct cx__sqlite_connection *connection, int *code)
{
    sqlite3_stmt *handle = connection->stepped;
    int error = cx__lane_step_once(connection, handle, code);

    if (error == 0 || error == -ECANCELED || error == -ETIMEDOUT)
        return error;
    *code = sqlite3_step(handle);
    return 0;
}

int cx__sqlite_step_whole(struct cx__statement *base, bool is_long)
{
    struct cx__sqlite_connection *connection = connection_of(base);
    int code = SQLITE_OK;
    int error = 0;

    connection->trusted = base->origin == CX__OWN;
    connection->stepped = own(base)->handle;
    if (is_long)
        error = step_long(connection, &code);
    else
        code = sqlite3_step(connection->stepped);
    connection->stepped = NULL;
    return error != 0 ? error : step_result(connection, code);
}

/* One that changes something. */
static int step_write(struct cx__sqlite_statement *statement)
{
    bool is_long = statement->large;

    if (!statement->writing) {
        int error = cx__sqlite_writer(connection_of(&statement->base));

        if (error != 0)
            return error;
        statement->writing = true;
    }
    statement->large = false;
    return cx__sqlite_step_whole(&statement->base, is_long);
}

int cx__sqlite_step(struct cx__statement *base)
{
    struct cx__sqlite_statement *statement = own(base);
    struct cx__sqlite_connection *connection = connection_of(base);

    if (statement->ahead != NULL)
        return cx__lane_step(statement);
    if (statement->writes)
        return step_write(statement);
    connection->trusted = base->origin == CX__OWN;
    return step_result(connection, sqlite3_step(statement->handle));
}

static int wrong_kind(void)
{
    return cx__problem(-EBADMSG, "of another kind");
}

/* What the kinds of an application are among SQLite's five. */
static int read_integer(int64_t i64, cx_kind wanted, cx_param *value)
{
    value->kind = wanted;
    switch (wanted) {
    case CX_KIND_NULL:
        value->kind = CX_KIND_I64;
        value->i64 = i64;
        return 0;
    case CX_KIND_I64:
        value->i64 = i64;
        return 0;
    case CX_KIND_TIMESTAMP:
        value->timestamp.us = i64;
        return 0;
    case CX_KIND_F64:
        value->f64 = (double)i64;
        return 0;
    case CX_KIND_BOOL:
        value->boolean = i64 != 0;
        return i64 == 0 || i64 == 1 ? 0 : wrong_kind();
    default:
        return wrong_kind();
    }
}

/* A value that took long to read: the others have their turn, and perhaps no
 * more is wanted. On a lane there is no task. */
static int read_large(void)
{
    int error = cx_task_current() != NULL ? cx__yield_long() : 0;

    return error != 0 ? cx__wordless(error) : 0;
}

static int read_text(sqlite3_value *field, cx_param *value)
{
    value->kind = CX_KIND_TEXT;
    value->text.data = (const char *)sqlite3_value_text(field);
    value->text.len = (size_t)sqlite3_value_bytes(field);
    if (!CX__LIKELY(value->text.data != NULL))
        return -ENOMEM;
    return CX__LIKELY(!is_large(value->text.len)) ? 0 : read_large();
}

/* Bytes of no length are not NULL. */
static int read_blob(sqlite3_value *field, cx_param *value)
{
    const void *data = sqlite3_value_blob(field);

    value->kind = CX_KIND_BLOB;
    value->blob.data = data != NULL ? data : "";
    value->blob.len = (size_t)sqlite3_value_bytes(field);
    return CX__LIKELY(!is_large(value->blob.len)) ? 0 : read_large();
}

static bool is_wanted(cx_kind wanted, cx_kind kind)
{
    return wanted == kind || wanted == CX_KIND_NULL;
}

/*
 * One look for the field, and all else is asked of that. SQLite calls such a
 * value unprotected: against other threads, of which the connection has none.
 */
int cx__sqlite_field(sqlite3_stmt *handle, unsigned place, cx_kind wanted,
                     cx_param *value)
{
    sqlite3_value *field = sqlite3_column_value(handle, (int)place);

    switch (sqlite3_value_type(field)) {
    case SQLITE_INTEGER:
        return read_integer(sqlite3_value_int64(field), wanted, value);
    case SQLITE_TEXT:
        return is_wanted(wanted, CX_KIND_TEXT) ? read_text(field, value)
                                               : wrong_kind();
    case SQLITE_BLOB:
        return is_wanted(wanted, CX_KIND_BLOB) ? read_blob(field, value)
                                               : wrong_kind();
    case SQLITE_FLOAT:
        value->kind = CX_KIND_F64;
        value->f64 = sqlite3_value_double(field);
        return is_wanted(wanted, CX_KIND_F64) ? 0 : wrong_kind();
    default:
        value->kind = CX_KIND_NULL;
        return 0;
    }
}

int cx__sqlite_column(struct cx__statement *base, unsigned place,
                      cx_kind wanted, cx_param *value)
{
    const struct cx__sqlite_statement *statement = own(base);

    if (CX__LIKELY(statement->ahead == NULL))
        return cx__sqlite_field(statement->handle, place, wanted, value);
    cx__lane_column(statement, place, value);
    return 0;
}

void cx__sqlite_reset(struct cx__statement *base)
{
    struct cx__sqlite_statement *statement = own(base);

    if (statement->ahead != NULL)
        cx__lane_reset(statement);
    (void)sqlite3_reset(statement->handle);
    if (statement->writing) {
        statement->writing = false;
        cx__sqlite_writer_done(connection_of(base));
    }
}

unsigned cx__sqlite_columns(const struct cx__statement *statement)
{
    return (unsigned)sqlite3_column_count(handle_of(statement));
}

const char *cx__sqlite_name(const struct cx__statement *statement,
                            unsigned place)
{
    return sqlite3_column_name(handle_of(statement), (int)place);
}

int64_t cx__sqlite_changed(const struct cx__statement *statement)
{
    if (!CX__OWNER(statement, const struct cx__sqlite_statement, base)->writes)
        return 0;
    return sqlite3_changes64(connection_of(statement)->handle);
}

int64_t cx__sqlite_inserted(const struct cx__statement *statement)
{
    return sqlite3_last_insert_rowid(connection_of(statement)->handle);
}
