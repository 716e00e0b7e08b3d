/* SPDX-License-Identifier: MIT */
/*
 * The operations of the fuzzer on variables, their values and tokens.
 */
#ifndef CTXVAR_FUZZ_VARIABLES_H
#define CTXVAR_FUZZ_VARIABLES_H

#include <errno.h>

#include "actor.h"

static void do_set(struct actor *actor)
{
    int var = any_var(actor);
    uint64_t payload;
    cx_value value = make_value(actor, var, &payload);
    int error = var == PLAIN ? cx_set(plain, value.i64)
                             : cx_var_set(actor->naive->var[var].var, value);

    give_back(actor, var, value);
    if (actor->naive->var[var].kind == CELLS) {
        CHECK(error == -EINVAL);
        return;
    }
    CHECK(error == 0);
    map_of(actor->naive, actor->me, var)->at[var] =
        (struct held){.set = true, .value = payload};
    check_var(actor, var);
}

static void do_unset(struct actor *actor)
{
    int var = any_var(actor);
    int error = cx_var_unset(actor->naive->var[var].var);

    if (actor->naive->var[var].kind == CELLS) {
        CHECK(error == -EINVAL);
        return;
    }
    CHECK(error == 0);
    map_of(actor->naive, actor->me, var)->at[var].set = false;
    check_var(actor, var);
}

static uint64_t serial_for(struct actor *actor, int var)
{
    return actor->naive->var[var].of_thread ? actor->thread->serial
                                            : actor->thread->current->serial;
}

static void do_bind(struct actor *actor)
{
    struct token *token = any_token(actor);
    int var = any_var(actor);
    struct held *held = &map_of(actor->naive, actor->me, var)->at[var];
    uint64_t payload;
    cx_value value;

    if (token->open || actor->naive->var[var].kind == CELLS)
        return;
    value = make_value(actor, var, &payload);
    CHECK(cx_var_bind(actor->naive->var[var].var, value, &token->real) == 0);
    give_back(actor, var, value);
    token->open = true;
    token->var = var;
    token->serial = serial_for(actor, var);
    token->old = *held;
    *held = (struct held){.set = true, .value = payload};
    check_var(actor, var);
}

static void check_token(struct actor *actor, const struct token *token)
{
    const struct variable *variable = &actor->naive->var[token->var];
    cx_value old;

    CHECK(cx_token_used(&token->real) == !token->open);
    CHECK(cx_token_old(&token->real, &old) == (token->open && token->old.set));
    if (token->open && token->old.set)
        CHECK(payload_of(variable, old) == token->old.value);
}

static void do_reset(struct actor *actor)
{
    struct token *token = any_token(actor);
    int var = next(actor) % 4 == 0 ? any_var(actor) : token->var;
    cx_var *real = var == token->var ? cx_token_var(&token->real)
                                     : actor->naive->var[var].var;
    int error = real != NULL ? cx_var_reset(real, &token->real) : -EALREADY;

    if (!token->open) {
        CHECK(error == -EALREADY);
    } else if (var != token->var) {
        CHECK(error == -EINVAL);
    } else if (token->serial != serial_for(actor, var)) {
        CHECK(error == -EXDEV);
    } else {
        CHECK(error == 0);
        token->open = false;
        map_of(actor->naive, actor->me, var)->at[var] = token->old;
        if (actor->naive->var[var].usable)
            check_var(actor, var);
    }
    check_token(actor, token);
}

static void do_drop(struct actor *actor)
{
    struct token *token = any_token(actor);

    cx_token_drop(&token->real);
    token->open = false;
    check_token(actor, token);
}

static void do_cell(struct actor *actor)
{
    int i = next(actor) % 2;
    struct context *context = actor->thread->current;
    struct held *held = &context->map.at[CELL + i];
    uint64_t *real = i == 0 ? cx_ref(cell) : &cx_ref(big_cell)->first;

    CHECK(real != NULL);
    CHECK(context->cell[i] == NULL || context->cell[i] == real);
    CHECK(*real == (held->set ? held->value : (uint64_t)(5 + i)));
    context->cell[i] = real;
    *real = next(actor);
    *held = (struct held){.set = true, .value = *real};
}

static void do_make(struct actor *actor)
{
    int var = FIXED + next(actor) % (VARS - FIXED);
    struct variable *variable = &actor->naive->var[var];
    uint8_t options = next(actor);
    cx_value initial = {.u64 = 9};

    if (var_is_held(actor->naive, var))
        return;
    *variable =
        (struct variable){.kind = (options & 1) != 0 ? OBJECTS : NUMBERS,
                          .usable = true,
                          .has_initial = (options & 3) == 2,
                          .initial = 9};
    variable->var =
        cx_var_new("made", variable->kind == OBJECTS ? &taken : NULL,
                   variable->has_initial ? &initial : NULL);
    CHECK(variable->var != NULL);
    check_var(actor, var);
}

static void do_unmake(struct actor *actor)
{
    struct variable *variable =
        &actor->naive->var[FIXED + next(actor) % (VARS - FIXED)];

    if (variable->usable)
        cx_var_unref(variable->var);
    variable->usable = false;
}

#endif
