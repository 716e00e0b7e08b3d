/* SPDX-License-Identifier: MIT */
/*
 * Out of memory, everywhere: allocation 1 fails, then 2, ... until the call
 * succeeds. Each time the error is told, nothing has changed, nothing leaks.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <ctxvar/callback.h>

/* Found by the linker, as --wrap has it; "scarce.h" has them. */
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *block, size_t size);
char *__wrap_strdup(const char *string);
void __wrap_free(void *block);

#include "scarce.h"

CX_VAR(int, never_set);
CX_GLOBAL(int, unused_cell, 3);

/* kept: blocks that the library keeps for good after a success. */
static void sweep_in(void (*arrange)(struct world *),
                     int (*act)(struct world *), int kept)
{
    struct attempt attempt = {.arrange = arrange, .act = act};

    do {
        attempt.nth++;
        assert_true(attempt_make(&attempt));
        if (attempt.result != 0) {
            assert_int_equal(attempt.result, -ENOMEM);
            assert_false(attempt.changed);
            assert_int_equal(attempt.left, 0);
        } else {
            assert_in_range(attempt.left, 0, kept);
        }
        assert_in_range(attempt.nth, 1, 100);
    } while (attempt.result != 0);
}

static void sweep_keeping(int (*act)(struct world *), int kept)
{
    sweep_in(nothing, act, kept);
    sweep_in(few, act, kept);
    sweep_in(bound, act, kept);
    sweep_in(shared, act, kept);
    sweep_in(limited, act, kept);
    sweep_in(wide_bound, act, kept);
    sweep_in(wide, act, kept);
}

static void sweep(int (*act)(struct world *))
{
    sweep_keeping(act, 0);
}

static int made(const void *object)
{
    return object != NULL ? 0 : -errno;
}

static int var_new(struct world *world)
{
    world->var = cx_var_new("var", NULL, NULL);
    return made(world->var);
}

static void var_new_reports_no_memory(void **state)
{
    (void)state;
    sweep_keeping(var_new, 1);
}

static int var_set(struct world *world)
{
    (void)world;
    return cx_set(text, "new");
}

/* Behaviour 129. */
static void set_without_memory_changes_nothing(void **state)
{
    (void)state;
    sweep(var_set);
}

static int var_set_far(struct world *world)
{
    (void)world;
    return cx_var_set(many[MANY - 1], (cx_value){.i64 = 1});
}

/* Behaviour 129. */
static void set_that_grows_without_memory_changes_nothing(void **state)
{
    (void)state;
    sweep(var_set_far);
}

/* After the first set the table is this context's own, its pages are not. */
static int var_set_in_page(struct world *world)
{
    int error;

    if (world->copy == NULL)
        return 0;
    error = cx_set(number, cx_get(number));
    return error != 0 ? error : cx_var_set(many[40], (cx_value){.i64 = -1});
}

/* Behaviour 129. */
static void set_in_a_shared_page_without_memory_changes_nothing(void **state)
{
    (void)state;
    sweep(var_set_in_page);
}

static int thread_set(struct world *world)
{
    (void)world;
    return cx_set(of_thread, "new");
}

static void set_of_a_thread_variable_reports_no_memory(void **state)
{
    (void)state;
    sweep(thread_set);
}

static int var_bind(struct world *world)
{
    return cx_bind(text, "new", &world->token);
}

/* Behaviour 129. */
static void bind_without_memory_makes_no_token(void **state)
{
    (void)state;
    sweep(var_bind);
}

static int var_with(struct world *world)
{
    CX_WITH(number, 9)
        return 0;
    else return world->calls == 0 ? -ENOMEM : 0;
    return -EIO;
}

static void with_without_memory_skips_its_block(void **state)
{
    (void)state;
    sweep(var_with);
}

static int var_unset(struct world *world)
{
    (void)world;
    return cx_unset(text);
}

/* Behaviour 129. */
static void unset_without_memory_changes_nothing(void **state)
{
    (void)state;
    sweep(var_unset);
}

static int cell_ref(struct world *world)
{
    (void)world;
    return made(cx_ref(unused_cell));
}

static void ref_of_a_cell_reports_no_memory(void **state)
{
    (void)state;
    sweep(cell_ref);
}

static int context_new(struct world *world)
{
    world->made = cx_context_new();
    return made(world->made);
}

static void context_new_reports_no_memory(void **state)
{
    (void)state;
    sweep(context_new);
}

static int context_copy(struct world *world)
{
    world->made = cx_context_copy();
    return made(world->made);
}

/* Behaviour 129. */
static void copy_without_memory_changes_nothing(void **state)
{
    (void)state;
    sweep(context_copy);
}

static int context_copy_of(struct world *world)
{
    world->made = cx_context_copy_of(world->copy);
    return made(world->made);
}

/* Behaviour 129. */
static void copy_of_a_context_reports_no_memory(void **state)
{
    (void)state;
    sweep(context_copy_of);
}

static int context_current(struct world *world)
{
    (void)world;
    return made(cx_context_current());
}

static void current_reports_no_memory(void **state)
{
    (void)state;
    sweep(context_current);
}

static int context_run(struct world *world)
{
    return world->copy != NULL
               ? cx_context_run(world->copy, world_count_call, world)
               : 0;
}

static void run_without_memory_calls_nothing(void **state)
{
    (void)state;
    sweep(context_run);
}

/* Made before all attempts, so that a thread begins by entering it. */
static cx_context *made_before;

static int context_enter(struct world *world)
{
    int error = cx_context_enter(made_before);

    (void)world;
    return error != 0 ? error : cx_context_exit(made_before);
}

static void enter_without_memory_enters_nothing(void **state)
{
    (void)state;
    made_before = cx_context_new();
    sweep(context_enter);
    cx_context_unref(made_before);
}

static int count_entry(cx_var *var, cx_value value, void *world)
{
    (void)var;
    (void)value;
    world_count_call(world);
    return 0;
}

static int context_each(struct world *world)
{
    return cx_context_each(NULL, count_entry, world);
}

static void each_without_memory_calls_nothing(void **state)
{
    (void)state;
    sweep(context_each);
}

static int snapshot_new(struct world *world)
{
    world->made_snapshot = cx_snapshot_new();
    return made(world->made_snapshot);
}

static void snapshot_new_reports_no_memory(void **state)
{
    (void)state;
    sweep(snapshot_new);
}

static int snapshot_run(struct world *world)
{
    return world->snapshot != NULL
               ? cx_snapshot_run(world->snapshot, world_count_call, world)
               : 0;
}

static void snapshot_run_without_memory_calls_nothing(void **state)
{
    (void)state;
    sweep(snapshot_run);
}

static int context_of(struct world *world)
{
    if (world->snapshot == NULL)
        return 0;
    world->made = cx_context_of(world->snapshot);
    return made(world->made);
}

static void context_of_a_snapshot_reports_no_memory(void **state)
{
    (void)state;
    sweep(context_of);
}

static int callback_new(struct world *world)
{
    world->made_callback = cx_callback_new(world_count_call, world);
    return made(world->made_callback);
}

static void callback_new_reports_no_memory(void **state)
{
    (void)state;
    sweep(callback_new);
}

static int callback_call(struct world *world)
{
    if (world->callback == NULL)
        return 0;
    cx_callback_call(world->callback);
    return world->calls == 1 ? 0 : -ENOMEM;
}

static void a_call_without_memory_is_not_made(void **state)
{
    (void)state;
    sweep(callback_call);
}

static void *count_in_thread(void *world)
{
    world_count_call(world);
    return NULL;
}

static int thread_create(struct world *world)
{
    pthread_t thread;
    int error = cx_thread_create(&thread, NULL, count_in_thread, world);

    return error != 0 ? error : -pthread_join(thread, NULL);
}

static void thread_create_without_memory_creates_none(void **state)
{
    (void)state;
    sweep(thread_create);
}

static void on_change(cx_value now, void *arg)
{
    (void)now;
    (void)arg;
}

static int watch(struct world *world)
{
    int error = cx_watch(cx_var_of(never_set), on_change, world);

    return error != 0 ? error
                      : cx_unwatch(cx_var_of(never_set), on_change, world);
}

static void watch_reports_no_memory(void **state)
{
    (void)state;
    sweep_keeping(watch, 1);
}

static int thread_create_in_vain(struct world *world)
{
    int before = world->calls;
    int error = thread_create(world);

    return error == 0 && world->calls == before ? -EIO : error;
}

static void thread_create_calls_its_function(void **state)
{
    (void)state;
    sweep(thread_create_in_vain);
}

static int dump_long(struct world *world)
{
    char longer[400], out[1000] = "";
    FILE *file = fmemopen(out, sizeof(out), "w");
    int error;

    (void)world;
    memset(longer, 'x', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    (void)setvbuf(file, NULL, _IONBF, 0);
    (void)scarce_end();
    (void)cx_set(text, longer);
    scarce_begin(SCARCE_ALL);
    error = cx_context_dump(NULL, file);
    (void)fclose(file);
    return error == 0 && strstr(out, "text = xxx") == NULL ? -EIO : error;
}

static void dump_without_memory_shortens_long_values(void **state)
{
    struct attempt attempt = {
        .arrange = nothing, .act = dump_long, .nth = SCARCE_ALL};

    (void)state;
    assert_true(attempt_make(&attempt));
    assert_int_equal(attempt.result, 0);
    assert_int_equal(attempt.asked, 1);
    assert_int_equal(attempt.left, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(var_new_reports_no_memory),
        cmocka_unit_test(set_without_memory_changes_nothing),
        cmocka_unit_test(set_that_grows_without_memory_changes_nothing),
        cmocka_unit_test(set_in_a_shared_page_without_memory_changes_nothing),
        cmocka_unit_test(set_of_a_thread_variable_reports_no_memory),
        cmocka_unit_test(bind_without_memory_makes_no_token),
        cmocka_unit_test(with_without_memory_skips_its_block),
        cmocka_unit_test(unset_without_memory_changes_nothing),
        cmocka_unit_test(ref_of_a_cell_reports_no_memory),
        cmocka_unit_test(context_new_reports_no_memory),
        cmocka_unit_test(copy_without_memory_changes_nothing),
        cmocka_unit_test(copy_of_a_context_reports_no_memory),
        cmocka_unit_test(current_reports_no_memory),
        cmocka_unit_test(run_without_memory_calls_nothing),
        cmocka_unit_test(enter_without_memory_enters_nothing),
        cmocka_unit_test(each_without_memory_calls_nothing),
        cmocka_unit_test(snapshot_new_reports_no_memory),
        cmocka_unit_test(snapshot_run_without_memory_calls_nothing),
        cmocka_unit_test(context_of_a_snapshot_reports_no_memory),
        cmocka_unit_test(callback_new_reports_no_memory),
        cmocka_unit_test(a_call_without_memory_is_not_made),
        cmocka_unit_test(thread_create_without_memory_creates_none),
        cmocka_unit_test(watch_reports_no_memory),
        cmocka_unit_test(thread_create_calls_its_function),
        cmocka_unit_test(dump_without_memory_shortens_long_values),
    };

    return cmocka_run_group_tests(tests, many_make, many_free);
}
