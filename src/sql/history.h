/* SPDX-License-Identifier: MIT */
/*
 * A room's history: its own list, cx_migrations, of what was applied to it,
 * beside the list that was given. What writes to it is called in the
 * transaction that applies the scripts.
 */
#ifndef CTXVAR_SQL_HISTORY_H
#define CTXVAR_SQL_HISTORY_H

#include "engine.h"

/*
 * The list that was given.
 *
 * engine   whose scripts count
 * changed  the version whose script may be another than it was; 0: none
 */
struct cx__scripts {
    const struct cx__engine *engine;
    const cx_migration *list;
    size_t len;
    int changed;
};

/*
 * How much of what was applied is the list's.
 *
 * n        scripts of the list, from its first on
 * version  of the last one that was looked at: of the n-th, or of the one that
 *          is not the list's
 */
struct cx__history {
    size_t n;
    int64_t version;
};

/* The n-th script, from 0; "" where there is nothing to do. */
const char *cx__history_script(const struct cx__scripts *scripts, size_t n);

/*
 * Read what was applied: 0 if all of it is the list's, or
 *   -EPROTOTYPE  a script is not, or was another
 *   -ERANGE      the list ends sooner
 * for which there are no words yet, or another error. The history is written in
 * any case.
 */
int cx__history_read(const struct cx__scripts *scripts,
                     struct cx__connection *connection,
                     struct cx__history *history);

/* Leave words for what cx__history_read() gave, and give it on. */
int cx__history_refuse(const struct cx__scripts *scripts,
                       const struct cx__history *history, int error);

/* Write down that the n-th was applied. */
int cx__history_add(const struct cx__scripts *scripts,
                    struct cx__connection *connection, size_t n);

/* Write down that the changed script is what it is now: 1; 0: it was already,
 * or was not applied, or there is none; or the error. */
int cx__history_accept_changed(const struct cx__scripts *scripts,
                               struct cx__connection *connection);

#endif
