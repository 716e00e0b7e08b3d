/* SPDX-License-Identifier: MIT */
/*
 * What is still to come of a statement, taken into memory since the connection
 * is wanted for another: the rows in one result, of which each takes what its
 * values take, rather than in one of libpq's for each, of several KiB.
 */
#include <errno.h>

#include "postgres_statement.h"

/* Append a row of one result to another: 0 or -ENOMEM. */
static int copy_row(PGresult *to, const PGresult *from, int row)
{
    int at = PQntuples(to);

    for (int i = 0; i < PQnfields(from); i++) {
        bool is_null = PQgetisnull(from, row, i);

        if (PQsetvalue(to, at, i, is_null ? NULL : PQgetvalue(from, row, i),
                       is_null ? -1 : PQgetlength(from, row, i)) == 0)
            return -ENOMEM;
    }
    return 0;
}

static int add_row(struct cx__pg_stash *stash, const PGresult *row)
{
    if (stash->rows == NULL)
        stash->rows = PQcopyResult(row, PG_COPYRES_ATTRS);
    return stash->rows != NULL ? copy_row(stash->rows, row, 0) : -ENOMEM;
}

int cx__pg_stash_add(struct cx__pg_stash *stash, PGresult *result)
{
    int error = 0;

    stash->used = true;
    if (PQresultStatus(result) == PGRES_SINGLE_TUPLE) {
        error = add_row(stash, result);
        PQclear(result);
    } else {
        PQclear(stash->end);
        stash->end = result;
    }
    return error;
}

/* A row as a result of its own; NULL: no memory. */
static PGresult *row_of(const PGresult *rows, int row)
{
    PGresult *made = PQcopyResult(rows, PG_COPYRES_ATTRS);

    if (made != NULL && copy_row(made, rows, row) != 0) {
        PQclear(made);
        made = NULL;
    }
    return made;
}

int cx__pg_stash_take(struct cx__pg_stash *stash, PGresult **result)
{
    if (stash->rows != NULL && stash->at < PQntuples(stash->rows)) {
        *result = row_of(stash->rows, stash->at++);
        return *result != NULL ? 0 : -ENOMEM;
    }
    *result = stash->end;
    stash->end = NULL;
    return 0;
}

void cx__pg_stash_drop(struct cx__pg_stash *stash)
{
    PQclear(stash->rows);
    PQclear(stash->end);
    *stash = (struct cx__pg_stash){.used = false};
}
