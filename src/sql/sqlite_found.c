/* SPDX-License-Identifier: MIT */
/*
 * The founding of a registry: a job on the database's own thread. Of several
 * processes that open an empty folder at once, one does it.
 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "registry.h"
#include "sqlite.h"

enum { FORMAT = 1 }; /* of the registry, as its user_version */

static const char registry_tables[] =
    "CREATE TABLE cx_registry (key BLOB NOT NULL);"
    "CREATE TABLE cx_tenants (id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " name TEXT NOT NULL, state INTEGER NOT NULL);"
    "CREATE UNIQUE INDEX cx_tenants_name ON cx_tenants (name)"
    " WHERE state = " CX__LISTED ";"
    "CREATE INDEX cx_tenants_state ON cx_tenants (state) WHERE state"
    " = " CX__DROPPED ";"
    "INSERT INTO cx_registry VALUES (randomblob(16));"
    "PRAGMA user_version = 1";

/* Is it called as our files are, or hidden? */
static bool is_ours(const char *name)
{
    return name[0] == '.' || strncmp(name, "registry.db", 11) == 0 ||
           (name[0] == 't' && name[1] >= '0' && name[1] <= '9');
}

/* Is there a database, or place for one? */
static int check_place(const struct cx__sqlite *sqlite, const char *registry,
                       struct cx__outcome *outcome)
{
    const struct dirent *entry;
    struct stat is;
    bool is_used = false;
    DIR *folder;

    if (stat(registry, &is) == 0)
        return 0;
    if (errno != ENOENT)
        return cx__sqlite_failed_to(outcome, errno,
                                    "the folder may not be used");
    if (sqlite->existing)
        return cx__sqlite_refuse(outcome, -ENOENT,
                                 "tenants were never kept here");
    folder = opendir(sqlite->folder);
    if (folder == NULL)
        return cx__sqlite_failed(outcome, errno);
    while (!is_used && (entry = readdir(folder)) != NULL)
        is_used = !is_ours(entry->d_name);
    (void)closedir(folder);
    return is_used ? cx__sqlite_refuse(outcome, -ENOTEMPTY,
                                       "the folder is used for something else")
                   : 0;
}

/* Is there a tenant's file? A registry that is new must not give its number
 * again. */
static int check_empty(const struct cx__sqlite *sqlite,
                       struct cx__outcome *outcome)
{
    DIR *folder = opendir(sqlite->folder);
    const struct dirent *entry;
    bool found = false;

    if (folder == NULL)
        return cx__sqlite_failed(outcome, errno);
    while (!found && (entry = readdir(folder)) != NULL)
        found = entry->d_name[0] == 't' && entry->d_name[1] >= '1' &&
                entry->d_name[1] <= '9';
    (void)closedir(folder);
    return found ? cx__sqlite_refuse(outcome, -EUCLEAN,
                                     "there are tenants' files, and no list"
                                     " of tenants")
                 : 0;
}

static int read_key(struct cx__sqlite *sqlite, sqlite3 *handle,
                    struct cx__outcome *outcome)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(handle, "SELECT key FROM cx_registry", -1,
                                  &statement, NULL);
    bool found = false;

    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    if (code == SQLITE_ROW &&
        sqlite3_column_bytes(statement, 0) == CX__SIPHASH_KEY_BYTES) {
        memcpy(sqlite->key, sqlite3_column_blob(statement, 0),
               CX__SIPHASH_KEY_BYTES);
        found = true;
    }
    (void)sqlite3_finalize(statement);
    code = cx__sqlite_outcome(outcome, handle, code);
    if (code == 0 && !found)
        code = cx__sqlite_refuse(outcome, -EUCLEAN, "the registry has no key");
    return code;
}

/* Within a transaction, so that of several processes one does it. */
static int found_tables(struct cx__sqlite *sqlite, sqlite3 *handle,
                        struct cx__outcome *outcome)
{
    int format = 0;
    int error =
        cx__sqlite_number(handle, "PRAGMA user_version", &format, outcome);

    if (error == 0 && format > FORMAT)
        error = cx__sqlite_refuse(outcome, -EPROTONOSUPPORT,
                                  "the registry is of a later version");
    if (error != 0)
        return error;
    if (format == FORMAT)
        return read_key(sqlite, handle, outcome);
    error = check_empty(sqlite, outcome);
    if (error == 0)
        error = cx__sqlite_exec(handle, registry_tables, outcome);
    if (error == 0)
        error = read_key(sqlite, handle, outcome);
    if (error == 0)
        error = cx__sqlite_make_room(sqlite, CX__TEMPLATE, outcome);
    return error;
}

/* Somebody else's database is left as it is. */
static int check_file(sqlite3 *handle, struct cx__outcome *outcome)
{
    int is_used = 0;
    int error = cx__sqlite_number(
        handle,
        "SELECT EXISTS (SELECT 1 FROM sqlite_schema) AND NOT EXISTS"
        " (SELECT 1 FROM sqlite_schema WHERE name = 'cx_registry')",
        &is_used, outcome);

    return error == 0 && is_used
               ? cx__sqlite_refuse(outcome, -ENOTEMPTY,
                                   "the registry is something else's file")
               : error;
}

static int found_registry(struct cx__sqlite *sqlite, sqlite3 *handle,
                          struct cx__outcome *outcome)
{
    int error = check_file(handle, outcome);

    if (error == 0)
        error = cx__sqlite_exec(handle,
                                "PRAGMA journal_mode = WAL;"
                                "PRAGMA synchronous = FULL;"
                                "BEGIN IMMEDIATE",
                                outcome);
    if (error != 0)
        return error;
    error = found_tables(sqlite, handle, outcome);
    if (error == 0)
        error = cx__sqlite_exec(handle, "COMMIT", outcome);
    /* Else it is rolled back as it is closed. */
    return error;
}

int cx__sqlite_found(struct cx__sqlite *sqlite, struct cx__outcome *outcome)
{
    char *path = cx__sqlite_path(sqlite, CX__REGISTRY, 0, "");
    sqlite3 *handle = NULL;
    int error;

    if (path == NULL)
        return cx__sqlite_failed(outcome, ENOMEM);
    error = check_place(sqlite, path, outcome);
    if (error == 0)
        error = cx__sqlite_make_file(path, outcome);
    if (error == -EEXIST || error == 0)
        error = cx__sqlite_open(sqlite, path, CX__REGISTRY, &handle, outcome);
    if (error == 0)
        error = cx__sqlite_unmade(path, found_registry(sqlite, handle, outcome),
                                  outcome);
    (void)sqlite3_close(handle);
    free(path);
    return error;
}
