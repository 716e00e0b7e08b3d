/* SPDX-License-Identifier: MIT */
/* HTTP/1.1 on a stream: requests as they come, and their answers. */
#ifndef NOTES_HTTP_H
#define NOTES_HTTP_H

#include <http_parser.h>

#include <ctxvar/data.h>
#include <ctxvar/stream.h>

enum { HEAD_MOST = 4096, BODY_MOST = 64 * 1024 };

/* A request, with those of its headers that are asked for. */
struct http {
    cx_stream *stream;
    char head[HEAD_MOST]; /* what the next three are parts of */
    cx_text path;         /* ends with a NUL */
    cx_text host;         /* the target's, else the header's */
    cx_text tenant;
    cx_text *part; /* where the next part goes; NULL: nowhere */
    unsigned method;
    cx_text body;      /* borrowed until the next request */
    const char *allow; /* the line for an answer that its method is none */
    bool keep_alive;
};

/* Wait for the next request of a stream, with all else empty: 0, the status
 * that it is to be refused with, or the stream's error, negative. */
int http_read(struct http *http);

/* Answer it, with JSON or, NULL, with nothing: 0, or the stream's error. */
int http_answer(struct http *http, int status, const char *json);

#endif
