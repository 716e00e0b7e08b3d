/* SPDX-License-Identifier: MIT */
/* HTTP/1.1 on a stream: requests as they come, and their answers. */
#ifndef NOTES_HTTP_H
#define NOTES_HTTP_H

#include <http_parser.h>

#include <ctxvar/stream.h>

enum { WORD_BYTES = 256, BODY_MOST = 64 * 1024 };

/* A request, with those of its headers that are asked for. */
struct http {
    cx_stream *stream;
    unsigned method;
    char url[WORD_BYTES];
    char host[WORD_BYTES];
    char tenant[WORD_BYTES];
    char *value;      /* where the header's value goes; NULL: nowhere */
    const char *body; /* borrowed until the next request */
    size_t body_len;
    int error;
    bool keep_alive;
    bool is_head; /* answered as GET is, without its body */
};

/* Wait for the next request of a stream: 0, or the error of the stream's or of
 * the request, -EBADMSG, -EMSGSIZE (its body), -E2BIG (its head), -ENOTSUP. */
int http_read(struct http *http);

/* Answer it, with JSON or, NULL, with nothing. */
int http_answer(struct http *http, int status, const char *json);

#endif
