/* SPDX-License-Identifier: MIT */
/* Being where one should not be: outside of tasks, or on another thread. */
#ifndef CTXVAR_TESTS_TASK_ELSEWHERE_H
#define CTXVAR_TESTS_TASK_ELSEWHERE_H

#include "support.h"

#include <pthread.h>
#include <stdlib.h>
#include <uv.h>

#include <ctxvar/loop.h>

#include "task.h"

/* Have a task of the program's loop run, whatever else there is. */
static inline void run_as_task(uv_loop_t *uv, cx_task_fn *fn)
{
    cx_task *task = cx_task_create(fn, NULL);

    assert_non_null(task);
    while (task->state != CX__ENDED)
        (void)uv_run(uv, UV_RUN_ONCE);
    cx_task_detach(task);
}

/* On a thread whose loop the program runs: a task makes things, the program
 * uses them, a task frees them. */
static inline void outside_of_tasks(cx_task_fn *make, void (*use)(void),
                                    cx_task_fn *end)
{
    uv_loop_t uv;

    assert_int_equal(uv_loop_init(&uv), 0);
    assert_int_equal(cx_loop_attach(&uv), 0);
    run_as_task(&uv, make);
    use();
    run_as_task(&uv, end);
    assert_int_equal(cx_loop_detach(), 0);
    (void)uv_run(&uv, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&uv), 0);
}

struct elsewhere {
    cx_task_fn *fn;
    void *arg;
    int error;
};

static void *elsewhere_main(void *arg)
{
    struct elsewhere *there = arg;

    there->error = cx_run(there->fn, there->arg, NULL);
    return NULL;
}

/* Run fn as the main task of a loop on another thread. */
static inline void elsewhere(cx_task_fn *fn, void *arg)
{
    struct elsewhere there = {fn, arg, -1};
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, elsewhere_main, &there), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(there.error, 0);
}

#endif
