/* SPDX-License-Identifier: MIT */
/*
 * Sites: where in the program a task was created. Kept as an address, since
 * that costs a store; what it is called is looked up when somebody asks.
 */
#ifndef CTXVAR_TASK_SITE_H
#define CTXVAR_TASK_SITE_H

#include <stddef.h>

/* Where the function that says this was called; in a public function, the
 * program's own code. */
#define CX__SITE                                                               \
    ((const void *)__builtin_extract_return_addr(__builtin_return_address(0)))

enum { CX__SITE_BYTES = 256 };

/* Write what a site is called, a string of no more than size bytes: as in
 * "main (app+0x11d3)", or "app+0x11d3" where there is no symbol. */
void cx__site_name(const void *site, char *name, size_t size);

#endif
