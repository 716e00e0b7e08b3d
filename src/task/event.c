/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>

#include <ctxvar/sync.h>

#include "waiters.h"

struct cx_event {
    struct cx__waiters waiters; /* none <= is_set */
    bool is_set;
};

cx_event *cx_event_new(void)
{
    cx_event *event = calloc(1, sizeof(*event));
    int error =
        event != NULL ? cx__waiters_init(&event->waiters, "event") : -ENOMEM;

    if (error == 0)
        return event;
    free(event);
    errno = -error;
    return NULL;
}

int cx_event_free(cx_event *event)
{
    int error = event != NULL ? cx__waiters_end(&event->waiters) : 0;

    if (error == 0)
        free(event);
    return error;
}

int cx_event_wait(cx_event *event)
{
    int error = event != NULL ? cx__waiters_begin(&event->waiters) : -EINVAL;

    return error == 0 && !event->is_set
               ? cx__waiters_wait(&event->waiters, NULL)
               : error;
}

int cx_event_set(cx_event *event)
{
    int error = event != NULL ? cx__waiters_check(&event->waiters) : -EINVAL;

    if (error == 0) {
        event->is_set = true;
        cx__waiters_wake_all(&event->waiters, 0);
    }
    return error;
}

int cx_event_clear(cx_event *event)
{
    int error = event != NULL ? cx__waiters_check(&event->waiters) : -EINVAL;

    if (error == 0)
        event->is_set = false;
    return error;
}

bool cx_event_is_set(const cx_event *event)
{
    return event != NULL && event->is_set;
}
