/* SPDX-License-Identifier: MIT */
/* What the tests of databases share: a folder for one, and a database in it. */
#ifndef CTXVAR_TESTS_SQL_SUPPORT_H
#define CTXVAR_TESTS_SQL_SUPPORT_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sqlite3.h>

#include <ctxvar/tenant.h>

#include "task/support.h"

/*
 * A folder of this test's own, and the URL of a database in it; or, where
 * there is a server, of one there.
 */
struct folder {
    char path[64];
    char url[192];
};

/* The server that the tests run beside; NULL: they run on SQLite. */
static CX__UNUSED const char *server(void)
{
    return getenv("CTXVAR_POSTGRES");
}

/* Have the server's own role run a statement on one of its databases. */
static CX__UNUSED void server_run(const char *url, const char *statement)
{
    char command[2048];

    (void)snprintf(command, sizeof(command),
                   "psql -qX '%s' -c \"%s\" >/dev/null", url, statement);
    assert_int_equal(system(command), 0);
}

/* Have the server's administrator do so. */
static CX__UNUSED void server_run_as_superuser(const char *url,
                                               const char *statement)
{
    const char *database = strstr(url, "@/");
    const char *role = getenv("CTXVAR_POSTGRES_SUPERUSER");
    char its[256];

    assert_non_null(database);
    assert_non_null(role);
    (void)snprintf(its, sizeof(its), "%.*s%s", (int)(strstr(role, "@/") - role),
                   role, database);
    server_run(its, statement);
}

/* What the server's own role is answered: the first line. */
static CX__UNUSED void server_answer(const char *url, const char *statement,
                                     char *answer, int size)
{
    char command[1024];
    FILE *pipe;

    (void)snprintf(command, sizeof(command), "psql -qXAt '%s' -c \"%s\"", url,
                   statement);
    pipe = popen(command, "r");
    assert_non_null(pipe);
    assert_non_null(fgets(answer, size, pipe));
    assert_int_equal(pclose(pipe), 0);
    answer[strcspn(answer, "\n")] = '\0';
}

/* A new database on the server. */
static CX__UNUSED void server_make(struct folder *folder)
{
    static unsigned made;
    const char *rest = strstr(server(), "/postgres?");
    char name[32], statement[96];

    assert_non_null(rest);
    (void)snprintf(name, sizeof(name), "test_%d_%u", (int)getpid(), made++);
    (void)snprintf(statement, sizeof(statement),
                   "CREATE DATABASE %s TEMPLATE template0", name);
    server_run(server(), statement);
    (void)snprintf(folder->url, sizeof(folder->url), "%.*s/%s%s",
                   (int)(rest - server()), server(), name,
                   rest + strlen("/postgres"));
}

/* Does a tenant have its room: a file, or a schema? */
static CX__UNUSED bool has_room(const struct folder *folder, int id)
{
    char text[128], answer[8];

    if (server() == NULL) {
        (void)snprintf(text, sizeof(text), "%s/db/t%d.db", folder->path, id);
        return access(text, F_OK) == 0;
    }
    (void)snprintf(text, sizeof(text),
                   "SELECT count(*) FROM pg_namespace WHERE nspname = 't%d'",
                   id);
    server_answer(folder->url, text, answer, sizeof(answer));
    return answer[0] == '1';
}

/* In memory where that is to be had: disks are slow to sync. */
static CX__UNUSED void folder_make(struct folder *folder)
{
    (void)snprintf(folder->path, sizeof(folder->path), "%s/ctxvar-sql-XXXXXX",
                   access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    assert_non_null(mkdtemp(folder->path));
    if (server() != NULL)
        server_make(folder);
    else
        (void)snprintf(folder->url, sizeof(folder->url), "sqlite:%s/db",
                       folder->path);
}

static CX__UNUSED void folder_remove(const struct folder *folder)
{
    char command[96];

    (void)snprintf(command, sizeof(command), "rm -rf '%s'", folder->path);
    assert_int_equal(system(command), 0);
}

/* How many files a database on SQLite has. */
static CX__UNUSED int files_in(const struct folder *folder)
{
    char path[80];
    DIR *listing;
    int n = 0;

    (void)snprintf(path, sizeof(path), "%s/db", folder->path);
    listing = opendir(path);
    assert_non_null(listing);
    while (readdir(listing) != NULL)
        n++;
    (void)closedir(listing);
    return n - 2; /* "." and ".." */
}

/* Run a script on one of a database's files, past the library. */
static CX__UNUSED void file_exec(const struct folder *folder, const char *name,
                                 const char *script)
{
    char path[128];
    char *message = NULL;
    sqlite3 *handle;

    (void)snprintf(path, sizeof(path), "%s/db/%s", folder->path, name);
    assert_int_equal(sqlite3_open(path, &handle), SQLITE_OK);
    if (sqlite3_exec(handle, script, NULL, NULL, &message) != SQLITE_OK)
        fail_msg("%s: %s", name, message);
    assert_int_equal(sqlite3_close(handle), SQLITE_OK);
}

/* What the server calls what SQLite calls otherwise. */
static CX__UNUSED void server_words(char *to, size_t size, const char *from)
{
    static const char *const words[][2] = {
        {"INTEGER PRIMARY KEY AUTOINCREMENT",
         "bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY"},
        {"INTEGER PRIMARY KEY",
         "bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY"},
        {"INTEGER", "bigint"},
        {"BLOB", "bytea"},
        {"REAL", "double precision"}};
    size_t len = 0;

    while (*from != '\0' && len + 64 < size) {
        size_t i = 0;

        while (i < 5 && strncmp(from, words[i][0], strlen(words[i][0])) != 0)
            i++;
        if (i < 5) {
            len += (size_t)snprintf(to + len, size - len, "%s", words[i][1]);
            from += strlen(words[i][0]);
        } else {
            to[len++] = *from++;
        }
    }
    to[len] = '\0';
}

/* Run a script on the template, of which each new tenant gets a copy. */
static CX__UNUSED void template_exec(const struct folder *folder,
                                     const char *script)
{
    char words[1024], statement[1100];

    if (server() == NULL) {
        file_exec(folder, "t0.db", script);
        return;
    }
    server_words(words, sizeof(words), script);
    (void)snprintf(statement, sizeof(statement), "SET search_path = t0; %s",
                   words);
    server_run(folder->url, statement);
}

/* A test whose body has a database, db, in a folder, both of its own. */
#define DB_TEST(name)                                                          \
    static void name##_with(struct folder *folder, cx_db *db);                 \
    TASK_TEST(name)                                                            \
    {                                                                          \
        struct folder folder;                                                  \
        cx_db *db;                                                             \
                                                                               \
        folder_make(&folder);                                                  \
        assert_ok(cx_db_open(folder.url, NULL, &db));                          \
        name##_with(&folder, db);                                              \
        assert_ok(cx_db_close(db));                                            \
        folder_remove(&folder);                                                \
    }                                                                          \
    static void name##_with(CX__UNUSED struct folder *folder,                  \
                            CX__UNUSED cx_db *db)

/* 0, else the words that were left are shown. */
#define assert_ok(call)                                                        \
    do {                                                                       \
        int error_ = (call);                                                   \
                                                                               \
        if (error_ != 0)                                                       \
            print_error("%s: %s (%s)\n", #call, strerror(-error_),             \
                        cx_db_problem());                                      \
        assert_int_equal(error_, 0);                                           \
    } while (0)

/* The words that were left; each engine has its own. */
#define assert_words(sqlite)                                                   \
    do {                                                                       \
        if (server() == NULL)                                                  \
            assert_string_equal(cx_db_problem(), (sqlite));                    \
        else                                                                   \
            assert_string_not_equal(cx_db_problem(), "");                      \
    } while (0)

/* Run a statement whose rows are not wanted. */
static CX__UNUSED int run(cx_db *db, const char *text)
{
    return cx_db_sql(db, text, NULL, NULL);
}

/* The one number that a statement gives. */
static CX__UNUSED int64_t number(cx_db *db, const char *text)
{
    cx_rows rows;
    int64_t value = -1;

    assert_ok(cx_db_sql(db, text, NULL, &rows));
    if (rows.len == 1 && rows.columns == 1 && rows.field->kind == CX_KIND_I64)
        value = rows.field->i64;
    cx_rows_fini(&rows);
    return value;
}

/* What a child process left with. */
static CX__UNUSED int status_of(pid_t child)
{
    int status = -1;

    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static CX__UNUSED cx_tenant *tenant_make(cx_db *db, const char *name)
{
    cx_tenant *tenant = NULL;

    assert_ok(cx_tenant_create(db, CX_TEXT(name), &tenant));
    return tenant;
}

#endif
