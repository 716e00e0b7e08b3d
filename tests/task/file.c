/* SPDX-License-Identifier: MIT */
/* Files. */
#include "support.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ctxvar/deadline.h>
#include <ctxvar/file.h>

static char path[] = "/tmp/ctxvar-file-XXXXXX";

static int make_file(void **state)
{
    int fd = mkstemp(path);

    (void)state;
    return fd >= 0 ? close(fd) : -1;
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(path);
}

static void write_file(const char *text)
{
    int fd = cx_file_open(path, O_WRONLY | O_TRUNC, 0);

    assert_true(fd >= 0);
    assert_int_equal(cx_file_write(fd, text, strlen(text), -1), 0);
    assert_int_equal(cx_file_sync(fd), 0);
    assert_int_equal(cx_file_close(fd), 0);
}

TASK_TEST(what_is_written_is_read_at_its_place)
{
    char data[8] = "";
    int fd;

    write_file("0123456789");
    fd = cx_file_open(path, O_RDWR, 0);
    assert_int_equal(cx_file_write(fd, "ab", 2, 4), 0);
    assert_int_equal(cx_file_read(fd, data, 4, 3), 4);
    assert_string_equal(data, "3ab6");
    assert_int_equal(cx_file_read(fd, data, 8, 8), 2);
    assert_int_equal(cx_file_read(fd, data, 8, 10), 0);
    assert_int_equal(cx_file_read(fd, data, 3, -1), 3);
    assert_memory_equal(data, "012", 3);
    assert_int_equal(cx_file_read(fd, data, 1, -1), 1);
    assert_int_equal(data[0], '3');
    assert_int_equal(cx_file_close(fd), 0);
}

TASK_TEST(a_descriptor_is_not_for_children)
{
    int fd = cx_file_open(path, O_RDONLY, 0);

    assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    assert_int_equal(cx_file_close(fd), 0);
}

TASK_TEST(a_whole_file_comes_with_a_nul)
{
    static char much[40000];
    char *data;
    size_t size;

    (void)memset(much, 'm', sizeof(much) - 1);
    write_file(much);
    assert_int_equal(cx_file_load(path, &data, &size), 0);
    assert_int_equal(size, sizeof(much) - 1);
    assert_string_equal(data, much);
    free(data);
    write_file("");
    assert_int_equal(cx_file_load(path, &data, NULL), 0);
    assert_string_equal(data, "");
    free(data);
}

TASK_TEST(a_file_that_has_no_size_is_loaded_whole)
{
    char *data;
    size_t size;

    assert_int_equal(cx_file_load("/proc/self/status", &data, &size), 0);
    assert_true(size > 0 && strstr(data, "Pid:") != NULL);
    free(data);
}

TASK_TEST(the_status_is_the_systems)
{
    struct stat ours, theirs;

    write_file("12345");
    assert_int_equal(cx_file_stat(path, &ours), 0);
    assert_int_equal(stat(path, &theirs), 0);
    assert_int_equal(ours.st_size, 5);
    assert_int_equal(ours.st_ino, theirs.st_ino);
    assert_int_equal(ours.st_mode, theirs.st_mode);
    assert_int_equal(ours.st_mtim.tv_nsec, theirs.st_mtim.tv_nsec);
}

TASK_TEST(errors_are_the_systems)
{
    char *data;
    char byte;
    struct stat status;

    assert_int_equal(cx_file_open("/nowhere/at/all", O_RDONLY, 0), -ENOENT);
    assert_int_equal(cx_file_load("/", &data, NULL), -EISDIR);
    assert_int_equal(cx_file_stat("/nowhere", &status), -ENOENT);
    assert_int_equal(cx_file_read(-1, &byte, 1, 0), -EBADF);
    assert_int_equal(cx_file_close(-1), -EBADF);
    assert_int_equal(cx_file_open(NULL, 0, 0), -EINVAL);
    assert_int_equal(cx_file_read(0, NULL, 1, 0), -EINVAL);
    assert_int_equal(cx_file_write(0, NULL, 1, 0), -EINVAL);
    assert_int_equal(cx_file_stat(NULL, &status), -EINVAL);
    assert_int_equal(cx_file_load(path, NULL, NULL), -EINVAL);
}

TASK_TEST(a_file_as_large_as_allowed_says_so)
{
    static char much[1 << 16];
    struct rlimit before, little;
    struct sigaction ignore = {.sa_handler = SIG_IGN}, old;
    int fd = cx_file_open(path, O_WRONLY | O_TRUNC, 0);

    assert_int_equal(sigaction(SIGXFSZ, &ignore, &old), 0);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    little = before;
    little.rlim_cur = 4096;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
    assert_int_equal(cx_file_write(fd, much, sizeof(much), -1), -EFBIG);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(sigaction(SIGXFSZ, &old, NULL), 0);
    assert_int_equal(cx_file_close(fd), 0);
}

static void *load_cancelled(void *arg)
{
    char *data;
    int fd = -1;

    (void)arg;
    assert_int_equal(cx_cancel(cx_task_current()), 0);
    assert_int_equal(cx_file_load(path, &data, NULL), -ECANCELED);
    CX_SHIELD {
        fd = cx_file_open(path, O_RDONLY, 0);
    }
    assert_true(fd >= 0);
    /* It is closed all the same. */
    assert_int_equal(cx_file_close(fd), 0);
    assert_int_equal(fcntl(fd, F_GETFD), -1);
    return NULL;
}

TASK_TEST(a_cancelled_task_still_closes)
{
    cx_task *task = cx_task_create(load_cancelled, NULL);

    assert_int_equal(cx_await(task, NULL), 0);
}

static char fifo[sizeof(path) + 8];

static void *open_fifo(void *arg)
{
    int fd = cx_file_open(fifo, O_RDONLY, 0);

    assert_true(fd >= 0);
    assert_int_equal(cx_file_close(fd), 0);
    return arg;
}

/* All of libuv's threads stand at a FIFO; what comes after waits for one. */
TASK_TEST(a_call_that_waits_for_its_thread_ends_at_the_deadline)
{
    enum { THREADS = 4 };
    cx_task *task[THREADS];
    struct stat status;
    int fd;

    (void)snprintf(fifo, sizeof(fifo), "%s.fifo", path);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    for (int i = 0; i < THREADS; i++)
        task[i] = cx_task_create(open_fifo, NULL);
    assert_int_equal(cx_yield(), 0);
    CX_TIMEOUT(1) {
        assert_int_equal(cx_file_stat(path, &status), -ETIMEDOUT);
    }
    fd = open(fifo, O_WRONLY | O_CLOEXEC);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(cx_await(task[i], NULL), 0);
    assert_int_equal(close(fd), 0);
    assert_int_equal(unlink(fifo), 0);
}

static void files_outside_of_a_task_are_refused(void **state)
{
    char *data;
    struct stat status;

    (void)state;
    assert_int_equal(cx_file_open(path, O_RDONLY, 0), -EPERM);
    assert_int_equal(cx_file_load(path, &data, NULL), -EPERM);
    assert_int_equal(cx_file_stat(path, &status), -EPERM);
    assert_int_equal(cx_file_close(0), -EPERM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read_at_its_place),
        cmocka_unit_test(a_descriptor_is_not_for_children),
        cmocka_unit_test(a_whole_file_comes_with_a_nul),
        cmocka_unit_test(a_file_that_has_no_size_is_loaded_whole),
        cmocka_unit_test(the_status_is_the_systems),
        cmocka_unit_test(errors_are_the_systems),
        cmocka_unit_test(a_file_as_large_as_allowed_says_so),
        cmocka_unit_test(a_cancelled_task_still_closes),
        cmocka_unit_test(a_call_that_waits_for_its_thread_ends_at_the_deadline),
        cmocka_unit_test(files_outside_of_a_task_are_refused),
    };

    return cmocka_run_group_tests_name("file", tests, make_file, remove_file);
}
