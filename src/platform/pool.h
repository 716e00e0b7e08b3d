/* SPDX-License-Identifier: MIT */
/*
 * How many freed blocks of one size a thread keeps for reuse. None under a
 * sanitizer: it is to see each use after free.
 */
#ifndef CTXVAR_PLATFORM_POOL_H
#define CTXVAR_PLATFORM_POOL_H

#if defined(__SANITIZE_ADDRESS__)
#define CX__POOL_KEEP 0u
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CX__POOL_KEEP 0u
#endif
#endif

#ifndef CX__POOL_KEEP
#define CX__POOL_KEEP 64u
#endif

#endif
