/* SPDX-License-Identifier: MIT */
/* Generators: a task that waits to be asked, and one that waits for it. */
#include <errno.h>
#include <stdlib.h>

#include <ctxvar/generator.h>

#include "wait.h"
#include "waiters.h"

/*
 * wanted  a value was asked for, and not given yet
 * given   it was given, and not taken yet
 * ended   the function has returned `result`
 * closing nobody will ask any more, and nothing waits for it, shielded or not
 */
struct cx_generator {
    cx_generator_fn *fn;
    void *arg;
    cx_task *task;
    struct cx__waiters asker;
    struct cx__waiters giver;
    void *value;
    bool wanted;
    bool given;
    bool ended;
    bool closing;
    int result;
};

static void wake_asker(cx_generator *generator)
{
    if (cx__waiters_any(&generator->asker))
        (void)cx__waiters_wake(&generator->asker, 0);
}

/* In the function's task: wait until a value is wanted. */
static int wait_for_asker(cx_generator *generator)
{
    int error = cx__waiters_begin(&generator->giver);

    while (error == 0 && !generator->wanted && !generator->closing)
        error = cx__waiters_wait(&generator->giver, NULL);
    return generator->closing ? -ECANCELED : error;
}

static void *generator_main(void *arg)
{
    cx_generator *generator = arg;
    int result = wait_for_asker(generator);

    if (result == 0)
        result = generator->fn(generator, generator->arg);
    generator->result = result;
    generator->ended = true;
    wake_asker(generator);
    return NULL;
}

cx_generator *cx_generator_new(cx_generator_fn *fn, void *arg)
{
    static const cx_task_options options = {.name = "generator"};
    cx_generator *generator;

    if (fn == NULL || cx__task_running() == NULL) {
        errno = fn == NULL ? EINVAL : EPERM;
        return NULL;
    }
    generator = calloc(1, sizeof(*generator));
    if (generator == NULL) {
        errno = ENOMEM;
        return NULL;
    }
    generator->fn = fn;
    generator->arg = arg;
    (void)cx__waiters_init(&generator->asker, "value of a generator");
    (void)cx__waiters_init(&generator->giver, "somebody to ask");
    generator->task = cx_task_create_with(&options, generator_main, generator);
    if (generator->task == NULL) {
        free(generator);
        return NULL;
    }
    return generator;
}

/* Have the function go on, and wait for what comes of it. */
static int ask(cx_generator *generator)
{
    int error = 0;

    if (!generator->given && !generator->ended) {
        generator->wanted = true;
        if (cx__waiters_any(&generator->giver))
            (void)cx__waiters_wake(&generator->giver, 0);
    }
    while (error == 0 && !generator->given && !generator->ended)
        error = cx__waiters_wait(&generator->asker, NULL);
    return error;
}

int cx_generator_next(cx_generator *generator, void **value)
{
    int error;

    if (generator == NULL || value == NULL)
        return -EINVAL;
    if (generator->task == cx__task_running() && generator->task != NULL)
        return -EDEADLK;
    if (cx__waiters_any(&generator->asker))
        return -EBUSY;
    error = cx__waiters_begin(&generator->asker);
    if (error == 0)
        error = ask(generator);
    if (error != 0)
        return error;
    if (!generator->given)
        return generator->result;
    generator->given = false;
    *value = generator->value;
    return 1;
}

int cx_generate(cx_generator *generator, void *value)
{
    if (generator == NULL || generator->task != cx__task_running())
        return -EPERM;
    generator->value = value;
    generator->given = true;
    generator->wanted = false;
    wake_asker(generator);
    return wait_for_asker(generator);
}

void cx_generator_free(cx_generator *generator)
{
    if (generator == NULL || generator->giver.loop != cx__loop_here)
        return;
    generator->closing = true;
    cx__waiters_wake_all(&generator->giver, -ECANCELED);
    (void)cx_cancel(generator->task);
    CX_SHIELD {
        (void)cx_await(generator->task, NULL);
    }
    free(generator);
}
