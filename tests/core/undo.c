/* SPDX-License-Identifier: MIT */
/*
 * Undoing a binding never fails and never asks for memory, whatever has been
 * copied meanwhile; nor does a callback that overlaps no other call of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* Found by the linker, as --wrap has it; "scarce.h" has them. */
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *block, size_t size);
char *__wrap_strdup(const char *string);
void __wrap_free(void *block);

#include "scarce.h"

/* An act succeeds with no memory at all, and does not even ask for any. */
static void assert_needs_no_memory(void (*arrange)(struct world *),
                                   int (*act)(struct world *))
{
    struct attempt attempt = {
        .arrange = arrange, .act = act, .nth = SCARCE_ALL};

    assert_true(attempt_make(&attempt));
    assert_int_equal(attempt.result, 0);
    assert_int_equal(attempt.asked, 0);
    assert_int_equal(attempt.left, 0);
}

static int reset_bound(struct world *world, size_t token)
{
    switch (token) {
    case 0:
        return cx_reset(number, &world->tokens[0]);
    case 1:
        return cx_reset(text, &world->tokens[1]);
    default:
        return cx_var_reset(many_bound(token), &world->tokens[token]);
    }
}

static int reset_all(struct world *world)
{
    int error = 0;

    for (size_t i = 0; i < TOKENS; i++)
        error |= reset_bound(world, i);
    return error != 0 || strcmp(cx_get(text), "few") != 0 ? -EIO : 0;
}

/* Behaviour 130. */
static void resets_after_copies_need_no_memory(void **state)
{
    (void)state;
    assert_needs_no_memory(wide, reset_all);
}

static int reset_all_backwards(struct world *world)
{
    int error = 0;

    for (size_t i = TOKENS; i > 0; i--)
        error |= reset_bound(world, i - 1);
    return error != 0 || strcmp(cx_get(text), "few") != 0 ? -EIO : 0;
}

/* Behaviour 130. */
static void resets_backwards_after_copies_need_no_memory(void **state)
{
    (void)state;
    assert_needs_no_memory(wide, reset_all_backwards);
}

/* The copies are gone again, one of them changed what it shared before. */
static void wide_then_alone(struct world *world)
{
    wide(world);
    (void)cx_context_enter(world->copy);
    (void)cx_var_set(many[MANY - 1], (cx_value){.i64 = 5});
    (void)cx_context_exit(world->copy);
    cx_snapshot_unref(world->snapshot);
    world->snapshot = NULL;
    (void)cx_var_set(many[1], (cx_value){.i64 = 6});
}

/* Behaviour 130. */
static void resets_after_sets_in_copies_need_no_memory(void **state)
{
    (void)state;
    assert_needs_no_memory(wide_then_alone, reset_all);
}

static int reset_after_a_snapshot(struct world *world)
{
    (void)scarce_end();
    (void)cx_bind(number, 5, &world->token);
    world->made_snapshot = cx_snapshot_new();
    scarce_begin(SCARCE_ALL);
    return cx_reset(number, &world->token);
}

/* Behaviour 130. */
static void a_reset_after_a_snapshot_needs_no_memory(void **state)
{
    (void)state;
    assert_needs_no_memory(few, reset_after_a_snapshot);
}

/* The copy itself is one block; setting aside would be more. */
static int copy_after_a_drop(struct world *world)
{
    (void)cx_bind(number, 5, &world->token);
    cx_token_drop(&world->token);
    scarce_begin(SCARCE_NONE);
    world->made = cx_context_copy();
    return scarce_end() <= 1 ? 0 : -EIO;
}

static void a_copy_sets_nothing_aside_for_dropped_tokens(void **state)
{
    struct attempt attempt = {
        .arrange = few, .act = copy_after_a_drop, .nth = SCARCE_NONE};

    (void)state;
    assert_true(attempt_make(&attempt));
    assert_int_equal(attempt.result, 0);
    assert_int_equal(attempt.left, 0);
}

/* One copy after the other while bindings nest, each sharing anew. */
static int with_and_copies(struct world *world)
{
    cx_context *copies[MANY];
    cx_token tokens[MANY];
    int error = 0;

    (void)world;
    (void)scarce_end();
    for (size_t i = 0; i < MANY; i++) {
        (void)cx_var_bind(many[i], (cx_value){.i64 = 1}, &tokens[i]);
        copies[i] = cx_context_copy();
    }
    scarce_begin(SCARCE_ALL);
    for (size_t i = 0; i < MANY; i++)
        error |= cx_var_reset(many[i * 37 % MANY], &tokens[i * 37 % MANY]);
    for (size_t i = 0; i < MANY; i++)
        cx_context_unref(copies[i]);
    return error;
}

/* Behaviour 130. */
static void resets_of_nested_bindings_need_no_memory(void **state)
{
    (void)state;
    assert_needs_no_memory(nothing, with_and_copies);
    assert_needs_no_memory(wide, with_and_copies);
}

static int with_left(struct world *world)
{
    (void)scarce_end();
    CX_WITH(text, "inside") {
        (void)cx_var_set(many[MANY - 1], (cx_value){.i64 = 1});
        world->made = cx_context_copy();
        (void)cx_var_set(many[0], (cx_value){.i64 = 1});
        world->made_snapshot = cx_snapshot_new();
        scarce_begin(SCARCE_ALL);
    }
    return strcmp(cx_get(text), "few") == 0 ? 0 : -EIO;
}

/* Behaviour 130. */
static void with_ends_without_memory_after_copies(void **state)
{
    (void)state;
    assert_needs_no_memory(few, with_left);
}

static int reset_in_each(cx_var *var, cx_value value, void *arg)
{
    struct world *world = arg;

    (void)var;
    (void)value;
    scarce_begin(SCARCE_ALL);
    return cx_reset(number, &world->token) == 0 ? 1 : -ENOMEM;
}

static int each_with_reset(struct world *world)
{
    (void)scarce_end();
    (void)cx_bind(number, 5, &world->token);
    return cx_context_each(NULL, reset_in_each, world) == 1 ? 0 : -EIO;
}

static void a_reset_inside_each_needs_no_memory(void **state)
{
    (void)state;
    assert_needs_no_memory(few, each_with_reset);
}

static int call_twice(struct world *world)
{
    cx_callback_call(world->callback);
    cx_callback_call(world->callback);
    return world->calls == 2 ? 0 : -EIO;
}

static void calls_that_do_not_overlap_need_no_memory(void **state)
{
    (void)state;
    assert_needs_no_memory(shared, call_twice);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resets_after_copies_need_no_memory),
        cmocka_unit_test(resets_backwards_after_copies_need_no_memory),
        cmocka_unit_test(resets_after_sets_in_copies_need_no_memory),
        cmocka_unit_test(a_reset_after_a_snapshot_needs_no_memory),
        cmocka_unit_test(a_copy_sets_nothing_aside_for_dropped_tokens),
        cmocka_unit_test(resets_of_nested_bindings_need_no_memory),
        cmocka_unit_test(with_ends_without_memory_after_copies),
        cmocka_unit_test(a_reset_inside_each_needs_no_memory),
        cmocka_unit_test(calls_that_do_not_overlap_need_no_memory),
    };

    return cmocka_run_group_tests(tests, many_make, many_free);
}
