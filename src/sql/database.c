/* SPDX-License-Identifier: MIT */
/*
 * Opening and closing databases, and who may use them.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "database.h"
#include "engine.h"
#include "pool.h"
#include "problem.h"
#include "registry.h"
#include "tenant.h"

enum { MOST = 128, EACH = 8, BOUND = 100000, ROWS_BYTES = 256 << 20 };

unsigned cx__process;

static void count_fork(void)
{
    cx__process++;
}

__attribute__((constructor)) static void watch_forks(void)
{
    (void)pthread_atfork(NULL, NULL, count_fork);
}

static int no_task(void)
{
    return cx__problem(-EPERM, "a database is used by a task, on its loop's"
                               " thread: not before cx_run(), and not by a job"
                               " of an executor");
}

int cx__db_elsewhere(void)
{
    if (cx_task_current() == NULL)
        return no_task();
    return cx__problem(-EXDEV, "the database was opened on another loop");
}

int cx__db_check(const cx_db *db)
{
    int error;

    cx__problem_forget();
    if (db == NULL)
        return -EINVAL;
    if (!cx__db_is_here(db))
        return cx__problem(-EXDEV, "the database was opened by another"
                                   " process, before a fork()");
    if (db->closing)
        return -ESHUTDOWN;
    error = db->loop == cx_loop_current() ? cx_task_check() : -EPERM;
    return CX__LIKELY(error != -EPERM) ? error : cx__db_elsewhere();
}

static void db_free(cx_db *db)
{
    if (db->registry != NULL)
        cx__pool_release(db->registry);
    if (db->roster != NULL)
        cx__roster_close(db->roster);
    cx__gate_fini(&db->slots);
    cx_loop_unref(db->loop);
    free(db);
}

/* All of it but the engine's part. */
static int db_init(cx_db *db, const cx_db_options *options)
{
    db->process = cx__process;
    db->existing = options->existing;
    db->most = options->connections != 0 ? options->connections : MOST;
    db->each =
        options->connections_each != 0 ? options->connections_each : EACH;
    db->rows_bytes =
        options->rows_bytes != 0 ? options->rows_bytes : ROWS_BYTES;
    cx__list_init(&db->idle);
    cx__list_init(&db->blocked);
    db->loop = cx_loop_ref(cx_loop_current());
    if (cx__gate_init(&db->slots, db->most) != 0)
        return -ENOMEM;
    db->roster = cx__roster_new(db);
    db->registry = cx__pool_apart(db, CX__REGISTRY, 0);
    return db->roster != NULL && db->registry != NULL ? 0 : -ENOMEM;
}

static void db_close(cx_db *db)
{
    db->closing = true;
    cx__pool_close_idle(db);
    db->engine->close(db);
    db_free(db);
}

static int db_open(const struct cx__engine *engine, const char *place,
                   const cx_db_options *options, cx_db **out)
{
    cx_db *db = calloc(1, sizeof(*db));
    int error = db != NULL ? db_init(db, options) : -ENOMEM;

    if (error == 0) {
        db->engine = engine;
        error = engine->open(db, place);
    }
    if (error != 0 && db != NULL)
        db_free(db);
    if (error != 0)
        return error;
    error = cx__registry_sweep(db);
    if (error != 0)
        db_close(db);
    else
        *out = db;
    return error;
}

int cx_db_open(const char *url, const cx_db_options *options, cx_db **db)
{
    static const cx_db_options none;
    const struct cx__engine *engine;
    const char *place;

    if (cx_task_current() == NULL)
        return no_task();
    if (url == NULL || db == NULL)
        return cx__wordless(-EINVAL);
    if (options == NULL)
        options = &none;
    if (options->connections > BOUND || options->connections_each > BOUND)
        return cx__problem(-EINVAL, "more than %d connections", BOUND);
    engine = cx__engine_of(url, &place);
    if (engine == NULL)
        return cx__problem(-EINVAL, "no engine for this kind of URL");
    return db_open(engine, place, options, db);
}

int cx_db_close(cx_db *db)
{
    int error = 0;

    if (db == NULL)
        return 0;
    CX_SHIELD {
        error = cx__db_check(db);
    }
    if (error != 0)
        return error;
    if (db->users > 0)
        return cx__problem(-EBUSY, "a task is in a transaction, amid rows or"
                                   " amid tenants, or waits for a connection");
    db_close(db);
    return 0;
}
