/* SPDX-License-Identifier: MIT */
/*
 * A database in PostgreSQL, made and checked: the list of tenants, the
 * template, and what the boundary between tenants rests on.
 */
#include <errno.h>

#include "postgres.h"
#include "problem.h"
#include "registry.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

enum { OLDEST_SERVER = 150000, SCHEMA_VERSION = 1 };

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
 * The functions with which one statement can take all locks that the server
 * has, so that nobody logs in any more, or keep something in the database that
 * is in no schema. What one owner has made, lo_unlink() removes.
 */
static const char close_functions[] =
    "DO $$ DECLARE f regprocedure; BEGIN"
    " IF (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN"
    "  FOR f IN SELECT p.oid FROM pg_proc p,"
    "   aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a"
    "   WHERE p.pronamespace = 'pg_catalog'::regnamespace AND a.grantee = 0"
    "   AND p.proname ~ '^(pg_(try_)?advisory|lo_|loread|lowrite)'"
    "   AND p.proname <> 'lo_unlink' LOOP"
    "   EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', f);"
    "  END LOOP;"
    " END IF; END $$";

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
    " ON ctxvar.cx_tenants (name) WHERE state = " CX__LISTED,
    "CREATE TABLE IF NOT EXISTS ctxvar.cx_secrets ("
    " id bigint PRIMARY KEY, secret text NOT NULL)",
    "LOCK TABLE ctxvar.cx_secrets IN SHARE ROW EXCLUSIVE MODE",
    "REVOKE ALL ON ALL TABLES IN SCHEMA ctxvar FROM PUBLIC",
    /* The template: what each tenant begins with. */
    "CREATE SCHEMA IF NOT EXISTS t0",
    "CREATE TABLE IF NOT EXISTS t0.cx_migrations (version bigint PRIMARY KEY,"
    " name text NOT NULL, checksum bigint NOT NULL, at bigint NOT NULL)",
    /* What everybody has, tenants have: temporary tables that shadow real
     * ones, and the schema that all share. It is taken away only where it is
     * there: a tenant can keep others from changing the database's row. */
    "DO $$ BEGIN"
    " IF has_database_privilege('public', current_database(),"
    "  'CREATE, CONNECT, TEMP') THEN"
    "  EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC',"
    "   current_database());"
    " END IF;"
    " IF EXISTS (SELECT FROM pg_namespace WHERE nspname = 'public'"
    "  AND has_schema_privilege('public', oid, 'CREATE, USAGE')) THEN"
    "  REVOKE ALL ON SCHEMA public FROM PUBLIC;"
    " END IF; END $$",
    close_functions,
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

static int run_all(struct cx__wire *wire, const char *const statements[],
                   size_t n)
{
    int error = 0;

    for (size_t i = 0; i < n && error == 0; i++)
        error = cx__wire_run(wire, statements[i]);
    return error;
}

static int check_foundation(cx_db *db, struct cx__wire *wire,
                            const PGresult *result)
{
    if (cx__pg_is_true(result, 0))
        return cx__problem(
            -EACCES, "everybody may still CONNECT to the database, make"
                     " temporary tables in it, or use a schema of its: that"
                     " could not be taken away");
    if (cx__pg_number(result, 1) != PQbackendPID(wire->pg))
        return cx__problem(-EPROTONOSUPPORT,
                           "a pooler stands between: sessions are not one's"
                           " own");
    if (cx__pg_number(result, 2) > SCHEMA_VERSION)
        return cx__problem(-EPROTONOSUPPORT,
                           "the database is a later version's");
    cx__pg_db_of(db)->oid = (unsigned)cx__pg_number(result, 3);
    return 0;
}

/* Who was told that it is there finds it. */
static int lay_ground(struct cx__wire *wire)
{
    return run_all(wire, ground, LENGTH(ground)) == 0
               ? 0
               : run_all(wire, ground, LENGTH(ground));
}

/* Is there a database of ours, or place for one? What everybody may do in it
 * is going to be taken away. */
static int check_place(const cx_db *db, struct cx__wire *wire)
{
    PGresult *result;
    bool is_ours, is_used;
    int error = cx__wire_query(wire, check_contents, 0, NULL, &result);

    if (error != 0)
        return error;
    is_ours = cx__pg_is_true(result, 0);
    is_used = cx__pg_is_true(result, 1);
    PQclear(result);
    if (!is_ours && db->existing)
        return cx__problem(-ENOENT, "tenants were never kept here");
    if (!is_ours && is_used)
        return cx__problem(-ENOTEMPTY,
                           "the database is used for something else");
    return 0;
}

static int found(cx_db *db, struct cx__wire *wire)
{
    PGresult *result;
    int error;

    if (PQserverVersion(wire->pg) < OLDEST_SERVER)
        return cx__problem(-EPROTONOSUPPORT,
                           "a server older than PostgreSQL 15");
    error = check_place(db, wire);
    if (error == 0)
        error = lay_ground(wire);
    if (error == 0)
        error = run_all(wire, foundation, LENGTH(foundation));
    if (error == -EACCES)
        return cx__problem(-EACCES, "the URL's role may not make what is needed"
                                    " here: it is to own the database, and to"
                                    " have CREATEROLE");
    if (error != 0)
        return error;
    error = cx__wire_query(wire, check_database, 0, NULL, &result);
    if (error != 0)
        return error;
    error = check_foundation(db, wire, result);
    PQclear(result);
    cx__pg_db_of(db)->is_watchful =
        cx__wire_run(wire, "SET client_connection_check_interval = '1s'") == 0;
    return error;
}

int cx__pg_found(cx_db *db)
{
    struct cx__wire *wire;
    int error = cx__pg_admin(db, "ctxvar", &wire);

    if (error == 0) {
        error = found(db, wire);
        cx__wire_abandon(wire);
    }
    return error;
}
