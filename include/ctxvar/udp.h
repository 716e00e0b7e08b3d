/* SPDX-License-Identifier: MIT */
/* UDP: datagrams, which may be lost, doubled and out of order. */
#ifndef CTXVAR_UDP_H
#define CTXVAR_UDP_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include <ctxvar/task.h>

CX__BEGIN_DECLS

/** A socket for datagrams; of one loop. */
typedef struct cx_udp cx_udp;

/** Where a datagram comes from, or goes to. */
typedef struct cx_udp_peer {
    struct sockaddr_storage address;
    socklen_t size;
} cx_udp_peer;

/**
 * Open a socket for datagrams that are sent to an address of this machine.
 *
 * @param host  Borrowed: a name or an address of this machine, of the kind,
 *              IPv4 or IPv6, that the peers have.
 * @param port  0: one that is free; cx_udp_port() tells which.
 * @param udp   Written on success: owned by the caller.
 * @return 0, or
 *   -EADDRINUSE, -EACCES and whatever bind() says
 *   -EINVAL      host or udp is NULL
 *   -ENOMEM      no memory
 *   -EPERM       not called within a task
 *   and the errors of cx_resolve()
 *
 * Suspends: to look up a name. Threads: a loop's, within a task. Cost: system
 * calls.
 * Source: asyncio, loop.create_datagram_endpoint().  Since: 0.1
 */
CX__API int cx_udp_open(const char *host, uint16_t port, cx_udp **udp);

/**
 * Find out where to send to.
 *
 * @param udp   Borrowed: its kind of address is looked for.
 * @param host  Borrowed: a name or an address.
 * @param port  1 to 65535.
 * @param peer  Written on success.
 * @return 0, or
 *   -EINVAL      udp, host or peer is NULL
 *   and the errors of cx_resolve()
 *
 * Suspends: to look up a name. Threads: a loop's, within a task. Cost: as
 * cx_resolve().
 * Source: getaddrinfo().  Since: 0.1
 */
CX__API int cx_udp_find(const cx_udp *udp, const char *host, uint16_t port,
                        cx_udp_peer *peer);

/**
 * Send a datagram.
 *
 * @param udp   Borrowed.
 * @param data  Borrowed for the call.
 * @param size  In bytes.
 * @param peer  Borrowed: where to.
 * @return 0, or
 *   -EMSGSIZE    it is larger than a datagram may be
 *   -ECONNREFUSED, -ENETUNREACH and whatever sendto() says
 *   -ECANCELED   the task is cancelled
 *   -ETIMEDOUT   the deadline has passed
 *   -EBUSY       another task waits to send
 *   -EBADF       it was closed while this waited
 *   -EINVAL      udp or peer is NULL, or data is and size is not 0
 *   -EXDEV       it is another thread's
 *   -EPERM       not called within a task
 *
 * Suspends: while the system has no room for it. Threads: its loop's, within
 * a task. Cost: one system call.
 * Source: sendto().  Since: 0.1
 */
CX__API int cx_udp_send(cx_udp *udp, const void *data, size_t size,
                        const cx_udp_peer *peer);

/**
 * Receive a datagram, waiting for one.
 *
 * @param udp   Borrowed.
 * @param data  Written: size bytes at most; of a larger datagram the rest is
 *              lost.
 * @param size  In bytes.
 * @param peer  Written on success: where it is from; NULL: not wanted.
 * @return how long the datagram is, more than size if it did not fit; or
 *   -ECANCELED   the task is cancelled
 *   -ETIMEDOUT   the deadline has passed
 *   -EBUSY       another task waits to receive
 *   -EBADF       it was closed while this waited
 *   -EINVAL      udp is NULL, or data is and size is not 0
 *   -EXDEV       it is another thread's
 *   -EPERM       not called within a task
 *
 * Suspends: while there is none. Threads: its loop's, within a task. Cost: one
 * system call.
 * Source: recvfrom().  Since: 0.1
 */
CX__API ssize_t cx_udp_receive(cx_udp *udp, void *data, size_t size,
                               cx_udp_peer *peer);

/**
 * Tell the port of a socket.
 *
 * @param udp  Borrowed.
 * @return the port, or
 *   -EINVAL      udp is NULL
 *
 * Suspends: never. Threads: its loop's. Cost: one system call.
 * Source: getsockname().  Since: 0.1
 */
CX__API int cx_udp_port(const cx_udp *udp);

/**
 * Close a socket. A task that waits for it gets -EBADF.
 *
 * @param udp  Owned, given up; NULL is ignored.
 *
 * Suspends: never. Threads: its loop's. Cost: system calls.
 * Source: asyncio, DatagramTransport.close().  Since: 0.1
 */
CX__API void cx_udp_close(cx_udp *udp);

CX__END_DECLS

#endif
