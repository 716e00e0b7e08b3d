/* SPDX-License-Identifier: MIT */
/*
 * Pools. A connection goes to whoever used the same room last, since its cache
 * is warm, and is closed when it is the one unused longest and another room
 * needs its place.
 *
 * Two gates let a task in: the pool's, so that one tenant's tasks cannot
 * take all there are, then the database's. Both serve who waits first, and
 * refuse who would wait for ever (deadlock.c). With them in hand there is a
 * connection, or the place for one.
 *
 * To open one takes as long as dozens of statements. Where it costs another
 * room its own besides, a tenant's next task first waits a while for one that
 * the tenant has in use: else many tenants whose connections are all in use
 * by turns would do nothing but open them.
 *
 * Pools that are apart are the same, but for the slot.
 */
#include <errno.h>
#include <stdlib.h>

#include <ctxvar/deadline.h>

#include "deadlock.h"
#include "pool.h"
#include "problem.h"
#include "tenant.h"

/* Of a pool's tenant and of all; what is nobody's is not counted. */
#define COUNT(pool, what, by)                                                  \
    do {                                                                       \
        if ((pool)->tenant != NULL) {                                          \
            (pool)->tenant->stats.what += (by);                                \
            (pool)->db->stats.what += (by);                                    \
        }                                                                      \
    } while (0)

/* As long as it takes to open a connection, or a little longer. */
enum { PATIENCE_MS = 10 };

/* How many connections are closed for one that the server or the process has
 * no place for: more than one, since what is closed is not gone at once, and
 * not all, since it may be the tenant itself that has too many elsewhere. */
enum { EVICTED_MOST = 16 };

struct cx__pool *cx__pool_new(cx_db *db, cx_tenant *tenant, enum cx__room room,
                              int64_t id)
{
    struct cx__pool *pool = calloc(1, sizeof(*pool));

    if (pool == NULL)
        return NULL;
    pool->writer = cx_lock_new();
    if (pool->writer == NULL || cx__gate_init(&pool->quota, db->each) != 0 ||
        cx__gate_init(&pool->returned, 0) != 0) {
        cx__gate_fini(&pool->quota);
        (void)cx_lock_free(pool->writer);
        free(pool);
        return NULL;
    }
    pool->db = db;
    pool->tenant = cx_tenant_ref(tenant);
    pool->room = room;
    pool->id = id;
    pool->users = 1;
    cx__list_init(&pool->idle);
    return pool;
}

struct cx__pool *cx__pool_apart(cx_db *db, enum cx__room room, int64_t id)
{
    struct cx__pool *pool = cx__pool_new(db, NULL, room, id);

    if (pool != NULL)
        pool->apart = true;
    return pool;
}

static void pool_free(struct cx__pool *pool)
{
    if (pool->tenant != NULL && pool->tenant->pool == pool)
        pool->tenant->pool = NULL;
    cx_tenant_unref(pool->tenant);
    cx__gate_fini(&pool->returned);
    cx__gate_fini(&pool->quota);
    (void)cx_lock_free(pool->writer);
    free(pool);
}

static void free_unused(struct cx__pool *pool)
{
    if (pool->users == 0 && pool->open == 0)
        pool_free(pool);
}

void cx__pool_release(struct cx__pool *pool)
{
    pool->users--;
    if (pool->users == 1 && pool->drained != NULL)
        (void)cx_event_set(pool->drained);
    free_unused(pool);
}

/* Take one that nobody has off all lists, as if it were closed already. */
static void idle_remove(struct cx__connection *connection)
{
    struct cx__pool *pool = connection->pool;

    cx__list_remove(&connection->idle);
    cx__list_remove(&connection->aged);
    pool->open--;
    pool->db->open--;
}

static void close_one(cx_db *db, struct cx__connection *connection)
{
    struct cx__list alone;

    cx__list_init(&alone);
    cx__list_insert(&alone, &connection->idle);
    db->engine->disconnect(db, &alone);
}

/* Close the one unused longest. */
static void close_oldest(cx_db *db)
{
    struct cx__connection *oldest =
        CX__OWNER(db->idle.next, struct cx__connection, aged);
    struct cx__pool *pool = oldest->pool;

    idle_remove(oldest);
    pool->users++;
    COUNT(pool, evicted, 1);
    close_one(db, oldest);
    cx__pool_release(pool);
}

/* Does it lack what another connection that nobody has would give? */
static bool is_short(const cx_db *db, int error)
{
    return (error == -EAGAIN || error == -EMFILE) &&
           !cx__list_is_empty(&db->idle);
}

/* Open one more. The place for it is taken first, since this waits. */
static int pool_connect(struct cx__pool *pool,
                        struct cx__connection **connection)
{
    cx_db *db = pool->db;
    unsigned generation = pool->generation;
    int error;

    db->open++;
    pool->open++;
    if (db->open > db->most && !cx__list_is_empty(&db->idle))
        close_oldest(db);
    error = db->engine->connect(pool, connection);
    for (int i = 0; i < EVICTED_MOST && is_short(db, error); i++) {
        close_oldest(db);
        error = db->engine->connect(pool, connection);
    }
    if (error != 0) {
        db->open--;
        pool->open--;
        return error;
    }
    COUNT(pool, opened, 1);
    (*connection)->db = db;
    (*connection)->pool = pool;
    (*connection)->generation = generation;
    return 0;
}

/* Would the next connection be a new one, at another room's cost, while this
 * one has some in use? */
static bool is_dear(const struct cx__pool *pool)
{
    return cx__list_is_empty(&pool->idle) && pool->open > 0 &&
           pool->db->open >= pool->db->most;
}

/* Wait for a place in a gate. */
static int gate_wait(struct cx__pool *pool, struct cx__gate *gate)
{
    uint64_t from = cx_time();
    int error;

    COUNT(pool, waits, 1);
    COUNT(pool, waiting, 1);
    error = cx__gate_wait(gate);
    COUNT(pool, waiting, -1);
    COUNT(pool, waited_ms, cx_time() - from);
    return error;
}

/* The same, unless it would be for ever. */
static int gate_wait_or_tell(struct cx__pool *pool, struct cx__gate *gate)
{
    struct cx__blocked blocked;
    int error = cx__blocked_begin(&blocked, pool);

    if (error == 0 && !cx__gate_try(gate))
        error = gate_wait(pool, gate);
    cx__blocked_end(&blocked);
    return error;
}

static int gate_enter(struct cx__pool *pool, struct cx__gate *gate)
{
    if (CX__LIKELY(cx__gate_try(gate)))
        return 0;
    return pool->room == CX__TENANT ? gate_wait_or_tell(pool, gate)
                                    : gate_wait(pool, gate);
}

/* Wait for one of those; that none came in time is no error. */
static int pool_wait(struct cx__pool *pool)
{
    int error = 0;

    CX_TIMEOUT(PATIENCE_MS) {
        while (error == 0 && is_dear(pool))
            error = gate_wait(pool, &pool->returned);
    }
    return error != -ETIMEDOUT ? error : 0;
}

/* One that nobody has, or a new one. */
static int pool_take(struct cx__pool *pool, struct cx__connection **connection)
{
    int error = is_dear(pool) ? pool_wait(pool) : 0;

    if (error != 0)
        return error;
    while (!cx__list_is_empty(&pool->idle)) {
        struct cx__connection *warm =
            CX__OWNER(pool->idle.next, struct cx__connection, idle);

        cx__list_remove(&warm->idle);
        cx__list_remove(&warm->aged);
        if (pool->db->engine->is_alive(warm)) {
            *connection = warm;
            return 0;
        }
        pool->open--;
        pool->db->open--;
        COUNT(pool, broken, 1);
        close_one(pool->db, warm);
    }
    return pool_connect(pool, connection);
}

/* Wait for a slot of the database's, for a tenant that is still there. */
static int slot_take(struct cx__pool *pool)
{
    int error = gate_enter(pool, &pool->db->slots);

    if (error == 0 && pool->tenant != NULL && pool->tenant->dropped) {
        cx__gate_leave(&pool->db->slots);
        error = cx__problem(-ESTALE, "the tenant was dropped");
    }
    return error;
}

/* Wait for one's turn. Who has a slot may ask for a pool that is apart, which
 * must not wait for one then. */
static int pool_enter(struct cx__pool *pool)
{
    int error = gate_enter(pool, &pool->quota);

    if (error == 0 && !pool->apart) {
        error = slot_take(pool);
        if (error != 0)
            cx__gate_leave(&pool->quota);
    }
    return error;
}

static void pool_leave(struct cx__pool *pool)
{
    if (!pool->apart)
        cx__gate_leave(&pool->db->slots);
    cx__gate_leave(&pool->quota);
}

int cx__pool_lease(struct cx__pool *pool, struct cx__connection **connection)
{
    cx_db *db = pool->db;
    int error;

    pool->users++;
    db->users++;
    error = pool_enter(pool);
    if (error == 0) {
        error = pool_take(pool, connection);
        if (error != 0)
            pool_leave(pool);
    }
    if (error != 0) {
        COUNT(pool, refused, 1);
        db->users--;
        cx__pool_release(pool);
        return error;
    }
    COUNT(pool, leases, 1);
    COUNT(pool, used, 1);
    return 0;
}

static void connection_rest(struct cx__connection *connection)
{
    struct cx__pool *pool = connection->pool;

    if (connection->broken || connection->generation != pool->generation) {
        pool->open--;
        pool->db->open--;
        COUNT(pool, broken, connection->broken);
        close_one(pool->db, connection);
    } else {
        cx__list_insert(pool->idle.next, &connection->idle);
        cx__list_insert(&pool->db->idle, &connection->aged);
        if (pool->returned.waiting > 0)
            cx__gate_leave(&pool->returned);
    }
}

void cx__pool_return(struct cx__connection *connection)
{
    struct cx__pool *pool = connection->pool;

    if (connection->unsettled)
        pool->db->engine->settle(connection);
    connection_rest(connection);
    COUNT(pool, used, -1);
    pool_leave(pool);
    pool->db->users--;
    cx__pool_release(pool);
}

static void close_idle(struct cx__pool *pool)
{
    struct cx__list all;

    cx__list_init(&all);
    while (!cx__list_is_empty(&pool->idle)) {
        struct cx__connection *each =
            CX__OWNER(pool->idle.next, struct cx__connection, idle);

        idle_remove(each);
        cx__list_insert(&all, &each->idle);
    }
    if (!cx__list_is_empty(&all))
        pool->db->engine->disconnect(pool->db, &all);
}

int cx__pool_drain(struct cx__pool *pool)
{
    int error = 0;

    if (pool->users > 1) {
        pool->drained = cx_event_new();
        error = pool->drained != NULL ? cx_event_wait(pool->drained) : -ENOMEM;
        (void)cx_event_free(pool->drained);
        pool->drained = NULL;
    }
    if (error == 0)
        close_idle(pool);
    return error;
}

void cx__pool_end(struct cx__pool *pool)
{
    pool->generation++;
    close_idle(pool);
    cx__pool_release(pool);
}

void cx__pool_expire(struct cx__pool *pool)
{
    pool->users++;
    cx__pool_end(pool);
}

void cx__pool_close_idle(cx_db *db)
{
    while (!cx__list_is_empty(&db->idle))
        close_oldest(db);
}
