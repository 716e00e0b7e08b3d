/* SPDX-License-Identifier: MIT */
/* Deadlines: a context variable that only ever comes closer. */
#include <errno.h>

#include <uv.h>

#include "deadline.h"

CX_VAR_DEFINE(uint64_t, cx__deadline_var, .title = "deadline");

uint64_t cx_time(void)
{
    return uv_hrtime() / 1000000;
}

uint64_t cx_deadline(void)
{
    return cx__deadline_ms();
}

uint64_t cx_deadline_left(void)
{
    uint64_t deadline = cx__deadline_ms();
    uint64_t now;

    if (deadline == UINT64_MAX)
        return UINT64_MAX;
    now = cx_time();
    return deadline > now ? deadline - now : 0;
}

int cx_timeout_at(uint64_t time, cx_token *token)
{
    uint64_t deadline = cx__deadline_ms();

    return cx_bind(cx__deadline_var, time < deadline ? time : deadline, token);
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
    uint64_t deadline = cx__deadline_ms();

    /* The millisecond that has begun does not count. */
    if (ms < UINT64_MAX - now - 1 && now + 1 + ms < deadline)
        deadline = now + 1 + ms;
    return timeout_bind(deadline);
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
