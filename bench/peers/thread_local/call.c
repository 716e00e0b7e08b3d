/* SPDX-License-Identifier: MIT */
/* The thread-local variable of getter.c, by calls into its library. */
#include "../../measure.h"

long shared_get(void);
void shared_set(long value);

static void get(uint64_t n)
{
    ROUNDS(n)
    USE(shared_get());
}

static void set(uint64_t n)
{
    ROUNDS(n)
    shared_set((long)round_);
}

static void bind(uint64_t n)
{
    ROUNDS(n)
    {
        long before = shared_get();

        shared_set((long)round_);
        shared_set(before);
    }
}

int main(int argc, char **argv)
{
    measure_init(argc, argv);
    measure("get/1", get, NULL);
    measure("set", set, NULL);
    measure("bind/set", bind, NULL);
    return 0;
}
