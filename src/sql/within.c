/* SPDX-License-Identifier: MIT */
/* Transactions of the library's own; a program's are transaction.c. */
#include "within.h"
#include "database.h"

static int run(struct cx__connection *connection,
               int (*fn)(struct cx__connection *connection, void *arg),
               void *arg)
{
    const struct cx__engine *engine = connection->db->engine;
    int result = engine->lock != NULL ? engine->lock(connection) : 0;
    int error;

    if (result == 0)
        result = fn(connection, arg);
    error = result < 0 ? result : engine->commit(connection, 0);
    if (error != 0)
        (void)engine->rollback(connection, 0);
    return error != 0 ? error : result;
}

int cx__within(struct cx__connection *connection,
               int (*fn)(struct cx__connection *connection, void *arg),
               void *arg)
{
    int result = connection->db->engine->begin(connection, 0);

    if (result != 0)
        return result;
    connection->depth = 1;
    result = run(connection, fn, arg);
    connection->depth = 0;
    connection->lost = false;
    return result;
}
