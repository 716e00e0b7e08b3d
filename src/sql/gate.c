/* SPDX-License-Identifier: MIT */
/*
 * Gates, where somebody waits: whoever finds a place free takes it in gate.h,
 * without a call.
 */
#include <errno.h>

#include "gate.h"

int cx__gate_init(struct cx__gate *gate, unsigned most)
{
    *gate = (struct cx__gate){.free = most};
    gate->places = cx_semaphore_new(0);
    return gate->places != NULL ? 0 : -ENOMEM;
}

void cx__gate_fini(struct cx__gate *gate)
{
    (void)cx_semaphore_free(gate->places);
    gate->places = NULL;
}

int cx__gate_wait(struct cx__gate *gate)
{
    int error;

    gate->waiting++;
    error = cx_semaphore_acquire(gate->places);
    gate->waiting--;
    return error;
}
