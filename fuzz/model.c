/* SPDX-License-Identifier: MIT */
/*
 * Random operations on the core, on two threads that take turns, compared
 * after each with the model of naive.h. Owned values are counted: each is
 * released exactly once.
 *
 * Every byte of the input is an operation or an operand of one. The program
 * aborts where the library and the model differ.
 */
#include "contexts.h"
#include "variables.h"

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size);

/* The other thread's turn, until it is ours again. */
static void pass_turn(struct fuzz *fuzz, int me)
{
    (void)pthread_mutex_lock(&fuzz->lock);
    fuzz->turn = 1 - me;
    (void)pthread_cond_broadcast(&fuzz->turned);
    while (fuzz->turn != me && fuzz->naive.thread[me].running)
        (void)pthread_cond_wait(&fuzz->turned, &fuzz->lock);
    (void)pthread_mutex_unlock(&fuzz->lock);
}

static void await_turn(struct fuzz *fuzz, int me)
{
    (void)pthread_mutex_lock(&fuzz->lock);
    while (fuzz->turn != me)
        (void)pthread_cond_wait(&fuzz->turned, &fuzz->lock);
    (void)pthread_mutex_unlock(&fuzz->lock);
}

/* A thread has ended: it has left all that it was in. */
static void thread_join(struct fuzz *fuzz, int me)
{
    struct thread *thread = &fuzz->naive.thread[me];

    CHECK(pthread_join(thread->real, NULL) == 0);
    while (thread->current != NULL)
        context_end(&fuzz->naive, me);
}

static void do_pass_turn(struct actor *actor)
{
    struct thread *other = &actor->naive->thread[1 - actor->me];

    if (!other->running)
        return;
    pass_turn(actor->fuzz, actor->me);
    if (!other->running)
        thread_join(actor->fuzz, 1 - actor->me);
    do_check_all(actor);
}

static void act(struct fuzz *fuzz, int me)
{
    struct actor actor = {.fuzz = fuzz,
                          .naive = &fuzz->naive,
                          .thread = &fuzz->naive.thread[me],
                          .me = me};

    await_turn(fuzz, me);
    do_check_all(&actor);
    steps(&actor);
    while (me == 0 && fuzz->naive.thread[1].running)
        do_pass_turn(&actor);
    actor.thread->running = false;
    if (me != 0)
        pass_turn(fuzz, me);
}

static void *act_first(void *fuzz)
{
    act(fuzz, 0);
    return NULL;
}

static void *act_second(void *fuzz)
{
    act(fuzz, 1);
    return NULL;
}

static bool thread_add(struct naive *naive, int me, const struct map *map)
{
    struct context *own = context_add(naive);
    struct thread *thread = &naive->thread[me];

    if (own == NULL)
        return false;
    *thread = (struct thread){.running = true, .serial = ++naive->last_serial};
    context_begin(naive, me, own, OWN);
    if (map != NULL)
        map_copy(naive, &own->map, map, CX_INHERIT_TASKS);
    return true;
}

/* The second thread, in a copy of the first one's context or in none. */
static void do_start(struct actor *actor)
{
    struct thread *second = &actor->naive->thread[1];
    bool inherits = next(actor) % 2 == 0;
    int error;

    if (second->running ||
        !thread_add(actor->naive, 1,
                    inherits ? &actor->thread->current->map : NULL))
        return;
    error = inherits
                ? cx_thread_create(&second->real, NULL, act_second, actor->fuzz)
                : pthread_create(&second->real, NULL, act_second, actor->fuzz);
    CHECK(error == 0);
}

static void (*const operations[])(struct actor *) = {
    do_set,       do_set,          do_set,        do_set,
    do_bind,      do_bind,         do_bind,       do_reset,
    do_reset,     do_reset,        do_unset,      do_drop,
    do_cell,      do_make,         do_make,       do_make,
    do_make,      do_unmake,       do_unmake,     do_new,
    do_copy,      do_copy,         do_copy,       do_ref_current,
    do_unref,     do_unref,        do_unref,      do_ask,
    do_check_all, do_enter,        do_enter,      do_exit,
    do_exit,      do_run,          do_swap,       do_snapshot,
    do_snapshot,  do_snapshot_run, do_context_of, do_snapshot_unref,
    do_callback,  do_call,         do_call,       do_callback_free,
    do_pass_turn, do_pass_turn,    do_pass_turn,  do_start,
};

/* Until the input ends, or an operation that is none: back to the outer. */
static void steps(struct actor *actor)
{
    size_t n = sizeof(operations) / sizeof(operations[0]);

    while (actor->fuzz->left != 0) {
        uint8_t operation = next(actor);

        if (operation >= 5 * n && (actor->depth > 0 || actor->me != 0))
            return;
        operations[operation % n](actor);
        if (actor->naive->var[WATCHED].usable)
            check_var(actor, WATCHED);
    }
}

static void fixed_init(struct naive *naive)
{
    struct variable fixed[FIXED] = {
        [PLAIN] = {.var = cx_var_of(plain)},
        [WATCHED] = {.var = cx_var_of(watched),
                     .has_initial = true,
                     .initial = 7},
        [FOR_TASKS] = {.var = cx_var_of(for_tasks),
                       .inherit = CX_INHERIT_TASKS},
        [FOR_THREADS] = {.var = cx_var_of(for_threads),
                         .inherit = CX_INHERIT_THREADS},
        [FOR_NONE] = {.var = cx_var_of(for_none), .inherit = CX_INHERIT_NONE},
        [OBJECT] = {.var = cx_var_of(object), .kind = OBJECTS},
        [OBJECT_FOR_TASKS] = {.var = cx_var_of(object_for_tasks),
                              .kind = OBJECTS,
                              .inherit = CX_INHERIT_TASKS},
        [SHARED] = {.var = cx_var_of(shared), .kind = OBJECTS},
        [OF_THREAD] = {.var = cx_var_of(of_thread), .of_thread = true},
        [OBJECT_OF_THREAD] = {.var = cx_var_of(object_of_thread),
                              .kind = OBJECTS,
                              .of_thread = true},
        [CELL] = {.var = cx_var_of(cell), .kind = CELLS},
        [BIG_CELL] = {.var = cx_var_of(big_cell), .kind = CELLS},
    };

    memcpy(naive->var, fixed, sizeof(fixed));
    for (int i = 0; i < FIXED; i++)
        naive->var[i].usable = true;
}

/* Let go of all that is left, on a thread that took no part. */
static void fuzz_end(struct naive *naive)
{
    for (int i = 0; i < CONTEXTS; i++) {
        while (naive->context[i].handles-- != 0)
            cx_context_unref(naive->context[i].real);
    }
    for (int i = 0; i < SNAPSHOTS; i++) {
        while (naive->snapshot[i].handles-- != 0)
            cx_snapshot_unref(naive->snapshot[i].real);
    }
    for (int i = 0; i < CALLBACKS; i++)
        cx_callback_free(naive->callback[i].real);
    for (int i = 0; i < TOKENS; i++)
        cx_token_drop(&naive->token[i].real);
    for (int i = FIXED; i < VARS; i++) {
        if (naive->var[i].usable)
            cx_var_unref(naive->var[i].var);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    struct fuzz *fuzz = calloc(1, sizeof(*fuzz));

    CHECK(fuzz != NULL);
    fuzz->input = input;
    fuzz->left = size;
    (void)pthread_mutex_init(&fuzz->lock, NULL);
    (void)pthread_cond_init(&fuzz->turned, NULL);
    fixed_init(&fuzz->naive);
    fuzz->watching = size % 2 == 0;
    if (fuzz->watching)
        CHECK(cx_watch(cx_var_of(watched), mirror_change, NULL) == 0);
    (void)thread_add(&fuzz->naive, 0, NULL);
    CHECK(pthread_create(&fuzz->naive.thread[0].real, NULL, act_first, fuzz) ==
          0);
    thread_join(fuzz, 0);
    fuzz_end(&fuzz->naive);
    CHECK(objects == 0);
    if (fuzz->watching)
        CHECK(cx_unwatch(cx_var_of(watched), mirror_change, NULL) == 0);
    (void)pthread_mutex_destroy(&fuzz->lock);
    (void)pthread_cond_destroy(&fuzz->turned);
    free(fuzz);
    return 0;
}
