/* SPDX-License-Identifier: MIT */
/*
 * What differs between compilers, for the public headers: the only one of
 * them with conditionals on a compiler. Nothing here is part of the interface.
 */
#ifndef CTXVAR_PLATFORM_H
#define CTXVAR_PLATFORM_H

#ifndef __GNUC__
#error                                                                         \
    "ctxvar needs GCC or Clang: it is built on their attributes and statement expressions"
#endif

#ifdef __cplusplus
#define CX__BEGIN_DECLS extern "C" {
#define CX__END_DECLS }
#else
#define CX__BEGIN_DECLS
#define CX__END_DECLS
#endif

#define CX__DATA __attribute__((visibility("default")))

/*
 * A public function is a call, also where the whole program is optimised at
 * link time: inlined into a coroutine that changes threads, it would keep
 * addresses of thread-local storage. CX__API is on functions, CX__DATA on
 * objects.
 */
#ifdef __clang__
#define CX__API __attribute__((visibility("default"), noinline))
#else
#define CX__API __attribute__((visibility("default"), noipa))
#endif

#define CX__MUST_CHECK __attribute__((warn_unused_result))
#define CX__CLEANUP(fn) __attribute__((cleanup(fn)))
#define CX__UNUSED __attribute__((unused))
#define CX__INLINE static inline __attribute__((unused))
#define CX__LIKELY(x) __builtin_expect(!!(x), 1)

/* Thread-local without the call that a shared library's would cost. */
#define CX__THREAD_LOCAL __thread
#define CX__INITIAL_EXEC __attribute__((tls_model("initial-exec")))

/*
 * Between these two a doubtful conversion (a pointer of another type, an
 * integer for a pointer, a lost const) is an error and no warning.
 */
/* clang-format off */
#ifdef __clang__
#define CX__STRICT_BEGIN                                                       \
    _Pragma("clang diagnostic push")                                           \
    _Pragma("clang diagnostic error \"-Wincompatible-pointer-types\"")         \
    _Pragma("clang diagnostic error \"-Wint-conversion\"")                     \
    _Pragma("clang diagnostic error \"-Wincompatible-pointer-types-discards-qualifiers\"")
#else
#define CX__STRICT_BEGIN                                                       \
    _Pragma("GCC diagnostic push")                                             \
    _Pragma("GCC diagnostic error \"-Wincompatible-pointer-types\"")           \
    _Pragma("GCC diagnostic error \"-Wint-conversion\"")                       \
    _Pragma("GCC diagnostic error \"-Wdiscarded-qualifiers\"")
#endif
/* clang-format on */
#define CX__STRICT_END _Pragma("GCC diagnostic pop")

/* An initializer that overrides an earlier one on purpose. */
#define CX__OVERRIDE_BEGIN                                                     \
    _Pragma("GCC diagnostic push")                                             \
        _Pragma("GCC diagnostic ignored \"-Woverride-init\"")
#define CX__OVERRIDE_END _Pragma("GCC diagnostic pop")

#endif
