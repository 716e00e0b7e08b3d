/* SPDX-License-Identifier: MIT */
/* Serving: accepting connections, and a task for each. */
#include <errno.h>
#include <stdlib.h>

#include <ctxvar/group.h>
#include <ctxvar/stream.h>

/* How long to leave those alone that wait while there is no descriptor. */
enum { SCARCE_MS = 20 };

struct connection {
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
        error = cx_group_start(group, connection_main, connection);
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
    struct connection connection = {.fn = fn, .arg = arg};
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
