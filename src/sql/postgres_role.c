/* SPDX-License-Identifier: MIT */
/*
 * Tenants' roles in PostgreSQL: made, looked at whenever one logs in, put
 * right, and dropped.
 *
 * The server lets any role change its own password and its settings, with
 * which it shuts itself out or lets others in. That cannot be forbidden, so it
 * is undone: a role whose password the server does not take, or that has
 * settings, is given a new password and loses its settings and all its
 * sessions. What an administrator has done to keep it out stays.
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

/* ROLE_SESSIONS: of a tenant, in all processes. What a statement leaves running
 * that catches its cancel is one of them, and takes no other tenant's. */
enum { STATEMENT_BYTES = 4096, ROLE_SESSIONS = 64, NUMBER_BYTES = 32 };

#define IF_ROLE                                                                \
    "DO $$ BEGIN IF EXISTS (SELECT FROM pg_roles WHERE rolname = '%s') THEN "
#define END_IF "; END IF; END $$"

/* Has role r settings of its own making, for database d? What an administrator
 * alone may set is not. */
#define HAS_SETTINGS                                                           \
    "EXISTS (SELECT FROM pg_db_role_setting s, unnest(s.setconfig) AS c"       \
    " JOIN pg_settings p"                                                      \
    " ON p.name = split_part(c, '=', 1) AND p.context = 'user'"                \
    " WHERE s.setrole = r.oid AND s.setdatabase IN (0, d.oid))"

/*
 * May it do more than it must? Is it a member of something? Has it rights
 * outside of its schema? Does it own anything, or stand in the list of rights
 * of another room? Everybody can make large objects and default rights of their
 * own, which nobody else sees.
 */
static const char check_tenant[] =
    "SELECT rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb"
    " OR rolreplication"
    " OR EXISTS (SELECT FROM pg_auth_members WHERE member = r.oid)"
    " OR current_user <> session_user"
    " OR has_database_privilege(d.oid, 'CREATE, TEMP')"
    " OR has_schema_privilege(current_schema(), 'CREATE')"
    " OR EXISTS (SELECT FROM pg_shdepend h"
    "  LEFT JOIN pg_class c"
    "  ON h.classid = 'pg_class'::regclass AND c.oid = h.objid"
    "  LEFT JOIN pg_namespace n ON n.oid = CASE h.classid"
    "   WHEN 'pg_class'::regclass THEN c.relnamespace"
    "   WHEN 'pg_namespace'::regclass THEN h.objid END"
    "  WHERE h.refclassid = 'pg_authid'::regclass AND h.refobjid = r.oid"
    "  AND h.dbid IN (0, d.oid) AND (h.deptype = 'o' AND h.classid NOT IN"
    "   ('pg_largeobject'::regclass, 'pg_default_acl'::regclass)"
    "  OR h.deptype = 'a' AND n.nspname ~ '^(ctxvar|t[0-9]+)$'"
    "   AND n.nspname <> current_schema())),"
    " " HAS_SETTINGS " FROM pg_roles r, pg_database d"
    " WHERE r.rolname = current_user AND d.datname = current_database()";

bool cx__pg_is_true(const PGresult *result, int column)
{
    return PQntuples(result) == 1 && PQgetvalue(result, 0, column)[0] == 't';
}

long long cx__pg_number(const PGresult *result, int column)
{
    return strtoll(PQgetvalue(result, 0, column), NULL, 10);
}

int cx__pg_run_format(struct cx__wire *wire, const char *format, ...)
{
    char text[STATEMENT_BYTES];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    return cx__wire_run(wire, text);
}

int cx__pg_lock_roles(struct cx__wire *wire)
{
    int error = cx__wire_run(wire, "BEGIN");

    return error == 0
               ? cx__wire_run(wire, "LOCK TABLE ctxvar.cx_secrets IN SHARE ROW"
                                    " EXCLUSIVE MODE")
               : error;
}

int cx__pg_check_tenant(struct cx__wire *wire)
{
    PGresult *result;
    int error = cx__wire_query(wire, check_tenant, 0, NULL, &result);

    if (error != 0)
        return error;
    if (PQntuples(result) != 1 || cx__pg_is_true(result, 0)) {
        error = cx__problem(-EACCES, "the tenant's role may do more than it"
                                     " must, or is a member of another");
    } else if (cx__pg_is_true(result, 1)) {
        (void)cx__problem(-EACCES, "the tenant's role has settings of its own");
        error = CX__PG_SPOILT;
    }
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

/* Give it to a role, and keep it for the next who log in. */
static int set_secret(struct cx__wire *wire, const char *role, int64_t id,
                      const char *secret)
{
    char number[NUMBER_BYTES];
    const char *const params[] = {number, secret};
    char *verifier =
        PQencryptPasswordConn(wire->pg, secret, role, "scram-sha-256");
    int error;

    if (verifier == NULL)
        return -ENOMEM;
    error =
        cx__pg_run_format(wire, "ALTER ROLE %s PASSWORD '%s'", role, verifier);
    PQfreemem(verifier);
    if (error != 0)
        return error;
    (void)snprintf(number, sizeof(number), "%lld", (long long)id);
    return cx__wire_query(wire,
                          "INSERT INTO ctxvar.cx_secrets VALUES ($1, $2)"
                          " ON CONFLICT (id) DO UPDATE SET secret = $2",
                          2, params, NULL);
}

/* The one that is kept for a tenant that is not dropped. */
static const char find_secret[] =
    "SELECT secret FROM ctxvar.cx_secrets JOIN ctxvar.cx_tenants USING (id)"
    " WHERE id = $1 AND state = 1";

static int read_secret(const PGresult *result, char secret[CX__PG_SECRET_BYTES])
{
    if (PQntuples(result) != 1)
        return cx__problem(-ESTALE, "the tenant was dropped");
    (void)snprintf(secret, CX__PG_SECRET_BYTES, "%s", PQgetvalue(result, 0, 0));
    return 0;
}

int cx__pg_secret(const cx_db *db, int64_t id, char secret[CX__PG_SECRET_BYTES])
{
    char number[NUMBER_BYTES];
    const char *const params[] = {number};
    struct cx__connection *registry;
    PGresult *result = NULL;
    int error = cx__pool_lease(db->registry, &registry);

    if (error != 0)
        return error;
    (void)snprintf(number, sizeof(number), "%lld", (long long)id);
    error = cx__pg_query(registry, find_secret, 1, params, &result);
    if (error == 0)
        error = read_secret(result, secret);
    PQclear(result);
    cx__pool_return(registry);
    return error;
}

int cx__pg_make_role(struct cx__wire *wire, const char *role, int64_t id,
                     char secret[CX__PG_SECRET_BYTES])
{
    int error = make_secret(secret);

    if (error == 0)
        error = cx__pg_run_format(
            wire,
            "CREATE ROLE %s LOGIN NOINHERIT NOSUPERUSER NOBYPASSRLS NOCREATEDB"
            " NOCREATEROLE NOREPLICATION CONNECTION LIMIT %d",
            role, ROLE_SESSIONS);
    if (error == 0)
        error = set_secret(wire, role, id, secret);
    if (error == 0)
        error = cx__pg_run_format(
            wire,
            "DO $$ BEGIN EXECUTE format('GRANT CONNECT ON DATABASE %%I TO %s',"
            " current_database()); END $$",
            role);
    return error;
}

/* The URL's role becomes a member of a tenant's, or it could neither end its
 * sessions nor drop what it has. */
static int join_role(struct cx__wire *wire, const char *role)
{
    return cx__pg_run_format(
        wire, IF_ROLE "GRANT %s TO CURRENT_USER%s" END_IF, role, role,
        PQserverVersion(wire->pg) >= 160000 ? " WITH INHERIT TRUE" : "");
}

/* End all its sessions, and wait until they have. */
static int end_sessions(struct cx__wire *wire, const char *role)
{
    return cx__pg_run_format(
        wire,
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
        " WHERE usename = '%s'",
        role);
}

/* Remove its large objects, so many at a time: each is a lock until the end of
 * the transaction. */
static int unlink_objects(struct cx__wire *wire, const char *role)
{
    return cx__pg_run_format(
        wire,
        "DO $$ DECLARE n bigint := 1; BEGIN WHILE n > 0 LOOP"
        " SELECT count(lo_unlink(oid)) INTO n FROM (SELECT m.oid"
        "  FROM pg_largeobject_metadata m JOIN pg_roles r ON r.oid = m.lomowner"
        "  WHERE r.rolname = '%s' LIMIT 1000) AS its;"
        " COMMIT; END LOOP; END $$",
        role);
}

/* An open transaction of its own keeps a role from being changed. */
static int free_role(struct cx__wire *wire, const char *role)
{
    int error = join_role(wire, role);

    return error == 0 ? end_sessions(wire, role) : error;
}

/* Sessions that have begun meanwhile are ended after it. */
int cx__pg_shut_role(struct cx__wire *wire, const char *role)
{
    int error = free_role(wire, role);

    if (error == 0)
        error = cx__pg_run_format(wire, IF_ROLE "ALTER ROLE %s NOLOGIN" END_IF,
                                  role, role);
    if (error == 0)
        error = end_sessions(wire, role);
    return error == 0 ? unlink_objects(wire, role) : error;
}

int cx__pg_drop_role(struct cx__wire *wire, const char *role, int64_t id)
{
    int error = join_role(wire, role);

    if (error == 0)
        error = cx__pg_run_format(
            wire, IF_ROLE "DROP OWNED BY %s; DROP ROLE %s" END_IF, role, role,
            role);
    if (error == -EINVAL)
        error = cx__problem(-EBUSY, "the tenant's role has something in another"
                                    " database, which may be a copy of this");
    if (error == 0)
        error = cx__pg_run_format(
            wire, "DELETE FROM ctxvar.cx_secrets WHERE id = %lld",
            (long long)id);
    return error;
}

/* The secret that is kept for a tenant, on an administrator's connection. */
static int look_up_secret(struct cx__wire *wire, int64_t id,
                          char secret[CX__PG_SECRET_BYTES])
{
    char number[NUMBER_BYTES];
    const char *const params[] = {number};
    PGresult *result = NULL;
    int error;

    (void)snprintf(number, sizeof(number), "%lld", (long long)id);
    error = cx__wire_query(wire, find_secret, 1, params, &result);
    if (error == 0)
        error = read_secret(result, secret);
    PQclear(result);
    return error;
}

/* What is found of a role with which a login has failed. */
enum { AS_MADE, HAS_SETTINGS_OF_ITS_OWN, NOT_THERE };

static int judge(const PGresult *result)
{
    if (PQntuples(result) != 1)
        return NOT_THERE;
    /* It cannot have done that to itself. */
    if (!cx__pg_is_true(result, 0))
        return cx__problem(-EACCES, "the tenant's role may not log in: it has"
                                    " NOLOGIN, or VALID UNTIL is over");
    return cx__pg_is_true(result, 1) ? HAS_SETTINGS_OF_ITS_OWN : AS_MADE;
}

/* One of those, or the error. */
static int examine(struct cx__wire *wire, const char *role)
{
    const char *const params[] = {role};
    PGresult *result;
    int found = cx__wire_query(
        wire,
        "SELECT rolcanlogin AND coalesce(rolvaliduntil > now(), true)"
        ", " HAS_SETTINGS " FROM pg_roles r, pg_database d"
        " WHERE r.rolname = $1 AND d.datname = current_database()",
        1, params, &result);

    if (found != 0)
        return found;
    found = judge(result);
    PQclear(result);
    return found;
}

/* Its sessions are ended first, as when it is dropped: the list of roles, which
 * others wait for, is locked. */
static int remake_role(struct cx__wire *wire, const char *role, int64_t id,
                       char secret[CX__PG_SECRET_BYTES])
{
    int error = make_secret(secret);

    if (error == 0)
        error = free_role(wire, role);
    if (error == 0)
        error = cx__pg_run_format(wire, "ALTER ROLE %s RESET ALL", role);
    if (error == 0)
        error = cx__pg_run_format(
            wire,
            "DO $$ BEGIN EXECUTE format('ALTER ROLE %s IN DATABASE %%I"
            " RESET ALL', current_database()); END $$",
            role);
    return error == 0 ? set_secret(wire, role, id, secret) : error;
}

static int make_again(struct cx__wire *wire, const char *role, int64_t id,
                      char secret[CX__PG_SECRET_BYTES])
{
    int error = cx__pg_make_role(wire, role, id, secret);

    return error == 0 ? cx__pg_give_room(wire, role, id) : error;
}

/* 1: it was put right. Of several who find it spoilt, the first one does so:
 * the others see that its secret is not the one that they have tried. */
static int restore_role(struct cx__wire *wire, const char *role, int64_t id,
                        bool is_spoilt, char secret[CX__PG_SECRET_BYTES])
{
    char kept[CX__PG_SECRET_BYTES];
    int result = cx__pg_lock_roles(wire);

    if (result == 0)
        result = look_up_secret(wire, id, kept);
    if (result != 0)
        return result;
    if (strcmp(kept, secret) != 0) {
        memcpy(secret, kept, sizeof(kept));
        return 0;
    }
    result = examine(wire, role);
    if (result < 0 || (result == AS_MADE && !is_spoilt))
        return result;
    result = result == NOT_THERE ? make_again(wire, role, id, secret)
                                 : remake_role(wire, role, id, secret);
    if (result == 0)
        result = cx__wire_run(wire, "COMMIT");
    return result == 0 ? 1 : result;
}

int cx__pg_end_others(struct cx__wire *wire)
{
    return cx__wire_run(wire,
                        "SELECT pg_terminate_backend(pid)"
                        " FROM pg_stat_activity WHERE usename = current_user"
                        " AND pid <> pg_backend_pid()");
}

int cx__pg_restore_role(const cx_db *db, const char *role, int64_t id,
                        bool is_spoilt, char secret[CX__PG_SECRET_BYTES])
{
    struct cx__wire *wire;
    int error = cx__pg_admin(db, "ctxvar", &wire);

    if (error == 0) {
        error = restore_role(wire, role, id, is_spoilt, secret);
        cx__wire_abandon(wire);
    }
    return error;
}
