/* SPDX-License-Identifier: MIT */
/*
 * Keys of POSIX threads; as many as the system gives, which is 1,024 in all.
 */
#include <gnu/libc-version.h>
#include <pthread.h>

#include "../../measure.h"

#define KEYS 1000

static pthread_key_t keys[KEYS];
static pthread_key_t unset;
static pthread_key_t key;

static void get(uint64_t n)
{
    ROUNDS(n)
    USE(pthread_getspecific(key));
}

static void set(uint64_t n)
{
    ROUNDS(n)
    (void)pthread_setspecific(key, (void *)(uintptr_t)(round_ + 1));
}

static void bind(uint64_t n)
{
    ROUNDS(n)
    {
        void *before = pthread_getspecific(key);

        (void)pthread_setspecific(key, (void *)(uintptr_t)(round_ + 1));
        (void)pthread_setspecific(key, before);
    }
}

static void measure_with(const char *operation, body_fn *body,
                         pthread_key_t with)
{
    key = with;
    measure(operation, body, NULL);
}

int main(int argc, char **argv)
{
    measure_init(argc, argv);
    printf("version glibc %s\n", gnu_get_libc_version());
    for (int i = 0; i < KEYS; i++) {
        if (pthread_key_create(&keys[i], NULL) != 0 ||
            pthread_setspecific(keys[i], &keys[i]) != 0)
            return 1;
    }
    if (pthread_key_create(&unset, NULL) != 0)
        return 1;
    measure_with("get/1", get, keys[0]);
    measure_with("get/20", get, keys[19]);
    measure_with("get/1000", get, keys[999]);
    measure_with("get/default", get, unset);
    measure_with("set", set, keys[0]);
    measure_with("bind/set", bind, keys[0]);
    measure_with("bind/unset", bind, unset);
    return 0;
}
