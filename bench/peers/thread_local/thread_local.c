/* SPDX-License-Identifier: MIT */
/* A plain thread-local variable of the program: less than it nothing costs. */
#include "../../measure.h"

/* Not static: the compiler would see that nobody else changes it. */
extern _Thread_local long variable;
_Thread_local long variable = 1;

static void get(uint64_t n)
{
    ROUNDS(n)
    {
        USE(variable);
        BARRIER();
    }
}

static void set(uint64_t n)
{
    ROUNDS(n)
    {
        variable = (long)round_;
        BARRIER();
    }
}

static void bind(uint64_t n)
{
    ROUNDS(n)
    {
        long before = variable;

        variable = (long)round_;
        BARRIER();
        variable = before;
        BARRIER();
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
