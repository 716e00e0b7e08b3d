/* SPDX-License-Identifier: MIT */
/*
 * Models beside plain sqlite3 in one run: the same files, settings and
 * statements, which both prepare once. They are measured in turn, pair by
 * pair, so that a machine that is slow for a while is so for both; a ratio is
 * the median of those of the pairs.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sqlite3.h>

#include <ctxvar/model.h>
#include <ctxvar/transaction.h>

enum { ROWS = 100000, BATCH = 1000, PAIRS = 51 };

/* The value is needed. */
#define USE(value) __asm__ volatile("" : : "r"(value) : "memory")

/* Does something n times. */
typedef void body_fn(uint64_t n);

typedef struct User {
    int64_t id;
    cx_text name;
    int64_t age;
} User;

static const cx_column user_columns[] = {
    CX_COLUMN(User, id, .key = true, .automatic = true),
    CX_COLUMN(User, name),
    CX_COLUMN(User, age),
};
CX_MODEL(User, user_model, "users", user_columns);

static const char table[] = "CREATE TABLE users (id INTEGER PRIMARY KEY,"
                            " name TEXT NOT NULL, age INTEGER NOT NULL)";

/* What both work on; plain has a copy of the file. */
static cx_db *db;
static sqlite3 *plain;
static sqlite3_stmt *plain_find, *plain_insert, *plain_delete, *plain_each;
static int64_t next_id;
static char folder[] = "/tmp/ctxvar-bench-XXXXXX";

static _Noreturn void give_up(const char *what, const char *why)
{
    fprintf(stderr, "sql: %s: %s\n", what, why);
    exit(1);
}

static void must(const char *what, int error)
{
    if (error != 0)
        give_up(what, error < 0 ? cx_db_problem() : sqlite3_errmsg(plain));
}

static void exec(sqlite3 *handle, const char *text)
{
    must(text, sqlite3_exec(handle, text, NULL, NULL, NULL));
}

/* Some key, another one each time. */
static int64_t some_id(void)
{
    next_id = (next_id * 1103515245 + 12345) & 0x7fffffff;
    return next_id % ROWS + 1;
}

static void find_ours(uint64_t n)
{
    cx_arena arena = {NULL, NULL, 0};

    for (uint64_t i = 0; i < n; i++) {
        User user = {.id = some_id()};

        must("find", cx_db_find(db, &user_model, &user, &arena));
        USE(user.age);
        if (i % 64 == 63)
            cx_arena_fini(&arena);
    }
    cx_arena_fini(&arena);
}

/* The text is copied here, too: the row outlives the statement. */
static void find_plain(uint64_t n)
{
    for (uint64_t i = 0; i < n; i++) {
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
}

static void find_ours_in_transaction(uint64_t n)
{
    int error;

    CX_TRANSACTION(db, &error) {
        find_ours(n);
    }
    must("find in a transaction", error);
}

static void find_plain_in_transaction(uint64_t n)
{
    exec(plain, "BEGIN IMMEDIATE");
    find_plain(n);
    exec(plain, "COMMIT");
}

static void insert_ours(uint64_t n)
{
    int error = 0;

    for (uint64_t i = 0; i < n && error == 0; i += BATCH) {
        CX_TRANSACTION(db, &error) {
            for (int j = 0; j < BATCH && error == 0; j++) {
                User user = {.name = {"somebody new", 12}, .age = j};

                error = cx_db_insert(db, &user_model, &user);
            }
        }
    }
    must("insert", error);
    must("delete", cx_db_sql(db, "DELETE FROM users WHERE id > $1",
                             CX_PARAMS(ROWS), NULL));
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

static void each_ours(uint64_t n)
{
    User user;
    int error;

    for (uint64_t i = 0; i < n; i += ROWS) {
        CX_DB_EACH(db, &user_model, NULL, &user, &error) {
            USE(user.name.data);
            USE(user.age);
        }
        must("each", error);
    }
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

static double run_ns(body_fn *body, uint64_t n)
{
    struct timespec from, to;

    clock_gettime(CLOCK_MONOTONIC, &from);
    body(n);
    clock_gettime(CLOCK_MONOTONIC, &to);
    return (double)(to.tv_sec - from.tv_sec) * 1e9 +
           (double)(to.tv_nsec - from.tv_nsec);
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(double *values)
{
    qsort(values, PAIRS, sizeof(*values), compare_doubles);
    return values[PAIRS / 2];
}

static void compare(const char *operation, body_fn *ours, body_fn *theirs,
                    uint64_t n, double goal)
{
    double us[PAIRS], them[PAIRS], ratio[PAIRS];

    for (int i = 0; i < PAIRS; i++) {
        us[i] = run_ns(ours, n) / (double)n;
        them[i] = run_ns(theirs, n) / (double)n;
        ratio[i] = us[i] / them[i];
    }
    printf("%-28s %9.0f ns %9.0f ns   %4.2f x (goal %.2f)\n", operation,
           median(us), median(them), median(ratio), goal);
    fflush(stdout);
}

static sqlite3_stmt *prepare(const char *text)
{
    sqlite3_stmt *statement = NULL;

    must(text, sqlite3_prepare_v3(plain, text, -1, SQLITE_PREPARE_PERSISTENT,
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
    must("open",
         sqlite3_open_v2(path, &plain,
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
    must("open", sqlite3_open(path, &handle));
    exec(handle, table);
    fill(handle);
    sqlite3_close(handle);
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
        compare("find, in a transaction", find_ours_in_transaction,
                find_plain_in_transaction, 5000, 1.25);
        compare("find", find_ours, find_plain, 2000, 1.10);
        compare("insert, 1,000 at once", insert_ours, insert_plain, 2000, 1.15);
        compare("each of 100,000", each_ours, each_plain, ROWS, 1.25);
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
    printf("%-28s %12s %12s\n", "", "model", "sqlite3");
    must("run", cx_run(bench, NULL, NULL));
    (void)snprintf(command, sizeof(command), "rm -rf %s", folder);
    return system(command);
}
