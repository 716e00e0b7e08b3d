/* SPDX-License-Identifier: MIT */
/*
 * Groups. A member is a detached task that is on its group's list for as long
 * as its function runs: it is put there before it first runs, and takes itself
 * off as its last act, so that the group never looks at one that is gone.
 */
#include <errno.h>
#include <stdlib.h>

#include "group.h"
#include "wait.h"
#include "waiters.h"

/*
 * running     == the members on the list
 * waiter      a task that waits for running == 0, or is about to
 * starters    tasks that wait for running < limit, first come, first served
 * errors[len] what members returned; there is room for one of each member
 * told        a wait has returned since the last of them
 * users       tasks that are in one of the functions below, and may wait there
 * freed       it is not the caller's any more: the last member or user frees it
 */
struct cx_group {
    struct cx__loop *loop;
    struct cx__list members;
    size_t running;
    size_t limit; /* SIZE_MAX: none */
    cx_task *waiter;
    struct cx__waiters starters;
    bool cancelled;
    bool told;
    bool freed;
    size_t users;
    int *errors;
    size_t errors_len;
    size_t errors_room;
};

struct member {
    struct cx__list link;
    cx_group *group;
    cx_task *task;
    cx_group_fn *fn;
    void *arg;
};

cx_group *cx_group_new(const cx_group_options *options)
{
    cx_task *task = cx__task_running();
    cx_group *group = task != NULL ? calloc(1, sizeof(*group)) : NULL;

    if (group == NULL) {
        errno = task != NULL ? ENOMEM : EPERM;
        return NULL;
    }
    group->loop = task->loop;
    cx__list_init(&group->members);
    (void)cx__waiters_init(&group->starters, "group with room");
    group->limit =
        options != NULL && options->limit != 0 ? options->limit : SIZE_MAX;
    return group;
}

/* Room for one more error than there may be by now. */
static int errors_reserve(cx_group *group)
{
    size_t need = group->errors_len + group->running + 1;
    size_t room = group->errors_room;
    int *errors;

    if (need <= room)
        return 0;
    room = need * 2;
    errors = realloc(group->errors, room * sizeof(*errors));
    if (errors == NULL)
        return -ENOMEM;
    group->errors = errors;
    group->errors_room = room;
    return 0;
}

static void members_cancel(cx_group *group)
{
    struct cx__list *link = group->members.next;

    group->cancelled = true;
    for (; link != &group->members; link = link->next)
        cx__task_cancel(CX__OWNER(link, struct member, link)->task);
    cx__waiters_wake_all(&group->starters, -ECANCELED);
}

/* Free a group that was given up, unless somebody is still to use it. */
static void group_drop(cx_group *group)
{
    if (!group->freed || group->running > 0 || group->users > 0)
        return;
    for (size_t i = 0; i < group->errors_len && !group->told; i++)
        cx__failure_tell(group->loop, group->errors[i]);
    free(group->errors);
    free(group);
}

static void users_leave(cx_group *group)
{
    group->users--;
    group_drop(group);
}

/* Whose turn it is, if there is room for one more. */
static void starters_wake(cx_group *group)
{
    if (group->running < group->limit && cx__waiters_any(&group->starters))
        (void)cx__waiters_wake(&group->starters, 0);
}

/* The last act of a member. */
static void member_end(struct member *member, int error)
{
    cx_group *group = member->group;

    cx__list_remove(&member->link);
    free(member);
    group->running--;
    if (error != 0 && error != -ECANCELED) {
        if (group->told)
            group->errors_len = 0;
        group->told = false;
        group->errors[group->errors_len++] = error;
        members_cancel(group);
    }
    if (group->running == 0 && group->waiter != NULL &&
        group->waiter->state == CX__WAITING)
        cx__wake(group->waiter, 0);
    starters_wake(group);
    group_drop(group);
}

static void *member_main(void *arg)
{
    struct member *member = arg;

    member_end(member, member->fn(member->arg));
    return NULL;
}

static int member_start(cx_group *group, cx_group_fn *fn, void *arg,
                        const void *site)
{
    struct member *member = malloc(sizeof(*member));

    if (member == NULL || errors_reserve(group) != 0) {
        free(member);
        return -ENOMEM;
    }
    *member = (struct member){.group = group, .fn = fn, .arg = arg};
    member->task = cx__task_create(NULL, member_main, member, site);
    if (member->task == NULL) {
        free(member);
        return -errno;
    }
    cx__list_insert(&group->members, &member->link);
    group->running++;
    cx_task_detach(member->task);
    return 0;
}

/* Wait until there is room for one more. */
static int wait_for_turn(cx_group *group)
{
    int error = 0;

    while (error == 0 && group->running >= group->limit)
        error = cx__waiters_wait(&group->starters, NULL);
    return error;
}

static int check(const cx_group *group, const cx_task *task)
{
    if (group == NULL)
        return -EINVAL;
    return task != NULL && task->loop == group->loop ? 0 : -EPERM;
}

int cx__group_start(cx_group *group, cx_group_fn *fn, void *arg,
                    const void *site)
{
    cx_task *task = cx__task_running();
    int error = fn != NULL ? check(group, task) : -EINVAL;

    if (error != 0)
        return error;
    group->users++;
    if (group->running >= group->limit)
        error = cx__wait_begin(task);
    if (error == 0)
        error = wait_for_turn(group);
    if (error == 0 && (group->cancelled || group->freed))
        error = -ECANCELED;
    if (error == 0)
        error = member_start(group, fn, arg, site);
    /* If it could not use its turn, it is the next one's. */
    if (error != 0)
        starters_wake(group);
    users_leave(group);
    return error;
}

int cx_group_start(cx_group *group, cx_group_fn *fn, void *arg)
{
    return cx__group_start(group, fn, arg, CX__SITE);
}

static bool wait_abandon(struct cx__wait *wait)
{
    (void)wait;
    return true;
}

static const struct cx__wait_kind wait_kind = {"group", wait_abandon};

/* In the group's waiter. */
static int wait_for_all(cx_group *group)
{
    struct cx__wait wait = {.kind = &wait_kind};
    int error = 0;

    while (error == 0 && group->running > 0)
        error = cx__wait(group->waiter, &wait);
    return error;
}

static void cancel_and_wait(cx_group *group)
{
    members_cancel(group);
    CX_SHIELD {
        (void)wait_for_all(group);
    }
}

static bool is_member(const cx_group *group, const cx_task *task)
{
    const struct cx__list *link = group->members.next;

    while (link != &group->members &&
           CX__OWNER(link, struct member, link)->task != task)
        link = link->next;
    return link != &group->members;
}

int cx_group_wait(cx_group *group)
{
    cx_task *task = cx__task_running();
    int error = check(group, task);

    if (error != 0)
        return error;
    if (is_member(group, task))
        return -EDEADLK;
    if (group->waiter != NULL)
        return -EBUSY;
    group->users++;
    group->waiter = task;
    error = group->running > 0 ? cx__wait_begin(task) : 0;
    if (error == 0)
        error = wait_for_all(group);
    if (error != 0)
        cancel_and_wait(group);
    else if (group->errors_len > 0 && !group->told)
        error = group->errors[0];
    else if (group->cancelled)
        error = -ECANCELED;
    group->waiter = NULL;
    group->cancelled = false;
    group->told = true;
    users_leave(group);
    return error;
}

void cx_group_cancel(cx_group *group)
{
    if (group != NULL && group->loop == cx__loop_here)
        members_cancel(group);
}

size_t cx_group_errors(const cx_group *group, int *errors, size_t most)
{
    if (group == NULL)
        return 0;
    for (size_t i = 0; errors != NULL && i < most && i < group->errors_len; i++)
        errors[i] = group->errors[i];
    return group->errors_len;
}

/* Can a task wait until all members have ended? */
static bool may_wait(const cx_group *group, const cx_task *task)
{
    return task != NULL && group->waiter == NULL && !is_member(group, task);
}

void cx_group_free(cx_group *group)
{
    cx_task *task = cx__task_running();

    if (group == NULL || group->loop != cx__loop_here)
        return;
    group->freed = true;
    group->users++;
    if (may_wait(group, task)) {
        group->waiter = task;
        cancel_and_wait(group);
    } else {
        members_cancel(group);
    }
    users_leave(group);
}
