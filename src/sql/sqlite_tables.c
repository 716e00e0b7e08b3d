/* SPDX-License-Identifier: MIT */
/* Tables and their columns, as SQLite tells them. */
#include <errno.h>
#include <string.h>

#include "sqlite_statement.h"

enum { WHOLE = 1 << CX_KIND_I64 };

/* What PRAGMA table_xinfo gives of a column, and index_list of an index. */
enum { NAME = 1, DECLARED, NOT_NULL, DEFAULT, KEY, HIDDEN };
enum { ORIGIN = 3 };

/* How SQLite tells from a declared type what a column holds: by what is in
 * the name, the first of these that is. */
static const struct affinity {
    const char *part;
    unsigned kinds;
} affinities[] = {
    {"INT", WHOLE | 1 << CX_KIND_BOOL | 1 << CX_KIND_TIMESTAMP},
    {"CHAR", 1 << CX_KIND_TEXT},
    {"CLOB", 1 << CX_KIND_TEXT},
    {"TEXT", 1 << CX_KIND_TEXT},
    {"BLOB", 1 << CX_KIND_BLOB},
    {"REAL", 1 << CX_KIND_F64},
    {"FLOA", 1 << CX_KIND_F64},
    {"DOUB", 1 << CX_KIND_F64},
    {"", 0}, /* of several kinds */
};

static bool is_in(const char *part, const char *declared)
{
    char like[8];

    (void)sqlite3_snprintf(sizeof(like), like, "%%%s%%", part);
    return sqlite3_strlike(like, declared, 0) == 0;
}

static const struct affinity *affinity_of(const char *declared)
{
    const struct affinity *each = affinities;

    if (declared[0] == '\0')
        declared = "BLOB";
    while (!is_in(each->part, declared))
        each++;
    return each;
}

static sqlite3_stmt *handle_of(struct cx__statement *statement)
{
    return cx__sqlite_statement_of(statement)->handle;
}

static int tell_tables(struct cx__statement *statement, cx__table_fn *fn,
                       void *arg)
{
    int result;

    while ((result = cx__sqlite_step(statement)) == 1) {
        const char *name =
            (const char *)sqlite3_column_text(handle_of(statement), 0);

        if (name == NULL)
            return -ENOMEM;
        if (cx__sqlite_is_own(name, NULL))
            fn(arg, name);
    }
    return result;
}

int cx__sqlite_tables(struct cx__connection *connection, cx__table_fn *fn,
                      void *arg)
{
    static const char text[] =
        "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name";
    struct cx__statement *statement;
    int result = cx__statement_own(connection, text, &statement);

    if (result != 0)
        return result;
    result = tell_tables(statement, fn, arg);
    cx__statement_done(statement);
    return result;
}

/* 1 or 0, or the error. SQLite itself would take another letter case, too. */
static int is_there(struct cx__connection *connection, const char *table)
{
    static const char text[] =
        "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = $1";
    cx_param name = cx__param_string(table);
    struct cx__statement *statement;
    int result = cx__statement_own(connection, text, &statement);

    if (result != 0)
        return result;
    result = cx__sqlite_bind(statement, 1, &name);
    if (result == 0)
        result = cx__sqlite_step(statement);
    cx__statement_done(statement);
    return result;
}

/* It is run once, and finalized by the caller. */
static int pragma(struct cx__connection *connection, const char *name,
                  const char *table, struct cx__statement **statement)
{
    char *text = sqlite3_mprintf("PRAGMA main.%s(\"%w\")", name, table);
    int error = -ENOMEM;

    if (text != NULL)
        error =
            cx__sqlite_prepare(connection, CX_TEXT(text), CX__OWN, statement);
    sqlite3_free(text);
    if (error == 0)
        (*statement)->connection = connection;
    return error;
}

/* Is the key another one than SQLite's own number of each row? Then it has an
 * index: 1 or 0, or the error. */
static int has_key_index(struct cx__connection *connection, const char *table)
{
    struct cx__statement *statement;
    bool found = false;
    int result = pragma(connection, "index_list", table, &statement);

    if (result != 0)
        return result;
    while ((result = cx__sqlite_step(statement)) == 1) {
        const void *origin = sqlite3_column_text(handle_of(statement), ORIGIN);

        found |= origin != NULL && strcmp(origin, "pk") == 0;
    }
    cx__sqlite_finalize(statement);
    return result == 0 ? found : result;
}

static int tell(sqlite3_stmt *row, bool is_numbered, cx__found_fn *fn,
                void *arg)
{
    const void *name = sqlite3_column_text(row, NAME);
    const char *declared = (const char *)sqlite3_column_text(row, DECLARED);
    const struct affinity *affinity =
        declared != NULL ? affinity_of(declared) : NULL;
    bool is_key = sqlite3_column_int(row, KEY) > 0;
    struct cx__found found = {
        .name = name,
        .not_null = sqlite3_column_int(row, NOT_NULL) != 0 || is_key,
        .key = is_key,
        .numbered = is_key && is_numbered};

    if (name == NULL || affinity == NULL)
        return -ENOMEM;
    found.declared = declared;
    found.kinds = affinity->kinds;
    found.needed = found.not_null && !found.numbered &&
                   sqlite3_column_type(row, DEFAULT) == SQLITE_NULL &&
                   sqlite3_column_int(row, HIDDEN) == 0;
    fn(arg, &found);
    return 0;
}

int cx__sqlite_table_columns(struct cx__connection *connection,
                             const char *table, cx__found_fn *fn, void *arg)
{
    struct cx__statement *statement;
    bool is_numbered;
    int result = is_there(connection, table);

    if (result <= 0)
        return result;
    result = has_key_index(connection, table);
    is_numbered = result == 0;
    if (result >= 0)
        result = pragma(connection, "table_xinfo", table, &statement);
    if (result != 0)
        return result;
    while ((result = cx__sqlite_step(statement)) == 1) {
        result = tell(handle_of(statement), is_numbered, fn, arg);
        if (result != 0)
            break;
    }
    cx__sqlite_finalize(statement);
    return result;
}
