/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <ctxvar/fd.h>

#include "lines.h"

enum { CHUNK = 16 * 1024 };

/* Where the first line ends in what was read; 0: not there. */
static size_t end_of_line(struct lines *lines)
{
    const char *from = lines->data + lines->seen;
    const char *end = lines->len > lines->seen
                          ? memchr(from, '\n', lines->len - lines->seen)
                          : NULL;

    if (end != NULL)
        return (size_t)(end - lines->data) + 1;
    lines->seen = lines->len;
    return lines->ended && lines->len > lines->begin ? lines->len : 0;
}

static int make_room(struct lines *lines)
{
    char *data = lines->data;

    if (lines->begin > 0) {
        lines->len -= lines->begin;
        lines->seen -= lines->begin;
        memmove(data, data + lines->begin, lines->len);
        lines->begin = 0;
    }
    if (lines->size - lines->len >= CHUNK)
        return 0;
    data = realloc(data, 2 * lines->size + CHUNK);
    if (data == NULL)
        return -ENOMEM;
    lines->data = data;
    lines->size = 2 * lines->size + CHUNK;
    return 0;
}

/* Take what there is, once there is something. */
static int read_more(struct lines *lines)
{
    int error = make_room(lines);
    int ready = error == 0 ? cx_fd_wait(STDIN_FILENO, CX_READABLE) : error;
    ssize_t n;

    if (ready < 0)
        return ready;
    n = read(STDIN_FILENO, lines->data + lines->len, CHUNK);
    if (n < 0)
        return errno == EINTR || errno == EAGAIN ? 0 : -errno;
    lines->len += (size_t)n;
    lines->ended = n == 0;
    return 0;
}

long lines_next(struct lines *lines, const char **line)
{
    size_t end;

    while ((end = end_of_line(lines)) == 0) {
        int error = lines->ended ? 0 : read_more(lines);

        if (error != 0)
            return error;
        if (lines->ended && lines->len == lines->begin)
            return 0;
    }
    *line = lines->data + lines->begin;
    end -= lines->begin;
    lines->begin += end;
    lines->seen = lines->begin;
    lines->number++;
    return (long)end;
}

void lines_drop(struct lines *lines)
{
    lines->begin = lines->seen = lines->len = 0;
    lines->ended = false;
}

void lines_fini(struct lines *lines)
{
    free(lines->data);
    *lines = (struct lines){.data = NULL};
}
