/* SPDX-License-Identifier: MIT */
/*
 * Watchers.
 *
 * There are few, in one array under the core's lock. Watchers run without the
 * lock, and may change anything, the array too: so what has changed is first
 * noted down, and each call looks again whether its watch is still there, and
 * what the value is by now.
 */
#include <errno.h>

#include <ctxvar/callback.h>

#include "context.h"
#include "table.h"
#include "thread.h"
#include "variable.h"
#include "watch.h"

enum { WATCHES = 64 };

struct watch {
    cx_var *var; /* held; NULL: free */
    void (*changed)(cx_value now, void *arg);
    void *arg;
    uint64_t serial; /* of all watches that ever were */
};

/* Watches to call: their places, and who they were when they were noted. */
struct calls {
    unsigned len;
    uint8_t at[WATCHES];
    uint64_t serial[WATCHES];
};

unsigned cx__watches;

static struct watch watches[WATCHES];
static uint64_t last_serial;
CX__THREAD_LOCAL struct cx__running *cx__running;

static struct watch *watch_find(const cx_var *var)
{
    for (size_t i = 0; i < WATCHES; i++) {
        if (watches[i].var == var)
            return &watches[i];
    }
    return NULL;
}

int cx_watch(cx_var *var, void (*changed)(cx_value now, void *arg), void *arg)
{
    struct watch *watch;
    int error;

    if (var == NULL || changed == NULL || (cx__var_flags(var) & CX__CELL) != 0)
        return -EINVAL;
    error = cx__var_register(var);
    if (error != 0)
        return error;
    cx__lock();
    watch = watch_find(NULL);
    if (watch != NULL) {
        *watch = (struct watch){.var = cx_var_ref(var),
                                .changed = changed,
                                .arg = arg,
                                .serial = ++last_serial};
        (void)__atomic_fetch_or(&var->flags, CX__WATCHED, __ATOMIC_RELAXED);
        (void)__atomic_fetch_add(&cx__watches, 1, __ATOMIC_RELAXED);
    }
    cx__unlock();
    return watch != NULL ? 0 : -ENOSPC;
}

static bool watch_end(cx_var *var, void (*changed)(cx_value now, void *arg),
                      void *arg)
{
    for (size_t i = 0; i < WATCHES; i++) {
        struct watch *watch = &watches[i];

        if (watch->var == var && watch->changed == changed &&
            watch->arg == arg) {
            watch->var = NULL;
            return true;
        }
    }
    return false;
}

int cx_unwatch(cx_var *var, void (*changed)(cx_value now, void *arg), void *arg)
{
    bool ended;

    if (var == NULL)
        return -ENOENT;
    cx__lock();
    ended = watch_end(var, changed, arg);
    if (ended) {
        (void)__atomic_fetch_sub(&cx__watches, 1, __ATOMIC_RELAXED);
        if (watch_find(var) == NULL)
            (void)__atomic_fetch_and(&var->flags, (uint16_t)~CX__WATCHED,
                                     __ATOMIC_RELAXED);
    }
    cx__unlock();
    if (!ended)
        return -ENOENT;
    cx_var_unref(var);
    return 0;
}

static void calls_add(struct calls *calls, size_t at)
{
    calls->at[calls->len] = (uint8_t)at;
    calls->serial[calls->len] = watches[at].serial;
    calls->len++;
}

/* The watch as it is now, with the value; false: it has ended. */
static bool watch_look(size_t at, uint64_t serial, struct watch *watch,
                       cx_value *now)
{
    bool found;

    cx__lock();
    *watch = watches[at];
    found = watch->var != NULL && watch->serial == serial;
    if (found && !cx_var_find(watch->var, now))
        now->u64 = 0;
    cx__unlock();
    return found;
}

static void calls_make(const struct calls *calls)
{
    for (unsigned i = 0; i < calls->len; i++) {
        struct cx__running self = {.outer = cx__running};
        struct watch watch;
        cx_value now;

        if (!watch_look(calls->at[i], calls->serial[i], &watch, &now))
            continue;
        self.var = watch.var;
        cx__running = &self;
        watch.changed(now, watch.arg);
        cx__running = self.outer;
    }
}

void cx__watch_changed(const cx_var *var, cx_value before)
{
    struct calls calls = {.len = 0};
    cx_value now;

    if (!cx_var_find(var, &now))
        now.u64 = 0;
    if (now.u64 == before.u64)
        return;
    cx__lock();
    for (size_t i = 0; i < WATCHES; i++) {
        if (watches[i].var == var)
            calls_add(&calls, i);
    }
    cx__unlock();
    calls_make(&calls);
}

static uint64_t value_in(const struct cx__table *table, const cx_var *var)
{
    const struct cx__entry *entry = cx__table_find(table, var);
    cx_value value;

    if (entry != NULL)
        return entry->value.u64;
    (void)cx__var_default(var, &value);
    return value.u64;
}

/* Note the watches of what differs, and is or is not set now. */
static void calls_note(struct calls *calls, const struct cx__table *before,
                       const struct cx__table *after, bool set)
{
    for (size_t i = 0; i < WATCHES; i++) {
        const cx_var *var = watches[i].var;

        if (var != NULL && (cx__var_flags(var) & CX__THREAD) == 0 &&
            (cx__table_find(after, var) != NULL) == set &&
            value_in(before, var) != value_in(after, var))
            calls_add(calls, i);
    }
}

void cx__watch_switched(const struct cx__table *before,
                        const struct cx__table *after)
{
    struct calls calls = {.len = 0};

    if (before == after)
        return;
    cx__lock();
    calls_note(&calls, before, after, false);
    calls_note(&calls, before, after, true);
    cx__unlock();
    calls_make(&calls);
}
