/* SPDX-License-Identifier: MIT */
/* Many sleepers as tasks of ours, with stacks of 16 KiB. */
#include <ctxvar/task.h>

#include "sleepers.h"

CX_VAR(long, bound);

static void *sleeper(void *arg)
{
    long mine = (long)arg;

    (void)cx_set(bound, mine);
    (void)cx_sleep(1000);
    sleepers_wrong += cx_get(bound) != mine;
    return NULL;
}

static void sleep_all(long count)
{
    static const cx_task_options small = {.stack_size = 16 << 10};
    cx_task **task = malloc((size_t)count * sizeof(cx_task *));

    for (long i = 0; i < count; i++)
        task[i] = cx_task_create_with(&small, sleeper, (void *)i);
    for (long i = 0; i < count; i++)
        sleepers_wrong += cx_await(task[i], NULL) != 0;
    free(task);
}

static void *run(void *argv)
{
    return (void *)(long)measure_sleepers(argv, sleep_all);
}

int main(int argc, char **argv)
{
    void *status;

    (void)argc;
    return cx_run(run, argv, &status) != 0 || status != NULL;
}
