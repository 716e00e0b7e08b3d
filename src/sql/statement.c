/* SPDX-License-Identifier: MIT */
/*
 * Statements. Those of a connection are few: a program has so many models and
 * so many places with SQL in them. Beyond that, the one unused longest goes.
 * One that is long, and commonly another each time, is not kept at all.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "database.h"
#include "fnv.h"
#include "statement.h"

enum { MOST_KEPT = 64, KEPT_BYTES = 64 << 10 };

void cx__statements_init(struct cx__connection *connection)
{
    cx__list_init(&connection->statements);
}

static struct cx__statement **bucket_of(struct cx__connection *connection,
                                        const struct cx__shape *shape)
{
    uint64_t hash = ((uintptr_t)shape->owner >> 4) ^ shape->shape;

    hash *= UINT64_C(0x9e3779b97f4a7c15);
    return &connection->bucket[hash / (UINT64_MAX / CX__BUCKETS + 1)];
}

static bool is_same(const struct cx__shape *a, const struct cx__shape *b)
{
    return a->owner == b->owner && a->shape == b->shape &&
           a->text.len == b->text.len &&
           (a->text.len == 0 ||
            memcmp(a->text.data, b->text.data, a->text.len) == 0);
}

static const struct cx__engine *
engine_of(const struct cx__connection *connection)
{
    return connection->db->engine;
}

static bool is_free(const struct cx__statement *statement,
                    const struct cx__shape *shape)
{
    return !statement->busy && is_same(&statement->shape, shape);
}

/* One that is not the last one that was used. */
static struct cx__statement *find_older(struct cx__connection *connection,
                                        const struct cx__shape *shape)
{
    struct cx__statement *each = *bucket_of(connection, shape);

    while (each != NULL && !is_free(each, shape))
        each = each->next;
    if (each != NULL) {
        cx__list_remove(&each->used);
        cx__list_insert(connection->statements.next, &each->used);
    }
    return each;
}

struct cx__statement *cx__statement_find(struct cx__connection *connection,
                                         const struct cx__shape *shape)
{
    struct cx__statement *found =
        CX__OWNER(connection->statements.next, struct cx__statement, used);

    if (cx__list_is_empty(&connection->statements))
        return NULL;
    /* Most often it is the last one again. */
    if (!is_free(found, shape))
        found = find_older(connection, shape);
    if (found != NULL)
        found->busy = true;
    return found;
}

static void statement_free(struct cx__statement *statement)
{
    struct cx__connection *connection = statement->connection;
    struct cx__statement **at = bucket_of(connection, &statement->shape);
    char *text = (char *)(uintptr_t)statement->shape.text.data;

    while (*at != statement)
        at = &(*at)->next;
    *at = statement->next;
    cx__list_remove(&statement->used);
    connection->prepared--;
    free(statement->layout);
    engine_of(connection)->finalize(statement);
    free(text);
}

void cx__statements_fini(struct cx__connection *connection)
{
    while (!cx__list_is_empty(&connection->statements))
        statement_free(
            CX__OWNER(connection->statements.next, struct cx__statement, used));
}

/* Make room for one more: those unused longest go, but for what is in use. That
 * may be all of them, when statements are run within each other. */
static void trim(struct cx__connection *connection)
{
    struct cx__list *link = connection->statements.prev;

    while (connection->prepared >= MOST_KEPT &&
           link != &connection->statements) {
        struct cx__statement *each =
            CX__OWNER(link, struct cx__statement, used);

        link = link->prev;
        if (!each->busy)
            statement_free(each);
    }
}

/* The copy of a program's text; NULL with nothing to copy, or no memory. */
static char *text_copy(cx_text text)
{
    char *copy = text.data != NULL ? malloc(text.len + 1) : NULL;

    if (copy != NULL) {
        memcpy(copy, text.data, text.len);
        copy[text.len] = '\0';
    }
    return copy;
}

static void statement_keep(struct cx__connection *connection,
                           struct cx__statement *statement)
{
    struct cx__statement **bucket = bucket_of(connection, &statement->shape);

    statement->connection = connection;
    statement->busy = true;
    statement->next = *bucket;
    *bucket = statement;
    cx__list_insert(connection->statements.next, &statement->used);
    connection->prepared++;
}

int cx__statement_make(struct cx__connection *connection,
                       const struct cx__shape *shape, cx_text text,
                       enum cx__origin origin, struct cx__statement **statement)
{
    char *copy = text_copy(shape->text);
    int error;

    if (copy == NULL && shape->text.data != NULL)
        return -ENOMEM;
    trim(connection);
    error = engine_of(connection)->prepare(connection, text, origin, statement);
    if (error != 0) {
        free(copy);
        return error;
    }
    (*statement)->origin = origin;
    (*statement)->shape = *shape;
    (*statement)->shape.text.data = copy;
    statement_keep(connection, *statement);
    return 0;
}

void cx__statement_done(struct cx__statement *statement)
{
    if (statement == NULL || !cx__db_is_here(statement->connection->db))
        return;
    engine_of(statement->connection)->reset(statement);
    statement->unwanted = false;
    statement->busy = false;
    if (statement->spent || statement->shape.text.len > KEPT_BYTES)
        statement_free(statement);
}

int cx__statement_own(struct cx__connection *connection, const char *text,
                      struct cx__statement **statement)
{
    struct cx__shape shape = {.owner = text};

    *statement = cx__statement_find(connection, &shape);
    if (*statement != NULL)
        return 0;
    return cx__statement_make(connection, &shape, CX_TEXT(text), CX__OWN,
                              statement);
}

struct cx__shape cx__shape_of_text(cx_text text)
{
    return (struct cx__shape){.shape = cx__fnv1a(text), .text = text};
}
