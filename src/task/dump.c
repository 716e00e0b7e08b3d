/* SPDX-License-Identifier: MIT */
/*
 * Dumps: the tasks of a loop as a tree, and their numbers.
 *
 * The tree is made when it is asked for, from the number that each task has
 * and that of its creator, so that creating a task costs no links.
 */
#include <errno.h>
#include <stdlib.h>

#include <ctxvar/context.h>

#include "debug.h"
#include "wait.h"

enum { INDENT = 2, MS = 1000000 };

/* Nodes are in the order of their ids; NOBODY stands for none. */
struct node {
    const cx_task *task;
    size_t parent;
    size_t child; /* the first */
    size_t next;  /* of the same parent */
};

#define NOBODY SIZE_MAX

static int compare_ids(const void *a, const void *b)
{
    uint64_t x = ((const struct node *)a)->task->id;
    uint64_t y = ((const struct node *)b)->task->id;

    return (x > y) - (x < y);
}

static size_t count(const struct cx__loop *loop)
{
    size_t n = 0;

    for (const struct cx__list *link = loop->tasks.next; link != &loop->tasks;
         link = link->next)
        n++;
    return n;
}

static size_t find(const struct node *nodes, size_t n, uint64_t id)
{
    const cx_task wanted = {.id = id};
    const struct node key = {.task = &wanted};
    const struct node *found =
        bsearch(&key, nodes, n, sizeof(*nodes), compare_ids);

    return found != NULL ? (size_t)(found - nodes) : NOBODY;
}

/* Link the nodes; the first at the margin. Backwards, so that each list comes
 * out in the order of the ids. */
static size_t link_all(struct node *nodes, size_t n)
{
    size_t root = NOBODY;

    for (size_t i = n; i-- > 0;) {
        size_t *list = &root;

        nodes[i].parent = find(nodes, n, nodes[i].task->parent);
        if (nodes[i].parent != NOBODY)
            list = &nodes[nodes[i].parent].child;
        nodes[i].next = *list;
        *list = i;
    }
    return root;
}

/* All tasks, as a tree; NULL: no memory. */
static struct node *tree_new(const struct cx__loop *loop, size_t *root)
{
    size_t n = count(loop);
    struct node *nodes = malloc((n + 1) * sizeof(*nodes));
    size_t i = 0;

    if (nodes == NULL)
        return NULL;
    for (const struct cx__list *link = loop->tasks.next; link != &loop->tasks;
         link = link->next)
        nodes[i++] = (struct node){CX__OWNER(link, cx_task, all), NOBODY,
                                   NOBODY, NOBODY};
    qsort(nodes, n, sizeof(*nodes), compare_ids);
    *root = link_all(nodes, n);
    return nodes;
}

static void write_state(const cx_task *task, FILE *out)
{
    static const char *const names[] = {[CX__READY] = "ready",
                                        [CX__RUNNING] = "running",
                                        [CX__WAITING] = "waiting for ",
                                        [CX__ENDED] = "ended, not awaited"};

    (void)fputs(names[task->state], out);
    if (task->state != CX__WAITING)
        return;
    (void)fputs(task->wait->kind->name, out);
    if (task->awaiting != NULL)
        (void)fprintf(out, " of %s #%llu", task->awaiting->name,
                      (unsigned long long)task->awaiting->id);
    (void)fprintf(out, ", %llu ms",
                  (unsigned long long)((task->loop->now - task->since) / MS));
}

static void write_task(const cx_task *task, size_t depth, FILE *out)
{
    size_t variables =
        task->context != NULL ? cx_context_len(task->context) : 0;
    char site[CX__SITE_BYTES];

    (void)fprintf(out, "%*s%s #%llu: ", (int)(depth * INDENT), "", task->name,
                  (unsigned long long)task->id);
    write_state(task, out);
    if (task->cancelled)
        (void)fputs(", cancelled", out);
    if (variables > 0)
        (void)fprintf(out, ", %zu variable%s", variables,
                      variables == 1 ? "" : "s");
    cx__site_name(task->site, site, sizeof(site));
    (void)fprintf(out, ", created at %s\n", site);
}

/* Parents before their children, without recursion. */
static void write_tree(const struct node *nodes, size_t root, FILE *out)
{
    size_t depth = 0;

    for (size_t at = root; at != NOBODY;) {
        write_task(nodes[at].task, depth, out);
        if (nodes[at].child != NOBODY) {
            at = nodes[at].child;
            depth++;
            continue;
        }
        while (nodes[at].next == NOBODY && depth > 0) {
            at = nodes[at].parent;
            depth--;
        }
        at = nodes[at].next;
    }
}

int cx_task_dump(FILE *out)
{
    const struct cx__loop *loop = cx__loop_here;
    struct node *nodes;
    size_t root;

    if (loop == NULL)
        return -EPERM;
    if (out == NULL)
        return -EINVAL;
    nodes = tree_new(loop, &root);
    if (nodes == NULL)
        return -ENOMEM;
    write_tree(nodes, root, out);
    free(nodes);
    return fflush(out) == 0 && !ferror(out) ? 0 : -EIO;
}

static size_t count_ready(const struct cx__loop *loop)
{
    size_t n = 0;

    for (const struct cx__fifo_link *link = loop->ready.head; link != NULL;
         link = link->next)
        n++;
    return n;
}

int cx_stats_get(cx_stats *stats)
{
    const struct cx__loop *loop = cx__loop_here;

    if (loop == NULL)
        return -EPERM;
    if (stats == NULL)
        return -EINVAL;
    *stats =
        (cx_stats){.tasks = loop->live,
                   .ready = count_ready(loop),
                   .sleepers = loop->sleepers.len,
                   .created = loop->created,
                   .switches = loop->switches + loop->granted - loop->budget,
                   .rounds = loop->rounds,
                   .stack_bytes = cx__stacks_bytes(&loop->stacks)};
    return 0;
}
