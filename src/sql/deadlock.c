/* SPDX-License-Identifier: MIT */
/*
 * Tasks that would wait for one another's connections for ever.
 *
 * Blocked is who has a connection and waits for one more. A connection comes
 * with a place in its pool's quota and a slot, and both are given back with it.
 * So a blocked task can never go on
 *
 *     if all slots are in the hands of blocked tasks: each needs one more
 *
 *     if each place in the quota of the pool that it waits for belongs to a
 *     connection of a blocked task, and so it is with each place in the quotas
 *     of the pools that those wait for, and so on
 *
 *     B's quota, of 2                          A's quota, of 2
 *        a connection of task 1, which waits ---> a connection of task 3 --+
 *        a connection of task 2, which waits ---> a connection of task 4   |
 *           ^                                       works: the way out     |
 *           +--------------------------- which waits ----------------------+
 *
 * Any other place is a way out: one that is free or on its way to somebody, one
 * of a task that is not blocked, whatever it does, and one without a connection
 * yet: its task opens one, or waits for a slot, of which not all are in such
 * hands. Who waits and has no connection is in nobody's way, and is not told.
 *
 * What a blocked task has stays as it is, so that a way out is one until the
 * task that has it is blocked itself. That one looks for what it would close,
 * and is told.
 *
 * Who was let in, was cancelled or is late is blocked until it has run. So the
 * others are let run, once, and then only those count that have been blocked
 * since before: they were waiting when this one came.
 */
#include <errno.h>

#include "deadlock.h"
#include "lease.h"
#include "problem.h"

/* The next connection of a task that has been blocked as long as `own`, or
 * longer; the first one after NULL. NULL: there is none. */
static const struct cx__connection *next_of(const struct cx__blocked *own,
                                            const struct cx__connection *after)
{
    const struct cx__list *all = &own->pool->db->blocked;
    const struct cx__list *link =
        after != NULL ? after->blocked_link.next : all->next;
    const struct cx__connection *next =
        CX__OWNER(link, const struct cx__connection, blocked_link);

    return link != all && next->blocked->since <= own->since ? next : NULL;
}

static bool have_all_slots(const struct cx__blocked *own)
{
    const struct cx__connection *each = NULL;
    unsigned n = 0;

    while ((each = next_of(own, each)) != NULL)
        n++;
    return n == own->pool->db->most;
}

/* Pools to be looked at, each of them once. */
struct search {
    const struct cx__blocked *own;
    uint64_t number;
    struct cx__pool **end;
};

static void search_add(struct search *search, struct cx__pool *pool)
{
    if (pool->search == search->number)
        return;
    pool->search = search->number;
    pool->search_next = NULL;
    *search->end = pool;
    search->end = &pool->search_next;
}

/* Are all places in a pool's quota in the hands of blocked tasks? What they
 * wait for is to be looked at, too. */
static bool is_all_blocked(struct search *search, const struct cx__pool *pool)
{
    const struct cx__connection *each = NULL;
    unsigned n = 0;

    while ((each = next_of(search->own, each)) != NULL) {
        if (each->pool == pool) {
            search_add(search, each->blocked->pool);
            n++;
        }
    }
    return n == pool->db->each;
}

/* Does no way that leads on from this one lead out? */
static bool is_circle(const struct cx__blocked *own)
{
    struct cx__pool *pool = NULL;
    struct search search = {own, ++own->pool->db->looks, &pool};

    search_add(&search, own->pool);
    while (pool != NULL && is_all_blocked(&search, pool))
        pool = pool->search_next;
    return pool == NULL;
}

static bool is_for_ever(const struct cx__blocked *own)
{
    return have_all_slots(own) || is_circle(own);
}

int cx__blocked_begin(struct cx__blocked *blocked, struct cx__pool *pool)
{
    cx_db *db = pool->db;
    struct cx__connection *each = NULL;
    int error = 0;

    *blocked = (struct cx__blocked){pool, ++db->looks};
    while ((each = cx__lease_own(db, each)) != NULL) {
        each->blocked = blocked;
        cx__list_insert(&db->blocked, &each->blocked_link);
    }
    if (cx__lease_is_any_held(db) && is_for_ever(blocked)) {
        error = cx_yield();
        if (error == 0 && is_for_ever(blocked))
            error = cx__problem(
                -EDEADLK, "this wait would not end: the tasks that have the"
                          " connections wait for one, too");
    }
    return error;
}

void cx__blocked_end(const struct cx__blocked *blocked)
{
    cx_db *db = blocked->pool->db;
    struct cx__connection *each = NULL;

    while ((each = cx__lease_own(db, each)) != NULL)
        cx__list_remove(&each->blocked_link);
}
