/* SPDX-License-Identifier: MIT */
/* Addresses of hosts. */
#ifndef CTXVAR_RESOLVE_H
#define CTXVAR_RESOLVE_H

#include <ctxvar/task.h>

CX__BEGIN_DECLS

/** Of <netdb.h>. */
struct addrinfo;

/**
 * Look up the addresses of a host, as getaddrinfo() does; only the calling
 * task waits.
 *
 * @param host     Borrowed: a name or an address; NULL: this machine.
 * @param service  Borrowed: a name or a number; NULL: none.
 * @param hints    Borrowed for the call; NULL: none.
 * @param list     Written on success: for freeaddrinfo() to free.
 * @return 0, or
 *   -ENOENT      no such host or service, or no address of the wanted kind
 *   -EAGAIN      the name server does not answer
 *   -EIO         it has answered with a failure
 *   -EINVAL      host and service are both NULL, list is, or hints make no
 *                sense
 *   -ENAMETOOLONG  host is too long
 *   -ECANCELED   the task is cancelled
 *   -ETIMEDOUT   the deadline has passed
 *   -ENOMEM      no memory
 *   -EPERM       not called within a task
 *
 * Suspends: yes. Threads: a loop's, within a task. Cost: a job for a thread
 * of libuv's.
 * Source: asyncio, loop.getaddrinfo().  Since: 0.1
 */
CX__API int cx_resolve(const char *host, const char *service,
                       const struct addrinfo *hints, struct addrinfo **list);

CX__END_DECLS

#endif
