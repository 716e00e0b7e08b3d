/* SPDX-License-Identifier: MIT */
/* Listening, and accepting connections. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "address.h"
#include "endpoint.h"
#include "stream.h"

enum { BACKLOG = 1024 };

/* A path is there from bind() on, and is removed by whoever made it. */
struct cx_listener {
    struct cx__endpoint endpoint;
    struct cx__address address;
    dev_t device; /* of the path's file */
    ino_t inode;
};

static void listener_free(struct cx__endpoint *endpoint)
{
    free(CX__OWNER(endpoint, cx_listener, endpoint));
}

static void listener_close(struct cx__resource *resource)
{
    cx_listener_close(CX__OWNER(resource, cx_listener, endpoint.resource));
}

/* Does an address have a file in the file system? */
static bool has_path(const struct cx__address *address)
{
    return !cx__address_is_inet(address) && address->at.un.sun_path[0] != '\0';
}

/* Is a path the socket of a server that has gone? */
static bool is_left_over(const struct cx__address *address)
{
    struct stat status;
    int fd;
    bool refused;

    if (lstat(address->at.un.sun_path, &status) != 0 ||
        !S_ISSOCK(status.st_mode))
        return false;
    fd = cx__socket_for(address, SOCK_STREAM);
    if (fd < 0)
        return false;
    refused = connect(fd, &address->at.any, address->size) != 0 &&
              errno == ECONNREFUSED;
    (void)close(fd);
    return refused;
}

static int bind_to(int fd, const struct cx__address *address)
{
    int error = bind(fd, &address->at.any, address->size) == 0 ? 0 : -errno;

    if (error != -EADDRINUSE || !has_path(address) || !is_left_over(address))
        return error;
    (void)unlink(address->at.un.sun_path);
    return bind(fd, &address->at.any, address->size) == 0 ? 0 : -errno;
}

/* Close what was bound, and be sure that nothing is left of it. */
static void unbind(int fd, const struct cx__address *address)
{
    (void)close(fd);
    if (has_path(address))
        (void)unlink(address->at.un.sun_path);
}

/* A socket that listens, or a negative errno. */
static int listening(const struct cx__address *address,
                     const cx_listen_options *options)
{
    int backlog = options->backlog > 0 ? options->backlog : BACKLOG;
    int fd = cx__socket_for(address, SOCK_STREAM);
    int error;

    if (fd < 0)
        return fd;
    if (cx__address_is_inet(address))
        cx__socket_set(fd, SOL_SOCKET, SO_REUSEADDR);
    if (options->reuse_port)
        cx__socket_set(fd, SOL_SOCKET, SO_REUSEPORT);
    error = bind_to(fd, address);
    if (error != 0) {
        (void)close(fd);
        return error;
    }
    if (listen(fd, backlog) == 0)
        return fd;
    error = -errno;
    unbind(fd, address);
    return error;
}

static void remember_path(cx_listener *listener)
{
    struct stat status;

    if (has_path(&listener->address) &&
        lstat(listener->address.at.un.sun_path, &status) == 0) {
        listener->device = status.st_dev;
        listener->inode = status.st_ino;
    }
}

static int listen_to(const struct cx__address *address,
                     const cx_listen_options *options, cx_listener **listener)
{
    static const cx_listen_options none;
    cx_listener *made = calloc(1, sizeof(*made));
    int fd, error;

    if (made == NULL)
        return -ENOMEM;
    fd = listening(address, options != NULL ? options : &none);
    error = fd >= 0 ? cx__endpoint_open(&made->endpoint, fd, listener_close,
                                        listener_free)
                    : fd;
    if (error != 0) {
        if (fd >= 0)
            unbind(fd, address);
        free(made);
        return error;
    }
    made->address = *address;
    remember_path(made);
    *listener = made;
    return 0;
}

int cx_tcp_listen(const char *host, uint16_t port,
                  const cx_listen_options *options, cx_listener **listener)
{
    struct addrinfo *list;
    int error;

    if (cx__task_running() == NULL || listener == NULL)
        return cx__task_running() == NULL ? -EPERM : -EINVAL;
    if (host == NULL) {
        error = cx_tcp_listen("::", port, options, listener);
        if (error != -EAFNOSUPPORT && error != -EADDRNOTAVAIL)
            return error;
        host = "0.0.0.0";
    }
    error = cx__address_resolve(host, port, SOCK_STREAM, &list);
    if (error != 0)
        return error;
    error = -ENOENT;
    for (struct addrinfo *each = list; each != NULL && error != 0;
         each = each->ai_next) {
        struct cx__address address = cx__address_of(each);

        error = listen_to(&address, options, listener);
    }
    freeaddrinfo(list);
    return error;
}

int cx_unix_listen(const char *path, const cx_listen_options *options,
                   cx_listener **listener)
{
    struct cx__address address;
    int error;

    if (cx__task_running() == NULL)
        return -EPERM;
    if (path == NULL || listener == NULL)
        return -EINVAL;
    error = cx__address_of_path(&address, path);
    return error == 0 ? listen_to(&address, options, listener) : error;
}

int cx_listener_port(const cx_listener *listener)
{
    return listener != NULL ? cx__socket_port(listener->endpoint.fd) : -EINVAL;
}

/* Remove the path, unless it is another's by now. */
static void forget_path(const cx_listener *listener)
{
    const char *path = listener->address.at.un.sun_path;
    struct stat status;

    if (has_path(&listener->address) && lstat(path, &status) == 0 &&
        status.st_dev == listener->device && status.st_ino == listener->inode)
        (void)unlink(path);
}

void cx_listener_close(cx_listener *listener)
{
    if (listener == NULL || listener->endpoint.loop != cx__loop_here)
        return;
    forget_path(listener);
    cx__endpoint_close(&listener->endpoint);
}

/* What accept() says of a connection that has gone already. */
static bool is_passing(int error)
{
    return error == ECONNABORTED || error == EPROTO || error == ENETDOWN ||
           error == EHOSTDOWN || error == EHOSTUNREACH ||
           error == ENETUNREACH || error == ENOPROTOOPT || error == ENONET;
}

/* The next connection, or a negative errno. */
static int accept_next(cx_listener *listener)
{
    for (;;) {
        int fd = accept4(listener->endpoint.fd, NULL, NULL,
                         SOCK_NONBLOCK | SOCK_CLOEXEC);
        int error = 0;

        if (fd >= 0)
            return fd;
        if (!is_passing(errno))
            error = cx__endpoint_retry(&listener->endpoint, CX_READABLE, errno);
        if (error != 0)
            return error;
    }
}

int cx_accept(cx_listener *listener, cx_stream **stream)
{
    int error, fd;

    if (listener == NULL || stream == NULL)
        return -EINVAL;
    error = cx__endpoint_begin(&listener->endpoint, CX_READABLE);
    if (error != 0)
        return error;
    fd = accept_next(listener);
    if (fd >= 0 && cx__address_is_inet(&listener->address))
        cx__socket_set(fd, IPPROTO_TCP, TCP_NODELAY);
    cx__endpoint_end(&listener->endpoint, CX_READABLE);
    return fd >= 0 ? cx__stream_take(fd, true, stream) : fd;
}
