/* SPDX-License-Identifier: MIT */
/*
 * Handles of tenants, and the roster that has one for each tenant that is in
 * use. What is known of tenants that are not is in the registry.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ctxvar/loop.h>

#include "tenant.h"

enum { FIRST_BUCKETS = 16 };

/*
 * lock   guards refs, the buckets and what is in them: the last hold on a
 *        handle may be let go of on any thread
 * refs   the handles, and one of the database while it is open
 * loop   the database's
 * db     belongs to that loop; NULL: it is closed
 */
struct cx__roster {
    pthread_mutex_t lock;
    cx_loop *loop;
    cx_db *db;
    size_t refs;
    size_t len;     /* handles */
    size_t buckets; /* a power of 2 */
    cx_tenant **bucket;
};

struct cx__roster *cx__roster_new(cx_db *db)
{
    struct cx__roster *roster = calloc(1, sizeof(*roster));

    if (roster == NULL)
        return NULL;
    roster->bucket = calloc(FIRST_BUCKETS, sizeof(cx_tenant *));
    if (roster->bucket == NULL) {
        free(roster);
        return NULL;
    }
    (void)pthread_mutex_init(&roster->lock, NULL);
    roster->loop = cx_loop_ref(cx_loop_current());
    roster->db = db;
    roster->refs = 1;
    roster->buckets = FIRST_BUCKETS;
    return roster;
}

static void roster_unref(struct cx__roster *roster)
{
    bool last;

    (void)pthread_mutex_lock(&roster->lock);
    last = --roster->refs == 0;
    (void)pthread_mutex_unlock(&roster->lock);
    if (!last)
        return;
    (void)pthread_mutex_destroy(&roster->lock);
    cx_loop_unref(roster->loop);
    free(roster->bucket);
    free(roster);
}

void cx__roster_close(struct cx__roster *roster)
{
    roster->db = NULL;
    roster_unref(roster);
}

/* Ids follow each other, so that they need no mixing. */
static cx_tenant **roster_bucket(struct cx__roster *roster, int64_t id)
{
    return &roster->bucket[(uint64_t)id & (roster->buckets - 1)];
}

/* Twice as many buckets; without the memory, longer chains do. Locked. */
static void roster_grow(struct cx__roster *roster)
{
    size_t before = roster->buckets;
    cx_tenant **old = roster->bucket;
    cx_tenant **new = calloc(before * 2, sizeof(cx_tenant *));

    if (new == NULL)
        return;
    roster->bucket = new;
    roster->buckets = before * 2;
    for (size_t i = 0; i < before; i++) {
        while (old[i] != NULL) {
            cx_tenant *tenant = old[i];
            cx_tenant **bucket = roster_bucket(roster, tenant->id);

            old[i] = tenant->next;
            tenant->next = *bucket;
            *bucket = tenant;
        }
    }
    free(old);
}

/* A handle of the caller's, or NULL. Locked. */
static cx_tenant *roster_find(struct cx__roster *roster, int64_t id)
{
    cx_tenant *tenant = *roster_bucket(roster, id);

    while (tenant != NULL && tenant->id != id)
        tenant = tenant->next;
    return cx_tenant_ref(tenant);
}

static void roster_insert(struct cx__roster *roster, cx_tenant *tenant)
{
    cx_tenant **bucket;

    if (roster->len >= roster->buckets)
        roster_grow(roster);
    bucket = roster_bucket(roster, tenant->id);
    tenant->next = *bucket;
    *bucket = tenant;
    roster->len++;
    roster->refs++;
}

static cx_tenant *tenant_new(struct cx__roster *roster, int64_t id)
{
    cx_tenant *tenant = calloc(1, sizeof(*tenant));

    if (tenant != NULL) {
        tenant->refs = 1;
        tenant->id = id;
        tenant->roster = roster;
    }
    return tenant;
}

static cx_tenant *roster_find_or_make(struct cx__roster *roster, int64_t id)
{
    cx_tenant *tenant;

    (void)pthread_mutex_lock(&roster->lock);
    tenant = roster_find(roster, id);
    if (tenant == NULL) {
        tenant = tenant_new(roster, id);
        if (tenant != NULL)
            roster_insert(roster, tenant);
    }
    (void)pthread_mutex_unlock(&roster->lock);
    return tenant;
}

int cx__tenant_name_copy(cx_text name, char **copy)
{
    *copy = malloc(name.len + 1);
    if (*copy == NULL)
        return -ENOMEM;
    memcpy(*copy, name.data, name.len);
    (*copy)[name.len] = '\0';
    return 0;
}

void cx__tenant_take_name(cx_tenant *tenant, char *name, size_t len)
{
    free(tenant->name);
    tenant->name = name;
    tenant->name_len = len;
}

/* 0 or -ENOMEM. */
static int tenant_rename(cx_tenant *tenant, cx_text name)
{
    char *copy;

    if (tenant->name != NULL && tenant->name_len == name.len &&
        memcmp(tenant->name, name.data, name.len) == 0)
        return 0;
    if (cx__tenant_name_copy(name, &copy) != 0)
        return -ENOMEM;
    cx__tenant_take_name(tenant, copy, name.len);
    return 0;
}

cx_tenant *cx__roster_hold(struct cx__roster *roster, int64_t id, cx_text name)
{
    cx_tenant *tenant = roster_find_or_make(roster, id);

    /* Another process may have renamed it. */
    if (tenant != NULL && tenant_rename(tenant, name) != 0) {
        cx_tenant_unref(tenant);
        return NULL;
    }
    return tenant;
}

bool cx__tenant_is_here(const cx_tenant *tenant)
{
    return tenant->roster->loop == cx_loop_current();
}

cx_db *cx__tenant_db(const cx_tenant *tenant)
{
    return tenant->roster->db;
}

cx_tenant *cx_tenant_ref(cx_tenant *tenant)
{
    if (tenant != NULL)
        (void)__atomic_fetch_add(&tenant->refs, 1, __ATOMIC_RELAXED);
    return tenant;
}

static void roster_remove(struct cx__roster *roster, const cx_tenant *tenant)
{
    cx_tenant **at = roster_bucket(roster, tenant->id);

    while (*at != tenant)
        at = &(*at)->next;
    *at = tenant->next;
    roster->len--;
}

/* Let go of the last hold, unless somebody has found it on the roster. */
static void tenant_unref_last(cx_tenant *tenant)
{
    struct cx__roster *roster = tenant->roster;
    bool last;

    (void)pthread_mutex_lock(&roster->lock);
    last = __atomic_sub_fetch(&tenant->refs, 1, __ATOMIC_ACQ_REL) == 0;
    if (last)
        roster_remove(roster, tenant);
    (void)pthread_mutex_unlock(&roster->lock);
    if (last) {
        free(tenant->name);
        free(tenant);
        roster_unref(roster);
    }
}

void cx_tenant_unref(cx_tenant *tenant)
{
    uint32_t refs;

    if (tenant == NULL)
        return;
    refs = __atomic_load_n(&tenant->refs, __ATOMIC_RELAXED);
    while (refs > 1) {
        if (__atomic_compare_exchange_n(&tenant->refs, &refs, refs - 1, true,
                                        __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
            return;
    }
    tenant_unref_last(tenant);
}

int64_t cx_tenant_id(const cx_tenant *tenant)
{
    return tenant != NULL ? tenant->id : 0;
}

cx_text cx_tenant_name(const cx_tenant *tenant)
{
    cx_text none = {NULL, 0};

    return tenant != NULL ? (cx_text){tenant->name, tenant->name_len} : none;
}

static void value_ref(void *tenant)
{
    (void)cx_tenant_ref(tenant);
}

static void value_unref(void *tenant)
{
    cx_tenant_unref(tenant);
}

/* Its name may change meanwhile, and is nobody's business. */
static int value_format(const void *tenant, char *buf, size_t size)
{
    return snprintf(buf, size, "%lld", (long long)cx_tenant_id(tenant));
}

static const cx_type counted = {
    .name = "tenant",
    .ref = value_ref,
    .unref = value_unref,
    .format = value_format,
};

CX_VAR_DEFINE(cx_tenant *, cx__tenant_var, .title = "tenant", .type = &counted);

cx_tenant *cx_tenant_current(void)
{
    return cx__tenant_current();
}

struct cx__tenancy cx__tenancy_begin(cx_tenant *tenant)
{
    struct cx__tenancy tenancy = {.error = 0};

    tenancy.error = cx_bind(cx__tenant_var, tenant, &tenancy.token);
    return tenancy;
}

void cx__tenancy_end(struct cx__tenancy *tenancy)
{
    if (tenancy->error == 0)
        (void)cx_reset(cx__tenant_var, &tenancy->token);
}
