/* SPDX-License-Identifier: MIT */
/*
 * Files: how they are named, made and removed. All of it is done by jobs on
 * the database's own thread.
 *
 *     DIR/registry.db   the list of tenants
 *     DIR/t0.db         the template that new tenants are copies of
 *     DIR/t<id>.db      a tenant's tables
 *     DIR/t<id>.db-new  they were never used: there beside them until somebody
 *                       connects to them first
 *
 * A tenant's file is made before it is listed, and a crash in between leaves
 * one whose number will be given again. It may go if it was never used. Else a
 * number that has a file is an error, and the file stays: the list of tenants
 * is an older one than the file is.
 *
 * A tenant's file says whose it is: sqlite_stamp.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sqlite.h"

static const char room_tables[] =
    "CREATE TABLE cx_room (id INTEGER NOT NULL, stamp INTEGER NOT NULL);"
    "CREATE TABLE cx_migrations (version INTEGER PRIMARY KEY,"
    " name TEXT NOT NULL, checksum INTEGER NOT NULL, at INTEGER NOT NULL)";

static const char unused[] = "-new";

/* A room's file and what is kept beside it. As long as there is something left
 * of a file that was never used, it is to be seen that it was not. */
static const char *const companions[] = {"", "-wal", "-shm", "-journal",
                                         unused};

char *cx__sqlite_path(const struct cx__sqlite *sqlite, enum cx__room room,
                      int64_t id, const char *suffix)
{
    char *path;
    int len = room == CX__REGISTRY
                  ? asprintf(&path, "%s/registry.db%s", sqlite->folder, suffix)
                  : asprintf(&path, "%s/t%lld.db%s", sqlite->folder,
                             (long long)id, suffix);

    return len >= 0 ? path : NULL;
}

int cx__sqlite_open(const struct cx__sqlite *sqlite, const char *path,
                    enum cx__room room, sqlite3 **handle,
                    struct cx__outcome *outcome)
{
    int code = sqlite3_open_v2(
        path, handle,
        SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE |
            SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_EXRESCODE,
        cx__vfs_name(room == CX__TENANT ? sqlite->bounded : sqlite->vfs));

    return cx__sqlite_outcome(outcome, *handle, code);
}

int cx__sqlite_unmade(const char *path, int error, struct cx__outcome *outcome)
{
    struct stat is;

    if (error != -ENOENT || lstat(path, &is) != 0)
        return error;
    return cx__sqlite_refuse(outcome, -EROFS, cx__sqlite_unwritable);
}

int cx__sqlite_exec(sqlite3 *handle, const char *text,
                    struct cx__outcome *outcome)
{
    return cx__sqlite_outcome(outcome, handle,
                              sqlite3_exec(handle, text, NULL, NULL, NULL));
}

int cx__sqlite_number(sqlite3 *handle, const char *text, int *value,
                      struct cx__outcome *outcome)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(handle, text, -1, &statement, NULL);

    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    if (code == SQLITE_ROW)
        *value = sqlite3_column_int(statement, 0);
    (void)sqlite3_finalize(statement);
    return cx__sqlite_outcome(outcome, handle, code);
}

/* Wait until a file is on the disk, or what happened to a folder's names. */
static int sync_path(const char *path, struct cx__outcome *outcome)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    int error = 0;

    if (fd < 0 || fsync(fd) != 0)
        error = cx__sqlite_failed(outcome, errno);
    if (fd >= 0)
        (void)close(fd);
    return error;
}

/* Remove a room's files, those of them that there are. */
static int files_remove(const struct cx__sqlite *sqlite, int64_t id,
                        struct cx__outcome *outcome)
{
    for (size_t i = 0; i < sizeof(companions) / sizeof(companions[0]); i++) {
        char *path = cx__sqlite_path(sqlite, CX__TENANT, id, companions[i]);
        int failed = path != NULL ? unlink(path) : -1;
        int number = path != NULL ? errno : ENOMEM;

        free(path);
        if (failed && number != ENOENT)
            return cx__sqlite_failed(outcome, number);
    }
    return 0;
}

/* Make a file that was not there, and that only this user may read. */
int cx__sqlite_make_file(const char *path, struct cx__outcome *outcome)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                  S_IRUSR | S_IWUSR);

    if (fd < 0)
        return cx__sqlite_failed_to(outcome, errno, "no file can be made");
    (void)close(fd);
    return 0;
}

/* All pages of the template's file. Somebody may be migrating it, or be the
 * last to close it. */
static int copy_template(const struct cx__sqlite *sqlite, sqlite3 *to,
                         struct cx__outcome *outcome)
{
    char *path = cx__sqlite_path(sqlite, CX__TENANT, CX__TEMPLATE, "");
    sqlite3 *from = NULL;
    sqlite3_backup *backup;
    int error = path != NULL
                    ? cx__sqlite_open(sqlite, path, CX__SCHEMA, &from, outcome)
                    : cx__sqlite_failed(outcome, ENOMEM);

    if (error == 0) {
        backup = sqlite3_backup_init(to, "main", from, "main");
        if (backup != NULL)
            (void)sqlite3_backup_step(backup, -1);
        (void)sqlite3_backup_finish(backup);
        error = cx__sqlite_outcome(outcome, to, sqlite3_errcode(to));
    }
    (void)sqlite3_close(from);
    free(path);
    return error;
}

/* The template itself, with nothing in it. */
static int make_template(sqlite3 *handle, struct cx__outcome *outcome)
{
    int error = cx__sqlite_exec(handle, "PRAGMA journal_mode = WAL", outcome);

    return error == 0 ? cx__sqlite_exec(handle, room_tables, outcome) : error;
}

static int fill_open(const struct cx__sqlite *sqlite, sqlite3 *handle,
                     int64_t id, struct cx__outcome *outcome)
{
    /* It is waited for as a whole, once it is closed. */
    int error = cx__sqlite_exec(handle, "PRAGMA synchronous = OFF", outcome);

    if (error == 0)
        error = id == CX__TEMPLATE ? make_template(handle, outcome)
                                   : copy_template(sqlite, handle, outcome);
    return error == 0 ? cx__sqlite_stamp(sqlite, handle, id, outcome) : error;
}

/* Fill a file that is empty. */
static int fill(const struct cx__sqlite *sqlite, const char *path, int64_t id,
                struct cx__outcome *outcome)
{
    sqlite3 *handle = NULL;
    int error = cx__sqlite_open(sqlite, path, CX__SCHEMA, &handle, outcome);

    if (error == 0)
        error = fill_open(sqlite, handle, id, outcome);
    if (sqlite3_close(handle) != SQLITE_OK && error == 0)
        error = cx__sqlite_refuse(outcome, -EIO, "a new file cannot be closed");
    return error == 0 ? sync_path(path, outcome) : error;
}

/* Is there what says that a room was never used? */
static bool is_unused(const struct cx__sqlite *sqlite, int64_t id)
{
    char *path = cx__sqlite_path(sqlite, CX__TENANT, id, unused);
    struct stat is;
    bool found = path != NULL && lstat(path, &is) == 0;

    free(path);
    return found;
}

static int mark_unused(const struct cx__sqlite *sqlite, int64_t id,
                       struct cx__outcome *outcome)
{
    char *path = cx__sqlite_path(sqlite, CX__TENANT, id, unused);
    int error = path != NULL ? cx__sqlite_make_file(path, outcome)
                             : cx__sqlite_failed(outcome, ENOMEM);

    free(path);
    return error;
}

int cx__sqlite_use(const struct cx__sqlite *sqlite, int64_t id,
                   struct cx__outcome *outcome)
{
    char *path = cx__sqlite_path(sqlite, CX__TENANT, id, unused);
    int failed = path != NULL ? unlink(path) : -1;
    int number = path != NULL ? errno : ENOMEM;

    free(path);
    return failed && number != ENOENT && number != ENOTDIR
               ? cx__sqlite_failed(outcome, number)
               : 0;
}

/* Have nothing where a room's file is to be. */
static int clear_way(const struct cx__sqlite *sqlite, const char *path,
                     int64_t id, struct cx__outcome *outcome)
{
    struct stat is;

    if (id != CX__TEMPLATE && lstat(path, &is) == 0 && !is_unused(sqlite, id))
        return cx__sqlite_refuse(outcome, -EUCLEAN,
                                 "the next tenant's file is there already: the"
                                 " list of tenants is an older one");
    return files_remove(sqlite, id, outcome);
}

static int make_files(const struct cx__sqlite *sqlite, const char *path,
                      int64_t id, struct cx__outcome *outcome)
{
    int error = 0;

    if (id != CX__TEMPLATE)
        error = mark_unused(sqlite, id, outcome);
    if (error == 0)
        error = cx__sqlite_make_file(path, outcome);
    if (error == 0)
        error = fill(sqlite, path, id, outcome);
    return error == 0 ? sync_path(sqlite->folder, outcome) : error;
}

static int make_at(const struct cx__sqlite *sqlite, const char *path,
                   int64_t id, struct cx__outcome *outcome)
{
    struct cx__outcome ignored;
    int error = clear_way(sqlite, path, id, outcome);

    if (error != 0)
        return error;
    error = make_files(sqlite, path, id, outcome);
    if (error != 0)
        (void)files_remove(sqlite, id, &ignored);
    return error;
}

int cx__sqlite_make_room(const struct cx__sqlite *sqlite, int64_t id,
                         struct cx__outcome *outcome)
{
    char *path = cx__sqlite_path(sqlite, CX__TENANT, id, "");
    int error = path != NULL ? make_at(sqlite, path, id, outcome)
                             : cx__sqlite_failed(outcome, ENOMEM);

    free(path);
    return error;
}

/* A job for one room. */
struct room_job {
    const struct cx__sqlite *sqlite;
    int64_t id;
    struct cx__outcome outcome;
};

static void *provision_run(void *arg)
{
    struct room_job *job = arg;

    job->outcome.error =
        cx__sqlite_make_room(job->sqlite, job->id, &job->outcome);
    return NULL;
}

/* Whoever has the file open is told; a file that is damaged just goes. */
static int room_remove(const struct cx__sqlite *sqlite, int64_t id,
                       struct cx__outcome *outcome)
{
    char *path = cx__sqlite_path(sqlite, CX__TENANT, id, "");
    int error = path != NULL ? cx__sqlite_close_room(sqlite, path, outcome)
                             : cx__sqlite_failed(outcome, ENOMEM);

    free(path);
    if (error == -ENOMEM || error == -EBUSY || error == -EMFILE)
        return error;
    error = files_remove(sqlite, id, outcome);
    return error == 0 ? sync_path(sqlite->folder, outcome) : error;
}

static void *remove_run(void *arg)
{
    struct room_job *job = arg;

    job->outcome.error = room_remove(job->sqlite, job->id, &job->outcome);
    return NULL;
}

static int run(cx_db *db, int64_t id, cx_task_fn *fn)
{
    struct room_job job = {.sqlite = cx__sqlite_of(db), .id = id};

    return cx__sqlite_work(db, fn, &job, &job.outcome);
}

int cx__sqlite_provision(cx_db *db, int64_t id)
{
    return run(db, id, provision_run);
}

int cx__sqlite_remove(cx_db *db, int64_t id)
{
    return run(db, id, remove_run);
}
