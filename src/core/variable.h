/* SPDX-License-Identifier: MIT */
/*
 * Variables from the inside: their numbers, their defaults, and who owns
 * their values.
 */
#ifndef CTXVAR_CORE_VARIABLE_H
#define CTXVAR_CORE_VARIABLE_H

#include <ctxvar/var.h>

/* Number a variable at its first set: 0, or -EINVAL for an unusable type. */
int cx__var_number(cx_var *var);

static inline int cx__var_register(cx_var *var)
{
    return CX__LIKELY(__atomic_load_n(&var->slot, __ATOMIC_ACQUIRE) != 0)
               ? 0
               : cx__var_number(var);
}

/* The default, or zero; the flag tells which. */
bool cx__var_default(const cx_var *var, cx_value *out);

/* The flags as they are now; CX__WATCHED may come and go at any time. */
static inline unsigned cx__var_flags(const cx_var *var)
{
    return __atomic_load_n(&var->flags, __ATOMIC_RELAXED);
}

/* Take a value as the type says, replacing it by the owned one: 0, -ENOMEM. */
int cx__value_take(const cx_var *var, cx_value *value);
void cx__value_ref(const cx_var *var, cx_value value);
void cx__value_unref(const cx_var *var, cx_value value);

/* An entry holds its value, and a variable made at run time. */
void cx__entry_ref(const struct cx__entry *entry);
void cx__entry_unref(const struct cx__entry *entry);

/* Cells of CX_GLOBAL(): a new one, with these bytes; NULL: no memory. */
void *cx__cell_new(const cx_var *var, const void *bytes);

/* Write a value as text, as snprintf does. */
int cx__value_format(const cx_var *var, cx_value value, char *buf, size_t size);

#endif
