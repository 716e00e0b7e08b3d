/* SPDX-License-Identifier: MIT */
/*
 * Transactions: what happens in the block happens as a whole or not at all.
 *
 *     int error;
 *
 *     CX_TRANSACTION(db, &error) {
 *         error = cx_db_insert(db, &user_model, &ann);
 *         if (error == 0)
 *             error = cx_db_update(db, &user_model, &bob, NULL);
 *     }
 *     if (error != 0)
 *         ...
 *
 * A block whose end is reached with an error of 0 is committed there. In all
 * other cases, with another error, by break, return or goto, it is rolled
 * back. One that cannot begin is skipped. The error tells which it was.
 *
 * A transaction is its task's: all that the task asks of the current tenant is
 * part of it, and nothing that a child task does is. A child that writes to
 * the same tenant waits for its end, so that awaiting that child within the
 * block is waiting for oneself. One within another is a savepoint: rolled
 * back, it undoes its own part; committed, it shares the other's fate.
 *
 * Where transactions of one tenant meet, engines differ: on SQLite they take
 * turns, from begin to end. On PostgreSQL they run at once, and each statement
 * sees what has been committed by then ("read committed"): a row that one has
 * read may have been changed by another before it is written back, and that
 * change is lost. So what is read to be changed is read by cx_db_lock():
 *
 *     CX_TRANSACTION(db, &error) {
 *         error = cx_db_lock(db, &account_model, &account, NULL);
 *         account.balance -= amount;
 *         if (error == 0)
 *             error = cx_db_update(db, &account_model, &account, NULL);
 *     }
 *
 * Of two that each wait for what the other has locked, one has to give way: it
 * is -EBUSY, as where another process has had a lock for too long. It was
 * rolled back and may be run again, from the outermost block's begin, with
 * everything that it has read:
 *
 *     for (int tries = 0; tries < 5; tries++) {
 *         CX_TRANSACTION(db, &error) {
 *             error = pay(db, from, to, amount);
 *         }
 *         if (error != -EBUSY)
 *             break;
 *     }
 *
 * Where all lock rows in one order, as by their keys, none has to.
 *
 * After a statement that failed, engines differ, too: SQLite goes on as if it
 * had not been there, on PostgreSQL all that follows is -ECONNABORTED. What is
 * to go on on both puts such a statement into a transaction within. What else
 * differs is listed at the end of tenants.md, in share/doc/ctxvar where this
 * is installed.
 */
#ifndef CTXVAR_TRANSACTION_H
#define CTXVAR_TRANSACTION_H

#include <ctxvar/tenant.h>

CX__BEGIN_DECLS

/** For CX_TRANSACTION. Its members are private. */
struct cx__transaction {
    cx_db *db;
    struct cx__connection *connection; /* NULL: it is over, or never began */
    int *error;
    unsigned depth;
    bool done;
};

CX__API struct cx__transaction cx__transaction_begin(cx_db *db, int *error);
CX__API void cx__transaction_commit(struct cx__transaction *transaction);
CX__API void cx__transaction_end(struct cx__transaction *transaction);

#ifndef __cplusplus

/**
 * Run the block that follows as a transaction of the current tenant's.
 *
 * error is an int's address. It is written when the block begins: 0, or why it
 * is skipped; and at its end, if that is reached with 0: 0 once all is
 * committed, or why it was rolled back,
 *
 *   -ECONNABORTED     an earlier failure has ended the transaction; statements
 *                     in it are refused from then on
 *   -ENOTRECOVERABLE  the answer to the commit was lost: it is done or not,
 *                     and was not tried again
 *   -EKEYREJECTED     within another tenant's transaction
 *   or an error of cx_db_sql()
 *
 * A task that is cancelled or late when it reaches the end is rolled back; one
 * that is so while it commits waits a second more for the answer. An else after
 * the block runs instead of one that is skipped. continue is as reaching the
 * end.
 *
 * Cost: two short statements.  Source: asyncpg, async with transaction().
 * Since: 0.1
 */
#define CX_TRANSACTION(db, error)                                              \
    CX__TRANSACTION(CX__UNIQUE(cx__transaction_), (db), (error))

#define CX__TRANSACTION(transaction, db, error)                                \
    for (struct cx__transaction transaction CX__CLEANUP(cx__transaction_end) = \
             cx__transaction_begin(db, error);                                 \
         !transaction.done; cx__transaction_commit(&transaction))              \
        if (transaction.connection != NULL)

#endif /* C */

CX__END_DECLS

#endif
