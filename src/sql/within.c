/* SPDX-License-Identifier: MIT */
/* Transactions of the library's own; a program's are transaction.c. */
#include "within.h"
#include "database.h"

int cx__within_begin(struct cx__connection *connection)
{
    const struct cx__engine *engine = connection->db->engine;
    int error = engine->begin(connection, 0);

    if (error != 0)
        return error;
    connection->depth = 1;
    error = engine->lock != NULL ? engine->lock(connection) : 0;
    return error == 0 ? 0 : cx__within_end(connection, error);
}

int cx__within_end(struct cx__connection *connection, int result)
{
    const struct cx__engine *engine = connection->db->engine;
    int error = result < 0 ? result : engine->commit(connection, 0);

    if (error != 0)
        (void)engine->rollback(connection, 0);
    connection->depth = 0;
    connection->lost = false;
    return error != 0 ? error : result;
}

int cx__within(struct cx__connection *connection,
               int (*fn)(struct cx__connection *connection, void *arg),
               void *arg)
{
    int error = cx__within_begin(connection);

    return error == 0 ? cx__within_end(connection, fn(connection, arg)) : error;
}
