/* SPDX-License-Identifier: MIT */
/*
 * Needs: nothing
 *
 * One model `User`, and clients that each have a table of users of their own.
 * Everybody reads through the same model; who is served decides the table.
 *
 *     cc orm.c $(pkg-config --cflags --libs ctxvar) -o orm
 *
 * The two lines: CX_WITH(user_table, ...) where it is known who is served, and
 * cx_get(user_table) in the model. Work for later takes a snapshot along. The
 * plain global beside it shows what goes wrong without.
 */
#include <ctxvar/context.h>

#include "expect.h"

enum { CLIENTS = 4 };

CX_VAR(const char *, user_table);

static const char *naive_table;

struct client {
    const char *table;
    char *user;
    cx_snapshot *snapshot;
};

/* The database. */
static struct client clients[CLIENTS] = {
    {"Users_A", "Ada", NULL},
    {"Users_B", "Barbara", NULL},
    {"Users_C", "Claude", NULL},
    {"Users_D", "Dennis", NULL},
};

/* SELECT name FROM table */
static const char *select_name(const char *table)
{
    for (int i = 0; table != NULL && i < CLIENTS; i++) {
        if (strcmp(clients[i].table, table) == 0)
            return clients[i].user;
    }
    return NULL;
}

/* The model. */
static const char *user_read(void)
{
    return select_name(cx_get(user_table));
}

static const char *naive_user_read(void)
{
    return select_name(naive_table);
}

/* The second half of a request, which had to wait. */
static void finish(void *user)
{
    expect("finished with a variable", user_read(), user);
    expect("finished with a global", naive_user_read(), "Dennis");
}

/* The first half. */
static void begin(struct client *client)
{
    naive_table = client->table;
    CX_WITH(user_table, client->table) {
        expect("begun with a variable", user_read(), client->user);
        expect("begun with a global", naive_user_read(), client->user);
        client->snapshot = cx_snapshot_new();
    }
}

int main(void)
{
    for (int i = 0; i < CLIENTS; i++)
        begin(&clients[i]);
    for (int i = 0; i < CLIENTS; i++) {
        cx_snapshot_run(clients[i].snapshot, finish, clients[i].user);
        cx_snapshot_unref(clients[i].snapshot);
    }
    expect("served nobody", user_read(), "(nothing)");
    return verdict(4 * CLIENTS + 1);
}
