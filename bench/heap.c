/* SPDX-License-Identifier: MIT */
/*
 * The heap of deadlines by itself, which is what a sleep or a timeout costs
 * besides the switch. Not a program of somebody else's: the heap is inside.
 */
#include "../src/task/heap.h"

#include "crew.h"

static struct cx__heap heap;
static struct cx__deadline *timer;
static unsigned timers;

static void choose(uint64_t n)
{
    ROUNDS(n)
    {
        USE(&timer[any_number() % timers]);
        USE(far_ms());
    }
}

/* One of all timers is set anew. */
static void restart(uint64_t n)
{
    ROUNDS(n)
    {
        struct cx__deadline *chosen = &timer[any_number() % timers];

        cx__heap_remove(&heap, chosen);
        cx__heap_push(&heap, chosen, far_ms());
    }
}

static int measure_heap(const char *operation, unsigned count)
{
    timers = count;
    timer = calloc(count, sizeof(*timer));
    if (timer == NULL || cx__heap_reserve(&heap, count) != 0)
        return 1;
    for (unsigned i = 0; i < count; i++)
        cx__heap_push(&heap, &timer[i], far_ms());
    measure(operation, restart, choose);
    while (heap.len > 0)
        cx__heap_remove(&heap, heap.entry[0].deadline);
    free(timer);
    return 0;
}

int main(int argc, char **argv)
{
    int failed;

    measure_init(argc, argv);
    failed =
        measure_heap("timer/100", 100) || measure_heap("timer/100000", 100000);
    cx__heap_fini(&heap);
    return failed;
}
