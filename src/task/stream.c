/* SPDX-License-Identifier: MIT */
/*
 * Streams: reading, buffered where the end of what is read is to be found in
 * it, and writing.
 *
 * What a call hands out lies in the buffer, and stays until the next call, so
 * that a line or a request is not copied:
 *
 *     data                        size            room
 *     | taken | to be read        | free          |
 *             ^ begin                              + 1 byte, for a line's NUL
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ctxvar/stream.h>

#include "debug.h"
#include "endpoint.h"
#include "stream.h"

enum { ROOM_FIRST = 4096, SIZE_MOST = 1 << 20 };

struct cx_stream {
    struct cx__endpoint endpoint;
    bool is_socket;
    char *data;
    size_t begin;
    size_t size;
    size_t room;
};

static void stream_free(struct cx__endpoint *endpoint)
{
    cx_stream *stream = CX__OWNER(endpoint, cx_stream, endpoint);

    free(stream->data);
    free(stream);
}

static void stream_close(struct cx__resource *resource)
{
    cx_stream_close(CX__OWNER(resource, cx_stream, endpoint.resource));
}

int cx__stream_new(int fd, bool is_socket, cx_stream **stream)
{
    cx_stream *opened = calloc(1, sizeof(*opened));
    int error;

    if (opened == NULL)
        return -ENOMEM;
    error = cx__endpoint_open(&opened->endpoint, fd, stream_close, stream_free);
    if (error != 0) {
        free(opened);
        return error;
    }
    opened->is_socket = is_socket;
    *stream = opened;
    return 0;
}

/* The same for a descriptor that is closed if that fails. */
int cx__stream_take(int fd, bool is_socket, cx_stream **stream)
{
    int error = cx__stream_new(fd, is_socket, stream);

    if (error != 0)
        (void)close(fd);
    return error;
}

int cx_stream_open(int fd, cx_stream **stream)
{
    struct stat status;

    if (cx__task_running() == NULL)
        return -EPERM;
    if (stream == NULL)
        return -EINVAL;
    if (fstat(fd, &status) != 0)
        return -errno;
    if (S_ISREG(status.st_mode) || S_ISDIR(status.st_mode))
        return -EINVAL;
    return cx__stream_new(fd, S_ISSOCK(status.st_mode), stream);
}

int cx_pipe(cx_stream **reader, cx_stream **writer)
{
    cx_stream *opened;
    int fd[2];
    int error;

    if (cx__task_running() == NULL)
        return -EPERM;
    if (reader == NULL || writer == NULL)
        return -EINVAL;
    if (pipe2(fd, O_CLOEXEC | O_NONBLOCK) != 0)
        return -errno;
    error = cx__stream_take(fd[0], false, &opened);
    if (error != 0) {
        (void)close(fd[1]);
        return error;
    }
    error = cx__stream_take(fd[1], false, writer);
    if (error != 0)
        cx_stream_close(opened);
    else
        *reader = opened;
    return error;
}

void cx_stream_close(cx_stream *stream)
{
    if (stream != NULL && stream->endpoint.loop == cx__loop_here)
        cx__endpoint_close(&stream->endpoint);
}

int cx_stream_fd(const cx_stream *stream)
{
    return stream != NULL ? stream->endpoint.fd : -EINVAL;
}

/* Wait, if it is known that there is nothing. */
static int receive_ready(cx_stream *stream)
{
    struct cx__endpoint *endpoint = &stream->endpoint;

    return cx__poller_is_drained(endpoint->loop, endpoint->fd)
               ? cx__endpoint_retry(endpoint, CX_READABLE, EAGAIN)
               : 0;
}

/* Read what there is, past the buffer. */
static ssize_t receive(cx_stream *stream, void *data, size_t size)
{
    for (;;) {
        int error = receive_ready(stream);
        ssize_t got;

        if (error != 0)
            return error;
        got = read(stream->endpoint.fd, data, size);
        if (got >= 0) {
            if (stream->is_socket && got > 0 && (size_t)got < size)
                cx__poller_drained(stream->endpoint.loop, stream->endpoint.fd);
            return got;
        }
        error = cx__endpoint_retry(&stream->endpoint, CX_READABLE, errno);
        if (error != 0)
            return error;
    }
}

static size_t unread(const cx_stream *stream)
{
    return stream->size - stream->begin;
}

/* Take bytes out of the buffer. They stay there until it is filled. */
static char *take(cx_stream *stream, size_t size)
{
    char *data = stream->data + stream->begin;

    stream->begin += size;
    return data;
}

static size_t take_into(cx_stream *stream, void *data, size_t size)
{
    if (size > unread(stream))
        size = unread(stream);
    if (size > 0)
        (void)memcpy(data, take(stream, size), size);
    return size;
}

ssize_t cx_stream_read(cx_stream *stream, void *data, size_t size)
{
    ssize_t got;
    int error;

    if (stream == NULL || data == NULL)
        return -EINVAL;
    error = cx__endpoint_begin(&stream->endpoint, CX_READABLE);
    if (error != 0)
        return error;
    got = (ssize_t)take_into(stream, data, size);
    if (got == 0 && size > 0)
        got = receive(stream, data, size);
    cx__endpoint_end(&stream->endpoint, CX_READABLE);
    return got;
}

/* Room in the buffer for `need` bytes from `begin` on. */
static int reserve(cx_stream *stream, size_t need)
{
    size_t room = stream->room != 0 ? stream->room : ROOM_FIRST;
    char *data;

    if (stream->begin > 0) {
        assert(stream->data != NULL);
        (void)memmove(stream->data, stream->data + stream->begin,
                      unread(stream));
        stream->size -= stream->begin;
        stream->begin = 0;
    }
    while (room < need)
        room *= 2;
    if (room == stream->room)
        return 0;
    data = realloc(stream->data, room + 1);
    if (data == NULL)
        return -ENOMEM;
    stream->data = data;
    stream->room = room;
    return 0;
}

/* Begin to read by way of the buffer, which is there then. */
static int begin_buffered(cx_stream *stream)
{
    int error = cx__endpoint_begin(&stream->endpoint, CX_READABLE);

    if (error == 0 && stream->data == NULL) {
        error = reserve(stream, ROOM_FIRST);
        if (error != 0)
            cx__endpoint_end(&stream->endpoint, CX_READABLE);
    }
    return error;
}

/* Have more in the buffer than there is, for `need` bytes in all. 0, or an
 * error; -ENODATA: there is no more. */
static int fill(cx_stream *stream, size_t need)
{
    int error = need <= SIZE_MOST ? reserve(stream, need) : -EMSGSIZE;
    ssize_t got;

    if (error != 0)
        return error;
    got = receive(stream, stream->data + stream->size,
                  stream->room - stream->size);
    if (got <= 0)
        return got == 0 ? -ENODATA : (int)got;
    stream->size += (size_t)got;
    return 0;
}

int cx_stream_read_exactly(cx_stream *stream, size_t size, const char **data)
{
    int error;

    if (stream == NULL || data == NULL)
        return -EINVAL;
    error = begin_buffered(stream);
    if (error != 0)
        return error;
    while (error == 0 && unread(stream) < size)
        error = fill(stream, size);
    if (error == 0)
        *data = take(stream, size);
    cx__endpoint_end(&stream->endpoint, CX_READABLE);
    return error;
}

/* How many bytes there are up to a delimiter and with it, having read as many
 * as that takes; or an error. */
static ssize_t find(cx_stream *stream, const void *delimiter, size_t size)
{
    size_t searched = 0;

    for (;;) {
        const char *begin = stream->data + stream->begin;
        const char *found = NULL;
        int error;

        if (unread(stream) - searched >= size)
            found = memmem(begin + searched, unread(stream) - searched,
                           delimiter, size);
        if (found != NULL)
            return found + size - begin;
        if (unread(stream) >= size)
            searched = unread(stream) - size + 1;
        error = fill(stream, unread(stream) + 1);
        if (error != 0)
            return error;
    }
}

ssize_t cx_stream_read_until(cx_stream *stream, const void *delimiter,
                             size_t size, const char **data)
{
    ssize_t length;

    if (stream == NULL || delimiter == NULL || size == 0 || data == NULL)
        return -EINVAL;
    length = begin_buffered(stream);
    if (length != 0)
        return length;
    length = find(stream, delimiter, size);
    if (length > 0)
        *data = take(stream, (size_t)length);
    cx__endpoint_end(&stream->endpoint, CX_READABLE);
    return length;
}

/* Take a line off the buffer, and its end off the line. */
static ssize_t take_line(cx_stream *stream, size_t length, char **line)
{
    *line = take(stream, length);
    if (length > 0 && (*line)[length - 1] == '\n')
        length--;
    if (length > 0 && (*line)[length - 1] == '\r')
        length--;
    (*line)[length] = '\0';
    return (ssize_t)length;
}

ssize_t cx_stream_read_line(cx_stream *stream, char **line)
{
    ssize_t length;

    if (stream == NULL || line == NULL)
        return -EINVAL;
    length = begin_buffered(stream);
    if (length != 0)
        return length;
    length = find(stream, "\n", 1);
    if (length == -ENODATA && unread(stream) > 0)
        length = (ssize_t)unread(stream);
    if (length > 0)
        length = take_line(stream, (size_t)length, line);
    cx__endpoint_end(&stream->endpoint, CX_READABLE);
    return length;
}

/*
 * write() without SIGPIPE, which a socket can be told to leave out. A pipe
 * cannot: the signal is held off, and one that has come is taken away.
 */
static ssize_t write_quietly(int fd, const void *data, size_t size)
{
    static const struct timespec at_once;
    sigset_t pipe, before, pending;
    ssize_t put;

    (void)sigpending(&pending);
    if (sigismember(&pending, SIGPIPE) == 1)
        return write(fd, data, size);
    (void)sigemptyset(&pipe);
    (void)sigaddset(&pipe, SIGPIPE);
    (void)pthread_sigmask(SIG_BLOCK, &pipe, &before);
    put = write(fd, data, size);
    if (put < 0 && errno == EPIPE) {
        (void)sigtimedwait(&pipe, NULL, &at_once);
        errno = EPIPE;
    }
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return put;
}

static ssize_t send_some(const cx_stream *stream, const void *data, size_t size)
{
    return stream->is_socket
               ? send(stream->endpoint.fd, data, size, MSG_NOSIGNAL)
               : write_quietly(stream->endpoint.fd, data, size);
}

static int send_all(cx_stream *stream, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t put = send_some(stream, data, size);

        if (put < 0) {
            int error =
                cx__endpoint_retry(&stream->endpoint, CX_WRITABLE, errno);

            if (error != 0)
                return error;
            continue;
        }
        data += put;
        size -= (size_t)put;
    }
    return 0;
}

int cx_stream_write(cx_stream *stream, const void *data, size_t size)
{
    int error;

    if (stream == NULL || (data == NULL && size > 0))
        return -EINVAL;
    error = cx__endpoint_begin(&stream->endpoint, CX_WRITABLE);
    if (error != 0)
        return error;
    error = send_all(stream, data, size);
    cx__endpoint_end(&stream->endpoint, CX_WRITABLE);
    return error;
}

int cx_stream_shutdown(cx_stream *stream)
{
    if (stream == NULL)
        return -EINVAL;
    if (stream->endpoint.loop != cx__loop_here)
        return cx__wrong_thread("stream");
    return shutdown(stream->endpoint.fd, SHUT_WR) == 0 ? 0 : -errno;
}
