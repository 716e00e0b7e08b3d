/* SPDX-License-Identifier: MIT */
/*
 * Several loops at once. Their first tasks meet before any of them calls the
 * program's function, when all are there or one could not be made: so it is
 * called on all or on none, and finds the others from its beginning on.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include <ctxvar/callback.h>
#include <ctxvar/loops.h>

#include "run.h"
#include "wait.h"

/* One of the loops; what is set by its thread is for that thread alone. */
struct member {
    struct crew *crew;
    pthread_t thread;
    cx_loop *loop;       /* held; before they meet NULL */
    cx_task *main;       /* NULL: not begun, or ended */
    struct cx__post end; /* another one has failed */
    bool cancelled;      /* the post has arrived */
};

/*
 * met     == those whose loop runs, or never will
 * refused  the first error before they met; settled once met == n
 * error    the first error after
 */
struct crew {
    unsigned n;
    cx_group_fn *fn;
    void *arg;
    const void *site;
    pthread_mutex_t lock; /* of what is below, but for members */
    pthread_cond_t all;
    unsigned met;
    int refused;
    int error;
    struct member member[];
};

/* What the calling thread is. */
static CX__THREAD_LOCAL struct member *self CX__INITIAL_EXEC;

/* So many will not come, or have come. */
static void meet(struct crew *crew, unsigned n, int error)
{
    (void)pthread_mutex_lock(&crew->lock);
    crew->met += n;
    if (crew->refused == 0)
        crew->refused = error;
    (void)pthread_cond_broadcast(&crew->all);
    (void)pthread_mutex_unlock(&crew->lock);
}

/* Wait for the others: 0, or the reason why nobody is to begin. */
static int wait_for_others(struct crew *crew)
{
    int error;

    (void)pthread_mutex_lock(&crew->lock);
    while (crew->met < crew->n)
        (void)pthread_cond_wait(&crew->all, &crew->lock);
    error = crew->refused;
    (void)pthread_mutex_unlock(&crew->lock);
    return error;
}

static void end_arrive(struct cx__post *post)
{
    struct member *member = CX__OWNER(post, struct member, end);

    member->cancelled = true;
    if (member->main != NULL)
        cx__task_cancel(member->main);
}

/* The first to fail cancels the others. */
static void fail(struct member *member, int error)
{
    struct crew *crew = member->crew;
    bool first;

    (void)pthread_mutex_lock(&crew->lock);
    first = crew->error == 0;
    if (first)
        crew->error = error;
    (void)pthread_mutex_unlock(&crew->lock);
    for (unsigned i = 0; first && i < crew->n; i++) {
        struct member *other = &crew->member[i];

        other->end.arrive = end_arrive;
        if (other != member)
            (void)cx__inbox_offer(other->loop, &other->end);
    }
}

static int member_call(struct member *member)
{
    int error;

    member->main = cx_task_current();
    if (member->cancelled)
        cx__task_cancel(member->main);
    error = member->crew->fn(member->crew->arg);
    member->main = NULL;
    return error;
}

/* The first task of a loop; until it has met the others, it is the only one,
 * and nobody else knows the loop. */
static void *member_task(void *arg)
{
    struct member *member = arg;
    int error;

    self = member;
    member->loop = cx_loop_ref(cx_loop_current());
    meet(member->crew, 1, 0);
    if (wait_for_others(member->crew) != 0)
        return NULL;
    error = member_call(member);
    if (error != 0 && error != -ECANCELED)
        fail(member, error);
    return NULL;
}

static void *member_thread(void *arg)
{
    struct member *member = arg;
    struct cx__run run;
    int error = cx__run_init(&run);

    if (error == 0) {
        error = cx__run_main(&run, member_task, member, member->crew->site);
        cx__run_fini(&run);
    }
    if (error != 0)
        meet(member->crew, 1, error);
    self = NULL;
    return NULL;
}

/* The caller is one of the crew, and waits for the threads of the others. */
static void crew_run(struct crew *crew)
{
    unsigned made = 1;
    int error = 0;

    while (made < crew->n && error == 0) {
        error = cx_thread_create(&crew->member[made].thread, NULL,
                                 member_thread, &crew->member[made]);
        made += error == 0;
    }
    if (error != 0)
        meet(crew, crew->n - made, error);
    (void)member_thread(&crew->member[0]);
    for (unsigned i = 1; i < made; i++)
        (void)pthread_join(crew->member[i].thread, NULL);
}

static struct crew *crew_new(unsigned n, cx_group_fn *fn, void *arg,
                             const void *site)
{
    struct crew *crew = calloc(1, sizeof(*crew) + n * sizeof(struct member));

    if (crew == NULL)
        return NULL;
    *crew = (struct crew){.n = n, .fn = fn, .arg = arg, .site = site};
    (void)pthread_mutex_init(&crew->lock, NULL);
    (void)pthread_cond_init(&crew->all, NULL);
    for (unsigned i = 0; i < n; i++)
        crew->member[i].crew = crew;
    return crew;
}

static void crew_free(struct crew *crew)
{
    for (unsigned i = 0; i < crew->n; i++)
        cx_loop_unref(crew->member[i].loop);
    (void)pthread_cond_destroy(&crew->all);
    (void)pthread_mutex_destroy(&crew->lock);
    free(crew);
}

static unsigned processors(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);

    return n > 0 ? (unsigned)n : 1;
}

int cx_loops_run(unsigned n, cx_group_fn *fn, void *arg)
{
    struct crew *crew;
    int error;

    if (fn == NULL)
        return -EINVAL;
    if (cx__loop_here != NULL)
        return -EBUSY;
    crew = crew_new(n != 0 ? n : processors(), fn, arg, CX__SITE);
    if (crew == NULL)
        return -ENOMEM;
    crew_run(crew);
    error = crew->refused != 0 ? crew->refused : crew->error;
    crew_free(crew);
    return error;
}

cx_loop *cx_loops_at(unsigned i)
{
    return self != NULL && i < self->crew->n ? self->crew->member[i].loop
                                             : NULL;
}

unsigned cx_loops_len(void)
{
    return self != NULL ? self->crew->n : 0;
}

unsigned cx_loops_index(void)
{
    return self != NULL ? (unsigned)(self - self->crew->member) : 0;
}
