/* SPDX-License-Identifier: MIT */
/*
 * The end of a room that other processes may have open. Removing its files
 * would leave them with files that have no name, to which they would go on
 * writing. So its tables are given names first that nobody can ask for: from
 * then on statements fail there, and a new connection does not find the file.
 */
#include "sqlite.h"

/* A script, in one field, that gives each table another name. */
static const char renamings[] =
    "SELECT group_concat('ALTER TABLE \"' || replace(name, '\"', '\"\"') ||"
    " '\" RENAME TO cx_dropped_' || rowid, ';') FROM sqlite_schema"
    " WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
    " AND name NOT LIKE 'cx\\_%' ESCAPE '\\'";

static int rename_tables(sqlite3 *handle, struct cx__outcome *outcome)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(handle, renamings, -1, &statement, NULL);
    char *script = NULL;
    int error;

    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    if (code == SQLITE_ROW)
        script = sqlite3_mprintf("%s", sqlite3_column_text(statement, 0));
    (void)sqlite3_finalize(statement);
    error = cx__sqlite_outcome(outcome, handle, code);
    if (error == 0 && script != NULL)
        error = cx__sqlite_exec(handle, script, outcome);
    sqlite3_free(script);
    return error;
}

/* Old references to what is renamed do not matter any more. */
static int close_tables(sqlite3 *handle, struct cx__outcome *outcome)
{
    int error = cx__sqlite_exec(handle,
                                "PRAGMA legacy_alter_table = ON;"
                                "PRAGMA synchronous = OFF;"
                                "BEGIN IMMEDIATE",
                                outcome);

    if (error == 0)
        error = rename_tables(handle, outcome);
    return error == 0 ? cx__sqlite_exec(handle, "COMMIT", outcome) : error;
}

int cx__sqlite_close_room(const struct cx__sqlite *sqlite, const char *path,
                          struct cx__outcome *outcome)
{
    sqlite3 *handle = NULL;
    int error = cx__sqlite_open(sqlite, path, CX__SCHEMA, &handle, outcome);

    if (error == 0)
        error = close_tables(handle, outcome);
    (void)sqlite3_close(handle);
    return error;
}
