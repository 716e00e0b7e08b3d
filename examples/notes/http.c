/* SPDX-License-Identifier: MIT */
#include "http.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* The head is parsed in one piece, so that each of its parts comes whole. */
static int keep(struct http *http, char *word, const char *at, size_t size)
{
    if (size >= WORD_BYTES) {
        http->error = -E2BIG;
        return -1;
    }
    memcpy(word, at, size);
    word[size] = '\0';
    return 0;
}

static int on_url(http_parser *parser, const char *at, size_t size)
{
    struct http *http = parser->data;

    return keep(http, http->url, at, size);
}

static int on_field(http_parser *parser, const char *at, size_t size)
{
    struct http *http = parser->data;

    http->value = NULL;
    if (size == 4 && strncasecmp(at, "Host", size) == 0)
        http->value = http->host;
    if (size == 8 && strncasecmp(at, "X-Tenant", size) == 0)
        http->value = http->tenant;
    return 0;
}

static int on_value(http_parser *parser, const char *at, size_t size)
{
    struct http *http = parser->data;

    return http->value != NULL ? keep(http, http->value, at, size) : 0;
}

/* The body is not the parser's. */
static int on_head(http_parser *parser)
{
    struct http *http = parser->data;
    bool has_body = parser->content_length != UINT64_MAX;

    http->is_head = parser->method == HTTP_HEAD;
    http->method = http->is_head ? HTTP_GET : parser->method;
    http->keep_alive = http_should_keep_alive(parser) && !parser->upgrade;
    http->body_len = has_body ? parser->content_length : 0;
    if ((parser->flags & F_CHUNKED) != 0)
        http->error = -ENOTSUP;
    else if (http->body_len > BODY_MOST)
        http->error = -EMSGSIZE;
    return 1;
}

/* The next request is not this one's: what follows in the head is none of it.
 */
static int on_end(http_parser *parser)
{
    http_parser_pause(parser, 1);
    return 0;
}

static const http_parser_settings settings = {.on_url = on_url,
                                              .on_header_field = on_field,
                                              .on_header_value = on_value,
                                              .on_headers_complete = on_head,
                                              .on_message_complete = on_end};

int http_read(struct http *http)
{
    http_parser parser;
    const char *head;
    ssize_t size;

    *http = (struct http){.stream = http->stream};
    size = cx_stream_read_until(http->stream, "\r\n\r\n", 4, &head);
    if (size < 0)
        return (int)size;
    http_parser_init(&parser, HTTP_REQUEST);
    parser.data = http;
    if (http_parser_execute(&parser, &settings, head, (size_t)size) !=
            (size_t)size ||
        HTTP_PARSER_ERRNO(&parser) != HPE_PAUSED)
        http->error = http->error != 0 ? http->error : -EBADMSG;
    if (http->error == 0)
        http->error =
            cx_stream_read_exactly(http->stream, http->body_len, &http->body);
    http->keep_alive = http->keep_alive && http->error == 0;
    return http->error;
}

int http_answer(struct http *http, int status, const char *json)
{
    const char *close = http->keep_alive ? "" : "Connection: close\r\n";
    char head[256];
    int size = snprintf(head, sizeof(head), "HTTP/1.1 %d %s\r\n%s", status,
                        http_status_str((enum http_status)status), close);
    int error;

    if (json != NULL)
        size += snprintf(head + size, sizeof(head) - (size_t)size,
                         "Content-Type: application/json\r\n"
                         "Content-Length: %zu\r\n",
                         strlen(json));
    size += snprintf(head + size, sizeof(head) - (size_t)size, "\r\n");
    error = cx_stream_write(http->stream, head, (size_t)size);
    if (error == 0 && json != NULL && !http->is_head)
        error = cx_stream_write(http->stream, json, strlen(json));
    return error;
}
