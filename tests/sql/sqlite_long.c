/* SPDX-License-Identifier: MIT */
/*
 * What SQLite is long at without calling anybody back: rows of megabytes, the
 * end of a large transaction, what a migration does to a table. The loop goes
 * on meanwhile: it is done on a lane, or the others have their turn in between.
 */
#include "support.h"

#include <ctxvar/migrate.h>
#include <ctxvar/model.h>
#include <ctxvar/transaction.h>

#include "threads.h"

typedef struct Page {
    int64_t id;
    cx_text body;
} Page;

static const cx_column page_columns[] = {
    CX_COLUMN(Page, id, .key = true, .automatic = true),
    CX_COLUMN(Page, body),
};

CX_MODEL(Page, page_model, "pages", page_columns);

enum { SMALL = 200, LARGE = 1 << 20, MANY = 20000 };

/* Statements that begin so are looked for: how often they were stepped on the
 * loop's thread, and how often on another. */
static const char *watched;
static int on_loop, on_lane;

int __wrap_sqlite3_step(sqlite3_stmt *statement);
int __real_sqlite3_step(sqlite3_stmt *statement);

int __wrap_sqlite3_step(sqlite3_stmt *statement)
{
    if (watched != NULL &&
        strncmp(sqlite3_sql(statement), watched, strlen(watched)) == 0) {
        if (cx_task_current() != NULL)
            on_loop++;
        else
            on_lane++;
    }
    return __real_sqlite3_step(statement);
}

static void watch(const char *text)
{
    watched = text;
    on_loop = on_lane = 0;
}

/* Whoever looks at the clock sees that it has gone on. */
static uint64_t looks;
static int yields;

uint64_t __wrap_cx_time(void);
uint64_t __real_cx_time(void);
int __wrap_cx__yield_long(void);
int __real_cx__yield_long(void);

uint64_t __wrap_cx_time(void)
{
    return __real_cx_time() + __atomic_add_fetch(&looks, 1, __ATOMIC_RELAXED);
}

int __wrap_cx__yield_long(void)
{
    yields++;
    return __real_cx__yield_long();
}

/* A test with a tenant that has a table of pages. */
#define PAGE_TEST(name)                                                        \
    static void name##_of(struct folder *folder, cx_db *db);                   \
    DB_TEST(name)                                                              \
    {                                                                          \
        cx_tenant *tenant;                                                     \
                                                                               \
        template_exec(folder, "CREATE TABLE pages"                             \
                              " (id INTEGER PRIMARY KEY AUTOINCREMENT,"        \
                              " body TEXT NOT NULL)");                         \
        tenant = tenant_make(db, "A");                                         \
        CX_WITH_TENANT(tenant) {                                               \
            name##_of(folder, db);                                             \
        }                                                                      \
        watch(NULL);                                                           \
        cx_tenant_unref(tenant);                                               \
    }                                                                          \
    static void name##_of(CX__UNUSED struct folder *folder,                    \
                          CX__UNUSED cx_db *db)

static int add(cx_db *db, size_t bytes)
{
    static char body[4 * LARGE];
    Page page = {.body = {body, bytes}};

    memset(body, 'x', bytes);
    return cx_db_insert(db, &page_model, &page);
}

static int64_t count(cx_db *db)
{
    int64_t n = -1;

    assert_ok(cx_db_count(db, &page_model, NULL, &n));
    return n;
}

/* More pages than SQLite keeps, by models alone. */
static int add_many(cx_db *db)
{
    int error = 0;

    for (int i = 0; error == 0 && i < MANY; i++)
        error = add(db, SMALL);
    return error;
}

PAGE_TEST(the_end_of_a_small_transaction_is_the_loops)
{
    int error, inner;

    CX_TRANSACTION(db, &error) {
        error = add(db, SMALL);
        watch("ROLLBACK TO");
        CX_TRANSACTION(db, &inner) {
            inner = add(db, SMALL);
            break;
        }
        assert_int_equal(on_loop, 1);
        watch("COMMIT");
    }
    assert_ok(error);
    assert_int_equal(on_loop, 1);
    assert_int_equal(on_lane, 0);
    assert_int_equal(count(db), 1);
}

PAGE_TEST(the_end_of_a_large_transaction_is_not_the_loops)
{
    int error, inner;

    CX_TRANSACTION(db, &error) {
        CX_TRANSACTION(db, &inner) {
            inner = add_many(db);
            assert_ok(inner);
            watch("ROLLBACK TO");
            break;
        }
        assert_int_equal(on_lane, 1);
        assert_int_equal(on_loop, 0);
        error = add_many(db);
        watch("COMMIT");
    }
    assert_ok(error);
    assert_int_equal(on_lane, 1);
    assert_int_equal(count(db), MANY);
    CX_TRANSACTION(db, &error) {
        error = run(db, "UPDATE pages SET body = body || 'y'");
        assert_ok(error);
        watch("ROLLBACK");
        break;
    }
    assert_int_equal(on_lane, 1);
    assert_int_equal(on_loop, 0);
    CX_TRANSACTION(db, &error) {
        error = add(db, SMALL);
        watch("COMMIT");
    }
    assert_ok(error);
    assert_int_equal(on_loop, 1);
}

PAGE_TEST(a_large_transaction_is_committed_without_a_thread)
{
    int error;

    CX_TRANSACTION(db, &error) {
        error = add_many(db);
        watch("COMMIT");
        refused_threads = 1;
    }
    refused_threads = 0;
    assert_ok(error);
    assert_int_equal(on_loop, 1);
    assert_int_equal(count(db), MANY);
}

PAGE_TEST(a_large_value_is_not_written_on_the_loop)
{
    watch("INSERT");
    assert_ok(add(db, LARGE - 1));
    assert_int_equal(on_loop, 1);
    assert_ok(add(db, LARGE));
    assert_int_equal(on_loop, 1);
    assert_int_equal(on_lane, 1);
    assert_ok(add(db, SMALL));
    assert_int_equal(on_loop, 2);
    assert_int_equal(count(db), 3);
}

DB_TEST(a_migration_does_not_run_on_the_loop)
{
    static const cx_migration list[] = {
        {1, "pages",
         .sqlite = "CREATE TABLE pages (id INTEGER PRIMARY KEY, body TEXT);"
                   "INSERT INTO pages (body) VALUES ('a'), ('b');"
                   "DELETE FROM pages WHERE id = 1"}};
    cx_tenant *tenant = tenant_make(db, "A");

    watch("DELETE FROM pages");
    assert_ok(cx_migrate(db, list, 1, NULL, NULL));
    assert_int_equal(on_loop, 0);
    assert_int_equal(on_lane, 2);
    watch(NULL);
    CX_WITH_TENANT(tenant) {
        assert_int_equal(number(db, "SELECT count(*) FROM pages"), 1);
    }
    cx_tenant_unref(tenant);
}

PAGE_TEST(others_have_their_turn_within_a_large_row)
{
    Page page = {.id = 1};
    CX_ARENA(arena);

    assert_ok(add(db, 4 * LARGE));
    yields = 0;
    assert_ok(cx_db_find(db, &page_model, &page, &arena));
    assert_int_equal(page.body.len, 4 * LARGE);
    assert_in_range(yields, 10, 100);
}

PAGE_TEST(others_have_their_turn_while_rows_are_counted)
{
    assert_ok(add_many(db));
    yields = 0;
    assert_int_equal(count(db), MANY);
    assert_in_range(yields, 10, 100);
}

PAGE_TEST(others_have_their_turn_while_large_rows_are_sorted)
{
    int error = -1;
    Page page;

    for (int i = 0; i < 6; i++)
        assert_ok(add(db, LARGE));
    yields = 0;
    CX_DB_EACH(db, &page_model, CX_QUERY(.order = "body"), &page, &error) {
        assert_int_equal(page.body.len, LARGE);
        break;
    }
    assert_in_range(yields, 15, 200);
}

/* Six rows are few steps of SQLite's machine. */
PAGE_TEST(a_deadline_ends_a_list_of_large_rows)
{
    Page *pages = NULL;
    size_t n = 0;
    CX_ARENA(arena);

    for (int i = 0; i < 6; i++)
        assert_ok(add(db, LARGE));
    CX_TIMEOUT(20) {
        assert_int_equal(cx_db_list(db, &page_model, NULL, &pages, &n, &arena),
                         -ETIMEDOUT);
    }
    assert_ok(cx_db_list(db, &page_model, NULL, &pages, &n, &arena));
    assert_int_equal(n, 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_end_of_a_small_transaction_is_the_loops),
        cmocka_unit_test(the_end_of_a_large_transaction_is_not_the_loops),
        cmocka_unit_test(a_large_transaction_is_committed_without_a_thread),
        cmocka_unit_test(a_large_value_is_not_written_on_the_loop),
        cmocka_unit_test(a_migration_does_not_run_on_the_loop),
        cmocka_unit_test(others_have_their_turn_within_a_large_row),
        cmocka_unit_test(others_have_their_turn_while_rows_are_counted),
        cmocka_unit_test(others_have_their_turn_while_large_rows_are_sorted),
        cmocka_unit_test(a_deadline_ends_a_list_of_large_rows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
