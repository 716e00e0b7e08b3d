/* SPDX-License-Identifier: MIT */
/*
 * How a tenant's sessions learn that its tables were migrated, by whatever
 * process: each listens on a channel, and the migration's commit tells it.
 * What is told comes unasked and is seen when a connection is to be used again,
 * so that nothing is sent to ask.
 *
 *            DISCARD ALL             looks at the version
 *   listens -------------> deaf --------------------------> deaf, unsettled
 *      ^                                                          |
 *      +---- at the lease's end, if the version is still that one +
 *
 * Only who looks at the version begins to listen, which costs as much as a
 * statement: programs that have no models do not pay for it. It cannot be begun
 * within a transaction.
 *
 * Everybody may tell everybody something on PostgreSQL's channels. Those of
 * tenants are named after a part of the role's password, so that no other
 * tenant has this one's connections closed.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "pool.h"
#include "postgres.h"
#include "postgres_statement.h"

#define VERSION_FROM "SELECT coalesce(max(version), 0) FROM "
#define VERSION VERSION_FROM "cx_migrations"

enum { TEXT_BYTES = 160, NUMBER_BYTES = 32 };

static int version_in(const PGresult *result)
{
    return (int)strtol(PQgetvalue(result, 0, 0), NULL, 10);
}

int cx__pg_look(struct cx__connection *connection)
{
    PGresult *result;
    int error;

    if (cx__pg_of(connection)->listens)
        return 0;
    error = cx__pg_query(connection, VERSION, 0, NULL, &result);
    if (error != 0)
        return error;
    connection->version = version_in(result);
    connection->unsettled = true;
    PQclear(result);
    return 0;
}

int cx__pg_version_of(struct cx__connection *connection, int64_t id,
                      int *version)
{
    char text[TEXT_BYTES];
    PGresult *result;
    int error;

    (void)snprintf(text, sizeof(text), VERSION_FROM "t%lld.cx_migrations",
                   (long long)id);
    error = cx__pg_query(connection, text, 0, NULL, &result);
    if (error == 0) {
        *version = version_in(result);
        PQclear(result);
    }
    return error;
}

/* The version is read when the listening has begun, in another transaction:
 * no migration is in between. */
int cx__pg_listen(struct cx__pg_connection *connection)
{
    char text[TEXT_BYTES];
    PGresult *result;
    int error;

    (void)snprintf(text, sizeof(text),
                   "BEGIN; LISTEN \"cx_%s\"; COMMIT; " VERSION,
                   connection->channel);
    if (PQsendQuery(connection->wire->pg, text) != 1)
        return cx__pg_unsent(connection);
    error = cx__wire_finish(connection->wire, &result);
    if (error != 0)
        return error;
    connection->listens = version_in(result) == connection->base.version;
    PQclear(result);
    return connection->listens ? 0 : -ESTALE;
}

/* The template has no password, and nobody listens. */
int cx__pg_tell(struct cx__connection *connection)
{
    char number[NUMBER_BYTES];
    const char *const params[] = {number};

    (void)snprintf(number, sizeof(number), "%lld",
                   (long long)connection->pool->id);
    return cx__pg_query(connection,
                        "SELECT pg_notify('cx_' || left(secret, 16), '')"
                        " FROM ctxvar.cx_secrets WHERE id = $1",
                        1, params, NULL);
}
