/* SPDX-License-Identifier: MIT */
/* A singly linked queue: first in, first out, and nothing else. */
#ifndef CTXVAR_TASK_FIFO_H
#define CTXVAR_TASK_FIFO_H

#include <stddef.h>

struct cx__fifo_link {
    struct cx__fifo_link *next; /* NULL for the last */
};

/*
 * empty <=> head == NULL <=> end == &head; else end is the last link's next
 */
struct cx__fifo {
    struct cx__fifo_link *head;
    struct cx__fifo_link **end;
};

static inline void cx__fifo_init(struct cx__fifo *fifo)
{
    fifo->head = NULL;
    fifo->end = &fifo->head;
}

static inline void cx__fifo_push(struct cx__fifo *fifo,
                                 struct cx__fifo_link *link)
{
    link->next = NULL;
    *fifo->end = link;
    fifo->end = &link->next;
}

/* The first link, or NULL. */
static inline struct cx__fifo_link *cx__fifo_pop(struct cx__fifo *fifo)
{
    struct cx__fifo_link *link = fifo->head;

    if (link != NULL) {
        fifo->head = link->next;
        if (fifo->head == NULL)
            fifo->end = &fifo->head;
    }
    return link;
}

#endif
