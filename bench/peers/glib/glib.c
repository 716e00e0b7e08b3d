/* SPDX-License-Identifier: MIT */
/* GLib's GPrivate. Each takes a key of POSIX threads. */
#include <glib.h>

#include "../../measure.h"

#define KEYS 1000

static GPrivate keys[KEYS];
static GPrivate unset;
static GPrivate *key;

static void get(uint64_t n)
{
    ROUNDS(n)
    USE(g_private_get(key));
}

static void set(uint64_t n)
{
    ROUNDS(n)
    g_private_set(key, (void *)(uintptr_t)(round_ + 1));
}

static void bind(uint64_t n)
{
    ROUNDS(n)
    {
        void *before = g_private_get(key);

        g_private_set(key, (void *)(uintptr_t)(round_ + 1));
        g_private_set(key, before);
    }
}

static void measure_with(const char *operation, body_fn *body, GPrivate *with)
{
    key = with;
    measure(operation, body, NULL);
}

int main(int argc, char **argv)
{
    measure_init(argc, argv);
    printf("version %u.%u.%u\n", glib_major_version, glib_minor_version,
           glib_micro_version);
    for (int i = 0; i < KEYS; i++)
        g_private_set(&keys[i], &keys[i]);
    measure_with("get/1", get, &keys[0]);
    measure_with("get/20", get, &keys[19]);
    measure_with("get/1000", get, &keys[999]);
    measure_with("get/default", get, &unset);
    measure_with("set", set, &keys[0]);
    measure_with("bind/set", bind, &keys[0]);
    measure_with("bind/unset", bind, &unset);
    return 0;
}
