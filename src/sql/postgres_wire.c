/* SPDX-License-Identifier: MIT */
/*
 * libpq on a loop. Its functions that block are not used, but for the cancel
 * of a statement: postgres_cancel.c.
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

#include "postgres_wire.h"
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
    return cx__wire_refused(pg);
}

/* A descriptor of our own for its socket, kept by the loop: libpq closes its
 * as it likes. */
static int keep_socket(struct cx__wire *wire)
{
    int error;

    wire->fd = fcntl(PQsocket(wire->pg), F_DUPFD_CLOEXEC, 0);
    if (wire->fd < 0)
        return -errno;
    cx_fd_remove(PQsocket(wire->pg));
    error = cx_fd_add(wire->fd);
    if (error != 0)
        (void)close(wire->fd);
    return error;
}

static int connect_all(struct cx__wire *wire)
{
    int error = PQstatus(wire->pg) != CONNECTION_BAD
                    ? connect_steps(wire->pg)
                    : cx__wire_refused(wire->pg);

    if (error == 0 && PQsetnonblocking(wire->pg, 1) != 0)
        error = -ENOMEM;
    return error == 0 ? keep_socket(wire) : error;
}

int cx__wire_connect(const char *const names[], const char *const values[],
                     struct cx__wire_cancels *cancels, struct cx__wire **wire)
{
    struct cx__wire *made = calloc(1, sizeof(*made));
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
        *wire = made;
    }
    return error;
}

/* A program may listen, within a DO, to any number of them. */
bool cx__wire_has_news(struct cx__wire *wire)
{
    PGnotify *each;

    while ((each = PQnotifies(wire->pg)) != NULL) {
        PQfreemem(each);
        wire->told = true;
    }
    return wire->told;
}

/* Wait until a connection is ready, and take what has come. */
static int wait_for(struct cx__wire *wire, int events)
{
    int ready = cx_fd_wait(wire->fd, events);

    if (ready < 0)
        return cx__wordless(ready);
    if ((ready & CX_READABLE) != 0 && PQconsumeInput(wire->pg) != 1)
        return cx__wire_lost();
    (void)cx__wire_has_news(wire);
    return 0;
}

int cx__wire_unsent(const struct cx__wire *wire)
{
    if (PQstatus(wire->pg) != CONNECTION_OK)
        return cx__wire_lost();
    return cx__wordless(-ENOMEM);
}

int cx__wire_flush(struct cx__wire *wire)
{
    for (;;) {
        int left = PQflush(wire->pg);
        int error = left < 0 ? cx__wire_lost() : 0;

        if (left == 1)
            error = wait_for(wire, CX_READABLE | CX_WRITABLE);
        if (error != 0 || left == 0)
            return error;
    }
}

int cx__wire_next(struct cx__wire *wire, PGresult **result)
{
    while (PQisBusy(wire->pg)) {
        int error = wait_for(wire, CX_READABLE);

        if (error != 0)
            return error;
    }
    *result = PQgetResult(wire->pg);
    return 0;
}

/* A COPY does, until it is done. */
static bool gives_itself_again(const PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);

    return status == PGRES_COPY_OUT || status == PGRES_COPY_IN;
}

bool cx__wire_drop(struct cx__wire *wire)
{
    bool is_copy = false;

    while (!is_copy && !PQisBusy(wire->pg)) {
        PGresult *result = PQgetResult(wire->pg);

        if (result == NULL)
            return true;
        is_copy = gives_itself_again(result);
        PQclear(result);
    }
    return false;
}

int cx__wire_finish(struct cx__wire *wire, PGresult **last)
{
    PGresult *kept = NULL;
    PGresult *next = NULL;
    int failed = 0;
    int error = cx__wire_flush(wire);

    while (error == 0) {
        error = cx__wire_next(wire, &next);
        if (error != 0 || next == NULL)
            break;
        if (failed == 0)
            failed = cx__wire_error(next);
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

int cx__wire_query(struct cx__wire *wire, const char *text, int n,
                   const char *const params[], PGresult **result)
{
    if (PQsendQueryParams(wire->pg, text, n, NULL, params, NULL, NULL, 0) != 1)
        return cx__wire_unsent(wire);
    return cx__wire_finish(wire, result);
}

int cx__wire_run(struct cx__wire *wire, const char *text)
{
    return cx__wire_query(wire, text, 0, NULL, NULL);
}

/* Wait for the first of the results, unless a cancel or the deadline is
 * first. */
static void await_answer(struct cx__wire *wire)
{
    int error = cx__wire_flush(wire);

    while (error == 0 && PQisBusy(wire->pg))
        error = wait_for(wire, CX_READABLE);
}

int cx__wire_commit(struct cx__wire *wire)
{
    int error = -ENOMEM;

    if (PQsendQueryParams(wire->pg, "COMMIT", 0, NULL, NULL, NULL, NULL, 0) !=
        1)
        return cx__wire_unsent(wire);
    await_answer(wire);
    CX__WIRE_GRACE {
        error = cx__wire_finish(wire, NULL);
    }
    if (PQstatus(wire->pg) == CONNECTION_OK &&
        PQtransactionStatus(wire->pg) != PQTRANS_ACTIVE)
        return error;
    return cx__problem(-ENOTRECOVERABLE,
                       "the connection was lost at the commit: whether it was"
                       " made is unknown");
}

void cx__wire_abandon(struct cx__wire *wire)
{
    if (PQtransactionStatus(wire->pg) == PQTRANS_ACTIVE &&
        PQstatus(wire->pg) == CONNECTION_OK)
        cx__wire_cancel(wire->cancels, wire);
    cx_fd_remove(wire->fd);
    (void)close(wire->fd);
    PQfinish(wire->pg);
    free(wire);
}
