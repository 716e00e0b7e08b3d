/* SPDX-License-Identifier: MIT */
/*
 * Deadlines: a context variable that only ever comes closer, but for a task in
 * a shield: there the one that is held off does not count, and the first that
 * is set within is put in its place.
 */
#include <errno.h>

#include <uv.h>

#include "deadline.h"
#include "loop.h"

CX_VAR_DEFINE(uint64_t, cx__deadline_var, .title = "deadline");

uint64_t cx_time(void)
{
    return uv_hrtime() / 1000000;
}

/* The deadline that a shield of the running task's holds off. */
static uint64_t held_off(void)
{
    const cx_task *task = cx__task_running();

    return task != NULL ? task->held_off : UINT64_MAX;
}

uint64_t cx_deadline(void)
{
    uint64_t deadline = cx__deadline_ms();

    return deadline != held_off() ? deadline : UINT64_MAX;
}

uint64_t cx_deadline_left(void)
{
    uint64_t deadline = cx_deadline();
    uint64_t now;

    if (deadline == UINT64_MAX)
        return UINT64_MAX;
    now = cx_time();
    return deadline > now ? deadline - now : 0;
}

/* The earlier of a time and the deadline that there is; a shield must not take
 * it for the one that it holds off. */
static uint64_t earlier(uint64_t time)
{
    uint64_t deadline = cx_deadline();

    if (deadline < time)
        return deadline;
    return time != UINT64_MAX && time == held_off() ? time + 1 : time;
}

int cx_timeout_at(uint64_t time, cx_token *token)
{
    return cx_bind(cx__deadline_var, earlier(time), token);
}

int cx_timeout_end(cx_token *token)
{
    return cx_reset(cx__deadline_var, token);
}

static struct cx__timeout timeout_bind(uint64_t time)
{
    struct cx__timeout timeout;

    timeout.done = false;
    timeout.error = cx_bind(cx__deadline_var, time, &timeout.token);
    return timeout;
}

struct cx__timeout cx__timeout_begin(uint64_t ms)
{
    uint64_t now = cx_time();

    if (ms == 0)
        return timeout_bind(earlier(now));
    /* The millisecond that has begun does not count. */
    return timeout_bind(
        earlier(ms < UINT64_MAX - now - 1 ? now + 1 + ms : UINT64_MAX));
}

struct cx__timeout cx__no_timeout_begin(void)
{
    return timeout_bind(UINT64_MAX);
}

void cx__timeout_end(struct cx__timeout *timeout)
{
    if (timeout->error == 0)
        (void)cx_reset(cx__deadline_var, &timeout->token);
}
