/* SPDX-License-Identifier: MIT */
/*
 * What the files of the SQLite engine share. Its design is told in
 * sqlite_engine.c.
 */
#ifndef CTXVAR_SQL_SQLITE_H
#define CTXVAR_SQL_SQLITE_H

#include <sqlite3.h>

#include <ctxvar/sync.h>

#include "engine.h"
#include "pool.h"
#include "siphash.h"
#include "statement.h"

enum { CX__WORDS_BYTES = 256, CX__SQLITE_PARAMETERS = 1000 };

struct cx__vfs;

/*
 * A database's part that is SQLite's.
 *
 * executor  one thread, for what blocks: files that are opened, closed, copied
 *           and removed, checkpoints and syncs
 * lanes     as many as there may be connections, for a program's statements
 * vfs       the way to files, and
 * bounded   that of tenants' statements
 * patience_ms  that another process's lock is waited for without a deadline
 * key       the registry's: with it are made the stamps of the tenants' files
 */
struct cx__sqlite {
    cx_executor *executor;
    cx_executor *lanes;
    struct cx__vfs *vfs;
    struct cx__vfs *bounded;
    char *folder;  /* absolute, without links */
    bool existing; /* it must be there already */
    unsigned patience_ms;
    unsigned char key[CX__SIPHASH_KEY_BYTES];
};

/*
 * preparing statements are prepared for the first time
 * trusted   what is prepared or run now is the library's own
 * on_lane   it is run by a lane, for a task that
 * has_deadline  or has none
 * stepped   the statement that it is in; NULL: none, or a model's that only
 *           reads
 * why       what a wait within SQLite ended with; SQLite itself only says that
 *           it was busy or interrupted
 * refusal   words for what is not allowed, where there are better ones than
 *           SQLite's; NULL: there are not
 * writes    how often its task has the writer's turn
 * since     when it began to wait for another process
 * slice     the millisecond in which it last let others run
 * spilled   pages that SQLite had written before their commits, when its task
 *           began a transaction
 * frames    in the log after the last commit
 * due       the number of them at which a checkpoint is made
 */
struct cx__sqlite_connection {
    struct cx__connection base;
    const struct cx__sqlite *sqlite;
    sqlite3 *handle;
    bool preparing;
    bool trusted;
    bool on_lane;
    bool has_deadline;
    sqlite3_stmt *stepped;
    int why;
    const char *refusal;
    unsigned writes;
    uint64_t since;
    uint64_t slice;
    int spilled;
    int frames;
    int due;
};

/* What a job that ran on the executor came to, and why in words. */
struct cx__outcome {
    int error;
    char words[CX__WORDS_BYTES];
};

static inline struct cx__sqlite *cx__sqlite_of(const cx_db *db)
{
    return db->own;
}

static inline struct cx__sqlite_connection *
cx__sqlite_connection_of(struct cx__connection *connection)
{
    return (struct cx__sqlite_connection *)connection;
}

/* sqlite_error.c */

/* The errno for a code of SQLite's; handle: NULL, or where it came from. */
int cx__sqlite_errno(sqlite3 *handle, int code);
/* The same of the running task's connection, with its words. */
int cx__sqlite_problem(struct cx__sqlite_connection *connection, int code);
/* What a step came to, to be told later; a transaction may have ended. */
int cx__sqlite_step_outcome(struct cx__sqlite_connection *connection, int code,
                            struct cx__outcome *outcome);
/* Words for a file that can be read alone. */
extern const char cx__sqlite_unwritable[];
/* Leave the words of an outcome with the running task: its error. */
int cx__sqlite_tell(const struct cx__outcome *outcome);
/* The same for a job, which has no context to leave words in. */
int cx__sqlite_outcome(struct cx__outcome *outcome, sqlite3 *handle, int code);
/* The same for what the system said. */
int cx__sqlite_failed(struct cx__outcome *outcome, int number);
/* The same, after words of the engine's own on what was tried. */
int cx__sqlite_failed_to(struct cx__outcome *outcome, int number,
                         const char *words);
/* Words of the engine's own. Returns error. */
int cx__sqlite_refuse(struct cx__outcome *outcome, int error,
                      const char *words);

/* sqlite_executor.c */

/* Run a job there: 0, or that it was not run. */
int cx__sqlite_run(struct cx__sqlite *sqlite, cx_task_fn *fn, void *arg);
/* Run one and tell what it came to. It waits for nobody: where another process
 * has a lock it fails, the task waits, and it is run again. Where there is no
 * file descriptor left for it, connections that nobody uses are closed before
 * it is run once more. */
int cx__sqlite_work(cx_db *db, cx_task_fn *fn, void *job,
                    const struct cx__outcome *outcome);
/* Run it, cancelled or not; if all else fails, here. */
void cx__sqlite_must_run(cx_executor *executor, cx_task_fn *fn, void *arg);

/* sqlite_vfs.c */

/* SQLite's own way to files, but that a task waits for the disk without the
 * loop, and that there may be a bound. NULL with errno. */
struct cx__vfs *cx__vfs_new(cx_executor *executor);
void cx__vfs_free(struct cx__vfs *vfs);
/* How long a temporary file may become; there is no bound at first. */
void cx__vfs_bound(struct cx__vfs *vfs, int64_t bytes);
const char *cx__vfs_name(const struct cx__vfs *vfs);

/* sqlite_wait.c */

/* Waits within SQLite are waits of the task. */
void cx__sqlite_waits(struct cx__sqlite_connection *connection);
/* Wait for the n-th time for what another process has locked: 0, or that there
 * is to be an end to it. since: when it began. */
int cx__sqlite_wait(const struct cx__sqlite *sqlite, uint64_t since, int n);

/* sqlite_guard.c: what a connection may do. */

/* A table of the tenant's own; database: NULL where SQLite does not say. */
bool cx__sqlite_is_own(const char *table, const char *database);

/* Settings; of a connection that is trusted meanwhile. */
int cx__sqlite_harden(struct cx__sqlite_connection *connection,
                      enum cx__room room);

/* sqlite_function.c */

/* Functions that do not keep the loop from the others for long. */
int cx__sqlite_functions(sqlite3 *handle);

/* sqlite_room.c: files. */

/* The path of a room's file, to be freed; NULL: no memory. */
char *cx__sqlite_path(const struct cx__sqlite *sqlite, enum cx__room room,
                      int64_t id, const char *suffix);
/* Open a file; for whose statements says `room`. */
int cx__sqlite_open(const struct cx__sqlite *sqlite, const char *path,
                    enum cx__room room, sqlite3 **handle,
                    struct cx__outcome *outcome);
/* The error of what was done with an open file. SQLite does not find what it
 * keeps beside the file, either, where it can make nothing. */
int cx__sqlite_unmade(const char *path, int error, struct cx__outcome *outcome);
int cx__sqlite_exec(sqlite3 *handle, const char *text,
                    struct cx__outcome *outcome);
/* The number that a statement gives. */
int cx__sqlite_number(sqlite3 *handle, const char *text, int *value,
                      struct cx__outcome *outcome);
/* Make a file that is not there, and that only this user may read. */
int cx__sqlite_make_file(const char *path, struct cx__outcome *outcome);
/* Make a tenant's file, or the template's. */
int cx__sqlite_make_room(const struct cx__sqlite *sqlite, int64_t id,
                         struct cx__outcome *outcome);
/* Somebody connects to a room: from now on its file is one that was used. */
int cx__sqlite_use(const struct cx__sqlite *sqlite, int64_t id,
                   struct cx__outcome *outcome);
int cx__sqlite_provision(cx_db *db, int64_t id);
int cx__sqlite_remove(cx_db *db, int64_t id);

/* sqlite_stamp.c */

/* Write into a room's file whose it is. */
int cx__sqlite_stamp(const struct cx__sqlite *sqlite, sqlite3 *handle,
                     int64_t id, struct cx__outcome *outcome);
/* Does it say so? 0, or -ESTALE. */
int cx__sqlite_check_stamp(const struct cx__sqlite *sqlite, sqlite3 *handle,
                           int64_t id, struct cx__outcome *outcome);

/* sqlite_drop.c */

/* Make a room's tables out of reach of whoever has its file open. */
int cx__sqlite_close_room(const struct cx__sqlite *sqlite, const char *path,
                          struct cx__outcome *outcome);

/* sqlite_found.c */

/* Make the registry and the template, unless they are there. */
int cx__sqlite_found(struct cx__sqlite *sqlite, struct cx__outcome *outcome);

/* sqlite_connect.c */
int cx__sqlite_connect(struct cx__pool *pool,
                       struct cx__connection **connection);
void cx__sqlite_disconnect(cx_db *db, struct cx__list *connections);
void cx__sqlite_settle(struct cx__connection *connection);

/* sqlite_statement.c */
int cx__sqlite_prepare(struct cx__connection *connection, cx_text text,
                       enum cx__origin origin,
                       struct cx__statement **statement);
void cx__sqlite_finalize(struct cx__statement *statement);
int cx__sqlite_bind(struct cx__statement *statement, unsigned place,
                    const cx_param *value);
int cx__sqlite_step(struct cx__statement *statement);
/* The same of one that may change something, and whose turn to write it is;
 * is_long: so long that it is worth a lane. */
int cx__sqlite_step_whole(struct cx__statement *statement, bool is_long);
int cx__sqlite_column(struct cx__statement *statement, unsigned place,
                      cx_kind wanted, cx_param *value);
void cx__sqlite_reset(struct cx__statement *statement);
unsigned cx__sqlite_columns(const struct cx__statement *statement);
const char *cx__sqlite_name(const struct cx__statement *statement,
                            unsigned place);
int64_t cx__sqlite_changed(const struct cx__statement *statement);
int64_t cx__sqlite_inserted(const struct cx__statement *statement);

/* sqlite_script.c */
const char *cx__sqlite_script_of(const cx_migration *migration);
int cx__sqlite_run_script(struct cx__connection *connection,
                          const char *script);
int cx__sqlite_clear(struct cx__connection *connection);

/* sqlite_tables.c */
int cx__sqlite_tables(struct cx__connection *connection, cx__table_fn *fn,
                      void *arg);
int cx__sqlite_table_columns(struct cx__connection *connection,
                             const char *table, cx__found_fn *fn, void *arg);

/* sqlite_transaction.c */

/* The writer's turn at the room's file; it may be had more than once. */
int cx__sqlite_writer(struct cx__sqlite_connection *connection);
void cx__sqlite_writer_done(struct cx__sqlite_connection *connection);
int cx__sqlite_begin(struct cx__connection *connection, unsigned depth);
int cx__sqlite_commit(struct cx__connection *connection, unsigned depth);
int cx__sqlite_rollback(struct cx__connection *connection, unsigned depth);

#endif
