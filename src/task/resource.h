/* SPDX-License-Identifier: MIT */
/*
 * What of the outside a loop's tasks have open, and what the loop closes at
 * its end if they have not.
 */
#ifndef CTXVAR_TASK_RESOURCE_H
#define CTXVAR_TASK_RESOURCE_H

#include "list.h"

struct cx__resource {
    struct cx__list link;                         /* in loop->resources */
    void (*close)(struct cx__resource *resource); /* takes it off, too */
};

static inline void cx__resource_add(struct cx__list *resources,
                                    struct cx__resource *resource,
                                    void (*close)(struct cx__resource *))
{
    resource->close = close;
    cx__list_insert(resources, &resource->link);
}

static inline void cx__resource_remove(struct cx__resource *resource)
{
    cx__list_remove(&resource->link);
}

/* The last one first: what was opened for another's use goes with that. */
static inline void cx__resources_close(struct cx__list *resources)
{
    while (!cx__list_is_empty(resources)) {
        struct cx__resource *resource =
            CX__OWNER(resources->prev, struct cx__resource, link);

        resource->close(resource);
    }
}

#endif
