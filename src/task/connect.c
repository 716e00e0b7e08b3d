/* SPDX-License-Identifier: MIT */
/* Connecting to a server. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include "address.h"
#include "stream.h"
#include "wait.h"

/* How long until a server that was busy is asked again. */
enum { BUSY_MS = 1 };

static int socket_error(int fd)
{
    int error = 0;
    socklen_t size = sizeof(error);

    (void)getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
    return -error;
}

/* Wait for the end of a connect() that has begun. */
static int connect_end(int fd)
{
    int ready = cx__poller_wait(fd, CX_WRITABLE);

    return ready > 0 ? socket_error(fd) : ready;
}

/* Connect a socket. A Unix-domain server whose backlog is full says EAGAIN,
 * and nothing tells when it no longer is: so it is asked again. */
static int connect_wait(int fd, const struct cx__address *address)
{
    while (connect(fd, &address->at.any, address->size) != 0) {
        int error = -errno;

        if (error == -EINPROGRESS || error == -EINTR)
            return connect_end(fd);
        if (error == -EAGAIN)
            error = cx_sleep(BUSY_MS);
        if (error != 0)
            return error;
    }
    return 0;
}

static int connect_to(const struct cx__address *address, cx_stream **stream)
{
    int fd = cx__socket_for(address, SOCK_STREAM);
    cx_stream *made;
    int error;

    if (fd < 0)
        return fd;
    error = cx__stream_take(fd, true, &made);
    if (error != 0)
        return error;
    error = connect_wait(fd, address);
    if (error != 0) {
        cx_stream_close(made);
        return error;
    }
    if (cx__address_is_inet(address))
        cx__socket_set(fd, IPPROTO_TCP, TCP_NODELAY);
    *stream = made;
    return 0;
}

int cx_tcp_connect(const char *host, uint16_t port, cx_stream **stream)
{
    struct addrinfo *list;
    int error;

    if (host == NULL || stream == NULL)
        return cx__task_running() != NULL ? -EINVAL : -EPERM;
    error = cx__address_resolve(host, port, SOCK_STREAM, &list);
    if (error != 0)
        return error;
    error = -ENOENT;
    for (struct addrinfo *each = list; each != NULL; each = each->ai_next) {
        struct cx__address address = cx__address_of(each);
        int stop = cx__wait_begin(cx__task_running());

        error = stop == 0 ? connect_to(&address, stream) : stop;
        if (error == 0 || stop != 0)
            break;
    }
    freeaddrinfo(list);
    return error;
}

int cx_unix_connect(const char *path, cx_stream **stream)
{
    cx_task *task = cx__task_running();
    struct cx__address address;
    int error;

    if (task == NULL)
        return -EPERM;
    if (path == NULL || stream == NULL)
        return -EINVAL;
    error = cx__address_of_path(&address, path);
    if (error == 0)
        error = cx__wait_begin(task);
    return error == 0 ? connect_to(&address, stream) : error;
}
