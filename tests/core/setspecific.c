/* SPDX-License-Identifier: MIT */
/*
 * pthread_setspecific() may have to make room for a thread's key, and fail:
 * as the thread begins to use the library, and as it ends.
 *
 * Not under ThreadSanitizer: its own runtime would be refused too.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <ctxvar/context.h>

static __thread bool refusing;

int __wrap_pthread_setspecific(pthread_key_t key, const void *value);
int __real_pthread_setspecific(pthread_key_t key, const void *value);

int __wrap_pthread_setspecific(pthread_key_t key, const void *value)
{
    return refusing ? ENOMEM : __real_pthread_setspecific(key, value);
}

static int holders;

static void count_ref(void *value)
{
    (void)value;
    holders++;
}

static void count_unref(void *value)
{
    (void)value;
    holders--;
}

static const cx_type counting = {.ref = count_ref, .unref = count_unref};

CX_VAR(void *, counted, .type = &counting);

static void on_a_thread(void *(*fn)(void *), void *arg)
{
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, fn, arg), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
}

/* What a set gave first, and what it gave when there was room. */
struct sets {
    int first, second;
};

static void *set_without_room(void *arg)
{
    struct sets *sets = arg;

    refusing = true;
    sets->first = cx_set(counted, sets);
    refusing = false;
    sets->second = cx_set(counted, sets);
    return NULL;
}

static void a_set_without_room_is_refused_until_there_is_some(void **state)
{
    struct sets sets = {.first = 0};

    (void)state;
    on_a_thread(set_without_room, &sets);
    assert_int_equal(sets.first, -ENOMEM);
    assert_int_equal(sets.second, 0);
    assert_int_equal(holders, 0);
}

static void *set_and_end_without_room(void *value)
{
    (void)cx_set(counted, value);
    refusing = true;
    return NULL;
}

/* It cannot ask for a later round of destructors, so this one has to do. */
static void a_thread_that_ends_without_room_releases_its_values(void **state)
{
    int value;

    (void)state;
    on_a_thread(set_and_end_without_room, &value);
    assert_int_equal(holders, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_set_without_room_is_refused_until_there_is_some),
        cmocka_unit_test(a_thread_that_ends_without_room_releases_its_values),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
