/* SPDX-License-Identifier: MIT */
/*
 * The operations of the fuzzer on contexts, snapshots and callbacks. Those
 * that call into a context go on with the input inside of it.
 */
#ifndef CTXVAR_FUZZ_CONTEXTS_H
#define CTXVAR_FUZZ_CONTEXTS_H

#include <errno.h>

#include "actor.h"

/* Take operations from the input, until one says to go back. */
static void steps(struct actor *actor);

static void do_new(struct actor *actor)
{
    struct context *context = context_add(actor->naive);

    if (context == NULL)
        return;
    context->real = cx_context_new();
    context->handles = 1;
    CHECK(context->real != NULL);
}

/* Copy the current context, or any. */
static void do_copy(struct actor *actor)
{
    struct context *from =
        next(actor) % 2 == 0 ? any_context(actor) : actor->thread->current;
    struct context *to = context_add(actor->naive);
    cx_context *real;

    if (from == NULL || to == NULL ||
        (is_elsewhere(from, actor->me) && from->how == SWAPPED))
        return;
    real = from == actor->thread->current ? cx_context_copy()
                                          : cx_context_copy_of(from->real);
    CHECK((real == NULL) == is_elsewhere(from, actor->me));
    if (real == NULL) {
        CHECK(errno == EBUSY);
        return;
    }
    to->real = real;
    to->handles = 1;
    map_copy(actor->naive, &to->map, &from->map, CX_INHERIT_THREADS);
}

static void do_ref_current(struct actor *actor)
{
    struct context *context = actor->thread->current;
    cx_context *real = cx_context_current();

    CHECK(context->real == NULL || context->real == real);
    context->real = cx_context_ref(real);
    context->handles++;
}

static void do_unref(struct actor *actor)
{
    struct context *context = any_context(actor);

    if (context == NULL || (context->how == SWAPPED && context->handles == 1))
        return;
    context->handles--;
    cx_context_unref(context->real);
}

static int count_entry(cx_var *var, cx_value value, void *count)
{
    (void)var;
    (void)value;
    ++*(size_t *)count;
    return 0;
}

/* Compare all that a context holds. */
static void do_ask(struct actor *actor)
{
    struct context *context = any_context(actor);
    size_t count = 0;

    if (context == NULL ||
        (context->how == SWAPPED && is_elsewhere(context, actor->me)))
        return;
    if (is_elsewhere(context, actor->me)) {
        CHECK(cx_context_len(context->real) == 0);
        CHECK(cx_context_each(context->real, count_entry, &count) == -EBUSY);
        return;
    }
    CHECK(cx_context_len(context->real) == map_len(&context->map));
    CHECK(cx_context_each(context->real, count_entry, &count) == 0);
    CHECK(count == map_len(&context->map));
    for (int i = 0; i < VARS; i++) {
        struct held *held = &context->map.at[i];
        struct variable *variable = &actor->naive->var[i];
        cx_value value;

        if (!variable->usable)
            continue;
        CHECK(cx_context_find(context->real, variable->var, &value) ==
              held->set);
        CHECK(!held->set || payload_of(variable, value) == held->value);
    }
}

static void do_check_all(struct actor *actor)
{
    for (int i = 0; i < VARS; i++) {
        if (actor->naive->var[i].usable && actor->naive->var[i].kind != CELLS)
            check_var(actor, i);
    }
    CHECK(cx_context_len(NULL) == map_len(&actor->thread->current->map));
}

/* Leave what was entered inside `until` and not left. */
static void leave_up_to(struct actor *actor, struct context *until)
{
    while (actor->thread->current != until)
        context_end(actor->naive, actor->me);
}

static void do_enter(struct actor *actor)
{
    struct context *context = any_context(actor);
    int error;

    if (context == NULL || context->how == SWAPPED)
        return;
    error = cx_context_enter(context->real);
    CHECK(error == (context->how == IDLE ? 0 : -EBUSY));
    if (error == 0)
        context_begin(actor->naive, actor->me, context, ENTERED);
}

static void do_exit(struct actor *actor)
{
    struct context *context =
        next(actor) % 4 == 0 ? any_context(actor) : actor->thread->current;
    bool may;
    int error;

    if (context == NULL || context->real == NULL || context->how == RUN)
        return;
    may = context == actor->thread->current && context->how == ENTERED;
    error = cx_context_exit(context->real);
    CHECK(error == (may ? 0 : -EINVAL));
    if (may)
        context_end(actor->naive, actor->me);
}

static void run_inside(void *arg)
{
    struct actor *actor = arg;
    struct context *context = actor->thread->current;

    context->real = cx_context_current();
    actor->depth++;
    steps(actor);
    actor->depth--;
    leave_up_to(actor, context);
    context_end(actor->naive, actor->me);
}

static void do_run(struct actor *actor)
{
    struct context *context = any_context(actor);

    if (context == NULL || context->how == SWAPPED || actor->depth > 8)
        return;
    if (context->how != IDLE) {
        CHECK(cx_context_run(context->real, run_inside, actor) == -EBUSY);
        return;
    }
    context_begin(actor->naive, actor->me, context, RUN);
    CHECK(cx_context_run(context->real, run_inside, actor) == 0);
}

/* As a scheduler does around a coroutine. */
static void do_swap(struct actor *actor)
{
    struct context *context = any_context(actor);
    cx_context *mine;

    if (context == NULL || context->how != IDLE || actor->depth > 8)
        return;
    mine = cx_context_swap(context->real);
    context_begin(actor->naive, actor->me, context, SWAPPED);
    actor->depth++;
    steps(actor);
    actor->depth--;
    while (cx_context_current() != context->real)
        CHECK(cx_context_exit(cx_context_current()) == 0);
    leave_up_to(actor, context);
    CHECK(cx_context_swap(mine) == context->real);
    context_end(actor->naive, actor->me);
}

static void do_snapshot(struct actor *actor)
{
    struct snapshot *snapshot =
        &actor->naive->snapshot[next(actor) % SNAPSHOTS];

    if (snapshot->handles != 0) {
        (void)cx_snapshot_ref(snapshot->real);
        snapshot->handles++;
        return;
    }
    *snapshot = (struct snapshot){.real = cx_snapshot_new(),
                                  .handles = 1,
                                  .taken_by = actor->thread->serial};
    CHECK(snapshot->real != NULL);
    map_copy(actor->naive, &snapshot->map, &actor->thread->current->map,
             CX_INHERIT_NONE);
}

static struct snapshot *any_snapshot(struct actor *actor)
{
    struct snapshot *snapshot =
        &actor->naive->snapshot[next(actor) % SNAPSHOTS];

    return snapshot->handles != 0 ? snapshot : NULL;
}

static void do_snapshot_unref(struct actor *actor)
{
    struct snapshot *snapshot = any_snapshot(actor);

    if (snapshot == NULL)
        return;
    snapshot->handles--;
    cx_snapshot_unref(snapshot->real);
}

/* The context for a run of what was taken somewhere. */
static struct context *context_for_run(struct actor *actor,
                                       const struct map *map, uint64_t taken_by)
{
    struct context *context = context_add(actor->naive);

    if (context != NULL)
        map_copy(actor->naive, &context->map, map,
                 bits_for_run(taken_by, actor->thread->serial));
    return context;
}

static void do_snapshot_run(struct actor *actor)
{
    struct snapshot *snapshot = any_snapshot(actor);
    struct context *context;

    if (snapshot == NULL || actor->depth > 8)
        return;
    context = context_for_run(actor, &snapshot->map, snapshot->taken_by);
    if (context == NULL)
        return;
    context_begin(actor->naive, actor->me, context, RUN);
    CHECK(cx_snapshot_run(snapshot->real, run_inside, actor) == 0);
}

static void do_context_of(struct actor *actor)
{
    struct snapshot *snapshot = any_snapshot(actor);
    struct context *context =
        snapshot != NULL
            ? context_for_run(actor, &snapshot->map, snapshot->taken_by)
            : NULL;

    if (context == NULL)
        return;
    context->real = cx_context_of(snapshot->real);
    context->handles = 1;
    CHECK(context->real != NULL);
}

/* Whom a callback calls: known only when it does. */
static __thread struct actor *caller;

static void called(void *arg)
{
    (void)arg;
    run_inside(caller);
}

static void do_callback(struct actor *actor)
{
    struct callback *callback =
        &actor->naive->callback[next(actor) % CALLBACKS];

    if (callback->real != NULL)
        return;
    callback->real = cx_callback_new(called, NULL);
    callback->taken_by = actor->thread->serial;
    CHECK(callback->real != NULL);
    map_copy(actor->naive, &callback->map, &actor->thread->current->map,
             CX_INHERIT_NONE);
}

static void do_callback_free(struct actor *actor)
{
    struct callback *callback =
        &actor->naive->callback[next(actor) % CALLBACKS];

    cx_callback_free(callback->real);
    callback->real = NULL;
}

static void do_call(struct actor *actor)
{
    struct callback *callback =
        &actor->naive->callback[next(actor) % CALLBACKS];
    struct context *context;

    if (callback->real == NULL || actor->depth > 8)
        return;
    context = context_for_run(actor, &callback->map, callback->taken_by);
    if (context == NULL)
        return;
    context_begin(actor->naive, actor->me, context, RUN);
    caller = actor;
    cx_callback_call(callback->real);
    CHECK(context->how == IDLE);
}

#endif
