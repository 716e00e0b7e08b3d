/* SPDX-License-Identifier: MIT */
/*
 * Needs: boost_context (static)
 *
 * A foreign coroutine switch: Boost.Context's, which is two C functions.
 *
 *     cc fcontext.c $(pkg-config --cflags --libs ctxvar) \
 *         -l:libboost_context.a -o fcontext
 *
 * The two lines: cx_context_swap() before and after the switch that resumes a
 * coroutine. A coroutine that yields returns into the same place, so yielding
 * needs none. Coroutines that change threads need -DCX_MIGRATING besides.
 */
#include <ctxvar/context.h>

#include "expect.h"

struct transfer {
    void *from;
    void *data;
};

void *make_fcontext(void *top, size_t size, void (*fn)(struct transfer));
struct transfer jump_fcontext(void *to, void *data);

enum { STACK_BYTES = 64 * 1024 };

/* Where it stands, who resumed it, and its context while it does not run. */
struct coroutine {
    void *place;
    void *resumer;
    cx_context *context;
    char *tenant;
    _Alignas(16) char stack[STACK_BYTES];
};

CX_VAR(const char *, tenant, .initial = "nobody");

static void resume(struct coroutine *coroutine)
{
    cx_context *mine = cx_context_swap(coroutine->context);

    coroutine->place = jump_fcontext(coroutine->place, coroutine).from;
    coroutine->context = cx_context_swap(mine);
}

static void yield(struct coroutine *coroutine)
{
    coroutine->resumer = jump_fcontext(coroutine->resumer, NULL).from;
}

/* The program proper, which knows of coroutines only that it may yield. */
static void serve(struct coroutine *coroutine)
{
    expect("a coroutine begins", cx_get(tenant), "founder");
    cx_set(tenant, coroutine->tenant);
    for (int i = 0; i < 2; i++) {
        yield(coroutine);
        expect("a coroutine goes on", cx_get(tenant), coroutine->tenant);
    }
    CX_WITH(tenant, "auditor") {
        yield(coroutine);
        expect("a coroutine in a block", cx_get(tenant), "auditor");
    }
    expect("a coroutine after it", cx_get(tenant), coroutine->tenant);
}

static void begin(struct transfer transfer)
{
    struct coroutine *coroutine = transfer.data;

    coroutine->resumer = transfer.from;
    serve(coroutine);
    jump_fcontext(coroutine->resumer, coroutine); /* for good */
}

static void create(struct coroutine *coroutine, char *name)
{
    coroutine->place =
        make_fcontext(coroutine->stack + STACK_BYTES, STACK_BYTES, begin);
    coroutine->context = cx_context_copy();
    coroutine->tenant = name;
}

int main(void)
{
    static struct coroutine coroutines[2];

    cx_set(tenant, "founder");
    create(&coroutines[0], "acme");
    create(&coroutines[1], "globex");
    for (int i = 0; i < 2 * 4; i++) {
        resume(&coroutines[i % 2]);
        expect("the thread meanwhile", cx_get(tenant), "founder");
    }
    for (int i = 0; i < 2; i++)
        cx_context_unref(coroutines[i].context);
    return verdict(2 * 5 + 8);
}
