/* SPDX-License-Identifier: MIT */
/*
 * Memory that runs out when a test says so, and situations to try it in.
 *
 * Threads keep freed blocks for reuse, so that each attempt is made on a
 * thread of its own; all its blocks must be back when it has ended. The
 * linker puts these functions before the allocators (--wrap).
 */
#ifndef CTXVAR_TESTS_SCARCE_H
#define CTXVAR_TESTS_SCARCE_H

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <ctxvar/callback.h>

/* Which allocation of a thread fails: the n-th, all or none. */
enum { SCARCE_ALL = -1, SCARCE_NONE = -2 };

static __thread int failing = SCARCE_NONE;
static __thread int asked;
static int live;

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *block, size_t size);
void __real_free(void *block);

/* From here on this thread's allocations fail so, counted from 1. */
static inline void scarce_begin(int nth)
{
    asked = 0;
    failing = nth;
}

/* Memory is plenty again; how many allocations were asked for meanwhile. */
static inline int scarce_end(void)
{
    failing = SCARCE_NONE;
    return asked;
}

/* errno is left alone: C does not promise that malloc sets it. */
static bool refuse(void)
{
    asked++;
    return failing == SCARCE_ALL || (failing > 0 && --failing == 0);
}

static void *count(void *block)
{
    if (block != NULL)
        (void)__atomic_fetch_add(&live, 1, __ATOMIC_RELAXED);
    return block;
}

void *__wrap_malloc(size_t size)
{
    return refuse() ? NULL : count(__real_malloc(size));
}

void *__wrap_calloc(size_t n, size_t size)
{
    return refuse() ? NULL : count(__real_calloc(n, size));
}

void *__wrap_realloc(void *block, size_t size)
{
    if (refuse())
        return NULL;
    return block == NULL ? count(__real_realloc(block, size))
                         : __real_realloc(block, size);
}

char *__wrap_strdup(const char *string)
{
    size_t size = strlen(string) + 1;
    char *copy = __wrap_malloc(size);

    return copy != NULL ? memcpy(copy, string, size) : NULL;
}

void __wrap_free(void *block)
{
    if (block != NULL)
        (void)__atomic_fetch_sub(&live, 1, __ATOMIC_RELAXED);
    __real_free(block);
}

CX_VAR(int, number, .initial = 1);
CX_VAR(const char *, text, .type = &cx_string);
CX_VAR(int, for_tasks, .inherit = CX_INHERIT_TASKS);
CX_GLOBAL(char[40], cell, "cell");
CX_THREAD_VAR(const char *, of_thread, .type = &cx_string);

/* Variables on four pages of a table. */
enum { MANY = 110, TOKENS = 6 };
static cx_var *many[MANY];

static inline int many_make(void **state)
{
    (void)state;
    for (size_t i = 0; i < MANY; i++) {
        many[i] = cx_var_new("one of many", NULL, NULL);
        if (many[i] == NULL)
            return -1;
    }
    return 0;
}

static inline int many_free(void **state)
{
    (void)state;
    for (size_t i = 0; i < MANY; i++)
        cx_var_unref(many[i]);
    return 0;
}

/* The variable that wide() binds with a token, from the third on. */
static inline cx_var *many_bound(size_t token)
{
    return many[token * 19];
}

/* What an attempt has at hand, and what it made. */
struct world {
    cx_token tokens[TOKENS]; /* of number, text, and of many_bound() */
    cx_context *copy;
    cx_snapshot *snapshot;
    cx_callback *callback;
    cx_token token;
    cx_var *var;
    cx_context *made;
    cx_snapshot *made_snapshot;
    cx_callback *made_callback;
    int calls;
};

static inline void world_count_call(void *world)
{
    ((struct world *)world)->calls++;
}

/* Situations, each with more in it than the one before. */
static inline void nothing(struct world *world)
{
    (void)world;
}

static inline void few(struct world *world)
{
    (void)world;
    (void)cx_set(number, 2);
    (void)cx_set(text, "few");
    (void)cx_set(of_thread, "thread");
}

/* With tokens that nothing is set aside for yet. */
static inline void bound(struct world *world)
{
    few(world);
    (void)cx_bind(number, 3, &world->tokens[0]);
    (void)cx_bind(text, "shared", &world->tokens[1]);
}

static inline void share(struct world *world)
{
    world->copy = cx_context_copy();
    world->snapshot = cx_snapshot_new();
    world->callback = cx_callback_new(world_count_call, world);
}

static inline void shared(struct world *world)
{
    bound(world);
    share(world);
}

static inline void limit(struct world *world)
{
    bound(world);
    (void)cx_set(for_tasks, 4);
    (void)strcpy(*cx_ref(cell), "changed");
}

static inline void limited(struct world *world)
{
    limit(world);
    share(world);
}

static inline void wide_bound(struct world *world)
{
    limit(world);
    for (size_t i = 0; i < MANY; i += 2)
        (void)cx_var_set(many[i], (cx_value){.i64 = (int64_t)i});
    for (size_t i = 2; i < TOKENS; i++)
        (void)cx_var_bind(many_bound(i), (cx_value){.i64 = -1},
                          &world->tokens[i]);
}

static inline void wide(struct world *world)
{
    wide_bound(world);
    share(world);
}

static inline void world_fini(struct world *world)
{
    for (size_t i = 0; i < TOKENS; i++)
        cx_token_drop(&world->tokens[i]);
    cx_token_drop(&world->token);
    cx_context_unref(world->copy);
    cx_context_unref(world->made);
    cx_snapshot_unref(world->snapshot);
    cx_snapshot_unref(world->made_snapshot);
    cx_callback_free(world->callback);
    cx_callback_free(world->made_callback);
    cx_var_unref(world->var);
}

static inline uint64_t add(uint64_t sum, uint64_t next)
{
    return (sum ^ next) * UINT64_C(0x100000001b3);
}

/* What a context holds for a variable, added to a sum. */
static inline uint64_t view_var(const cx_context *ctx, const cx_var *var,
                                uint64_t sum)
{
    cx_value value = {.u64 = 0};
    bool set = cx_context_find(ctx, var, &value);

    return add(add(sum, set), value.u64);
}

/* Not by cx_context_each(), which asks for memory where tokens are open. */
static inline uint64_t view_context(const cx_context *ctx, uint64_t sum)
{
    sum = add(sum, cx_context_len(ctx));
    sum = view_var(ctx, cx_var_of(number), sum);
    sum = view_var(ctx, cx_var_of(text), sum);
    sum = view_var(ctx, cx_var_of(for_tasks), sum);
    sum = view_var(ctx, cx_var_of(cell), sum);
    for (size_t i = 0; i < MANY; i++)
        sum = view_var(ctx, many[i], sum);
    return sum;
}

/* All that can be seen of variables, contexts and tokens, as a number. */
static inline uint64_t view(const struct world *world)
{
    uint64_t sum = view_context(NULL, 0);

    if (world->copy != NULL)
        sum = view_context(world->copy, sum);
    for (size_t i = 0; i < TOKENS; i++)
        sum = add(sum, world->tokens[i].state);
    sum = add(sum, (uintptr_t)cx_get(of_thread));
    return add(add(sum, world->token.state), (uint64_t)world->calls);
}

/* One call in one situation, and what came of it. */
struct attempt {
    void (*arrange)(struct world *);
    int (*act)(struct world *); /* 0 or -errno; runs short of memory */
    int nth;                    /* which allocation fails */
    int result;
    int asked;
    int left;     /* blocks that are not back */
    bool changed; /* what the thread can see has */
};

static inline void *attempt_run(void *arg)
{
    struct attempt *attempt = arg;
    struct world world = {.calls = 0};
    uint64_t before;

    attempt->arrange(&world);
    before = view(&world);
    errno = 0;
    scarce_begin(attempt->nth);
    attempt->result = attempt->act(&world);
    attempt->asked = scarce_end();
    attempt->changed = view(&world) != before;
    world_fini(&world);
    return NULL;
}

/* Run it on a thread of its own; false: there was none to be had. */
static inline bool attempt_make(struct attempt *attempt)
{
    int before = __atomic_load_n(&live, __ATOMIC_RELAXED);
    pthread_t thread;

    if (pthread_create(&thread, NULL, attempt_run, attempt) != 0)
        return false;
    (void)pthread_join(thread, NULL);
    attempt->left = __atomic_load_n(&live, __ATOMIC_RELAXED) - before;
    return true;
}

#endif
