/* SPDX-License-Identifier: MIT */
/*
 * A model beside its table on a server: each column is there, holds what the
 * member does, and is the key where the model says so.
 */
#include <stdlib.h>
#include <string.h>

#include "model.h"
#include "postgres.h"
#include "postgres_value.h"
#include "words.h"

/* Of the tables that the search path finds first. */
static const char columns_of[] =
    "SELECT a.attname, a.atttypid, a.attnotnull, coalesce(i.indisprimary,"
    " false), a.attidentity <> '' OR a.atthasdef, format_type(a.atttypid,"
    " NULL)"
    " FROM pg_attribute a LEFT JOIN pg_index i ON i.indrelid = a.attrelid"
    " AND i.indisprimary AND a.attnum = ANY (i.indkey)"
    " WHERE a.attrelid = to_regclass(quote_ident($1)) AND a.attnum > 0"
    " AND NOT a.attisdropped";

enum { NAME, TYPE, NOT_NULL, KEY, NUMBERED, TYPE_NAME };

static void say(struct cx__words *words, const cx_column *column,
                const char *what)
{
    cx__words_print(words, "%s%s %s", words->len > 0 ? "; " : "",
                    cx__column_name(column), what);
}

static bool is_true(const PGresult *columns, int row, int what)
{
    return PQgetvalue(columns, row, what)[0] == 't';
}

static cx_kind wanted(const cx_column *column)
{
    switch (column->field & ~(unsigned)CX__FIELD_MAYBE) {
    case CX__FIELD_F64:
        return CX_KIND_F64;
    case CX__FIELD_BOOL:
        return CX_KIND_BOOL;
    case CX__FIELD_TEXT:
        return CX_KIND_TEXT;
    case CX__FIELD_BLOB:
        return CX_KIND_BLOB;
    case CX__FIELD_TIMESTAMP:
        return CX_KIND_TIMESTAMP;
    default:
        return CX_KIND_I64;
    }
}

static void compare_column(struct cx__words *words, const cx_column *column,
                           const PGresult *columns, int row)
{
    bool may_be_null = column->null || (column->field & CX__FIELD_MAYBE) != 0;
    Oid type = (Oid)strtoul(PQgetvalue(columns, row, TYPE), NULL, 10);

    if (cx__pg_kind(type) != wanted(column)) {
        say(words, column, "is");
        cx__words_print(words, " %s", PQgetvalue(columns, row, TYPE_NAME));
    }
    if (!is_true(columns, row, NOT_NULL) && !may_be_null)
        say(words, column, "may be NULL");
    if (column->key && !is_true(columns, row, KEY))
        say(words, column, "is not the key");
    if (column->automatic && !is_true(columns, row, NUMBERED))
        say(words, column, "is not numbered");
}

static int find(const PGresult *columns, const char *name)
{
    int row = PQntuples(columns) - 1;

    while (row >= 0 && strcmp(PQgetvalue(columns, row, NAME), name) != 0)
        row--;
    return row;
}

static void compare(const cx_model *model, const PGresult *columns,
                    struct cx__words *words)
{
    for (size_t i = 0; i < model->columns_len; i++) {
        const cx_column *column = &model->columns[i];
        int row = find(columns, cx__column_name(column));

        if (row >= 0)
            compare_column(words, column, columns, row);
        else
            say(words, column, "is missing");
    }
}

int cx__pg_compare(struct cx__connection *connection, const cx_model *model,
                   struct cx__words *words)
{
    const char *const params[] = {model->table};
    PGresult *columns;
    int error = cx__pg_query(connection, columns_of, 1, params, &columns);

    if (error != 0)
        return error;
    if (PQntuples(columns) == 0)
        cx__words_add(words, "there is no such table");
    else
        compare(model, columns, words);
    PQclear(columns);
    return 0;
}
