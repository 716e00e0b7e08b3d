/* SPDX-License-Identifier: MIT */
/*
 * A model beside its table: each column is there, holds what the member does,
 * and is the key where the model says so.
 */
#include "model.h"
#include "sqlite.h"
#include "words.h"

/* How SQLite tells from a declared type what a column holds: by what is in
 * the name, the first of these that is. */
static const struct affinity {
    const char *part;
    const char *holds;
} affinities[] = {
    {"INT", "INTEGER"}, {"CHAR", "TEXT"}, {"CLOB", "TEXT"}, {"TEXT", "TEXT"},
    {"BLOB", "BLOB"},   {"REAL", "REAL"}, {"FLOA", "REAL"}, {"DOUB", "REAL"},
};

static const char *holds(const char *declared)
{
    char like[8];

    if (declared == NULL || declared[0] == '\0')
        return "BLOB";
    for (size_t i = 0; i < sizeof(affinities) / sizeof(affinities[0]); i++) {
        (void)sqlite3_snprintf(sizeof(like), like, "%%%s%%",
                               affinities[i].part);
        if (sqlite3_strlike(like, declared, 0) == 0)
            return affinities[i].holds;
    }
    return "NUMERIC";
}

static const char *wanted(const cx_column *column)
{
    switch (column->field & ~(unsigned)CX__FIELD_MAYBE) {
    case CX__FIELD_F64:
        return "REAL";
    case CX__FIELD_TEXT:
        return "TEXT";
    case CX__FIELD_BLOB:
        return "BLOB";
    default:
        return "INTEGER";
    }
}

struct found {
    const char *type;
    int not_null;
    int key;
    int automatic;
};

/* 1, 0: there is none, or the error. column: NULL for the table. */
static int find(struct cx__sqlite_connection *connection, const char *table,
                const char *column, struct found *found)
{
    const char *collation;
    int code = sqlite3_table_column_metadata(
        connection->handle, "main", table, column, &found->type, &collation,
        &found->not_null, &found->key, &found->automatic);

    if (code == SQLITE_OK || code == SQLITE_ERROR)
        return code == SQLITE_OK;
    return cx__sqlite_problem(connection, code);
}

static void say(struct cx__words *words, const cx_column *column,
                const char *what)
{
    cx__words_print(words, "%s%s %s", words->len > 0 ? "; " : "",
                    cx__column_name(column), what);
}

static void compare_column(struct cx__words *words, const cx_column *column,
                           const struct found *found)
{
    bool may_be_null = column->null || (column->field & CX__FIELD_MAYBE) != 0;

    if (strcmp(holds(found->type), wanted(column)) != 0) {
        say(words, column, "holds ");
        cx__words_print(words, "%s and not %s", holds(found->type),
                        wanted(column));
    }
    if (!found->not_null && !found->key && !may_be_null)
        say(words, column, "may be NULL");
    if (column->key && !found->key)
        say(words, column, "is not the key");
    /* That alone is numbered by itself. */
    if (column->automatic && sqlite3_stricmp(found->type, "INTEGER") != 0)
        say(words, column, "is not numbered");
}

int cx__sqlite_compare(struct cx__connection *base, const cx_model *model,
                       struct cx__words *words)
{
    struct cx__sqlite_connection *connection = cx__sqlite_connection_of(base);
    struct found found;
    int result = find(connection, model->table, NULL, &found);

    if (result == 0)
        cx__words_add(words, "there is no such table");
    for (size_t i = 0; result > 0 && i < model->columns_len; i++) {
        const cx_column *column = &model->columns[i];
        int is_there =
            find(connection, model->table, cx__column_name(column), &found);

        if (is_there == 1)
            compare_column(words, column, &found);
        else if (is_there == 0)
            say(words, column, "is missing");
        else
            result = is_there;
    }
    return result < 0 ? result : 0;
}
