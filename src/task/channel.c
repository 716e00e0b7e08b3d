/* SPDX-License-Identifier: MIT */
/*
 * Channels. As with queues, an item goes straight to a getter that waits, and
 * one that a putter waits with moves in as soon as there is room. Whoever
 * does that under the lock has served the one who waits, and no cancel or
 * deadline undoes it; telling it is all that is left:
 *
 * - a thread sleeps on a condition variable of its own. It is signalled with
 *   the lock held: past the lock, thread and variable may be gone;
 * - a task of this thread's loop is woken, one of another loop is sent a post.
 *   That is done past the lock, which a loop's wake-up need not prolong. Until
 *   it arrives, the task waits for it, and so its loop is there.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include <ctxvar/channel.h>

#include "cond.h"
#include "inbox.h"
#include "wait.h"

/*
 * len > 0               => nobody is in getters
 * somebody is in putters => len == limit
 * closed                 => nobody waits
 * items is a ring, the first at `first`
 */
struct cx_channel {
    uint32_t refs;
    pthread_mutex_t lock; /* of what is below */
    struct cx__list getters;
    struct cx__list putters;
    bool closed;
    size_t limit;
    size_t first;
    size_t len;
    void *items[];
};

/*
 * A put or a get; on the stack of whoever it is of.
 *
 * in a line of its channel <=> it has to wait, and is not served yet
 */
struct op {
    cx_channel *channel;
    bool put;
    void *item; /* to be put, or got */

    struct cx__list link; /* as what follows, under the lock while in line */
    bool served;
    int result; /* once served */

    cx_task *task; /* NULL: a thread's */
    struct cx__wait wait;
    struct cx__post post;
    pthread_cond_t woken; /* a thread's only */
};

cx_channel *cx_channel_new(size_t limit)
{
    cx_channel *channel = NULL;

    if (limit > 0 && limit < SIZE_MAX / 2 / sizeof(void *))
        channel = calloc(1, sizeof(*channel) + limit * sizeof(void *));
    if (channel == NULL) {
        errno = limit > 0 ? ENOMEM : EINVAL;
        return NULL;
    }
    channel->refs = 1;
    channel->limit = limit;
    (void)pthread_mutex_init(&channel->lock, NULL);
    cx__list_init(&channel->getters);
    cx__list_init(&channel->putters);
    return channel;
}

cx_channel *cx_channel_ref(cx_channel *channel)
{
    if (channel != NULL)
        (void)__atomic_fetch_add(&channel->refs, 1, __ATOMIC_RELAXED);
    return channel;
}

void cx_channel_unref(cx_channel *channel)
{
    if (channel == NULL ||
        __atomic_fetch_sub(&channel->refs, 1, __ATOMIC_ACQ_REL) != 1)
        return;
    assert(cx__list_is_empty(&channel->getters));
    assert(cx__list_is_empty(&channel->putters));
    (void)pthread_mutex_destroy(&channel->lock);
    free(channel);
}

/* The first in a line; NULL: nobody is. */
static struct op *first_of(struct cx__list *line)
{
    return !cx__list_is_empty(line) ? CX__OWNER(line->next, struct op, link)
                                    : NULL;
}

/* Locked: it need not wait any more. A task is returned, to be told past the
 * lock. */
static struct op *serve(struct op *op, int result)
{
    cx__list_remove(&op->link);
    op->served = true;
    op->result = result;
    if (op->task != NULL)
        return op;
    (void)pthread_cond_signal(&op->woken);
    return NULL;
}

/* The task of an operation that was served; NULL: there is none. */
static void tell(struct op *served)
{
    if (served == NULL)
        return;
    if (served->task->loop == cx__loop_here)
        cx__wake(served->task, served->result);
    else
        cx__inbox_send(served->task->loop->inbox, &served->post);
}

static void push(cx_channel *channel, void *item)
{
    size_t at = channel->first + channel->len++;

    assert(channel->len <= channel->limit);
    channel->items[at < channel->limit ? at : at - channel->limit] = item;
}

static void *pop(cx_channel *channel)
{
    void *item = channel->items[channel->first++];

    if (channel->first == channel->limit)
        channel->first = 0;
    channel->len--;
    return item;
}

/* Locked: put without waiting; -EAGAIN: it is full. */
static int put(struct op *op, struct op **served)
{
    cx_channel *channel = op->channel;
    struct op *getter = first_of(&channel->getters);

    if (channel->closed)
        return -EPIPE;
    if (getter != NULL) {
        getter->item = op->item;
        *served = serve(getter, 0);
        return 0;
    }
    if (channel->len == channel->limit)
        return -EAGAIN;
    push(channel, op->item);
    return 0;
}

/* Locked: get without waiting; -EAGAIN: it is empty. */
static int get(struct op *op, struct op **served)
{
    cx_channel *channel = op->channel;
    struct op *putter = first_of(&channel->putters);

    if (channel->len == 0)
        return channel->closed ? -EPIPE : -EAGAIN;
    op->item = pop(channel);
    if (putter != NULL) {
        push(channel, putter->item);
        *served = serve(putter, 0);
    }
    return 0;
}

/* Do it now. -EAGAIN: it cannot be; then it stands in line, if it may. */
static int op_begin(struct op *op, bool may_wait)
{
    cx_channel *channel = op->channel;
    struct op *served = NULL;
    int error;

    (void)pthread_mutex_lock(&channel->lock);
    error = op->put ? put(op, &served) : get(op, &served);
    if (error == -EAGAIN && may_wait)
        cx__list_insert(op->put ? &channel->putters : &channel->getters,
                        &op->link);
    (void)pthread_mutex_unlock(&channel->lock);
    tell(served);
    return error;
}

/* Locked: leave the line. False: it is too late, it is served. */
static bool op_leave(struct op *op)
{
    if (!op->served)
        cx__list_remove(&op->link);
    return !op->served;
}

static bool op_abandon(struct cx__wait *wait)
{
    struct op *op = CX__OWNER(wait, struct op, wait);
    bool left;

    (void)pthread_mutex_lock(&op->channel->lock);
    left = op_leave(op);
    (void)pthread_mutex_unlock(&op->channel->lock);
    return left;
}

static const struct cx__wait_kind put_kind = {"channel with room", op_abandon};
static const struct cx__wait_kind get_kind = {"channel with an item",
                                              op_abandon};

static void op_arrive(struct cx__post *post)
{
    struct op *op = CX__OWNER(post, struct op, post);

    cx__wake(op->task, op->result);
}

static int do_as_task(struct op *op, cx_task *task)
{
    int error = cx__wait_begin(task);

    op->task = task;
    op->wait.kind = op->put ? &put_kind : &get_kind;
    op->post.arrive = op_arrive;
    if (error == 0)
        error = op_begin(op, true);
    return error == -EAGAIN ? cx__wait(task, &op->wait) : error;
}

/* Block until it is served, or late. */
static int wait_as_thread(struct op *op)
{
    uint64_t deadline = cx__deadline_ns();
    int error = 0;

    (void)pthread_mutex_lock(&op->channel->lock);
    while (!op->served && error == 0)
        error = cx__cond_wait(&op->woken, &op->channel->lock, deadline);
    if (!op_leave(op))
        error = op->result;
    (void)pthread_mutex_unlock(&op->channel->lock);
    return error;
}

static int do_as_thread(struct op *op)
{
    int error;

    if (cx_deadline_left() == 0)
        return -ETIMEDOUT;
    cx__cond_init(&op->woken);
    error = op_begin(op, true);
    if (error == -EAGAIN)
        error = wait_as_thread(op);
    (void)pthread_cond_destroy(&op->woken);
    return error;
}

/* Wait with what the caller is: a task or a thread. */
static int op_do(struct op *op)
{
    cx_task *task = cx__task_running();

    if (task != NULL)
        return do_as_task(op, task);
    return cx__loop_here == NULL ? do_as_thread(op) : -EPERM;
}

int cx_channel_put(cx_channel *channel, void *item)
{
    struct op op = {.channel = channel, .put = true, .item = item};

    return channel != NULL ? op_do(&op) : -EINVAL;
}

int cx_channel_try_put(cx_channel *channel, void *item)
{
    struct op op = {.channel = channel, .put = true, .item = item};

    return channel != NULL ? op_begin(&op, false) : -EINVAL;
}

int cx_channel_get(cx_channel *channel, void **item)
{
    struct op op = {.channel = channel};
    int error = channel != NULL && item != NULL ? op_do(&op) : -EINVAL;

    if (error == 0)
        *item = op.item;
    return error;
}

int cx_channel_try_get(cx_channel *channel, void **item)
{
    struct op op = {.channel = channel};
    int error =
        channel != NULL && item != NULL ? op_begin(&op, false) : -EINVAL;

    if (error == 0)
        *item = op.item;
    return error;
}

/* Locked: close a line; tasks are sent their posts, which takes no lock of a
 * channel. */
static void turn_away(struct cx__list *line)
{
    struct op *op;

    while ((op = first_of(line)) != NULL)
        tell(serve(op, -EPIPE));
}

int cx_channel_close(cx_channel *channel)
{
    if (channel == NULL)
        return -EINVAL;
    (void)pthread_mutex_lock(&channel->lock);
    channel->closed = true;
    turn_away(&channel->getters);
    turn_away(&channel->putters);
    (void)pthread_mutex_unlock(&channel->lock);
    return 0;
}
