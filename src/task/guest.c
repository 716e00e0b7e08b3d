/* SPDX-License-Identifier: MIT */
/*
 * A loop within the program's: tasks on a uv_loop_t that the program runs.
 *
 *         timers       idle        prepare         poll
 *     +---> sleep ----> (there ---> a round of ---> events wake ---+
 *     |     is over     is one)     tasks           tasks          |
 *     +------------------------------------------------------------+
 *
 * All tasks run from one place, before the poll, so that what they have asked
 * of libuv is known to it when it polls, and also when the program sits on
 * uv_backend_fd() instead. Whatever wakes a task outside of a round stirs the
 * loop: an idle handle keeps the poll from waiting, until a round has left no
 * task ready. It is never stopped in its own callback, past which libuv would
 * wait after all.
 *
 * libuv's loop is kept alive by one handle, while there are tasks or calls; the
 * timer is there only then, and the others do not count.
 */
#include <errno.h>
#include <stdlib.h>

#include "loop.h"

/* In the end the handles are closed before their memory goes. */
struct cx__guest {
    struct cx__loop loop;
    uv_prepare_t round;
    uv_idle_t stir;
    uv_timer_t timer;
    uv_poll_t poll; /* of the poller */
};

static void stirred(uv_idle_t *stir)
{
    (void)stir;
}

void cx__guest_stir(struct cx__guest *guest)
{
    (void)uv_idle_start(&guest->stir, stirred);
    uv_ref((uv_handle_t *)&guest->round);
}

/* Since libuv 1.45 timers come after the poll: the round is still to come. */
static void sleep_over(uv_timer_t *timer)
{
    cx__guest_stir(CX__OWNER(timer, struct cx__guest, timer));
}

/* Have the next poll end when the first sleep does. */
static void guest_arm(struct cx__guest *guest)
{
    int timeout = cx__loop_timeout(&guest->loop);

    uv_update_time(guest->loop.uv);
    if (timeout < 0)
        (void)uv_timer_stop(&guest->timer);
    else
        (void)uv_timer_start(&guest->timer, sleep_over, (uint64_t)timeout, 0);
}

static void poller_ready(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    cx__poller_poll(&CX__OWNER(poll, struct cx__guest, poll)->loop, 0);
}

static void guest_gone(uv_handle_t *round)
{
    struct cx__guest *guest =
        CX__OWNER((uv_prepare_t *)round, struct cx__guest, round);

    cx__loop_fini(&guest->loop);
    free(guest);
}

/* All other handles are closed by now, or will be in the same go. */
static void guest_close_last(uv_handle_t *stir)
{
    struct cx__guest *guest =
        CX__OWNER((uv_idle_t *)stir, struct cx__guest, stir);

    uv_close((uv_handle_t *)&guest->round, guest_gone);
}

static void guest_close(struct cx__guest *guest)
{
    (void)uv_prepare_stop(&guest->round);
    cx__loop_close(&guest->loop);
    uv_close((uv_handle_t *)&guest->timer, NULL);
    uv_close((uv_handle_t *)&guest->poll, NULL);
    uv_close((uv_handle_t *)&guest->stir, guest_close_last);
}

/* See to it that the next round comes in time, and not before. */
static void guest_settle(struct cx__guest *guest)
{
    struct cx__loop *loop = &guest->loop;

    if (loop->ready.head != NULL) {
        cx__guest_stir(guest);
        return;
    }
    cx__stacks_trim(&loop->stacks);
    guest_arm(guest);
    (void)uv_idle_stop(&guest->stir);
    if (!cx__loop_is_busy(loop))
        uv_unref((uv_handle_t *)&guest->round);
}

static void guest_round(uv_prepare_t *round)
{
    struct cx__guest *guest = CX__OWNER(round, struct cx__guest, round);
    struct cx__loop *loop = &guest->loop;

    /* A task that runs the program's loop does not run others in it. */
    if (loop->running != NULL)
        return;
    cx__loop_round(loop);
    if (loop->closing && !cx__loop_is_busy(loop))
        guest_close(guest);
    else
        guest_settle(guest);
}

static int guest_init(struct cx__guest *guest, uv_loop_t *uv)
{
    int error = uv_poll_init(uv, &guest->poll, guest->loop.poller.epoll);

    if (error != 0)
        return error;
    uv_unref((uv_handle_t *)&guest->poll);
    (void)uv_poll_start(&guest->poll, UV_READABLE, poller_ready);
    (void)uv_timer_init(uv, &guest->timer);
    (void)uv_prepare_init(uv, &guest->round);
    (void)uv_prepare_start(&guest->round, guest_round);
    (void)uv_idle_init(uv, &guest->stir);
    uv_unref((uv_handle_t *)&guest->stir);
    guest->loop.guest = guest;
    cx__guest_stir(guest);
    return 0;
}

int cx_loop_attach(struct uv_loop_s *uv)
{
    struct cx__guest *guest;
    int error;

    if (uv == NULL)
        return -EINVAL;
    if (cx__loop_here != NULL)
        return -EBUSY;
    guest = malloc(sizeof(*guest));
    if (guest == NULL)
        return -ENOMEM;
    error = cx__loop_init(&guest->loop, uv);
    if (error == 0) {
        error = guest_init(guest, uv);
        if (error != 0) {
            cx__loop_close(&guest->loop);
            cx__loop_fini(&guest->loop);
        }
    }
    if (error != 0) {
        free(guest);
        return error;
    }
    cx__loop_here = &guest->loop;
    return 0;
}

int cx_loop_detach(void)
{
    struct cx__loop *loop = cx__loop_here;

    if (loop == NULL || loop->guest == NULL)
        return -EPERM;
    if (!loop->closing)
        cx__loop_end(loop);
    cx__guest_stir(loop->guest);
    return 0;
}
