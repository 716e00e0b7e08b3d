/* SPDX-License-Identifier: MIT */
/*
 * What tenant A tries by statements of its own on a server. The numbers are
 * those of the catalogue of attacks.
 */
#include "two.h"

#include <ctxvar/deadline.h>
#include <ctxvar/model.h>
#include <ctxvar/transaction.h>

static void assert_refused_with(cx_db *db, const char *format, const char *role)
{
    char text[256];

    (void)snprintf(text, sizeof(text), format, role, role);
    assert_error(db, text, -EACCES);
}

/* P1. */
ATTACK(no_role_can_be_taken_on)
{
    char role[48];

    role_of(folder, 2, role);
    assert_refused_with(db, "SET ROLE %s", role);
    assert_refused_with(db, "SET LOCAL ROLE %s", role);
    assert_refused_with(db, "SET SESSION AUTHORIZATION %s", role);
    assert_refused_with(db, "SELECT set_config('role', '%s', false)", role);
    assert_refused_with(
        db, "SELECT set_config('session_authorization', '%s', false)", role);
    assert_refused_with(db, "DO $$ BEGIN SET ROLE %s; END $$", role);
    assert_refused_with(db, "DO $$ BEGIN EXECUTE 'SET ROLE %s'; END $$", role);
    assert_refused_with(db, "GRANT %s TO CURRENT_USER", role);
    assert_all_refused(db, "SET ROLE owner", "SET SESSION AUTHORIZATION owner",
                       "ALTER ROLE CURRENT_USER SUPERUSER",
                       "ALTER ROLE CURRENT_USER BYPASSRLS",
                       "CREATE ROLE mine SUPERUSER",
                       "CREATE FUNCTION x() RETURNS int LANGUAGE sql"
                       " SET role = owner AS 'SELECT 1'");
}

/* What comes of a statement after a setting, in the same session. */
static int run_after(cx_db *db, const char *setting, const char *text)
{
    int error;

    CX_TRANSACTION(db, &error) {
        assert_ok(run(db, setting));
        error = run(db, text);
    }
    return error;
}

/* P1: what puts a role back puts this one back. */
ATTACK(going_back_goes_nowhere)
{
    static const char *const back[] = {
        "RESET ROLE", "SET ROLE NONE", "RESET SESSION AUTHORIZATION",
        "SET SESSION AUTHORIZATION DEFAULT", "RESET ALL"};

    for (size_t i = 0; i < sizeof(back) / sizeof(back[0]); i++) {
        assert_int_equal(run_after(db, back[i], "SELECT * FROM t2.users"),
                         -EACCES);
        assert_ok(run_after(db, back[i], "SELECT * FROM t1.users"));
    }
}

/* P2, S2, S3, S4. */
ATTACK(no_name_reaches_another_tenants_table)
{
    assert_all_refused(
        db, "SELECT * FROM t2.users", "SELECT count(*) FROM t2.users",
        "SELECT * FROM users NATURAL FULL JOIN t2.users",
        "SELECT * FROM users FULL JOIN t2.users USING (name)",
        "SELECT * FROM users NATURAL JOIN t2.users",
        "SELECT EXISTS (SELECT 1 FROM t2.users)",
        "SELECT * FROM users ORDER BY (SELECT name FROM t2.users LIMIT 1)",
        "WITH users AS (SELECT * FROM t2.users) SELECT * FROM users",
        "INSERT INTO users SELECT * FROM t2.users", "TABLE t2.users",
        "UPDATE t2.users SET name = ''", "DELETE FROM t2.users",
        "TRUNCATE t2.users", "DO $$ BEGIN LOCK TABLE t2.users; END $$",
        "SELECT * FROM t0.users", "SELECT * FROM ctxvar.cx_tenants",
        "SELECT * FROM ctxvar.cx_secrets", "SELECT nextval('t2.users_id_seq')",
        "SELECT query_to_xml('SELECT * FROM t2.users', true, true, '')",
        "SELECT schema_to_xml('t2', true, true, '')");
}

/* P2. */
ATTACK(the_search_path_finds_nothing_of_others)
{
    static const char *const paths[] = {
        "SET search_path = t2", "SET LOCAL search_path = t2, public",
        "SET search_path = pg_temp, \"$user\"",
        "SELECT set_config('search_path', 't2', false)"};

    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        assert_int_equal(run_after(db, paths[i], "SELECT * FROM users"),
                         -EINVAL);
        assert_int_equal(run_after(db, paths[i], "SELECT * FROM t2.users"),
                         -EACCES);
    }
}

/* P2: the next one who has the connection does not have what was set. */
ATTACK(what_a_statement_sets_is_gone_with_its_lease)
{
    assert_ok(run(db, "SET search_path = pg_catalog"));
    assert_int_equal(number(db, "SELECT count(*) FROM users"), ROWS);
    assert_ok(run(db, "SET statement_timeout = 1"));
    assert_ok(run(db, "SELECT pg_sleep(0.01)"));
}

/* P4. */
ATTACK(a_transaction_is_not_a_programs_to_end)
{
    assert_all_refused(db, "COMMIT", "commit;", " /* x /* y */ */ ROLLBACK",
                       "-- x\nBEGIN", "START TRANSACTION", "END", "ABORT",
                       "SAVEPOINT x", "RELEASE x", "PREPARE TRANSACTION 'x'",
                       "COMMIT PREPARED 'x'", "ROLLBACK TO cx1", ";COMMIT",
                       "COMMIT AND CHAIN");
    assert_all_unknown(db, "SELECT 1; COMMIT");
    /* Outside of a transaction it ends one of its own, and nothing else. */
    assert_ok(run(db, "DO $$ BEGIN COMMIT; END $$"));
}

/* P4: what was changed in it is rolled back, whoever tried to commit it. */
ATTACK(a_transaction_is_not_a_programs_to_end_from_within)
{
    static const char *const texts[] = {"COMMIT",
                                        "END",
                                        "ROLLBACK",
                                        "SELECT 1; COMMIT",
                                        "ROLLBACK TO cx1",
                                        "RELEASE cx1",
                                        "ABORT",
                                        "COMMIT AND CHAIN",
                                        "DO $$ BEGIN COMMIT; END $$",
                                        "DO $$ BEGIN ROLLBACK; END $$"};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        int error;

        CX_TRANSACTION(db, &error) {
            assert_ok(run(db, "UPDATE users SET age = 0"));
            assert_int_not_equal(run(db, texts[i]), 0);
            error = -EDOM;
        }
        assert_int_equal(error, -EDOM);
    }
}

/* P6. */
ATTACK(statements_that_are_kept_cannot_be_taken_away)
{
    assert_int_equal(number(db, "SELECT count(*) FROM users"), ROWS);
    assert_all_refused(db, "DISCARD ALL", "DEALLOCATE ALL", "CLOSE ALL",
                       "PREPARE cx0 AS SELECT 1", "DEALLOCATE cx0");
    assert_int_equal(number(db, "SELECT count(*) FROM users"), ROWS);
}

static void find_first(cx_db *db, const char *name)
{
    Row row = {.id = 1};
    CX_ARENA(arena);

    assert_ok(cx_db_find(db, &row_model, &row, &arena));
    assert_string_equal(row.name.data, name);
}

/* P6: what a model sends leaves nothing to clear away, and so is kept; what a
 * program sends is cleared away, and the model goes on all the same. */
ATTACK(a_models_statement_is_kept_until_a_programs_own)
{
    static const char kept[] = "SELECT count(*) FROM pg_prepared_statements"
                               " WHERE statement LIKE 'SELECT \"name\"%'";

    find_first(db, "open 1");
    find_first(db, "open 1");
    assert_int_equal(number(db, kept), 1);
    assert_int_equal(number(db, kept), 0);
    find_first(db, "open 1");
}

/* P8. */
ATTACK(nothing_can_be_made)
{
    assert_all_refused(
        db, "CREATE TABLE x (a int)", "CREATE TABLE public.x (a int)",
        "CREATE TEMP TABLE users (a int)", "CREATE TEMP VIEW users AS SELECT 1",
        "CREATE VIEW x AS SELECT 1", "CREATE SCHEMA x",
        "CREATE FUNCTION x() RETURNS int LANGUAGE sql SECURITY DEFINER"
        " AS 'SELECT 1'",
        "CREATE OPERATOR === (LEFTARG = int, RIGHTARG = int, FUNCTION ="
        " int4eq)",
        "CREATE CAST (text AS int) WITH INOUT", "CREATE EXTENSION dblink",
        "CREATE FOREIGN DATA WRAPPER x", "CREATE DATABASE x",
        "CREATE PUBLICATION x", "SELECT 1 AS a INTO x",
        "SELECT 1 AS a INTO TEMP x");
}

/* P8, P13. */
ATTACK(tables_stay_as_they_are)
{
    assert_all_refused(
        db, "DROP TABLE users", "ALTER TABLE users ADD COLUMN x int",
        "ALTER TABLE users OWNER TO CURRENT_USER", "TRUNCATE users",
        "CREATE INDEX ON users (age)", "DROP SCHEMA t1 CASCADE",
        "CREATE TRIGGER x BEFORE INSERT ON users EXECUTE FUNCTION"
        " suppress_redundant_updates_trigger()",
        "DROP OWNED BY CURRENT_USER CASCADE", "COMMENT ON TABLE users IS 'x'",
        "CREATE RULE x AS ON SELECT TO users DO INSTEAD SELECT 1",
        "REASSIGN OWNED BY owner TO CURRENT_USER");
}

/* P8: a grant of what one may not give is a warning, and no grant. */
ATTACK(nothing_can_be_given_to_others)
{
    assert_ok(run(db, "GRANT SELECT ON users TO PUBLIC"));
    assert_int_equal(number(db,
                            "SELECT CAST(has_table_privilege('users',"
                            " 'TRUNCATE, REFERENCES, TRIGGER') AS INTEGER)"),
                     0);
    assert_int_equal(number(db, "SELECT CAST(has_table_privilege('public',"
                                " 't1.users', 'SELECT') AS INTEGER)"),
                     0);
}

/* What the server's own role finds in B's. */
static void assert_found(const struct folder *folder, const char *statement)
{
    char answer[8];

    server_answer(folder->url, statement, answer, sizeof(answer));
    assert_string_equal(answer, "t");
}

/* P10. */
ATTACK(the_catalogue_shows_no_rows_of_others)
{
    server_run(folder->url, "ANALYZE t2.users");
    assert_found(folder, "SELECT count(*) > 0 FROM pg_stats WHERE"
                         " histogram_bounds::text LIKE '%SECRET%'");
    assert_own(db, "SELECT histogram_bounds::text FROM pg_stats");
    assert_own(db, "SELECT most_common_vals::text FROM pg_stats");
    assert_own(db, "SELECT * FROM pg_prepared_statements");
    assert_own(db, "SELECT * FROM information_schema.tables");
    assert_all_refused(
        db, "SELECT * FROM pg_statistic", "SELECT * FROM pg_authid",
        "SELECT * FROM pg_shadow", "SELECT * FROM pg_largeobject",
        "SELECT * FROM pg_hba_file_rules", "SELECT * FROM pg_file_settings");
}

static int look_at_sessions(const cx_param *fields, size_t n, void *arg)
{
    const struct tenancy *a = arg;

    (void)fields;
    (void)n;
    CX_WITH_TENANT(a->tenant) {
        assert_true(number(a->db, "SELECT count(*) FROM pg_stat_activity"
                                  " WHERE usename LIKE '%\\_2'") > 0);
        assert_own(a->db, "SELECT query FROM pg_stat_activity");
    }
    return 0;
}

/* P10: in the midst of it. */
ATTACK(the_statement_that_another_tenant_runs_is_not_shown)
{
    struct tenancy a = {db, two->a};

    CX_WITH_TENANT(two->b) {
        assert_ok(
            cx_db_sql_each(db, "SELECT 'SECRET'", NULL, look_at_sessions, &a));
    }
}

/* P11. */
ATTACK(the_server_and_its_files_are_out_of_reach)
{
    assert_all_refused(
        db, "COPY users TO PROGRAM 'cat'", "COPY users FROM PROGRAM 'id'",
        "COPY users TO '/tmp/x'", "COPY users FROM '/etc/passwd'",
        "COPY users TO STDOUT", "COPY t2.users TO STDOUT",
        "COPY users FROM STDIN", "SELECT pg_read_file('/etc/passwd')",
        "SELECT pg_read_binary_file('PG_VERSION')", "SELECT pg_ls_dir('/')",
        "SELECT lo_import('/etc/passwd')", "SELECT lo_export(1, '/tmp/x')",
        "SELECT pg_reload_conf()", "SELECT pg_rotate_logfile()",
        "ALTER SYSTEM SET work_mem = '1GB'", "LOAD 'auto_explain'",
        "CHECKPOINT", "SET log_statement = 'all'");
}

/* P11. */
ATTACK(another_tenants_session_cannot_be_ended)
{
    CX_WITH_TENANT(two->b) {
        assert_int_equal(number(db, "SELECT count(*) FROM users"), ROWS);
    }
    assert_all_refused(db,
                       "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                       " WHERE usename LIKE '%\\_2'",
                       "SELECT pg_cancel_backend(pid) FROM pg_stat_activity"
                       " WHERE usename LIKE '%\\_2'");
}

/* P16. */
ATTACK(a_role_that_may_do_more_is_not_let_in)
{
    static const char *const more[] = {"SUPERUSER", "BYPASSRLS", "CREATEROLE",
                                       "CREATEDB", "REPLICATION"};
    cx_tenant *tenant = tenant_make(db, "C");
    char role[48], statement[128];

    role_of(folder, 3, role);
    for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++) {
        (void)snprintf(statement, sizeof(statement), "ALTER ROLE %s %s", role,
                       more[i]);
        server_run_as_superuser(folder->url, statement);
        CX_WITH_TENANT(tenant) {
            assert_int_equal(run(db, "SELECT 1"), -EACCES);
        }
        (void)snprintf(statement, sizeof(statement), "ALTER ROLE %s NO%s", role,
                       more[i]);
        server_run_as_superuser(folder->url, statement);
    }
    assert_ok(cx_tenant_drop(tenant));
    cx_tenant_unref(tenant);
}

/* P16. */
ATTACK(a_role_that_is_a_member_of_another_is_not_let_in)
{
    char role[48], other[48], statement[160];
    cx_tenant *tenant = tenant_make(db, "C");

    role_of(folder, (int)cx_tenant_id(tenant), role);
    role_of(folder, 2, other);
    (void)snprintf(statement, sizeof(statement), "GRANT %s TO %s", other, role);
    server_run(folder->url, statement);
    CX_WITH_TENANT(tenant) {
        assert_int_equal(run(db, "SELECT 1"), -EACCES);
    }
    assert_ok(cx_tenant_drop(tenant));
    cx_tenant_unref(tenant);
}

/* P16: what everybody has is taken away when a database is opened. */
ATTACK(what_everybody_is_given_is_taken_away_at_the_next_start)
{
    cx_db *again;

    server_run(folder->url, "GRANT ALL ON SCHEMA public TO PUBLIC");
    assert_ok(cx_db_open(folder->url, NULL, &again));
    assert_error(db, "CREATE TABLE public.x (a int)", -EACCES);
    assert_ok(cx_db_close(again));
    server_run(folder->url, "GRANT USAGE ON SCHEMA t1 TO PUBLIC");
    assert_int_equal(cx_db_open(folder->url, NULL, &again), -EACCES);
    server_run(folder->url, "REVOKE USAGE ON SCHEMA t1 FROM PUBLIC");
}

/* P18: the same statement gives other columns, or another type of them. */
ATTACK(a_statement_has_the_columns_of_its_tenants_table)
{
    server_run(folder->url, "ALTER TABLE t1.users ADD COLUMN x text");
    assert_users(db, "open");
    server_run(folder->url, "ALTER TABLE t2.users ALTER name TYPE varchar(50)");
    for (int i = 0; i < 3; i++) {
        find_first(db, "open 1");
        CX_WITH_TENANT(two->b) {
            find_first(db, "SECRET 1");
        }
    }
    server_run(folder->url, "ALTER TABLE t1.users DROP COLUMN x");
}

/* R7, R8: what is left of a statement that was given up hits nobody. */
ATTACK(a_statement_given_up_leaves_nothing_behind)
{
    for (int i = 0; i < 3; i++) {
        CX_TIMEOUT(20) {
            assert_int_equal(run(db, "SELECT pg_sleep(60)"), -ETIMEDOUT);
        }
        assert_int_equal(number(db, "SELECT 41 + 1"), 42);
    }
    while (number(db, "SELECT count(*) FROM pg_stat_activity WHERE state ="
                      " 'active' AND usename = CURRENT_USER"
                      " AND pid <> pg_backend_pid()") > 0)
        assert_ok(cx_sleep(1));
}

static int stop_at_500(const cx_param *fields, size_t n, void *arg)
{
    (void)n;
    (void)arg;
    return fields->i64 == 500 ? 77 : 0;
}

/* R7. */
ATTACK(rows_that_nobody_takes_are_nobodys)
{
    assert_int_equal(cx_db_sql_each(db,
                                    "SELECT generate_series(1::bigint, 1000)",
                                    NULL, stop_at_500, NULL),
                     77);
    assert_int_equal(number(db, "SELECT 41 + 1"), 42);
}

static void end_all_sessions(const struct folder *folder)
{
    server_run_as_superuser(
        folder->url,
        "SELECT count(pg_terminate_backend(pid, 10000)) FROM pg_stat_activity"
        " WHERE usename LIKE 'cx\\_%'");
}

static int end_all_at_1(const cx_param *fields, size_t n, void *folder)
{
    (void)n;
    if (fields->i64 == 1)
        end_all_sessions(folder);
    return 0;
}

/* R9. */
ATTACK(a_session_that_dies_in_use_is_an_error_and_the_next_is_fine)
{
    assert_int_equal(
        cx_db_sql_each(db,
                       "SELECT 1 UNION ALL SELECT 2 FROM generate_series(1,"
                       " 1000000)",
                       NULL, end_all_at_1, folder),
        -ECONNRESET);
    assert_int_equal(number(db, "SELECT 41 + 1"), 42);
}

/* R9: nothing was sent on it, so that nobody need know. */
ATTACK(a_session_that_dies_unused_is_replaced)
{
    cx_db_stats before, after;

    assert_int_equal(number(db, "SELECT 1"), 1);
    assert_ok(cx_db_stats_get(db, two->a, &before));
    end_all_sessions(folder);
    assert_int_equal(number(db, "SELECT 41 + 1"), 42);
    assert_ok(cx_db_stats_get(db, two->a, &after));
    assert_int_equal(after.opened, before.opened + 1);
    assert_int_equal(after.broken, before.broken + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_role_can_be_taken_on),
        cmocka_unit_test(going_back_goes_nowhere),
        cmocka_unit_test(no_name_reaches_another_tenants_table),
        cmocka_unit_test(the_search_path_finds_nothing_of_others),
        cmocka_unit_test(what_a_statement_sets_is_gone_with_its_lease),
        cmocka_unit_test(a_transaction_is_not_a_programs_to_end),
        cmocka_unit_test(a_transaction_is_not_a_programs_to_end_from_within),
        cmocka_unit_test(statements_that_are_kept_cannot_be_taken_away),
        cmocka_unit_test(a_models_statement_is_kept_until_a_programs_own),
        cmocka_unit_test(nothing_can_be_made),
        cmocka_unit_test(tables_stay_as_they_are),
        cmocka_unit_test(nothing_can_be_given_to_others),
        cmocka_unit_test(the_catalogue_shows_no_rows_of_others),
        cmocka_unit_test(the_statement_that_another_tenant_runs_is_not_shown),
        cmocka_unit_test(the_server_and_its_files_are_out_of_reach),
        cmocka_unit_test(another_tenants_session_cannot_be_ended),
        cmocka_unit_test(a_role_that_may_do_more_is_not_let_in),
        cmocka_unit_test(a_role_that_is_a_member_of_another_is_not_let_in),
        cmocka_unit_test(
            what_everybody_is_given_is_taken_away_at_the_next_start),
        cmocka_unit_test(a_statement_has_the_columns_of_its_tenants_table),
        cmocka_unit_test(a_statement_given_up_leaves_nothing_behind),
        cmocka_unit_test(rows_that_nobody_takes_are_nobodys),
        cmocka_unit_test(
            a_session_that_dies_in_use_is_an_error_and_the_next_is_fine),
        cmocka_unit_test(a_session_that_dies_unused_is_replaced),
    };

    return cmocka_run_group_tests_name("postgres attack", tests, NULL, NULL);
}
