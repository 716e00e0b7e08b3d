/* SPDX-License-Identifier: MIT */
/*
 * cx_string: text that is copied once, at set, and shared by every context
 * that holds it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ctxvar/var.h>

struct string {
    uint32_t refs;
    char text[];
};

static struct string *string_of(void *text)
{
    return (struct string *)((char *)text - offsetof(struct string, text));
}

static void *string_take(const void *text)
{
    size_t size = strlen(text) + 1;
    struct string *string = malloc(sizeof(*string) + size);

    if (string == NULL)
        return NULL;
    string->refs = 1;
    memcpy(string->text, text, size);
    return string->text;
}

static void string_ref(void *text)
{
    (void)__atomic_fetch_add(&string_of(text)->refs, 1, __ATOMIC_RELAXED);
}

static void string_unref(void *text)
{
    struct string *string = string_of(text);

    if (__atomic_fetch_sub(&string->refs, 1, __ATOMIC_ACQ_REL) == 1)
        free(string);
}

static int string_format(const void *text, char *buf, size_t size)
{
    return snprintf(buf, size, "%s", (const char *)text);
}

const cx_type cx_string = {
    .name = "string",
    .take = string_take,
    .ref = string_ref,
    .unref = string_unref,
    .format = string_format,
};
