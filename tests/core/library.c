/* SPDX-License-Identifier: MIT */
/*
 * A second copy of the library in the process, loaded beside the one that
 * this program is linked with, and closed again. $CTXVAR_LIBRARY names it.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include <ctxvar/context.h>

/* The functions of the second copy that the tests call. */
struct library {
    void *handle;
    cx_var *(*var_new)(const char *, const cx_type *, const cx_value *);
    void (*var_unref)(cx_var *);
    int (*var_set)(cx_var *, cx_value);
    bool (*var_find)(const cx_var *, cx_value *);
    int (*var_unset)(cx_var *);
    size_t (*context_len)(const cx_context *);
};

static void library_open(struct library *library)
{
    const char *path = getenv("CTXVAR_LIBRARY");

    if (path == NULL)
        skip();
    library->handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    assert_non_null(library->handle);
    *(void **)&library->var_new = dlsym(library->handle, "cx_var_new");
    *(void **)&library->var_unref = dlsym(library->handle, "cx_var_unref");
    *(void **)&library->var_set = dlsym(library->handle, "cx_var_set");
    *(void **)&library->var_find = dlsym(library->handle, "cx_var_find");
    *(void **)&library->var_unset = dlsym(library->handle, "cx_var_unset");
    *(void **)&library->context_len = dlsym(library->handle, "cx_context_len");
}

CX_VAR(int, number, .initial = 100);

/* Behaviour 131. */
static void two_copies_of_the_library_have_contexts_of_their_own(void **state)
{
    struct library other;
    cx_value value = {.i64 = 0};
    cx_var *var;

    (void)state;
    library_open(&other);
    var = other.var_new("theirs", NULL, NULL);
    assert_int_equal(cx_set(number, 1), 0);
    assert_int_equal(other.context_len(NULL), 0);
    assert_int_equal(other.var_set(var, (cx_value){.i64 = 2}), 0);
    assert_int_equal(cx_get(number), 1);
    assert_int_equal(cx_context_len(NULL), 1);
    assert_true(other.var_find(var, &value));
    assert_int_equal(value.i64, 2);
    assert_int_equal(other.var_unset(var), 0);
    other.var_unref(var);
    assert_int_equal(dlclose(other.handle), 0);
    assert_int_equal(cx_get(number), 1);
}

/* One thread uses the second copy and outlives its being closed. */
struct outliving {
    struct library other;
    pthread_barrier_t met;
};

static void *use_and_outlive(void *arg)
{
    struct outliving *outliving = arg;
    struct library *other = &outliving->other;
    cx_var *var = other->var_new("theirs", NULL, NULL);

    (void)other->var_set(var, (cx_value){.i64 = 2});
    other->var_unref(var);
    (void)pthread_barrier_wait(&outliving->met);
    (void)pthread_barrier_wait(&outliving->met);
    return NULL;
}

/* Behaviour 131. */
static void
a_thread_ends_well_after_the_library_it_used_was_closed(void **state)
{
    struct outliving outliving;
    pthread_t thread;

    (void)state;
    library_open(&outliving.other);
    (void)pthread_barrier_init(&outliving.met, NULL, 2);
    assert_int_equal(pthread_create(&thread, NULL, use_and_outlive, &outliving),
                     0);
    (void)pthread_barrier_wait(&outliving.met);
    assert_int_equal(dlclose(outliving.other.handle), 0);
    (void)pthread_barrier_wait(&outliving.met);
    assert_int_equal(pthread_join(thread, NULL), 0);
    (void)pthread_barrier_destroy(&outliving.met);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_copies_of_the_library_have_contexts_of_their_own),
        cmocka_unit_test(
            a_thread_ends_well_after_the_library_it_used_was_closed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
