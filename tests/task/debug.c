/* SPDX-License-Identifier: MIT */
/* Dumps of tasks, numbers of a loop, and reports of what goes wrong. */
#include "support.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <ctxvar/debug.h>
#include <ctxvar/group.h>
#include <ctxvar/queue.h>

CX_VAR(int, request);

/* Take out how long tasks have waited. */
static void take_out_times(char *text)
{
    char *at;

    while ((at = strstr(text, " ms")) != NULL) {
        char *from = at;

        while (*--from != ',')
            continue;
        (void)memmove(from, at + 3, strlen(at + 3) + 1);
    }
}

/* The same for where tasks were created; site.c is about that. */
static void take_out_sites(char *text)
{
    char *at;

    while ((at = strstr(text, ", created at ")) != NULL) {
        char *end = at + 1 + strcspn(at + 1, ",\n");

        (void)memmove(at, end, strlen(end) + 1);
    }
}

/* The dump of the running loop, without those. */
static char *dump(void)
{
    static char text[4096];
    FILE *out = fmemopen(text, sizeof(text), "w");

    assert_non_null(out);
    assert_int_equal(cx_task_dump(out), 0);
    assert_int_equal(fclose(out), 0);
    take_out_times(text);
    take_out_sites(text);
    return text;
}

static cx_task *create(const char *name, cx_task_fn *fn, void *arg)
{
    cx_task *task =
        cx_task_create_with(&(cx_task_options){.name = name}, fn, arg);

    assert_non_null(task);
    return task;
}

static void *get_from(void *queue)
{
    void *item;

    (void)cx_queue_get(queue, &item);
    return NULL;
}

static void *await_child(void *queue)
{
    cx_task *child = create("child", get_from, queue);

    assert_int_equal(cx_set(request, 1), 0);
    (void)cx_await(child, NULL);
    return NULL;
}

static int sleep_in_group(void *arg)
{
    (void)arg;
    return cx_sleep(UINT64_MAX);
}

TASK_TEST(a_dump_is_a_tree_of_who_created_whom)
{
    cx_queue *queue = cx_queue_new(0);
    cx_group *group = cx_group_new(NULL);
    cx_task *parent = create("parent", await_child, queue);
    cx_task *ready = create("ready", return_arg, NULL);

    assert_int_equal(cx_group_start(group, sleep_in_group, NULL), 0);
    assert_int_equal(cx_sleep(1), 0);
    assert_int_equal(cx_cancel(ready), 0);
    cx_task_detach(create("new", return_arg, NULL));
    assert_string_equal(dump(),
                        "main #1: running\n"
                        "  parent #2: waiting for end of child #5, 1 variable\n"
                        "    child #5: waiting for queue with an item\n"
                        "  ready #3: ended, not awaited, cancelled\n"
                        "  task #4: waiting for sleep\n"
                        "  new #6: ready\n");
    assert_int_equal(cx_queue_put(queue, NULL), 0);
    assert_int_equal(cx_await(parent, NULL), 0);
    assert_int_equal(cx_await(ready, NULL), 0);
    cx_group_free(group);
    assert_int_equal(cx_queue_free(queue), 0);
}

static void *create_and_end(void *arg)
{
    *(cx_task **)arg = create("orphan", sleep_for_ever, NULL);
    return NULL;
}

TASK_TEST(a_task_whose_creator_has_ended_is_at_the_margin)
{
    cx_task *orphan;

    assert_int_equal(cx_await(create("x", create_and_end, &orphan), NULL), 0);
    assert_int_equal(cx_yield(), 0);
    assert_string_equal(dump(), "main #1: running\n"
                                "orphan #3: waiting for sleep\n");
    assert_int_equal(cx_cancel(orphan), 0);
    assert_int_equal(cx_await(orphan, NULL), 0);
}

CX_VAR(int, user);

static void *set_two(void *arg)
{
    assert_int_equal(cx_set(request, 1), 0);
    assert_int_equal(cx_set(user, 1), 0);
    return sleep_for_ever(arg);
}

TASK_TEST(a_dump_counts_variables)
{
    cx_task *task = create("two", set_two, NULL);

    assert_int_equal(cx_yield(), 0);
    assert_string_equal(dump(), "main #1: running\n"
                                "  two #2: waiting for sleep, 2 variables\n");
    assert_int_equal(cx_cancel(task), 0);
    assert_int_equal(cx_await(task, NULL), 0);
}

TASK_TEST(a_chain_of_many_is_dumped_without_recursion)
{
    enum { MANY = 1000 };
    FILE *out = fopen("/dev/null", "w");

    for (int i = 0; i < MANY; i++)
        cx_task_detach(create("many", sleep_for_ever, NULL));
    assert_int_equal(cx_task_dump(out), 0);
    assert_int_equal(fclose(out), 0);
}

TASK_TEST(a_dump_that_cannot_be_written_says_so)
{
    FILE *full = fopen("/dev/full", "w");

    assert_int_equal(cx_task_dump(full), -EIO);
    (void)fclose(full);
    assert_int_equal(cx_task_dump(NULL), -EINVAL);
    assert_int_equal(cx_stats_get(NULL), -EINVAL);
}

static void outside_of_a_loop_there_is_nothing_to_see(void **state)
{
    cx_stats stats;

    (void)state;
    assert_int_equal(cx_task_dump(stdout), -EPERM);
    assert_int_equal(cx_stats_get(&stats), -EPERM);
}

TASK_TEST(stats_count_tasks_and_switches)
{
    cx_stats before, after;
    cx_task *sleeper = create("sleeper", sleep_for_ever, NULL);
    cx_task *ready = create("ready", return_arg, NULL);

    assert_int_equal(cx_stats_get(&before), 0);
    assert_int_equal(before.tasks, 3);
    assert_int_equal(before.ready, 2);
    assert_int_equal(before.sleepers, 0);
    assert_int_equal(before.created, 3);
    assert_true(before.stack_bytes >= 3 * (256 << 10));
    assert_int_equal(cx_yield(), 0);
    assert_int_equal(cx_stats_get(&after), 0);
    assert_int_equal(after.tasks, 2);
    assert_int_equal(after.ready, 0);
    /* To the sleeper, to the other one, and back. */
    assert_int_equal(after.switches - before.switches, 3);
    assert_int_equal(cx_sleep(1), 0);
    assert_int_equal(cx_stats_get(&after), 0);
    assert_true(after.rounds > before.rounds);
    assert_int_equal(cx_cancel(sleeper), 0);
    assert_int_equal(cx_await(sleeper, NULL), 0);
    assert_int_equal(cx_await(ready, NULL), 0);
}

/* Reports. */

static char reported[1024];

static void note(const char *line, void *arg)
{
    (void)arg;
    (void)strncat(reported, line, sizeof(reported) - strlen(reported) - 2);
    (void)strcat(reported, "\n");
}

static int listen_to_reports(void **state)
{
    (void)state;
    reported[0] = '\0';
    cx_debug_report_to(note, NULL);
    return 0;
}

static void *busy_main(void *arg)
{
    struct timespec long_enough = {.tv_nsec = 120000000};

    (void)nanosleep(&long_enough, NULL);
    return arg;
}

static void a_task_that_keeps_the_loop_is_reported(void **state)
{
    (void)state;
    assert_int_equal(cx_run(busy_main, NULL, NULL), 0);
    assert_non_null(
        strstr(reported, "task \"main\" #1 kept the loop to itself for 1"));
}

static void *forget_main(void *arg)
{
    (void)create("forgotten", return_arg, NULL);
    cx_task_detach(create("detached", return_arg, NULL));
    assert_int_equal(cx_await(create("awaited", return_arg, NULL), NULL), 0);
    return arg;
}

static void a_task_that_nobody_awaits_is_reported(void **state)
{
    (void)state;
    assert_int_equal(cx_run(forget_main, NULL, NULL), 0);
    assert_non_null(strstr(reported, "#2, created at debug+0x"));
    take_out_sites(reported);
    assert_string_equal(
        reported, "task \"forgotten\" #2, was neither awaited nor detached\n");
}

static void *enter_main(void *arg)
{
    cx_context *context = cx_context_new();

    assert_int_equal(cx_context_enter(context), 0);
    cx_context_unref(context);
    return arg;
}

static void a_context_that_is_left_open_is_reported(void **state)
{
    (void)state;
    assert_int_equal(cx_run(enter_main, NULL, NULL), 0);
    assert_string_equal(
        reported,
        "task \"main\" #1 ended within a context that it had entered\n");
}

static void *use_elsewhere(void *queue)
{
    assert_int_equal(cx_queue_try_put(queue, NULL), -EXDEV);
    return NULL;
}

static void *hand_main(void *arg)
{
    cx_queue *queue = cx_queue_new(0);
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, use_elsewhere, queue), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(cx_queue_free(queue), 0);
    return arg;
}

static void use_on_another_thread_is_reported(void **state)
{
    (void)state;
    assert_int_equal(cx_run(hand_main, NULL, NULL), 0);
    assert_string_equal(reported, "used on another thread than its loop's:"
                                  " queue with room\n");
}

static void *well_main(void *arg)
{
    cx_task *task = create("task", return_arg, NULL);

    assert_int_equal(cx_yield(), 0);
    assert_int_equal(cx_await(task, NULL), 0);
    return arg;
}

static void what_is_as_it_should_be_is_not_reported(void **state)
{
    (void)state;
    assert_int_equal(cx_run(well_main, NULL, NULL), 0);
    assert_string_equal(reported, "");
}

#define reported_test(name) cmocka_unit_test_setup(name, listen_to_reports)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_dump_is_a_tree_of_who_created_whom),
        cmocka_unit_test(a_task_whose_creator_has_ended_is_at_the_margin),
        cmocka_unit_test(a_dump_counts_variables),
        cmocka_unit_test(a_chain_of_many_is_dumped_without_recursion),
        cmocka_unit_test(a_dump_that_cannot_be_written_says_so),
        cmocka_unit_test(outside_of_a_loop_there_is_nothing_to_see),
        cmocka_unit_test(stats_count_tasks_and_switches),
        reported_test(a_task_that_keeps_the_loop_is_reported),
        reported_test(a_task_that_nobody_awaits_is_reported),
        reported_test(a_context_that_is_left_open_is_reported),
        reported_test(use_on_another_thread_is_reported),
        reported_test(what_is_as_it_should_be_is_not_reported),
    };

    if (setenv("CTXVAR_DEBUG", "1", 1) != 0)
        return 1;
    return cmocka_run_group_tests_name("debug", tests, NULL, NULL);
}
