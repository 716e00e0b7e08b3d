/* SPDX-License-Identifier: MIT */
/* The clients of the demo: who they are, and whose table is whose. */
#ifndef CTXVAR_TOOL_CLIENTS_H
#define CTXVAR_TOOL_CLIENTS_H

enum { CLIENTS = 4, USERS = 3 };

struct client {
    char name;
    const char *table;
    unsigned wait; /* units between its reads */
    const char *users[USERS];
};

extern const struct client clients[CLIENTS];

#endif
