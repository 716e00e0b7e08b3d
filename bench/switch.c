/* SPDX-License-Identifier: MIT */
/*
 * What a scheduler does at a switch: the coroutine of peers/fcontext, with the
 * context exchanged around it.
 */
#include <ctxvar/context.h>

#include "measure.h"

struct transfer {
    void *from;
    void *data;
};

void *make_fcontext(void *top, size_t size, void (*fn)(struct transfer));
struct transfer jump_fcontext(void *to, void *data);

CX_VAR(long, var);

static void *coroutine;
static cx_context *theirs;

static void yield_for_ever(struct transfer came)
{
    for (;;)
        came = jump_fcontext(came.from, NULL);
}

static void resume(uint64_t n)
{
    ROUNDS(n)
    {
        cx_context *mine = cx_context_swap(theirs);

        coroutine = jump_fcontext(coroutine, NULL).from;
        theirs = cx_context_swap(mine);
    }
}

int main(int argc, char **argv)
{
    static _Alignas(64) char stack[64 * 1024];

    measure_init(argc, argv);
    (void)cx_set(var, 1);
    theirs = cx_context_copy();
    coroutine =
        make_fcontext(stack + sizeof(stack), sizeof(stack), yield_for_ever);
    measure("switch", resume, NULL);
    return 0;
}
