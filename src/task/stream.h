/* SPDX-License-Identifier: MIT */
/* Making streams of descriptors. */
#ifndef CTXVAR_TASK_STREAM_H
#define CTXVAR_TASK_STREAM_H

#include <ctxvar/stream.h>

/* A stream of a socket, or of a pipe or the like. On an error the descriptor
 * is still the caller's; or it is closed. */
int cx__stream_new(int fd, bool is_socket, cx_stream **stream);
int cx__stream_take(int fd, bool is_socket, cx_stream **stream);

#endif
