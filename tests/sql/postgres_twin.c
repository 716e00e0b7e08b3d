/* SPDX-License-Identifier: MIT */
/*
 * A database that was copied to another one of the same server: each has roles
 * of its own, and keeps the other from nothing. The numbers are those of the
 * catalogue of attacks.
 */
#include "administrator.h"
#include "two.h"

struct copied {
    cx_db *from;
    cx_db *to;
    struct folder folder; /* of the copy */
};

static cx_tenant *find(cx_db *db, const char *name)
{
    cx_tenant *tenant = NULL;

    assert_ok(cx_tenant_find(db, CX_TEXT(name), &tenant));
    return tenant;
}

/* Those of a copy that has gone its own way have each user twice. */
static void double_users(cx_db *db, const char *name)
{
    cx_tenant *tenant = find(db, name);

    CX_WITH_TENANT(tenant) {
        assert_ok(run(db, "INSERT INTO users (name) SELECT name FROM users"));
        assert_int_equal(number(db, "SELECT count(*) FROM users"), 2 * ROWS);
        assert_int_equal(run(db, "CREATE TABLE x (id bigint)"), -EACCES);
    }
    cx_tenant_unref(tenant);
}

static void drop_by_name(cx_db *db, const char *name)
{
    cx_tenant *tenant = find(db, name);

    assert_ok(cx_tenant_drop(tenant));
    cx_tenant_unref(tenant);
}

/* Both are what they were, whatever the copy does; nor does it keep the
 * original's roles. */
static void assert_apart(struct copied *copied, struct folder *original)
{
    char role[48], statement[256], answer[ANSWER_BYTES];

    (void)two_check_in(&copied->folder);
    assert_ok(cx_db_open(copied->folder.url, NULL, &copied->to));
    double_users(copied->to, "A");
    (void)two_check_in(original);
    role_of(&copied->folder, 1, role);
    (void)snprintf(statement, sizeof(statement),
                   "SELECT count(*) FROM pg_namespace n, aclexplode(n.nspacl) a"
                   " WHERE nspname = 't1' AND a.grantee NOT IN"
                   " (n.nspowner, '%s'::regrole)",
                   role);
    ask(copied->folder.url, statement, answer);
    assert_string_equal(answer, "0");
    cx_tenant_unref(tenant_make(copied->to, "C"));
    drop_by_name(copied->from, "A");
    double_users(copied->to, "B");
    drop_by_name(copied->to, "A");
    double_users(copied->from, "B");
    assert_ok(cx_db_close(copied->to));
    assert_ok(cx_db_close(copied->from));
}

static void make_original(struct folder *folder, struct copied *copied)
{
    folder_make(folder);
    (void)two_make_in(folder);
    assert_ok(cx_db_open(folder->url, NULL, &copied->from));
}

/* P25. */
TASK_TEST(a_copy_from_a_dump_has_roles_of_its_own)
{
    static const char *const options[] = {"", "--no-privileges"};

    for (size_t i = 0; i < 2; i++) {
        struct copied copied;
        struct folder folder;
        char command[512];

        make_original(&folder, &copied);
        folder_make(&copied.folder);
        (void)snprintf(command, sizeof(command),
                       "pg_dump %s '%s' | psql -qX '%s' >/dev/null", options[i],
                       folder.url, copied.folder.url);
        assert_int_equal(system(command), 0);
        assert_apart(&copied, &folder);
        folder_remove(&copied.folder);
        folder_remove(&folder);
    }
}

/* P25. */
TASK_TEST(a_copy_of_a_template_has_roles_of_its_own)
{
    struct copied copied;
    struct folder folder;
    char statement[256], name[64];
    const char *from;

    make_original(&folder, &copied);
    assert_ok(cx_db_close(copied.from));
    from = strstr(folder.url, "@/") + 2;
    (void)snprintf(name, sizeof(name), "%.*s", (int)strcspn(from, "?"), from);
    await_none(server(), "SELECT count(*) FROM pg_stat_activity"
                         " WHERE datname LIKE 'test%'");
    (void)snprintf(statement, sizeof(statement),
                   "CREATE DATABASE %s_copy TEMPLATE %s", name, name);
    server_run(server(), statement);
    (void)snprintf(copied.folder.url, sizeof(copied.folder.url), "%.*s_copy%s",
                   (int)(strchr(folder.url, '?') - folder.url), folder.url,
                   strchr(folder.url, '?'));
    assert_ok(cx_db_open(folder.url, NULL, &copied.from));
    assert_apart(&copied, &folder);
    folder_remove(&folder);
}

/* P25: the copy is not in use yet, and the tenant's role stands in its lists.
 */
TASK_TEST(a_role_that_a_copy_names_is_dropped_once_it_does_not)
{
    struct copied copied;
    struct folder folder;
    char command[512];
    cx_tenant *tenant;

    make_original(&folder, &copied);
    folder_make(&copied.folder);
    (void)snprintf(command, sizeof(command),
                   "pg_dump '%s' | psql -qX '%s' >/dev/null", folder.url,
                   copied.folder.url);
    assert_int_equal(system(command), 0);
    tenant = find(copied.from, "A");
    assert_int_equal(cx_tenant_drop(tenant), -EINPROGRESS);
    cx_tenant_unref(tenant);
    double_users(copied.from, "B");
    assert_ok(cx_db_close(copied.from));
    (void)two_check_in(&copied.folder);
    assert_ok(cx_db_open(folder.url, NULL, &copied.from));
    assert_ok(cx_db_close(copied.from));
    await_none(folder.url, "SELECT count(*) FROM pg_roles WHERE rolname ="
                           " " ROLE_OF("1"));
    folder_remove(&copied.folder);
    folder_remove(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_copy_from_a_dump_has_roles_of_its_own),
        cmocka_unit_test(a_copy_of_a_template_has_roles_of_its_own),
        cmocka_unit_test(a_role_that_a_copy_names_is_dropped_once_it_does_not),
    };

    return cmocka_run_group_tests_name("postgres twin", tests, NULL, NULL);
}
