/* SPDX-License-Identifier: MIT */
/* What URLs of databases on a server may say. */
#include "support.h"

#include <ctxvar/deadline.h>

/* A test with the URL of a database that is made for it. */
#define URL_TEST(name)                                                         \
    static void name##_with(const struct folder *folder);                      \
    TASK_TEST(name)                                                            \
    {                                                                          \
        struct folder folder;                                                  \
                                                                               \
        folder_make(&folder);                                                  \
        name##_with(&folder);                                                  \
        folder_remove(&folder);                                                \
    }                                                                          \
    static void name##_with(const struct folder *folder)

/* Open the database of a URL, and have a tenant of it run a statement. */
static int64_t number_by(const char *url, const char *statement)
{
    cx_tenant *tenant;
    int64_t value = -1;
    cx_db *db;

    assert_ok(cx_db_open(url, NULL, &db));
    tenant = tenant_make(db, "A");
    CX_WITH_TENANT(tenant) {
        value = number(db, statement);
    }
    cx_tenant_unref(tenant);
    assert_ok(cx_db_close(db));
    return value;
}

URL_TEST(a_url_may_begin_with_postgres_alone)
{
    char url[256];

    (void)snprintf(url, sizeof(url), "postgres%s", strchr(folder->url, ':'));
    assert_int_equal(number_by(url, "SELECT 41 + 1"), 42);
}

/* Nobody listens in the first one, and the name of the second is nobody's. */
URL_TEST(of_several_hosts_one_that_is_there_is_found)
{
    const char *host = strstr(folder->url, "host=") + strlen("host=");
    char url[256];

    (void)snprintf(url, sizeof(url), "%.*s/nowhere,nobody.invalid,127.0.0.1,%s",
                   (int)(host - folder->url), folder->url, host);
    assert_int_equal(number_by(url, "SELECT 41 + 1"), 42);
}

/* A name of the environment's is looked up as one of the URL's is. */
URL_TEST(the_environment_may_name_the_host)
{
    const char *host = strstr(folder->url, "?host=");
    char url[256];

    (void)snprintf(url, sizeof(url), "%.*s", (int)(host - folder->url),
                   folder->url);
    assert_int_equal(setenv("PGHOST", host + strlen("?host="), 1), 0);
    assert_int_equal(number_by(url, "SELECT 41 + 1"), 42);
    assert_int_equal(unsetenv("PGHOST"), 0);
}

URL_TEST(a_urls_options_hold_where_ours_do_not)
{
    char url[384];

    (void)snprintf(url, sizeof(url),
                   "%s&options=-c%%20geqo_threshold%%3D7"
                   "%%20-c%%20search_path%%3Dpg_catalog",
                   folder->url);
    assert_int_equal(
        number_by(url, "SELECT current_setting('geqo_threshold')::bigint"
                       " WHERE current_schema() = 't1'"),
        7);
}

TASK_TEST(what_is_wrong_with_a_url_is_told_without_its_password)
{
    cx_db *db;

    assert_int_equal(cx_db_open("postgresql://me:secret@[here/db", NULL, &db),
                     -EINVAL);
    assert_non_null(strstr(cx_db_problem(), "]"));
    assert_null(strstr(cx_db_problem(), "secret"));
    assert_int_equal(cx_db_open("postgresql://me:se%cret@/db?no=1", NULL, &db),
                     -EINVAL);
    assert_null(strstr(cx_db_problem(), "cret"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_url_may_begin_with_postgres_alone),
        cmocka_unit_test(of_several_hosts_one_that_is_there_is_found),
        cmocka_unit_test(the_environment_may_name_the_host),
        cmocka_unit_test(a_urls_options_hold_where_ours_do_not),
        cmocka_unit_test(what_is_wrong_with_a_url_is_told_without_its_password),
    };

    return cmocka_run_group_tests_name("postgres url", tests, NULL, NULL);
}
