/* SPDX-License-Identifier: MIT */
/*
 * libpq on a loop. Its functions that block are not used, but for the cancel
 * of a statement: pq_cancel.c.
 *
 * Where a wait ends with an error, the protocol is in the middle of something:
 * the connection is of no use any more, and the caller closes it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <ctxvar/fd.h>

#include "pq.h"
#include "problem.h"

static void ignore_notice(void *arg, const PGresult *result)
{
    (void)arg;
    (void)result;
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
    return cx__pq_refused(pg);
}

/* A descriptor of our own for its socket, kept by the loop: libpq closes its
 * as it likes. */
static int keep_socket(struct cx__pq *pq)
{
    int error;

    pq->fd = fcntl(PQsocket(pq->pg), F_DUPFD_CLOEXEC, 0);
    if (pq->fd < 0)
        return -errno;
    cx_fd_remove(PQsocket(pq->pg));
    error = cx_fd_add(pq->fd);
    if (error != 0)
        (void)close(pq->fd);
    return error;
}

static int connect_all(struct cx__pq *pq)
{
    int error = PQstatus(pq->pg) != CONNECTION_BAD ? connect_steps(pq->pg)
                                                   : cx__pq_refused(pq->pg);

    if (error == 0 && PQsetnonblocking(pq->pg, 1) != 0)
        error = -ENOMEM;
    return error == 0 ? keep_socket(pq) : error;
}

int cx__pq_connect(const char *const names[], const char *const values[],
                   struct cx__pq_cancels *cancels, struct cx__pq **pq)
{
    struct cx__pq *made = calloc(1, sizeof(*made));
    int error = -ENOMEM;

    if (made == NULL)
        return error;
    made->cancels = cancels;
    made->pg = PQconnectStartParams(names, values, 1);
    if (made->pg != NULL) {
        (void)PQsetNoticeReceiver(made->pg, ignore_notice, NULL);
        /* So that it tells the SQLSTATE of a connection that is refused. */
        (void)PQsetErrorVerbosity(made->pg, PQERRORS_VERBOSE);
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

/* A program may listen, within a DO, to any number of them. */
bool cx__pq_has_news(struct cx__pq *pq)
{
    PGnotify *each;

    while ((each = PQnotifies(pq->pg)) != NULL) {
        PQfreemem(each);
        pq->told = true;
    }
    return pq->told;
}

/* Wait until a connection is ready, and take what has come. */
static int wait_for(struct cx__pq *pq, int events)
{
    int ready = cx_fd_wait(pq->fd, events);

    if (ready < 0)
        return cx__wordless(ready);
    if ((ready & CX_READABLE) != 0 && PQconsumeInput(pq->pg) != 1)
        return cx__pq_lost();
    (void)cx__pq_has_news(pq);
    return 0;
}

int cx__pq_unsent(const struct cx__pq *pq)
{
    if (PQstatus(pq->pg) != CONNECTION_OK)
        return cx__pq_lost();
    return cx__wordless(-ENOMEM);
}

int cx__pq_flush(struct cx__pq *pq)
{
    for (;;) {
        int left = PQflush(pq->pg);
        int error = left < 0 ? cx__pq_lost() : 0;

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
        return cx__pq_unsent(pq);
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
        return cx__pq_unsent(pq);
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

void cx__pq_abandon(struct cx__pq *pq)
{
    if (PQtransactionStatus(pq->pg) == PQTRANS_ACTIVE &&
        PQstatus(pq->pg) == CONNECTION_OK)
        cx__pq_cancel(pq->cancels, pq);
    cx_fd_remove(pq->fd);
    (void)close(pq->fd);
    PQfinish(pq->pg);
    free(pq);
}
