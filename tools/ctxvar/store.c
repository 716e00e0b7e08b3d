/* SPDX-License-Identifier: MIT */
/*
 * The database is made in one transaction, so that a file has all of it or
 * nothing, and carries a mark, so that the next run knows its own. One
 * connection serves all threads: SQLite serializes its use.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "clients.h"
#include "store.h"

enum { MARK = 0x63747876 }; /* "ctxv", as the database's application_id */

struct store {
    sqlite3 *db;
    const char *path;
};

static bool refuse(const struct store *store, const char *why)
{
    fprintf(stderr, "ctxvar demo: database %s: %s\n", store->path, why);
    return false;
}

static bool failed(const struct store *store)
{
    return refuse(store, sqlite3_errmsg(store->db));
}

static bool execute(const struct store *store, const char *sql)
{
    return sqlite3_exec(store->db, sql, NULL, NULL, NULL) == SQLITE_OK ||
           failed(store);
}

/* One number that a query gives. */
static bool number(const struct store *store, const char *sql, int *out)
{
    sqlite3_stmt *statement;
    bool ok =
        sqlite3_prepare_v2(store->db, sql, -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW;

    if (ok)
        *out = sqlite3_column_int(statement, 0);
    else
        (void)failed(store);
    (void)sqlite3_finalize(statement);
    return ok;
}

static bool insert(const struct store *store, const struct client *client,
                   const char *user)
{
    char *sql = sqlite3_mprintf("INSERT INTO \"%w\" VALUES ('%c', %Q)",
                                client->table, client->name, user);
    bool ok = sql != NULL ? execute(store, sql) : refuse(store, "no memory");

    sqlite3_free(sql);
    return ok;
}

static bool fill_table(const struct store *store, const struct client *client)
{
    char *sql = sqlite3_mprintf(
        "CREATE TABLE \"%w\" (client TEXT NOT NULL, name TEXT NOT NULL)",
        client->table);
    bool ok = sql != NULL ? execute(store, sql) : refuse(store, "no memory");

    sqlite3_free(sql);
    for (size_t i = 0; ok && i < USERS; i++)
        ok = insert(store, client, client->users[i]);
    return ok;
}

static bool fill(const struct store *store)
{
    char mark[64];
    bool ok = true;

    (void)snprintf(mark, sizeof(mark), "PRAGMA application_id = %d", MARK);
    ok = execute(store, mark);
    for (size_t i = 0; ok && i < CLIENTS; i++)
        ok = fill_table(store, &clients[i]);
    return ok;
}

/* Is this the demo's own, with its four tables and nothing else? */
static bool is_own(const struct store *store, int objects, bool *own)
{
    int mark, known;

    if (!number(store, "PRAGMA application_id", &mark) ||
        !number(store,
                "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND"
                " name IN ('Users_A', 'Users_B', 'Users_C', 'Users_D')",
                &known))
        return false;
    *own = mark == MARK && known == CLIENTS && objects == CLIENTS;
    return true;
}

/* Within a transaction: fill what is empty, accept what is the demo's. */
static bool prepare(const struct store *store)
{
    bool own = false;
    int objects;

    if (!number(store, "SELECT count(*) FROM sqlite_schema", &objects))
        return false;
    if (objects == 0)
        return fill(store);
    if (!is_own(store, objects, &own))
        return false;
    return own || refuse(store, "it has other tables than the demo's; it is "
                                "left as it was");
}

static bool prepare_in_transaction(const struct store *store)
{
    if (!execute(store, "BEGIN IMMEDIATE"))
        return false;
    if (prepare(store))
        return execute(store, "COMMIT");
    (void)sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
    return false;
}

static bool open_file(struct store *store, const char *path)
{
    int flags =
        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX;

    store->path = path;
    if (sqlite3_open_v2(path, &store->db, flags, NULL) != SQLITE_OK)
        return failed(store);
    (void)sqlite3_busy_timeout(store->db, 1000);
    if (sqlite3_db_readonly(store->db, "main") == 1)
        return refuse(store, "it cannot be written");
    return prepare_in_transaction(store);
}

/* A file that was not there before is gone again when this fails. */
static bool open_path(struct store *store, const char *path)
{
    struct stat status;
    bool is_new = stat(path, &status) != 0 && errno == ENOENT;
    bool ok = open_file(store, path);

    if (!ok && is_new)
        (void)unlink(path);
    return ok;
}

static bool open_temporary(struct store *store)
{
    const char *parent = getenv("TMPDIR");
    char folder[4096], path[4096 + 16];
    bool ok;

    (void)snprintf(folder, sizeof(folder), "%s/ctxvar-demo-XXXXXX",
                   parent != NULL && parent[0] != '\0' ? parent : "/tmp");
    if (mkdtemp(folder) == NULL) {
        store->path = folder;
        return refuse(store, strerror(errno));
    }
    (void)snprintf(path, sizeof(path), "%s/users.db", folder);
    ok = open_file(store, path);
    /* Unnamed from here on: it goes with the connection. */
    (void)unlink(path);
    (void)rmdir(folder);
    store->path = "(temporary)";
    return ok;
}

struct store *store_open(const char *path)
{
    struct store *store = calloc(1, sizeof(*store));
    bool ok = false;

    if (store == NULL)
        fputs("ctxvar demo: no memory\n", stderr);
    else
        ok = path != NULL ? open_path(store, path) : open_temporary(store);
    if (ok)
        return store;
    store_close(store);
    return NULL;
}

void store_close(struct store *store)
{
    if (store == NULL)
        return;
    (void)sqlite3_close(store->db);
    free(store);
}

static bool read_rows(struct store *store, sqlite3_stmt *statement, char client,
                      struct reading *reading)
{
    int step;

    while ((step = sqlite3_step(statement)) == SQLITE_ROW) {
        const unsigned char *owner = sqlite3_column_text(statement, 0);

        reading->rows++;
        if (owner == NULL || owner[0] != (unsigned char)client)
            reading->foreign++;
    }
    return step == SQLITE_DONE || failed(store);
}

bool store_read(struct store *store, const char *table, char client,
                struct reading *reading)
{
    sqlite3_stmt *statement = NULL;
    char *sql;
    bool ok;

    *reading = (struct reading){.table = table};
    if (table == NULL)
        return true;
    sql = sqlite3_mprintf("SELECT client, name FROM \"%w\"", table);
    if (sql == NULL)
        return refuse(store, "no memory");
    ok = sqlite3_prepare_v2(store->db, sql, -1, &statement, NULL) == SQLITE_OK
             ? read_rows(store, statement, client, reading)
             : failed(store);
    (void)sqlite3_finalize(statement);
    sqlite3_free(sql);
    return ok;
}
