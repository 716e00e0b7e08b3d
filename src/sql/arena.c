/* SPDX-License-Identifier: MIT */
/* Arenas: chunks, the last one with room in it. */
#include <errno.h>
#include <stdlib.h>

#include "arena.h"

enum { CHUNK_BYTES = 4096 - 64 };

struct cx__chunk {
    struct cx__chunk *next;
    max_align_t memory[];
};

static size_t rounded(size_t size)
{
    size_t unit = _Alignof(max_align_t);

    return (size + unit - 1) / unit * unit;
}

static struct cx__chunk *chunk_new(cx_arena *arena, size_t size)
{
    struct cx__chunk *chunk = malloc(sizeof(*chunk) + size);

    if (chunk != NULL) {
        chunk->next = arena->chunks;
        arena->chunks = chunk;
    }
    return chunk;
}

void *cx__arena_alloc(cx_arena *arena, size_t size)
{
    struct cx__chunk *chunk;
    char *memory;

    if (size > SIZE_MAX / 2)
        return NULL;
    size = rounded(size != 0 ? size : 1);
    /* What is large has a chunk of its own, and leaves the last one as it is.
     */
    if (size > CHUNK_BYTES / 4) {
        chunk = chunk_new(arena, size);
        return chunk != NULL ? chunk->memory : NULL;
    }
    if (size > arena->left) {
        chunk = chunk_new(arena, CHUNK_BYTES);
        if (chunk == NULL)
            return NULL;
        arena->at = (char *)chunk->memory;
        arena->left = CHUNK_BYTES;
    }
    memory = arena->at;
    arena->at += size;
    arena->left -= size;
    return memory;
}

const char *cx__arena_copy(cx_arena *arena, const void *data, size_t len)
{
    char *copy = cx__arena_alloc(arena, len + 1);

    if (copy != NULL) {
        memcpy(copy, data, len);
        copy[len] = '\0';
    }
    return copy;
}

/* Both kinds are a pointer and a length. */
int cx__arena_keep(cx_arena *arena, cx_param *field)
{
    if (field->kind != CX_KIND_TEXT && field->kind != CX_KIND_BLOB)
        return 0;
    field->text.data = cx__arena_copy(arena, field->text.data, field->text.len);
    return field->text.data != NULL ? 0 : -ENOMEM;
}

void cx_arena_fini(cx_arena *arena)
{
    if (arena == NULL)
        return;
    while (arena->chunks != NULL) {
        struct cx__chunk *chunk = arena->chunks;

        arena->chunks = chunk->next;
        free(chunk);
    }
    *arena = (cx_arena){.chunks = NULL};
}
