/* SPDX-License-Identifier: MIT */
/* The bare operations of this machine that everything else consists of. */
#include "../../measure.h"

static uint64_t counter;
static char from[512], to[512];

static void atomic_add(uint64_t n)
{
    ROUNDS(n)
    (void)__atomic_fetch_add(&counter, 1, __ATOMIC_RELAXED);
}

static void atomic_add_and_sub(uint64_t n)
{
    ROUNDS(n)
    {
        (void)__atomic_fetch_add(&counter, 1, __ATOMIC_RELAXED);
        (void)__atomic_fetch_sub(&counter, 1, __ATOMIC_ACQ_REL);
    }
}

static void allocate(uint64_t n)
{
    ROUNDS(n)
    {
        void *memory = malloc(512);

        USE(memory);
        free(memory);
    }
}

static void copy_bytes(uint64_t n)
{
    ROUNDS(n)
    {
        USE(memcpy(to, from, sizeof(to)));
        BARRIER();
    }
}

int main(int argc, char **argv)
{
    measure_init(argc, argv);
    measure("machine/atomic", atomic_add, NULL);
    measure("machine/atomics", atomic_add_and_sub, NULL);
    measure("machine/malloc", allocate, NULL);
    measure("machine/memcpy", copy_bytes, NULL);
    return 0;
}
