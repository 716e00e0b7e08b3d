/* SPDX-License-Identifier: MIT */
#include "http.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static int on_field(http_parser *parser, const char *at, size_t size)
{
    struct http *http = parser->data;

    http->part = NULL;
    if (size == 4 && strncasecmp(at, "Host", size) == 0)
        http->part = &http->host;
    if (size == 8 && strncasecmp(at, "X-Tenant", size) == 0)
        http->part = &http->tenant;
    return 0;
}

/* The head is parsed in one piece, so that each of its parts comes whole. What
 * comes twice is refused: whose a request is must not depend on which of two
 * headers is looked at. */
static int on_part(http_parser *parser, const char *at, size_t size)
{
    struct http *http = parser->data;

    if (http->part == NULL)
        return 0;
    if (http->part->data != NULL)
        return -1;
    *http->part = (cx_text){at, size};
    return 0;
}

/* The head ends here, and so does what is the parser's: a body is not. */
static int on_head(http_parser *parser)
{
    struct http *http = parser->data;
    bool has_body = parser->content_length != UINT64_MAX;

    http->method = parser->method;
    http->keep_alive = http_should_keep_alive(parser) && !parser->upgrade;
    http->body.len = has_body ? parser->content_length : 0;
    return 2;
}

static const http_parser_settings settings = {.on_url = on_part,
                                              .on_header_field = on_field,
                                              .on_header_value = on_part,
                                              .on_headers_complete = on_head};

/* "/notes?x=1" or, as proxies are asked, "http://acme.example/notes". */
static bool parse_target(struct http *http)
{
    char *target = http->head + (http->path.data - http->head);
    struct http_parser_url url = {.field_set = 0};

    if (http_parser_parse_url(target, http->path.len, 0, &url) != 0)
        return false;
    if ((url.field_set & (1 << UF_HOST)) != 0)
        http->host = (cx_text){target + url.field_data[UF_HOST].off,
                               url.field_data[UF_HOST].len};
    http->path = (cx_text){target + url.field_data[UF_PATH].off,
                           url.field_data[UF_PATH].len};
    target[url.field_data[UF_PATH].off + http->path.len] = '\0';
    return true;
}

/* The status to refuse it with, or 0. */
static int parse(struct http *http, size_t size)
{
    http_parser parser;

    http->part = &http->path;
    http_parser_init(&parser, HTTP_REQUEST);
    parser.data = http;
    if (http_parser_execute(&parser, &settings, http->head, size) != size ||
        !parse_target(http))
        return HTTP_STATUS_BAD_REQUEST;
    if ((parser.flags & F_CHUNKED) != 0)
        return HTTP_STATUS_LENGTH_REQUIRED;
    return http->body.len > BODY_MOST ? HTTP_STATUS_PAYLOAD_TOO_LARGE : 0;
}

int http_read(struct http *http)
{
    const char *head;
    ssize_t size = cx_stream_read_until(http->stream, "\r\n\r\n", 4, &head);
    int status;

    if (size < 0)
        return (int)size;
    if (size > HEAD_MOST)
        return HTTP_STATUS_REQUEST_HEADER_FIELDS_TOO_LARGE;
    memcpy(http->head, head, (size_t)size);
    status = parse(http, (size_t)size);
    http->keep_alive = http->keep_alive && status == 0;
    return status != 0 ? status
                       : cx_stream_read_exactly(http->stream, http->body.len,
                                                &http->body.data);
}

int http_answer(struct http *http, int status, const char *json)
{
    char content[96] = "";
    char head[512];
    int size, error;

    if (json != NULL)
        (void)snprintf(content, sizeof(content),
                       "Content-Type: application/json\r\n"
                       "Content-Length: %zu\r\n",
                       strlen(json));
    size = snprintf(head, sizeof(head), "HTTP/1.1 %d %s\r\n%s%s%s\r\n", status,
                    http_status_str((enum http_status)status),
                    http->keep_alive ? "" : "Connection: close\r\n",
                    status == HTTP_STATUS_METHOD_NOT_ALLOWED ? http->allow : "",
                    content);
    error = cx_stream_write(http->stream, head, (size_t)size);
    if (error != 0 || json == NULL || http->method == HTTP_HEAD)
        return error;
    return cx_stream_write(http->stream, json, strlen(json));
}
