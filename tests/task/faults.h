/* SPDX-License-Identifier: MIT */
/* System calls that fail when they are told to: what includes this has them
 * wrapped. */
#ifndef CTXVAR_TESTS_TASK_FAULTS_H
#define CTXVAR_TESTS_TASK_FAULTS_H

#include "support.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

/* Which call fails, after how many others of it, and how often. */
static struct {
    const char *call;
    int after;
    int times;
    int error;
} fault;

static CX__UNUSED void break_call(const char *call, int after, int error)
{
    fault.call = call;
    fault.after = after;
    fault.times = 1;
    fault.error = error;
}

static bool is_hit(const char *call)
{
    if (fault.times == 0 || strcmp(call, fault.call) != 0 || fault.after-- > 0)
        return false;
    fault.times--;
    errno = fault.error;
    return true;
}

/* CALL(type, name, parameters, arguments): a call that may fail. */
#define CALL(type, name, parameters, arguments)                                \
    type __real_##name parameters;                                             \
    type __wrap_##name parameters;                                             \
    type __wrap_##name parameters                                              \
    {                                                                          \
        return is_hit(#name) ? -1 : __real_##name arguments;                   \
    }

/* For the linker:
 * __wrap_socket() __wrap_listen() __wrap_accept4() __wrap_bind()
 * __wrap_socketpair() __wrap_pipe2() __wrap_epoll_create1() __wrap_fcntl()
 * __wrap_read() __wrap_getsockname() __wrap_connect() __wrap_uv_getaddrinfo()
 * __wrap_uv_poll_init() __wrap_epoll_ctl() __wrap_eventfd() */
CALL(int, socket, (int family, int type, int protocol),
     (family, type, protocol))
CALL(int, listen, (int fd, int backlog), (fd, backlog))
CALL(int, bind, (int fd, const struct sockaddr *at, socklen_t size),
     (fd, at, size))
CALL(int, accept4, (int fd, struct sockaddr *at, socklen_t *size, int flags),
     (fd, at, size, flags))
CALL(int, socketpair, (int family, int type, int protocol, int fds[2]),
     (family, type, protocol, fds))
CALL(int, pipe2, (int fds[2], int flags), (fds, flags))
CALL(int, epoll_create1, (int flags), (flags))
CALL(int, epoll_ctl, (int set, int what, int fd, struct epoll_event *event),
     (set, what, fd, event))
CALL(int, eventfd, (unsigned count, int flags), (count, flags))
CALL(int, fcntl, (int fd, int command, long value), (fd, command, value))
CALL(ssize_t, read, (int fd, void *data, size_t size), (fd, data, size))
CALL(int, getsockname, (int fd, struct sockaddr *at, socklen_t *size),
     (fd, at, size))

/* The connection is begun all the same. */
int __real_connect(int fd, const struct sockaddr *at, socklen_t size);
int __wrap_connect(int fd, const struct sockaddr *at, socklen_t size);
int __wrap_connect(int fd, const struct sockaddr *at, socklen_t size)
{
    int result = __real_connect(fd, at, size);

    return is_hit("connect") ? -1 : result;
}

/* libuv returns its errors. */
int __real_uv_getaddrinfo(uv_loop_t *uv, uv_getaddrinfo_t *request,
                          uv_getaddrinfo_cb done, const char *host,
                          const char *service, const struct addrinfo *hints);
int __wrap_uv_getaddrinfo(uv_loop_t *uv, uv_getaddrinfo_t *request,
                          uv_getaddrinfo_cb done, const char *host,
                          const char *service, const struct addrinfo *hints);
int __wrap_uv_getaddrinfo(uv_loop_t *uv, uv_getaddrinfo_t *request,
                          uv_getaddrinfo_cb done, const char *host,
                          const char *service, const struct addrinfo *hints)
{
    return is_hit("uv_getaddrinfo")
               ? fault.error
               : __real_uv_getaddrinfo(uv, request, done, host, service, hints);
}

int __real_uv_poll_init(uv_loop_t *uv, uv_poll_t *poll, int fd);
int __wrap_uv_poll_init(uv_loop_t *uv, uv_poll_t *poll, int fd);
int __wrap_uv_poll_init(uv_loop_t *uv, uv_poll_t *poll, int fd)
{
    return is_hit("uv_poll_init") ? fault.error
                                  : __real_uv_poll_init(uv, poll, fd);
}

/* Those of this process. */
static int descriptors(void)
{
    DIR *fds = opendir("/proc/self/fd");
    int n = 0;

    assert_non_null(fds);
    while (readdir(fds) != NULL)
        n++;
    (void)closedir(fds);
    return n;
}

/* The fault was met, and has left nothing open. */
static void assert_met(int open_before)
{
    assert_int_equal(fault.times, 0);
    assert_int_equal(descriptors(), open_before);
}

#endif
