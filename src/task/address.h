/* SPDX-License-Identifier: MIT */
/* Addresses of sockets, and sockets for them. */
#ifndef CTXVAR_TASK_ADDRESS_H
#define CTXVAR_TASK_ADDRESS_H

#include <netdb.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

struct cx__address {
    socklen_t size;
    union {
        struct sockaddr any;
        struct sockaddr_un un;
        struct sockaddr_storage room;
    } at;
};

/* Of a Unix-domain socket: 0 or -ENAMETOOLONG. */
int cx__address_of_path(struct cx__address *address, const char *path);

/* Of one line of getaddrinfo()'s list. */
struct cx__address cx__address_of(const struct addrinfo *info);

/* The addresses of a host and port for sockets of a type; cx_resolve(). */
int cx__address_resolve(const char *host, uint16_t port, int type,
                        struct addrinfo **list);

bool cx__address_is_inet(const struct cx__address *address);

/* A socket of the address's kind, or a negative errno. */
int cx__socket_for(const struct cx__address *address, int type);

/* The port that a socket is bound to; -EAFNOSUPPORT: its kind has none. */
int cx__socket_port(int fd);

/* Turn an option on. */
void cx__socket_set(int fd, int level, int option);

#endif
