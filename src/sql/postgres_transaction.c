/* SPDX-License-Identifier: MIT */
/* Transactions in PostgreSQL, and the scripts that migrations run in them. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "pool.h"
#include "postgres_statement.h"
#include "problem.h"

enum { CONTROL_BYTES = 32 };

const char *cx__pg_script_of(const cx_migration *migration)
{
    return migration->postgres;
}

/* Why a script failed, where that is of migrations. */
static int script_error(const PGresult *result, const char *script)
{
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);

    if (state != NULL &&
        (strcmp(state, "0A000") == 0 || strcmp(state, "2D000") == 0))
        return cx__problem(-EACCES, "not supported in a migration, as what"
                                    " begins or ends a transaction, COPY and"
                                    " SELECT INTO");
    if (state != NULL && strcmp(state, "25001") == 0)
        return cx__problem(-EACCES,
                           "a statement that cannot be in a transaction, as"
                           " CREATE INDEX CONCURRENTLY and VACUUM");
    return cx__wire_script_error(result, script);
}

/* Run what the session's setting says, a script, and forget what that has
 * set. */
static int run_setting(struct cx__pg_connection *connection, const char *script)
{
    PGresult *result = NULL;
    int failed = 0;
    int error;

    if (PQsendQuery(connection->wire->pg,
                    "DO $do$ BEGIN EXECUTE current_setting('ctxvar.script');"
                    " RESET ALL; END $do$") != 1)
        return cx__pg_unsent(connection);
    error = cx__wire_flush(connection->wire);
    if (error == 0)
        error = cx__wire_next(connection->wire, &result);
    if (error == 0) {
        failed = script_error(result, script);
        PQclear(result);
        error = cx__wire_finish(connection->wire, NULL);
    }
    return failed != 0 ? failed : error;
}

/* The tenant may use the tables that a script has made. */
static int give_new(struct cx__pg_connection *connection)
{
    int64_t id = connection->base.pool->id;
    char role[CX__PG_ROLE_BYTES];

    cx__pg_role(connection->base.db, id, role);
    return cx__pg_broken(connection,
                         cx__pg_give_tables(connection->wire, role, id));
}

/* A script may have several statements, but not end the transaction: within
 * EXECUTE the server refuses to. */
int cx__pg_run_script(struct cx__connection *base, const char *script)
{
    struct cx__pg_connection *connection = cx__pg_of(base);
    const char *const params[] = {script};
    int error = cx__pg_query(
        base, "SELECT set_config('ctxvar.script', $1, true)", 1, params, NULL);

    if (error == 0)
        error = cx__pg_broken(connection, run_setting(connection, script));
    if (error == 0)
        error = cx__pg_check_copyable(base);
    if (error == 0 && base->pool->id != CX__TEMPLATE)
        error = give_new(connection);
    return error == 0 ? cx__pg_tell(base) : error;
}

/* A statement that moves the transaction from one depth to another. In between
 * it is in doubt: whoever is cancelled then leaves a connection of no use. */
static int control(struct cx__connection *base, unsigned depth,
                   const char *format, unsigned to)
{
    struct cx__pg_connection *connection = cx__pg_of(base);
    char text[CONTROL_BYTES];
    int error = cx__pg_make_way(connection);

    if (error != 0)
        return error;
    (void)snprintf(text, sizeof(text), format, depth);
    base->broken = true;
    error = cx__wire_run(connection->wire, text);
    if (PQstatus(connection->wire->pg) == CONNECTION_OK &&
        PQtransactionStatus(connection->wire->pg) != PQTRANS_ACTIVE)
        base->broken = false;
    if (error == 0)
        connection->inside = to;
    return error;
}

int cx__pg_begin(struct cx__connection *connection, unsigned depth)
{
    return control(connection, depth, depth == 0 ? "BEGIN" : "SAVEPOINT cx%u",
                   depth + 1);
}

int cx__pg_lock(struct cx__connection *connection)
{
    static const char tenants[] =
        "LOCK TABLE ctxvar.cx_tenants IN SHARE ROW EXCLUSIVE MODE";
    static const char tables[] =
        "LOCK TABLE cx_migrations IN SHARE ROW EXCLUSIVE MODE";

    return cx__pg_query(
        connection, connection->pool->room == CX__REGISTRY ? tenants : tables,
        0, NULL, NULL);
}

/* A transaction that has failed is not committed by a COMMIT, which says so
 * only by its name. */
int cx__pg_commit(struct cx__connection *base, unsigned depth)
{
    struct cx__pg_connection *connection = cx__pg_of(base);
    int error;

    if (PQtransactionStatus(connection->wire->pg) == PQTRANS_INERROR)
        return cx__problem(-ECONNABORTED, "an earlier statement of the"
                                          " transaction failed");
    if (depth > 0)
        return control(base, depth, "RELEASE SAVEPOINT cx%u", depth);
    error = cx__pg_make_way(connection);
    if (error != 0)
        return error;
    error = cx__wire_commit(connection->wire);
    if (error == 0)
        connection->inside = 0;
    return cx__pg_broken(connection, error);
}

int cx__pg_rollback(struct cx__connection *connection, unsigned depth)
{
    int error = -ENOMEM;

    /* It is closed, and with it the transaction is gone. */
    if (connection->broken)
        return 0;
    CX__WIRE_GRACE {
        error = control(connection, depth,
                        depth == 0 ? "ROLLBACK" : "ROLLBACK TO SAVEPOINT cx%u",
                        depth);
    }
    if (error != 0)
        connection->broken = true;
    return error;
}
