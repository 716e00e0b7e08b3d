/* SPDX-License-Identifier: MIT */
/*
 * The library as the simplest program would have it: contexts are arrays,
 * copies are copies. What the real one does is compared with this.
 */
#ifndef CTXVAR_FUZZ_NAIVE_H
#define CTXVAR_FUZZ_NAIVE_H

#include <stdlib.h>
#include <string.h>

#include <ctxvar/callback.h>

enum {
    PLAIN,
    WATCHED,
    FOR_TASKS,
    FOR_THREADS,
    FOR_NONE,
    OBJECT,
    OBJECT_FOR_TASKS,
    SHARED,
    OF_THREAD,
    OBJECT_OF_THREAD,
    CELL,
    BIG_CELL,
    FIXED,
    VARS = FIXED + 90, /* the rest are made at run time: four pages */
};

enum { CONTEXTS = 24, SNAPSHOTS = 8, CALLBACKS = 4, TOKENS = 24, THREADS = 2 };

enum kind { NUMBERS, OBJECTS, CELLS };

struct variable {
    cx_var *var;
    enum kind kind;
    cx_inherit inherit;
    bool of_thread;
    bool usable; /* defined, or made and not let go of */
    bool has_initial;
    uint64_t initial;
};

struct held {
    bool set;
    uint64_t value;
};

struct map {
    struct held at[VARS];
};

enum how { IDLE, OWN, ENTERED, RUN, SWAPPED };

/* free <=> handles == 0 && how == IDLE */
struct context {
    cx_context *real; /* NULL: a thread's own that nobody asked for yet */
    unsigned handles; /* references that are ours */
    enum how how;
    int thread; /* unless IDLE: where */
    struct context *outer;
    uint64_t serial;
    struct map map;
    void *cell[2];
};

struct snapshot {
    cx_snapshot *real;
    unsigned handles;
    uint64_t taken_by; /* a thread's serial */
    struct map map;
};

struct callback {
    cx_callback *real;
    uint64_t taken_by;
    struct map map;
};

struct token {
    cx_token real;
    int var;
    uint64_t serial; /* of its context, or thread */
    struct held old;
    bool open;
};

struct thread {
    pthread_t real;
    bool running;
    uint64_t serial;
    struct context *current;
    struct map variables;
};

struct naive {
    struct variable var[VARS];
    struct context context[CONTEXTS];
    struct snapshot snapshot[SNAPSHOTS];
    struct callback callback[CALLBACKS];
    struct token token[TOKENS];
    struct thread thread[THREADS];
    uint64_t last_serial;
};

/* Copy what does not stay behind: the bits of cx_inherit that keep out. */
static inline void map_copy(const struct naive *naive, struct map *to,
                            const struct map *from, unsigned bits)
{
    *to = *from;
    for (int i = 0; i < VARS; i++) {
        if (((unsigned)naive->var[i].inherit & bits) == bits)
            to->at[i].set = false;
    }
}

/* The bits for a run, on a thread, of what another may have taken. */
static inline unsigned bits_for_run(uint64_t taken_by, uint64_t serial)
{
    return taken_by == serial ? CX_INHERIT_THREADS : CX_INHERIT_TASKS;
}

static inline size_t map_len(const struct map *map)
{
    size_t len = 0;

    for (int i = 0; i < VARS; i++)
        len += map->at[i].set;
    return len;
}

static inline struct map *map_of(struct naive *naive, int me, int var)
{
    return naive->var[var].of_thread ? &naive->thread[me].variables
                                     : &naive->thread[me].current->map;
}

/* What a read on a thread gives; not set: the default. */
static inline struct held held_of(struct naive *naive, int me, int var)
{
    struct held held = map_of(naive, me, var)->at[var];
    const struct variable *variable = &naive->var[var];

    if (!held.set && variable->has_initial)
        held = (struct held){.set = true, .value = variable->initial};
    return held;
}

static inline bool context_is_free(const struct context *context)
{
    return context->handles == 0 && context->how == IDLE;
}

/* A free place for a context; NULL: there is none. */
static inline struct context *context_add(struct naive *naive)
{
    for (int i = 0; i < CONTEXTS; i++) {
        struct context *context = &naive->context[i];

        if (context_is_free(context)) {
            *context = (struct context){.serial = ++naive->last_serial};
            return context;
        }
    }
    return NULL;
}

static inline void context_begin(struct naive *naive, int me,
                                 struct context *context, enum how how)
{
    context->how = how;
    context->thread = me;
    context->outer = naive->thread[me].current;
    naive->thread[me].current = context;
}

static inline void context_end(struct naive *naive, int me)
{
    struct context *context = naive->thread[me].current;

    naive->thread[me].current = context->outer;
    context->how = IDLE;
}

static inline bool is_elsewhere(const struct context *context, int me)
{
    return context->how != IDLE && context->thread != me;
}

/* Does anything still hold a variable? Then its place is not free. */
static inline bool var_is_held(const struct naive *naive, int var)
{
    bool held = naive->var[var].usable;

    for (int i = 0; i < CONTEXTS; i++)
        held |= !context_is_free(&naive->context[i]) &&
                naive->context[i].map.at[var].set;
    for (int i = 0; i < SNAPSHOTS; i++)
        held |= naive->snapshot[i].handles != 0 &&
                naive->snapshot[i].map.at[var].set;
    for (int i = 0; i < CALLBACKS; i++)
        held |= naive->callback[i].real != NULL &&
                naive->callback[i].map.at[var].set;
    for (int i = 0; i < TOKENS; i++)
        held |= naive->token[i].open && naive->token[i].var == var;
    return held;
}

#endif
