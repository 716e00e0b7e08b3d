/* SPDX-License-Identifier: MIT */
/* The heap of deadlines, by itself. */
#include "support.h"

#include <stdlib.h>

#include "task/heap.h"

enum { MANY = 500 };

struct item {
    struct cx__deadline deadline;
    uint64_t due;
    size_t made;
};

static struct item items[MANY];
static struct cx__heap heap;

static int fill(void **state)
{
    unsigned seed = 1;

    (void)state;
    heap = (struct cx__heap){.entry = NULL};
    if (cx__heap_reserve(&heap, MANY) != 0)
        return -1;
    for (size_t i = 0; i < MANY; i++) {
        items[i].due = (uint64_t)rand_r(&seed) % 50;
        items[i].made = i;
        cx__heap_push(&heap, &items[i].deadline, items[i].due);
    }
    return 0;
}

static int empty(void **state)
{
    (void)state;
    cx__heap_fini(&heap);
    return 0;
}

static const struct item *pop(uint64_t now)
{
    return (const struct item *)cx__heap_pop(&heap, now);
}

/* Pop all, seeing to their order; how many there were. */
static size_t pop_in_order(void)
{
    const struct item *last = NULL, *item;
    size_t len = 0;

    for (; (item = pop(UINT64_MAX)) != NULL; len++, last = item) {
        if (last == NULL)
            continue;
        assert_true(last->due <= item->due);
        if (last->due == item->due)
            assert_true(last->made < item->made);
    }
    return len;
}

static void
deadlines_come_out_in_order_and_equal_ones_as_they_went_in(void **state)
{
    (void)state;
    assert_int_equal(pop_in_order(), MANY);
}

static void nothing_comes_out_before_it_is_due(void **state)
{
    const struct item *item;

    (void)state;
    while ((item = pop(20)) != NULL)
        assert_true(item->due <= 20);
    assert_true(heap.len > 0);
    assert_true(heap.entry[0].due > 20);
}

static void what_was_removed_does_not_come_out(void **state)
{
    size_t removed = 0;

    (void)state;
    for (size_t i = 0; i < MANY; i += 3, removed++)
        cx__heap_remove(&heap, &items[i].deadline);
    assert_int_equal(pop_in_order(), MANY - removed);
}

static void order_survives_removals(void **state)
{
    (void)state;
    for (size_t i = MANY; i-- > 0;) {
        if (i % 7 < 4)
            cx__heap_remove(&heap, &items[i].deadline);
    }
    (void)pop_in_order();
}

static void an_empty_heap_gives_nothing(void **state)
{
    (void)state;
    (void)pop_in_order();
    assert_null(pop(UINT64_MAX));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            deadlines_come_out_in_order_and_equal_ones_as_they_went_in, fill,
            empty),
        cmocka_unit_test_setup_teardown(nothing_comes_out_before_it_is_due,
                                        fill, empty),
        cmocka_unit_test_setup_teardown(what_was_removed_does_not_come_out,
                                        fill, empty),
        cmocka_unit_test_setup_teardown(order_survives_removals, fill, empty),
        cmocka_unit_test_setup_teardown(an_empty_heap_gives_nothing, fill,
                                        empty),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
