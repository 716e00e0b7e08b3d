/* SPDX-License-Identifier: MIT */
/*
 * The database is made in one transaction, so that a file has all of it or
 * nothing, and carries a mark, so that the next run knows its own. One
 * connection serves all threads: SQLite serializes its use.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "clients.h"
#include "store.h"
#include "usage.h"

enum { MARK = 0x63747876 }; /* "ctxv", as the database's application_id */

struct store {
    sqlite3 *db;
    const char *path;
    atomic_bool has_failed;
};

/* One line, though many queries fail for one reason. */
static bool refuse(struct store *store, const char *why)
{
    if (!atomic_exchange(&store->has_failed, true))
        complain("ctxvar demo: database %s: %s", store->path, why);
    return false;
}

static bool failed(struct store *store)
{
    return refuse(store, sqlite3_errmsg(store->db));
}

static bool execute(struct store *store, const char *sql)
{
    return sqlite3_exec(store->db, sql, NULL, NULL, NULL) == SQLITE_OK ||
           failed(store);
}

/* One number that a query gives. */
static bool number(struct store *store, const char *sql, int *out)
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

static bool insert(struct store *store, const struct client *client,
                   const char *user)
{
    char *sql = sqlite3_mprintf("INSERT INTO \"%w\" VALUES ('%c', %Q)",
                                client->table, client->name, user);
    bool ok = sql != NULL ? execute(store, sql) : refuse(store, "no memory");

    sqlite3_free(sql);
    return ok;
}

static bool fill_table(struct store *store, const struct client *client)
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

static bool fill(struct store *store)
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
static bool is_own(struct store *store, int objects, bool *own)
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
static bool prepare(struct store *store, bool is_empty)
{
    bool own = false;
    int objects;

    if (!number(store, "SELECT count(*) FROM sqlite_schema", &objects))
        return false;
    if (objects == 0 && is_empty)
        return fill(store);
    if (!is_own(store, objects, &own))
        return false;
    return own || refuse(store, "it is not the demo's own, and is left as it "
                                "was");
}

/* A database that has pages and no tables is not empty: it may bear a mark.
 * The pages are counted first, since a transaction adds one. */
static bool prepare_in_transaction(struct store *store)
{
    int pages;

    if (!number(store, "PRAGMA page_count", &pages) ||
        !execute(store, "BEGIN IMMEDIATE"))
        return false;
    if (prepare(store, pages == 0))
        return execute(store, "COMMIT");
    (void)sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
    return false;
}

static bool connect_file(struct store *store)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_FULLMUTEX;
    /* To SQLite, ":memory:" and "file:x" are no files, "./file:x" is. */
    char *file =
        sqlite3_mprintf("%s%s", store->path[0] == '/' ? "" : "./", store->path);
    bool ok = file != NULL &&
              sqlite3_open_v2(file, &store->db, flags, NULL) == SQLITE_OK;

    sqlite3_free(file);
    if (!ok)
        return failed(store);
    (void)sqlite3_busy_timeout(store->db, 1000);
    return sqlite3_db_readonly(store->db, "main") != 1 ||
           refuse(store, "it cannot be written");
}

static bool has_beside(const struct store *store, const char *suffix)
{
    char *path = sqlite3_mprintf("%s%s", store->path, suffix);
    struct stat status;
    bool has = path != NULL && lstat(path, &status) == 0;

    sqlite3_free(path);
    return has;
}

/*
 * Make the file if there is nothing, not even a link that leads nowhere. What
 * is beside it then is not its own, and SQLite would remove that. It is looked
 * for first: later, it could be that of another run, which has the file by
 * then.
 */
static bool make_file(struct store *store, bool *is_new)
{
    bool is_taken = has_beside(store, "-journal") || has_beside(store, "-wal");
    int fd = open(store->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

    *is_new = fd >= 0;
    if (fd < 0)
        return errno == EEXIST || refuse(store, strerror(errno));
    (void)close(fd);
    return !is_taken || refuse(store, "its -journal or -wal is there without "
                                      "it");
}

/* What SQLite would not refuse: pipes, devices, and a file of a single byte,
 * which it takes for an empty one. */
static bool is_suitable(struct store *store)
{
    struct stat status;

    if (stat(store->path, &status) != 0)
        return refuse(store, strerror(errno));
    if (!S_ISREG(status.st_mode))
        return refuse(store, "it is no regular file");
    return status.st_size != 1 || refuse(store, "file is not a database");
}

/* Remove the file that was made here, unless another run has filled it. */
static void unmake_file(const char *path)
{
    struct stat status;

    if (stat(path, &status) == 0 && status.st_size == 0)
        (void)unlink(path);
}

static bool open_path(struct store *store, const char *path)
{
    bool is_new = false;
    bool ok;

    store->path = path;
    ok = make_file(store, &is_new) && is_suitable(store) &&
         connect_file(store) && prepare_in_transaction(store);
    if (!ok && is_new)
        unmake_file(path);
    return ok;
}

/*
 * From here on nothing is looked for by its name, neither the file nor a
 * journal, which others could put where the folder was: the lock is taken now
 * and kept, and the journal is in memory.
 */
static bool detach(struct store *store)
{
    return execute(store, "PRAGMA locking_mode = EXCLUSIVE") &&
           execute(store, "PRAGMA journal_mode = MEMORY") &&
           execute(store, "SELECT count(*) FROM sqlite_schema");
}

/* Unnamed as soon as it is open, so that it goes with the process. */
static bool open_temporary(struct store *store)
{
    const char *parent = getenv("TMPDIR");
    char folder[4096], path[4096 + 16];
    bool is_new, ok;

    (void)snprintf(folder, sizeof(folder), "%s/ctxvar-demo-XXXXXX",
                   parent != NULL && parent[0] != '\0' ? parent : "/tmp");
    store->path = folder;
    if (mkdtemp(folder) == NULL)
        return refuse(store, strerror(errno));
    (void)snprintf(path, sizeof(path), "%s/users.db", folder);
    store->path = path;
    ok = make_file(store, &is_new) && connect_file(store) && detach(store);
    (void)unlink(path);
    (void)rmdir(folder);
    ok = ok && prepare_in_transaction(store);
    store->path = "(temporary)";
    return ok;
}

struct store *store_open(const char *path)
{
    struct store *store = calloc(1, sizeof(*store));
    bool ok = false;

    if (store == NULL)
        complain("ctxvar demo: no memory");
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

/* Its failures are told before another thread's can take their place. */
static bool read_table(struct store *store, const char *sql, char client,
                       struct reading *reading)
{
    sqlite3_mutex *mutex = sqlite3_db_mutex(store->db);
    sqlite3_stmt *statement = NULL;
    bool ok;

    sqlite3_mutex_enter(mutex);
    ok = sqlite3_prepare_v2(store->db, sql, -1, &statement, NULL) == SQLITE_OK
             ? read_rows(store, statement, client, reading)
             : failed(store);
    (void)sqlite3_finalize(statement);
    sqlite3_mutex_leave(mutex);
    return ok;
}

bool store_read(struct store *store, const char *table, char client,
                struct reading *reading)
{
    char *sql;
    bool ok;

    *reading = (struct reading){.table = table};
    if (table == NULL)
        return true;
    sql = sqlite3_mprintf("SELECT client, name FROM \"%w\"", table);
    ok = sql != NULL ? read_table(store, sql, client, reading)
                     : refuse(store, "no memory");
    sqlite3_free(sql);
    return ok;
}
