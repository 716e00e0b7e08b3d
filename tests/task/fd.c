/* SPDX-License-Identifier: MIT */
/* Descriptors of other libraries: waited for, served, kept. */
#include "support.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <ctxvar/deadline.h>
#include <ctxvar/debug.h>
#include <ctxvar/fd.h>

CX_VAR(int, request);

static void *wait_readable(void *arg)
{
    return as_pointer(cx_fd_wait(*(int *)arg, CX_READABLE));
}

TASK_TEST(a_descriptor_is_waited_for_until_it_is_ready)
{
    int fd[2];
    void *events;
    cx_task *task;

    assert_int_equal(pipe2(fd, O_CLOEXEC), 0);
    assert_int_equal(cx_fd_wait(fd[1], CX_READABLE | CX_WRITABLE), CX_WRITABLE);
    task = cx_task_create(wait_readable, &fd[0]);
    assert_int_equal(cx_yield(), 0);
    assert_int_equal(cx_fd_wait(fd[0], CX_READABLE), -EBUSY);
    assert_int_equal(write(fd[1], "x", 1), 1);
    assert_int_equal(cx_await(task, &events), 0);
    assert_int_equal((intptr_t)events, CX_READABLE);
    /* It still is, and that is told again. */
    assert_int_equal(cx_fd_wait(fd[0], CX_READABLE), CX_READABLE);
    assert_int_equal(close(fd[0]), 0);
    assert_int_equal(close(fd[1]), 0);
}

static int fires;

/* Take one byte, and leave a mark that the next call must not see. */
static void on_byte(void *arg)
{
    char byte;

    assert_int_equal(cx_get(request), 7);
    assert_int_equal(cx_set(request, 8), 0);
    assert_int_equal(read(*(int *)arg, &byte, 1), 1);
    fires++;
}

static void *serve_bytes(void *arg)
{
    assert_int_equal(cx_set(request, 7), 0);
    return as_pointer(cx_fd_serve(*(int *)arg, CX_READABLE, on_byte, arg));
}

/* Behaviour 90. */
TASK_TEST(each_readiness_is_served_in_a_fresh_copy)
{
    int fd[2];
    void *error;
    cx_task *task;

    assert_int_equal(pipe2(fd, O_CLOEXEC), 0);
    fires = 0;
    task = cx_task_create(serve_bytes, &fd[0]);
    assert_int_equal(write(fd[1], "xyz", 3), 3);
    while (fires < 3)
        assert_int_equal(cx_yield(), 0);
    assert_int_equal(cx_cancel(task), 0);
    assert_int_equal(cx_await(task, &error), 0);
    assert_int_equal((intptr_t)error, -ECANCELED);
    assert_int_equal(cx_fd_serve(fd[0], CX_READABLE, NULL, NULL), -EINVAL);
    assert_int_equal(close(fd[0]), 0);
    assert_int_equal(close(fd[1]), 0);
}

TASK_TEST(a_number_that_is_another_descriptor_by_now_is_that)
{
    int fd[2];

    for (int i = 0; i < 2; i++) {
        assert_int_equal(pipe2(fd, O_CLOEXEC), 0);
        CX_TIMEOUT(1) {
            assert_int_equal(cx_fd_wait(fd[0], CX_READABLE), -ETIMEDOUT);
        }
        assert_int_equal(write(fd[1], "x", 1), 1);
        assert_int_equal(cx_fd_wait(fd[0], CX_READABLE), CX_READABLE);
        assert_int_equal(close(fd[0]), 0);
        assert_int_equal(close(fd[1]), 0);
    }
}

TASK_TEST(a_wrong_descriptor_is_refused_and_a_file_is_always_ready)
{
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

    assert_int_equal(cx_fd_wait(fd, CX_READABLE), CX_READABLE);
    assert_int_equal(close(fd), 0);
    assert_int_equal(cx_fd_wait(fd, CX_READABLE), -EBADF);
    assert_int_equal(cx_fd_wait(-1, CX_READABLE), -EBADF);
    assert_int_equal(cx_fd_wait(0, 0), -EINVAL);
    assert_int_equal(cx_fd_wait(0, 8), -EINVAL);
}

/* Descriptors that a loop keeps. */

static size_t rounds(void)
{
    cx_stats stats;

    cx_stats_get(&stats);
    return stats.rounds;
}

TASK_TEST(a_descriptor_that_is_kept_is_waited_for_again_and_again)
{
    int fd[2];
    char byte;

    assert_int_equal(pipe2(fd, O_CLOEXEC), 0);
    assert_int_equal(cx_fd_add(fd[0]), 0);
    assert_int_equal(cx_fd_add(fd[1]), 0);
    for (int i = 0; i < 10; i++) {
        void *events;
        cx_task *task = cx_task_create(wait_readable, &fd[0]);

        assert_int_equal(cx_yield(), 0);
        assert_int_equal(cx_fd_wait(fd[1], CX_WRITABLE), CX_WRITABLE);
        assert_int_equal(write(fd[1], "x", 1), 1);
        assert_int_equal(cx_await(task, &events), 0);
        assert_int_equal((intptr_t)events, CX_READABLE);
        assert_int_equal(read(fd[0], &byte, 1), 1);
    }
    cx_fd_remove(fd[0]);
    cx_fd_remove(fd[1]);
    assert_int_equal(close(fd[0]), 0);
    assert_int_equal(close(fd[1]), 0);
}

/* Neither what nobody reads, nor the end, nor room to write. */
TASK_TEST(a_descriptor_that_nobody_waits_for_keeps_no_loop_busy)
{
    int fd[2];
    size_t before;

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), 0);
    assert_int_equal(cx_fd_add(fd[0]), 0);
    assert_int_equal(cx_fd_wait(fd[0], CX_READABLE | CX_WRITABLE), CX_WRITABLE);
    assert_int_equal(write(fd[1], "x", 1), 1);
    assert_int_equal(cx_fd_wait(fd[0], CX_READABLE), CX_READABLE);
    before = rounds();
    assert_int_equal(cx_sleep(20), 0);
    assert_int_equal(close(fd[1]), 0);
    assert_int_equal(cx_sleep(20), 0);
    assert_true(rounds() - before < 20);
    /* And is told all the same. */
    assert_int_equal(cx_fd_wait(fd[0], CX_READABLE), CX_READABLE);
    assert_int_equal(cx_fd_wait(fd[0], CX_READABLE | CX_WRITABLE),
                     CX_READABLE | CX_WRITABLE);
    cx_fd_remove(fd[0]);
    assert_int_equal(close(fd[0]), 0);
}

TASK_TEST(a_wait_that_was_given_up_leaves_the_next_one_whole)
{
    int fd[2];

    assert_int_equal(pipe2(fd, O_CLOEXEC), 0);
    assert_int_equal(cx_fd_add(fd[0]), 0);
    for (int i = 0; i < 3; i++) {
        char byte;

        CX_TIMEOUT(1) {
            assert_int_equal(cx_fd_wait(fd[0], CX_READABLE), -ETIMEDOUT);
        }
        assert_int_equal(write(fd[1], "x", 1), 1);
        assert_int_equal(cx_sleep(1), 0);
        assert_int_equal(cx_fd_wait(fd[0], CX_READABLE), CX_READABLE);
        assert_int_equal(read(fd[0], &byte, 1), 1);
    }
    cx_fd_remove(fd[0]);
    assert_int_equal(close(fd[0]), 0);
    assert_int_equal(close(fd[1]), 0);
}

TASK_TEST(who_waits_for_a_descriptor_that_is_let_go_of_is_told)
{
    int fd[2];
    void *error;
    cx_task *task;

    assert_int_equal(pipe2(fd, O_CLOEXEC), 0);
    assert_int_equal(cx_fd_add(fd[0]), 0);
    task = cx_task_create(wait_readable, &fd[0]);
    assert_int_equal(cx_yield(), 0);
    cx_fd_remove(fd[0]);
    assert_int_equal(cx_await(task, &error), 0);
    assert_int_equal((intptr_t)error, -EBADF);
    /* And is one like others again. */
    assert_int_equal(write(fd[1], "x", 1), 1);
    assert_int_equal(cx_fd_wait(fd[0], CX_READABLE), CX_READABLE);
    assert_int_equal(close(fd[0]), 0);
    assert_int_equal(close(fd[1]), 0);
}

TASK_TEST(a_descriptor_that_was_waited_for_is_kept_like_others)
{
    int fd[2];
    void *ready;
    cx_task *task;

    assert_int_equal(pipe2(fd, O_CLOEXEC), 0);
    CX_TIMEOUT(1) {
        assert_int_equal(cx_fd_wait(fd[0], CX_READABLE), -ETIMEDOUT);
    }
    assert_int_equal(cx_fd_add(fd[0]), 0);
    assert_int_equal(write(fd[1], "x", 1), 1);
    assert_int_equal(cx_fd_wait(fd[0], CX_READABLE), CX_READABLE);
    cx_fd_remove(fd[0]);
    assert_int_equal(close(fd[0]), 0);
    assert_int_equal(close(fd[1]), 0);
    /* And one that somebody waits for just then. */
    assert_int_equal(pipe2(fd, O_CLOEXEC), 0);
    task = cx_task_create(wait_readable, &fd[0]);
    assert_int_equal(cx_yield(), 0);
    assert_int_equal(cx_fd_add(fd[0]), 0);
    assert_int_equal(write(fd[1], "x", 1), 1);
    assert_int_equal(cx_await(task, &ready), 0);
    assert_int_equal((intptr_t)ready, CX_READABLE);
    assert_int_equal(cx_fd_wait(fd[0], CX_READABLE), CX_READABLE);
    cx_fd_remove(fd[0]);
    assert_int_equal(close(fd[0]), 0);
    assert_int_equal(close(fd[1]), 0);
}

TASK_TEST(what_cannot_be_kept_is_refused)
{
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

    assert_int_equal(cx_fd_add(fd), 0);
    assert_int_equal(cx_fd_add(fd), -EEXIST);
    assert_int_equal(cx_fd_wait(fd, CX_READABLE), CX_READABLE);
    cx_fd_remove(fd);
    assert_int_equal(close(fd), 0);
    assert_int_equal(cx_fd_add(fd), -EBADF);
    assert_int_equal(cx_fd_add(-1), -EBADF);
    cx_fd_remove(fd);
    cx_fd_remove(-1);
    cx_fd_remove(1 << 20);
}

static void without_a_loop_nothing_is_waited_for_or_kept(void **state)
{
    (void)state;
    assert_int_equal(cx_fd_wait(0, CX_READABLE), -EPERM);
    assert_int_equal(cx_fd_add(0), -EPERM);
    cx_fd_remove(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_descriptor_is_waited_for_until_it_is_ready),
        cmocka_unit_test(each_readiness_is_served_in_a_fresh_copy),
        cmocka_unit_test(a_number_that_is_another_descriptor_by_now_is_that),
        cmocka_unit_test(
            a_wrong_descriptor_is_refused_and_a_file_is_always_ready),
        cmocka_unit_test(
            a_descriptor_that_is_kept_is_waited_for_again_and_again),
        cmocka_unit_test(a_descriptor_that_nobody_waits_for_keeps_no_loop_busy),
        cmocka_unit_test(a_wait_that_was_given_up_leaves_the_next_one_whole),
        cmocka_unit_test(who_waits_for_a_descriptor_that_is_let_go_of_is_told),
        cmocka_unit_test(a_descriptor_that_was_waited_for_is_kept_like_others),
        cmocka_unit_test(what_cannot_be_kept_is_refused),
        cmocka_unit_test(without_a_loop_nothing_is_waited_for_or_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
