/* SPDX-License-Identifier: MIT */
/*
 * What AddressSanitizer, LeakSanitizer, ThreadSanitizer and Valgrind must be
 * told of stacks and of switches between them. Nothing, where none is there.
 *
 * The functions of a switch are inlined into the function that jumps: a
 * sanitizer keeps a stack of calls for each fiber, and a call that began on
 * one must not return on another.
 */
#ifndef CTXVAR_PLATFORM_SANITIZER_H
#define CTXVAR_PLATFORM_SANITIZER_H

#include <stdbool.h>
#include <stddef.h>

#if defined(__SANITIZE_ADDRESS__)
#define CX__ASAN 1
#elif defined(__SANITIZE_THREAD__)
#define CX__TSAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CX__ASAN 1
#elif __has_feature(thread_sanitizer)
#define CX__TSAN 1
#endif
#endif

#ifdef CX__ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#include <sanitizer/lsan_interface.h>
#endif
#ifdef CX__TSAN
#include <sanitizer/tsan_interface.h>
#endif
#if defined(__has_include) && !defined(CX__ASAN) && !defined(CX__TSAN)
#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#define CX__VALGRIND 1
#endif
#endif

#define CX__SWITCH_INLINE static inline __attribute__((always_inline))

/* One stack, as these tools know it. */
struct cx__fiber {
    const void *stack; /* its lowest byte; a thread's is learnt from a switch */
    size_t stack_bytes;
    void *fake_stack;
    void *tsan;
};

/* A fiber on a stack of our own. */
static inline void cx__fiber_init(struct cx__fiber *fiber, const void *stack,
                                  size_t stack_bytes)
{
    *fiber = (struct cx__fiber){.stack = stack, .stack_bytes = stack_bytes};
#ifdef CX__ASAN
    __lsan_register_root_region(stack, stack_bytes);
#endif
#ifdef CX__TSAN
    fiber->tsan = __tsan_create_fiber(0);
#endif
}

/* The fiber that a thread starts as. */
static inline void cx__fiber_init_thread(struct cx__fiber *fiber)
{
    *fiber = (struct cx__fiber){.stack = NULL};
#ifdef CX__TSAN
    fiber->tsan = __tsan_get_current_fiber();
#endif
}

/* The end of a fiber of our own, said from another one. */
static inline void cx__fiber_fini(struct cx__fiber *fiber)
{
#ifdef CX__ASAN
    __lsan_unregister_root_region(fiber->stack, fiber->stack_bytes);
    __asan_unpoison_memory_region(fiber->stack, fiber->stack_bytes);
#endif
#ifdef CX__TSAN
    __tsan_destroy_fiber(fiber->tsan);
#endif
    (void)fiber;
}

/* Just before the jump. for_ever: nobody will jump back. */
CX__SWITCH_INLINE void cx__fiber_leave(struct cx__fiber *from,
                                       const struct cx__fiber *to,
                                       bool for_ever)
{
#ifdef CX__ASAN
    __sanitizer_start_switch_fiber(for_ever ? NULL : &from->fake_stack,
                                   to->stack, to->stack_bytes);
#endif
#ifdef CX__TSAN
    __tsan_switch_to_fiber(to->tsan, 0);
#endif
    (void)from;
    (void)to;
    (void)for_ever;
}

/* Just after the jump, on the stack that was jumped to. */
CX__SWITCH_INLINE void cx__fiber_arrive(struct cx__fiber *here,
                                        struct cx__fiber *before)
{
#ifdef CX__ASAN
    __sanitizer_finish_switch_fiber(here->fake_stack, &before->stack,
                                    &before->stack_bytes);
#endif
    (void)here;
    (void)before;
}

static inline bool cx__under_valgrind(void)
{
#ifdef CX__VALGRIND
    return RUNNING_ON_VALGRIND;
#else
    return false;
#endif
}

/* A stack's memory comes and goes. The number is Valgrind's for it. */
static inline unsigned cx__stack_announce(const char *low, size_t bytes)
{
#ifdef CX__VALGRIND
    return VALGRIND_STACK_REGISTER(low, low + bytes);
#else
    (void)low;
    (void)bytes;
    return 0;
#endif
}

static inline void cx__stack_revoke(unsigned number)
{
#ifdef CX__VALGRIND
    VALGRIND_STACK_DEREGISTER(number);
#endif
    (void)number;
}

#endif
