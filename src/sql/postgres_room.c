/* SPDX-License-Identifier: MIT */
/*
 * Rooms in PostgreSQL: the schema of each tenant, made and removed with its
 * role.
 *
 * In what is sent to the server there are numbers of ours and no names: a
 * tenant's is a parameter of the registry's statements.
 */
#include <errno.h>

#include "postgres.h"

enum { TRIES = 3 };

/* A role that is not there is given its rights when it is made again. */
int cx__pg_give_tables(struct cx__wire *wire, const char *role, int64_t id)
{
    return cx__pg_run_format(
        wire,
        "DO $$ DECLARE its record; BEGIN"
        " FOR its IN SELECT c.oid::regclass AS name, relname, relkind"
        "  FROM pg_class c, pg_roles r WHERE r.rolname = '%s'"
        "  AND c.relnamespace = 't%lld'::regnamespace AND relkind IN ('r', 'S')"
        "  AND NOT EXISTS"
        "   (SELECT FROM aclexplode(relacl) a WHERE a.grantee = r.oid) LOOP"
        "  EXECUTE format('GRANT %%s %%s TO %s',"
        "   CASE WHEN its.relkind = 'S' THEN 'USAGE ON SEQUENCE'"
        "   WHEN its.relname = 'cx_migrations' THEN 'SELECT ON'"
        "   ELSE 'SELECT, INSERT, UPDATE, DELETE ON' END, its.name);"
        " END LOOP; END $$",
        role, (long long)id, role);
}

/* A copy made on the same server has granted it to the roles of the database
 * that it is a copy of, which then could not be dropped. An administrator's
 * own stay. */
static int take_from_others(struct cx__wire *wire, long long id)
{
    return cx__pg_run_format(
        wire,
        "DO $$ DECLARE other regrole; its text; BEGIN"
        " FOR other IN SELECT r.oid FROM pg_namespace n,"
        "  aclexplode(n.nspacl) a JOIN pg_roles r ON r.oid = a.grantee"
        "  WHERE n.nspname = 't%lld' AND r.rolname ~ '^cx_[0-9]+_%lld$' LOOP"
        "  FOREACH its IN ARRAY ARRAY["
        "   format('DATABASE %%I', current_database()), 'SCHEMA t%lld',"
        "   'ALL TABLES IN SCHEMA t%lld', 'ALL SEQUENCES IN SCHEMA t%lld'] LOOP"
        "   EXECUTE format('REVOKE ALL ON %%s FROM %%s', its, other);"
        "  END LOOP;"
        " END LOOP; END $$",
        id, id, id, id, id);
}

static int give_schema(struct cx__wire *wire, const char *role, long long id)
{
    return cx__pg_run_format(wire, "GRANT USAGE ON SCHEMA t%lld TO %s", id,
                             role);
}

int cx__pg_give_room(struct cx__wire *wire, const char *role, int64_t id)
{
    int error = take_from_others(wire, id);

    if (error == 0)
        error = give_schema(wire, role, id);
    return error == 0 ? cx__pg_give_tables(wire, role, id) : error;
}

static int make_schema(struct cx__wire *wire, const char *role, long long id)
{
    int error = cx__pg_run_format(wire, "CREATE SCHEMA t%lld", id);

    return error == 0 ? give_schema(wire, role, id) : error;
}

static int drop_schema(struct cx__wire *wire, long long id)
{
    return cx__pg_run_format(wire, "DROP SCHEMA IF EXISTS t%lld CASCADE", id);
}

static int make_room(struct cx__wire *wire, const char *role, int64_t id)
{
    char secret[CX__PG_SECRET_BYTES];
    int error = cx__pg_lock_roles(wire);

    if (error == 0)
        error = drop_schema(wire, id);
    if (error == 0)
        error = cx__pg_drop_role(wire, role, id);
    if (error == 0)
        error = cx__pg_make_role(wire, role, id, secret);
    if (error == 0)
        error = make_schema(wire, role, id);
    if (error == 0)
        error = cx__pg_copy_template(wire, id);
    if (error == 0)
        error = cx__pg_give_tables(wire, role, id);
    return error == 0 ? cx__wire_run(wire, "COMMIT") : error;
}

/*
 * Each step is for good, and done again by whoever finds the tenant dropped
 * and its room not gone. Only the last one keeps others waiting: until then
 * nobody is left who can keep this waiting, but for the administrator.
 */
static int unmake_room(struct cx__wire *wire, const char *role, int64_t id)
{
    int error = cx__pg_shut_role(wire, role);

    if (error == 0)
        error = drop_schema(wire, id);
    if (error == 0)
        error = cx__pg_lock_roles(wire);
    if (error == 0)
        error = cx__pg_drop_role(wire, role, id);
    return error == 0 ? cx__wire_run(wire, "COMMIT") : error;
}

/* As the URL's role, on a connection for this alone: if it fails in between,
 * the server rolls back. */
static int with_admin(cx_db *db, int64_t id,
                      int (*fn)(struct cx__wire *wire, const char *role,
                                int64_t id))
{
    char role[CX__PG_ROLE_BYTES];
    struct cx__wire *wire;
    int error = cx__pg_admin(db, "ctxvar", &wire);

    if (error != 0)
        return error;
    cx__pg_role(db, id, role);
    error = fn(wire, role, id);
    cx__wire_abandon(wire);
    return error;
}

/* A row of the server's that a tenant's statement changes at the same time is
 * an error of no particular kind. */
static int with_admin_again(cx_db *db, int64_t id,
                            int (*fn)(struct cx__wire *wire, const char *role,
                                      int64_t id))
{
    int error = -EIO;

    for (int i = 0; i < TRIES && error == -EIO; i++)
        error = with_admin(db, id, fn);
    return error;
}

int cx__pg_provision(cx_db *db, int64_t id)
{
    return with_admin_again(db, id, make_room);
}

int cx__pg_remove(cx_db *db, int64_t id)
{
    return with_admin_again(db, id, unmake_room);
}
