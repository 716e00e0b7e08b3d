/* SPDX-License-Identifier: MIT */
/* Models beside plain sqlite3: the same files, settings and statements, which
 * both prepare once. */
#include "models.h"

#include <errno.h>
#include <string.h>

#include <sqlite3.h>
#include <uv.h>

static const char table[] = "CREATE TABLE users (id INTEGER PRIMARY KEY,"
                            " name TEXT NOT NULL, age INTEGER NOT NULL)";

/* It has a copy of the file. */
static sqlite3 *plain;
static sqlite3_stmt *plain_find, *plain_insert, *plain_delete, *plain_each;
static char folder[] = "/tmp/ctxvar-bench-XXXXXX";

static void must_plain(const char *what, int code)
{
    if (code != SQLITE_OK)
        give_up(what, sqlite3_errstr(code));
}

static void exec(sqlite3 *handle, const char *text)
{
    must_plain(text, sqlite3_exec(handle, text, NULL, NULL, NULL));
}

static void nothing(uint64_t n)
{
    for (uint64_t i = 0; i < n; i++)
        USE(i);
}

/* The text is copied here, too: the row outlives the statement. */
static void find_one_plain(void)
{
    User user = {.id = some_id()};
    char name[64];

    sqlite3_bind_int64(plain_find, 1, user.id);
    if (sqlite3_step(plain_find) != SQLITE_ROW)
        give_up("find", sqlite3_errmsg(plain));
    user.name.len = (size_t)sqlite3_column_bytes(plain_find, 0);
    memcpy(name, sqlite3_column_text(plain_find, 0), user.name.len + 1);
    user.age = sqlite3_column_int64(plain_find, 1);
    USE(user.age);
    USE(name);
    sqlite3_reset(plain_find);
}

static void find_plain(uint64_t n)
{
    for (uint64_t i = 0; i < n; i++)
        find_one_plain();
}

/* A program's own statement, which runs beside the loop. */
static void own_ours(uint64_t n)
{
    for (uint64_t i = 0; i < n; i++) {
        cx_rows rows;

        must("find", cx_db_sql(db, "SELECT name, age FROM users WHERE id = $1",
                               CX_PARAMS(some_id()), &rows));
        USE(rows.field[1].i64);
        cx_rows_fini(&rows);
    }
}

/* The same beside libuv's loop, as many times as are left. */
struct beside {
    uv_work_t work;
    uint64_t left;
};

static void find_beside(uv_work_t *work)
{
    (void)work;
    find_one_plain();
}

static void next_beside(uv_work_t *work, int status)
{
    struct beside *beside = work->data;

    (void)status;
    if (beside->left-- > 0)
        (void)uv_queue_work(work->loop, work, find_beside, next_beside);
}

static void own_plain(uint64_t n)
{
    struct beside beside = {.work.data = &beside, .left = n - 1};
    uv_loop_t loop;

    (void)uv_loop_init(&loop);
    (void)uv_queue_work(&loop, &beside.work, find_beside, next_beside);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    (void)uv_loop_close(&loop);
}

static void find_plain_in_transaction(uint64_t n)
{
    exec(plain, "BEGIN IMMEDIATE");
    find_plain(n);
    exec(plain, "COMMIT");
}

static void insert_plain(uint64_t n)
{
    for (uint64_t i = 0; i < n; i += BATCH) {
        exec(plain, "BEGIN IMMEDIATE");
        for (int j = 0; j < BATCH; j++) {
            sqlite3_bind_text(plain_insert, 1, "somebody new", 12,
                              SQLITE_STATIC);
            sqlite3_bind_int64(plain_insert, 2, j);
            if (sqlite3_step(plain_insert) != SQLITE_DONE)
                give_up("insert", sqlite3_errmsg(plain));
            USE(sqlite3_last_insert_rowid(plain));
            sqlite3_reset(plain_insert);
        }
        exec(plain, "COMMIT");
    }
    sqlite3_bind_int64(plain_delete, 1, ROWS);
    if (sqlite3_step(plain_delete) != SQLITE_DONE)
        give_up("delete", sqlite3_errmsg(plain));
    sqlite3_reset(plain_delete);
}

static void each_plain(uint64_t n)
{
    for (uint64_t i = 0; i < n; i += ROWS) {
        while (sqlite3_step(plain_each) == SQLITE_ROW) {
            User user = {.id = sqlite3_column_int64(plain_each, 0)};

            user.name.data = (const char *)sqlite3_column_text(plain_each, 1);
            user.name.len = (size_t)sqlite3_column_bytes(plain_each, 1);
            user.age = sqlite3_column_int64(plain_each, 2);
            USE(user.name.data);
            USE(user.age);
        }
        sqlite3_reset(plain_each);
    }
}

static sqlite3_stmt *prepare(const char *text)
{
    sqlite3_stmt *statement = NULL;

    must_plain(text,
               sqlite3_prepare_v3(plain, text, -1, SQLITE_PREPARE_PERSISTENT,
                                  &statement, NULL));
    return statement;
}

static void fill(sqlite3 *handle)
{
    char text[256];

    (void)snprintf(text, sizeof(text),
                   "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1"
                   " FROM n WHERE i < %d) INSERT INTO users"
                   " SELECT i, 'user number ' || i, i %% 100 FROM n",
                   ROWS);
    exec(handle, text);
}

/* A copy of the tenant's file, as deep as that: SQLite looks at the path each
 * time. */
static void open_plain(void)
{
    char command[160];
    char path[64];

    (void)snprintf(command, sizeof(command),
                   "mkdir %s/sq && cp %s/db/t1.db %s/sq/t1.db", folder, folder,
                   folder);
    if (system(command) != 0)
        give_up("copy", strerror(errno));
    (void)snprintf(path, sizeof(path), "%s/sq/t1.db", folder);
    must_plain("open", sqlite3_open_v2(
                           path, &plain,
                           SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL));
    exec(plain, "PRAGMA synchronous = NORMAL");
    plain_find = prepare("SELECT name, age FROM users WHERE id = ?");
    plain_insert = prepare("INSERT INTO users (name, age) VALUES (?, ?)");
    plain_delete = prepare("DELETE FROM users WHERE id > ?");
    plain_each = prepare("SELECT id, name, age FROM users");
}

static void close_plain(void)
{
    sqlite3_finalize(plain_find);
    sqlite3_finalize(plain_insert);
    sqlite3_finalize(plain_delete);
    sqlite3_finalize(plain_each);
    sqlite3_close(plain);
}

/* The table in our own file, by the library's back door. */
static void make_table(void)
{
    char path[64];
    sqlite3 *handle;

    (void)snprintf(path, sizeof(path), "%s/db/t0.db", folder);
    must_plain("open", sqlite3_open(path, &handle));
    exec(handle, table);
    fill(handle);
    sqlite3_close(handle);
}

static struct side ours(body_fn *body)
{
    return (struct side){"ctxvar", body};
}

static struct side theirs(body_fn *body)
{
    return (struct side){"sqlite3", body};
}

static struct side empty(body_fn *body)
{
    return (struct side){"a loop", body};
}

static struct side beside_a_loop(body_fn *body)
{
    return (struct side){"sqlite3, uv_queue_work()", body};
}

static void *bench(void *arg)
{
    char url[64];
    cx_tenant *tenant;

    (void)snprintf(url, sizeof(url), "sqlite:%s/db", folder);
    must("open", cx_db_open(url, NULL, &db));
    make_table();
    must("create", cx_tenant_create(db, CX_TEXT("bench"), &tenant));
    open_plain();
    CX_WITH_TENANT(tenant) {
        compare("sqlite/lease", ours(lease_ours), empty(nothing), 10000);
        compare("sqlite/own", ours(own_ours), beside_a_loop(own_plain), 2000);
        compare("sqlite/find", ours(find_ours), theirs(find_plain), 2000);
        compare("sqlite/transaction", ours(find_ours_in_transaction),
                theirs(find_plain_in_transaction), 5000);
        compare("sqlite/insert", ours(insert_ours), theirs(insert_plain), 2000);
        compare("sqlite/array", ours(insert_ours_together),
                theirs(insert_plain), 2000);
        compare("sqlite/each", ours(each_ours), theirs(each_plain), ROWS);
    }
    cx_tenant_unref(tenant);
    must("close", cx_db_close(db));
    close_plain();
    return arg;
}

int main(void)
{
    char command[64];

    if (mkdtemp(folder) == NULL)
        give_up(folder, strerror(errno));
    must("run", cx_run(bench, NULL, NULL));
    (void)snprintf(command, sizeof(command), "rm -rf %s", folder);
    return system(command);
}
