/* SPDX-License-Identifier: MIT */
/*
 * The two ends of a coroutine that C has no words for: its outermost frame,
 * and the jump to it, both around the functions of Boost.Context.
 */
#ifndef CTXVAR_PLATFORM_JUMP_H
#define CTXVAR_PLATFORM_JUMP_H

#include <stddef.h>

/* What a jump hands to where it arrives, in two registers. */
struct cx__transfer {
    void *at;   /* where the one that jumped stands now */
    void *from; /* what it said */
};

/*
 * Of Boost.Context, declared here in C: its own header is C++, while its
 * functions are assembly with C linkage in the static library.
 */
struct cx__transfer jump_fcontext(void *to, void *from);
void *make_fcontext(void *high, size_t bytes,
                    void (*entry)(struct cx__transfer));

/*
 * cx__jump() is jump_fcontext(). That one leaves by a jump to where it was
 * called from, and so, where it is called, the processor's prediction of
 * returns is one off: the next return is mispredicted, and the ones after it,
 * at some ten nanoseconds each. Here it is entered by a jump as well.
 *
 * It also exchanges the whole register that has the modes of floating point,
 * and with them its flags: inexact, overflow, and so on. Where the flags of
 * the two differ, this takes an Intel processor some thirty nanoseconds, and
 * they nearly always do if only one of the two has computed anything. Here
 * they are made the same first, in what was saved of the one that is jumped
 * to. So the modes are each coroutine's own, and the flags the thread's, as
 * with a function that is called.
 *
 * CX__ENTRY(name, target) defines a function `name` that calls `target` with
 * what a jump hands over, and that tells debuggers and unwinders that nothing
 * lies beyond. `target` must be __attribute__((used)) and never return.
 */
#if defined(__x86_64__)

#ifdef __AVX512F__
#define CX__MORE_CLOBBERS                                                      \
    , "k1", "k2", "k3", "k4", "k5", "k6", "k7", "xmm16", "xmm17", "xmm18",     \
        "xmm19", "xmm20", "xmm21", "xmm22", "xmm23", "xmm24", "xmm25",         \
        "xmm26", "xmm27", "xmm28", "xmm29", "xmm30", "xmm31"
#else
#define CX__MORE_CLOBBERS
#endif

/*
 * Pushes, and so must not be in a function that keeps data below its stack
 * pointer, as one that calls nothing may: it is inlined into one that does.
 * 0x3f are the flags; every version of Boost.Context saves the register first.
 */
static inline __attribute__((always_inline)) struct cx__transfer
cx__jump(void *to, void *from)
{
    struct cx__transfer transfer;

    __asm__ volatile(
        "leaq 1f(%%rip), %%rax\n\t"
        "pushq %%rax\n\t"
        "stmxcsr -8(%%rsp)\n\t"
        "movl -8(%%rsp), %%eax\n\t"
        "xorl (%%rdi), %%eax\n\t"
        "andl $0x3f, %%eax\n\t"
        "xorl %%eax, (%%rdi)\n\t"
        "jmp *%[jump]\n"
        "1:"
        : "=&a"(transfer.at), "=&d"(transfer.from), "+D"(to), "+S"(from)
        : [jump] "r"(jump_fcontext)
        : "rcx", "r8", "r9", "r10", "r11", "cc", "memory", "mm0", "mm1", "mm2",
          "mm3", "mm4", "mm5", "mm6", "mm7", "xmm0", "xmm1", "xmm2", "xmm3",
          "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11",
          "xmm12", "xmm13", "xmm14", "xmm15" CX__MORE_CLOBBERS);
    return transfer;
}

#define CX__ENTRY(name, target)                                                \
    __asm__(".pushsection .text\n"                                             \
            ".p2align 4\n"                                                     \
            ".globl " #name "\n"                                               \
            ".hidden " #name "\n"                                              \
            ".type " #name ", @function\n" #name ":\n"                         \
            "\t.cfi_startproc\n"                                               \
            "\t.cfi_undefined rip\n"                                           \
            "\txorl %ebp, %ebp\n"                                              \
            "\tsubq $8, %rsp\n"                                                \
            "\tcall " #target "\n"                                             \
            "\tud2\n"                                                          \
            "\t.cfi_endproc\n"                                                 \
            ".size " #name ", .-" #name "\n"                                   \
            ".popsection\n")

#else

static inline struct cx__transfer cx__jump(void *to, void *from)
{
    return jump_fcontext(to, from);
}

#if defined(__aarch64__)

#define CX__ENTRY(name, target)                                                \
    __asm__(".pushsection .text\n"                                             \
            ".p2align 4\n"                                                     \
            ".globl " #name "\n"                                               \
            ".hidden " #name "\n"                                              \
            ".type " #name ", %function\n" #name ":\n"                         \
            "\t.cfi_startproc\n"                                               \
            "\t.cfi_undefined x30\n"                                           \
            "\tmov x29, xzr\n"                                                 \
            "\tmov x30, xzr\n"                                                 \
            "\tbl " #target "\n"                                               \
            "\tbrk #1\n"                                                       \
            "\t.cfi_endproc\n"                                                 \
            ".size " #name ", .-" #name "\n"                                   \
            ".popsection\n")

#else

/* Elsewhere the C function itself is outermost; unwinders have to guess. */
#define CX__ENTRY(name, target)                                                \
    void name(struct cx__transfer transfer) __attribute__((alias(#target)))

#endif
#endif

#endif
