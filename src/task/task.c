/* SPDX-License-Identifier: MIT */
/* The life of a task, but for its waits: from its creation to its end. */
#include <errno.h>
#include <string.h>

#include "debug.h"
#include "loop.h"
#include "overflow.h"
#include "task.h"
#include "wait.h"

enum {
    NAME_MAX_BYTES = 255,
    TOP_ALIGN = 64,                            /* of the record: a cache line */
    COLOURS = 16,                              /* places of the record */
    SLOT_BYTES = CX__STACK_GUARD + (16 << 10), /* of the smallest stacks */
    SP_ALIGN = 16,
};

static char *align_down(char *at, size_t to)
{
    return at - ((uintptr_t)at & (to - 1));
}

/*
 * Records lie some cache lines below the tops of their stacks, how many is
 * each stack's own. At the same place in all, they and the frames below them
 * would share one set of the cache, and a switch among a thousand tasks take
 * more than twice as long.
 */
cx_task *cx__task_at(struct cx__stack stack)
{
    uintptr_t slot = (uintptr_t)stack.high / SLOT_BYTES;
    char *end = stack.high - slot % COLOURS * TOP_ALIGN;

    return (cx_task *)(void *)align_down(end - sizeof(cx_task), TOP_ALIGN);
}

/* The way back, when a task ends within a context that it has entered. */
static void leave_contexts(const cx_task *task)
{
    cx_context *current = cx_context_current();

    if (current != task->context)
        cx__report("task \"%s\" #%llu ended within a context that it had"
                   " entered",
                   task->name, (unsigned long long)task->id);
    while (current != task->context && cx_context_exit(current) == 0)
        current = cx_context_current();
}

/*
 * Let go of a task's values while the thread is nobody's, since releasing
 * them may call anything: what waits is refused.
 */
static void release_context(cx_task *task)
{
    struct cx__loop *loop = task->loop;
    cx_context *context = task->context;

    leave_contexts(task);
    loop->running = NULL;
    (void)cx_context_swap(loop->hub.context);
    cx_context_unref(context);
    task->context = NULL;
}

static void task_main(struct cx__coroutine *coroutine)
{
    cx_task *task = CX__OWNER(coroutine, cx_task, coroutine);

    task->value = task->fn(task->value);
    if (!cx__stack_is_whole(task->stack))
        cx__overflow_late(task);
    release_context(task);
    task->state = CX__ENDED;
    task->loop->live--;
    /* One that awaits any of several may be awake by another's end. */
    if (task->awaiter != NULL && task->awaiter->state == CX__WAITING)
        cx__wake(task->awaiter, 0);
    cx__loop_leave(task->loop, task);
}

/* Put a name below a task's record; where the stack may start below it. */
static char *name_put(cx_task *task, const char *name)
{
    char *top = (char *)task;

    task->name = "task";
    if (name != NULL) {
        size_t bytes = strlen(name) + 1;

        top -= bytes;
        task->name = memcpy(top, name, bytes);
    }
    return align_down(top, SP_ALIGN);
}

/*
 * Lay out a stack: the record, the name below it, and the coroutine. Member
 * by member: as a whole, it would be cleared first, at a fifth of all that
 * creating and awaiting a task costs.
 */
static cx_task *task_init(struct cx__loop *loop, struct cx__stack stack,
                          cx_context *context, const char *name)
{
    cx_task *task = cx__task_at(stack);
    char *top = name_put(task, name);

    cx__coroutine_init(&task->coroutine, stack.low, top, context, task_main);
    task->loop = loop;
    task->wait = NULL;
    task->woken_with = 0;
    task->timed = false;
    task->state = CX__READY;
    task->cancelled = loop->closing;
    task->detached = false;
    task->shields = 0;
    task->held_off = UINT64_MAX;
    task->awaiter = NULL;
    task->awaiting = NULL;
    task->context = context;
    task->stack = stack;
    return task;
}

static void task_enter(cx_task *task, cx_task_fn *fn, void *arg,
                       const void *site)
{
    struct cx__loop *loop = task->loop;

    task->fn = fn;
    task->value = arg;
    task->site = site;
    cx__list_insert(&loop->tasks, &task->all);
    cx__fifo_push(&loop->ready, &task->ready);
    loop->live++;
    task->id = ++loop->created;
    task->parent = loop->running != NULL ? loop->running->id : 0;
    cx__loop_stir(loop);
}

static cx_context *context_for(const cx_task_options *options)
{
    return options->context != NULL ? cx_context_ref(options->context)
                                    : cx_context_copy();
}

cx_task *cx__task_new(struct cx__loop *loop, const cx_task_options *options,
                      cx_task_fn *fn, void *arg, const void *site)
{
    size_t bytes =
        options->stack_size != 0 ? options->stack_size : CX__STACK_DEFAULT;
    struct cx__stack stack;
    cx_context *context;
    cx_task *task;
    int error = cx__loop_reserve(loop);

    if (options->name != NULL && strlen(options->name) > NAME_MAX_BYTES)
        error = -EINVAL;
    if (error == 0)
        error = cx__stack_take(&loop->stacks, bytes, &stack);
    if (error != 0) {
        errno = -error;
        return NULL;
    }
    context = context_for(options);
    if (context == NULL) {
        cx__stack_give(stack);
        return NULL;
    }
    task = task_init(loop, stack, context, options->name);
    task_enter(task, fn, arg, site);
    return task;
}

void cx__task_free(cx_task *task)
{
    cx__list_remove(&task->all);
    cx__coroutine_fini(&task->coroutine);
    cx__stack_give(task->stack);
}

cx_task *cx__task_create(const cx_task_options *options, cx_task_fn *fn,
                         void *arg, const void *site)
{
    static const cx_task_options none;
    struct cx__loop *loop = cx__loop_here;

    /* Where the program runs the loop, it may create tasks itself. */
    if (loop != NULL && loop->running == NULL && loop->guest == NULL)
        loop = NULL;
    if (loop == NULL || fn == NULL) {
        errno = loop == NULL ? EPERM : EINVAL;
        return NULL;
    }
    return cx__task_new(loop, options != NULL ? options : &none, fn, arg, site);
}

cx_task *cx_task_create_with(const cx_task_options *options, cx_task_fn *fn,
                             void *arg)
{
    return cx__task_create(options, fn, arg, CX__SITE);
}

cx_task *cx_task_create(cx_task_fn *fn, void *arg)
{
    return cx__task_create(NULL, fn, arg, CX__SITE);
}

void cx_task_detach(cx_task *task)
{
    if (task == NULL || task->loop != cx__loop_here || task->awaiter != NULL)
        return;
    if (task->state == CX__ENDED)
        cx__task_free(task);
    else
        task->detached = true;
}

cx_task *cx_task_current(void)
{
    return cx__task_running();
}

const char *cx_task_name(const cx_task *task)
{
    return task != NULL ? task->name : NULL;
}
