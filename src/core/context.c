/* SPDX-License-Identifier: MIT */
/*
 * Contexts: making, copying, entering, switching and asking them.
 */
#include <errno.h>
#include <stdlib.h>

#include "context.h"
#include "hold.h"
#include "inherit.h"
#include "spare.h"
#include "table.h"
#include "thread.h"
#include "variable.h"
#include "watch.h"

static bool is_elsewhere(const cx_context *ctx)
{
    return cx__context_is_entered(ctx) && !cx__context_is_by(ctx, &cx__tls);
}

static cx_context *current(void)
{
    return (cx_context *)cx__tls.scope[0].context;
}

/* The table to ask: ctx's, or the current one; NULL: it is elsewhere. */
static struct cx__table *table_of(const cx_context *ctx)
{
    if (ctx == NULL)
        return cx__tls.scope[0].table;
    return is_elsewhere(ctx) ? NULL : ctx->table;
}

cx_context *cx__context_with(struct cx__table *table)
{
    cx_context *ctx = cx__alloc(sizeof(*ctx));

    if (ctx == NULL) {
        cx__table_unref(table);
        errno = ENOMEM;
        return NULL;
    }
    *ctx = (cx_context){
        .head = {.id = cx__next_id()}, .table = table, .holds = CX__HOLD};
    return ctx;
}

cx_context *cx_context_new(void)
{
    return cx__thread_get() != NULL ? cx__context_with(&cx__empty_table) : NULL;
}

static void __attribute__((noinline)) context_free(cx_context *ctx)
{
    struct cx__table *table = ctx->table;

    if (ctx->spare != NULL)
        cx__spare_free(ctx->spare);
    cx__free(ctx, sizeof(*ctx));
    cx__table_unref(table);
}

static void holds_drop(cx_context *ctx, uint32_t n)
{
    if (__atomic_load_n(&ctx->holds, __ATOMIC_ACQUIRE) == n ||
        __atomic_sub_fetch(&ctx->holds, n, __ATOMIC_ACQ_REL) == 0)
        context_free(ctx);
}

cx_context *cx_context_ref(cx_context *ctx)
{
    if (ctx != NULL)
        (void)__atomic_fetch_add(&ctx->holds, CX__HOLD, __ATOMIC_RELAXED);
    return ctx;
}

void cx_context_unref(cx_context *ctx)
{
    if (ctx != NULL)
        holds_drop(ctx, CX__HOLD);
}

static void set_by(cx_context *ctx, const struct cx__tls *tls)
{
    __atomic_store_n(&ctx->by, tls, __ATOMIC_RELAXED);
}

void cx__context_own(cx_context *ctx)
{
    ctx->is_own = true;
    set_by(ctx, &cx__tls);
    (void)__atomic_fetch_or(&ctx->holds, CX__ENTERED, __ATOMIC_RELEASE);
}

void cx__context_disown(cx_context *ctx)
{
    if (ctx == NULL)
        return;
    ctx->is_own = false;
    set_by(ctx, NULL);
    holds_drop(ctx, CX__HOLD + CX__ENTERED);
}

int cx__scope_fill(struct cx__scope *scope, bool variables)
{
    struct cx__thread *thread = cx__thread_get();
    cx_context *ctx = thread != NULL ? cx_context_new() : NULL;

    if (ctx == NULL)
        return -errno;
    cx__context_own(ctx);
    *(variables ? &thread->variables : &thread->own) = ctx;
    scope->context = &ctx->head;
    return 0;
}

cx_context *cx_context_current(void)
{
    struct cx__scope *scope;
    int error = cx__scope_ready(0, &scope);

    if (error != 0) {
        errno = -error;
        return NULL;
    }
    return (cx_context *)scope->context;
}

int cx__context_set_aside(cx_context *ctx)
{
    int error;

    /* One that is nowhere current may be copied by several threads at once. */
    if (ctx != current())
        cx__lock();
    error = cx__spare_fill(&ctx->spare, ctx->table, ctx->head.tokens);
    if (ctx != current())
        cx__unlock();
    return error != 0 ? -ENOMEM : 0;
}

cx_context *cx_context_copy_of(const cx_context *ctx)
{
    cx_context *from = ctx != NULL ? (cx_context *)(uintptr_t)ctx : current();
    struct cx__table *table;

    if (cx__thread_get() == NULL)
        return NULL;
    if (from == NULL)
        return cx__context_with(&cx__empty_table);
    if (is_elsewhere(from)) {
        errno = EBUSY;
        return NULL;
    }
    if (cx__context_reserve(from) != 0)
        return NULL;
    table = cx__table_copy(from->table, CX__FOR_TASK);
    return table != NULL ? cx__context_with(table) : NULL;
}

cx_context *cx_context_copy(void)
{
    return cx_context_copy_of(NULL);
}

static inline void make_current(cx_context *next)
{
    cx__tls.scope[0].context = next != NULL ? &next->head : NULL;
    cx__table_make_current(next != NULL ? next->table : &cx__empty_table);
}

static inline cx_context *context_swap(cx_context *next)
{
    struct cx__table *before = cx__tls.scope[0].table;
    cx_context *previous = current();

    if (next == NULL && cx__tls.thread != NULL)
        next = cx__tls.thread->own;
    make_current(next);
    if (__atomic_load_n(&cx__watches, __ATOMIC_RELAXED) != 0)
        cx__watch_switched(before, cx__tls.scope[0].table);
    return previous;
}

cx_context *cx_context_swap(cx_context *next)
{
    return context_swap(next);
}

/* Claim a context for this thread, unless somebody has it. */
static bool claim(cx_context *ctx)
{
    uint32_t holds = __atomic_load_n(&ctx->holds, __ATOMIC_RELAXED);

    do {
        if ((holds & CX__ENTERED) != 0)
            return false;
    } while (!__atomic_compare_exchange_n(&ctx->holds, &holds,
                                          holds + CX__ENTERED, true,
                                          __ATOMIC_ACQUIRE, __ATOMIC_RELAXED));
    set_by(ctx, &cx__tls);
    return true;
}

int cx_context_enter(cx_context *ctx)
{
    if (ctx == NULL)
        return -EINVAL;
    /* The record is what leaves the context, should the thread end in it. */
    if (cx__thread_get() == NULL)
        return -errno;
    if (ctx == current() || !claim(ctx))
        return -EBUSY;
    ctx->outer = context_swap(ctx);
    return 0;
}

int cx_context_exit(cx_context *ctx)
{
    cx_context *outer;

    if (ctx == NULL || ctx != current() || ctx->is_own ||
        !cx__context_is_here(ctx))
        return -EINVAL;
    outer = ctx->outer;
    ctx->outer = NULL;
    (void)context_swap(outer);
    set_by(ctx, NULL);
    holds_drop(ctx, CX__ENTERED);
    return 0;
}

void cx__context_leave_all(void)
{
    cx_context *ctx = current();

    while (ctx != NULL && !ctx->is_own && cx__context_is_here(ctx)) {
        cx_context *outer = ctx->outer;

        ctx->outer = NULL;
        make_current(outer);
        set_by(ctx, NULL);
        holds_drop(ctx, CX__ENTERED);
        ctx = outer;
    }
    make_current(NULL);
}

/*
 * Leave a context after a run, and first what its function entered there and
 * did not leave. It may have left this one itself, even freed it: so until it
 * is found among the entered ones, it is compared and not looked at.
 */
static void context_leave(const cx_context *ctx)
{
    cx_context *inner = current();

    while (inner != ctx && inner != NULL)
        inner = inner->outer;
    if (inner == NULL)
        return;
    while (current() != ctx && cx_context_exit(current()) == 0)
        continue;
    (void)cx_context_exit(inner);
}

void cx__context_call(cx_context *ctx, void (*fn)(void *), void *arg)
{
    (void)cx__thread_get();
    ctx->holds += CX__ENTERED;
    set_by(ctx, &cx__tls);
    ctx->outer = context_swap(ctx);
    fn(arg);
    context_leave(ctx);
}

int cx_context_run(cx_context *ctx, void (*fn)(void *), void *arg)
{
    int error;

    if (ctx == NULL || fn == NULL)
        return -EINVAL;
    error = cx_context_enter(ctx);
    if (error != 0)
        return error;
    fn(arg);
    context_leave(ctx);
    return 0;
}

bool cx_context_find(const cx_context *ctx, const cx_var *var, cx_value *out)
{
    const struct cx__table *table = table_of(ctx);
    const struct cx__entry *entry;

    if (table == NULL || var == NULL)
        return false;
    entry = cx__table_find(table, var);
    if (entry != NULL && out != NULL)
        *out = entry->value;
    return entry != NULL;
}

size_t cx_context_len(const cx_context *ctx)
{
    const struct cx__table *table = table_of(ctx);

    return table != NULL ? cx__table_len(table) : 0;
}

int cx_context_each(const cx_context *ctx,
                    int (*fn)(cx_var *, cx_value, void *arg), void *arg)
{
    struct cx__table *table = table_of(ctx);
    int result;

    if (fn == NULL)
        return -EINVAL;
    if (table == NULL)
        return -EBUSY;
    if (cx__context_reserve(ctx != NULL ? (cx_context *)(uintptr_t)ctx
                                        : current()) != 0)
        return -ENOMEM;
    (void)cx__table_ref(table);
    result = cx__table_each(table, fn, arg);
    cx__table_unref(table);
    return result;
}

/* One line of a dump; a value longer than most is formatted twice. */
static int dump_entry(cx_var *var, cx_value value, void *arg)
{
    FILE *out = arg;
    char text[128] = "";
    char *all = NULL;
    int len = cx__value_format(var, value, text, sizeof(text));

    if (len >= (int)sizeof(text)) {
        all = malloc((size_t)len + 1);
        if (all != NULL)
            (void)cx__value_format(var, value, all, (size_t)len + 1);
    }
    len =
        fprintf(out, "%s = %s\n", cx_var_title(var), all != NULL ? all : text);
    free(all);
    return len < 0 ? -EIO : 0;
}

int cx_context_dump(const cx_context *ctx, FILE *out)
{
    return out != NULL ? cx_context_each(ctx, dump_entry, out) : -EINVAL;
}
