/* SPDX-License-Identifier: MIT */
/*
 * Streams of bytes: TCP, Unix-domain sockets, pipes. A call waits for the
 * calling task alone. One task at a time may read a stream, and one write it;
 * they may be two.
 *
 * What is still open when its loop ends is closed and freed then; so are
 * signals, processes and sockets for datagrams.
 *
 * What a stream gives after a cancel or a timeout: a read that was cut short
 * has taken nothing; of a write, an unknown part has gone out.
 */
#ifndef CTXVAR_STREAM_H
#define CTXVAR_STREAM_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <ctxvar/task.h>

CX__BEGIN_DECLS

/** A connection, or one end of a pipe; of one loop. */
typedef struct cx_stream cx_stream;

/** A socket that connections come to; of one loop. */
typedef struct cx_listener cx_listener;

/** What a server does with a connection, which is closed when it returns. */
typedef void cx_serve_fn(cx_stream *stream, void *arg);

/** What a listener is to be like; zero members are the defaults. */
typedef struct cx_listen_options {
    /** How many connections may wait to be accepted; 0: 1024. */
    int backlog;
    /** Let listeners of other loops and processes share the port: the kernel
     *  spreads the connections over them. */
    bool reuse_port;
} cx_listen_options;

/**
 * Connect to a TCP server.
 *
 * Each address of the host is tried, in the order in which the resolver gives
 * them. Small writes are sent at once (TCP_NODELAY).
 *
 * @param host    Borrowed: a name or an address.
 * @param port    1 to 65535.
 * @param stream  Written on success: a stream owned by the caller.
 * @return 0, or
 *   -ECONNREFUSED, -ENETUNREACH, -ETIMEDOUT and whatever connect() says of
 *                the last address
 *   -ENOENT      no such host, and the other errors of cx_resolve()
 *   -ECANCELED   the task is cancelled
 *   -ETIMEDOUT   the deadline has passed
 *   -EINVAL      host or stream is NULL
 *   -ENOMEM      no memory
 *   -EPERM       not called within a task
 *
 * Suspends: yes. Threads: a loop's, within a task. Cost: system calls; a
 * thread of libuv's looks up a name.
 * Source: asyncio.open_connection().  Since: 0.1
 */
CX__API int cx_tcp_connect(const char *host, uint16_t port, cx_stream **stream);

/**
 * Connect to a Unix-domain server.
 *
 * @param path    Borrowed; a leading '@' stands for a NUL, as in the abstract
 *                namespace.
 * @param stream  Written on success: a stream owned by the caller.
 * @return 0, or
 *   -ENOENT, -ECONNREFUSED and whatever connect() says
 *   -ENAMETOOLONG  path does not fit
 *   -ECANCELED   the task is cancelled
 *   -ETIMEDOUT   the deadline has passed
 *   -EINVAL      path or stream is NULL
 *   -ENOMEM      no memory
 *   -EPERM       not called within a task
 *
 * Suspends: while the server's backlog is full. Threads: a loop's, within a
 * task. Cost: system calls.
 * Source: asyncio.open_unix_connection().  Since: 0.1
 */
CX__API int cx_unix_connect(const char *path, cx_stream **stream);

/**
 * Make a pipe.
 *
 * @param reader  Written on success: the end to read, owned by the caller.
 * @param writer  Written on success: the end to write, owned by the caller.
 * @return 0, or
 *   -EMFILE      no descriptor left, and what else pipe() says
 *   -ENOMEM      no memory
 *   -EINVAL      reader or writer is NULL
 *   -EPERM       not called within a task
 *
 * Suspends: never. Threads: a loop's, within a task. Cost: system calls.
 * Source: pipe().  Since: 0.1
 */
CX__API int cx_pipe(cx_stream **reader, cx_stream **writer);

/**
 * Make a stream of a descriptor: a socket, a pipe, a terminal.
 *
 * @param fd      Owned by the stream from success on; on error still yours.
 *                It is made non-blocking.
 * @param stream  Written on success: a stream owned by the caller.
 * @return 0, or
 *   -EBADF       fd is no open descriptor
 *   -EINVAL      it is a file, which is what <ctxvar/file.h> is for; or stream
 *                is NULL
 *   -ENOMEM      no memory
 *   -ENOSPC      the user has as many descriptors watched as is allowed
 *   -EPERM       not called within a task
 *
 * Suspends: never. Threads: a loop's, within a task. Cost: system calls.
 * Source: asyncio, loop.connect_read_pipe().  Since: 0.1
 */
CX__API int cx_stream_open(int fd, cx_stream **stream);

/**
 * Close a stream. A task that waits for it gets -EBADF.
 *
 * @param stream  Owned, given up; NULL is ignored.
 *
 * Suspends: never. Threads: the stream's loop's. Cost: system calls.
 * Source: asyncio, StreamWriter.close().  Since: 0.1
 */
CX__API void cx_stream_close(cx_stream *stream);

/**
 * Give a stream's descriptor, to ask it for its peer or to set an option.
 *
 * @param stream  Borrowed; NULL gives -EINVAL.
 * @return the descriptor, borrowed from the stream, or -EINVAL.
 *
 * Suspends: never. Threads: the stream's loop's. Cost: O(1).
 * Source: asyncio, get_extra_info("socket").  Since: 0.1
 */
CX__API int cx_stream_fd(const cx_stream *stream);

/**
 * Read what there is, waiting for some.
 *
 * @param stream  Borrowed.
 * @param data    Written: size bytes at most.
 * @param size    In bytes.
 * @return how many bytes, 0 at the end of the stream, or
 *   -ECONNRESET and whatever read() says
 *   -ECANCELED   the task is cancelled
 *   -ETIMEDOUT   the deadline has passed
 *   -EBUSY       another task waits to read it
 *   -EBADF       it was closed while this waited
 *   -EINVAL      stream or data is NULL
 *   -EXDEV       it is another thread's
 *   -EPERM       not called within a task
 *
 * Suspends: while there is nothing to read. Threads: the stream's loop's,
 * within a task. Cost: one system call, or none if it is buffered.
 * Source: asyncio, StreamReader.read().  Since: 0.1
 */
CX__API ssize_t cx_stream_read(cx_stream *stream, void *data, size_t size);

/**
 * Read a number of bytes, waiting for all of them.
 *
 * On an error none is taken: the next read begins with the same bytes.
 *
 * @param stream  Borrowed.
 * @param size    In bytes, 1 MiB at most.
 * @param data    Written on success: the bytes, borrowed until the next call
 *                that reads this stream.
 * @return 0, or
 *   -ENODATA     the stream ends before
 *   -EMSGSIZE    size is more than 1 MiB
 *   -ENOMEM      no memory
 *   and the errors of cx_stream_read()
 *
 * Suspends: while they are not there. Threads: the stream's loop's, within a
 * task. Cost: system calls.
 * Source: asyncio, StreamReader.readexactly().  Since: 0.1
 */
CX__API int cx_stream_read_exactly(cx_stream *stream, size_t size,
                                   const char **data);

/**
 * Read up to a delimiter, and with it.
 *
 * On an error nothing is taken. A stream that ends without the delimiter
 * gives -ENODATA, and cx_stream_read() then gives what was there.
 *
 * @param stream     Borrowed.
 * @param delimiter  Borrowed: one byte or several.
 * @param size       In bytes, of the delimiter; 1 at least.
 * @param data       Written on success: the bytes, the delimiter the last of
 *                   them, borrowed until the next call that reads this stream.
 * @return how many bytes, or
 *   -ENODATA     the stream ends before
 *   -EMSGSIZE    1 MiB has come without it
 *   -ENOMEM      no memory
 *   and the errors of cx_stream_read()
 *
 * Suspends: while it is not there. Threads: the stream's loop's, within a
 * task. Cost: system calls, and one search of what has come.
 * Source: asyncio, StreamReader.readuntil().  Since: 0.1
 */
CX__API ssize_t cx_stream_read_until(cx_stream *stream, const void *delimiter,
                                     size_t size, const char **data);

/**
 * Read a line.
 *
 * @param stream  Borrowed.
 * @param line    Written on success: the line as a string, without its end,
 *                "\n" or "\r\n"; borrowed until the next call that reads this
 *                stream. The last line may lack its end.
 * @return its length in bytes, or
 *   -ENODATA     the stream has ended, and no line is left
 *   -EMSGSIZE    1 MiB has come without an end of line
 *   -ENOMEM      no memory
 *   and the errors of cx_stream_read()
 *
 * Suspends: while it is not there. Threads: the stream's loop's, within a
 * task. Cost: as cx_stream_read_until().
 * Source: asyncio, StreamReader.readline().  Since: 0.1
 */
CX__API ssize_t cx_stream_read_line(cx_stream *stream, char **line);

/**
 * Write all of some bytes.
 *
 * @param stream  Borrowed.
 * @param data    Borrowed for the call.
 * @param size    In bytes.
 * @return 0, or
 *   -EPIPE, -ECONNRESET and whatever write() says; SIGPIPE does not come
 *   -ECANCELED   the task is cancelled
 *   -ETIMEDOUT   the deadline has passed
 *   -EBUSY       another task waits to write it
 *   -EBADF       it was closed while this waited
 *   -EINVAL      stream is NULL, or data is and size is not 0
 *   -EXDEV       it is another thread's
 *   -EPERM       not called within a task
 *
 * Suspends: while the other side does not read. Threads: the stream's loop's,
 * within a task. Cost: one system call.
 * Source: asyncio, StreamWriter.write() and drain().  Since: 0.1
 */
CX__API int cx_stream_write(cx_stream *stream, const void *data, size_t size);

/**
 * Tell the other side that nothing more will be written; reading goes on.
 *
 * @param stream  Borrowed: a socket's.
 * @return 0, or
 *   -ENOTSOCK    it is no socket: cx_stream_close() the end of a pipe
 *   -ENOTCONN    the connection is gone
 *   -EINVAL      stream is NULL
 *   -EXDEV       it is another thread's
 *
 * Suspends: never. Threads: the stream's loop's. Cost: one system call.
 * Source: asyncio, StreamWriter.write_eof().  Since: 0.1
 */
CX__API int cx_stream_shutdown(cx_stream *stream);

/**
 * Listen for TCP connections.
 *
 * @param host      Borrowed: a name or an address of this machine; NULL: all
 *                  of them.
 * @param port      0: one that is free; cx_listener_port() tells which.
 * @param options   Borrowed for the call; NULL: the defaults.
 * @param listener  Written on success: a listener owned by the caller.
 * @return 0, or
 *   -EADDRINUSE, -EACCES and whatever bind() and listen() say
 *   -EINVAL      listener is NULL
 *   -ENOMEM      no memory
 *   -EPERM       not called within a task
 *   and the errors of cx_resolve()
 *
 * Suspends: to look up a name. Threads: a loop's, within a task. Cost: system
 * calls.
 * Source: asyncio.start_server().  Since: 0.1
 */
CX__API int cx_tcp_listen(const char *host, uint16_t port,
                          const cx_listen_options *options,
                          cx_listener **listener);

/**
 * Listen for Unix-domain connections.
 *
 * A socket that is left at the path from before, with nobody listening to it,
 * is replaced; nothing else is. Closing the listener removes it.
 *
 * @param path      Borrowed; as for cx_unix_connect().
 * @param options   Borrowed for the call; NULL: the defaults.
 * @param listener  Written on success: a listener owned by the caller.
 * @return 0, or
 *   -EADDRINUSE  something else is there, or somebody listens there
 *   -EACCES, -ENOENT and whatever bind() and listen() say
 *   -ENAMETOOLONG  path does not fit
 *   -EINVAL      path or listener is NULL
 *   -ENOMEM      no memory
 *   -EPERM       not called within a task
 *
 * Suspends: never. Threads: a loop's, within a task. Cost: system calls.
 * Source: asyncio.start_unix_server().  Since: 0.1
 */
CX__API int cx_unix_listen(const char *path, const cx_listen_options *options,
                           cx_listener **listener);

/**
 * Tell the port that a listener listens on.
 *
 * @param listener  Borrowed.
 * @return the port, or
 *   -EAFNOSUPPORT  it is no TCP listener
 *   -EINVAL      listener is NULL
 *
 * Suspends: never. Threads: the listener's loop's. Cost: one system call.
 * Source: asyncio, Server.sockets.  Since: 0.1
 */
CX__API int cx_listener_port(const cx_listener *listener);

/**
 * Close a listener. A task that waits for it gets -EBADF.
 *
 * @param listener  Owned, given up; NULL is ignored.
 *
 * Suspends: never. Threads: the listener's loop's. Cost: system calls.
 * Source: asyncio, Server.close().  Since: 0.1
 */
CX__API void cx_listener_close(cx_listener *listener);

/**
 * Accept a connection, waiting for one.
 *
 * @param listener  Borrowed.
 * @param stream    Written on success: a stream owned by the caller.
 * @return 0, or
 *   -EMFILE, -ENFILE  no descriptor left: the connection still waits
 *   -ECANCELED   the task is cancelled
 *   -ETIMEDOUT   the deadline has passed
 *   -EBUSY       another task waits for it
 *   -EBADF       it was closed while this waited
 *   -EINVAL      listener or stream is NULL
 *   -ENOMEM      no memory
 *   -EXDEV       it is another thread's
 *   -EPERM       not called within a task
 *
 * Suspends: while there is none. Threads: the listener's loop's, within a
 * task. Cost: system calls.
 * Source: accept().  Since: 0.1
 */
CX__API int cx_accept(cx_listener *listener, cx_stream **stream);

/**
 * Serve connections, each in a task of its own, until cancelled.
 *
 * Each task runs in a fresh copy of the context in which this was called.
 * When descriptors or memory run out, it waits a moment and goes on. Cancelled,
 * it cancels the connections that are served, and waits for them; when the
 * listener is closed, it only waits for them.
 *
 * @param listener  Borrowed.
 * @param fn        Called once for each connection.
 * @param arg       Handed to fn.
 * @param limit     How many connections are served at once at most, the others
 *                  wait; 0: any number.
 * @return never 0:
 *   -ECANCELED   the task is cancelled
 *   -ETIMEDOUT   the deadline has passed
 *   -EBADF       the listener was closed
 *   -EINVAL      listener or fn is NULL
 *   and the other errors of cx_accept()
 *
 * Suspends: yes. Threads: the listener's loop's, within a task. Cost: a task
 * for each connection.
 * Source: asyncio, Server.serve_forever().  Since: 0.1
 */
CX__API int cx_serve(cx_listener *listener, cx_serve_fn *fn, void *arg,
                     size_t limit);

CX__END_DECLS

#endif
