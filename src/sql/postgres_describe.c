/* SPDX-License-Identifier: MIT */
/* The columns of a table, as the server tells them. */
#include <stdlib.h>

#include "postgres.h"
#include "postgres_value.h"

/* Of the table that the search path finds first. */
static const char columns_of[] =
    "SELECT a.attname, a.atttypid, format_type(a.atttypid, NULL), a.attnotnull,"
    " i.indexrelid IS NOT NULL, a.attidentity <> '' OR a.atthasdef AND"
    " a.attgenerated = '', a.attnotnull AND a.attidentity = '' AND NOT"
    " a.atthasdef"
    " FROM pg_attribute a LEFT JOIN pg_index i ON i.indrelid = a.attrelid"
    " AND i.indisprimary AND a.attnum = ANY (i.indkey)"
    " WHERE a.attrelid = to_regclass(quote_ident($1)) AND a.attnum > 0"
    " AND NOT a.attisdropped ORDER BY a.attnum";

enum { NAME, TYPE, TYPE_NAME, NOT_NULL, KEY, NUMBERED, NEEDED };

static bool is_true(const PGresult *columns, int row, int what)
{
    return PQgetvalue(columns, row, what)[0] == 't';
}

static void tell(const PGresult *columns, int row, cx__found_fn *fn, void *arg)
{
    Oid type = (Oid)strtoul(PQgetvalue(columns, row, TYPE), NULL, 10);
    struct cx__found found = {.name = PQgetvalue(columns, row, NAME),
                              .holds = PQgetvalue(columns, row, TYPE_NAME),
                              .kinds = 1U << cx__pg_kind(type),
                              .not_null = is_true(columns, row, NOT_NULL),
                              .key = is_true(columns, row, KEY),
                              .numbered = is_true(columns, row, NUMBERED),
                              .needed = is_true(columns, row, NEEDED)};

    fn(arg, &found);
}

int cx__pg_describe(struct cx__connection *connection, const char *table,
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
