/* SPDX-License-Identifier: MIT */
/* Datagrams. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include <ctxvar/udp.h>

#include "address.h"
#include "endpoint.h"

struct cx_udp {
    struct cx__endpoint endpoint;
    int family;
};

static void udp_free(struct cx__endpoint *endpoint)
{
    free(CX__OWNER(endpoint, cx_udp, endpoint));
}

static void udp_close(struct cx__resource *resource)
{
    cx_udp_close(CX__OWNER(resource, cx_udp, endpoint.resource));
}

/* A socket that is bound, or a negative errno. */
static int bound(const struct cx__address *address)
{
    int fd = cx__socket_for(address, SOCK_DGRAM);

    if (fd >= 0 && bind(fd, &address->at.any, address->size) != 0) {
        int error = -errno;

        (void)close(fd);
        return error;
    }
    return fd;
}

static int open_at(const struct cx__address *address, cx_udp **udp)
{
    cx_udp *opened = calloc(1, sizeof(*opened));
    int error;
    int fd = opened != NULL ? bound(address) : -ENOMEM;

    error = fd >= 0
                ? cx__endpoint_open(&opened->endpoint, fd, udp_close, udp_free)
                : fd;
    if (error != 0) {
        if (fd >= 0)
            (void)close(fd);
        free(opened);
        return error;
    }
    opened->family = address->at.any.sa_family;
    *udp = opened;
    return 0;
}

int cx_udp_open(const char *host, uint16_t port, cx_udp **udp)
{
    struct addrinfo *list;
    int error;

    if (host == NULL || udp == NULL)
        return cx__task_running() != NULL ? -EINVAL : -EPERM;
    error = cx__address_resolve(host, port, SOCK_DGRAM, &list);
    if (error != 0)
        return error;
    error = -ENOENT;
    for (struct addrinfo *each = list; each != NULL && error != 0;
         each = each->ai_next) {
        struct cx__address address = cx__address_of(each);

        error = open_at(&address, udp);
    }
    freeaddrinfo(list);
    return error;
}

int cx_udp_find(const cx_udp *udp, const char *host, uint16_t port,
                cx_udp_peer *peer)
{
    struct addrinfo *list;
    int error;

    if (udp == NULL || host == NULL || peer == NULL)
        return -EINVAL;
    error = cx__address_resolve(host, port, SOCK_DGRAM, &list);
    if (error != 0)
        return error;
    error = -ENOENT;
    for (struct addrinfo *each = list; each != NULL && error != 0;
         each = each->ai_next) {
        struct cx__address address = cx__address_of(each);

        if (each->ai_family != udp->family)
            continue;
        *peer = (cx_udp_peer){address.at.room, address.size};
        error = 0;
    }
    freeaddrinfo(list);
    return error;
}

static int send_one(cx_udp *udp, const void *data, size_t size,
                    const cx_udp_peer *peer)
{
    int error = 0;

    while (error == 0) {
        if (sendto(udp->endpoint.fd, data, size, MSG_NOSIGNAL,
                   (const struct sockaddr *)&peer->address, peer->size) >= 0)
            return 0;
        error = cx__endpoint_retry(&udp->endpoint, CX_WRITABLE, errno);
    }
    return error;
}

int cx_udp_send(cx_udp *udp, const void *data, size_t size,
                const cx_udp_peer *peer)
{
    int error;

    if (udp == NULL || peer == NULL || (data == NULL && size > 0))
        return -EINVAL;
    error = cx__endpoint_begin(&udp->endpoint, CX_WRITABLE);
    if (error != 0)
        return error;
    error = send_one(udp, data, size, peer);
    cx__endpoint_end(&udp->endpoint, CX_WRITABLE);
    return error;
}

static ssize_t receive_one(cx_udp *udp, void *data, size_t size,
                           cx_udp_peer *peer)
{
    int error = 0;

    while (error == 0) {
        ssize_t got;

        peer->size = sizeof(peer->address);
        got = recvfrom(udp->endpoint.fd, data, size, MSG_TRUNC,
                       (struct sockaddr *)&peer->address, &peer->size);
        if (got >= 0)
            return got;
        error = cx__endpoint_retry(&udp->endpoint, CX_READABLE, errno);
    }
    return error;
}

ssize_t cx_udp_receive(cx_udp *udp, void *data, size_t size, cx_udp_peer *peer)
{
    cx_udp_peer ignored;
    ssize_t got;

    if (udp == NULL || (data == NULL && size > 0))
        return -EINVAL;
    got = cx__endpoint_begin(&udp->endpoint, CX_READABLE);
    if (got != 0)
        return got;
    got = receive_one(udp, data, size, peer != NULL ? peer : &ignored);
    cx__endpoint_end(&udp->endpoint, CX_READABLE);
    return got;
}

int cx_udp_port(const cx_udp *udp)
{
    return udp != NULL ? cx__socket_port(udp->endpoint.fd) : -EINVAL;
}

void cx_udp_close(cx_udp *udp)
{
    if (udp != NULL && udp->endpoint.loop == cx__loop_here)
        cx__endpoint_close(&udp->endpoint);
}
