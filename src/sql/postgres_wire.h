/* SPDX-License-Identifier: MIT */
/*
 * libpq on a loop: what it does without blocking, waited for by a task; and
 * PostgreSQL's errors as ours.
 *
 * What has to be said to the server although the task is cancelled or late is
 * said in a CX__WIRE_GRACE block: its waits are refused only when a second has
 * passed, since a server that is gone does not say so. Without the memory for
 * a deadline the block is skipped.
 */
#ifndef CTXVAR_SQL_POSTGRES_WIRE_H
#define CTXVAR_SQL_POSTGRES_WIRE_H

#include <stdbool.h>

#include <libpq-fe.h>

#include <ctxvar/channel.h>
#include <ctxvar/task.h>

/*
 * Cancels on their way to one database's server.
 *
 * sent  an item for each that was sent
 * n     on their way, and those items
 */
struct cx__wire_cancels {
    cx_channel *sent;
    unsigned n;
};

/*
 * A connection.
 *
 * cancels  its database's, borrowed
 * fd       its socket, as the loop keeps it
 * told     there was a notification
 */
struct cx__wire {
    PGconn *pg;
    struct cx__wire_cancels *cancels;
    int fd;
    bool told;
};

enum { CX__WIRE_GRACE_MS = 1000 };
#define CX__WIRE_GRACE                                                         \
    CX_SHIELD                                                                  \
        CX_TIMEOUT(CX__WIRE_GRACE_MS)

/*
 * Connect, with the parameters of PQconnectdb(), names and values, both ended
 * by a NULL. 0, or the error with words left for it. CX__WIRE_PASSWORD: it is
 * the password that the server does not take, and the words say so.
 */
enum { CX__WIRE_PASSWORD = 1 };
int cx__wire_connect(const char *const names[], const char *const values[],
                     struct cx__wire_cancels *cancels, struct cx__wire **wire);

/* Has the server told it something that it had not asked for? */
bool cx__wire_has_news(struct cx__wire *wire);

/* Have all that was sent reach the server. */
int cx__wire_flush(struct cx__wire *wire);

/* The next result of what was sent; NULL: there is none more. */
int cx__wire_next(struct cx__wire *wire, PGresult **result);

/* Drop what has come of the results: true, there is nothing more to come. */
bool cx__wire_drop(struct cx__wire *wire);

/* The last result of what was sent, the others dropped; NULL: none. An error
 * of the server's is an error of this, too, with its words. */
int cx__wire_finish(struct cx__wire *wire, PGresult **last);

/* Run one statement of the library's own, without parameters, and drop what
 * it gives. */
int cx__wire_run(struct cx__wire *wire, const char *text);

/* The same with parameters, as text; what it gives is the caller's. */
int cx__wire_query(struct cx__wire *wire, const char *text, int n,
                   const char *const params[], PGresult **result);

/* Commit, cancelled or not. -ENOTRECOVERABLE: the answer is lost. */
int cx__wire_commit(struct cx__wire *wire);

/* Have the server give up what it does for a connection, and close that;
 * nothing is waited for. */
void cx__wire_abandon(struct cx__wire *wire);

/* postgres_cancel.c: none on their way; 0 or -ENOMEM. */
int cx__wire_cancels_init(struct cx__wire_cancels *cancels);
/* Wait until those that are on their way were sent, as long as CX__WIRE_GRACE.
 */
void cx__wire_cancels_fini(struct cx__wire_cancels *cancels);
/* Have the server give up what it does for a connection, which may be closed
 * next. It is not told if there is no memory or too many are on their way. */
void cx__wire_cancel(struct cx__wire_cancels *cancels,
                     const struct cx__wire *wire);

/* What a result says: 0, or the error with words left for it. They are of the
 * error's kind, and of the table and column, but never of values. */
int cx__wire_error(const PGresult *result);

/* Is the error that a prepared statement's rows would be others than they were?
 * It is so from then on. */
bool cx__wire_is_outdated(const PGresult *result);

/* The same of a script that is run by a statement of ours. */
int cx__wire_script_error(const PGresult *result, const char *script);

/* Why a connection was not made, as of cx__wire_connect(). */
int cx__wire_refused(const PGconn *pg);

/* That a connection is lost; that libpq did not take what is to be sent. */
int cx__wire_lost(void);
int cx__wire_unsent(const struct cx__wire *wire);

#endif
