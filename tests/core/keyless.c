/* SPDX-License-Identifier: MIT */
/*
 * A process that has used up its thread-specific keys before the library was
 * loaded: nobody would release what a thread sets, so that nothing is set.
 *
 * Not under ThreadSanitizer: its own runtime would be refused keys too.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <ctxvar/callback.h>

int __wrap_pthread_key_create(pthread_key_t *key, void (*destructor)(void *));
int __real_pthread_key_create(pthread_key_t *key, void (*destructor)(void *));

/* The first key of the process is somebody else's. */
int __wrap_pthread_key_create(pthread_key_t *key, void (*destructor)(void *))
{
    pthread_key_t others;

    (void)key;
    (void)destructor;
    (void)__real_pthread_key_create(&others, NULL);
    return EAGAIN;
}

CX_VAR(int, number, .initial = 100);

static void without_a_key_defaults_are_read(void **state)
{
    (void)state;
    assert_int_equal(cx_get(number), 100);
    assert_int_equal(cx_context_len(NULL), 0);
}

static void without_a_key_nothing_is_set(void **state)
{
    cx_token token;

    (void)state;
    assert_int_equal(cx_set(number, 1), -ENOMEM);
    assert_int_equal(cx_bind(number, 1, &token), -ENOMEM);
    assert_int_equal(cx_get(number), 100);
}

static void without_a_key_no_context_is_made(void **state)
{
    (void)state;
    errno = 0;
    assert_null(cx_context_new());
    assert_int_equal(errno, ENOMEM);
    assert_null(cx_context_copy());
    assert_null(cx_snapshot_new());
    assert_null(cx_context_current());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_key_defaults_are_read),
        cmocka_unit_test(without_a_key_nothing_is_set),
        cmocka_unit_test(without_a_key_no_context_is_made),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
