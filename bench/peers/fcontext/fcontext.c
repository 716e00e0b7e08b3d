/* SPDX-License-Identifier: MIT */
/* Boost.Context's switch alone: a coroutine that is resumed and yields. */
#include "../../measure.h"

struct transfer {
    void *from;
    void *data;
};

void *make_fcontext(void *top, size_t size, void (*fn)(struct transfer));
struct transfer jump_fcontext(void *to, void *data);

static void *coroutine;

static void yield_for_ever(struct transfer came)
{
    for (;;)
        came = jump_fcontext(came.from, NULL);
}

static void resume(uint64_t n)
{
    ROUNDS(n)
    coroutine = jump_fcontext(coroutine, NULL).from;
}

int main(int argc, char **argv)
{
    static _Alignas(64) char stack[64 * 1024];

    measure_init(argc, argv);
    coroutine =
        make_fcontext(stack + sizeof(stack), sizeof(stack), yield_for_ever);
    measure("switch", resume, NULL);
    return 0;
}
