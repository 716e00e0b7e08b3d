/* SPDX-License-Identifier: MIT */
/*
 * Files: what blocks on a disk is done by a thread of libuv's, and only the
 * calling task waits. Descriptors are the system's own.
 *
 * A call that has begun is not interrupted: a cancel or a deadline ends only
 * one that still waits for its thread.
 */
#ifndef CTXVAR_FILE_H
#define CTXVAR_FILE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <ctxvar/task.h>

CX__BEGIN_DECLS

/** Of <sys/stat.h>. */
struct stat;

/**
 * Open a file, as open() does.
 *
 * @param path   Borrowed for the call.
 * @param flags  O_RDONLY and the like; O_CLOEXEC is added.
 * @param mode   Of a file that is created.
 * @return a descriptor owned by the caller, for cx_file_close(), or
 *   -ENOENT, -EACCES and whatever open() says
 *   -ECANCELED   the task is cancelled
 *   -ETIMEDOUT   the deadline has passed
 *   -EINVAL      path is NULL
 *   -ENOMEM      no memory
 *   -EPERM       not called within a task
 *
 * Suspends: yes. Threads: a loop's, within a task. Cost: a job for a thread
 * of libuv's.
 * Source: open().  Since: 0.1
 */
CX__API int cx_file_open(const char *path, int flags, mode_t mode);

/**
 * Close a file.
 *
 * It is closed whatever this returns, cancelled or not.
 *
 * @param fd  Given up.
 * @return 0, or
 *   -EIO and whatever close() says
 *   -EPERM       not called within a task; fd is still open
 *
 * Suspends: yes. Threads: a loop's, within a task. Cost: as cx_file_open().
 * Source: close().  Since: 0.1
 */
CX__API int cx_file_close(int fd);

/**
 * Read from a file.
 *
 * @param fd      Borrowed.
 * @param data    Written: size bytes at most.
 * @param size    In bytes.
 * @param offset  Where in the file; -1: from where it is, and that moves on.
 * @return how many bytes, fewer than size only at the end of the file, where
 *         it is 0; or
 *   -EIO, -EISDIR and whatever pread() says
 *   -ECANCELED   the task is cancelled
 *   -ETIMEDOUT   the deadline has passed
 *   -EINVAL      data is NULL
 *   -EPERM       not called within a task
 *
 * Suspends: yes. Threads: a loop's, within a task. Cost: as cx_file_open().
 * Source: pread().  Since: 0.1
 */
CX__API ssize_t cx_file_read(int fd, void *data, size_t size, int64_t offset);

/**
 * Write all of some bytes to a file.
 *
 * @param fd      Borrowed.
 * @param data    Borrowed for the call.
 * @param size    In bytes.
 * @param offset  Where in the file; -1: where it is, and that moves on.
 * @return 0, or, with an unknown part written,
 *   -ENOSPC, -EFBIG and whatever pwrite() says
 *   -ECANCELED   the task is cancelled
 *   -ETIMEDOUT   the deadline has passed
 *   -EINVAL      data is NULL
 *   -EPERM       not called within a task
 *
 * Suspends: yes. Threads: a loop's, within a task. Cost: as cx_file_open().
 * Source: pwrite().  Since: 0.1
 */
CX__API int cx_file_write(int fd, const void *data, size_t size,
                          int64_t offset);

/**
 * Have what was written to a file reach its disk.
 *
 * @param fd  Borrowed.
 * @return 0, or
 *   -EIO and whatever fsync() says
 *   -ECANCELED   the task is cancelled
 *   -ETIMEDOUT   the deadline has passed
 *   -EPERM       not called within a task
 *
 * Suspends: yes. Threads: a loop's, within a task. Cost: as cx_file_open().
 * Source: fsync().  Since: 0.1
 */
CX__API int cx_file_sync(int fd);

/**
 * Tell what a path is: its kind, its size, its times.
 *
 * @param path    Borrowed for the call.
 * @param status  Written on success.
 * @return 0, or
 *   -ENOENT and whatever stat() says
 *   -ECANCELED   the task is cancelled
 *   -ETIMEDOUT   the deadline has passed
 *   -EINVAL      path or status is NULL
 *   -ENOMEM      no memory
 *   -EPERM       not called within a task
 *
 * Suspends: yes. Threads: a loop's, within a task. Cost: as cx_file_open().
 * Source: stat().  Since: 0.1
 */
CX__API int cx_file_stat(const char *path, struct stat *status);

/**
 * Read a whole file.
 *
 * @param path  Borrowed for the call.
 * @param data  Written on success: the bytes and a NUL after them, for free()
 *              to free.
 * @param size  Written on success: in bytes, without the NUL; NULL: not
 *              wanted.
 * @return 0, or
 *   -ENOENT and whatever open() and read() say
 *   -ECANCELED   the task is cancelled
 *   -ETIMEDOUT   the deadline has passed
 *   -EINVAL      path or data is NULL
 *   -ENOMEM      no memory
 *   -EPERM       not called within a task
 *
 * Suspends: yes. Threads: a loop's, within a task. Cost: some jobs for threads
 * of libuv's.
 * Source: Python, Path.read_bytes().  Since: 0.1
 */
CX__API int cx_file_load(const char *path, char **data, size_t *size);

CX__END_DECLS

#endif
