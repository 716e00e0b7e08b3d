/* SPDX-License-Identifier: MIT */
/*
 * Advice to the kernel that the C library's headers may be too old to name.
 */
#ifndef CTXVAR_PLATFORM_PAGES_H
#define CTXVAR_PLATFORM_PAGES_H

#include <sys/mman.h>
#include <sys/syscall.h>

/* Linux 6.13: guard pages without a mapping of their own. */
#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

/* Linux 5.10; one number on every architecture. */
#ifndef SYS_process_madvise
#define SYS_process_madvise 440
#endif

/* Linux 5.3; one number on every architecture. */
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

#endif
