/* SPDX-License-Identifier: MIT */
/*
 * libpq on a loop. Its functions that block are not used, but for the cancel
 * of a statement, for which there is a thread.
 *
 * Where a wait ends with an error, the protocol is in the middle of something:
 * the connection is of no use any more, and the caller closes it.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <ctxvar/fd.h>

#include "pq.h"
#include "problem.h"

/* The server's own words for an error may hold values: ours do not. */
struct cause {
    const char *state; /* SQLSTATE, or the class that it begins with */
    int error;
    const char *words; /* NULL: the server's, which are names and no values */
};

static const struct cause causes[] = {
    {"23505", -EEXIST, "a key that must be unique is there already"},
    {"23502", -EDOM, "a column that must have a value has none"},
    {"23503", -EDOM, "a row that others refer to, or that is not there"},
    {"23", -EDOM, "a constraint of the table's forbids it"},
    {"22012", -EDOM, "a division by zero"},
    {"22", -EDOM, "a value of the wrong form, or out of range"},
    {"42501", -EACCES, "the database refuses it to this role"},
    {"42P01", -EINVAL, NULL}, /* no such table */
    {"42703", -EINVAL, NULL}, /* no such column */
    {"42883", -EINVAL, NULL}, /* no such function or operator */
    {"3F000", -EINVAL, NULL}, /* no such schema */
    {"42", -EINVAL, "not a statement that the database understands"},
    {"0A", -EINVAL, "not supported by the database"},
    {"25006", -EROFS, "the database is read-only"},
    {"25P02", -ECONNABORTED, "an earlier statement of the transaction failed"},
    {"25", -EINVAL, "not in this state of a transaction"},
    {"28", -EACCES, "the database does not let this role in"},
    {"40001", -EBUSY, "another transaction was in the way: try again"},
    {"40P01", -EBUSY, "a deadlock with another transaction: try again"},
    {"53100", -ENOSPC, "the database's disk is full"},
    {"53200", -ENOMEM, "the database has no memory"},
    {"53300", -EAGAIN, "the database has no connection left"},
    {"53", -EAGAIN, "the database is short of something"},
    {"54", -E2BIG, "a statement that is too large"},
    {"55P03", -EBUSY, "a lock was not to be had"},
    {"55", -EBUSY, "something is in use"},
    {"57014", -ECANCELED, "the statement was cancelled"},
    {"57", -ECONNRESET, "the database has ended the connection"},
    {"58", -EIO, "the database cannot read or write its files"},
    {"08", -ECONNRESET, "the connection to the database is lost"},
    {"XX001", -EUCLEAN, "the database is damaged"},
    {"XX002", -EUCLEAN, "the database is damaged"},
};

static const struct cause unknown = {"", -EIO, "the database failed"};

static const struct cause *cause_of(const char *state)
{
    for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++) {
        if (strncmp(state, causes[i].state, strlen(causes[i].state)) == 0)
            return &causes[i];
    }
    return &unknown;
}

static const char *field(const PGresult *result, int code)
{
    const char *value = PQresultErrorField(result, code);

    return value != NULL ? value : "";
}

static int lost(void)
{
    return cx__problem(-ECONNRESET, "the connection to the database is lost");
}

int cx__pq_error(const PGresult *result)
{
    const char *state, *table, *column, *constraint, *place;
    const struct cause *cause;

    switch (PQresultStatus(result)) {
    case PGRES_COMMAND_OK:
    case PGRES_TUPLES_OK:
    case PGRES_SINGLE_TUPLE:
        return 0;
    case PGRES_COPY_IN:
    case PGRES_COPY_OUT:
    case PGRES_COPY_BOTH:
        return cx__problem(-EACCES, "COPY is not for tenants");
    case PGRES_EMPTY_QUERY:
        return cx__problem(-EINVAL, "a statement with nothing in it");
    default:
        break;
    }
    state = field(result, PG_DIAG_SQLSTATE);
    if (state[0] == '\0')
        return lost();
    table = field(result, PG_DIAG_TABLE_NAME);
    column = field(result, PG_DIAG_COLUMN_NAME);
    constraint = field(result, PG_DIAG_CONSTRAINT_NAME);
    place = field(result, PG_DIAG_STATEMENT_POSITION);
    if (place[0] == '\0') /* a migration's script is one within another */
        place = field(result, PG_DIAG_INTERNAL_POSITION);
    cause = cause_of(state);
    return cx__problem(
        cause->error, "%s%s%s%s%s%s%s%s%s (SQLSTATE %.5s)",
        cause->words != NULL ? cause->words
                             : field(result, PG_DIAG_MESSAGE_PRIMARY),
        place[0] != '\0' ? ", at character " : "", place,
        table[0] != '\0' ? ": table " : "", table,
        column[0] != '\0' ? ", column " : "", column,
        constraint[0] != '\0' ? ", constraint " : "", constraint, state);
}

static void ignore_notice(void *arg, const PGresult *result)
{
    (void)arg;
    (void)result;
}

/* libpq's words for it begin with a line about the server. */
static int refused(const PGconn *pg)
{
    const char *words = PQerrorMessage(pg);

    return cx__problem(-ECONNREFUSED,
                       "the database cannot be connected to: %.*s",
                       (int)strcspn(words, "\n"), words);
}

/* One step after the other, each after a wait for its own event. */
static int connect_steps(PGconn *pg)
{
    PostgresPollingStatusType status = PGRES_POLLING_WRITING;

    while (status == PGRES_POLLING_READING || status == PGRES_POLLING_WRITING) {
        int ready = cx_fd_wait(PQsocket(pg), status == PGRES_POLLING_READING
                                                 ? CX_READABLE
                                                 : CX_WRITABLE);

        if (ready < 0)
            return cx__wordless(ready);
        status = PQconnectPoll(pg);
    }
    if (status == PGRES_POLLING_OK)
        return 0;
    if (PQconnectionNeedsPassword(pg) || PQconnectionUsedPassword(pg))
        return cx__problem(-EACCES, "the database does not take the password");
    return refused(pg);
}

/* A descriptor of our own for its socket, kept by the loop: libpq closes its
 * as it likes. */
static int keep_socket(struct cx__pq *pq)
{
    int error;

    pq->fd = fcntl(PQsocket(pq->pg), F_DUPFD_CLOEXEC, 0);
    if (pq->fd < 0)
        return -errno;
    error = cx_fd_add(pq->fd);
    if (error != 0)
        (void)close(pq->fd);
    return error;
}

static int connect_all(struct cx__pq *pq)
{
    int error = PQstatus(pq->pg) != CONNECTION_BAD ? connect_steps(pq->pg)
                                                   : refused(pq->pg);

    if (error == 0 && PQsetnonblocking(pq->pg, 1) != 0)
        error = -ENOMEM;
    return error == 0 ? keep_socket(pq) : error;
}

int cx__pq_connect(const char *const names[], const char *const values[],
                   struct cx__pq **pq)
{
    struct cx__pq *made = malloc(sizeof(*made));
    int error = -ENOMEM;

    if (made == NULL)
        return error;
    made->pg = PQconnectStartParams(names, values, 1);
    if (made->pg != NULL) {
        (void)PQsetNoticeReceiver(made->pg, ignore_notice, NULL);
        error = connect_all(made);
    }
    if (error != 0) {
        PQfinish(made->pg);
        free(made);
    } else {
        *pq = made;
    }
    return error;
}

/* Wait until a connection is ready, and take what has come. */
static int wait_for(struct cx__pq *pq, int events)
{
    int ready = cx_fd_wait(pq->fd, events);

    if (ready < 0)
        return cx__wordless(ready);
    if ((ready & CX_READABLE) != 0 && PQconsumeInput(pq->pg) != 1)
        return lost();
    return 0;
}

int cx__pq_flush(struct cx__pq *pq)
{
    for (;;) {
        int left = PQflush(pq->pg);
        int error = left < 0 ? lost() : 0;

        if (left == 1)
            error = wait_for(pq, CX_READABLE | CX_WRITABLE);
        if (error != 0 || left == 0)
            return error;
    }
}

int cx__pq_next(struct cx__pq *pq, PGresult **result)
{
    while (PQisBusy(pq->pg)) {
        int error = wait_for(pq, CX_READABLE);

        if (error != 0)
            return error;
    }
    *result = PQgetResult(pq->pg);
    return 0;
}

/* A COPY does, until it is done. */
static bool gives_itself_again(const PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);

    return status == PGRES_COPY_OUT || status == PGRES_COPY_IN;
}

bool cx__pq_drop(struct cx__pq *pq)
{
    bool is_copy = false;

    while (!is_copy && !PQisBusy(pq->pg)) {
        PGresult *result = PQgetResult(pq->pg);

        if (result == NULL)
            return true;
        is_copy = gives_itself_again(result);
        PQclear(result);
    }
    return false;
}

int cx__pq_finish(struct cx__pq *pq, PGresult **last)
{
    PGresult *kept = NULL;
    PGresult *next = NULL;
    int failed = 0;
    int error = cx__pq_flush(pq);

    while (error == 0) {
        error = cx__pq_next(pq, &next);
        if (error != 0 || next == NULL)
            break;
        if (failed == 0)
            failed = cx__pq_error(next);
        PQclear(kept);
        kept = next;
        if (failed == -EACCES && gives_itself_again(next))
            error = failed;
    }
    if (error == 0)
        error = failed;
    if (error != 0 || last == NULL) {
        PQclear(kept);
        kept = NULL;
    }
    if (last != NULL)
        *last = kept;
    return error;
}

int cx__pq_query(struct cx__pq *pq, const char *text, int n,
                 const char *const params[], PGresult **result)
{
    if (PQsendQueryParams(pq->pg, text, n, NULL, params, NULL, NULL, 0) != 1)
        return lost();
    return cx__pq_finish(pq, result);
}

int cx__pq_run(struct cx__pq *pq, const char *text)
{
    return cx__pq_query(pq, text, 0, NULL, NULL);
}

/* Wait for the first of the results, unless a cancel or the deadline is
 * first. */
static void await_answer(struct cx__pq *pq)
{
    int error = cx__pq_flush(pq);

    while (error == 0 && PQisBusy(pq->pg))
        error = wait_for(pq, CX_READABLE);
}

int cx__pq_commit(struct cx__pq *pq)
{
    int error = -ENOMEM;

    if (PQsendQueryParams(pq->pg, "COMMIT", 0, NULL, NULL, NULL, NULL, 0) != 1)
        return lost();
    await_answer(pq);
    CX__PQ_GRACE {
        error = cx__pq_finish(pq, NULL);
    }
    if (PQstatus(pq->pg) == CONNECTION_OK &&
        PQtransactionStatus(pq->pg) != PQTRANS_ACTIVE)
        return error;
    return cx__problem(-ENOTRECOVERABLE,
                       "the connection was lost at the commit: whether it was"
                       " made is unknown");
}

static void *send_cancel(void *cancel)
{
    char ignored[256];

    (void)PQcancel(cancel, ignored, sizeof(ignored));
    PQfreeCancel(cancel);
    return NULL;
}

/* A thread of its own, since it blocks, for ever if the server does not move;
 * signals are for others. */
static int start_cancel(PGcancel *cancel)
{
    pthread_attr_t detached;
    sigset_t all, before;
    pthread_t thread;
    int error = pthread_attr_init(&detached);

    if (error != 0)
        return error;
    (void)pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(&thread, &detached, send_cancel, cancel);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    (void)pthread_attr_destroy(&detached);
    return error;
}

/*
 * The cancel may arrive when the server's process is gone and its number is
 * another's: it also has a key, which is that process's alone.
 */
void cx__pq_abandon(struct cx__pq *pq)
{
    PGcancel *cancel = NULL;

    if (PQtransactionStatus(pq->pg) == PQTRANS_ACTIVE &&
        PQstatus(pq->pg) == CONNECTION_OK)
        cancel = PQgetCancel(pq->pg);
    cx_fd_remove(pq->fd);
    (void)close(pq->fd);
    PQfinish(pq->pg);
    free(pq);
    if (cancel != NULL && start_cancel(cancel) != 0)
        PQfreeCancel(cancel);
}
