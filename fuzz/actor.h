/* SPDX-License-Identifier: MIT */
/*
 * What the operations of model.c work with: variables of every sort, owned
 * values that are counted, the input, and how both sides are compared.
 */
#ifndef CTXVAR_FUZZ_ACTOR_H
#define CTXVAR_FUZZ_ACTOR_H

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include <ctxvar/callback.h>

#include "naive.h"

#define CHECK(claim)                                                           \
    do {                                                                       \
        if (!(claim))                                                          \
            fail(__LINE__, #claim);                                            \
    } while (0)

static void fail(int line, const char *claim)
{
    (void)fprintf(stderr, "line %d: not so: %s\n", line, claim);
    abort();
}

/* Owned values. */
struct object {
    uint32_t alive;
    uint32_t refs;
    uint64_t payload;
};

static int objects;

static struct object *object_new(uint64_t payload)
{
    struct object *object = malloc(sizeof(*object));

    CHECK(object != NULL);
    *object = (struct object){.alive = 1, .refs = 1, .payload = payload};
    (void)__atomic_fetch_add(&objects, 1, __ATOMIC_RELAXED);
    return object;
}

static void *object_take(const void *value)
{
    return object_new(((const struct object *)value)->payload);
}

static void object_ref(void *value)
{
    struct object *object = value;

    CHECK(object->alive == 1);
    (void)__atomic_fetch_add(&object->refs, 1, __ATOMIC_RELAXED);
}

static void object_unref(void *value)
{
    struct object *object = value;

    CHECK(object->alive == 1);
    if (__atomic_fetch_sub(&object->refs, 1, __ATOMIC_ACQ_REL) != 1)
        return;
    object->alive = 0;
    (void)__atomic_fetch_sub(&objects, 1, __ATOMIC_RELAXED);
    free(object);
}

static const cx_type taken = {
    .take = object_take, .ref = object_ref, .unref = object_unref};
static const cx_type counted = {.ref = object_ref, .unref = object_unref};

struct big {
    uint64_t first;
    char rest[72];
};

CX_VAR(int64_t, plain);
CX_VAR(int64_t, watched, .initial = 7);
CX_VAR(int64_t, for_tasks, .inherit = CX_INHERIT_TASKS);
CX_VAR(int64_t, for_threads, .inherit = CX_INHERIT_THREADS);
CX_VAR(int64_t, for_none, .inherit = CX_INHERIT_NONE);
CX_VAR(void *, object, .type = &taken);
CX_VAR(void *, object_for_tasks, .type = &taken, .inherit = CX_INHERIT_TASKS);
CX_VAR(void *, shared, .type = &counted);
CX_THREAD_VAR(int64_t, of_thread);
CX_THREAD_VAR(void *, object_of_thread, .type = &taken);
CX_GLOBAL(uint64_t, cell, 5);
CX_GLOBAL(struct big, big_cell, {.first = 6});

static __thread int64_t mirror = 7;

static void mirror_change(cx_value now, void *arg)
{
    (void)arg;
    mirror = now.i64;
}

struct fuzz {
    struct naive naive;
    const uint8_t *input;
    size_t left;
    bool watching;
    int turn;
    pthread_mutex_t lock;
    pthread_cond_t turned;
};

/* A thread at its turn. */
struct actor {
    struct fuzz *fuzz;
    struct naive *naive;
    struct thread *thread;
    int me;
    int depth;
};

static uint8_t next(struct actor *actor)
{
    struct fuzz *fuzz = actor->fuzz;

    if (fuzz->left == 0)
        return 0;
    fuzz->left--;
    return *fuzz->input++;
}

static uint64_t payload_of(const struct variable *variable, cx_value value)
{
    if (variable->kind == NUMBERS)
        return value.u64;
    if (value.ptr == NULL)
        return 0;
    return variable->kind == CELLS ? *(uint64_t *)value.ptr
                                   : ((struct object *)value.ptr)->payload;
}

static int any_var(struct actor *actor)
{
    int first = next(actor) % VARS;

    for (int i = 0; i < VARS; i++) {
        if (actor->naive->var[(first + i) % VARS].usable)
            return (first + i) % VARS;
    }
    return PLAIN;
}

/* A context of which we have a reference; NULL: there is none. */
static struct context *any_context(struct actor *actor)
{
    int first = next(actor) % CONTEXTS;

    for (int i = 0; i < CONTEXTS; i++) {
        struct context *context =
            &actor->naive->context[(first + i) % CONTEXTS];

        if (context->handles != 0)
            return context;
    }
    return NULL;
}

static struct token *any_token(struct actor *actor)
{
    return &actor->naive->token[next(actor) % TOKENS];
}

static void check_var(struct actor *actor, int var)
{
    const struct variable *variable = &actor->naive->var[var];
    struct held held = held_of(actor->naive, actor->me, var);
    cx_value value;
    bool found = cx_var_find(variable->var, &value);

    CHECK(found == held.set);
    CHECK(!found || payload_of(variable, value) == held.value);
    if (var == PLAIN)
        CHECK(cx_get(plain) == (found ? value.i64 : 0));
    if (var == WATCHED && actor->fuzz->watching)
        CHECK(mirror == value.i64);
}

/* A value to set: an object is ours, and let go of with give_back(). */
static cx_value make_value(struct actor *actor, int var, uint64_t *payload)
{
    bool is_object = actor->naive->var[var].kind == OBJECTS;

    *payload = next(actor);
    if (!is_object)
        return (cx_value){.u64 = *payload};
    return (cx_value){.ptr = *payload != 0 ? object_new(*payload) : NULL};
}

static void give_back(struct actor *actor, int var, cx_value value)
{
    if (actor->naive->var[var].kind == OBJECTS && value.ptr != NULL)
        object_unref(value.ptr);
}

#endif
