/* SPDX-License-Identifier: MIT */
/* Rows one by one, as they come: what CX_DB_EACH is made of. */
#include <errno.h>

#include "call.h"
#include "database.h"
#include "problem.h"
#include "row.h"

/* The end of the rows, or of the wish for more: a cursor is a call that
 * lasts. */
static int cursor_close(struct cx__cursor *cursor, int error)
{
    struct cx__call call = {.model = cursor->model,
                            .operation = CX__SELECT,
                            .engine = cursor->connection->db->engine,
                            .connection = cursor->connection,
                            .statement = cursor->statement};

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

static int cursor_step(const struct cx__cursor *cursor)
{
    const cx_db *db = cursor->connection->db;
    int result;

    if (!cx__db_is_here(db))
        return cx__wordless(-EXDEV);
    result = db->engine->step(cursor->statement);
    if (result != 1)
        return result;
    result = cx__row_read(cursor->statement, cursor->row, NULL);
    return result == 0 ? 1 : result;
}

bool cx__cursor_next(struct cx__cursor *cursor)
{
    int result;

    if (cursor->connection == NULL)
        return false;
    result = cursor_step(cursor);
    if (CX__LIKELY(result == 1))
        return true;
    *cursor->error = cursor_close(cursor, result);
    return false;
}

void cx__cursor_end(struct cx__cursor *cursor)
{
    /* After a break the error is what the program has made of it. */
    if (cursor->connection != NULL)
        (void)cursor_close(cursor, 0);
}
