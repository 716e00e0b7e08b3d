/* SPDX-License-Identifier: MIT */
/* asyncio's time-outs and calls, in C: the rows of docs/asyncio.md on them. */
#include "row.h"

#include <ctxvar/call.h>
#include <ctxvar/deadline.h>
#include <ctxvar/sync.h>

static void sleep_one(void)
{
    uint64_t before = cx_time();

    check(cx_sleep(5) == 0);
    check(cx_time() - before >= 5);
    check(cx_sleep_until(before) == 0); /* passed already */
}

static void wait_for(void)
{
    int error = 0;

    CX_TIMEOUT(1) {
        error = cx_sleep(60000);
    }
    check(error == -ETIMEDOUT);
}

static void *say_what_is_left(void *arg)
{
    (void)arg;
    return as_pointer(cx_deadline_left() < 60000);
}

static void timeout(void)
{
    CX_TIMEOUT(1000) {
        cx_task *task = NULL;
        void *is_less = NULL;

        CX_TIMEOUT(60000) { /* the earlier one holds, in new tasks too */
            task = cx_task_create(say_what_is_left, NULL);
        }
        check(cx_await(task, &is_less) == 0);
        check(is_less != NULL);
    }
    check(cx_deadline_left() > 60000); /* there is none */
}

static void timeout_at(void)
{
    uint64_t when = cx_time() + 1;
    cx_token token;

    check(cx_timeout_at(when, &token) == 0);
    check(cx_deadline() == when);
    check(cx_sleep(60000) == -ETIMEDOUT);
    check(cx_timeout_end(&token) == 0);
}

static void shield(void)
{
    int error = 0;

    CX_TIMEOUT(0) {
        check(cx_sleep(1) == -ETIMEDOUT);
        CX_NO_TIMEOUT {
            error = cx_sleep(1); /* all the time there is */
        }
    }
    check(error == 0);
}

static void count(void *calls)
{
    ++*(int *)calls;
}

static void set(void *event)
{
    (void)cx_event_set(event);
}

static void call_soon(void)
{
    cx_event *event = cx_event_new();

    cx_call_detach(cx_call_soon(set, event));
    check(!cx_event_is_set(event));
    check(cx_event_wait(event) == 0);
    check(cx_event_free(event) == 0);
}

static void call_later(void)
{
    cx_event *event = cx_event_new();

    cx_call_detach(cx_call_later(1, set, event));
    check(cx_event_wait(event) == 0);
    check(cx_event_free(event) == 0);
}

static void call_handle_cancel(void)
{
    int calls = 0;
    cx_call *call = cx_call_later(1, count, &calls);

    check(cx_call_cancel(call));
    check(cx_sleep(5) == 0);
    check(calls == 0);
}

static void call_every(void)
{
    int calls = 0;
    cx_call *call = cx_call_every(1, count, &calls);

    while (calls < 3)
        check(cx_sleep(1) == 0);
    (void)cx_call_cancel(call);
}

int main(void)
{
    static struct row rows[] = {
        ROW(sleep_one),  ROW(wait_for),
        ROW(timeout),    ROW(timeout_at),
        ROW(shield),     ROW(call_soon),
        ROW(call_later), ROW(call_handle_cancel),
        ROW(call_every), {NULL, NULL},
    };

    return run_all(rows);
}
