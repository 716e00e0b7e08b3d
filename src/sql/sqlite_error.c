/* SPDX-License-Identifier: MIT */
/* SQLite's codes as errno. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "problem.h"
#include "sqlite.h"

static int constraint(int code)
{
    switch (code) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_ROWID:
        return -EEXIST;
    default:
        return -EDOM;
    }
}

const char cx__sqlite_unwritable[] =
    "the file, or its folder, may not be written";

/* Errors that SQLite has no code for, by how its words begin. */
static const struct {
    const char *words;
    int error;
} told[] = {
    {"Expression tree is too large", -E2BIG},
    {"LIKE or GLOB pattern too complex", -E2BIG},
    {"at most ", -E2BIG},
    {"integer overflow", -EDOM},
    {"not authorized to use function", -EACCES},
    {"parser stack overflow", -E2BIG},
    {"too many ", -E2BIG},
    {"variable number must be", -E2BIG},
};

static int of_words(sqlite3 *handle)
{
    const char *words = handle != NULL ? sqlite3_errmsg(handle) : "";

    for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++) {
        if (strncmp(words, told[i].words, strlen(told[i].words)) == 0)
            return told[i].error;
    }
    return -EINVAL;
}

/* What the system said, where that says more than SQLite's code. */
static int of_system(sqlite3 *handle)
{
    switch (handle != NULL ? sqlite3_system_errno(handle) : 0) {
    case EACCES:
    case EPERM:
        return -EACCES;
    case EDQUOT:
    case EFBIG:
    case ENOSPC:
        return -ENOSPC;
    case EMFILE:
    case ENFILE:
        return -EMFILE;
    case EROFS:
        return -EROFS;
    case ENOENT:
        return -ENOENT;
    case ENOTDIR:
        return -ENOTDIR;
    default:
        return -EIO;
    }
}

int cx__sqlite_errno(sqlite3 *handle, int code)
{
    switch (code & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return 0;
    case SQLITE_CONSTRAINT:
        return constraint(code);
    case SQLITE_MISMATCH:
        return -EDOM;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
        return -EBUSY;
    case SQLITE_AUTH:
    case SQLITE_PERM:
        return -EACCES;
    case SQLITE_READONLY:
        return -EROFS;
    case SQLITE_FULL:
        return -ENOSPC;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_FORMAT:
        return -EUCLEAN;
    case SQLITE_NOMEM:
        return -ENOMEM;
    case SQLITE_TOOBIG:
        return -E2BIG;
    case SQLITE_INTERRUPT:
    case SQLITE_ABORT:
        return -ECANCELED;
    case SQLITE_IOERR:
        return code == SQLITE_IOERR_NOMEM ? -ENOMEM : of_system(handle);
    case SQLITE_CANTOPEN:
        return of_system(handle);
    case SQLITE_INTERNAL:
    case SQLITE_NOLFS:
        return -EIO;
    case SQLITE_ERROR:
        return of_words(handle);
    default:
        return -EINVAL;
    }
}

/* SQLite's words, or better ones. */
static const char *words_of(sqlite3 *handle, int code, int error)
{
    switch (code & 0xff) {
    case SQLITE_TOOBIG:
        return "a value is too large, or what is kept of rows to sort or"
               " compare them";
    case SQLITE_READONLY:
        return cx__sqlite_unwritable;
    case SQLITE_CANTOPEN:
        if (error == -EACCES)
            return "the file may not be used";
        break;
    default:
        break;
    }
    return handle != NULL ? sqlite3_errmsg(handle) : sqlite3_errstr(code);
}

/* What a connection's call came to. */
static int judge(struct cx__sqlite_connection *connection, int code,
                 struct cx__outcome *outcome)
{
    int error = cx__sqlite_errno(connection->handle, code);

    /* SQLite was made to stop by a wait that ended so. */
    if (connection->why != 0 && (error == -EBUSY || error == -ECANCELED))
        error = connection->why;
    connection->why = 0;
    /* Prepared anew, and nothing that could be run: another process has
     * changed the tables, or dropped them. */
    if (error == -EINVAL && connection->base.broken)
        return cx__sqlite_refuse(outcome, -ESTALE,
                                 "the tables are not what they were");
    if (error == 0 || error == -ECANCELED || error == -ETIMEDOUT ||
        error == -ENOMEM)
        return cx__sqlite_refuse(outcome, error, "");
    if (error == -EACCES && connection->refusal != NULL)
        return cx__sqlite_refuse(outcome, error, connection->refusal);
    return cx__sqlite_refuse(outcome, error,
                             words_of(connection->handle, code, error));
}

int cx__sqlite_step_outcome(struct cx__sqlite_connection *connection, int code,
                            struct cx__outcome *outcome)
{
    int error = judge(connection, code, outcome);

    /* Some failures end a transaction: SQLite has rolled it back by itself. */
    if (error != 0 && connection->base.depth > 0 &&
        sqlite3_get_autocommit(connection->handle) != 0)
        connection->base.lost = true;
    return error;
}

int cx__sqlite_tell(const struct cx__outcome *outcome)
{
    if (outcome->error == 0)
        return 0;
    if (outcome->words[0] == '\0')
        return cx__wordless(outcome->error);
    return cx__problem(outcome->error, "%s", outcome->words);
}

int cx__sqlite_problem(struct cx__sqlite_connection *connection, int code)
{
    struct cx__outcome outcome;

    (void)judge(connection, code, &outcome);
    return cx__sqlite_tell(&outcome);
}

int cx__sqlite_refuse(struct cx__outcome *outcome, int error, const char *words)
{
    outcome->error = error;
    (void)snprintf(outcome->words, sizeof(outcome->words), "%s", words);
    return error;
}

int cx__sqlite_outcome(struct cx__outcome *outcome, sqlite3 *handle, int code)
{
    int error = cx__sqlite_errno(handle, code);

    if (error == 0)
        return 0;
    return cx__sqlite_refuse(outcome, error, words_of(handle, code, error));
}

int cx__sqlite_failed(struct cx__outcome *outcome, int number)
{
    return cx__sqlite_refuse(outcome, -number, strerrordesc_np(number));
}

int cx__sqlite_failed_to(struct cx__outcome *outcome, int number,
                         const char *words)
{
    outcome->error = -number;
    (void)snprintf(outcome->words, sizeof(outcome->words), "%s: %s", words,
                   strerrordesc_np(number));
    return -number;
}
