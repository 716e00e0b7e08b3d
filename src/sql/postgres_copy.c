/* SPDX-License-Identifier: MIT */
/*
 * The template of tenants in PostgreSQL: its copy, and what cannot be in it.
 *
 * The server has no copy of a schema. Each thing in the template is written as
 * the statement that makes it, under the name that it has, since a later
 * migration changes it under that name; the tables' columns alone are taken
 * by LIKE. The statements are written while the search path is the template's
 * and run while it is the new room's, so that names without a schema, in the
 * text of a default or a foreign key, are those of the room.
 *
 * What is not written here a tenant would be without that is made later than
 * the others, or it would have the template's own: such is refused when a
 * migration makes it. So is what it makes elsewhere, which for the next room
 * would be there already.
 */
#include <errno.h>
#include <stdio.h>

#include "pool.h"
#include "postgres.h"
#include "problem.h"

enum { PATH_BYTES = 48 };

/* Write statements while the search path is the template's: class is what there
 * is in it, and field its tables' columns. Then run them, by their turns. */
#define WRITE                                                                  \
    "DO $copy$ DECLARE"                                                        \
    " room text := current_schema(); steps text[]; step text;"                 \
    " BEGIN"                                                                   \
    " SET LOCAL search_path = t0, pg_temp;"                                    \
    " steps := array("                                                         \
    "WITH class AS (SELECT * FROM pg_class"                                    \
    "  WHERE relnamespace = 't0'::regnamespace),"                              \
    " field AS (SELECT c.relname, a.* FROM class c"                            \
    "  JOIN pg_attribute a ON a.attrelid = c.oid"                              \
    "  WHERE c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped)"

#define RUN                                                                    \
    " ORDER BY turn);"                                                         \
    " PERFORM set_config('search_path', room || ', pg_temp', true);"           \
    " FOREACH step IN ARRAY steps LOOP EXECUTE step; END LOOP;"                \
    " END $copy$"

/* The tables, with their rows and where those have their numbers from. */
static const char copy_tables[] = WRITE
    ","
    /* Sequences, with the column that has one: as its own identity, or to be
     * dropped with it. */
    " sequence AS (SELECT c.relname, f.relname AS owner, f.attname,"
    "  f.attidentity, q.seqtypid::regtype AS type,"
    "  format('INCREMENT %s MINVALUE %s MAXVALUE %s START %s CACHE %s %s',"
    "   q.seqincrement, q.seqmin, q.seqmax, q.seqstart, q.seqcache,"
    "   CASE WHEN q.seqcycle THEN 'CYCLE' ELSE 'NO CYCLE' END) AS options"
    "  FROM class c JOIN pg_sequence q ON q.seqrelid = c.oid"
    "  LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass"
    "   AND d.objid = c.oid AND d.refclassid = 'pg_class'::regclass"
    "   AND d.deptype IN ('a', 'i')"
    "  LEFT JOIN field f ON f.attrelid = d.refobjid"
    "   AND f.attnum = d.refobjsubid)"
    " SELECT text FROM ("
    "SELECT 1 AS turn, format('CREATE SEQUENCE %I AS %s %s', relname, type,"
    "  options) AS text FROM sequence WHERE coalesce(attidentity, '') = ''"
    " UNION ALL "
    "SELECT 1, format('CREATE TABLE %I (LIKE t0.%1$I INCLUDING COMPRESSION"
    "  INCLUDING GENERATED INCLUDING STORAGE)', relname)"
    "  FROM class WHERE relkind = 'r'"
    " UNION ALL "
    "SELECT 2, format('INSERT INTO %I (%s) SELECT %2$s FROM t0.%1$I', relname,"
    "  string_agg(quote_ident(attname), ', ')) FROM field"
    "  WHERE attgenerated = '' GROUP BY relname"
    " UNION ALL "
    "SELECT 3, format('ALTER TABLE %I ALTER %I ADD GENERATED %s AS IDENTITY"
    "  (SEQUENCE NAME %I %s)', owner, attname, CASE attidentity WHEN 'a'"
    "  THEN 'ALWAYS' ELSE 'BY DEFAULT' END, relname, options)"
    "  FROM sequence WHERE attidentity <> ''"
    " UNION ALL "
    "SELECT 3, format('ALTER SEQUENCE %I OWNED BY %I.%I', relname, owner,"
    "  attname) FROM sequence WHERE attidentity = ''"
    " UNION ALL "
    "SELECT 4, format('SELECT setval(%L, last_value, is_called) FROM t0.%I',"
    "  quote_ident(relname), relname) FROM sequence"
    " UNION ALL "
    "SELECT 4, format('ALTER TABLE %I ALTER %I SET DEFAULT %s', relname,"
    "  attname, pg_get_expr(adbin, adrelid)) FROM field"
    "  JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum"
    "  WHERE attgenerated = ''"
    ") step" RUN;

/* What is kept with the tables and said of them. References are last, since
 * what they lead to must be unique. */
static const char copy_rules[] = WRITE
    " SELECT text FROM ("
    "SELECT CASE contype WHEN 'f' THEN 6 ELSE 5 END AS turn,"
    "  format('ALTER TABLE %I ADD CONSTRAINT %I %s', relname, conname,"
    "  pg_get_constraintdef(k.oid)) AS text FROM pg_constraint k"
    "  JOIN class c ON c.oid = conrelid"
    "  WHERE contype IN ('c', 'p', 'u', 'x', 'f')"
    " UNION ALL "
    "SELECT 5, pg_get_indexdef(i.indexrelid, 0, true) FROM pg_index i"
    "  JOIN class c ON c.oid = i.indrelid"
    "  WHERE NOT EXISTS (SELECT FROM pg_constraint k WHERE"
    "   k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x'))"
    " UNION ALL "
    /* It comes with the schema's name. */
    "SELECT 5, 'CREATE STATISTICS ' || substr(pg_get_statisticsobjdef(s.oid),"
    "  length('CREATE STATISTICS t0.') + 1) FROM pg_statistic_ext s"
    "  JOIN class c ON c.oid = s.stxrelid"
    " UNION ALL "
    "SELECT 7, format('ALTER %s %I SET (%s)', CASE c.relkind WHEN 'i'"
    "  THEN 'INDEX' ELSE 'TABLE' END, c.relname, array_to_string("
    "  c.reloptions || array(SELECT 'toast.' || unnest(t.reloptions)), ', '))"
    "  FROM class c LEFT JOIN pg_class t ON t.oid = c.reltoastrelid"
    "  WHERE c.reloptions IS NOT NULL OR t.reloptions IS NOT NULL"
    " UNION ALL "
    "SELECT 7, format('COMMENT ON %s IS %L', CASE WHEN objsubid > 0"
    "  THEN format('COLUMN %I.%I', relname, (SELECT attname FROM field"
    "   WHERE attrelid = objoid AND attnum = objsubid))"
    "  ELSE format('%s %I', CASE relkind WHEN 'S' THEN 'SEQUENCE' WHEN 'i'"
    "   THEN 'INDEX' ELSE 'TABLE' END, relname) END, description)"
    "  FROM pg_description JOIN class c ON c.oid = objoid"
    "  WHERE classoid = 'pg_class'::regclass"
    " UNION ALL "
    "SELECT 7, format('COMMENT ON CONSTRAINT %I ON %I IS %L', conname, relname,"
    "  description) FROM pg_description JOIN pg_constraint k ON k.oid = objoid"
    "  JOIN class c ON c.oid = conrelid"
    "  WHERE classoid = 'pg_constraint'::regclass"
    " UNION ALL "
    "SELECT 7, format('COMMENT ON STATISTICS %I IS %L', stxname, description)"
    "  FROM pg_description JOIN pg_statistic_ext s ON s.oid = objoid"
    "  WHERE classoid = 'pg_statistic_ext'::regclass"
    "  AND stxnamespace = 't0'::regnamespace"
    " UNION ALL "
    "SELECT 7, format('GRANT %s ON %s %I TO %s%s', a.privilege_type,"
    "  CASE relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, relname,"
    "  CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END,"
    "  CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' END)"
    "  FROM class, aclexplode(relacl) a WHERE a.grantee <> relowner"
    ") step" RUN;

/* What the copy does not have, of the schema that is first in the search
 * path: of each at most the name. */
static const char find_other[] =
    "WITH mine AS (SELECT d.classid, d.objid, c.relkind FROM pg_depend d"
    "  LEFT JOIN pg_class c ON d.classid = 'pg_class'::regclass"
    "   AND c.oid = d.objid"
    "  WHERE d.refclassid = 'pg_namespace'::regclass"
    "   AND d.refobjid = current_schema()::regnamespace),"
    " class AS (SELECT c.* FROM mine JOIN pg_class c ON c.oid = objid"
    "  WHERE classid = 'pg_class'::regclass)"
    " SELECT what FROM ("
    "SELECT o.type || ' ' || o.identity AS what"
    "  FROM mine, pg_identify_object(classid, objid, 0) o"
    "  WHERE classid NOT IN ('pg_default_acl'::regclass,"
    "   'pg_statistic_ext'::regclass)"
    "  AND (relkind IS NULL OR relkind NOT IN ('r', 'S'))"
    " UNION ALL "
    "SELECT o.type || ' ' || o.identity FROM class c JOIN pg_depend d"
    "  ON d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid,"
    "  pg_identify_object(d.classid, d.objid, 0) o"
    "  WHERE d.classid IN ('pg_trigger'::regclass, 'pg_policy'::regclass,"
    "   'pg_rewrite'::regclass) AND d.deptype = 'a'"
    " UNION ALL "
    "SELECT format('%s of %s', f.what, c.oid::regclass) FROM class c,"
    "  LATERAL (VALUES (c.relrowsecurity, 'row security'),"
    "   (c.relpersistence <> 'p', 'lack of logging'),"
    "   (c.relkind = 'r' AND c.relreplident <> 'd', 'replica identity'),"
    "   (c.reltablespace <> 0, 'tablespace'),"
    "   (c.reloftype <> 0, 'type'),"
    "   (EXISTS (SELECT FROM pg_inherits WHERE c.oid IN (inhrelid,"
    "    inhparent)), 'inheritance')) f (is_so, what) WHERE f.is_so"
    " UNION ALL "
    "SELECT format('%s of column %s.%I', f.what, c.oid::regclass, a.attname)"
    "  FROM class c JOIN pg_attribute a ON a.attrelid = c.oid"
    "  JOIN pg_type t ON t.oid = a.atttypid,"
    "  LATERAL (VALUES (t.typnamespace = c.relnamespace, 'type'),"
    "   (a.attacl IS NOT NULL, 'privileges'),"
    "   (a.attoptions IS NOT NULL OR a.attstattarget > 0, 'statistics'))"
    "  f (is_so, what)"
    "  WHERE a.attnum > 0 AND NOT a.attisdropped AND f.is_so"
    ") other LIMIT 1";

/* What the transaction has made outside of the schema that is first in the
 * search path, or changed the tables of, but for what is temporary. A row of
 * the catalogues that is seen while its transaction goes on is of this one; the
 * transaction's number is the first, or one of a part of it. */
static const char find_outside[] =
    "WITH here AS (SELECT oid FROM pg_namespace"
    "  WHERE oid = current_schema()::regnamespace"
    "  OR nspname ~ '^pg_(toast|temp_|toast_temp_)'),"
    " made AS (SELECT classid, objid, xmin FROM pg_depend"
    "  WHERE refclassid = 'pg_namespace'::regclass"
    "  AND refobjid NOT IN (SELECT oid FROM here)"
    " UNION ALL SELECT 'pg_class'::regclass, oid, xmin FROM pg_class"
    "  WHERE relkind = 'i' AND relnamespace NOT IN (SELECT oid FROM here)"
    " UNION ALL SELECT 'pg_namespace'::regclass, oid, xmin FROM pg_namespace"
    "  WHERE oid NOT IN (SELECT oid FROM here)"
    " UNION ALL SELECT 'pg_extension'::regclass, oid, xmin FROM pg_extension"
    " UNION ALL SELECT 'pg_publication'::regclass, oid, xmin"
    "  FROM pg_publication)"
    " SELECT what FROM ("
    "SELECT o.type || ' ' || o.identity AS what"
    "  FROM made, pg_identify_object(classid, objid, 0) o"
    "  WHERE age(made.xmin) <= 0 AND pg_xact_status("
    "   (pg_current_xact_id()::text::numeric - age(made.xmin))::text::xid8)"
    "   = 'in progress'"
    " UNION ALL "
    "SELECT o.type || ' ' || o.identity FROM pg_locks l"
    "  JOIN pg_class c ON c.oid = l.relation,"
    "  pg_identify_object('pg_class'::regclass, c.oid, 0) o"
    "  WHERE l.pid = pg_backend_pid() AND l.locktype = 'relation'"
    "  AND l.mode = 'AccessExclusiveLock' AND c.relkind IN ('r', 'S')"
    "  AND c.relnamespace NOT IN (SELECT oid FROM here)"
    ") other LIMIT 1";

/* Have the schema that is first in the search path be without what a migration
 * may make. Nothing else is removed with it: what depends on it outside is an
 * error. */
static const char remove_all[] =
    "DO $clear$ DECLARE steps text[]; step text; BEGIN"
    " steps := array(WITH class AS (SELECT * FROM pg_class"
    "   WHERE relnamespace = current_schema()::regnamespace)"
    "  SELECT text FROM ("
    "SELECT 1 AS turn, 'DROP TABLE ' || string_agg(quote_ident(relname), ', ')"
    "   AS text FROM class WHERE relkind = 'r' AND relname <> 'cx_migrations'"
    "  UNION ALL "
    "SELECT 2, 'DROP SEQUENCE IF EXISTS ' || quote_ident(relname)"
    "   FROM class WHERE relkind = 'S'"
    "  ) step WHERE text IS NOT NULL ORDER BY turn);"
    " FOREACH step IN ARRAY steps LOOP EXECUTE step; END LOOP;"
    " DELETE FROM cx_migrations;"
    " END $clear$";

/* That the first names that come to mind are the room's. */
static int use_room(struct cx__wire *wire, int64_t id)
{
    char path[PATH_BYTES];
    const char *const params[] = {path};

    (void)snprintf(path, sizeof(path), "t%lld, pg_temp", (long long)id);
    return cx__wire_query(wire, "SELECT set_config('search_path', $1, true)", 1,
                          params, NULL);
}

int cx__pg_copy_template(struct cx__wire *wire, int64_t id)
{
    int error = use_room(wire, id);

    if (error == 0)
        error = cx__wire_run(wire, copy_tables);
    return error == 0 ? cx__wire_run(wire, copy_rules) : error;
}

/* Does a query find nothing? */
static int check_none(struct cx__connection *connection, const char *query,
                      const char *words)
{
    PGresult *result;
    int error = cx__pg_query(connection, query, 0, NULL, &result);

    if (error != 0)
        return error;
    if (PQntuples(result) > 0)
        error =
            cx__problem(-EOPNOTSUPP, "%s: %s", PQgetvalue(result, 0, 0), words);
    PQclear(result);
    return error;
}

int cx__pg_check_copyable(struct cx__connection *connection)
{
    int error =
        check_none(connection, find_other, "a new tenant would be without it");

    if (error == 0 && connection->pool->id == CX__TEMPLATE)
        error = check_none(connection, find_outside,
                           "it is outside of a tenant's tables, and there"
                           " already for the next tenant");
    return error;
}

int cx__pg_clear(struct cx__connection *connection)
{
    return cx__pg_query(connection, remove_all, 0, NULL, NULL);
}
