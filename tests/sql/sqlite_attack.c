/* SPDX-License-Identifier: MIT */
/*
 * What tenant A tries by statements of its own. The numbers are those of the
 * catalogue of attacks.
 */
#include "two.h"

#include <dirent.h>
#include <unistd.h>

#include "pool.h"
#include "sqlite.h"

static int open_files(void)
{
    DIR *folder = opendir("/proc/self/fd");
    int n = 0;

    while (readdir(folder) != NULL)
        n++;
    (void)closedir(folder);
    return n;
}

/* S1. */
TWO_TEST(without_a_tenant_nothing_is_opened)
{
    int before;

    cx__pool_close_idle(db);
    before = open_files();
    assert_int_equal(run(db, "SELECT 1"), -ENOKEY);
    assert_int_equal(open_files(), before);
}

/* S2. */
ATTACK(another_tenants_table_has_no_name)
{
    assert_all_unknown(db, "SELECT * FROM users_b", "SELECT * FROM t2_users",
                       "SELECT * FROM \"USERS_B\"", "SELECT * FROM t2.users",
                       "SELECT * FROM \"t2.db\".users",
                       "SELECT * FROM \"../t2.db\".users");
}

/* S3. */
ATTACK(a_full_join_does_not_reach_another_tenant)
{
    assert_all_unknown(db, "SELECT * FROM users NATURAL FULL JOIN users_b",
                       "SELECT * FROM users FULL JOIN users_b USING (name)",
                       "WITH c (name) AS (SELECT name FROM users)"
                       " SELECT * FROM c FULL JOIN users_b USING (name)",
                       "SELECT * FROM users NATURAL FULL JOIN t2.users");
    assert_all_refused(db,
                       "SELECT * FROM users NATURAL FULL JOIN sqlite_master",
                       "SELECT * FROM users NATURAL FULL JOIN cx_room");
    assert_own(db, "SELECT * FROM users NATURAL FULL JOIN users AS users_b");
}

/* The authorizer is not asked for a column that a full join merges. Of an
 * engine's own table that is all that can be seen so, and it is A's own. */
ATTACK(a_full_join_shows_nothing_but_ones_own_file)
{
    assert_own(db, "SELECT name FROM users NATURAL FULL JOIN sqlite_master");
    assert_own(db, "SELECT id FROM users FULL JOIN cx_room USING (id)");
    assert_own(db, "WITH r (sql) AS (SELECT 1)"
                   " SELECT sql FROM r FULL JOIN sqlite_master USING (sql)");
}

/* What is in A's file, as A may come to see it. */
static int64_t stamp_seen(cx_db *db)
{
    return number(db, "WITH r (stamp) AS (SELECT 0 WHERE 0)"
                      " SELECT stamp FROM r FULL JOIN cx_room USING (stamp)");
}

/* S12. */
ATTACK(the_stamp_of_ones_own_file_is_nobody_elses)
{
    const struct cx__sqlite *sqlite = cx__sqlite_of(db);
    int64_t key[2];
    int64_t seen = stamp_seen(db);

    memcpy(key, sqlite->key, sizeof(key));
    assert_true(seen != key[0] && seen != key[1]);
    CX_WITH_TENANT(two->b) {
        assert_true(seen != stamp_seen(db));
    }
}

/* One of the vectors that its authors publish. */
static void a_stamp_is_hashed_as_others_do(void **state)
{
    unsigned char key[CX__SIPHASH_KEY_BYTES];

    (void)state;
    for (int i = 0; i < CX__SIPHASH_KEY_BYTES; i++)
        key[i] = (unsigned char)i;
    assert_true(cx__siphash(key, UINT64_C(0x0706050403020100)) ==
                UINT64_C(0x93f5f5799a932462));
}

/* S4. */
ATTACK(a_join_is_no_oracle)
{
    assert_all_unknown(db, "SELECT * FROM users NATURAL JOIN users_b",
                       "SELECT * FROM users JOIN users_b USING (name)",
                       "SELECT * FROM users LEFT JOIN users_b USING (name)",
                       "SELECT * FROM users NATURAL LEFT JOIN t2.users");
}

/* S5. */
ATTACK(no_clause_reaches_another_tenant)
{
    assert_all_unknown(
        db, "SELECT count(*) FROM users_b", "SELECT 1 FROM users_b",
        "SELECT EXISTS (SELECT 1 FROM users_b)", "SELECT rowid FROM users_b",
        "SELECT (SELECT name FROM users_b)",
        "SELECT * FROM users ORDER BY (SELECT name FROM users_b)",
        "SELECT * FROM users WHERE name IN users_b",
        "SELECT name FROM users UNION SELECT name FROM users_b",
        "VALUES ((SELECT name FROM users_b))", "SELECT * FROM users_b AS users",
        "WITH users AS (SELECT * FROM users_b) SELECT * FROM users",
        "INSERT INTO users SELECT * FROM users_b",
        "UPDATE users SET name = (SELECT name FROM users_b)",
        "DELETE FROM users_b");
}

/* S7. */
ATTACK(no_other_file_can_be_attached)
{
    char texts[4][160];
    char link[96];

    (void)snprintf(link, sizeof(link), "%s/link.db", folder->path);
    assert_int_equal(symlink("db/t2.db", link), 0);
    (void)snprintf(texts[0], sizeof(texts[0]), "ATTACH '%s/db/t2.db' AS b",
                   folder->path);
    (void)snprintf(texts[1], sizeof(texts[1]),
                   "ATTACH 'file:%s/db/t2.db?mode=ro' AS b", folder->path);
    (void)snprintf(texts[2], sizeof(texts[2]), "ATTACH '%s' AS b", link);
    (void)snprintf(texts[3], sizeof(texts[3]), "EXPLAIN ATTACH '%s' AS b",
                   link);
    for (int i = 0; i < 4; i++)
        assert_error(db, texts[i], -EACCES);
    assert_all_refused(db, "ATTACH '' AS b", "ATTACH ':memory:' AS b",
                       "ATTACH $$ AS b", "DETACH main", "DETACH temp");
}

/* S8. */
ATTACK(the_file_cannot_be_copied_out)
{
    char text[128];
    char path[96];

    (void)snprintf(path, sizeof(path), "%s/copy.db", folder->path);
    (void)snprintf(text, sizeof(text), "VACUUM INTO '%s'", path);
    assert_error(db, text, -EACCES);
    assert_int_not_equal(access(path, F_OK), 0);
    assert_error(db, "VACUUM", -EACCES);
}

/* S9. */
ATTACK(no_setting_can_be_read_or_changed)
{
    assert_all_refused(
        db, "PRAGMA writable_schema = 1", "PRAGMA temp_store_directory = '/'",
        "PRAGMA journal_mode = DELETE", "PRAGMA user_version = 7",
        "PRAGMA database_list", "PRAGMA table_list",
        "PRAGMA foreign_keys = OFF", "PRAGMA recursive_triggers = 1",
        "PRAGMA trusted_schema = 1", "PRAGMA mmap_size = 1000000",
        "PRAGMA wal_checkpoint(TRUNCATE)", "PRAGMA locking_mode = EXCLUSIVE",
        "PRAGMA synchronous = OFF", "PRAGMA query_only = 1");
    assert_all_unknown(db, "SELECT * FROM pragma_table_info('users')",
                       "SELECT * FROM pragma_database_list",
                       "SELECT * FROM Pragma_Table_List",
                       "SELECT * FROM pragma_user_version");
}

/* S10. */
ATTACK(nothing_temporary_can_shadow_a_table)
{
    assert_all_refused(
        db, "CREATE TEMP TABLE users (id, name)",
        "CREATE TEMP VIEW users AS SELECT 1", "CREATE TABLE temp.users (id)",
        "CREATE TEMP TRIGGER t AFTER INSERT ON users BEGIN SELECT 1; END");
}

/* S11. */
ATTACK(tables_cannot_be_changed)
{
    assert_all_refused(
        db, "CREATE TABLE x (id)", "CREATE TABLE x AS SELECT * FROM users",
        "DROP TABLE users", "ALTER TABLE users ADD COLUMN x",
        "ALTER TABLE users RENAME TO x", "ALTER TABLE users DROP COLUMN age",
        "CREATE INDEX x ON users (age)", "DROP INDEX users_name",
        "CREATE VIEW x AS SELECT * FROM users", "ANALYZE",
        "CREATE TRIGGER x AFTER INSERT ON users BEGIN SELECT 1; END",
        "CREATE VIRTUAL TABLE x USING fts5(name)",
        "CREATE VIRTUAL TABLE x USING rtree(id, a, b)");
}

/* S12. */
ATTACK(the_engines_own_tables_are_closed)
{
    assert_all_refused(
        db, "SELECT * FROM sqlite_master", "SELECT * FROM sqlite_schema",
        "SELECT * FROM SQLITE_MASTER", "SELECT * FROM main.sqlite_master",
        "SELECT count(*) FROM sqlite_master",
        "SELECT * FROM sqlite_temp_master", "DELETE FROM sqlite_sequence",
        "SELECT * FROM sqlite_sequence", "SELECT * FROM cx_room",
        "SELECT * FROM CX_Migrations", "UPDATE cx_room SET id = 2",
        "DELETE FROM cx_room",
        "INSERT INTO cx_migrations VALUES (1, '', 0, 0)");
    assert_all_unknown(db, "UPDATE sqlite_master SET sql = ''",
                       "SELECT * FROM sqlite_stat1", "SELECT * FROM dbstat",
                       "SELECT * FROM sqlite_dbpage",
                       "SELECT * FROM sqlite_stmt");
}

/* S13. */
ATTACK(nothing_is_indexed_anew)
{
    assert_all_refused(db, "REINDEX", "REINDEX users", "REINDEX users_name",
                       "REINDEX binary");
    assert_all_unknown(db, "REINDEX users_b", "REINDEX t2.users_name");
}

/* S14. */
ATTACK(functions_that_do_more_than_compute_are_closed)
{
    assert_all_refused(
        db, "SELECT load_extension('x')", "SELECT fts3_tokenizer('simple')",
        "SELECT sqlite_log(1, 'x')", "SELECT sqlite_compileoption_get(1)",
        "SELECT sqlite_source_id()", "SELECT \"load_extension\"('x')",
        "SELECT json_patch('{}', '{}')");
    assert_all_unknown(db, "SELECT readfile('/etc/passwd')",
                       "SELECT writefile('/tmp/x', 'x')", "SELECT edit('x')",
                       "SELECT * FROM fsdir('/')");
    assert_int_equal(number(db, "SELECT abs(-3) + length('abc')"), 6);
}

static int read_as_b(const cx_param *fields, size_t n, void *arg)
{
    const struct tenancy *b = arg;

    (void)n;
    assert_whole(b->db, b->tenant, "SECRET");
    return memcmp(fields->text.data, "open", 4) == 0 ? 0 : -EIO;
}

/* S16. */
ATTACK(a_statement_stays_with_the_tenant_it_began_as)
{
    struct tenancy b = {db, two->b};

    assert_ok(
        cx_db_sql_each(db, "SELECT name FROM users", NULL, read_as_b, &b));
}

/* S16, in its other sense: a transaction cannot be played with. */
ATTACK(transactions_are_not_a_statements_business)
{
    assert_all_refused(db, "BEGIN", "BEGIN IMMEDIATE", "COMMIT", "END",
                       "ROLLBACK", "SAVEPOINT cx", "RELEASE cx",
                       "ROLLBACK TO cx");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_tenant_nothing_is_opened),
        cmocka_unit_test(another_tenants_table_has_no_name),
        cmocka_unit_test(a_full_join_does_not_reach_another_tenant),
        cmocka_unit_test(a_full_join_shows_nothing_but_ones_own_file),
        cmocka_unit_test(the_stamp_of_ones_own_file_is_nobody_elses),
        cmocka_unit_test(a_stamp_is_hashed_as_others_do),
        cmocka_unit_test(a_join_is_no_oracle),
        cmocka_unit_test(no_clause_reaches_another_tenant),
        cmocka_unit_test(no_other_file_can_be_attached),
        cmocka_unit_test(the_file_cannot_be_copied_out),
        cmocka_unit_test(no_setting_can_be_read_or_changed),
        cmocka_unit_test(nothing_temporary_can_shadow_a_table),
        cmocka_unit_test(tables_cannot_be_changed),
        cmocka_unit_test(the_engines_own_tables_are_closed),
        cmocka_unit_test(nothing_is_indexed_anew),
        cmocka_unit_test(functions_that_do_more_than_compute_are_closed),
        cmocka_unit_test(a_statement_stays_with_the_tenant_it_began_as),
        cmocka_unit_test(transactions_are_not_a_statements_business),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
