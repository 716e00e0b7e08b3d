/* SPDX-License-Identifier: MIT */
/*
 * Files, by libuv's threads. The request lies on the task's stack: the task
 * waits until it is back, cancelled or not, since the thread may be at the
 * task's memory.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <ctxvar/file.h>

#include "wait.h"

enum { CHUNK_FIRST = 16 << 10 };

struct file_wait {
    struct cx__wait wait;
    uv_fs_t request;
    cx_task *task;
};

static void request_done(uv_fs_t *request)
{
    struct file_wait *wait = CX__OWNER(request, struct file_wait, request);

    cx__wake(wait->task, 0);
}

/* A job that no thread has taken comes back at once, as cancelled. */
static bool request_abandon(struct cx__wait *wait)
{
    (void)uv_cancel(
        (uv_req_t *)&CX__OWNER(wait, struct file_wait, wait)->request);
    return false;
}

static const struct cx__wait_kind request_kind = {"file", request_abandon};

/* Begin a call: 0, or why the task may not wait. */
static int request_begin(struct file_wait *wait)
{
    *wait = (struct file_wait){.wait.kind = &request_kind,
                               .task = cx__task_running()};
    return wait->task != NULL ? cx__wait_begin(wait->task) : -EPERM;
}

/* Wait for a request that libuv has taken, or has refused with an error. Its
 * result; what it left in memory is still there. */
static ssize_t request_wait(struct file_wait *wait, int error)
{
    ssize_t result = error;

    if (error == 0) {
        (void)cx__wait(wait->task, &wait->wait);
        result = wait->request.result;
    }
    if (result == UV_ECANCELED) {
        error = cx__wait_begin(wait->task);
        result = error != 0 ? error : -ECANCELED;
    }
    return result;
}

static ssize_t request_end(struct file_wait *wait, int error)
{
    ssize_t result = request_wait(wait, error);

    uv_fs_req_cleanup(&wait->request);
    return result;
}

static uv_loop_t *uv_of(const struct file_wait *wait)
{
    return cx__loop_uv(wait->task->loop);
}

int cx_file_open(const char *path, int flags, mode_t mode)
{
    struct file_wait wait;
    int error = path != NULL ? request_begin(&wait) : -EINVAL;

    if (error != 0)
        return error;
    error = uv_fs_open(uv_of(&wait), &wait.request, path, flags | O_CLOEXEC,
                       (int)mode, request_done);
    return (int)request_end(&wait, error);
}

int cx_file_close(int fd)
{
    struct file_wait wait;
    int error = -EPERM;

    CX_SHIELD {
        error = request_begin(&wait);
        if (error == 0)
            error =
                (int)request_end(&wait, uv_fs_close(uv_of(&wait), &wait.request,
                                                    fd, request_done));
    }
    return error;
}

/* One read or write; -1 leaves the place to the kernel. */
typedef int transfer_fn(uv_loop_t *uv, uv_fs_t *request, uv_file fd,
                        const uv_buf_t buffers[], unsigned n, int64_t offset,
                        uv_fs_cb done);

static ssize_t transfer(transfer_fn *fn, int fd, void *data, size_t size,
                        int64_t offset)
{
    struct file_wait wait;
    uv_buf_t buffer = {.base = data, .len = size < INT_MAX ? size : INT_MAX};
    int error = request_begin(&wait);

    if (error != 0)
        return error;
    error =
        fn(uv_of(&wait), &wait.request, fd, &buffer, 1, offset, request_done);
    return request_end(&wait, error);
}

/* Transfers until all is done, or the file ends: how much; or an error. */
static ssize_t transfer_all(transfer_fn *fn, int fd, void *data, size_t size,
                            int64_t offset)
{
    size_t done = 0;

    for (;;) {
        ssize_t n = transfer(fn, fd, (char *)data + done, size - done,
                             offset >= 0 ? offset + (int64_t)done : offset);

        if (n < 0)
            return n;
        done += (size_t)n;
        if (n == 0 || done == size)
            return (ssize_t)done;
    }
}

ssize_t cx_file_read(int fd, void *data, size_t size, int64_t offset)
{
    if (data == NULL)
        return -EINVAL;
    return transfer_all(uv_fs_read, fd, data, size, offset);
}

int cx_file_write(int fd, const void *data, size_t size, int64_t offset)
{
    ssize_t done;

    if (data == NULL)
        return -EINVAL;
    done = transfer_all(uv_fs_write, fd, (void *)(uintptr_t)data, size, offset);
    if (done < 0)
        return (int)done;
    return (size_t)done == size ? 0 : -EIO;
}

int cx_file_sync(int fd)
{
    struct file_wait wait;
    int error = request_begin(&wait);

    if (error != 0)
        return error;
    error = uv_fs_fsync(uv_of(&wait), &wait.request, fd, request_done);
    return (int)request_end(&wait, error);
}

static struct timespec time_of(uv_timespec_t time)
{
    return (struct timespec){.tv_sec = time.tv_sec, .tv_nsec = time.tv_nsec};
}

static struct stat stat_of(const uv_stat_t *from)
{
    return (struct stat){.st_dev = from->st_dev,
                         .st_ino = from->st_ino,
                         .st_mode = (mode_t)from->st_mode,
                         .st_nlink = from->st_nlink,
                         .st_uid = (uid_t)from->st_uid,
                         .st_gid = (gid_t)from->st_gid,
                         .st_rdev = from->st_rdev,
                         .st_size = (off_t)from->st_size,
                         .st_blksize = (blksize_t)from->st_blksize,
                         .st_blocks = (blkcnt_t)from->st_blocks,
                         .st_atim = time_of(from->st_atim),
                         .st_mtim = time_of(from->st_mtim),
                         .st_ctim = time_of(from->st_ctim)};
}

int cx_file_stat(const char *path, struct stat *status)
{
    struct file_wait wait;
    int error = path != NULL && status != NULL ? request_begin(&wait) : -EINVAL;

    if (error != 0)
        return error;
    error = uv_fs_stat(uv_of(&wait), &wait.request, path, request_done);
    error = (int)request_wait(&wait, error);
    if (error == 0)
        *status = stat_of(&wait.request.statbuf);
    uv_fs_req_cleanup(&wait.request);
    return error;
}

/* All that is left of a file; a block with one byte to spare. Its size as a
 * path is not asked for: of many a file it is 0, or old. */
static int load(int fd, char **data, size_t *size)
{
    size_t room = CHUNK_FIRST;
    size_t have = 0;
    char *block = malloc(room + 1);

    while (block != NULL) {
        ssize_t n = cx_file_read(fd, block + have, room - have, -1);
        char *grown;

        if (n < 0) {
            free(block);
            return (int)n;
        }
        have += (size_t)n;
        if (have < room) {
            *data = block;
            *size = have;
            return 0;
        }
        room *= 2;
        grown = realloc(block, room + 1);
        if (grown == NULL)
            free(block);
        block = grown;
    }
    return -ENOMEM;
}

int cx_file_load(const char *path, char **data, size_t *size)
{
    char *block = NULL;
    size_t length = 0;
    int error;
    int fd = data != NULL ? cx_file_open(path, O_RDONLY, 0) : -EINVAL;

    if (fd < 0)
        return fd;
    error = load(fd, &block, &length);
    (void)cx_file_close(fd);
    if (error != 0)
        return error;
    block[length] = '\0';
    *data = block;
    if (size != NULL)
        *size = length;
    return 0;
}
