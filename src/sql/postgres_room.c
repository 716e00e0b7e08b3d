/* SPDX-License-Identifier: MIT */
/*
 * Rooms in PostgreSQL: the schema and the role of each tenant, the list of
 * tenants, and what the boundary between them rests on.
 *
 * In what is sent to the server there are numbers of ours and no names: a
 * tenant's is a parameter of the registry's statements.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "pool.h"
#include "postgres.h"
#include "problem.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

enum { STATEMENT_BYTES = 4096, OLDEST_SERVER = 140000, SCHEMA_VERSION = 1 };

/* Whoever changes who may do what in the database: the server does not wait
 * for the other, but fails. */
#define LOCK_ROLES "LOCK TABLE ctxvar.cx_secrets IN SHARE ROW EXCLUSIVE MODE"

/*
 * What is locked while the rest is made, so that of several processes one does
 * it: a table, since an advisory lock could be any tenant's. Of two that make
 * it at the same time one is told that it is there.
 */
static const char *const ground[] = {
    "CREATE SCHEMA IF NOT EXISTS ctxvar",
    "REVOKE ALL ON SCHEMA ctxvar FROM PUBLIC",
    "CREATE TABLE IF NOT EXISTS ctxvar.cx_version (version integer NOT NULL)",
};

/*
 * The list of tenants. Names are unique among those that are there: a name may
 * be given again, a number is not.
 */
static const char *const foundation[] = {
    "BEGIN",
    "LOCK TABLE ctxvar.cx_version",
    "INSERT INTO ctxvar.cx_version"
    " SELECT 1 WHERE NOT EXISTS (SELECT FROM ctxvar.cx_version)",
    "CREATE TABLE IF NOT EXISTS ctxvar.cx_tenants ("
    " id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
    " name text COLLATE \"C\" NOT NULL, state integer NOT NULL)",
    "CREATE UNIQUE INDEX IF NOT EXISTS cx_tenants_name"
    " ON ctxvar.cx_tenants (name) WHERE state = 1",
    "CREATE TABLE IF NOT EXISTS ctxvar.cx_secrets ("
    " id bigint PRIMARY KEY, secret text NOT NULL)",
    LOCK_ROLES,
    "REVOKE ALL ON ALL TABLES IN SCHEMA ctxvar FROM PUBLIC",
    /* The template: what each tenant begins with. */
    "CREATE SCHEMA IF NOT EXISTS t0",
    "CREATE TABLE IF NOT EXISTS t0.cx_migrations (version bigint PRIMARY KEY,"
    " name text NOT NULL, checksum bigint NOT NULL, at bigint NOT NULL)",
    /* What everybody has, tenants have: temporary tables that shadow real
     * ones, and the schema that all share. */
    "DO $$ BEGIN"
    " EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC',"
    " current_database()); END $$",
    "REVOKE ALL ON SCHEMA public FROM PUBLIC",
    "COMMIT",
};

/* Is there a list of tenants? Is there a table or the like, but for what the
 * system and extensions have? */
static const char check_contents[] =
    "SELECT to_regclass('ctxvar.cx_version') IS NOT NULL,"
    " EXISTS (SELECT FROM pg_class c JOIN pg_namespace n"
    " ON n.oid = c.relnamespace WHERE n.nspname !~ '^pg_'"
    " AND n.nspname NOT IN ('information_schema', 'ctxvar')"
    " AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid"
    " AND d.deptype = 'e'))";

/* Does everybody still have something? Is it a server, and not a pooler that
 * gives each transaction to whichever session is free? */
static const char check_database[] =
    "SELECT has_database_privilege('public', current_database(), 'TEMP')"
    " OR has_database_privilege('public', current_database(), 'CONNECT')"
    " OR EXISTS (SELECT FROM pg_namespace n, aclexplode(n.nspacl) a"
    " WHERE a.grantee = 0 AND (n.nspname = 'public' OR n.nspname = 'ctxvar'"
    " OR n.nspname ~ '^t[0-9]+$')),"
    " pg_backend_pid(), (SELECT max(version) FROM ctxvar.cx_version),"
    " (SELECT oid FROM pg_database WHERE datname = current_database())";

static const char check_tenant[] =
    "SELECT rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb"
    " OR rolreplication,"
    " EXISTS (SELECT FROM pg_auth_members WHERE member = r.oid),"
    " current_user <> session_user"
    " OR has_database_privilege(current_database(), 'TEMP')"
    " OR has_database_privilege(current_database(), 'CREATE')"
    " OR has_schema_privilege(current_schema(), 'CREATE'),"
    " (SELECT coalesce(max(version), 0) FROM cx_migrations)"
    " FROM pg_roles r WHERE rolname = current_user";

static bool is_true(const PGresult *result, int column)
{
    return PQntuples(result) == 1 && PQgetvalue(result, 0, column)[0] == 't';
}

static long long number(const PGresult *result, int column)
{
    return strtoll(PQgetvalue(result, 0, column), NULL, 10);
}

static int run_all(struct cx__pq *pq, const char *const statements[], size_t n)
{
    int error = 0;

    for (size_t i = 0; i < n && error == 0; i++)
        error = cx__pq_run(pq, statements[i]);
    return error;
}

static int check_foundation(cx_db *db, struct cx__pq *pq,
                            const PGresult *result)
{
    if (is_true(result, 0))
        return cx__problem(
            -EACCES, "everybody may still CONNECT to the database, make"
                     " temporary tables in it, or use a schema of its: that"
                     " could not be taken away");
    if (number(result, 1) != PQbackendPID(pq->pg))
        return cx__problem(-EPROTONOSUPPORT,
                           "a pooler stands between: sessions are not one's"
                           " own");
    if (number(result, 2) > SCHEMA_VERSION)
        return cx__problem(-EPROTONOSUPPORT,
                           "the database is a later version's");
    cx__pg_db_of(db)->oid = (unsigned)number(result, 3);
    return 0;
}

/* An error is one only if what is to be locked is not there then. */
static int lay_ground(struct cx__pq *pq)
{
    int error = run_all(pq, ground, LENGTH(ground));

    if (error != 0 && cx__pq_run(pq, "TABLE ctxvar.cx_version") == 0)
        error = 0;
    return error;
}

/* Is there a database of ours, or place for one? What everybody may do in it
 * is going to be taken away. */
static int check_place(const cx_db *db, struct cx__pq *pq)
{
    PGresult *result;
    bool is_ours, is_used;
    int error = cx__pq_query(pq, check_contents, 0, NULL, &result);

    if (error != 0)
        return error;
    is_ours = is_true(result, 0);
    is_used = is_true(result, 1);
    PQclear(result);
    if (!is_ours && db->existing)
        return cx__problem(-ENOENT, "tenants were never kept here");
    if (!is_ours && is_used)
        return cx__problem(-ENOTEMPTY,
                           "the database is used for something else");
    return 0;
}

static int found(cx_db *db, struct cx__pq *pq)
{
    PGresult *result;
    int error;

    if (PQserverVersion(pq->pg) < OLDEST_SERVER)
        return cx__problem(-EPROTONOSUPPORT,
                           "a server older than PostgreSQL 14");
    error = check_place(db, pq);
    if (error == 0)
        error = lay_ground(pq);
    if (error == 0)
        error = run_all(pq, foundation, LENGTH(foundation));
    if (error != 0)
        return error;
    error = cx__pq_query(pq, check_database, 0, NULL, &result);
    if (error != 0)
        return error;
    error = check_foundation(db, pq, result);
    PQclear(result);
    return error;
}

int cx__pg_found(cx_db *db)
{
    struct cx__pq *pq;
    int error = cx__pg_admin(db, "ctxvar", &pq);

    if (error == 0) {
        error = found(db, pq);
        cx__pq_abandon(pq);
    }
    return error;
}

int cx__pg_check_tenant(struct cx__pq *pq, int *version)
{
    PGresult *result;
    int error = cx__pq_query(pq, check_tenant, 0, NULL, &result);

    if (error != 0)
        return error;
    if (PQntuples(result) != 1 || is_true(result, 0) || is_true(result, 1) ||
        is_true(result, 2))
        error = cx__problem(-EACCES, "the tenant's role may do more than it"
                                     " must, or is a member of another");
    else
        *version = (int)number(result, 3);
    PQclear(result);
    return error;
}

/* A password that nobody has to know. */
static int make_secret(char secret[CX__PG_SECRET_BYTES])
{
    unsigned char random[(CX__PG_SECRET_BYTES - 1) / 2];

    if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
        return -EIO;
    for (size_t i = 0; i < sizeof(random); i++)
        (void)snprintf(secret + 2 * i, 3, "%02x", random[i]);
    return 0;
}

/* Keep it for the next who log in. */
static int keep_secret(struct cx__pq *pq, int64_t id, const char *secret)
{
    char number[32];
    const char *const params[] = {number, secret};

    (void)snprintf(number, sizeof(number), "%lld", (long long)id);
    return cx__pq_query(pq,
                        "INSERT INTO ctxvar.cx_secrets VALUES ($1, $2)"
                        " ON CONFLICT (id) DO UPDATE SET secret = $2",
                        2, params, NULL);
}

int cx__pg_secret(const cx_db *db, int64_t id, char secret[CX__PG_SECRET_BYTES])
{
    char number[32];
    const char *const params[] = {number};
    struct cx__connection *registry;
    PGresult *result = NULL;
    int error = cx__pool_lease(db->registry, &registry);

    if (error != 0)
        return error;
    (void)snprintf(number, sizeof(number), "%lld", (long long)id);
    error = cx__pg_query(registry,
                         "SELECT secret FROM ctxvar.cx_secrets WHERE id = $1",
                         1, params, &result);
    if (error == 0 && PQntuples(result) == 1)
        (void)snprintf(secret, CX__PG_SECRET_BYTES, "%s",
                       PQgetvalue(result, 0, 0));
    else if (error == 0)
        error = cx__problem(-ESTALE, "the tenant was dropped");
    PQclear(result);
    cx__pool_return(registry);
    return error;
}

/* A statement with a role's name and a tenant's number in it. */
__attribute__((format(printf, 2, 3))) static int
run_format(struct cx__pq *pq, const char *format, ...)
{
    char text[STATEMENT_BYTES];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    return cx__pq_run(pq, text);
}

/* The remains of a room, in a transaction. */
static int clear_room(struct cx__pq *pq, const char *role, long long id)
{
    int error = run_format(pq, "DROP SCHEMA IF EXISTS t%lld CASCADE", id);

    if (error == 0)
        error = run_format(pq,
                           "DO $$ BEGIN IF EXISTS (SELECT FROM pg_roles WHERE"
                           " rolname = '%s') THEN DROP OWNED BY %s;"
                           " DROP ROLE %s; END IF; END $$",
                           role, role, role);
    return error;
}

static int make_role(struct cx__pq *pq, const char *role, const char *secret)
{
    char *verifier =
        PQencryptPasswordConn(pq->pg, secret, role, "scram-sha-256");
    int error;

    if (verifier == NULL)
        return -ENOMEM;
    error = run_format(pq,
                       "CREATE ROLE %s LOGIN NOINHERIT NOSUPERUSER NOBYPASSRLS"
                       " NOCREATEDB NOCREATEROLE NOREPLICATION PASSWORD '%s'",
                       role, verifier);
    PQfreemem(verifier);
    if (error == 0)
        error = run_format(pq,
                           "DO $$ BEGIN EXECUTE format('GRANT CONNECT ON"
                           " DATABASE %%I TO %s', current_database()); END $$",
                           role);
    return error;
}

/* The schema, whose tables to come the role may read and write. */
static int make_schema(struct cx__pq *pq, const char *role, long long id)
{
    int error = run_format(pq, "CREATE SCHEMA t%lld", id);

    if (error == 0)
        error = run_format(pq, "GRANT USAGE ON SCHEMA t%lld TO %s", id, role);
    if (error == 0)
        error = run_format(pq,
                           "ALTER DEFAULT PRIVILEGES IN SCHEMA t%lld GRANT"
                           " SELECT, INSERT, UPDATE, DELETE ON TABLES TO %s",
                           id, role);
    if (error == 0)
        error = run_format(pq,
                           "ALTER DEFAULT PRIVILEGES IN SCHEMA t%lld GRANT"
                           " USAGE ON SEQUENCES TO %s",
                           id, role);
    return error;
}

static int begin(struct cx__pq *pq)
{
    int error = cx__pq_run(pq, "BEGIN");

    return error == 0 ? cx__pq_run(pq, LOCK_ROLES) : error;
}

static int make_room(struct cx__pq *pq, const char *role, int64_t id)
{
    char secret[CX__PG_SECRET_BYTES];
    int error = make_secret(secret);

    if (error == 0)
        error = begin(pq);
    if (error == 0)
        error = clear_room(pq, role, id);
    if (error == 0)
        error = make_role(pq, role, secret);
    if (error == 0)
        error = make_schema(pq, role, id);
    if (error == 0)
        error = cx__pg_copy_template(pq, role, id);
    if (error == 0)
        error = keep_secret(pq, id, secret);
    return error == 0 ? cx__pq_run(pq, "COMMIT") : error;
}

static int unmake_room(struct cx__pq *pq, const char *role, int64_t id)
{
    int error = begin(pq);

    if (error == 0)
        error = clear_room(pq, role, id);
    if (error == 0)
        error = run_format(pq, "DELETE FROM ctxvar.cx_secrets WHERE id = %lld",
                           (long long)id);
    return error == 0 ? cx__pq_run(pq, "COMMIT") : error;
}

/* As the URL's role, on a connection for this alone: if it fails in between,
 * the server rolls back. */
static int with_admin(cx_db *db, int64_t id,
                      int (*fn)(struct cx__pq *pq, const char *role,
                                int64_t id))
{
    char role[CX__PG_ROLE_BYTES];
    struct cx__pq *pq;
    int error = cx__pg_admin(db, "ctxvar", &pq);

    if (error != 0)
        return error;
    cx__pg_role(db, id, role);
    error = fn(pq, role, id);
    cx__pq_abandon(pq);
    return error;
}

int cx__pg_provision(cx_db *db, int64_t id)
{
    return with_admin(db, id, make_room);
}

int cx__pg_remove(cx_db *db, int64_t id)
{
    return with_admin(db, id, unmake_room);
}
