/* SPDX-License-Identifier: MIT */
/*
 * Many runs of a statement at one round trip, libpq's pipeline mode. All are
 * sent before the first answer is waited for, a part of them at a time so that
 * what is on its way has a bound.
 *
 *     execute 0, execute 1, ... execute n-1, sync  ---->
 *     <----  answer 0, answer 1, ... answer n-1, synced
 *
 * From one that fails to the sync the server skips all.
 */
#include "postgres_statement.h"
#include "problem.h"

enum { PART_MOST = 256 };

/* What is sent together, and the first failure in it. */
struct part {
    struct cx__pg_statement *statement;
    const struct cx__batch *batch;
    size_t from;
    size_t until;
    int failed;
};

static struct cx__wire *wire_of(const struct part *part)
{
    return cx__pg_connection_of(part->statement)->wire;
}

/* Values that cannot be bound end the part, too: what was sent stays sent. */
static int part_send(struct part *part)
{
    int error = 0;
    size_t i;

    for (i = part->from; i < part->until && error == 0; i++) {
        cx__pg_unbind(part->statement);
        part->failed = part->batch->bind(part->batch->arg, i);
        if (part->failed != 0)
            break;
        error = cx__pg_put(part->statement);
    }
    part->until = i;
    if (error == 0 && PQpipelineSync(wire_of(part)->pg) != 1)
        error = cx__wire_lost();
    return error == 0 ? cx__wire_flush(wire_of(part)) : error;
}

/*
 * A run's results are followed by a NULL. The row is in the first: libpq may
 * have been left in its mode of single rows by an earlier statement, and then
 * gives an empty result after that.
 */
static int take_answer(struct part *part, size_t i)
{
    const struct cx__batch *batch = part->batch;
    bool is_first = true;
    PGresult *result = NULL;
    int error = cx__wire_next(wire_of(part), &result);

    for (; error == 0 && result != NULL; is_first = false) {
        part->statement->row = result;
        if (part->failed == 0)
            part->failed = cx__wire_error(result);
        part->statement->base.spent |= cx__wire_is_outdated(result);
        if (part->failed == 0 && is_first)
            part->failed = batch->take(batch->arg, i, PQntuples(result) > 0);
        cx__pg_drop_row(part->statement);
        error = cx__wire_next(wire_of(part), &result);
    }
    return error;
}

static int take_sync(struct part *part)
{
    PGresult *result = NULL;
    int error = cx__wire_next(wire_of(part), &result);
    bool synced = error == 0 && PQresultStatus(result) == PGRES_PIPELINE_SYNC;

    PQclear(result);
    return error != 0 || synced ? error : cx__wire_lost();
}

/* 0, or that the connection is of no use any more. */
static int part_run(struct part *part)
{
    int error = part_send(part);

    for (size_t i = part->from; i < part->until && error == 0; i++)
        error = take_answer(part, i);
    return error == 0 ? take_sync(part) : error;
}

static int run_parts(struct part *part)
{
    size_t n = part->batch->n;
    int error = 0;

    while (part->until < n && part->failed == 0 && error == 0) {
        part->from = part->until;
        part->until = n - part->from > PART_MOST ? part->from + PART_MOST : n;
        error = part_run(part);
    }
    return error;
}

int cx__pg_run_batch(struct cx__statement *base, const struct cx__batch *batch)
{
    struct part part = {.statement = cx__pg_statement_of(base), .batch = batch};
    struct cx__pg_connection *connection = cx__pg_of(base->connection);
    int error = cx__pg_make_ready(part.statement);

    if (error != 0)
        return error;
    if (PQenterPipelineMode(connection->wire->pg) != 1)
        return cx__pg_broken(connection, cx__wire_lost());
    error = run_parts(&part);
    if (error == 0 && PQexitPipelineMode(connection->wire->pg) != 1)
        error = cx__wire_lost();
    if (error != 0) {
        cx__pg_give_up(connection);
        return error;
    }
    return part.failed;
}
