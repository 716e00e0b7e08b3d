/* SPDX-License-Identifier: MIT */
/*
 * Variables: numbering, defaults, and the ownership of values. Reading and
 * writing them in a context is in set.c.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "thread.h"
#include "variable.h"

/*
 * A variable made at run time.
 *
 *            cx_var_new                   last holder goes
 *   (free) --------------> var.slot != 0 ------------------> (free)
 *
 * Entries, tokens and watches hold it, so that none is left when it goes and
 * its slot can serve the next one. It keeps the slot meanwhile: the list of
 * the free is the list of free slots.
 */
struct dynamic {
    cx_var var;
    uint32_t refs;
    const char *title; /* owned; NULL while free */
    const cx_type *type;
    cx_inherit inherit;
    cx_value initial[2];
    struct dynamic *next_free;
};

static uint32_t last_slot;
static struct dynamic *free_list;

static struct dynamic *dynamic_of(const cx_var *var)
{
    return (struct dynamic *)(uintptr_t)var;
}

static bool is_usable(const cx_type *type)
{
    return type == NULL || type->unref == NULL || type->ref != NULL;
}

static unsigned flags_of(const cx_var *var)
{
    const cx_type *type = *var->type;
    unsigned flags = var->flags;

    if (type != NULL && (type->take != NULL || type->ref != NULL))
        flags |= CX__MANAGED;
    if ((flags & CX__CELL) != 0)
        flags |= CX__MANAGED | CX__LIMITED;
    if ((flags & CX__DYNAMIC) != 0)
        flags |= CX__MANAGED;
    if (*var->inherit != CX_INHERIT_ALL)
        flags |= CX__LIMITED;
    return flags;
}

int cx__var_number(cx_var *var)
{
    if (!is_usable(*var->type))
        return -EINVAL;
    cx__lock();
    if (var->slot == 0) {
        __atomic_store_n(&var->flags, (uint16_t)flags_of(var),
                         __ATOMIC_RELAXED);
        __atomic_store_n(&var->slot, ++last_slot, __ATOMIC_RELEASE);
    }
    cx__unlock();
    return 0;
}

static struct dynamic *dynamic_alloc(void)
{
    struct dynamic *dynamic;

    cx__lock();
    dynamic = free_list;
    if (dynamic != NULL)
        free_list = dynamic->next_free;
    cx__unlock();
    return dynamic != NULL ? dynamic : calloc(1, sizeof(*dynamic));
}

static void dynamic_free(struct dynamic *dynamic)
{
    free((void *)(uintptr_t)dynamic->title);
    dynamic->title = NULL;
    cx__lock();
    dynamic->next_free = free_list;
    free_list = dynamic;
    cx__unlock();
}

cx_var *cx_var_new(const char *title, const cx_type *type,
                   const cx_value *initial)
{
    struct dynamic *dynamic;
    char *copy;

    if (!is_usable(type)) {
        errno = EINVAL;
        return NULL;
    }
    copy = strdup(title != NULL ? title : "");
    dynamic = copy != NULL ? dynamic_alloc() : NULL;
    if (dynamic == NULL) {
        free(copy);
        errno = ENOMEM;
        return NULL;
    }
    *dynamic = (struct dynamic){
        .var = {.slot = dynamic->var.slot,
                .flags = CX__DYNAMIC,
                .kind = type != NULL ? CX__PTR : CX__I64,
                .size = sizeof(cx_value),
                .title = &dynamic->title,
                .type = &dynamic->type,
                .inherit = &dynamic->inherit,
                .initial = {&dynamic->initial[0], &dynamic->initial[1]}},
        .refs = 1,
        .title = copy,
        .type = type,
        .initial = {initial != NULL ? *initial : (cx_value){.u64 = 0},
                    initial != NULL ? *initial : (cx_value){.u64 = 1}},
    };
    dynamic->var.flags = (uint16_t)flags_of(&dynamic->var);
    (void)cx__var_register(&dynamic->var);
    return &dynamic->var;
}

cx_var *cx_var_ref(cx_var *var)
{
    if (var != NULL && (cx__var_flags(var) & CX__DYNAMIC) != 0)
        (void)__atomic_fetch_add(&dynamic_of(var)->refs, 1, __ATOMIC_RELAXED);
    return var;
}

void cx_var_unref(cx_var *var)
{
    if (var != NULL && (cx__var_flags(var) & CX__DYNAMIC) != 0 &&
        __atomic_fetch_sub(&dynamic_of(var)->refs, 1, __ATOMIC_ACQ_REL) == 1)
        dynamic_free(dynamic_of(var));
}

const char *cx_var_title(const cx_var *var)
{
    return var != NULL ? *var->title : NULL;
}

static cx_value load_i64(const void *from, size_t size)
{
    cx_value value = {.u64 = 0};

    switch (size) {
    case 1:
        value.i64 = *(const int8_t *)from;
        break;
    case 2:
        value.i64 = *(const int16_t *)from;
        break;
    case 4:
        value.i64 = *(const int32_t *)from;
        break;
    default:
        memcpy(&value, from, sizeof(value));
        break;
    }
    return value;
}

static cx_value load_u64(const void *from, size_t size)
{
    cx_value value = {.u64 = 0};

    switch (size) {
    case 1:
        value.u64 = *(const uint8_t *)from;
        break;
    case 2:
        value.u64 = *(const uint16_t *)from;
        break;
    case 4:
        value.u64 = *(const uint32_t *)from;
        break;
    default:
        memcpy(&value, from, sizeof(value));
        break;
    }
    return value;
}

static cx_value load(const cx_var *var, const void *from)
{
    cx_value value = {.u64 = 0};

    switch (var->kind) {
    case CX__I64:
        return load_i64(from, var->size);
    case CX__U64:
    case CX__BOOL:
        return load_u64(from, var->size);
    case CX__F64:
        value.f64 = var->size == sizeof(float) ? *(const float *)from
                                               : *(const double *)from;
        return value;
    default: /* CX__PTR */
        memcpy(&value.ptr, from, sizeof(value.ptr));
        return value;
    }
}

bool cx__var_default(const cx_var *var, cx_value *out)
{
    *out = (cx_value){.u64 = 0};
    if ((cx__var_flags(var) & CX__CELL) != 0)
        return false;
    *out = load(var, var->initial[0]);
    return out->u64 == load(var, var->initial[1]).u64;
}

/* A cell: a count, then size bytes, aligned as anything may want. */
struct cell {
    uint32_t refs;
    _Alignas(16) unsigned char bytes[];
};

static struct cell *cell_of(void *bytes)
{
    return (struct cell *)((unsigned char *)bytes -
                           offsetof(struct cell, bytes));
}

void *cx__cell_new(const cx_var *var, const void *bytes)
{
    struct cell *cell = malloc(sizeof(*cell) + var->size);

    if (cell == NULL)
        return NULL;
    cell->refs = 1;
    memcpy(cell->bytes, bytes, var->size);
    return cell->bytes;
}

static void cell_ref(void *bytes)
{
    (void)__atomic_fetch_add(&cell_of(bytes)->refs, 1, __ATOMIC_RELAXED);
}

static void cell_unref(void *bytes)
{
    struct cell *cell = cell_of(bytes);

    if (__atomic_fetch_sub(&cell->refs, 1, __ATOMIC_ACQ_REL) == 1)
        free(cell);
}

int cx__value_take(const cx_var *var, cx_value *value)
{
    const cx_type *type = *var->type;

    if (type == NULL || value->ptr == NULL)
        return 0;
    if (type->take != NULL) {
        void *taken = type->take(value->ptr);

        if (taken == NULL)
            return -ENOMEM;
        value->ptr = taken;
    } else if (type->ref != NULL) {
        type->ref(value->ptr);
    }
    return 0;
}

void cx__value_ref(const cx_var *var, cx_value value)
{
    const cx_type *type = *var->type;

    if ((cx__var_flags(var) & CX__CELL) != 0)
        cell_ref(value.ptr);
    else if (type != NULL && type->ref != NULL && value.ptr != NULL)
        type->ref(value.ptr);
}

void cx__value_unref(const cx_var *var, cx_value value)
{
    const cx_type *type = *var->type;

    if ((cx__var_flags(var) & CX__CELL) != 0)
        cell_unref(value.ptr);
    else if (type != NULL && type->unref != NULL && value.ptr != NULL)
        type->unref(value.ptr);
}

void cx__entry_ref(const struct cx__entry *entry)
{
    cx__value_ref(entry->var, entry->value);
    (void)cx_var_ref(entry->var);
}

void cx__entry_unref(const struct cx__entry *entry)
{
    cx_var *var = entry->var;

    cx__value_unref(var, entry->value);
    cx_var_unref(var);
}

int cx__value_format(const cx_var *var, cx_value value, char *buf, size_t size)
{
    const cx_type *type = *var->type;

    if (type != NULL && type->format != NULL && value.ptr != NULL)
        return type->format(value.ptr, buf, size);
    switch (var->kind) {
    case CX__I64:
        return snprintf(buf, size, "%" PRId64, value.i64);
    case CX__U64:
        return snprintf(buf, size, "%" PRIu64, value.u64);
    case CX__F64:
        return snprintf(buf, size, "%g", value.f64);
    case CX__BOOL:
        return snprintf(buf, size, "%s", value.u64 != 0 ? "true" : "false");
    default: /* CX__PTR */
        return value.ptr != NULL ? snprintf(buf, size, "%p", value.ptr)
                                 : snprintf(buf, size, "NULL");
    }
}
