/* SPDX-License-Identifier: MIT */
/*
 * Serving: a call for each connection, readiness or signal that comes, each in
 * a fresh copy of the server's context.
 */
#include <errno.h>
#include <stdlib.h>

#include <ctxvar/fd.h>
#include <ctxvar/signal.h>
#include <ctxvar/stream.h>

#include "group.h"
#include "site.h"

/* How long to leave those alone that wait while there is no descriptor. */
enum { SCARCE_MS = 20 };

struct connection {
    const void *site; /* of the call that serves */
    cx_stream *stream;
    cx_serve_fn *fn;
    void *arg;
};

static int connection_main(void *arg)
{
    struct connection connection = *(struct connection *)arg;

    free(arg);
    connection.fn(connection.stream, connection.arg);
    cx_stream_close(connection.stream);
    return 0;
}

/* Hand a connection to a task, waiting for its turn; or close it. */
static int connection_start(cx_group *group, const struct connection *as)
{
    struct connection *connection = malloc(sizeof(*connection));
    int error = -ENOMEM;

    if (connection != NULL) {
        *connection = *as;
        error = cx__group_start(group, connection_main, connection, as->site);
    }
    if (error != 0) {
        free(connection);
        cx_stream_close(as->stream);
    }
    return error;
}

static bool is_scarce(int error)
{
    return error == -EMFILE || error == -ENFILE || error == -ENOBUFS ||
           error == -ENOMEM;
}

/* Serve until an error that does not pass. */
static int serve(cx_listener *listener, cx_group *group,
                 struct connection *connection)
{
    int error = 0;

    while (error == 0) {
        error = cx_accept(listener, &connection->stream);
        if (error == 0)
            error = connection_start(group, connection);
        if (is_scarce(error))
            error = cx_sleep(SCARCE_MS);
    }
    return error;
}

int cx_serve(cx_listener *listener, cx_serve_fn *fn, void *arg, size_t limit)
{
    struct connection connection = {.site = CX__SITE, .fn = fn, .arg = arg};
    cx_group *group;
    int error;

    if (listener == NULL || fn == NULL)
        return -EINVAL;
    group = cx_group_new(&(cx_group_options){.limit = limit});
    if (group == NULL)
        return -errno;
    error = serve(listener, group, &connection);
    if (error == -EBADF)
        (void)cx_group_wait(group);
    cx_group_free(group);
    return error;
}

/* What to call for an event, and where it comes from. */
struct events {
    int fd;
    int events;
    cx_signal *signal;
};

static int wait_fd(const struct events *from)
{
    return cx_fd_wait(from->fd, from->events);
}

static int wait_signal(const struct events *from)
{
    return cx_signal_wait(from->signal);
}

static int serve_events(int (*wait)(const struct events *),
                        const struct events *from, void (*fn)(void *),
                        void *arg)
{
    cx_snapshot *snapshot;
    int error;

    if (fn == NULL)
        return -EINVAL;
    snapshot = cx_snapshot_new();
    if (snapshot == NULL)
        return -errno;
    while ((error = wait(from)) > 0) {
        error = cx_snapshot_run(snapshot, fn, arg);
        if (error != 0)
            break;
    }
    cx_snapshot_unref(snapshot);
    return error;
}

int cx_fd_serve(int fd, int events, void (*fn)(void *), void *arg)
{
    return serve_events(wait_fd, &(struct events){.fd = fd, .events = events},
                        fn, arg);
}

int cx_signal_serve(cx_signal *caught, void (*fn)(void *), void *arg)
{
    return serve_events(wait_signal, &(struct events){.signal = caught}, fn,
                        arg);
}
