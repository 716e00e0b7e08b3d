/* SPDX-License-Identifier: MIT */
#ifndef CTXVAR_SQL_UTF8_H
#define CTXVAR_SQL_UTF8_H

#include <stdbool.h>

#include <ctxvar/data.h>

/* Is it UTF-8 without a NUL? One engine would take what the other refuses. */
bool cx__utf8_is_valid(cx_text text);

/* Is there a control character in what is valid? */
bool cx__utf8_has_control(cx_text text);

/* Put question marks in the place of control characters and of what is not
 * valid. */
void cx__utf8_mask(char *text, size_t len);

#endif
