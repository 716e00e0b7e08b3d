/* SPDX-License-Identifier: MIT */
/*
 * Statements that are too large, or have no end: they are refused or stopped,
 * and the others go on meanwhile. The numbers are those of the catalogue of
 * attacks.
 */
#include "two.h"

#include <ctxvar/transaction.h>

#include "sqlite.h"

#define NUMBERS                                                                \
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "

/* Each of another kind, and all of it would take for ever. */
static const char *const endless[] = {
    NUMBERS "SELECT count(*) FROM n",
    NUMBERS "SELECT i FROM n",
    NUMBERS "SELECT i FROM n ORDER BY -i",
    NUMBERS "SELECT count(DISTINCT i) FROM n",
    NUMBERS "SELECT sum(i) OVER (ORDER BY i) FROM n",
    NUMBERS "SELECT group_concat('') FROM n",
    NUMBERS "SELECT 1 WHERE EXISTS (SELECT 1 FROM n WHERE i < 0)",
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION SELECT i + 1 FROM n)"
    " SELECT max(i) FROM n",
    "SELECT count(*) FROM users, users, users, users, users, users, users",
    NUMBERS "INSERT INTO users (name) SELECT 'x' FROM n",
    NUMBERS "UPDATE users SET age = (SELECT count(*) FROM n)",
    NUMBERS "DELETE FROM users WHERE id < (SELECT count(*) FROM n)",
};

enum { ENDLESS = sizeof(endless) / sizeof(endless[0]) };

/* A task with one of those, whose rows are wanted. */
struct runner {
    cx_db *db;
    const char *text;
    int error;
    bool began;
    bool ended;
};

static void *run_endless(void *arg)
{
    struct runner *runner = arg;
    cx_rows rows = {.len = 0};

    runner->began = true;
    runner->error = cx_db_sql(runner->db, runner->text, NULL, &rows);
    runner->ended = true;
    cx_rows_fini(&rows);
    return NULL;
}

/* What B does while A's statement runs. */
static void work_on(cx_db *db, const struct two *two)
{
    CX_WITH_TENANT(two->b) {
        for (int i = 0; i < 10; i++) {
            assert_int_equal(number(db, "SELECT count(*) FROM users"), ROWS);
            assert_ok(run(db, "UPDATE users SET age = age"));
            assert_int_equal(cx_yield(), 0);
        }
    }
}

/* S20. */
ATTACK(a_statement_without_end_lets_the_others_work_and_can_be_cancelled)
{
    for (int i = 0; i < ENDLESS; i++) {
        struct runner runner = {.db = db, .text = endless[i]};
        cx_task *task = cx_task_create(run_endless, &runner);

        while (!runner.began)
            assert_int_equal(cx_yield(), 0);
        work_on(db, two);
        assert_false(runner.ended);
        assert_int_equal(cx_cancel(task), 0);
        assert_int_equal(cx_await(task, NULL), 0);
        assert_int_equal(runner.error, -ECANCELED);
    }
}

/* S20. */
ATTACK(a_statement_without_end_ends_at_the_deadline)
{
    for (int i = 0; i < ENDLESS; i++) {
        struct runner runner = {.db = db, .text = endless[i]};

        CX_TIMEOUT(20) {
            (void)run_endless(&runner);
        }
        assert_int_equal(runner.error, -ETIMEDOUT);
    }
}

/* S20: few steps, each of which takes some time. */
ATTACK(a_statement_of_heavy_rows_lets_the_others_run_in_between)
{
    struct turn_count turns = {0, false};
    cx_task *task = cx_task_create(count_turns, &turns);

    assert_ok(run(db, "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL"
                      " SELECT i + 1 FROM n LIMIT 200)"
                      " SELECT sum(length(hex(randomblob(300000 + i))))"
                      " FROM n"));
    assert_true(turns.n > 5);
    turns.ended = true;
    assert_int_equal(cx_await(task, NULL), 0);
}

/* A text of n times the same piece. */
static char *repeated(const char *begin, const char *piece, int n,
                      const char *end)
{
    size_t len = strlen(piece);
    char *text = malloc(strlen(begin) + (size_t)n * len + strlen(end) + 1);
    char *at = text + sprintf(text, "%s", begin);

    for (int i = 0; i < n; i++, at += len)
        memcpy(at, piece, len);
    (void)strcpy(at, end);
    return text;
}

/* A statement that is refused with these words. */
static void assert_too_much(cx_db *db, const char *text, int error,
                            const char *words)
{
    assert_int_equal(run(db, text), error);
    if (strstr(cx_db_problem(), words) == NULL)
        fail_msg("%.60s: %s", text, cx_db_problem());
}

/* n pieces are a statement, and one more is not. */
static void assert_most(cx_db *db, const char *piece, int n, const char *words)
{
    char *most = repeated("SELECT 1", piece, n, "");
    char *more = repeated("SELECT 1", piece, n + 1, "");

    assert_ok(run(db, most));
    assert_too_much(db, more, -E2BIG, words);
    free(most);
    free(more);
}

/* S20. */
ATTACK(a_deep_statement_is_refused_and_a_common_one_is_not)
{
    char *nested = repeated("SELECT ", "(", 5000, "");
    char *selects = repeated("SELECT ", "(SELECT ", 1000, "");
    char *arguments = repeated("SELECT max(0", ", 1", 100, ")");
    int error;

    assert_most(db, " + 1", 99, "maximum depth 100");
    assert_most(db, " UNION ALL SELECT 1", 49, "too many terms");
    error = run(db, nested);
    assert_true(error == -E2BIG || error == -ENOMEM);
    error = run(db, selects);
    assert_true(error == -E2BIG || error == -ENOMEM);
    assert_too_much(db, arguments, -E2BIG, "too many arguments");
    free(arguments);
    free(nested);
    free(selects);
}

/* "SELECT $1 + ... + $n" would be deep. */
static char *with_variables(int n)
{
    char *text = malloc((size_t)n * 8 + 64);
    char *at = text + sprintf(text, "SELECT 0 IN ($1");

    for (int i = 2; i <= n; i++)
        at += sprintf(at, ", $%d", i);
    (void)strcpy(at, ")");
    return text;
}

/* S20. */
ATTACK(a_thousand_variables_are_bound_and_32_thousand_are_refused)
{
    cx_param values[1000];
    cx_params params = {values, 1000};
    char *most = with_variables(1000);
    char *more = with_variables(1001);
    char *many = with_variables(32768);

    for (int i = 0; i < 1000; i++)
        values[i] = (cx_param){.kind = CX_KIND_I64, .i64 = 1};
    assert_ok(cx_db_sql(db, most, &params, NULL));
    assert_too_much(db, more, -E2BIG, "too many SQL variables");
    assert_too_much(db, many, -E2BIG, "too many SQL variables");
    assert_too_much(db, "SELECT ?32768", -E2BIG, "variable number");
    free(most);
    free(more);
    free(many);
}

/* S20: each of its bytes may be compared with each of the value's. */
ATTACK(a_pattern_has_a_hundred_bytes_at_most)
{
    assert_ok(run(db, "SELECT 'x' LIKE hex(zeroblob(50))"));
    assert_ok(run(db, "SELECT 'x' GLOB hex(zeroblob(50))"));
    assert_too_much(db, "SELECT 'x' LIKE hex(zeroblob(51))", -E2BIG,
                    "pattern too complex");
    assert_too_much(db, "SELECT 'x' GLOB hex(zeroblob(51))", -E2BIG,
                    "pattern too complex");
}

/* S20. */
ATTACK(a_value_of_a_gibibyte_is_never_made)
{
    static const char *const texts[] = {
        "SELECT zeroblob(1 << 30)",
        "SELECT randomblob(1 << 30)",
        "SELECT hex(zeroblob(1 << 25))",
        "SELECT quote(zeroblob(1 << 25))",
        "SELECT replace(hex(zeroblob(1000)), '0', hex(zeroblob(1 << 16)))",
        "SELECT zeroblob(1 << 25) || zeroblob(1 << 25) || 'x'",
        "SELECT group_concat(hex(zeroblob(1 << 19))) FROM users",
        "SELECT json_group_array(hex(zeroblob(1 << 19))) FROM users",
        "INSERT INTO users (name) VALUES (zeroblob(1 << 30))",
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        int error = run(db, texts[i]);

        if (error != -E2BIG)
            fail_msg("%s: %d", texts[i], error);
    }
}

/* S20. */
ATTACK(a_text_or_parameter_that_is_too_long_is_refused)
{
    size_t len = (64 << 20) + 1;
    enum { TEXT = 1 << 20, AROUND = 9 };
    char *text = repeated("SELECT '", "x", TEXT - AROUND, "'");
    char *longer = repeated("SELECT '", "x", TEXT - AROUND + 1, "'");
    char *large = calloc(1, len);
    cx_param value = {.kind = CX_KIND_BLOB, .blob = {large, len}};
    cx_params params = {&value, 1};

    assert_ok(run(db, text));
    assert_int_equal(run(db, longer), -E2BIG);
    assert_int_equal(cx_db_sql(db, "SELECT length($1)", &params, NULL), -E2BIG);
    value.blob.len--;
    assert_ok(cx_db_sql(db, "SELECT length($1)", &params, NULL));
    free(text);
    free(longer);
    free(large);
}

/* S20: each of them is the one before it twice. */
ATTACK(a_statement_that_takes_all_memory_ends_at_the_programs_bound)
{
    char text[2048] = "WITH c0 AS (SELECT 1)";
    size_t len = strlen(text);
    sqlite3_int64 bound;

    for (int i = 1; i <= 30; i++)
        len += (size_t)sprintf(text + len, ", c%d AS (SELECT 1 FROM c%d, c%d)",
                               i, i - 1, i - 1);
    (void)sprintf(text + len, " SELECT 1 FROM c30 LIMIT 1");
    bound = sqlite3_hard_heap_limit64(32 << 20);
    assert_int_equal(run(db, text), -ENOMEM);
    assert_int_equal(number(db, "SELECT count(*) FROM users"), ROWS);
    (void)sqlite3_hard_heap_limit64(bound);
}

/* Six megabytes. */
#define BLOBS                                                                  \
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"          \
    " LIMIT 6000), b (b) AS (SELECT randomblob(1000 + i % 2) FROM n) "

/* Each keeps them on the disk for another purpose. */
static const char *const spilling[] = {
    BLOBS "SELECT count(*) FROM (SELECT DISTINCT b FROM b)",
    BLOBS "SELECT b FROM b ORDER BY b",
    BLOBS "SELECT count(*) FROM b GROUP BY b",
    BLOBS "SELECT b FROM b UNION SELECT b FROM b",
    BLOBS "SELECT rank() OVER (ORDER BY b) FROM b",
    BLOBS "INSERT INTO users (name) SELECT DISTINCT b FROM b",
};

/* S20: it ends the statement, and not the transaction. */
ATTACK(a_statement_cannot_fill_the_disk_with_what_it_sorts)
{
    int error = 0;

    cx__vfs_bound(cx__sqlite_of(db)->bounded, 3 << 20);
    CX_TRANSACTION(db, &error) {
        assert_ok(run(db, "INSERT INTO users (name) VALUES ('kept')"));
        for (size_t i = 0; i < sizeof(spilling) / sizeof(spilling[0]); i++)
            assert_too_much(db, spilling[i], -E2BIG, "to sort or compare");
    }
    assert_ok(error);
    assert_int_equal(number(db, "SELECT count(*) FROM users"), ROWS + 1);
    cx__vfs_bound(cx__sqlite_of(db)->bounded, 256 << 20);
    for (size_t i = 0; i < sizeof(spilling) / sizeof(spilling[0]); i++)
        assert_ok(run(db, spilling[i]));
    assert_ok(run(db, "DELETE FROM users WHERE id > 100"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            a_statement_without_end_lets_the_others_work_and_can_be_cancelled),
        cmocka_unit_test(a_statement_without_end_ends_at_the_deadline),
        cmocka_unit_test(
            a_statement_of_heavy_rows_lets_the_others_run_in_between),
        cmocka_unit_test(a_deep_statement_is_refused_and_a_common_one_is_not),
        cmocka_unit_test(
            a_thousand_variables_are_bound_and_32_thousand_are_refused),
        cmocka_unit_test(a_pattern_has_a_hundred_bytes_at_most),
        cmocka_unit_test(a_value_of_a_gibibyte_is_never_made),
        cmocka_unit_test(a_text_or_parameter_that_is_too_long_is_refused),
        cmocka_unit_test(
            a_statement_that_takes_all_memory_ends_at_the_programs_bound),
        cmocka_unit_test(a_statement_cannot_fill_the_disk_with_what_it_sorts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
