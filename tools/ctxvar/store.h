/* SPDX-License-Identifier: MIT */
/* The demo's database: a SQLite file with one table for each client. */
#ifndef CTXVAR_TOOL_STORE_H
#define CTXVAR_TOOL_STORE_H

#include <stdbool.h>

struct store;

/* What a query found. */
struct reading {
    const char *table; /* borrowed, as asked for; NULL: no table was chosen */
    unsigned rows;
    unsigned foreign; /* rows that say that they are another client's */
};

/*
 * Open the database, filled. A path: a database of an earlier run, or a new
 * one; anything else there is refused and left alone. NULL: a temporary file,
 * which is gone when the program ends, however it ends. NULL is returned
 * after one line on stderr.
 */
struct store *store_open(const char *path);
void store_close(struct store *store);

/* Read a client's view of a table, from any thread. False: the database
 * failed, after one line on stderr. */
bool store_read(struct store *store, const char *table, char client,
                struct reading *reading);

#endif
