/* SPDX-License-Identifier: MIT */
/*
 * Tenants: those who share a database without ever meeting in it.
 *
 * The current tenant is a context variable, so that it is where the work is:
 * in tasks, callbacks and pool jobs. All that reads or writes rows is the
 * current tenant's; without one it is refused.
 *
 *     CX_WITH_TENANT(tenant) {
 *         serve(request);
 *     }
 *
 * A tenant's name is data: 1 to 255 bytes of UTF-8 without control
 * characters, compared byte by byte. It is never made part of a statement or
 * of a file's name; the number is, and no number is given twice.
 * Names are not normalized or folded: which of them are to count as equal
 * differs between programs and versions of Unicode, and a folding that says
 * "equal" once too often gives one tenant the rows of another.
 */
#ifndef CTXVAR_TENANT_H
#define CTXVAR_TENANT_H

#include <stdbool.h>

#include <ctxvar/database.h>

CX__BEGIN_DECLS

/**
 * A handle of a tenant, counted. There is one for each tenant of an open
 * database, whoever asks for it.
 */
typedef struct cx_tenant cx_tenant;

/** What there is of connections, and has been. */
typedef struct cx_db_stats {
    size_t used;        /**< connections that tasks have */
    size_t idle;        /**< connections that are kept for the next task */
    size_t waiting;     /**< tasks that wait for their turn */
    uint64_t leases;    /**< connections that tasks were given */
    uint64_t refused;   /**< and were not: cancelled, late, or an error */
    uint64_t waits;     /**< turns that were waited for */
    uint64_t waited_ms; /**< for so long in all */
    uint64_t opened;    /**< connections that were made */
    uint64_t evicted;   /**< and closed, to make place for others */
    uint64_t broken;    /**< or closed amid something, or lost */
} cx_db_stats;

/**
 * Count the connections to tenants, and what was done with them.
 *
 * @param db      Borrowed.
 * @param tenant  Borrowed: since it has a handle; NULL: of all, since the
 *                database was opened.
 * @param stats   Written on success.
 * @return 0, an error of any call, or
 *   -EKEYREJECTED  tenant is another database's
 *
 * Suspends: only with -ECANCELED and -ETIMEDOUT. Threads: the database's
 * loop's, within a task.
 * Cost: O(idle connections).
 * Source: HikariCP, HikariPoolMXBean; own.  Since: 0.1
 */
CX__API int cx_db_stats_get(cx_db *db, const cx_tenant *tenant,
                            cx_db_stats *stats);

/**
 * Make a new tenant, with the tables that all begin with.
 *
 * @param db      Borrowed.
 * @param name    Copied.
 * @param tenant  Written on success: its handle, the caller's; NULL: not
 *                wanted.
 * @return 0, an error of any call, or, with nothing made,
 *   -EEXIST      there is one of this name
 *   -EINVAL      it is no name
 *
 * Suspends: yes. Threads: the database's loop's, within a task.
 * Cost: a copy of the template.
 * Source: own.  Since: 0.1
 */
CX__API int cx_tenant_create(cx_db *db, cx_text name, cx_tenant **tenant);

/**
 * Find the tenant of a name.
 *
 * @param db      Borrowed.
 * @param name    Borrowed for the call.
 * @param tenant  Written on success: its handle, the caller's.
 * @return 0, an error of any call, or
 *   -ENOENT      there is none
 *   -EINVAL      it is no name
 *
 * Suspends: while connections are scarce. Threads: the database's loop's,
 * within a task.
 * Cost: one read.
 * Source: own.  Since: 0.1
 */
CX__API int cx_tenant_find(cx_db *db, cx_text name, cx_tenant **tenant);

/**
 * Call a function for each tenant of a database, in the order of their ids.
 *
 * It may create, drop and rename tenants, and may wait: nothing is held
 * meanwhile. One that is made or dropped while this runs may be met or not.
 *
 * @param db   Borrowed.
 * @param fn   Called with a tenant, borrowed, and arg; anything but 0 stops.
 * @param arg  Handed to fn.
 * @return 0, what fn returned, or an error of any call.
 *
 * Suspends: as cx_tenant_find(). Threads: the database's loop's, within a
 * task.
 * Cost: one read for each.
 * Source: own.  Since: 0.1
 */
CX__API int cx_tenant_each(cx_db *db, int (*fn)(cx_tenant *tenant, void *arg),
                           void *arg);

/**
 * Give a tenant another name.
 *
 * @param tenant  Borrowed.
 * @param name    Copied.
 * @return 0, an error of any call, or, with the name as it was,
 *   -EEXIST      another tenant has it
 *   -EINVAL      it is no name
 *   -ESTALE      the tenant was dropped, or its database closed
 *
 * Suspends: yes. Threads: the database's loop's, within a task.
 * Cost: one write.
 * Source: own.  Since: 0.1
 */
CX__API int cx_tenant_rename(cx_tenant *tenant, cx_text name);

/**
 * Drop a tenant and all it has, once the tasks that use it now are done.
 *
 * From this call on nobody else can use it: they get -ESTALE. Its name may be
 * given again, its number never is. Tasks of other processes are not waited
 * for: on a server their sessions are ended.
 *
 * @param tenant  Borrowed; the handle stays the caller's.
 * @return 0, an error of any call, or
 *   -ESTALE      it was dropped before, or its database closed
 *   -EBUSY       the calling task uses it itself
 *   -EACCES, -EIO, -EMFILE  its files cannot be removed; it is dropped all the
 *                same, and they are removed when the database is opened next
 *   -EINPROGRESS  so it is, too, where somebody else keeps what it had from
 *                being removed for now
 *
 * Suspends: yes. Threads: the database's loop's, within a task.
 * Cost: that of removing its files.
 * Source: own.  Since: 0.1
 */
CX__API int cx_tenant_drop(cx_tenant *tenant);

/**
 * Hold a tenant's handle once more.
 *
 * @param tenant  Borrowed; NULL is ignored.
 * @return tenant, now owned once more by the caller.
 *
 * Suspends: never. Threads: any. Cost: one atomic addition.
 * Source: own.  Since: 0.1
 */
CX__API cx_tenant *cx_tenant_ref(cx_tenant *tenant);

/**
 * Let go of a tenant's handle.
 *
 * @param tenant  Owned, given up; NULL is ignored.
 *
 * Suspends: never. Threads: any. Cost: one atomic subtraction; a lock for the
 * last one.
 * Source: own.  Since: 0.1
 */
CX__API void cx_tenant_unref(cx_tenant *tenant);

/**
 * Tell the number of a tenant, which is its own for ever.
 *
 * @param tenant  Borrowed; NULL has 0, which is nobody's.
 * @return the number.
 *
 * Suspends: never. Threads: any. Cost: O(1).
 * Source: own.  Since: 0.1
 */
CX__API int64_t cx_tenant_id(const cx_tenant *tenant);

/**
 * Tell the name of a tenant.
 *
 * @param tenant  Borrowed; NULL has none.
 * @return the name, borrowed until it is renamed or the handle let go of.
 *
 * Suspends: never. Threads: the database's loop's. Cost: O(1).
 * Source: own.  Since: 0.1
 */
CX__API cx_text cx_tenant_name(const cx_tenant *tenant);

/**
 * Give the current tenant.
 *
 * @return its handle, borrowed from the context; NULL: there is none.
 *
 * Suspends: never. Threads: any, asks the caller's context. Cost: as
 * cx_get().
 * Source: own.  Since: 0.1
 */
CX__API cx_tenant *cx_tenant_current(void);

/** For CX_WITH_TENANT. Its members are private. */
struct cx__tenancy {
    cx_token token;
    int error;
    bool done;
};

CX__API struct cx__tenancy cx__tenancy_begin(cx_tenant *tenant);
CX__API void cx__tenancy_end(struct cx__tenancy *tenancy);

#ifndef __cplusplus

/**
 * Make a tenant the current one in the block that follows, however the block
 * is left. NULL: there is none in it.
 *
 * Without the memory to bind, the block is skipped, so that nothing runs for
 * the wrong tenant; an else after the block then runs instead.
 *
 * Cost: a bind and a reset.  Source: own.  Since: 0.1
 */
#define CX_WITH_TENANT(tenant)                                                 \
    CX__WITH_TENANT(CX__UNIQUE(cx__tenancy_), (tenant))

#define CX__WITH_TENANT(tenancy, tenant)                                       \
    for (struct cx__tenancy tenancy CX__CLEANUP(cx__tenancy_end) =             \
             cx__tenancy_begin(tenant);                                        \
         !tenancy.done; tenancy.done = true)                                   \
        if (tenancy.error == 0)

#endif /* C */

CX__END_DECLS

#endif
