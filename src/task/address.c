/* SPDX-License-Identifier: MIT */
/* Addresses of sockets, and sockets for them. */
#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <ctxvar/resolve.h>

#include "address.h"

enum { PORT_BYTES = 8 };

int cx__address_of_path(struct cx__address *address, const char *path)
{
    size_t length = strlen(path);

    *address = (struct cx__address){.at.un.sun_family = AF_UNIX};
    if (length >= sizeof(address->at.un.sun_path))
        return -ENAMETOOLONG;
    (void)memcpy(address->at.un.sun_path, path, length);
    if (path[0] == '@')
        address->at.un.sun_path[0] = '\0';
    else
        length++;
    address->size =
        (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
    return 0;
}

struct cx__address cx__address_of(const struct addrinfo *info)
{
    struct cx__address address = {.size = info->ai_addrlen};

    (void)memcpy(&address.at, info->ai_addr, info->ai_addrlen);
    return address;
}

int cx__address_resolve(const char *host, uint16_t port, int type,
                        struct addrinfo **list)
{
    struct addrinfo hints = {.ai_socktype = type};
    char service[PORT_BYTES];

    (void)snprintf(service, sizeof(service), "%u", port);
    return cx_resolve(host, service, &hints, list);
}

void cx__socket_set(int fd, int level, int option)
{
    (void)setsockopt(fd, level, option, &(int){1}, sizeof(int));
}

bool cx__address_is_inet(const struct cx__address *address)
{
    return address->at.any.sa_family != AF_UNIX;
}

int cx__socket_for(const struct cx__address *address, int type)
{
    int fd = socket(address->at.any.sa_family,
                    type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    return fd >= 0 ? fd : -errno;
}

int cx__socket_port(int fd)
{
    union {
        struct sockaddr any;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
        struct sockaddr_storage room;
    } address = {.any.sa_family = AF_UNSPEC};
    socklen_t size = sizeof(address);

    if (getsockname(fd, &address.any, &size) != 0)
        return -errno;
    if (address.any.sa_family == AF_INET)
        return ntohs(address.in.sin_port);
    return address.any.sa_family == AF_INET6 ? ntohs(address.in6.sin6_port)
                                             : -EAFNOSUPPORT;
}
