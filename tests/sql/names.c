/* SPDX-License-Identifier: MIT */
/*
 * Names of tenants are data: each is kept byte by byte or refused when it is
 * given, and none reaches a statement's text or a path, beside two tenants that
 * have rows. The numbers are those of the catalogue of attacks.
 */
#include "two.h"

#include <dirent.h>

/* A literal as a cx_text, with whatever bytes it has. */
#define BYTES(literal) ((cx_text){(literal), sizeof(literal) - 1})

/* On a server: schemas and roles are named after numbers. */
static void assert_clean_server(const struct folder *folder)
{
    char answer[64];

    server_answer(folder->url,
                  "SELECT count(*) FROM (SELECT nspname FROM pg_namespace"
                  " WHERE nspname !~ '^(t[0-9]+|ctxvar|public|pg_[a-z_]+|"
                  "information_schema)$' UNION ALL SELECT rolname FROM"
                  " pg_roles WHERE rolname !~ '^(cx_[0-9]+_[0-9]+|owner|"
                  "postgres|pg_[a-z_]+)$') AS other",
                  answer, sizeof(answer));
    assert_string_equal(answer, "0");
}

/* The database has what belongs there, and nothing else. */
static void assert_clean(const struct folder *folder)
{
    char path[96];
    const struct dirent *entry;
    DIR *files;

    if (server() != NULL) {
        assert_clean_server(folder);
        return;
    }
    (void)snprintf(path, sizeof(path), "%s/db", folder->path);
    files = opendir(path);
    assert_non_null(files);
    while ((entry = readdir(files)) != NULL) {
        const char *name = entry->d_name;

        if (name[0] != '.' && strncmp(name, "registry.db", 11) != 0 &&
            !(name[0] == 't' && name[1] >= '0' && name[1] <= '9'))
            fail_msg("a file of the name %s", name);
    }
    (void)closedir(files);
}

/* It is the tenant's name from its creation to its end, and nobody else's. */
static void assert_round_trip(struct folder *folder, cx_db *db, cx_text name)
{
    cx_tenant *made = NULL;
    cx_tenant *found = NULL;

    assert_ok(cx_tenant_create(db, name, &made));
    assert_ok(cx_tenant_find(db, name, &found));
    assert_ptr_equal(found, made);
    assert_int_equal(cx_tenant_name(made).len, name.len);
    assert_memory_equal(cx_tenant_name(made).data, name.data, name.len);
    CX_WITH_TENANT(made) {
        assert_int_equal(number(db, "SELECT 1"), 1);
    }
    assert_clean(folder);
    assert_ok(cx_tenant_drop(made));
    cx_tenant_unref(made);
    cx_tenant_unref(found);
    assert_int_equal(cx_tenant_find(db, name, &found), -ENOENT);
}

static void assert_not_a_name(cx_db *db, cx_text name)
{
    cx_tenant *tenant = NULL;

    assert_int_equal(cx_tenant_create(db, name, &tenant), -EINVAL);
    assert_int_equal(cx_tenant_find(db, name, &tenant), -EINVAL);
    assert_null(tenant);
}

#define assert_all_round_trip(...)                                             \
    do {                                                                       \
        static const char *const names_[] = {__VA_ARGS__};                     \
                                                                               \
        for (size_t i_ = 0; i_ < sizeof(names_) / sizeof(names_[0]); i_++)     \
            assert_round_trip(folder, db, CX_TEXT(names_[i_]));                \
    } while (0)

/* N1, N2, N3. */
TWO_TEST(a_name_that_is_sql_is_a_name)
{
    assert_all_round_trip("Users_A\"; DROP TABLE users; --", "a', 't2",
                          "a'||pg_sleep(9)||'", "');DELETE FROM cx_tenants;--",
                          "\\", "`a`", "[a]", "a/*", "$1", "?1", ":name");
}

/* N4. */
TWO_TEST(a_name_with_a_nul_is_refused_and_not_cut)
{
    cx_tenant *tenant = tenant_make(db, "a");

    assert_not_a_name(db, BYTES("a\0b"));
    assert_not_a_name(db, BYTES("a\0"));
    assert_not_a_name(db, BYTES("\0"));
    cx_tenant_unref(tenant);
}

/* N5. */
TWO_TEST(no_name_is_refused)
{
    assert_not_a_name(db, BYTES(""));
    assert_not_a_name(db, (cx_text){NULL, 0});
}

/* Each is another tenant's name than the others. */
static void assert_all_differ(cx_db *db, const struct two *two,
                              const char *const *names, int n)
{
    cx_tenant *found;

    for (int i = 0; i < n; i++)
        cx_tenant_unref(tenant_make(db, names[i]));
    for (int i = 0; i < n; i++) {
        assert_ok(cx_tenant_find(db, CX_TEXT(names[i]), &found));
        assert_int_equal(cx_tenant_id(found), cx_tenant_id(two->b) + i + 1);
        assert_string_equal(cx_tenant_name(found).data, names[i]);
        cx_tenant_unref(found);
    }
}

/* N5. */
TWO_TEST(spaces_count)
{
    static const char *const names[] = {"a", "a ", " a", " ", "  "};

    assert_all_differ(db, two, names, 5);
}

/* N7. */
TWO_TEST(a_name_has_255_bytes_at_most_whatever_its_characters)
{
    char name[257];

    for (size_t i = 0; i < 256; i += 2)
        memcpy(name + i, "\xc3\xa9", 2);
    assert_round_trip(folder, db, (cx_text){name, 254});
    assert_not_a_name(db, (cx_text){name, 256});
    memset(name, 'x', sizeof(name));
    assert_round_trip(folder, db, (cx_text){name, 255});
    assert_not_a_name(db, (cx_text){name, 256});
}

/* N8. */
TWO_TEST(what_is_not_utf8_is_refused)
{
    assert_not_a_name(db, BYTES("\xff"));
    assert_not_a_name(db, BYTES("a\x80"));
    assert_not_a_name(db, BYTES("\xc3"));
    assert_not_a_name(db, BYTES("\xc0\xaf"));
    assert_not_a_name(db, BYTES("\xe0\x80\xaf"));
    assert_not_a_name(db, BYTES("\xed\xa0\x80"));
    assert_not_a_name(db, BYTES("\xf4\x90\x80\x80"));
    assert_not_a_name(db, BYTES("\xf8\x88\x80\x80\x80"));
}

/* N8. */
TWO_TEST(control_characters_are_refused)
{
    assert_not_a_name(db, BYTES("a\nb"));
    assert_not_a_name(db, BYTES("\x1b[2J"));
    assert_not_a_name(db, BYTES("\x7f"));
    assert_not_a_name(db, BYTES("\xc2\x85"));
    assert_round_trip(folder, db, BYTES("\xc2\xa0"));
}

/* N8: é composed and not, the Turkish I's, case: all of them differ. */
TWO_TEST(names_that_look_alike_are_several_tenants)
{
    static const char *const names[] = {"caf\xc3\xa9",
                                        "cafe\xcc\x81",
                                        "I",
                                        "i",
                                        "\xc4\xb0",
                                        "\xc4\xb1",
                                        "c2",
                                        "C2",
                                        "a",
                                        ("\xe2\x80\xae"
                                         "a")};

    assert_all_differ(db, two, names, sizeof(names) / sizeof(names[0]));
}

/* N10, N11. */
TWO_TEST(a_name_that_means_something_to_an_engine_is_a_name)
{
    assert_all_round_trip("pg_catalog", "pg_toast", "information_schema",
                          "public", "postgres", "pg_temp", "$user", "none",
                          "default", "sqlite_master", "sqlite_schema", "main",
                          "temp", "sqlite_sequence", "cx_tenants", "t0", "t1",
                          "registry");
}

/* N12. */
TWO_TEST(a_name_that_is_a_path_is_a_name)
{
    assert_all_round_trip("../B", "/etc/passwd", "a/b", ".", "..", "CON",
                          "file:b?mode=rw", ":memory:", "a.db-wal", "t2.db",
                          "../db/t1.db");
}

/* N13. */
TWO_TEST(a_name_that_is_a_word_or_a_number_or_a_format_is_a_name)
{
    assert_all_round_trip("select", "user", "1", "0x1", "1e9", "true", "%s%n",
                          "{0}", "a:reader", "null", "-1", "0");
}

/* N14. */
TWO_TEST(a_number_as_a_name_does_not_open_the_tenant_of_that_number)
{
    cx_tenant *found = NULL;

    assert_int_equal(cx_tenant_id(two->a), 1);
    assert_int_equal(cx_tenant_find(db, CX_TEXT("1"), &found), -ENOENT);
    found = tenant_make(db, "1");
    assert_int_equal(cx_tenant_id(found), 3);
    cx_tenant_unref(found);
}

/* N15. */
TWO_TEST(a_name_that_is_given_again_is_another_tenant)
{
    cx_tenant *old = tenant_make(db, "again");
    cx_tenant *new;

    CX_WITH_TENANT(old) {
        assert_ok(run(db, "INSERT INTO users (name) VALUES ('old')"));
    }
    assert_ok(cx_tenant_drop(old));
    new = tenant_make(db, "again");
    assert_ptr_not_equal(new, old);
    assert_int_equal(cx_tenant_id(new), cx_tenant_id(old) + 1);
    CX_WITH_TENANT(old) {
        assert_int_equal(run(db, "SELECT * FROM users"), -ESTALE);
    }
    CX_WITH_TENANT(new) {
        assert_int_equal(number(db, "SELECT count(*) FROM users"), 0);
    }
    cx_tenant_unref(old);
    cx_tenant_unref(new);
}

DB_TEST(a_problem_does_not_tell_a_tenants_name)
{
    cx_tenant *tenant = tenant_make(db, "Acme Ltd");

    assert_int_equal(cx_tenant_create(db, CX_TEXT("Acme Ltd"), NULL), -EEXIST);
    assert_null(strstr(cx_db_problem(), "Acme"));
    CX_WITH_TENANT(tenant) {
        assert_int_equal(run(db, "SELECT * FROM none"), -EINVAL);
    }
    assert_null(strstr(cx_db_problem(), "Acme"));
    cx_tenant_unref(tenant);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_that_is_sql_is_a_name),
        cmocka_unit_test(a_name_with_a_nul_is_refused_and_not_cut),
        cmocka_unit_test(no_name_is_refused),
        cmocka_unit_test(spaces_count),
        cmocka_unit_test(a_name_has_255_bytes_at_most_whatever_its_characters),
        cmocka_unit_test(what_is_not_utf8_is_refused),
        cmocka_unit_test(control_characters_are_refused),
        cmocka_unit_test(names_that_look_alike_are_several_tenants),
        cmocka_unit_test(a_name_that_means_something_to_an_engine_is_a_name),
        cmocka_unit_test(a_name_that_is_a_path_is_a_name),
        cmocka_unit_test(
            a_name_that_is_a_word_or_a_number_or_a_format_is_a_name),
        cmocka_unit_test(
            a_number_as_a_name_does_not_open_the_tenant_of_that_number),
        cmocka_unit_test(a_name_that_is_given_again_is_another_tenant),
        cmocka_unit_test(a_problem_does_not_tell_a_tenants_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
