/* SPDX-License-Identifier: MIT */
/*
 * SQLite's own VFS with four calls replaced.
 *
 * A sync, which may take a disk's time, and the end of a file, which takes as
 * long as there is to give back of a temporary one, are left to the database's
 * thread where a task asks for them. The task waits and the loop goes on: a
 * sync holds no lock of the process while it runs, only those of the file,
 * which the others wait for in the busy handler.
 *
 * Where a task reads or writes much the others have their turn in between, once
 * in a millisecond, as they have it where SQLite calls back. It does not do so
 * while it reads a row of megabytes, commits or undoes a large transaction,
 * counts a table or empties it, but all of that goes through pages. A cancel is
 * left for where it can be heeded.
 *
 * A write to a temporary file, in which SQLite keeps what it sorts or compares,
 * is refused beyond a bound, else one statement could fill the disk of all. It
 * is refused as a value is that is too large, which is the end of the statement
 * and not of its transaction. What a statement needs to be undone has no bound.
 *
 * A file knows its methods, and a table of methods here knows its VFS.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "sqlite.h"
#include "task/yield.h"

/* The kinds of files that SQLite's VFS has, each with a table of its own, and
 * with another one for temporary files. */
enum { KINDS = 8, NAME_BYTES = 32 };

/* Read or written between looks at the clock. */
enum { LOOK_BYTES = 256 << 10 };

/* How files are opened in which rows are kept for a while. */
enum {
    TEMPORARY = SQLITE_OPEN_TEMP_DB | SQLITE_OPEN_TRANSIENT_DB |
                SQLITE_OPEN_TEMP_JOURNAL
};

struct kind {
    sqlite3_io_methods methods;
    const sqlite3_io_methods *original; /* NULL: not in use yet */
    bool is_temporary;
    struct cx__vfs *vfs;
};

/*
 * lock   guards the kinds' first use, since files are opened on both threads
 * bytes  that tasks have read and written since they looked at the clock last
 * slice  the millisecond in which one let others run last
 */
struct cx__vfs {
    sqlite3_vfs base;
    sqlite3_vfs *original;
    cx_executor *executor;
    sqlite3_int64 most; /* bytes of a temporary file */
    int bytes;
    uint64_t slice;
    pthread_mutex_t lock;
    struct kind kind[KINDS];
    char name[NAME_BYTES];
};

struct ending {
    sqlite3_file *file;
    int code;
};

/* number: the errno of one that failed, which SQLite asks for afterwards, and
 * which is the thread's. */
struct sync {
    sqlite3_file *file;
    int flags;
    int code;
    int number;
};

static const struct kind *kind_of(const sqlite3_file *file)
{
    return CX__OWNER(file->pMethods, struct kind, methods);
}

static void *close_run(void *arg)
{
    struct ending *ending = arg;

    ending->code = kind_of(ending->file)->original->xClose(ending->file);
    return NULL;
}

static int file_close(sqlite3_file *file)
{
    struct ending ending = {.file = file};

    cx__sqlite_must_run(kind_of(file)->vfs->executor, close_run, &ending);
    return ending.code;
}

static void *sync_run(void *arg)
{
    struct sync *sync = arg;

    sync->code = kind_of(sync->file)->original->xSync(sync->file, sync->flags);
    sync->number = errno;
    return NULL;
}

static int file_sync(sqlite3_file *file, int flags)
{
    struct sync sync = {.file = file, .flags = flags};

    cx__sqlite_must_run(kind_of(file)->vfs->executor, sync_run, &sync);
    errno = sync.number;
    return sync.code;
}

/* In a task: have the others run, if it is time. */
static void take_turns(struct cx__vfs *vfs)
{
    if (cx_time() == vfs->slice)
        return;
    CX_SHIELD {
        (void)cx__yield_long();
    }
    vfs->slice = cx_time();
}

/* So much is read or written. Threads other than the loop's have no task. */
static void count_bytes(struct cx__vfs *vfs, int amount)
{
    if (cx_task_current() == NULL)
        return;
    vfs->bytes += amount;
    if (vfs->bytes >= LOOK_BYTES) {
        vfs->bytes = 0;
        take_turns(vfs);
    }
}

static int file_read(sqlite3_file *file, void *data, int amount,
                     sqlite3_int64 offset)
{
    const struct kind *kind = kind_of(file);

    count_bytes(kind->vfs, amount);
    return kind->original->xRead(file, data, amount, offset);
}

static int file_write(sqlite3_file *file, const void *data, int amount,
                      sqlite3_int64 offset)
{
    const struct kind *kind = kind_of(file);

    count_bytes(kind->vfs, amount);
    return kind->original->xWrite(file, data, amount, offset);
}

static int temporary_write(sqlite3_file *file, const void *data, int amount,
                           sqlite3_int64 offset)
{
    const struct kind *kind = kind_of(file);

    if (offset > kind->vfs->most - amount)
        return SQLITE_TOOBIG;
    return file_write(file, data, amount, offset);
}

/* Where the table of a kind is, or can be. */
static struct kind *kind_find(struct cx__vfs *vfs,
                              const sqlite3_io_methods *original,
                              bool is_temporary)
{
    struct kind *kind = vfs->kind;

    while (kind < vfs->kind + KINDS && kind->original != NULL &&
           (kind->original != original || kind->is_temporary != is_temporary))
        kind++;
    return kind;
}

/* The table for files with these methods; NULL: there are too many kinds. */
static struct kind *kind_for(struct cx__vfs *vfs,
                             const sqlite3_io_methods *original,
                             bool is_temporary)
{
    struct kind *end = vfs->kind + KINDS;
    struct kind *kind;

    (void)pthread_mutex_lock(&vfs->lock);
    kind = kind_find(vfs, original, is_temporary);
    if (kind < end && kind->original == NULL) {
        kind->methods = *original;
        kind->methods.xRead = file_read;
        kind->methods.xWrite = is_temporary ? temporary_write : file_write;
        kind->methods.xClose = file_close;
        kind->methods.xSync = file_sync;
        kind->original = original;
        kind->is_temporary = is_temporary;
        kind->vfs = vfs;
    }
    (void)pthread_mutex_unlock(&vfs->lock);
    return kind < end ? kind : NULL;
}

static int file_open(sqlite3_vfs *base, const char *name, sqlite3_file *file,
                     int flags, int *out)
{
    struct cx__vfs *vfs = CX__OWNER(base, struct cx__vfs, base);
    int code = vfs->original->xOpen(vfs->original, name, file, flags, out);

    if (code == SQLITE_OK && file->pMethods != NULL) {
        const struct kind *kind =
            kind_for(vfs, file->pMethods, (flags & TEMPORARY) != 0);

        if (kind != NULL)
            file->pMethods = &kind->methods;
    }
    return code;
}

struct cx__vfs *cx__vfs_new(cx_executor *executor)
{
    sqlite3_vfs *original = sqlite3_vfs_find(NULL);
    struct cx__vfs *vfs = original != NULL ? calloc(1, sizeof(*vfs)) : NULL;

    if (vfs == NULL) {
        errno = ENOMEM;
        return NULL;
    }
    vfs->original = original;
    vfs->executor = executor;
    vfs->most = INT64_MAX;
    vfs->base = *original;
    vfs->base.xOpen = file_open;
    vfs->base.pNext = NULL;
    (void)snprintf(vfs->name, sizeof(vfs->name), "ctxvar-%p", (void *)vfs);
    vfs->base.zName = vfs->name;
    (void)pthread_mutex_init(&vfs->lock, NULL);
    if (sqlite3_vfs_register(&vfs->base, 0) != SQLITE_OK) {
        free(vfs);
        errno = ENOMEM;
        return NULL;
    }
    return vfs;
}

void cx__vfs_free(struct cx__vfs *vfs)
{
    if (vfs == NULL)
        return;
    (void)sqlite3_vfs_unregister(&vfs->base);
    (void)pthread_mutex_destroy(&vfs->lock);
    free(vfs);
}

void cx__vfs_bound(struct cx__vfs *vfs, int64_t bytes)
{
    vfs->most = bytes;
}

const char *cx__vfs_name(const struct cx__vfs *vfs)
{
    return vfs->name;
}
