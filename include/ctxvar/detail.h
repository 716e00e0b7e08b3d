/* SPDX-License-Identifier: MIT */
/*
 * What the macros of <ctxvar/var.h> expand to: the layout of a table and the
 * inline paths through it. Not an interface; programs include <ctxvar/var.h>.
 *
 * A variable gets a small dense number, its slot, at its first set. A context
 * points to a table: an array of pages, 32 entries each, of which the first
 * lies in the table itself. Reading is a walk of fixed length:
 *
 *     thread        table                 page
 *     +-------+     +-----------+         +----------------------+
 *     | table |---->| len  refs |   +---->| refs  managed  ...   |
 *     | ...   |     | page[0] --|---+     | entry[0]  var, value |
 *     +-------+     | page[1]   |         | entry[1]  var, value |
 *                   +-----------+         +----------------------+
 *
 * An entry names its variable, so "set" and "mine" are one comparison. What
 * is shared is never written: a table or page with more than one holder is
 * copied first. Everything that is not a plain overwrite is a call.
 *
 * A program whose coroutines move between threads defines CX_MIGRATING before
 * it includes this: then every operation is a call, and no address of
 * thread-local storage can be kept over a switch.
 */
#ifndef CTXVAR_DETAIL_H
#define CTXVAR_DETAIL_H

#include <ctxvar/platform.h>

CX__BEGIN_DECLS

struct cx__watch;

enum cx__kind { CX__PTR, CX__I64, CX__U64, CX__F64, CX__BOOL };

enum cx__var_flag {
    CX__MANAGED = 1, /* its values or itself are counted: type or dynamic */
    CX__LIMITED = 2, /* not every copy gets it, or gets it as it is */
    CX__WATCHED = 4, /* somebody wants to hear of changes */
    CX__THREAD = 8,  /* one value for each thread */
    CX__CELL = 16,   /* the value is a cell of size bytes, one a context */
    CX__DYNAMIC = 32 /* made by cx_var_new() */
};

/*
 * A variable. What a definition says is reached through pointers, since the
 * type of .initial differs and everything else may be left out.
 *
 * slot == 0 <=> never set; flags has then only what the macro gave it.
 * initial[0] and [1] are the default as two initializers left it, one over a
 * 0 and one over a 1: they are equal <=> the definition gave a default.
 */
struct cx_var {
    uint32_t slot;
    uint16_t flags;
    uint8_t kind; /* enum cx__kind */
    size_t size;  /* of T, in bytes */
    const char *const *title;
    const cx_type *const *type;
    const cx_inherit *inherit;
    const void *initial[2];
};

struct cx__entry {
    cx_var *var; /* NULL: not set */
    cx_value value;
};

#define CX__PAGE_SLOTS 32u

/*
 * refs counts the tables that hold the page. The maps have a bit for each
 * entry that is set and whose variable is so flagged; plain variables need no
 * account.
 */
struct cx__page {
    uint32_t refs;
    uint32_t managed;
    uint32_t limited;
    struct cx__entry entry[CX__PAGE_SLOTS];
};

/*
 * refs counts the contexts and snapshots that hold the table. The first page
 * follows the pointers, cut off after entry[len - 1] while it is the only one;
 * every other page is 32 entries that tables share.
 */
struct cx__table {
    uint32_t refs;
    uint32_t len;     /* slots there is room for, a multiple of 8 */
    uint32_t limited; /* entries of variables that not every copy gets */
    uint64_t origin;  /* a snapshot with such: the thread that took it */
    struct cx__page *page[];
};

/* The head of a cx_context. */
struct cx__context_head {
    uint64_t id;     /* never used again, so that a token cannot err */
    uint64_t tokens; /* open ones made in it */
};

/* Where values are read: [0] the current context, [1] the thread itself. */
struct cx__scope {
    struct cx__table *table;          /* never NULL */
    struct cx__context_head *context; /* NULL: nothing was ever set */
};

struct cx__tls {
    struct cx__scope scope[2];
    struct cx__thread *thread;
};

extern CX__DATA CX__THREAD_LOCAL struct cx__tls cx__tls CX__INITIAL_EXEC;

enum cx__token_state { CX__TOKEN_USED, CX__TOKEN_UNSET, CX__TOKEN_SET };

CX__API cx_value cx__get_call(const cx_var *var, unsigned scope);
CX__API void *cx__ref_call(cx_var *var);
CX__API int cx__set_call(cx_var *var, cx_value value);
CX__API int cx__bind_call(cx_var *var, cx_value value, cx_token *token);
CX__API int cx__reset_call(cx_var *var, cx_token *token);

CX__END_DECLS

#ifdef CX_MIGRATING

#define CX__GET(name)                                                          \
    CX__UNPACK(*(name).type, cx__get_call(&(name).var, CX__SCOPE(name)))
#define cx__set(var, scope, value) cx_var_set(var, value)
#define cx__bind(var, scope, value, token) cx_var_bind(var, value, token)
#define cx__reset(var, scope, token) cx_var_reset(var, token)
#define cx__ref(var) cx__ref_call(var)

#else

CX__INLINE const struct cx__entry *cx__entry_of(const cx_var *var,
                                                unsigned scope)
{
    const struct cx__table *table = cx__tls.scope[scope].table;
    uint32_t slot = __atomic_load_n(&var->slot, __ATOMIC_RELAXED);

    if (CX__LIKELY(slot < table->len)) {
        const struct cx__page *page = table->page[slot / CX__PAGE_SLOTS];
        const struct cx__entry *entry = &page->entry[slot % CX__PAGE_SLOTS];

        if (CX__LIKELY(entry->var == var))
            return entry;
    }
    return NULL;
}

CX__INLINE bool cx__look(const cx_var *var, unsigned scope, cx_value *value)
{
    const struct cx__entry *entry = cx__entry_of(var, scope);

    if (CX__LIKELY(entry != NULL))
        *value = entry->value;
    return CX__LIKELY(entry != NULL);
}

#define CX__GET(name)                                                          \
    __extension__({                                                            \
        cx_value cx__got;                                                      \
        bool cx__has = cx__look(&(name).var, CX__SCOPE(name), &cx__got);       \
        (CX__T(name))(cx__has ? CX__UNPACK(*(name).type, cx__got)              \
                              : CX__DEFAULT(name));                            \
    })

CX__INLINE void *cx__ref(cx_var *var)
{
    const struct cx__entry *entry = cx__entry_of(var, 0);

    return CX__LIKELY(entry != NULL) ? entry->value.ptr : cx__ref_call(var);
}

/*
 * The place of a plain variable in a table and page that nobody shares, set
 * or not: it may simply be written.
 */
CX__INLINE struct cx__entry *cx__own_entry(const cx_var *var, unsigned scope)
{
    struct cx__table *table = cx__tls.scope[scope].table;
    uint32_t slot = __atomic_load_n(&var->slot, __ATOMIC_ACQUIRE);
    uint16_t plain = scope ? CX__THREAD : 0;

    if (CX__LIKELY(slot < table->len) &&
        CX__LIKELY(__atomic_load_n(&table->refs, __ATOMIC_ACQUIRE) == 1) &&
        CX__LIKELY(__atomic_load_n(&var->flags, __ATOMIC_RELAXED) == plain)) {
        struct cx__page *page = table->page[slot / CX__PAGE_SLOTS];

        if (CX__LIKELY(__atomic_load_n(&page->refs, __ATOMIC_ACQUIRE) == 1) &&
            CX__LIKELY(slot != 0))
            return &page->entry[slot % CX__PAGE_SLOTS];
    }
    return NULL;
}

/* A signal handler that finds the variable in an entry finds the value too. */
CX__INLINE void cx__entry_put(struct cx__entry *entry, cx_var *var,
                              cx_value value)
{
    entry->value = value;
    __atomic_signal_fence(__ATOMIC_RELEASE);
    entry->var = var;
}

CX__INLINE int cx__set(cx_var *var, unsigned scope, cx_value value)
{
    struct cx__entry *entry = cx__own_entry(var, scope);

    if (CX__LIKELY(entry != NULL)) {
        cx__entry_put(entry, var, value);
        return 0;
    }
    return cx__set_call(var, value);
}

CX__INLINE int cx__bind(cx_var *var, unsigned scope, cx_value value,
                        cx_token *token)
{
    struct cx__entry *entry = cx__own_entry(var, scope);

    if (CX__LIKELY(entry != NULL) && CX__LIKELY(token != NULL)) {
        struct cx__context_head *context = cx__tls.scope[scope].context;

        token->var = var;
        token->context = context->id;
        token->old = entry->value;
        token->state = entry->var != NULL ? CX__TOKEN_SET : CX__TOKEN_UNSET;
        context->tokens++;
        cx__entry_put(entry, var, value);
        return 0;
    }
    return cx__bind_call(var, value, token);
}

CX__INLINE int cx__reset(cx_var *var, unsigned scope, cx_token *token)
{
    struct cx__entry *entry = cx__own_entry(var, scope);
    struct cx__context_head *context = cx__tls.scope[scope].context;

    if (CX__LIKELY(entry != NULL) && CX__LIKELY(token != NULL) &&
        CX__LIKELY(token->state != CX__TOKEN_USED) &&
        CX__LIKELY(token->var == var) &&
        CX__LIKELY(token->context == context->id)) {
        if (token->state == CX__TOKEN_SET)
            cx__entry_put(entry, var, token->old);
        else
            entry->var = NULL;
        token->state = CX__TOKEN_USED;
        context->tokens--;
        return 0;
    }
    return cx__reset_call(var, token);
}

#endif

/* Values of a type T to cx_value and back. */

CX__INLINE cx_value cx__pack_i64(int64_t value)
{
    cx_value packed;

    packed.i64 = value;
    return packed;
}

CX__INLINE cx_value cx__pack_u64(uint64_t value)
{
    cx_value packed;

    packed.u64 = value;
    return packed;
}

CX__INLINE cx_value cx__pack_f64(double value)
{
    cx_value packed;

    packed.f64 = value;
    return packed;
}

CX__INLINE cx_value cx__pack_ptr(const volatile void *value)
{
    cx_value packed;

    packed.u64 = 0;
    packed.ptr = (void *)(uintptr_t)value;
    return packed;
}

/* One of these for the type of x, by kind. */
#define CX__SELECT(x, i64_, u64_, bool_, f64_, ptr_)                           \
    _Generic((x), _Bool                                                        \
             : bool_, char                                                     \
             : i64_, signed char                                               \
             : i64_, short                                                     \
             : i64_, int                                                       \
             : i64_, long                                                      \
             : i64_, long long                                                 \
             : i64_, unsigned char                                             \
             : u64_, unsigned short                                            \
             : u64_, unsigned                                                  \
             : u64_, unsigned long                                             \
             : u64_, unsigned long long                                        \
             : u64_, float                                                     \
             : f64_, double                                                    \
             : f64_, default                                                   \
             : ptr_)

/* x is evaluated outside of the block in which it is checked, so that what it
 * may be the address of, a compound literal, lives as long as the caller's
 * block. */
#define CX__PACK(name, x)                                                      \
    __extension__((void)sizeof(CX__CHECKED(CX__T(name), x)),                   \
                  CX__SELECT(*(name).type, cx__pack_i64, cx__pack_u64,         \
                             cx__pack_u64, cx__pack_f64,                       \
                             cx__pack_ptr)((CX__T(name)){(x)}))

/* Is x a T, without a doubtful conversion? Not to be evaluated. */
#define CX__CHECKED(T, x)                                                      \
    ({                                                                         \
        CX__STRICT_BEGIN                                                       \
        CX__UNUSED T cx__x = (x);                                              \
        CX__STRICT_END                                                         \
        0;                                                                     \
    })

#define CX__UNPACK(x, packed)                                                  \
    ((__typeof__(x))CX__SELECT((x), (packed).i64, (packed).u64, (packed).u64,  \
                               (packed).f64, (packed).ptr))

/* Definitions. */

/* type and scope exist for __typeof__ and sizeof alone. */
#define CX__TYPED(T, name, scopes)                                             \
    struct cx__typed_##name {                                                  \
        cx_var var;                                                            \
        __typeof__(T) *type;                                                   \
        char scope[scopes];                                                    \
    }

#define CX__T(name) __typeof__(*(name).type)
/* Zero where the definition gave none. */
#define CX__DEFAULT(name) (*(const CX__T(name) *)(name).var.initial[0])
#define CX__SCOPE(name) ((unsigned)sizeof((name).scope) - 1)

#define CX__KIND(T)                                                            \
    CX__SELECT((__typeof__(T))0, CX__I64, CX__U64, CX__BOOL, CX__F64, CX__PTR)

#define CX__OPTIONS(T, name, ...)                                              \
    _Static_assert(sizeof(T) <= sizeof(cx_value),                              \
                   "a variable holds 8 bytes; use CX_GLOBAL for more");        \
    CX__OVERRIDE_BEGIN                                                         \
    static const struct {                                                      \
        const char *title;                                                     \
        const cx_type *type;                                                   \
        cx_inherit inherit;                                                    \
        __typeof__(T) initial;                                                 \
    } cx__options_##name[2] = {                                                \
        {.title = #name, .initial = (__typeof__(T))0, __VA_ARGS__},            \
        {.title = #name, .initial = (__typeof__(T))1, __VA_ARGS__},            \
    };                                                                         \
    CX__OVERRIDE_END

#define CX__INITIALIZER(T, name, flags_)                                       \
    {                                                                          \
        .var = {                                                               \
            .flags = (flags_),                                                 \
            .kind = CX__KIND(T),                                               \
            .size = sizeof(T),                                                 \
            .title = &cx__options_##name[0].title,                             \
            .type = &cx__options_##name[0].type,                               \
            .inherit = &cx__options_##name[0].inherit,                         \
            .initial = {&cx__options_##name[0].initial,                        \
                        &cx__options_##name[1].initial},                       \
        },                                                                     \
    }

#define CX__VAR(storage, T, thread, name, ...)                                 \
    CX__OPTIONS(T, name, __VA_ARGS__)                                          \
    CX__TYPED(T, name, (thread) + 1);                                          \
    storage CX__UNUSED struct cx__typed_##name name =                          \
        CX__INITIALIZER(T, name, (thread) ? CX__THREAD : 0)

#define CX__VAR_DEFINE(T, name, ...)                                           \
    CX__OPTIONS(T, name, __VA_ARGS__)                                          \
    _Static_assert(__builtin_types_compatible_p(                               \
                       __typeof__(T) *,                                        \
                       __typeof__(((struct cx__typed_##name *)0)->type)),      \
                   "defined with another type than declared: " #name);         \
    struct cx__typed_##name name = CX__INITIALIZER(T, name, 0)

#define CX__GLOBAL(T, name, ...)                                               \
    _Static_assert(_Alignof(T) <= 16, "a cell is aligned to 16 bytes");        \
    static const struct {                                                      \
        const char *title;                                                     \
        const cx_type *type;                                                   \
        cx_inherit inherit;                                                    \
        __typeof__(T) initial;                                                 \
    } cx__options_##name = {.title = #name, .initial = __VA_ARGS__};           \
    static CX__UNUSED struct {                                                 \
        cx_var var;                                                            \
        __typeof__(T) *cell;                                                   \
    } name = {                                                                 \
        .var =                                                                 \
            {                                                                  \
                .flags = CX__CELL,                                             \
                .kind = CX__PTR,                                               \
                .size = sizeof(T),                                             \
                .title = &cx__options_##name.title,                            \
                .type = &cx__options_##name.type,                              \
                .inherit = &cx__options_##name.inherit,                        \
                .initial = {&cx__options_##name.initial,                       \
                            &cx__options_##name.initial},                      \
            },                                                                 \
    }

/* CX_WITH: a loop of one round whose variable undoes the binding. */

struct cx__with {
    cx_var *var;
    cx_token token;
    unsigned scope;
    int error;
    bool done;
};

CX__INLINE void cx__with_end(struct cx__with *with)
{
    if (with->error == 0)
        (void)cx__reset(with->var, with->scope, &with->token);
}

#define CX__PASTE(a, b) a##b
#define CX__PASTE_EXPANDED(a, b) CX__PASTE(a, b)
#define CX__UNIQUE(prefix) CX__PASTE_EXPANDED(prefix, __COUNTER__)

#define CX__WITH(with, var_, scope_, packed)                                   \
    for (struct cx__with with CX__CLEANUP(                                     \
             cx__with_end) = {.var = (var_), .scope = (scope_), .error = -1};  \
         !with.done; with.done = true)                                         \
        if ((with.error =                                                      \
                 cx__bind(with.var, with.scope, packed, &with.token)) == 0)

#endif
