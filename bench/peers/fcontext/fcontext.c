/* SPDX-License-Identifier: MIT */
/*
 * Boost.Context's switch alone, without a scheduler: a coroutine that is
 * resumed and yields, and one that is made and ends.
 */
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

static void *make(void (*fn)(struct transfer))
{
    static _Alignas(64) char stack[64 * 1024];

    return make_fcontext(stack + sizeof(stack), sizeof(stack), fn);
}

static void end(struct transfer came)
{
    (void)jump_fcontext(came.from, NULL);
}

static void make_and_end(uint64_t n)
{
    ROUNDS(n)
    (void)jump_fcontext(make(end), NULL);
}

int main(int argc, char **argv)
{
    measure_init(argc, argv);
    measure("await", make_and_end, NULL);
    coroutine = make(yield_for_ever);
    measure("switch", resume, NULL);
    measure("yield", resume, NULL);
    return 0;
}
