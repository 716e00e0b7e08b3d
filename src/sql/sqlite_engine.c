/* SPDX-License-Identifier: MIT */
/*
 * The SQLite engine.
 *
 * A model's statement runs where its task runs, on the loop's thread, and not
 * on another: the hop there and back would cost several statements. A task is
 * a coroutine with a stack of its own, so that SQLite can be suspended in the
 * middle of what it does, where it calls back:
 *
 *   - somebody else has a lock: the busy handler sleeps as a task sleeps, with
 *     the deadline and the cancel of the task;
 *   - a statement takes long: the progress handler lets other tasks run, and
 *     ends the statement if the task is cancelled or too late;
 *   - much is read or written in one step: the files let other tasks run, too;
 *   - the disk has to be waited for: a sync is done by the database's own
 *     thread, and the task waits.
 *
 * Meanwhile the connection is its task's alone, and SQLite holds no lock of
 * the process: it is built for connections that are each used by one thread
 * at a time, and a suspended task is such a one.
 *
 * A program's own statement may be one that calls back too seldom, and runs on
 * a lane, and so does what writes much at once: sqlite_lane.c.
 *
 * What else blocks is done by that thread as a whole: files are opened with
 * all that comes with it, closed, copied and removed there, and the log is
 * moved into the file. It serves all tenants, and so waits for the disk alone:
 * where another process has a lock, the task waits and asks again. A commit
 * adds to the log without waiting for the disk; that is a transaction which a
 * power failure may undo, but not in part.
 *
 * A connection never changes its file, and what is prepared stays with it.
 */
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "problem.h"
#include "sqlite.h"

/*
 * SQLite keeps one list for a process of the files that it has open, and by it
 * tells which locks it holds. A child process has a copy of the list and none
 * of the locks: what it opens anew is taken to be locked already, and what it
 * commits can be overwritten.
 *
 * opened     databases that this process has open
 * inherited  there were some in the process that it was forked from
 */
static unsigned opened;
static bool inherited;

/* In a new child, which has one thread. */
static void forked(void)
{
    inherited |= opened > 0;
    opened = 0;
}

__attribute__((constructor)) static void watch_forks(void)
{
    (void)pthread_atfork(NULL, NULL, forked);
}

static void count_opened(unsigned by)
{
    (void)__atomic_add_fetch(&opened, by, __ATOMIC_SEQ_CST);
}

enum { PATIENCE_MS = 60000, TEMPORARY_BYTES = 256 << 20 };

/* However many statements without end there are: the loop goes on. */
enum { LANE_NICE = 10 };

static void sqlite_free(struct cx__sqlite *sqlite)
{
    cx__vfs_free(sqlite->bounded);
    cx__vfs_free(sqlite->vfs);
    cx_executor_free(sqlite->lanes);
    cx_executor_free(sqlite->executor);
    free(sqlite->folder);
    free(sqlite);
}

static struct cx__sqlite *sqlite_new(const cx_db *db)
{
    const cx_executor_options one = {.threads = 1, .name = "cx-sqlite"};
    const cx_executor_options each = {
        .threads = db->most, .name = "cx-lane", .nice = LANE_NICE};
    struct cx__sqlite *sqlite = calloc(1, sizeof(*sqlite));

    if (sqlite == NULL)
        return NULL;
    sqlite->existing = db->existing;
    sqlite->patience_ms = PATIENCE_MS;
    sqlite->executor = cx_executor_new(&one);
    sqlite->lanes = cx_executor_new(&each);
    if (sqlite->executor != NULL && sqlite->lanes != NULL)
        sqlite->vfs = cx__vfs_new(sqlite->executor);
    if (sqlite->vfs != NULL)
        sqlite->bounded = cx__vfs_new(sqlite->executor);
    if (sqlite->bounded == NULL) {
        sqlite_free(sqlite);
        return NULL;
    }
    cx__vfs_bound(sqlite->bounded, TEMPORARY_BYTES);
    return sqlite;
}

struct open_job {
    struct cx__sqlite *sqlite;
    const char *place;
    struct cx__outcome outcome;
};

/* After "//" a URL has a host. Who writes one means a folder that is here, and
 * would be given one that is at the root. */
static bool names_a_host(const char *place)
{
    return strncmp(place, "//", 2) == 0 && place[2] != '/';
}

/* Only this user may look into a folder that is made here. */
static int open_folder(struct open_job *job)
{
    if (!job->sqlite->existing && mkdir(job->place, S_IRWXU) != 0 &&
        errno != EEXIST)
        return cx__sqlite_failed_to(&job->outcome, errno,
                                    "the folder cannot be made");
    job->sqlite->folder = realpath(job->place, NULL);
    if (job->sqlite->folder == NULL)
        return cx__sqlite_failed_to(&job->outcome, errno,
                                    "the folder cannot be found");
    return 0;
}

static void *open_run(void *arg)
{
    struct open_job *job = arg;

    job->outcome.error = job->sqlite->folder == NULL ? open_folder(job) : 0;
    if (job->outcome.error == 0)
        job->outcome.error = cx__sqlite_found(job->sqlite, &job->outcome);
    return NULL;
}

static int open_place(cx_db *db, const char *place)
{
    struct open_job job = {.place = place};
    int error;

    if (names_a_host(place))
        return cx__problem(-EINVAL,
                           "a folder is sqlite:DIR, or sqlite:/DIR at the"
                           " root, and not sqlite://DIR");
    job.sqlite = sqlite_new(db);
    if (job.sqlite == NULL)
        return -ENOMEM;
    db->own = job.sqlite;
    error = cx__sqlite_work(db, open_run, &job, &job.outcome);
    if (error != 0)
        sqlite_free(job.sqlite);
    return error;
}

static int engine_open(cx_db *db, const char *place)
{
    int error;

    if (inherited)
        return cx__problem(-EXDEV, "this process was forked from one that had"
                                   " a database on SQLite open");
    count_opened(1);
    error = open_place(db, place);
    if (error != 0)
        count_opened(-1U);
    return error;
}

static void engine_close(cx_db *db)
{
    sqlite_free(cx__sqlite_of(db));
    count_opened(-1U);
}

/* A file does not go away by itself, nor does a transaction begin so. */
static bool engine_is_alive(struct cx__connection *connection)
{
    assert(sqlite3_get_autocommit(
               cx__sqlite_connection_of(connection)->handle) != 0);
    (void)connection;
    return true;
}

const struct cx__engine cx__sqlite = {
    .scheme = {"sqlite:"},
    .open = engine_open,
    .close = engine_close,
    .connect = cx__sqlite_connect,
    .is_alive = engine_is_alive,
    .disconnect = cx__sqlite_disconnect,
    .settle = cx__sqlite_settle,
    .parameters_most = CX__SQLITE_PARAMETERS,
    .prepare = cx__sqlite_prepare,
    .finalize = cx__sqlite_finalize,
    .bind = cx__sqlite_bind,
    .step = cx__sqlite_step,
    .column = cx__sqlite_column,
    .reset = cx__sqlite_reset,
    .columns = cx__sqlite_columns,
    .name = cx__sqlite_name,
    .changed = cx__sqlite_changed,
    .inserted = cx__sqlite_inserted,
    .tables = cx__sqlite_tables,
    .declares = {[CX_KIND_I64] = "INTEGER",
                 [CX_KIND_F64] = "REAL",
                 [CX_KIND_BOOL] = "INTEGER",
                 [CX_KIND_TEXT] = "TEXT",
                 [CX_KIND_BLOB] = "BLOB",
                 [CX_KIND_TIMESTAMP] = "INTEGER"},
    .table_columns = cx__sqlite_table_columns,
    .begin = cx__sqlite_begin,
    .commit = cx__sqlite_commit,
    .rollback = cx__sqlite_rollback,
    .script_of = cx__sqlite_script_of,
    .run_script = cx__sqlite_run_script,
    .clear = cx__sqlite_clear,
    .provision = cx__sqlite_provision,
    .remove = cx__sqlite_remove,
};
