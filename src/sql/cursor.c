/* SPDX-License-Identifier: MIT */
/* Rows one by one, as they come: what CX_DB_EACH is made of. */
#include <errno.h>

#include "call.h"
#include "database.h"
#include "problem.h"
#include "row.h"

/* A cursor is a call that lasts. */
static struct cx__call call_of(const struct cx__cursor *cursor)
{
    return (struct cx__call){.model = cursor->model,
                             .operation = CX__SELECT,
                             .engine = cursor->connection->db->engine,
                             .connection = cursor->connection,
                             .statement = cursor->statement};
}

/* The end of the rows, or of the wish for more. */
static int cursor_close(struct cx__cursor *cursor, int error)
{
    struct cx__call call = call_of(cursor);

    cursor->connection = NULL;
    return cx__call_end(&call, error);
}

static int cursor_open(struct cx__cursor *cursor, cx_db *db,
                       const cx_query *query)
{
    struct cx__call call;
    int error = cx__model_begin(cursor->model, cursor->row);

    if (error == 0)
        error = cx__call_query(&call, db, cursor->model, CX__SELECT, query);
    if (error == 0) {
        cursor->connection = call.connection;
        cursor->statement = call.statement;
    }
    return error;
}

struct cx__cursor cx__cursor_begin(cx_db *db, const cx_model *model,
                                   const cx_query *query, void *row, int *error)
{
    struct cx__cursor cursor = {.model = model, .row = row, .error = error};

    if (error != NULL)
        *error = cursor_open(&cursor, db, query);
    return cursor;
}

bool cx__cursor_next(struct cx__cursor *cursor)
{
    struct cx__call call;
    int result;

    if (cursor->connection == NULL)
        return false;
    call = call_of(cursor);
    result = cx__db_is_here(call.connection->db) ? cx__call_step(&call)
                                                 : cx__wordless(-EXDEV);
    if (result == 1) {
        result = cx__row_read(call.statement, cursor->row, NULL);
        if (result == 0)
            return true;
    }
    *cursor->error = cursor_close(cursor, result);
    return false;
}

void cx__cursor_end(struct cx__cursor *cursor)
{
    /* After a break the error is what the program has made of it. */
    if (cursor->connection != NULL)
        (void)cursor_close(cursor, 0);
}
