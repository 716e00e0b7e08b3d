/* SPDX-License-Identifier: MIT */
/*
 * Transactions: a lease that lasts, on which the engine has begun one.
 *
 *          begin                     commit: all is well
 *   (none) -----> depth + 1, leased -----------------------> (none)
 *                       |            else rollback             ^
 *                       |                                      |
 *                       +-- a statement fails and ends it ---> lost: whatever
 *                                                 the task asks is refused
 */
#include <errno.h>

#include <ctxvar/transaction.h>

#include "database.h"
#include "lease.h"
#include "problem.h"

static int begin(struct cx__transaction *transaction, cx_db *db)
{
    struct cx__connection *connection;
    int error = cx__lease_begin(db, &connection);

    if (error != 0)
        return error;
    error = db->engine->begin(connection, connection->depth);
    if (error != 0) {
        cx__lease_end(connection);
        return error;
    }
    transaction->connection = connection;
    transaction->depth = connection->depth++;
    return 0;
}

struct cx__transaction cx__transaction_begin(cx_db *db, int *error)
{
    struct cx__transaction transaction = {.db = db, .error = error};

    if (error != NULL)
        *error = begin(&transaction, db);
    return transaction;
}

/* It is over, this way or that. */
static void leave(struct cx__transaction *transaction)
{
    struct cx__connection *connection = transaction->connection;

    transaction->connection = NULL;
    connection->depth = transaction->depth;
    if (connection->depth == 0)
        connection->lost = false;
    cx__lease_end(connection);
}

/* A rollback that fails is done by closing the connection, and so cannot. In a
 * child process the transaction is its parent's to end. */
static void rollback(struct cx__transaction *transaction)
{
    if (cx__db_is_here(transaction->db))
        (void)transaction->db->engine->rollback(transaction->connection,
                                                transaction->depth);
    leave(transaction);
}

static int commit(struct cx__transaction *transaction)
{
    struct cx__connection *connection = transaction->connection;
    int error = cx__db_check(transaction->db);

    if (error == 0 && connection->lost)
        error = cx__lease_lost();
    return error == 0
               ? transaction->db->engine->commit(connection, transaction->depth)
               : error;
}

void cx__transaction_commit(struct cx__transaction *transaction)
{
    transaction->done = true;
    if (transaction->connection == NULL)
        return;
    if (*transaction->error == 0) {
        *transaction->error = commit(transaction);
        if (*transaction->error == 0) {
            leave(transaction);
            return;
        }
    }
    rollback(transaction);
}

void cx__transaction_end(struct cx__transaction *transaction)
{
    if (transaction->connection != NULL)
        rollback(transaction);
}
