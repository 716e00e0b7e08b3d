/* SPDX-License-Identifier: MIT */
/*
 * Fairness: tasks that are always ready, because they only yield or hand over
 * to each other, keep nothing waiting that comes from the clock, from other
 * threads or from the system.
 */
#include "support.h"

#include <pthread.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <ctxvar/call.h>
#include <ctxvar/fd.h>
#include <ctxvar/queue.h>

enum { ENOUGH = 5 };

static void *yield_until_enough(void *arg)
{
    while (__atomic_load_n((int *)arg, __ATOMIC_ACQUIRE) < ENOUGH)
        (void)cx_yield();
    return NULL;
}

/* Some that are always ready; they end once something has been counted. */
static void crowd_wait(int *count)
{
    cx_task *crowd[20];

    for (size_t i = 0; i < 20; i++)
        crowd[i] = cx_task_create(yield_until_enough, count);
    for (size_t i = 0; i < 20; i++)
        assert_int_equal(cx_await(crowd[i], NULL), 0);
}

static void *sleep_often(void *arg)
{
    for (int i = 0; i < ENOUGH; i++) {
        (void)cx_sleep(1);
        ++*(int *)arg;
    }
    return NULL;
}

TASK_TEST(tasks_that_yield_keep_no_sleeper_waiting)
{
    int count = 0;
    cx_task *sleeper = cx_task_create(sleep_often, &count);

    crowd_wait(&count);
    assert_int_equal(cx_await(sleeper, NULL), 0);
}

static void count_call(void *arg)
{
    ++*(int *)arg;
}

TASK_TEST(tasks_that_yield_keep_no_calls_waiting)
{
    int count = 0;
    cx_call *call = cx_call_every(1, count_call, &count);

    crowd_wait(&count);
    (void)cx_call_cancel(call);
}

struct sender {
    cx_loop *loop;
    int count;
};

static void *send_often(void *arg)
{
    struct sender *sender = arg;

    for (int i = 0; i < ENOUGH; i++)
        (void)cx_call_soon_threadsafe(sender->loop, count_call, &sender->count);
    return NULL;
}

TASK_TEST(tasks_that_yield_keep_no_other_thread_waiting)
{
    struct sender sender = {cx_loop_current(), 0};
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, send_often, &sender), 0);
    crowd_wait(&sender.count);
    assert_int_equal(pthread_join(thread, NULL), 0);
}

static void *count_a_job(void *arg)
{
    (void)__atomic_add_fetch((int *)arg, 1, __ATOMIC_RELEASE);
    return NULL;
}

static void *submit_often(void *arg)
{
    for (int i = 0; i < ENOUGH; i++)
        (void)cx_run_in_executor(NULL, count_a_job, arg, NULL);
    return NULL;
}

TASK_TEST(tasks_that_yield_keep_no_job_waiting)
{
    int count = 0;
    cx_task *submitter = cx_task_create(submit_often, &count);

    crowd_wait(&count);
    assert_int_equal(cx_await(submitter, NULL), 0);
}

/* Bytes go to and fro between two tasks. */
struct ball {
    int fd;
    int *count;
};

static void *play(void *arg)
{
    const struct ball *ball = arg;
    char byte;

    for (int i = 0; i < ENOUGH; i++) {
        if (cx_fd_wait(ball->fd, CX_READABLE) != CX_READABLE ||
            read(ball->fd, &byte, 1) != 1 || write(ball->fd, &byte, 1) != 1)
            return NULL;
        ++*ball->count;
    }
    return NULL;
}

TASK_TEST(tasks_that_yield_keep_no_descriptor_waiting)
{
    int fd[2], count = -ENOUGH;
    struct ball balls[2];
    cx_task *players[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), 0);
    for (int i = 0; i < 2; i++) {
        balls[i] = (struct ball){fd[i], &count};
        players[i] = cx_task_create(play, &balls[i]);
    }
    assert_int_equal(write(fd[0], "x", 1), 1);
    crowd_wait(&count);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(cx_await(players[i], NULL), 0);
        assert_int_equal(close(fd[i]), 0);
    }
}

/* They never yield, but for waiting for each other. */
struct relay {
    cx_queue *queue[2];
};

static void *hand_back(void *arg)
{
    const struct relay *relay = arg;
    void *item;

    while (cx_queue_get(relay->queue[0], &item) == 0)
        (void)cx_queue_put(relay->queue[1], item);
    return NULL;
}

TASK_TEST(tasks_that_hand_over_to_each_other_keep_no_sleeper_waiting)
{
    int count = 0;
    struct relay relay = {{cx_queue_new(1), cx_queue_new(1)}};
    cx_task *other = cx_task_create(hand_back, &relay);
    cx_task *sleeper = cx_task_create(sleep_often, &count);
    void *item = &relay;

    while (count < ENOUGH) {
        assert_int_equal(cx_queue_put(relay.queue[0], item), 0);
        assert_int_equal(cx_queue_get(relay.queue[1], &item), 0);
    }
    assert_int_equal(cx_queue_close(relay.queue[0]), 0);
    assert_int_equal(cx_await(other, NULL), 0);
    assert_int_equal(cx_await(sleeper, NULL), 0);
    for (int i = 0; i < 2; i++)
        assert_int_equal(cx_queue_free(relay.queue[i]), 0);
}

static uint64_t now_us(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000;
}

static void *compute_and_yield(void *arg)
{
    int *turns = arg;

    while (*turns >= 0) {
        uint64_t began = now_us();

        while (now_us() < began + 300)
            ;
        ++*turns;
        (void)cx_yield();
    }
    return NULL;
}

/* At first the loop takes many switches to a poll, since they are short. */
TASK_TEST(tasks_that_compute_are_polled_between_more_often)
{
    enum { TASKS = 10, SETTLED = 500 };
    int turns = 0, before;
    cx_task *tasks[TASKS];

    for (int i = 0; i < 5000; i++)
        assert_int_equal(cx_yield(), 0);
    for (int i = 0; i < TASKS; i++)
        tasks[i] = cx_task_create(compute_and_yield, &turns);
    while (turns < SETTLED)
        assert_int_equal(cx_yield(), 0);
    before = turns;
    assert_int_equal(cx_sleep(1), 0);
    before = turns - before;
    turns = -1;
    for (int i = 0; i < TASKS; i++)
        assert_int_equal(cx_await(tasks[i], NULL), 0);
    assert_true(before < 4 * TASKS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tasks_that_yield_keep_no_sleeper_waiting),
        cmocka_unit_test(tasks_that_yield_keep_no_calls_waiting),
        cmocka_unit_test(tasks_that_yield_keep_no_other_thread_waiting),
        cmocka_unit_test(tasks_that_yield_keep_no_job_waiting),
        cmocka_unit_test(tasks_that_yield_keep_no_descriptor_waiting),
        cmocka_unit_test(
            tasks_that_hand_over_to_each_other_keep_no_sleeper_waiting),
        cmocka_unit_test(tasks_that_compute_are_polled_between_more_often),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
