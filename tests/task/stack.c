/* SPDX-License-Identifier: MIT */
/* Stacks: their sizes, their guards, their reuse, and giving them back. */
#include "support.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/pages.h"
#include "task/stack.h"

/* What the kernel is made not to have. */
static bool without_batch, without_advice, without_protection;

long __real_syscall(long number, ...);
int __real_madvise(void *address, size_t bytes, int advice);
int __real_mprotect(void *address, size_t bytes, int protection);
long __wrap_syscall(long number, long a, long b, long c, long d, long e);
int __wrap_madvise(void *address, size_t bytes, int advice);
int __wrap_mprotect(void *address, size_t bytes, int protection);

long __wrap_syscall(long number, long a, long b, long c, long d, long e)
{
    if (without_batch && number == SYS_pidfd_open) {
        errno = ENOSYS;
        return -1;
    }
    return __real_syscall(number, a, b, c, d, e);
}

int __wrap_madvise(void *address, size_t bytes, int advice)
{
    if (without_advice && advice == MADV_GUARD_INSTALL) {
        errno = EINVAL;
        return -1;
    }
    return __real_madvise(address, bytes, advice);
}

int __wrap_mprotect(void *address, size_t bytes, int protection)
{
    if (without_protection) {
        errno = ENOMEM;
        return -1;
    }
    return __real_mprotect(address, bytes, protection);
}

/* In a process of its own, since it remembers what the kernel has not. */
static int in_a_child(int (*fn)(void))
{
    int status;
    pid_t child = fork();

    if (child == 0) {
        (void)signal(SIGSEGV, SIG_DFL); /* cmocka's ends the test */
        leave(fn());
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static struct cx__stacks stacks;

static int begin(void **state)
{
    (void)state;
    cx__stacks_init(&stacks);
    return 0;
}

static int end(void **state)
{
    (void)state;
    cx__stacks_fini(&stacks);
    return 0;
}

static void a_stack_is_as_large_as_asked_for_and_can_be_written(void **state)
{
    const size_t sizes[] = {1,       16 << 10,  (16 << 10) + 1,
                            1 << 20, 8u << 20u, 200 << 10};

    (void)state;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct cx__stack stack;

        assert_int_equal(cx__stack_take(&stacks, sizes[i], &stack), 0);
        assert_true((size_t)(stack.high - stack.low) >= sizes[i]);
        memset(stack.low, 1, (size_t)(stack.high - stack.low));
        cx__stack_give(stack);
    }
}

static void the_last_stack_given_is_the_first_taken(void **state)
{
    struct cx__stack first, second, again;

    (void)state;
    assert_int_equal(cx__stack_take(&stacks, 1, &first), 0);
    assert_int_equal(cx__stack_take(&stacks, 1, &second), 0);
    cx__stack_give(first);
    cx__stack_give(second);
    assert_int_equal(cx__stack_take(&stacks, 1, &again), 0);
    assert_ptr_equal(again.low, second.low);
}

enum { MANY = 2000 };

static void take_many(struct cx__stack *many)
{
    for (size_t i = 0; i < MANY; i++) {
        assert_int_equal(cx__stack_take(&stacks, 1, &many[i]), 0);
        *many[i].low = 'x';
    }
}

static void give_many(const struct cx__stack *many)
{
    for (size_t i = 0; i < MANY; i++)
        cx__stack_give(many[i]);
}

static void stacks_in_use_do_not_overlap(void **state)
{
    static struct cx__stack many[MANY];

    (void)state;
    take_many(many);
    for (size_t i = 0; i < MANY; i++)
        memset(many[i].low, (int)i, (size_t)(many[i].high - many[i].low));
    for (size_t i = 0; i < MANY; i++) {
        assert_int_equal((unsigned char)many[i].low[0], i % 256);
        assert_int_equal((unsigned char)many[i].high[-1], i % 256);
    }
    give_many(many);
}

static size_t slabs_of(const struct cx__stack_class *class)
{
    size_t len = 0;

    for (const struct cx__list *at = class->slabs.next; at != &class->slabs;
         at = at->next)
        len++;
    return len;
}

static void trimming_gives_the_memory_of_a_burst_back(void **state)
{
    static struct cx__stack many[MANY];
    const struct cx__stack_class *class = &stacks.class[0];
    size_t at_most;

    (void)state;
    take_many(many);
    at_most = slabs_of(class);
    give_many(many);
    for (int i = 0; i < MANY; i++)
        cx__stacks_trim(&stacks);
    assert_true(class->warm_len < MANY / 4);
    assert_true(slabs_of(class) < at_most / 2);
}

/* How many stacks of a slab are cold, seeing to it that they are empty. */
static size_t cold_in(const struct cx__slab *slab)
{
    size_t len = 0;

    for (uint64_t cold = slab->cold; cold != 0; cold &= cold - 1, len++) {
        size_t i = (size_t)__builtin_ctzll(cold);
        size_t bytes = CX__STACK_GUARD + slab->class->bytes;

        assert_int_equal(slab->base[i * bytes + CX__STACK_GUARD], 0);
    }
    return len;
}

static void a_cold_stack_holds_nothing_of_its_last_use(void **state)
{
    static struct cx__stack many[MANY];
    const struct cx__list *slabs = &stacks.class[0].slabs;
    size_t cold = 0;

    (void)state;
    take_many(many);
    /* All but every tenth, so that no slab goes. */
    for (size_t i = 0; i < MANY; i++) {
        if (i % 10 != 0)
            cx__stack_give(many[i]);
    }
    for (int i = 0; i < MANY; i++)
        cx__stacks_trim(&stacks);
    for (struct cx__list *at = slabs->next; at != slabs; at = at->next)
        cold += cold_in(CX__OWNER(at, struct cx__slab, link));
    assert_true(cold > MANY / 2);
}

static void trimmed_stacks_can_be_taken_again(void **state)
{
    static struct cx__stack many[MANY];

    (void)state;
    for (int round = 0; round < 3; round++) {
        take_many(many);
        give_many(many);
        cx__stacks_trim(&stacks);
    }
}

/* Exits with how the stack is guarded, or dies of touching its guard. */
static int touch_below(void)
{
    struct cx__stack stack;

    cx__stacks_init(&stacks);
    if (cx__stack_take(&stacks, 1, &stack) != 0)
        return 99;
    if (stack.slab->guard == CX__GUARD_NONE)
        return CX__GUARD_NONE;
    ((volatile char *)stack.low)[-1] = 'x';
    return 98;
}

static void a_guard_is_hit_below_the_stack(void **state)
{
    (void)state;
    assert_int_equal(in_a_child(touch_below), -SIGSEGV);
}

static int guard_of_a_stack(void)
{
    struct cx__stack stack;
    int guard;

    cx__stacks_init(&stacks);
    if (cx__stack_take(&stacks, 1, &stack) != 0)
        return 99;
    guard = stack.slab->guard;
    cx__stack_give(stack);
    cx__stacks_fini(&stacks);
    return guard;
}

static void guards_can_be_had_one_by_one(void **state)
{
    (void)state;
    if (in_a_child(guard_of_a_stack) != CX__GUARD_ADVISED)
        skip(); /* this kernel cannot */
    without_batch = without_protection = true;
    assert_int_equal(in_a_child(guard_of_a_stack), CX__GUARD_ADVISED);
    assert_int_equal(in_a_child(touch_below), -SIGSEGV);
    without_batch = without_protection = false;
}

static void without_guard_advice_guards_are_protected(void **state)
{
    (void)state;
    without_batch = without_advice = true;
    assert_int_equal(in_a_child(guard_of_a_stack), CX__GUARD_PROTECTED);
    assert_int_equal(in_a_child(touch_below), -SIGSEGV);
    without_batch = without_advice = false;
}

/* Whether there are many protected stacks, and then some without a guard. */
static int protect_many(void)
{
    struct cx__stack stack;
    int len = 0;

    cx__stacks_init(&stacks);
    do {
        if (cx__stack_take(&stacks, 1, &stack) != 0)
            return false;
        len++;
    } while (stack.slab->guard == CX__GUARD_PROTECTED);
    return len > 20000 && stack.slab->guard == CX__GUARD_NONE;
}

static void protected_guards_end_before_the_mappings_do(void **state)
{
    (void)state;
    without_batch = without_advice = true;
    assert_int_equal(in_a_child(protect_many), true);
    without_batch = without_advice = false;
}

static int overwrite_the_low_end(void)
{
    struct cx__stack stack;

    cx__stacks_init(&stacks);
    if (cx__stack_take(&stacks, 1, &stack) != 0 ||
        stack.slab->guard != CX__GUARD_NONE || !cx__stack_is_whole(stack))
        return 99;
    stack.low[3] = 'x';
    return cx__stack_is_whole(stack);
}

static void an_overflow_of_a_stack_without_a_guard_shows(void **state)
{
    (void)state;
    without_batch = without_advice = without_protection = true;
    assert_int_equal(in_a_child(overwrite_the_low_end), false);
    without_batch = without_advice = without_protection = false;
}

static int run_tasks_without_guards(void)
{
    return cx_run(return_arg, NULL, NULL);
}

static void tasks_run_on_stacks_without_guards(void **state)
{
    (void)state;
    without_batch = without_advice = without_protection = true;
    assert_int_equal(in_a_child(run_tasks_without_guards), 0);
    without_batch = without_advice = without_protection = false;
}

/* Fills a frame of 4 KiB a level, and reads it on the way back. */
static int descend(int levels)
{
    volatile char frame[4096];

    frame[0] = (char)levels;
    frame[sizeof(frame) - 1] = (char)levels;
    return levels == 0 ? 0 : descend(levels - 1) + (frame[0] == (char)levels);
}

static void *descend_by(void *arg)
{
    return as_pointer(descend((int)(intptr_t)arg));
}

TASK_TEST(a_task_can_use_the_stack_that_it_asked_for)
{
    cx_task_options options = {.stack_size = 8 << 20};
    void *levels;

    assert_int_equal(
        cx_await(cx_task_create_with(&options, descend_by, as_pointer(1900)),
                 &levels),
        0);
    assert_int_equal((intptr_t)levels, 1900);
}

TASK_TEST(ten_thousand_tasks_live_at_once)
{
    enum { TASKS = 10000 };
    cx_task **tasks = malloc(TASKS * sizeof(*tasks));

    for (int i = 0; i < TASKS; i++) {
        tasks[i] = cx_task_create(sleep_for_ever, NULL);
        assert_non_null(tasks[i]);
    }
    assert_int_equal(cx_yield(), 0);
    for (int i = 0; i < TASKS; i++)
        assert_int_equal(cx_cancel(tasks[i]), 0);
    for (int i = 0; i < TASKS; i++)
        assert_int_equal(cx_await(tasks[i], NULL), 0);
    free(tasks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            a_stack_is_as_large_as_asked_for_and_can_be_written, begin, end),
        cmocka_unit_test_setup_teardown(the_last_stack_given_is_the_first_taken,
                                        begin, end),
        cmocka_unit_test_setup_teardown(stacks_in_use_do_not_overlap, begin,
                                        end),
        cmocka_unit_test_setup_teardown(
            trimming_gives_the_memory_of_a_burst_back, begin, end),
        cmocka_unit_test_setup_teardown(
            a_cold_stack_holds_nothing_of_its_last_use, begin, end),
        cmocka_unit_test_setup_teardown(trimmed_stacks_can_be_taken_again,
                                        begin, end),
        cmocka_unit_test(a_guard_is_hit_below_the_stack),
        cmocka_unit_test(guards_can_be_had_one_by_one),
        cmocka_unit_test(without_guard_advice_guards_are_protected),
        cmocka_unit_test(protected_guards_end_before_the_mappings_do),
        cmocka_unit_test(an_overflow_of_a_stack_without_a_guard_shows),
        cmocka_unit_test(tasks_run_on_stacks_without_guards),
        cmocka_unit_test(a_task_can_use_the_stack_that_it_asked_for),
        cmocka_unit_test(ten_thousand_tasks_live_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
