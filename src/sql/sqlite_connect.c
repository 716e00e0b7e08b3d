/* SPDX-License-Identifier: MIT */
/*
 * Connections: opened and closed on the database's own thread, in between used
 * on the loop's, by one task at a time.
 *
 * A connection is not handed out before it has read something: a file that is
 * damaged, or another tenant's, is refused here, and a log that a crash has
 * left is read while nobody waits on the loop's thread.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "problem.h"
#include "sqlite.h"
#include "tenant.h"

enum { CHECKPOINT_FRAMES = 1000 };

static const char settings[] = "PRAGMA synchronous = NORMAL;"
                               "PRAGMA mmap_size = 0";

/* Nobody is told of a tenant whose listing may be lost. */
static const char registry_settings[] = "PRAGMA synchronous = FULL;"
                                        "PRAGMA mmap_size = 0";

static const char version_of_tables[] =
    "SELECT coalesce(max(version), 0) FROM cx_migrations";

struct connect_job {
    const struct cx__sqlite *sqlite;
    struct cx__sqlite_connection *connection;
    enum cx__room room;
    int64_t id;
    uint64_t file[2];
    struct cx__outcome outcome;
};

static int check_log_mode(struct connect_job *job)
{
    sqlite3_stmt *statement = NULL;
    int code =
        sqlite3_prepare_v2(job->connection->handle, "PRAGMA journal_mode = WAL",
                           -1, &statement, NULL);
    bool is_wal = false;

    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    if (code == SQLITE_ROW)
        is_wal =
            strcmp((const char *)sqlite3_column_text(statement, 0), "wal") == 0;
    (void)sqlite3_finalize(statement);
    if (code == SQLITE_ROW && !is_wal)
        return cx__sqlite_refuse(&job->outcome, -EROFS, cx__sqlite_unwritable);
    return cx__sqlite_outcome(&job->outcome, job->connection->handle, code);
}

/* After each commit: how long is the log now? */
static int committed(void *arg, sqlite3 *handle, const char *name, int frames)
{
    struct cx__sqlite_connection *connection = arg;

    (void)handle;
    (void)name;
    /* It has begun anew. */
    if (frames < connection->frames)
        connection->due = CHECKPOINT_FRAMES;
    connection->frames = frames;
    if (frames >= connection->due)
        connection->base.unsettled = true;
    return SQLITE_OK;
}

static int set_up(struct connect_job *job)
{
    struct cx__sqlite_connection *connection = job->connection;
    bool is_registry = job->room == CX__REGISTRY;
    int error;

    cx__sqlite_waits(connection);
    connection->trusted = true;
    connection->preparing = true;
    error = cx__sqlite_outcome(&job->outcome, connection->handle,
                               cx__sqlite_harden(connection, job->room));
    if (error == 0)
        error = check_log_mode(job);
    if (error == 0)
        error = cx__sqlite_exec(connection->handle,
                                is_registry ? registry_settings : settings,
                                &job->outcome);
    if (error == 0 && !is_registry)
        error = cx__sqlite_check_stamp(job->sqlite, connection->handle, job->id,
                                       &job->outcome);
    if (error == 0 && !is_registry)
        error = cx__sqlite_number(connection->handle, version_of_tables,
                                  &connection->base.version, &job->outcome);
    connection->preparing = false;
    connection->due = CHECKPOINT_FRAMES;
    (void)sqlite3_wal_hook(connection->handle, committed, connection);
    return error;
}

static int identify(struct connect_job *job, const char *path)
{
    struct stat stat;

    if (lstat(path, &stat) != 0)
        return cx__sqlite_refuse(&job->outcome, -ESTALE,
                                 "the tenant's file is gone");
    job->file[0] = stat.st_dev;
    job->file[1] = stat.st_ino;
    return 0;
}

/* Open the file and see whose it is. */
static int open_file(struct connect_job *job, const char *path)
{
    int error = 0;

    if (job->room != CX__REGISTRY)
        error = cx__sqlite_use(job->sqlite, job->id, &job->outcome);
    if (error == 0)
        error = cx__sqlite_open(job->sqlite, path, job->room,
                                &job->connection->handle, &job->outcome);
    return error == 0 ? cx__sqlite_unmade(path, set_up(job), &job->outcome)
                      : error;
}

static int connect_file(struct connect_job *job, const char *path)
{
    int error = open_file(job, path);

    if (error == 0)
        error = identify(job, path);
    else if (error == -ENOENT || error == -ENOTDIR)
        error = cx__sqlite_refuse(&job->outcome, -ESTALE,
                                  "the tenant's file is gone");
    if (error != 0) {
        (void)sqlite3_close(job->connection->handle);
        job->connection->handle = NULL;
    }
    return error;
}

static void *connect_run(void *arg)
{
    struct connect_job *job = arg;
    char *path = cx__sqlite_path(job->sqlite, job->room, job->id, "");

    job->outcome.error = path != NULL
                             ? connect_file(job, path)
                             : cx__sqlite_failed(&job->outcome, ENOMEM);
    free(path);
    return NULL;
}

/* A tenant has one file for as long as its handle is held, or somebody puts
 * another in its place while it is in use. */
static int check_file(cx_tenant *tenant, const struct connect_job *job)
{
    if (tenant == NULL)
        return 0;
    if (tenant->file[1] == 0)
        memcpy(tenant->file, job->file, sizeof(tenant->file));
    if (memcmp(tenant->file, job->file, sizeof(tenant->file)) == 0)
        return 0;
    return cx__problem(-ESTALE, "the tenant's file was replaced");
}

static void *close_run(void *arg)
{
    struct cx__list *connections = arg;
    struct cx__list *link = connections->next;

    while (link != connections) {
        struct cx__connection *each =
            CX__OWNER(link, struct cx__connection, idle);

        link = link->next;
        cx__statements_fini(each);
        (void)sqlite3_close(cx__sqlite_connection_of(each)->handle);
        free(each);
    }
    return NULL;
}

void cx__sqlite_disconnect(cx_db *db, struct cx__list *connections)
{
    cx__sqlite_must_run(cx__sqlite_of(db)->executor, close_run, connections);
}

static void close_new(cx_db *db, struct cx__sqlite_connection *connection)
{
    struct cx__list alone;

    cx__list_init(&alone);
    cx__list_insert(&alone, &connection->base.idle);
    cx__sqlite_disconnect(db, &alone);
}

int cx__sqlite_connect(struct cx__pool *pool,
                       struct cx__connection **connection)
{
    struct connect_job job = {
        .sqlite = cx__sqlite_of(pool->db), .room = pool->room, .id = pool->id};
    int error;

    job.connection = calloc(1, sizeof(*job.connection));
    if (job.connection == NULL)
        return -ENOMEM;
    cx__statements_init(&job.connection->base);
    job.connection->sqlite = job.sqlite;
    error = cx__sqlite_work(pool->db, connect_run, &job, &job.outcome);
    if (error != 0) {
        free(job.connection);
        return error;
    }
    error = check_file(pool->tenant, &job);
    if (error != 0)
        close_new(pool->db, job.connection);
    else
        *connection = &job.connection->base;
    return error;
}

static void *checkpoint_run(void *arg)
{
    struct cx__sqlite_connection *connection = arg;

    (void)sqlite3_wal_checkpoint_v2(connection->handle, "main",
                                    SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    return NULL;
}

/*
 * The log is long: what is in it is moved to the file. Whoever wrote last
 * waits for that, and so does not write faster than it can be done. As long
 * as somebody reads an older state the log cannot begin anew; then this is
 * tried again when it has grown by as much.
 */
void cx__sqlite_settle(struct cx__connection *base)
{
    struct cx__sqlite_connection *connection = cx__sqlite_connection_of(base);

    base->unsettled = false;
    connection->due = connection->frames + CHECKPOINT_FRAMES;
    cx__sqlite_must_run(cx__sqlite_of(base->db)->executor, checkpoint_run,
                        connection);
}
