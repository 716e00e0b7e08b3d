/* SPDX-License-Identifier: MIT */
/* FNV-1a, by Fowler, Noll and Vo, of 64 bits. */
#ifndef CTXVAR_SQL_FNV_H
#define CTXVAR_SQL_FNV_H

#include <stdint.h>

#include <ctxvar/data.h>

/* Of a text's bytes. It must stay what it is: the checksums in tenants' lists
 * of migrations are it. */
static inline uint64_t cx__fnv1a(cx_text text)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < text.len; i++)
        hash = (hash ^ (unsigned char)text.data[i]) * UINT64_C(0x100000001b3);
    return hash;
}

#endif
