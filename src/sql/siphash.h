/* SPDX-License-Identifier: MIT */
/* SipHash-2-4, by Aumasson and Bernstein, of a number. */
#ifndef CTXVAR_SQL_SIPHASH_H
#define CTXVAR_SQL_SIPHASH_H

#include <stdint.h>

enum { CX__SIPHASH_KEY_BYTES = 16 };

/* Of the number's eight bytes, the lowest first. Who does not have the key can
 * tell neither that nor any other result from those that they have seen. */
uint64_t cx__siphash(const unsigned char *key, uint64_t number);

#endif
