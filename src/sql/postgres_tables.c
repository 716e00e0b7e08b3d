/* SPDX-License-Identifier: MIT */
/* Tables and their columns, as the server tells them. */
#include <stdio.h>
#include <stdlib.h>

#include "pool.h"
#include "postgres.h"
#include "postgres_value.h"

/* The library's own is one for each room. */
static const char tables_of[] =
    "SELECT relname FROM pg_class WHERE relnamespace = to_regnamespace($1)"
    " AND relkind = 'r' AND relname <> 'cx_migrations' ORDER BY relname";

/* Of the table that the search path finds first. What numbers rows is an
 * identity, or a default with a sequence in it. */
static const char columns_of[] =
    "SELECT a.attname, a.atttypid, format_type(a.atttypid, a.atttypmod),"
    " a.attnotnull, i.indexrelid IS NOT NULL,"
    " a.attidentity <> '' OR EXISTS (SELECT FROM pg_attrdef d JOIN pg_depend p"
    " ON p.classid = 'pg_attrdef'::regclass AND p.objid = d.oid AND"
    " p.refclassid = 'pg_class'::regclass JOIN pg_class s ON s.oid = p.refobjid"
    " AND s.relkind = 'S' WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum),"
    " a.attnotnull AND a.attidentity = '' AND NOT a.atthasdef"
    " FROM pg_attribute a LEFT JOIN pg_index i ON i.indrelid = a.attrelid"
    " AND i.indisprimary AND a.attnum = ANY (i.indkey)"
    " WHERE a.attrelid = to_regclass(quote_ident($1)) AND a.attnum > 0"
    " AND NOT a.attisdropped ORDER BY a.attnum";

enum { SCHEMA_BYTES = 32 };
enum { NAME, TYPE, DECLARED, NOT_NULL, KEY, NUMBERED, NEEDED };

static bool is_true(const PGresult *columns, int row, int what)
{
    return PQgetvalue(columns, row, what)[0] == 't';
}

static void tell(const PGresult *columns, int row, cx__found_fn *fn, void *arg)
{
    Oid type = (Oid)strtoul(PQgetvalue(columns, row, TYPE), NULL, 10);
    struct cx__found found = {.name = PQgetvalue(columns, row, NAME),
                              .declared = PQgetvalue(columns, row, DECLARED),
                              .kinds = 1U << cx__pg_kind(type),
                              .not_null = is_true(columns, row, NOT_NULL),
                              .key = is_true(columns, row, KEY),
                              .numbered = is_true(columns, row, NUMBERED),
                              .needed = is_true(columns, row, NEEDED)};

    fn(arg, &found);
}

int cx__pg_tables(struct cx__connection *connection, cx__table_fn *fn,
                  void *arg)
{
    char schema[SCHEMA_BYTES];
    const char *const params[] = {schema};
    PGresult *tables;
    int error;

    (void)snprintf(schema, sizeof(schema), "t%lld",
                   (long long)connection->pool->id);
    error = cx__pg_query(connection, tables_of, 1, params, &tables);
    if (error != 0)
        return error;
    for (int row = 0; row < PQntuples(tables); row++)
        fn(arg, PQgetvalue(tables, row, 0));
    PQclear(tables);
    return 0;
}

int cx__pg_table_columns(struct cx__connection *connection, const char *table,
                         cx__found_fn *fn, void *arg)
{
    const char *const params[] = {table};
    PGresult *columns;
    int error = cx__pg_query(connection, columns_of, 1, params, &columns);

    if (error != 0)
        return error;
    for (int row = 0; row < PQntuples(columns); row++)
        tell(columns, row, fn, arg);
    PQclear(columns);
    return 0;
}
