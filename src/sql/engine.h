/* SPDX-License-Identifier: MIT */
/*
 * What an engine is to the rest of this layer: connections, statements and
 * transactions, and the room that a tenant's tables are in.
 *
 * All functions are called on the loop's thread within a task, which they may
 * suspend, but none else. Those that return int give 0 or a negative errno,
 * and have then left words with cx__problem(). Parameters in a statement's
 * text are $1, $2 and so on.
 */
#ifndef CTXVAR_SQL_ENGINE_H
#define CTXVAR_SQL_ENGINE_H

#include <ctxvar/migrate.h>
#include <ctxvar/model.h>

#include "task/list.h"

struct cx__blocked;
struct cx__pool;
struct cx__statement;

enum { CX__BUCKETS = 32, CX__SCHEMES = 2 };

/* Who wrote the text of a statement, and with it what it may do. */
enum cx__origin {
    CX__OWN,    /* the library: anything */
    CX__MODEL,  /* the library, of a model's names: what rooms allow */
    CX__PROGRAM /* the program, or whoever it asked: it may try anything */
};

/*
 * A connection to one room, which it never leaves. An engine's own begins
 * with this.
 *
 *          connect             lease                     disconnect
 *   (none) -------> (leased) <-------> idle, in pool->idle -------> (none)
 *                                      and in db->idle
 *
 * broken      what it is in is unknown: it is closed rather than kept
 * unsettled   there is something to do for it before the next one uses it
 * generation  of the pool, when it was opened
 * holder      the task that has it; leases: how often, within one another
 * blocked     that task's wait for another connection, while it is in
 *             db->blocked
 * depth       of transactions, one within the other
 * lost        a failure has ended the transaction that its task is in
 * version     of the tables, when they were looked at last: the last
 *             migration's
 */
struct cx__connection {
    cx_db *db;
    struct cx__pool *pool;
    struct cx__list idle; /* in pool->idle */
    struct cx__list aged; /* in db->idle */
    unsigned generation;
    bool broken;
    bool unsettled;
    bool lost;
    unsigned leases;
    unsigned depth;
    int version;
    cx_task *holder;
    struct cx__connection *held_next; /* in a bucket of db->held */
    const struct cx__blocked *blocked;
    struct cx__list blocked_link; /* in db->blocked */
    unsigned prepared;            /* statements that there are */
    struct cx__list statements;
    struct cx__statement *bucket[CX__BUCKETS];
};

/*
 * Runs of one statement.
 *
 * bind  its parameters for the i-th run
 * take  the row that it gave, or that it gave none; not a second one
 */
struct cx__batch {
    size_t n;
    int (*bind)(void *arg, size_t i);
    int (*take)(void *arg, size_t i, bool is_row);
    void *arg;
};

/*
 * A column of a table.
 *
 * declared  its type, as its table was made; "" if it has none
 * kinds     what it may be read as: bits, 1 << cx_kind
 * numbered  the database numbers new rows by it
 * needed    a new row must give it
 */
struct cx__found {
    const char *name;
    const char *declared;
    unsigned kinds;
    bool not_null;
    bool key;
    bool numbered;
    bool needed;
};

typedef void cx__found_fn(void *arg, const struct cx__found *column);
typedef void cx__table_fn(void *arg, const char *table);

struct cx__engine {
    /* What its URLs begin with: one of these; NULL: there are no more. */
    const char *scheme[CX__SCHEMES];

    /*
     * The database of a URL, without its scheme, and the list of tenants in
     * it, made if there is none. What the engine keeps is db->own.
     */
    int (*open)(cx_db *db, const char *place);
    void (*close)(cx_db *db);

    /* A connection to a pool's room. */
    int (*connect)(struct cx__pool *pool, struct cx__connection **connection);
    /* Is one that nobody has used for a while still of use? */
    bool (*is_alive)(struct cx__connection *connection);
    /* Close connections, linked by idle, cancelled or not. */
    void (*disconnect)(cx_db *db, struct cx__list *connections);
    /* Do what there is to do for one that is unsettled, cancelled or not. */
    void (*settle)(struct cx__connection *connection);

    /* How many parameters a statement may have. */
    unsigned parameters_most;
    /* Statements. */
    int (*prepare)(struct cx__connection *connection, cx_text text,
                   enum cx__origin origin, struct cx__statement **statement);
    void (*finalize)(struct cx__statement *statement);
    /* The value is borrowed until reset(). place: from 1 to `parameters`, all
     * of which are bound for each run. */
    int (*bind)(struct cx__statement *statement, unsigned place,
                const cx_param *value);
    /* The same with several whole numbers, which a column is compared with any
     * of; NULL: there is no such parameter. */
    int (*bind_numbers)(struct cx__statement *statement, unsigned place,
                        const int64_t *list, size_t n);
    /* 1: there is a row; 0: it is done. */
    int (*step)(struct cx__statement *statement);
    /* A field of that row, borrowed until the next step, as the kind that is
     * wanted; CX_KIND_NULL: as what it is. place: from 0. -EBADMSG: it cannot
     * be, and the words are for the end of "the column is ...". */
    int (*column)(struct cx__statement *statement, unsigned place,
                  cx_kind wanted, cx_param *value);
    void (*reset)(struct cx__statement *statement);
    /* How many columns the rows have, and what they are called. */
    unsigned (*columns)(const struct cx__statement *statement);
    const char *(*name)(const struct cx__statement *statement, unsigned place);
    /* How many rows it has changed, once it is done. */
    int64_t (*changed)(const struct cx__statement *statement);
    /* The number that an INSERT gave its row; or, with `returning`, it is to
     * be asked for as a row of the INSERT. */
    int64_t (*inserted)(const struct cx__statement *statement);
    bool returning;
    /* What is added to a SELECT that locks its rows; NULL: whoever reads in a
     * transaction has locked them. */
    const char *for_update;
    /* Run one so often at as few round trips as can be. NULL: there are none,
     * and they are run one after the other. */
    int (*run_batch)(struct cx__statement *statement,
                     const struct cx__batch *batch);

    /* See of which version the tables are, as connection->version. NULL: that
     * is true already. */
    int (*look)(struct cx__connection *connection);
    /* Tell of which version a tenant's tables are, on a connection to the
     * template's CX__SCHEMA room. NULL: a room knows of none but itself. */
    int (*version_of)(struct cx__connection *connection, int64_t id,
                      int *version);

    /* Tell the name of each table of the room but the library's own, in the
     * order of their bytes. */
    int (*tables)(struct cx__connection *connection, cx__table_fn *fn,
                  void *arg);

    /* What a column is declared as that is to hold values of a kind. */
    const char *declares[CX_KIND_TIMESTAMP + 1];
    /* Tell each column of a table; none: there is no such table. */
    int (*table_columns)(struct cx__connection *connection, const char *table,
                         cx__found_fn *fn, void *arg);

    /* Transactions of a connection, one within the other; depth: how many
     * there are around it. A begin or rollback that leaves it in doubt whether
     * there is one makes the connection broken; so does a commit whose answer
     * is lost, -ENOTRECOVERABLE. One that fails in another way is rolled back
     * next. Where a rollback fails nothing around it can be committed. A commit
     * or rollback is done cancelled or not. */
    int (*begin)(struct cx__connection *connection, unsigned depth);
    /* In a transaction of the registry's or of a schema's: wait for those who
     * change the list of tenants, or these tables, and keep others from it.
     * NULL: that is so from the begin on. */
    int (*lock)(struct cx__connection *connection);
    int (*commit)(struct cx__connection *connection, unsigned depth);
    int (*rollback)(struct cx__connection *connection, unsigned depth);

    /* The script of a migration that is this engine's; NULL: none. Run one,
     * within a transaction, which it cannot end, on a connection to a
     * CX__SCHEMA room, where it leaves only what new rooms would have, too. */
    const char *(*script_of)(const cx_migration *migration);
    int (*run_script)(struct cx__connection *connection, const char *script);
    /* In the same way: have a room as it was before the first of them. */
    int (*clear)(struct cx__connection *connection);

    /* A new tenant's room, as the template's; there may be the remains of
     * one that was never listed. */
    int (*provision)(cx_db *db, int64_t id);
    /* The end of a room that nobody is connected to. */
    int (*remove)(cx_db *db, int64_t id);
};

extern const struct cx__engine cx__sqlite;
extern const struct cx__engine cx__postgres;

/* The engine of a URL, and where the rest of that begins; NULL: there is
 * none. */
const struct cx__engine *cx__engine_of(const char *url, const char **place);

#endif
