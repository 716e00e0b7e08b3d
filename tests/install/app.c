/* SPDX-License-Identifier: MIT */
/* A program outside of the tree: a task sees its creator's value, its own
 * stays with it. Built by the scripts beside it in each way there is. */
#include <stdio.h>
#include <string.h>

#include <ctxvar/callback.h>
#include <ctxvar/task.h>
#include <ctxvar/version.h>

CX_VAR(const char *, tenant, .initial = "nobody");

static void *child(void *arg)
{
    (void)arg;
    printf("%s\n", cx_get(tenant));
    if (cx_sleep(1) == 0)
        cx_set(tenant, "child");
    return NULL;
}

static void *parent(void *arg)
{
    (void)arg;
    CX_WITH(tenant, "parent") {
        cx_task *task = cx_task_create(child, NULL);

        cx_await(task, NULL);
        printf("%s\n", cx_get(tenant));
    }
    printf("%s\n", cx_get(tenant));
    return NULL;
}

int main(void)
{
    return cx_run(parent, NULL, NULL) == 0 ? 0 : 1;
}
