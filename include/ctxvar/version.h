/* SPDX-License-Identifier: MIT */
/* The version of the headers, and that of the library that is running. */
#ifndef CTXVAR_VERSION_H
#define CTXVAR_VERSION_H

#include <ctxvar/platform.h>

CX__BEGIN_DECLS

#define CX_VERSION_MAJOR 0
#define CX_VERSION_MINOR 1
#define CX_VERSION_PATCH 0

/**
 * Tell the version of the running library.
 *
 * @return "MAJOR.MINOR.PATCH", static.
 *
 * Suspends: never. Threads: any. Cost: O(1).
 * Source: own.  Since: 0.1
 */
CX__API const char *cx_version(void);

CX__END_DECLS

#endif
