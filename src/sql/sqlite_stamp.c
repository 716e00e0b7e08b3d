/* SPDX-License-Identifier: MIT */
/*
 * Stamps: what a file says of whose it is, so that one that was put in
 * another's place is not taken for it.
 *
 * A tenant may come to see its own, since a join can show columns of which no
 * authorizer is told. So there is nothing in it that belongs to anybody else:
 * it is the room's number, and a hash of that with the registry's key. Neither
 * the key nor another room's hash can be told from it.
 */
#include <errno.h>

#include "sqlite.h"

static int64_t stamp_of(const struct cx__sqlite *sqlite, int64_t id)
{
    return (int64_t)cx__siphash(sqlite->key, (uint64_t)id);
}

/* Run a statement with both as its parameters, as far as its first row. */
static int step(const struct cx__sqlite *sqlite, sqlite3 *handle, int64_t id,
                const char *text)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(handle, text, -1, &statement, NULL);

    if (code == SQLITE_OK) {
        (void)sqlite3_bind_int64(statement, 1, id);
        (void)sqlite3_bind_int64(statement, 2, stamp_of(sqlite, id));
        code = sqlite3_step(statement);
    }
    (void)sqlite3_finalize(statement);
    return code;
}

int cx__sqlite_stamp(const struct cx__sqlite *sqlite, sqlite3 *handle,
                     int64_t id, struct cx__outcome *outcome)
{
    int error = cx__sqlite_exec(handle, "DELETE FROM cx_room", outcome);

    if (error != 0)
        return error;
    return cx__sqlite_outcome(
        outcome, handle,
        step(sqlite, handle, id, "INSERT INTO cx_room VALUES ($1, $2)"));
}

int cx__sqlite_check_stamp(const struct cx__sqlite *sqlite, sqlite3 *handle,
                           int64_t id, struct cx__outcome *outcome)
{
    int code = step(sqlite, handle, id,
                    "SELECT 1 FROM cx_room WHERE id = $1 AND stamp = $2");

    if (code == SQLITE_ROW)
        return 0;
    /* Without the table it is not one of ours at all. */
    if (code == SQLITE_DONE || code == SQLITE_ERROR)
        return cx__sqlite_refuse(outcome, -ESTALE,
                                 "the tenant's file is not its own");
    return cx__sqlite_outcome(outcome, handle, code);
}
