/* SPDX-License-Identifier: MIT */
/* A database from the inside. All of it is on its loop's thread. */
#ifndef CTXVAR_SQL_DATABASE_H
#define CTXVAR_SQL_DATABASE_H

#include <ctxvar/loop.h>
#include <ctxvar/model.h>

#include "gate.h"
#include "task/list.h"

struct cx__connection;
struct cx__engine;
struct cx__pool;
struct cx__roster;

enum { CX__HELD = 64, CX__SOUND = 64 };

/*
 * loop        on whose thread all of it is; a hold on it
 * users       tasks that have a connection or wait for one
 * open        connections that there are: at most `most`, and `each` more for
 *             each pool that is apart
 * slots       of which each task with a connection has one, unless its pool is
 *             apart, so that who has a slot finds open < most, or one that is
 *             idle, or some in use that have no slot
 * idle        connections that nobody has, the one unused longest first
 * held        connections that tasks have, by their task
 * blocked     those of them whose tasks wait for another, the first to wait
 *             first; looks: a number for each wait, and each look at them
 * sound       models that have been found so, each in a place of its address's
 * process     cx__process of the one that opened it
 */
struct cx_db {
    const struct cx__engine *engine;
    void *own; /* the engine's */
    cx_loop *loop;
    struct cx__gate slots;
    struct cx__roster *roster;
    struct cx__pool *registry;
    struct cx__list idle;
    struct cx__connection *held[CX__HELD];
    struct cx__list blocked;
    uint64_t looks;
    const cx_model *sound[CX__SOUND];
    unsigned users;
    unsigned open;
    unsigned most;
    unsigned each;     /* of them for one pool */
    size_t rows_bytes; /* that a program's statement may give at once */
    unsigned process;
    bool existing; /* it must be there already */
    bool closing;
    cx_db_stats stats; /* counted so far, of all tenants; idle is not */
};

/* Another number in a child process than in its parent. */
extern unsigned cx__process;

/*
 * Is this the process that opened it? A child has the parent's blocks on its
 * stack, but their connections are the parent's: a word on its socket, a byte
 * in its file would be in the middle of what the parent says. So a block that
 * ends in a child forgets what it had, and what goes on in it is -EXDEV.
 */
static inline bool cx__db_is_here(const cx_db *db)
{
    return db->process == cx__process;
}

/* May the running task use it now? 0 or the error. */
int cx__db_check(const cx_db *db);

/* Who asks is not a task of the database's loop: the error, with its words. */
int cx__db_elsewhere(void);

#endif
