/* SPDX-License-Identifier: MIT */
/*
 * The poller: one epoll set for all descriptors of a loop. A loop of one's own
 * waits in it, and libuv, whose set is in it, is run when that has something;
 * in a loop of the program's it is the other way round, one descriptor to
 * libuv.
 *
 *     task --EAGAIN--> watched[fd].waiter     epoll <-- fd, fd, inbox, libuv
 *       ^                     |                  |
 *       +------ wake ---------+------------------+
 *
 * A stream's descriptor is entered once, for both sides and edge-triggered, so
 * that a wait costs no system call. An edge that finds nobody waiting is
 * forgotten: whoever waits has had EAGAIN before, and the edge that follows it
 * is still to come.
 *
 * A descriptor of another library gives no EAGAIN here, and may have been
 * closed and its number given to another; so it is armed anew at each wait, for
 * what is waited for alone, and the kernel then tells what is ready already.
 *
 * One that is kept is armed until it is ready while nobody waits for that: in
 * a conversation the next wait begins before, and needs no system call.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "loop.h"
#include "poller.h"
#include "wait.h"

enum { EVENTS = 128, FDS_FIRST = 64 };

struct poll_wait {
    struct cx__wait wait;
    cx_task *task;
    int fd;
    int events; /* that it waits for */
};

/* What is known of a descriptor: who waits for it to be read, and written;
 * one that waits for both is there twice. */
struct cx__watched {
    struct poll_wait *reader;
    struct poll_wait *writer;
    bool drained; /* all was read that the events so far told of */
    bool ended;   /* there will be no event any more */
    bool kept;    /* until it is dropped, and then */
    int armed;    /* the events that the kernel tells of, as a level */
};

int cx__poller_init(struct cx__poller *poller)
{
    *poller = (struct cx__poller){.epoll = epoll_create1(EPOLL_CLOEXEC)};
    return poller->epoll >= 0 ? 0 : -errno;
}

void cx__poller_fini(struct cx__poller *poller)
{
    (void)close(poller->epoll);
    free(poller->watched);
}

int cx__poller_add_source(struct cx__poller *poller, int fd,
                          enum cx__source source)
{
    struct epoll_event event = {
        .events = EPOLLIN | (source == CX__FROM_INBOX ? EPOLLET : 0),
        .data.fd = source};

    return epoll_ctl(poller->epoll, EPOLL_CTL_ADD, fd, &event) == 0 ? 0
                                                                    : -errno;
}

static struct cx__watched *watched_of(const struct poll_wait *wait)
{
    return &wait->task->loop->poller.watched[wait->fd];
}

static void wait_leave(struct poll_wait *wait)
{
    struct cx__watched *watched = watched_of(wait);

    if ((wait->events & CX_READABLE) != 0)
        watched->reader = NULL;
    if ((wait->events & CX_WRITABLE) != 0)
        watched->writer = NULL;
}

/* Wake one that waits, if there is one: for `ready` or with an error. */
static void wait_end(struct poll_wait *wait, int result)
{
    if (wait == NULL)
        return;
    wait_leave(wait);
    cx__wake(wait->task, result > 0 ? result & wait->events : result);
}

static int ready_of(uint32_t events)
{
    const uint32_t both = EPOLLERR | EPOLLHUP;
    int ready = 0;

    if ((events & (EPOLLIN | EPOLLPRI | EPOLLRDHUP | both)) != 0)
        ready |= CX_READABLE;
    if ((events & (EPOLLOUT | both)) != 0)
        ready |= CX_WRITABLE;
    return ready;
}

static void watched_event(struct cx__watched *watched, uint32_t events)
{
    int ready = ready_of(events);

    if ((events & (EPOLLRDHUP | EPOLLERR | EPOLLHUP)) != 0)
        watched->ended = true;
    if ((ready & CX_READABLE) != 0) {
        watched->drained = false;
        wait_end(watched->reader, ready);
    }
    if ((ready & CX_WRITABLE) != 0)
        wait_end(watched->writer, ready);
}

static int wanted_of(const struct cx__watched *watched)
{
    return (watched->reader != NULL ? CX_READABLE : 0) |
           (watched->writer != NULL ? CX_WRITABLE : 0);
}

/* Have the kernel tell of a descriptor, beginning with what it is now; the
 * first operation fails where it is watched already, or is not yet. */
static int control(const struct cx__poller *poller, int fd, uint32_t events,
                   int first, int second)
{
    struct epoll_event event = {.events = events, .data.fd = fd};

    if (epoll_ctl(poller->epoll, first, fd, &event) == 0)
        return 0;
    if ((errno == EEXIST || errno == ENOENT) &&
        epoll_ctl(poller->epoll, second, fd, &event) == 0)
        return 0;
    return -errno;
}

/* The same of one that is kept, for what is wanted; where nothing is, not even
 * that it has ended. */
static int rearm(const struct cx__poller *poller, int fd, int wanted)
{
    struct cx__watched *watched = &poller->watched[fd];
    uint32_t events = 0;
    int error = 0;

    if ((wanted & CX_READABLE) != 0)
        events |= EPOLLIN | EPOLLPRI | EPOLLRDHUP;
    if ((wanted & CX_WRITABLE) != 0)
        events |= EPOLLOUT;
    if (wanted == 0)
        error =
            epoll_ctl(poller->epoll, EPOLL_CTL_DEL, fd, NULL) != 0 ? -errno : 0;
    else if (watched->armed != 0)
        error = control(poller, fd, events, EPOLL_CTL_MOD, EPOLL_CTL_ADD);
    else
        error = control(poller, fd, events, EPOLL_CTL_ADD, EPOLL_CTL_MOD);
    if (error == 0)
        watched->armed = wanted;
    return error;
}

/* What the kernel tells of again and again goes, unless somebody waits for it;
 * whoever was woken commonly does so again at once. */
static void fd_event(const struct cx__poller *poller, int fd, uint32_t events)
{
    struct cx__watched *watched = &poller->watched[fd];
    int ready = ready_of(events) & watched->armed;
    int unwanted = watched->kept ? ready & ~wanted_of(watched) : 0;

    watched_event(watched, events);
    if (unwanted != 0)
        (void)rearm(poller, fd, watched->armed & ~unwanted);
}

/* Those left over bring it here again. */
void cx__poller_poll(struct cx__loop *loop, int timeout)
{
    struct cx__poller *poller = &loop->poller;
    struct epoll_event event[EVENTS];
    int n = epoll_wait(poller->epoll, event, EVENTS, timeout);

    for (int i = 0; i < n; i++) {
        if (event[i].data.fd >= 0)
            fd_event(poller, event[i].data.fd, event[i].events);
        else if (event[i].data.fd == CX__FROM_INBOX)
            cx__inbox_take(loop->inbox);
        else
            loop->uv_asked = true;
    }
}

static int table_reserve(struct cx__poller *poller, size_t fd)
{
    size_t room = poller->room != 0 ? poller->room : FDS_FIRST;
    struct cx__watched *table;

    if (fd < poller->room)
        return 0;
    while (room <= fd)
        room *= 2;
    table = realloc(poller->watched, room * sizeof(*table));
    if (table == NULL)
        return -ENOMEM;
    for (size_t i = poller->room; i < room; i++)
        table[i] = (struct cx__watched){.reader = NULL};
    poller->watched = table;
    poller->room = room;
    return 0;
}

static int poller_prepare(struct cx__poller *poller, int fd)
{
    int error = fd >= 0 ? table_reserve(poller, (size_t)fd) : -EBADF;

    if (error == 0) {
        poller->watched[fd].drained = false;
        poller->watched[fd].ended = false;
    }
    return error;
}

int cx__poller_add(struct cx__loop *loop, int fd)
{
    int error = poller_prepare(&loop->poller, fd);

    if (error != 0)
        return error;
    return control(&loop->poller, fd,
                   EPOLLIN | EPOLLPRI | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                   EPOLL_CTL_ADD, EPOLL_CTL_MOD);
}

int cx__poller_arm(struct cx__loop *loop, int fd, int events)
{
    int error = poller_prepare(&loop->poller, fd);
    const struct cx__watched *watched;
    uint32_t wanted = EPOLLRDHUP;

    if (error != 0)
        return error;
    watched = &loop->poller.watched[fd];
    if (watched->kept)
        return (events & ~watched->armed) == 0
                   ? 0
                   : rearm(&loop->poller, fd, watched->armed | events);
    if ((events & CX_READABLE) != 0 || watched->reader != NULL)
        wanted |= EPOLLIN | EPOLLPRI;
    if ((events & CX_WRITABLE) != 0 || watched->writer != NULL)
        wanted |= EPOLLOUT;
    return control(&loop->poller, fd, wanted | EPOLLET, EPOLL_CTL_MOD,
                   EPOLL_CTL_ADD);
}

int cx__poller_keep(struct cx__loop *loop, int fd)
{
    int error = poller_prepare(&loop->poller, fd);

    if (error != 0)
        return error;
    if (loop->poller.watched[fd].kept)
        return -EEXIST;
    loop->poller.watched[fd].kept = true;
    return 0;
}

void cx__poller_drop(struct cx__loop *loop, int fd)
{
    struct cx__poller *poller = &loop->poller;

    if (fd < 0 || (size_t)fd >= poller->room)
        return;
    cx__poller_remove(loop, fd);
    poller->watched[fd].kept = false;
    poller->watched[fd].armed = 0;
}

void cx__poller_drained(struct cx__loop *loop, int fd)
{
    struct cx__watched *watched = &loop->poller.watched[fd];

    watched->drained = !watched->ended;
}

bool cx__poller_is_drained(const struct cx__loop *loop, int fd)
{
    return loop->poller.watched[fd].drained;
}

void cx__poller_remove(struct cx__loop *loop, int fd)
{
    struct cx__poller *poller = &loop->poller;

    (void)epoll_ctl(poller->epoll, EPOLL_CTL_DEL, fd, NULL);
    wait_end(poller->watched[fd].reader, -EBADF);
    wait_end(poller->watched[fd].writer, -EBADF);
}

static bool poll_abandon(struct cx__wait *wait)
{
    wait_leave(CX__OWNER(wait, struct poll_wait, wait));
    return true;
}

static const struct cx__wait_kind poll_kind = {"descriptor", poll_abandon};

int cx__poller_wait(int fd, int events)
{
    cx_task *task = cx__task_running();
    struct poll_wait wait = {
        .wait.kind = &poll_kind, .task = task, .fd = fd, .events = events};
    struct cx__watched *watched;

    assert(task != NULL);
    watched = watched_of(&wait);
    if (((events & CX_READABLE) != 0 && watched->reader != NULL) ||
        ((events & CX_WRITABLE) != 0 && watched->writer != NULL))
        return -EBUSY;
    if ((events & CX_READABLE) != 0)
        watched->reader = &wait;
    if ((events & CX_WRITABLE) != 0)
        watched->writer = &wait;
    return cx__wait(task, &wait.wait);
}
