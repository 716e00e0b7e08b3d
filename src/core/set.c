/* SPDX-License-Identifier: MIT */
/*
 * Reading and writing variables: the calls behind the inline paths of
 * <ctxvar/detail.h>, and tokens.
 *
 * Each writing call does first what can fail (register, take, make the table
 * writable), then commits with steps that cannot, and lets go of the old
 * value last: that may run code of the program's, which may come back here.
 */
#include <assert.h>
#include <errno.h>

#include "context.h"
#include "hold.h"
#include "table.h"
#include "thread.h"
#include "variable.h"
#include "watch.h"

/* What a variable was before a change, and what else is let go of. */
struct old {
    bool set;
    cx_value value;
    struct cx__remains remains;
};

bool cx_var_find(const cx_var *var, cx_value *out)
{
    const struct cx__entry *entry;
    cx_value value;
    bool found;

    if (var == NULL)
        return false;
    entry = cx__table_find(cx__scope_of(cx__var_flags(var))->table, var);
    found = entry != NULL;
    if (found)
        value = entry->value;
    else
        found = cx__var_default(var, &value);
    if (found && out != NULL)
        *out = value;
    return found;
}

cx_value cx__get_call(const cx_var *var, unsigned scope)
{
    const struct cx__entry *entry = cx__entry_of(var, scope);
    cx_value value;

    if (entry != NULL)
        return entry->value;
    (void)cx__var_default(var, &value);
    return value;
}

/*
 * Make the entry of a variable writable in the current context. On success
 * the scope has a context, and *old says what is there.
 */
static int entry_open(cx_var *var, struct cx__spare *spare,
                      struct cx__scope *scope, struct old *old)
{
    cx_context *ctx = (cx_context *)scope->context;
    struct cx__entry *entry =
        cx__table_write(&ctx->table, var->slot, spare, &old->remains);

    if (entry == NULL)
        return -ENOMEM;
    if (scope == &cx__tls.scope[0])
        old->remains.in_hand = cx__table_replace_current(ctx->table);
    else
        scope->table = ctx->table;
    old->set = entry->var == var;
    old->value = entry->value;
    return 0;
}

/* Tell the watchers of a change that has been made. */
static void changed(cx_var *var, const struct old *old)
{
    cx_value before = old->value;

    if ((cx__var_flags(var) & CX__WATCHED) == 0)
        return;
    if (!old->set)
        (void)cx__var_default(var, &before);
    cx__watch_changed(var, before);
}

/* Last of all: from here on the program's code may do anything. */
static void release(cx_var *var, const struct old *old)
{
    cx__remains_release(&old->remains);
    if (old->set && (cx__var_flags(var) & CX__MANAGED) != 0)
        cx__value_unref(var, old->value);
}

/* What a set, bind or unset must pass before it may change anything. */
static int may_change(cx_var *var, struct cx__scope **scope)
{
    int error;

    if (var == NULL || (cx__var_flags(var) & CX__CELL) != 0)
        return -EINVAL;
    error = cx__var_register(var);
    if (error != 0)
        return error;
    if (cx__watch_busy(var))
        return -EBUSY;
    return cx__scope_ready(cx__var_flags(var), scope);
}

static void token_make(cx_token *token, cx_var *var, struct cx__scope *scope,
                       const struct old *old)
{
    *token = (cx_token){
        .var = cx_var_ref(var),
        .context = scope->context->id,
        .old = old->value,
        .state = old->set ? CX__TOKEN_SET : CX__TOKEN_UNSET,
    };
    scope->context->tokens++;
}

/* Set, or, with a token, bind: then the token takes over the old value. */
static int assign(cx_var *var, cx_value value, cx_token *token)
{
    struct cx__scope *scope;
    struct old old;
    int error = may_change(var, &scope);

    if (error == 0 && (cx__var_flags(var) & CX__MANAGED) != 0)
        error = cx__value_take(var, &value);
    if (error != 0)
        return error;
    error = entry_open(var, NULL, scope, &old);
    if (error != 0) {
        cx__value_unref(var, value);
        return error;
    }
    if (!old.set)
        (void)cx_var_ref(var);
    cx__table_put(scope->table, var, value);
    if (token != NULL)
        token_make(token, var, scope, &old);
    changed(var, &old);
    if (token != NULL)
        cx__remains_release(&old.remains);
    else
        release(var, &old);
    return 0;
}

int cx__set_call(cx_var *var, cx_value value)
{
    return assign(var, value, NULL);
}

int cx__bind_call(cx_var *var, cx_value value, cx_token *token)
{
    return token != NULL ? assign(var, value, token) : -EINVAL;
}

static unsigned scope_index(const cx_var *var)
{
    return (cx__var_flags(var) & CX__THREAD) != 0;
}

int cx_var_set(cx_var *var, cx_value value)
{
    return var != NULL ? cx__set(var, scope_index(var), value) : -EINVAL;
}

int cx_var_bind(cx_var *var, cx_value value, cx_token *token)
{
    return var != NULL ? cx__bind(var, scope_index(var), value, token)
                       : -EINVAL;
}

int cx_var_reset(cx_var *var, cx_token *token)
{
    return var != NULL ? cx__reset(var, scope_index(var), token) : -EINVAL;
}

int cx_var_unset(cx_var *var)
{
    struct cx__scope *scope;
    struct old old;
    int error = may_change(var, &scope);

    if (error != 0 || cx__table_find(scope->table, var) == NULL)
        return error;
    error = entry_open(var, NULL, scope, &old);
    if (error != 0)
        return error;
    cx__table_clear(scope->table, var);
    changed(var, &old);
    release(var, &old);
    cx_var_unref(var);
    return 0;
}

/* Why a token cannot be used here; 0 if it can. */
static int token_refused(const cx_token *token, const cx_var *var,
                         const struct cx__scope *scope)
{
    if (token->state == CX__TOKEN_USED)
        return -EALREADY;
    if (token->var != var)
        return -EINVAL;
    if (scope->context == NULL || scope->context->id != token->context)
        return -EXDEV;
    return cx__watch_busy(var) ? -EBUSY : 0;
}

/* From here on the token owns nothing and is used. */
static void token_use(cx_token *token)
{
    token->state = CX__TOKEN_USED;
    if ((cx__var_flags(token->var) & CX__DYNAMIC) != 0)
        token->var = NULL;
}

/* Put back what the token remembers; the value's hold moves to the entry. */
static void token_restore(const cx_token *token, cx_var *var,
                          struct cx__table *table, const struct old *now)
{
    if (token->state == CX__TOKEN_SET) {
        if (!now->set)
            (void)cx_var_ref(var);
        cx__table_put(table, var, token->old);
    } else if (now->set) {
        cx__table_clear(table, var);
    }
}

int cx__reset_call(cx_var *var, cx_token *token)
{
    struct cx__scope *scope;
    cx_context *ctx;
    struct old now;
    bool was_set;
    int error;

    if (token == NULL)
        return -EINVAL;
    scope = cx__scope_of(cx__var_flags(var));
    error = token_refused(token, var, scope);
    if (error != 0)
        return error;
    ctx = (cx_context *)scope->context;
    was_set = token->state == CX__TOKEN_SET;
    if (entry_open(var, ctx->spare, scope, &now) != 0) {
        assert(!"memory was set aside for this");
        return -ENOMEM;
    }
    token_restore(token, var, scope->table, &now);
    token_use(token);
    scope->context->tokens--;
    changed(var, &now);
    release(var, &now);
    if (now.set && !was_set)
        cx_var_unref(var); /* the entry's */
    cx_var_unref(var);     /* the token's */
    return 0;
}

void cx_token_drop(cx_token *token)
{
    struct cx__scope *scope;
    struct old old;
    cx_var *var;

    if (cx_token_used(token))
        return;
    var = token->var;
    scope = cx__scope_of(cx__var_flags(var));
    if (scope->context != NULL && scope->context->id == token->context)
        scope->context->tokens--;
    old =
        (struct old){.set = token->state == CX__TOKEN_SET, .value = token->old};
    token_use(token);
    release(var, &old);
    cx_var_unref(var);
}

cx_var *cx_token_var(const cx_token *token)
{
    return token != NULL ? token->var : NULL;
}

bool cx_token_old(const cx_token *token, cx_value *out)
{
    if (token == NULL || token->state != CX__TOKEN_SET)
        return false;
    if (out != NULL)
        *out = token->old;
    return true;
}

bool cx_token_used(const cx_token *token)
{
    return token == NULL || token->state == CX__TOKEN_USED;
}

/* A cell for the current context, which had none. */
void *cx__ref_call(cx_var *var)
{
    const struct cx__entry *entry = cx__table_find(cx__tls.scope[0].table, var);
    struct cx__scope *scope;
    struct old old;
    cx_value cell;
    int error;

    if (entry != NULL)
        return entry->value.ptr;
    (void)cx__var_register(var); /* a cell has no type to be refused for */
    error = cx__scope_ready(cx__var_flags(var), &scope);
    cell.ptr = error == 0 ? cx__cell_new(var, var->initial[0]) : NULL;
    if (cell.ptr == NULL) {
        errno = error != 0 ? -error : ENOMEM;
        return NULL;
    }
    error = entry_open(var, NULL, scope, &old);
    if (error != 0) {
        cx__value_unref(var, cell);
        errno = -error;
        return NULL;
    }
    cx__table_put(scope->table, var, cell);
    cx__remains_release(&old.remains);
    return cell.ptr;
}
