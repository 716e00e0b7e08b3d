/* SPDX-License-Identifier: MIT */
/* Where tasks were created: whichever function did it, it is the line of the
 * program that called it. */
#include "support.h"

#include <dlfcn.h>
#include <link.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <ctxvar/call.h>
#include <ctxvar/debug.h>
#include <ctxvar/generator.h>
#include <ctxvar/group.h>
#include <ctxvar/loops.h>
#include <ctxvar/remote.h>
#include <ctxvar/spawn.h>
#include <ctxvar/stream.h>

#include "loop.h"
#include "site.h"

/* Where its caller is at the moment. */
static __attribute__((noinline)) uintptr_t here(void)
{
    __asm__ volatile("" : : : "memory"); /* it is called each time */
    return (uintptr_t)__builtin_return_address(0);
}

/* What lies between two of them was created there. */
static void assert_site(const void *site, uintptr_t from, uintptr_t to)
{
    assert_in_range((uintptr_t)site, from + 1, to - 1);
}

static const void *site; /* of the task that ran last */

static void note_site(void)
{
    site = cx_task_current()->site;
}

static void *task_main(void *arg)
{
    note_site();
    return arg;
}

static void call_main(void *arg)
{
    (void)arg;
    note_site();
}

static int member_main(void *arg)
{
    (void)arg;
    note_site();
    return 0;
}

static int generator_main(cx_generator *generator, void *arg)
{
    (void)generator;
    (void)arg;
    note_site();
    return 0;
}

/* Wait until a task has told. */
static void await_site(void)
{
    while (site == NULL)
        assert_int_equal(cx_sleep(1), 0);
}

TASK_TEST(a_task_remembers_the_call_that_created_it)
{
    uintptr_t from = here();
    cx_task *task = cx_task_create(task_main, NULL);
    uintptr_t to = here();

    assert_site(task->site, from, to);
    assert_int_equal(cx_await(task, NULL), 0);
}

TASK_TEST(a_task_with_options_remembers_it_too)
{
    uintptr_t from = here();
    cx_task *task = cx_task_create_with(NULL, task_main, NULL);
    uintptr_t to = here();

    assert_site(task->site, from, to);
    assert_int_equal(cx_await(task, NULL), 0);
}

TASK_TEST(a_task_in_the_background_remembers_who_spawned_it)
{
    uintptr_t from = here(), to;

    site = NULL;
    assert_int_equal(cx_spawn(member_main, NULL), 0);
    to = here();
    await_site();
    assert_site(site, from, to);
}

TASK_TEST(a_task_of_a_group_remembers_who_started_it)
{
    cx_group *group = cx_group_new(NULL);
    uintptr_t from = here(), to;

    assert_int_equal(cx_group_start(group, member_main, NULL), 0);
    to = here();
    assert_int_equal(cx_group_wait(group), 0);
    assert_site(site, from, to);
    cx_group_free(group);
}

TASK_TEST(a_task_of_a_gather_remembers_who_gathers)
{
    void *args[1] = {NULL};
    uintptr_t from = here(), to;

    assert_int_equal(cx_gather(task_main, args, NULL, 1), 0);
    to = here();
    assert_site(site, from, to);
}

TASK_TEST(a_generator_remembers_who_made_it)
{
    void *value;
    uintptr_t from = here();
    cx_generator *generator = cx_generator_new(generator_main, NULL);
    uintptr_t to = here();

    assert_int_equal(cx_generator_next(generator, &value), 0);
    assert_site(site, from, to);
    cx_generator_free(generator);
}

static void check_call(cx_call *call, uintptr_t from, uintptr_t to)
{
    site = NULL;
    await_site();
    assert_site(site, from, to);
    (void)cx_call_cancel(call);
}

TASK_TEST(a_call_remembers_who_asked_for_it)
{
    uintptr_t at[4];
    cx_call *calls[3];

    at[0] = here();
    calls[0] = cx_call_soon(call_main, NULL);
    at[1] = here();
    check_call(calls[0], at[0], at[1]);
    at[1] = here();
    calls[1] = cx_call_later(1, call_main, NULL);
    at[2] = here();
    check_call(calls[1], at[1], at[2]);
    at[2] = here();
    calls[2] = cx_call_every(1, call_main, NULL);
    at[3] = here();
    check_call(calls[2], at[2], at[3]);
}

TASK_TEST(a_call_of_another_thread_remembers_who_asked_for_it)
{
    uintptr_t from = here(), to;

    assert_int_equal(
        cx_call_soon_threadsafe(cx_loop_current(), call_main, NULL), 0);
    to = here();
    check_call(NULL, from, to);
}

TASK_TEST(a_task_for_a_loop_remembers_who_created_it)
{
    uintptr_t from = here();
    cx_remote *remote =
        cx_task_create_threadsafe(cx_loop_current(), task_main, NULL);
    uintptr_t to = here();

    assert_int_equal(cx_remote_await(remote, NULL), 0);
    assert_site(site, from, to);
}

static void a_main_task_remembers_who_runs_it(void **state)
{
    uintptr_t from = here(), to;

    (void)state;
    assert_int_equal(cx_run(task_main, NULL, NULL), 0);
    to = here();
    assert_site(site, from, to);
}

static void the_main_tasks_of_several_loops_remember_who_runs_them(void **state)
{
    uintptr_t from = here(), to;

    (void)state;
    assert_int_equal(cx_loops_run(1, member_main, NULL), 0);
    to = here();
    assert_site(site, from, to);
}

static struct {
    uintptr_t from;
    uintptr_t to;
} serving;

static void serve_one(cx_stream *stream, void *arg)
{
    (void)stream;
    note_site();
    cx_listener_close(arg);
}

static void *serve(void *listener)
{
    int error;

    serving.from = here();
    error = cx_serve(listener, serve_one, listener, 0);
    serving.to = here();
    return as_pointer(error);
}

TASK_TEST(a_connection_s_task_remembers_who_serves_it)
{
    cx_listener *listener;
    cx_stream *stream;
    cx_task *task;

    assert_int_equal(cx_unix_listen("@ctxvar-site", NULL, &listener), 0);
    task = cx_task_create(serve, listener);
    assert_int_equal(cx_unix_connect("@ctxvar-site", &stream), 0);
    assert_int_equal(cx_await(task, NULL), 0);
    assert_site(site, serving.from, serving.to);
    cx_stream_close(stream);
}

/* How far this program lies from where its file says. */
static uintptr_t bias(void)
{
    struct link_map *map = NULL;
    Dl_info info;

    assert_int_not_equal(
        dladdr1((void *)(uintptr_t)here, &info, (void **)&map, RTLD_DL_LINKMAP),
        0);
    return map->l_addr;
}

/* The number is the call's, as addr2line wants it. */
TASK_TEST(a_dump_tells_where_in_which_file_a_task_was_created)
{
    char text[1024] = "";
    FILE *out = fmemopen(text, sizeof(text), "w");
    uintptr_t from = here();
    cx_task *task = cx_task_create(task_main, NULL);
    uintptr_t to = here();
    const char *told;

    assert_int_equal(cx_task_dump(out), 0);
    assert_int_equal(fclose(out), 0);
    told = strstr(text, "task #2: ready, created at site+0x");
    assert_non_null(told);
    assert_in_range(strtoull(strchr(told, '+') + 1, NULL, 16), from - bias(),
                    to - bias());
    assert_int_equal(cx_await(task, NULL), 0);
}

static void a_site_in_an_exported_function_has_its_name(void **state)
{
    char name[CX__SITE_BYTES];

    (void)state;
    cx__site_name((char *)(uintptr_t)dlsym(RTLD_DEFAULT, "uv_loop_init") + 4,
                  name, sizeof(name));
    assert_ptr_equal(strstr(name, "uv_loop_init (libuv.so"), name);
}

static void a_site_in_no_file_is_a_number(void **state)
{
    char name[CX__SITE_BYTES];
    char expected[CX__SITE_BYTES];
    char *code =
        mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    (void)state;
    cx__site_name(code + 9, name, sizeof(name));
    (void)snprintf(expected, sizeof(expected), "%p", (void *)(code + 8));
    assert_string_equal(name, expected);
    assert_int_equal(munmap(code, 4096), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_task_remembers_the_call_that_created_it),
        cmocka_unit_test(a_task_with_options_remembers_it_too),
        cmocka_unit_test(a_task_in_the_background_remembers_who_spawned_it),
        cmocka_unit_test(a_task_of_a_group_remembers_who_started_it),
        cmocka_unit_test(a_task_of_a_gather_remembers_who_gathers),
        cmocka_unit_test(a_generator_remembers_who_made_it),
        cmocka_unit_test(a_call_remembers_who_asked_for_it),
        cmocka_unit_test(a_call_of_another_thread_remembers_who_asked_for_it),
        cmocka_unit_test(a_task_for_a_loop_remembers_who_created_it),
        cmocka_unit_test(a_main_task_remembers_who_runs_it),
        cmocka_unit_test(
            the_main_tasks_of_several_loops_remember_who_runs_them),
        cmocka_unit_test(a_connection_s_task_remembers_who_serves_it),
        cmocka_unit_test(a_dump_tells_where_in_which_file_a_task_was_created),
        cmocka_unit_test(a_site_in_an_exported_function_has_its_name),
        cmocka_unit_test(a_site_in_no_file_is_a_number),
    };

    return cmocka_run_group_tests_name("site", tests, NULL, NULL);
}
