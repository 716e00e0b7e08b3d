/* SPDX-License-Identifier: MIT */
/* Generators: a task that waits to be asked, and one that waits for it. */
#include <errno.h>
#include <stdlib.h>

#include <ctxvar/generator.h>

#include "wait.h"
#include "waiters.h"

/*
 * wanted  a value was asked for, and not given yet
 * given   `value` was given when nobody waited for it any more, and is the next
 * ended   the function has returned `result`; the task is done with this
 * closing nobody will ask any more, and nothing waits for it, shielded or not
 * orphan  its owner could not wait for the end, and the task frees this then
 *
 * Who waits in `asker` is woken with the answer, and its item written: by the
 * time it runs, the generator may be gone.
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
    bool orphan;
    int result;
};

enum { VALUE = 1 }; /* the answer that is one */

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
    cx__waiters_wake_all(&generator->asker, result);
    if (generator->orphan)
        free(generator);
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
    generator->task =
        cx__task_create(&options, generator_main, generator, CX__SITE);
    if (generator->task == NULL) {
        free(generator);
        return NULL;
    }
    return generator;
}

/* Have the function go on, and wait for what comes of it. */
static int ask(cx_generator *generator, void **value)
{
    generator->wanted = true;
    cx__waiters_wake_all(&generator->giver, 0);
    return cx__waiters_wait(&generator->asker, value);
}

int cx_generator_next(cx_generator *generator, void **value)
{
    int error;

    if (generator == NULL || value == NULL)
        return -EINVAL;
    if (generator->task == cx__task_running())
        return -EDEADLK;
    error = cx__waiters_begin(&generator->asker);
    if (error == 0 && cx__waiters_any(&generator->asker))
        error = -EBUSY;
    if (error != 0)
        return error;
    if (!generator->given)
        return generator->ended ? generator->result : ask(generator, value);
    generator->given = false;
    *value = generator->value;
    return VALUE;
}

/* To who waits for it, or else to who asks next. */
static void give(cx_generator *generator, void *value)
{
    generator->wanted = false;
    generator->given = !cx__waiters_any(&generator->asker);
    if (generator->given)
        generator->value = value;
    else
        *cx__waiters_wake(&generator->asker, VALUE) = value;
}

int cx_generate(cx_generator *generator, void *value)
{
    if (generator == NULL || generator->task != cx__task_running())
        return -EPERM;
    if (!generator->closing)
        give(generator, value);
    return wait_for_asker(generator);
}

/* Its end cannot be waited for here. */
static void let_go(cx_generator *generator)
{
    cx_task_detach(generator->task);
    generator->orphan = true;
    if (generator->ended)
        free(generator);
}

void cx_generator_free(cx_generator *generator)
{
    int error = 0;

    if (generator == NULL || generator->giver.loop != cx__loop_here)
        return;
    generator->closing = true;
    cx__waiters_wake_all(&generator->giver, -ECANCELED);
    (void)cx_cancel(generator->task);
    CX_SHIELD {
        error = cx_await(generator->task, NULL);
    }
    if (error == 0)
        free(generator);
    else
        let_go(generator);
}
