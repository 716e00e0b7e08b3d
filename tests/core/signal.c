/* SPDX-License-Identifier: MIT */
/*
 * Reading variables in a signal handler: whatever it interrupts, it reads
 * what was there before or what is there after. Another thread sends signals
 * as fast as they are taken.
 *
 * Not under ThreadSanitizer: it holds signals back, which takes minutes.
 * Not under valgrind: one thread waits while the other runs, which does too.
 */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <ctxvar/context.h>

enum { MANY = 100, SIGNALS = 40000 };

CX_VAR(int, number, .initial = 1);
CX_VAR(const char *, text, .type = &cx_string);
CX_VAR(int, sometimes);

static cx_var *many[MANY];

/* What the handler may read: of number, one of two while it changes; of
 * sometimes, this or nothing. */
static volatile int before, after, sometimes_now;
static volatile sig_atomic_t wrong;
static int handled;

static void on_signal(int number_of_signal)
{
    int now = cx_get(number);
    int maybe = 0;
    cx_value far;

    (void)number_of_signal;
    (void)__atomic_fetch_add(&handled, 1, __ATOMIC_RELAXED);
    wrong += now != before && now != after;
    wrong += cx_find(sometimes, &maybe) && maybe != sometimes_now;
    wrong += cx_var_find(many[MANY - 1], &far) && far.i64 != 6;
    wrong += cx_get(text) != NULL && cx_get(text)[0] != 't';
}

static int handled_so_far(void)
{
    return __atomic_load_n(&handled, __ATOMIC_RELAXED);
}

static void *send_signals(void *to)
{
    while (handled_so_far() < SIGNALS)
        (void)pthread_kill(*(pthread_t *)to, SIGUSR1);
    return NULL;
}

/* Do something again and again while signals come; how often they were wrong.
 */
static int under_fire(void (*act)(int i))
{
    struct sigaction action = {.sa_handler = on_signal};
    pthread_t sender, self = pthread_self();

    handled = 0;
    wrong = 0;
    before = after = cx_get(number);
    assert_int_equal(sigaction(SIGUSR1, &action, NULL), 0);
    assert_int_equal(pthread_create(&sender, NULL, send_signals, &self), 0);
    for (int i = 0; handled_so_far() < SIGNALS; i++)
        act(i);
    assert_int_equal(pthread_join(sender, NULL), 0);
    return wrong;
}

static void set_number(int to)
{
    after = to;
    (void)cx_set(number, to);
    before = to;
}

static void set_again(int i)
{
    set_number(i);
    sometimes_now = i;
    (void)cx_set(sometimes, i);
    (void)cx_set(text, "text");
    (void)cx_unset(sometimes);
    (void)cx_unset(text);
}

/* Behaviour 128. */
static void a_handler_reads_right_while_it_interrupts_a_set(void **state)
{
    (void)state;
    assert_int_equal(under_fire(set_again), 0);
}

static void bind_and_reset(int i)
{
    int was = before;
    cx_token token, other;

    after = i;
    (void)cx_bind(number, i, &token);
    sometimes_now = i;
    (void)cx_bind(sometimes, i, &other);
    before = i;
    after = was;
    (void)cx_reset(sometimes, &other);
    (void)cx_reset(number, &token);
    before = was;
}

/* Behaviour 128. */
static void a_handler_reads_right_while_it_interrupts_a_reset(void **state)
{
    (void)state;
    assert_int_equal(under_fire(bind_and_reset), 0);
}

/* A fresh context each time, which grows a page at a time. */
static void grow(int i)
{
    cx_context *ctx = cx_context_copy();

    (void)i;
    (void)cx_context_enter(ctx);
    (void)cx_set(text, "too");
    for (size_t k = 0; k < MANY; k += 3)
        (void)cx_var_set(many[k], (cx_value){.i64 = 6});
    (void)cx_context_exit(ctx);
    cx_context_unref(ctx);
}

/* Behaviour 128. */
static void a_handler_reads_right_while_a_table_grows(void **state)
{
    (void)state;
    (void)cx_set(text, "text");
    assert_int_equal(under_fire(grow), 0);
}

/* Copies come and go, so that each set has to copy a table and a page. */
static void copy_on_write(int i)
{
    cx_context *copy = cx_context_copy();
    cx_snapshot *snapshot;

    set_number(i);
    snapshot = cx_snapshot_new();
    (void)cx_var_set(many[MANY - 1], (cx_value){.i64 = 6});
    (void)cx_set(text, "too");
    cx_context_unref(copy);
    cx_snapshot_unref(snapshot);
    (void)cx_var_unset(many[MANY - 1]);
}

/* Behaviour 128. */
static void a_handler_reads_right_while_a_table_is_copied(void **state)
{
    (void)state;
    assert_int_equal(under_fire(copy_on_write), 0);
}

static cx_context *other;

static void switch_contexts(int i)
{
    cx_context *mine;

    (void)i;
    after = 2;
    mine = cx_context_swap(other);
    (void)cx_context_swap(mine);
    (void)cx_context_enter(other);
    (void)cx_set(text, "too");
    (void)cx_context_exit(other);
}

/* Behaviour 128. */
static void a_handler_reads_right_while_contexts_are_switched(void **state)
{
    (void)state;
    (void)cx_set(number, 1);
    other = cx_context_new();
    assert_int_equal(cx_context_enter(other), 0);
    assert_int_equal(cx_set(number, 2), 0);
    assert_int_equal(cx_context_exit(other), 0);
    assert_int_equal(under_fire(switch_contexts), 0);
    cx_context_unref(other);
}

static int many_make(void **state)
{
    (void)state;
    for (size_t i = 0; i < MANY; i++) {
        many[i] = cx_var_new("one of many", NULL, NULL);
        if (many[i] == NULL)
            return -1;
    }
    return 0;
}

static int many_free(void **state)
{
    (void)state;
    for (size_t i = 0; i < MANY; i++)
        cx_var_unref(many[i]);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_handler_reads_right_while_it_interrupts_a_set),
        cmocka_unit_test(a_handler_reads_right_while_it_interrupts_a_reset),
        cmocka_unit_test(a_handler_reads_right_while_a_table_grows),
        cmocka_unit_test(a_handler_reads_right_while_a_table_is_copied),
        cmocka_unit_test(a_handler_reads_right_while_contexts_are_switched),
    };

    return cmocka_run_group_tests(tests, many_make, many_free);
}
