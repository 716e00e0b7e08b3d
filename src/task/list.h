/* SPDX-License-Identifier: MIT */
/* A doubly linked ring: its members leave it wherever they are. */
#ifndef CTXVAR_TASK_LIST_H
#define CTXVAR_TASK_LIST_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>

/*
 *      +--> list <--> first <--> ... <--> last <--+
 *      +------------------------------------------+
 *
 * empty <=> next == prev == itself
 */
struct cx__list {
    struct cx__list *next;
    struct cx__list *prev;
};

#define CX__OWNER(link, type, member)                                          \
    ((type *)(void *)((char *)(link)-offsetof(type, member)))

static inline void cx__list_init(struct cx__list *list)
{
    list->next = list;
    list->prev = list;
}

static inline bool cx__list_is_empty(const struct cx__list *list)
{
    return list->next == list;
}

/* Before a member; before the list itself: at its end. */
static inline void cx__list_insert(struct cx__list *before,
                                   struct cx__list *link)
{
    assert(before != NULL);
    link->next = before;
    link->prev = before->prev;
    before->prev->next = link;
    before->prev = link;
}

static inline void cx__list_remove(struct cx__list *link)
{
    link->prev->next = link->next;
    link->next->prev = link->prev;
}

/* Move all members of one list to another, which is empty. */
static inline void cx__list_move(struct cx__list *to, struct cx__list *from)
{
    cx__list_insert(from, to);
    cx__list_remove(from);
    cx__list_init(from);
}

#endif
