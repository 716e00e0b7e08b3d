/* SPDX-License-Identifier: MIT */
/*
 * What tables a tenant has, as rows. The engines call back for each, when
 * nothing may be asked of them: all is collected first.
 */
#include <errno.h>
#include <string.h>

#include "arena.h"
#include "collection.h"
#include "database.h"
#include "lease.h"
#include "problem.h"

/* table: whose columns are wanted; is_there: it is among the tables. */
struct catalogue {
    struct cx__collection all;
    const char *table;
    bool is_there;
    int error;
};

static void add(struct catalogue *catalogue, const cx_param *fields, size_t n)
{
    if (catalogue->error == 0)
        catalogue->error = cx__collection_add(&catalogue->all, fields, n);
}

static void add_table(void *catalogue, const char *table)
{
    const cx_param name = cx__param_string(table);

    add(catalogue, &name, 1);
}

static void find_table(void *arg, const char *table)
{
    struct catalogue *catalogue = arg;

    catalogue->is_there |= strcmp(table, catalogue->table) == 0;
}

static void add_column(void *catalogue, const struct cx__found *column)
{
    const cx_param fields[] = {
        cx__param_string(column->name),   cx__param_string(column->declared),
        cx__param_bool(column->not_null), cx__param_bool(column->key),
        cx__param_bool(column->numbered),
    };

    add(catalogue, fields, sizeof(fields) / sizeof(fields[0]));
}

static int name_fields(cx_rows *rows, const char *const names[], size_t n)
{
    rows->columns = n;
    rows->names = cx__arena_alloc(&rows->arena, n * sizeof(char *));
    if (rows->names == NULL)
        return -ENOMEM;
    memcpy(rows->names, names, n * sizeof(char *));
    return 0;
}

static int list_tables(struct cx__connection *connection,
                       struct catalogue *catalogue)
{
    static const char *const names[] = {"table"};
    int error = name_fields(&catalogue->all.rows, names,
                            sizeof(names) / sizeof(names[0]));

    if (error != 0)
        return error;
    return connection->db->engine->tables(connection, add_table, catalogue);
}

/* What describes a table finds it wherever the search path does, so the name
 * must be one of the room's. */
static int list_columns(struct cx__connection *connection,
                        struct catalogue *catalogue)
{
    static const char *const names[] = {"column", "type", "not null", "key",
                                        "numbered"};
    const struct cx__engine *engine = connection->db->engine;
    int error = name_fields(&catalogue->all.rows, names,
                            sizeof(names) / sizeof(names[0]));

    if (error == 0)
        error = engine->tables(connection, find_table, catalogue);
    if (error != 0)
        return error;
    if (!catalogue->is_there)
        return cx__problem(-ENOENT, "there is no such table");
    return engine->table_columns(connection, catalogue->table, add_column,
                                 catalogue);
}

static int collect(cx_db *db,
                   int (*list)(struct cx__connection *connection,
                               struct catalogue *catalogue),
                   const char *table, cx_rows *rows)
{
    struct catalogue catalogue = {.table = table};
    struct cx__connection *connection;
    int error = cx__lease_begin(db, &connection);

    if (error != 0)
        return error;
    catalogue.all.left = db->rows_bytes;
    error = list(connection, &catalogue);
    cx__lease_end(connection);
    if (error == 0)
        error = catalogue.error;
    return cx__collection_end(&catalogue.all, error, rows);
}

int cx_db_tables(cx_db *db, cx_rows *rows)
{
    if (rows == NULL)
        return cx__wordless(-EINVAL);
    return collect(db, list_tables, NULL, rows);
}

int cx_db_columns(cx_db *db, const char *table, cx_rows *rows)
{
    if (table == NULL || rows == NULL)
        return cx__wordless(-EINVAL);
    return collect(db, list_columns, table, rows);
}
