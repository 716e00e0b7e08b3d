/* SPDX-License-Identifier: MIT */
/*
 * Variables: a value for each context, a default for all, and the tokens that
 * undo a binding. Contexts themselves are <ctxvar/context.h>.
 *
 * A variable is normally defined at file scope, typed, without a registration
 * call, and read and written by name:
 *
 *     CX_VAR(const char *, user_table, .initial = "Users");
 *
 *     cx_set(user_table, "Users_A");
 *     puts(cx_get(user_table));
 *
 * The macros check types and unpack values; the functions beneath them, for
 * variables made at run time and for other languages, begin with cx_var_.
 */
#ifndef CTXVAR_VAR_H
#define CTXVAR_VAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ctxvar/platform.h>

CX__BEGIN_DECLS

/** A variable. Typed ones are made by CX_VAR(), others by cx_var_new(). */
typedef struct cx_var cx_var;

/**
 * What a variable holds: 8 bytes, kept by value. Integers are widened to
 * .i64 or .u64, floating point to .f64, every pointer is .ptr.
 */
typedef union cx_value {
    void *ptr;
    int64_t i64;
    uint64_t u64;
    double f64;
} cx_value;

/**
 * How values of one kind are owned. All members NULL: plain bytes, borrowed.
 * A NULL value is never passed to take, ref or unref. Contexts share values,
 * so a type with unref needs ref; one without is refused with -EINVAL.
 */
typedef struct cx_type {
    /** For dumps. */
    const char *name;
    /** At set: the value the context will own; a NULL return is -ENOMEM.
     *  Absent: the value itself, then ref. */
    void *(*take)(const void *value);
    /** One more holder. May run on any thread; must not fail, and must not
     *  use this library. */
    void (*ref)(void *value);
    /** One holder less. May run on any thread, holds no lock, and may use
     *  this library; must not switch to another coroutine. */
    void (*unref)(void *value);
    /** Write the value as text, as snprintf does. Absent: as a pointer. */
    int (*format)(const void *value, char *buf, size_t size);
} cx_type;

/** const char *: copied once at set, shared by every context that holds it. */
extern CX__DATA const cx_type cx_string;

/** Who gets a variable's value when a context is copied. */
typedef enum cx_inherit {
    CX_INHERIT_ALL = 0,     /**< every copy */
    CX_INHERIT_TASKS = 1,   /**< copies that stay on the thread */
    CX_INHERIT_THREADS = 2, /**< copies that go to another thread */
    CX_INHERIT_NONE = 3,    /**< no copy */
} cx_inherit;

/**
 * Remembers what a variable was, so that cx_reset() can bring it back. Lives
 * in the caller's memory, commonly on the stack; {0} is a used token. It may
 * own a value, and so is not to be copied. Its members are private.
 */
typedef struct cx_token {
    cx_var *var;
    uint64_t context;
    cx_value old;
    uint32_t state;
} cx_token;

/**
 * Make a variable at run time.
 *
 * @param title    Copied; what dumps call it. NULL is the empty title.
 * @param type     Borrowed for the variable's life; NULL: plain bytes.
 * @param initial  Copied; NULL: no default. The default is borrowed: it is
 *                 neither taken nor released.
 * @return the variable, owned by the caller, or NULL with errno
 *   ENOMEM       no memory
 *   EINVAL       the type has unref without ref
 *
 * Suspends: never. Threads: any. Cost: one allocation.
 * Source: PEP 567, ContextVar().  Since: 0.1
 */
CX__API cx_var *cx_var_new(const char *title, const cx_type *type,
                           const cx_value *initial);

/**
 * Hold a variable once more.
 *
 * @param var  Borrowed; NULL is ignored. A typed variable is never freed and
 *             ignores this.
 * @return var, now owned once more by the caller.
 *
 * Suspends: never. Threads: any. Cost: one atomic addition.
 * Source: own.  Since: 0.1
 */
CX__API cx_var *cx_var_ref(cx_var *var);

/**
 * Let go of a variable; contexts that hold a value of it keep it alive.
 *
 * @param var  Owned, given up; NULL and typed variables are ignored.
 *
 * Suspends: never. Threads: any. Cost: one atomic subtraction.
 * Source: own.  Since: 0.1
 */
CX__API void cx_var_unref(cx_var *var);

/**
 * Tell what dumps call a variable.
 *
 * @param var  Borrowed; NULL gives NULL.
 * @return the title, borrowed from the variable.
 *
 * Suspends: never. Threads: any. Cost: O(1).
 * Source: PEP 567, ContextVar.name.  Since: 0.1
 */
CX__API const char *cx_var_title(const cx_var *var);

/**
 * Find the value of a variable: the current context's, else its default.
 *
 * @param var  Borrowed.
 * @param out  Written when there is a value; NULL: only ask. The value is
 *             borrowed from the context until it is set again there.
 * @return true, or false when it is neither set nor has a default, or var is
 *         NULL.
 *
 * Suspends: never. Threads: any, asks the caller's context; a signal handler
 * may call it. Cost: O(1), no lock, no allocation.
 * Source: PEP 567, ContextVar.get().  Since: 0.1
 */
CX__API bool cx_var_find(const cx_var *var, cx_value *out);

/**
 * Give a variable a value in the current context.
 *
 * Code called from here on, and tasks created from here on, read the new
 * value; contexts copied earlier keep theirs.
 *
 * @param var    Borrowed.
 * @param value  Owned by the context from success on, as the variable's type
 *               says; on error still yours.
 * @return 0, or
 *   -ENOMEM      no memory; nothing has changed
 *   -EINVAL      var is NULL, or its type has unref without ref
 *   -EBUSY       called by a watcher of this very variable
 *   -ESHUTDOWN   this thread is past its last destructor
 *
 * Suspends: never. Threads: any, acts on the caller's context. Cost: O(1)
 * while no other context shares the table, else one copy of it.
 * Source: PEP 567, ContextVar.set().  Since: 0.1
 */
CX__API int cx_var_set(cx_var *var, cx_value value);

/**
 * Give a variable a value in the current context, remembering the old one.
 *
 * @param var    Borrowed.
 * @param value  As in cx_var_set().
 * @param token  Written on success only; give it to cx_var_reset() or
 *               cx_token_drop(). It owns the old value until then.
 * @return 0, or the errors of cx_var_set(); -EINVAL too when token is NULL.
 *
 * Suspends: never. Threads: any, acts on the caller's context. Cost: as
 * cx_var_set(); no allocation of its own.
 * Source: PEP 567, ContextVar.set().  Since: 0.1
 */
CX__API int cx_var_bind(cx_var *var, cx_value value, cx_token *token);

/**
 * Undo a binding: what the token remembers is the value again.
 *
 * Tokens of one variable may be used in any order; each brings back what it
 * saw. A refused token stays usable where it belongs.
 *
 * @param var    Borrowed; the variable that the token was made for.
 * @param token  Borrowed; used from success on.
 * @return 0, or, checked in this order,
 *   -EALREADY    the token is used, dropped or {0}
 *   -EINVAL      it is another variable's; or var or token is NULL
 *   -EXDEV       it was made in another context (for a thread variable: on
 *                another thread)
 *   -EBUSY       called by a watcher of this very variable
 *
 * Suspends: never. Threads: any, acts on the caller's context. Cost: O(1)
 * while no other context shares the table, else one copy of it into memory
 * set aside when it came to be shared: it never allocates and cannot fail
 * for want of memory.
 * Source: PEP 567, ContextVar.reset().  Since: 0.1
 */
CX__API int cx_var_reset(cx_var *var, cx_token *token);

/**
 * Bring a variable back to "not set" in the current context.
 *
 * @param var  Borrowed; not being set is no error.
 * @return 0, or the errors of cx_var_set().
 *
 * Suspends: never. Threads: any, acts on the caller's context. Cost: as
 * cx_var_set().
 * Source: own; PEP 567 has it only by token.  Since: 0.1
 */
CX__API int cx_var_unset(cx_var *var);

/**
 * Forget a token that will not be reset, releasing the old value it owns.
 *
 * @param token  Borrowed, used from here on; NULL and used ones are ignored.
 *
 * Suspends: never. Threads: any, also another than the token's. Cost: O(1).
 * Source: own.  Since: 0.1
 */
CX__API void cx_token_drop(cx_token *token);

/**
 * Tell which variable a token belongs to.
 *
 * @param token  Borrowed; NULL gives NULL.
 * @return the variable, borrowed; NULL for {0}, and for a used token of a
 *         variable made at run time.
 *
 * Suspends: never. Threads: any. Cost: O(1).
 * Source: PEP 567, Token.var.  Since: 0.1
 */
CX__API cx_var *cx_token_var(const cx_token *token);

/**
 * Tell what a token would bring back.
 *
 * @param token  Borrowed.
 * @param out    Written when there is an old value; NULL: only ask. Borrowed
 *               from the token.
 * @return false: the variable was not set before, or the token is used.
 *
 * Suspends: never. Threads: any. Cost: O(1).
 * Source: PEP 567, Token.old_value.  Since: 0.1
 */
CX__API bool cx_token_old(const cx_token *token, cx_value *out);

/**
 * Tell whether a token has been used: reset, dropped, or never made.
 *
 * @param token  Borrowed; NULL counts as used.
 * @return true when cx_var_reset() would give -EALREADY.
 *
 * Suspends: never. Threads: any. Cost: O(1).
 * Source: PEP 567, Token.  Since: 0.1
 */
CX__API bool cx_token_used(const cx_token *token);

CX__END_DECLS

#ifndef __cplusplus /* the macros are C; C++ programs call the functions */

#include <ctxvar/detail.h>

/**
 * Define a context variable at file scope, for this file alone.
 *
 *     CX_VAR(T, name, options...);
 *
 * T is an arithmetic or pointer type; anything else, of any size, is a
 * CX_GLOBAL(). The options are designators: .initial = a T, the default;
 * .title, what dumps call it (the name if left out); .type, how values are
 * owned (borrowed if left out); .inherit, who gets it in a copy.
 *
 * Cost: static memory; its number is given at the first set.
 * Source: PEP 567, ContextVar().  Since: 0.1
 */
#define CX_VAR(T, ...) CX__VAR(static, T, 0, __VA_ARGS__, )

/**
 * Declare, in a header, a variable that one .c file defines.
 *
 * Source: own.  Since: 0.1
 */
#define CX_VAR_DECLARE(T, name)                                                \
    CX__TYPED(T, name, 1);                                                     \
    extern struct cx__typed_##name name

/**
 * Define a variable that a header declares; options as for CX_VAR().
 *
 * Source: own.  Since: 0.1
 */
#define CX_VAR_DEFINE(T, ...) CX__VAR_DEFINE(T, __VA_ARGS__, )

/**
 * Define a variable with one value for each OS thread, for this file alone.
 *
 * All that works on a CX_VAR() works on it; contexts never hold it. Values
 * are released at thread exit.
 *
 * Source: own.  Since: 0.1
 */
#define CX_THREAD_VAR(T, ...) CX__VAR(static, T, 1, __VA_ARGS__, )

/**
 * Define a global of any type and size that is one for each context.
 *
 *     CX_GLOBAL(char[64], table_cell, "Users");
 *     #define table (*cx_ref(table_cell))
 *
 * The last arguments are the initializer. A copied context gets a copy of
 * the cell as it is at that moment.
 *
 * Source: own, as errno is.  Since: 0.1
 */
#define CX_GLOBAL(T, name, ...) CX__GLOBAL(T, name, __VA_ARGS__)

/**
 * The address of a CX_GLOBAL() in the current context, a T *.
 *
 * It stays the same for the life of the context that it was asked in. NULL
 * with errno ENOMEM (ESHUTDOWN: the thread is past its last destructor) when
 * a first use in a context finds no memory.
 *
 * Suspends: never. Threads: any. Cost: as cx_get(); the first in a context
 * allocates the cell.  Source: own, as errno is.  Since: 0.1
 */
#define cx_ref(name) ((__typeof__((name).cell))cx__ref(&(name).var))

/**
 * The cx_var * of a variable defined by a macro, for the cx_var_ functions,
 * cx_watch() and cx_context_find().
 *
 * Source: own.  Since: 0.1
 */
#define cx_var_of(name) (&(name).var)

/**
 * The value of a variable, of its type T: the current context's, else its
 * default, else zero.
 *
 * Suspends: never. Threads: any; also a signal handler. Cost: a few loads,
 * the same for one variable and a thousand.
 * Source: PEP 567, ContextVar.get().  Since: 0.1
 */
#define cx_get(name) CX__GET(name)

/**
 * Find the value of a variable into *out, a T; false: neither set nor
 * default.
 *
 * Source: cx_var_find().  Since: 0.1
 */
#define cx_find(name, out)                                                     \
    __extension__({                                                            \
        CX__STRICT_BEGIN                                                       \
        __typeof__((name).type) cx__out = (out);                               \
        CX__STRICT_END                                                         \
        cx_value cx__found;                                                    \
        bool cx__has = cx_var_find(&(name).var, &cx__found);                   \
        if (cx__has)                                                           \
            *cx__out = CX__UNPACK(*(name).type, cx__found);                    \
        cx__has;                                                               \
    })

/**
 * Give a variable a value in the current context.
 *
 * Source: cx_var_set(), with its errors.  Since: 0.1
 */
#define cx_set(name, value)                                                    \
    cx__set(&(name).var, CX__SCOPE(name), CX__PACK(name, value))

/**
 * Give a variable a value, remembering the old one in *token.
 *
 * Source: cx_var_bind(), with its errors.  Since: 0.1
 */
#define cx_bind(name, value, token)                                            \
    cx__bind(&(name).var, CX__SCOPE(name), CX__PACK(name, value), (token))

/**
 * Undo a binding.
 *
 * Source: cx_var_reset(), with its errors.  Since: 0.1
 */
#define cx_reset(name, token) cx__reset(&(name).var, CX__SCOPE(name), (token))

/**
 * Bring a variable back to "not set" in the current context.
 *
 * Source: cx_var_unset(), with its errors.  Since: 0.1
 */
#define cx_unset(name) cx_var_unset(&(name).var)

/**
 * Bind a variable in the block that follows, undone however the block is
 * left: at its end, by break, continue, return or goto.
 *
 *     CX_WITH(user_table, "Users_A") {
 *         read_users();
 *     }
 *
 * Without the memory to bind, the block is skipped, so that nothing runs
 * with the wrong value; an else after the block then runs instead.
 *
 * Cost: a bind and a reset.  Source: CPython 3.14, Token as a context
 * manager.  Since: 0.1
 */
#define CX_WITH(name, value)                                                   \
    CX__WITH(CX__UNIQUE(cx__with_), &(name).var, CX__SCOPE(name),              \
             CX__PACK(name, value))

#endif /* C */

#endif
