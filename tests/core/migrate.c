/* SPDX-License-Identifier: MIT */
/*
 * Coroutines that yield on one thread and go on on another, as a program that
 * defines CX_MIGRATING may have them: its values follow it, and no address of
 * the first thread's storage is kept over the switch, whatever the optimizer
 * would like to.
 *
 * Not under ThreadSanitizer: it knows no stack that changes threads so.
 */
#define CX_MIGRATING

#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include <cmocka.h>

#include <ctxvar/context.h>

enum { THREADS = 3, ROUNDS = 300, STACK_BYTES = 64 * 1024 };

CX_VAR(int, number, .initial = 1);
CX_VAR(const char *, text, .type = &cx_string);
CX_GLOBAL(char[32], cell, "cell");
CX_THREAD_VAR(int, of_thread, .initial = -1);

struct coroutine {
    ucontext_t self;
    ucontext_t caller;
    char *stack;
    cx_context *ctx;
    void (*body)(struct coroutine *co);
    int thread; /* on which it is now */
    int mistakes;
    bool done;
};

static void coroutine_main(unsigned high, unsigned low)
{
    struct coroutine *co =
        (struct coroutine *)((uintptr_t)high << 16 << 16 | low);

    co->body(co);
    co->done = true;
    (void)swapcontext(&co->self, &co->caller);
}

static struct coroutine *coroutine_new(void (*body)(struct coroutine *co))
{
    struct coroutine *co = calloc(1, sizeof(*co));

    assert_non_null(co);
    co->body = body;
    co->ctx = cx_context_copy();
    co->stack = malloc(STACK_BYTES);
    assert_non_null(co->stack);
    (void)getcontext(&co->self);
    co->self.uc_stack.ss_sp = co->stack;
    co->self.uc_stack.ss_size = STACK_BYTES;
    makecontext(&co->self, (void (*)(void))(uintptr_t)coroutine_main, 2,
                (unsigned)((uintptr_t)co >> 16 >> 16), (unsigned)(uintptr_t)co);
    return co;
}

static void coroutine_free(struct coroutine *co)
{
    cx_context_unref(co->ctx);
    free(co->stack);
    free(co);
}

/* Here a coroutine leaves a thread, and comes back on another. */
static void yield(struct coroutine *co)
{
    (void)swapcontext(&co->self, &co->caller);
}

static void resume(struct coroutine *co, int thread)
{
    cx_context *mine = cx_context_swap(co->ctx);

    co->thread = thread;
    (void)swapcontext(&co->caller, &co->self);
    co->ctx = cx_context_swap(mine);
}

static void mistake_if(struct coroutine *co, bool mistaken)
{
    co->mistakes += mistaken;
}

/* A thread that resumes what it is given; each has values of its own. */
struct resumer {
    pthread_t thread;
    sem_t given, back;
    struct coroutine *co; /* NULL: end */
    int me;
    int mistakes;
};

static void *resumer_main(void *arg)
{
    struct resumer *resumer = arg;
    int mine = 1000 + resumer->me;

    (void)cx_set(number, mine);
    (void)cx_set(of_thread, mine);
    (void)sem_wait(&resumer->given);
    while (resumer->co != NULL) {
        resume(resumer->co, resumer->me);
        resumer->mistakes +=
            cx_get(number) != mine || cx_get(of_thread) != mine;
        (void)sem_post(&resumer->back);
        (void)sem_wait(&resumer->given);
    }
    return NULL;
}

static void resumers_init(struct resumer *resumers)
{
    for (int i = 0; i < THREADS; i++) {
        struct resumer *resumer = &resumers[i];

        resumer->me = i;
        resumer->mistakes = 0;
        (void)sem_init(&resumer->given, 0, 0);
        (void)sem_init(&resumer->back, 0, 0);
        assert_int_equal(
            pthread_create(&resumer->thread, NULL, resumer_main, resumer), 0);
    }
}

static int resumers_fini(struct resumer *resumers)
{
    int mistakes = 0;

    for (int i = 0; i < THREADS; i++) {
        resumers[i].co = NULL;
        (void)sem_post(&resumers[i].given);
        (void)pthread_join(resumers[i].thread, NULL);
        (void)sem_destroy(&resumers[i].given);
        (void)sem_destroy(&resumers[i].back);
        mistakes += resumers[i].mistakes;
    }
    return mistakes;
}

/* Run a body that is on another thread after each yield; its mistakes, and
 * those of the threads about their own values. */
static int migrate(void (*body)(struct coroutine *co))
{
    struct resumer resumers[THREADS];
    struct coroutine *co;
    int mistakes;

    (void)cx_set(number, 7);
    co = coroutine_new(body);
    resumers_init(resumers);
    for (int i = 0; !co->done; i++) {
        struct resumer *resumer = &resumers[i % THREADS];

        resumer->co = co;
        (void)sem_post(&resumer->given);
        (void)sem_wait(&resumer->back);
    }
    mistakes = resumers_fini(resumers) + co->mistakes;
    coroutine_free(co);
    return mistakes;
}

static void read_and_set(struct coroutine *co)
{
    mistake_if(co, cx_get(number) != 7);
    for (int i = 0; i < ROUNDS; i++) {
        mistake_if(co, cx_set(number, i) != 0);
        yield(co);
        mistake_if(co, cx_get(number) != i);
        mistake_if(co, cx_set(text, i % 2 ? "odd" : "even") != 0);
        yield(co);
        mistake_if(co, cx_get(number) != i);
        mistake_if(co, strcmp(cx_get(text), i % 2 ? "odd" : "even") != 0);
    }
}

/* Behaviour 100. */
static void values_follow_a_coroutine_to_another_thread(void **state)
{
    (void)state;
    assert_int_equal(migrate(read_and_set), 0);
}

static void bind_with(struct coroutine *co)
{
    for (int i = 0; i < ROUNDS; i++) {
        CX_WITH(number, i) {
            yield(co);
            CX_WITH(text, "with") {
                yield(co);
                mistake_if(co, cx_get(number) != i);
            }
            mistake_if(co, cx_get(text) != NULL);
            yield(co);
        }
        mistake_if(co, cx_get(number) != 7);
    }
}

static void with_ends_on_another_thread_than_it_began_on(void **state)
{
    (void)state;
    assert_int_equal(migrate(bind_with), 0);
}

/* With a copy in between, so that a reset finds the table shared. */
static void bind_tokens(struct coroutine *co)
{
    for (int i = 0; i < ROUNDS; i++) {
        cx_context *copy;
        cx_token outer, inner;

        mistake_if(co, cx_bind(number, i, &outer) != 0);
        yield(co);
        mistake_if(co, cx_bind(number, -i, &inner) != 0);
        copy = cx_context_copy();
        yield(co);
        mistake_if(co, cx_reset(number, &inner) != 0);
        yield(co);
        mistake_if(co, cx_get(number) != i);
        mistake_if(co, cx_reset(number, &outer) != 0);
        cx_context_unref(copy);
        mistake_if(co, cx_get(number) != 7);
    }
}

static void a_token_is_good_on_another_thread(void **state)
{
    (void)state;
    assert_int_equal(migrate(bind_tokens), 0);
}

static void keep_address(struct coroutine *co)
{
    char *kept = *cx_ref(cell);

    for (int i = 0; i < ROUNDS; i++) {
        mistake_if(co, *cx_ref(cell) != kept);
        kept[0] = (char)('a' + i % 26);
        yield(co);
        mistake_if(co, (*cx_ref(cell))[0] != (char)('a' + i % 26));
    }
}

/* Behaviour 100. */
static void the_address_of_a_cell_is_good_on_another_thread(void **state)
{
    (void)state;
    assert_int_equal(migrate(keep_address), 0);
}

static void read_of_thread(struct coroutine *co)
{
    for (int i = 0; i < ROUNDS; i++) {
        int mine = 1000 + co->thread;

        mistake_if(co, cx_get(of_thread) != mine);
        mistake_if(co, cx_set(of_thread, 5) != 0);
        mistake_if(co, cx_get(of_thread) != 5);
        mistake_if(co, cx_set(of_thread, mine) != 0);
        yield(co);
        mine = 1000 + co->thread;
        mistake_if(co, cx_get(of_thread) != mine);
    }
}

static void thread_variables_are_those_of_the_thread_it_is_on(void **state)
{
    (void)state;
    assert_int_equal(migrate(read_of_thread), 0);
}

static void copy_contexts(struct coroutine *co)
{
    cx_context *mine = cx_context_current();

    for (int i = 0; i < ROUNDS; i++) {
        cx_context *copy = cx_context_copy();

        mistake_if(co, cx_context_current() != mine);
        mistake_if(co, cx_context_enter(copy) != 0);
        mistake_if(co, cx_set(number, i) != 0);
        mistake_if(co, cx_context_exit(copy) != 0);
        yield(co);
        cx_context_unref(copy);
        mistake_if(co, cx_get(number) != 7);
    }
}

/* Behaviour 100. */
static void the_current_context_is_the_coroutine_s(void **state)
{
    (void)state;
    assert_int_equal(migrate(copy_contexts), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_follow_a_coroutine_to_another_thread),
        cmocka_unit_test(with_ends_on_another_thread_than_it_began_on),
        cmocka_unit_test(a_token_is_good_on_another_thread),
        cmocka_unit_test(the_address_of_a_cell_is_good_on_another_thread),
        cmocka_unit_test(thread_variables_are_those_of_the_thread_it_is_on),
        cmocka_unit_test(the_current_context_is_the_coroutine_s),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
