/* SPDX-License-Identifier: MIT */
/*
 * Loops, as other threads know them: where to send work to. A handle outlives
 * its loop and may be used on any thread; what is sent to a loop that has
 * ended is refused.
 */
#ifndef CTXVAR_LOOP_H
#define CTXVAR_LOOP_H

#include <ctxvar/platform.h>

CX__BEGIN_DECLS

/** A loop, as other threads know it; counted. */
typedef struct cx_loop cx_loop;

/**
 * Give the loop of the calling thread.
 *
 * @return the loop, borrowed until it ends; NULL: this thread has none.
 *
 * Suspends: never. Threads: any. Cost: O(1).
 * Source: asyncio.get_running_loop().  Since: 0.1
 */
CX__API cx_loop *cx_loop_current(void);

/**
 * Hold a loop's handle once more, beyond the end of the loop.
 *
 * @param loop  Borrowed; NULL is ignored.
 * @return loop, now owned once more by the caller.
 *
 * Suspends: never. Threads: any. Cost: one atomic addition.
 * Source: own.  Since: 0.1
 */
CX__API cx_loop *cx_loop_ref(cx_loop *loop);

/**
 * Let go of a loop's handle. The loop itself does not mind.
 *
 * @param loop  Owned, given up; NULL is ignored.
 *
 * Suspends: never. Threads: any. Cost: O(1).
 * Source: own.  Since: 0.1
 */
CX__API void cx_loop_unref(cx_loop *loop);

/** libuv's uv_loop_t; see <uv.h>. */
struct uv_loop_s;

/**
 * Have tasks on a loop of libuv's that the program runs itself, instead of
 * cx_run().
 *
 * From then on the thread creates tasks and calls outside of tasks, too, from
 * libuv's callbacks or before it runs the loop. They run from within uv_run(),
 * some at a time, so that the program's own handles have their turn; while
 * there are any, they keep uv_run() going. To wait is for tasks alone, as
 * ever. What other threads send keeps nothing going: a program that expects
 * it has a handle of its own that does.
 *
 * A program that sits on uv_backend_fd() and uv_backend_timeout() in another
 * library's loop asks uv_loop_alive() first, and runs the loop with
 * UV_RUN_NOWAIT.
 *
 * @param uv  Borrowed until cx_loop_detach() is through; of this thread.
 * @return 0, or
 *   -EBUSY       this thread has a loop already
 *   -EINVAL      uv is NULL
 *   -ENOMEM      no memory
 *   -EMFILE      no more file descriptors for the process
 *   -ENFILE      no more file descriptors for the system
 *
 * Suspends: never. Threads: any that runs a loop of libuv's. Cost: some
 * handles; each turn of libuv's loop takes a tenth of a microsecond more.
 * Source: trio, lowlevel.start_guest_run().  Since: 0.1
 */
CX__API int cx_loop_attach(struct uv_loop_s *uv);

/**
 * Cancel all tasks on the loop that the program runs, and take leave of it
 * when the last one has ended.
 *
 * That takes as long as the tasks take, and is for the program's loop to do:
 * uv_run() keeps going until it is done, and uv_loop_close() says UV_EBUSY
 * before. Calls whose time has not come are called off.
 *
 * @return 0, or
 *   -EPERM       this thread has no loop, or it is that of cx_run()
 *
 * Suspends: never. Threads: that of the loop. Cost: O(tasks).
 * Source: own; libuv, uv_close().  Since: 0.1
 */
CX__API int cx_loop_detach(void);

CX__END_DECLS

#endif
