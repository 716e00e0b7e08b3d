/* SPDX-License-Identifier: MIT */
/*
 * What tenant A's own statements do to the session that they share with the
 * library's: its transactions, and what its values are written in. The numbers
 * are those of the catalogue of attacks.
 */
#include "two.h"

#include <ctxvar/model.h>
#include <ctxvar/transaction.h>

#include "lease.h"
#include "postgres_statement.h"

/* Statements that end a transaction, or begin one, for a server that is not
 * told apart from them by a first word that is read as a human would. */
static const char *const disguised[] = {
    "/**/--x\rCOMMIT",
    "--\rCOMMIT",
    "/**/--x\rROLLBACK AND CHAIN",
    "/**/--x\rROLLBACK",
    "SAVEPOINT\"cx1\"",
    "RELEASE\"cx1\"",
    "ROLLBACK/**/TO\"cx1\"",
    "LISTEN\"x\"",
    "NOTIFY\"x\"",
    "COPY\"users\"TO STDOUT",
    "COPY(SELECT 1)TO STDOUT",
    "CLOSE\"x\"",
    "DEALLOCATE\"cx0\"",
    "PREPARE\"cx0\"AS SELECT 1",
    "commit\f",
    ";;--\r--\n/*/**/*/(COMMIT",
};

enum { DISGUISED = sizeof(disguised) / sizeof(disguised[0]) };

static int change_and_run(cx_db *db, const char *statement)
{
    assert_ok(run(db, "UPDATE users SET age = age + 1 WHERE id = 1"));
    return run(db, statement);
}

/* P4: a block that is rolled back leaves no row, and one that is committed has
 * them all. */
ATTACK(no_disguise_ends_a_transaction)
{
    for (size_t i = 0; i < DISGUISED; i++) {
        int error;

        CX_TRANSACTION(db, &error) {
            if (change_and_run(db, disguised[i]) != -EACCES)
                fail_msg("%s", disguised[i]);
            error = -EDOM;
        }
        assert_int_equal(error, -EDOM);
        two_check(db, two);
        CX_TRANSACTION(db, &error) {
            assert_int_equal(change_and_run(db, disguised[i]), -EACCES);
            assert_ok(run(db, "UPDATE users SET age = age - 1 WHERE id = 1"));
        }
        assert_ok(error);
        two_check(db, two);
    }
}

/* P4. */
ATTACK(no_disguise_ends_a_transaction_within_another)
{
    for (size_t i = 0; i < DISGUISED; i++) {
        int error, inner;

        CX_TRANSACTION(db, &error) {
            assert_ok(run(db, "UPDATE users SET age = age + 1 WHERE id = 2"));
            CX_TRANSACTION(db, &inner) {
                assert_int_equal(change_and_run(db, disguised[i]), -EACCES);
                inner = -EDOM;
            }
            assert_int_equal(inner, -EDOM);
            assert_ok(run(db, "UPDATE users SET age = age - 1 WHERE id = 2"));
        }
        assert_ok(error);
        two_check(db, two);
    }
}

/* What begins like such a word is none. */
ATTACK(a_word_that_is_longer_is_another)
{
    static const char *const words[] = {"commits", "COMMIT_", "commit1",
                                        "commit$", "commit\xc3\xa9"};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        assert_int_equal(run(db, words[i]), -EINVAL);
        assert_null(strstr(cx_db_problem(), "own statement"));
    }
}

/* P4: the second net, for what the first one does not know. */
ATTACK(what_the_server_says_it_was_ends_the_session)
{
    static const char *const statements[] = {
        "SAVEPOINT x", "RELEASE x", "START TRANSACTION", "COMMIT AND CHAIN",
        "ROLLBACK AND CHAIN"};

    for (size_t i = 0; i < sizeof(statements) / sizeof(statements[0]); i++) {
        struct cx__connection *connection;
        PGresult *result = NULL;
        int error;

        CX_TRANSACTION(db, &error) {
            assert_ok(cx__lease_begin(db, &connection));
            if (i == 1)
                assert_ok(
                    cx__pg_query(connection, "SAVEPOINT x", 0, NULL, NULL));
            assert_ok(
                cx__pg_query(connection, statements[i], 0, NULL, &result));
            assert_int_equal(cx__pg_check_done(cx__pg_of(connection), result),
                             -EACCES);
            PQclear(result);
            assert_true(connection->broken);
            cx__lease_end(connection);
            assert_int_equal(run(db, "SELECT 1"), -ECONNABORTED);
        }
        assert_int_equal(error, -ECONNABORTED);
    }
}

/* P4: a block of code cannot end it either, and is told so. */
ATTACK(a_block_of_code_does_not_end_a_transaction)
{
    int error;

    CX_TRANSACTION(db, &error) {
        assert_int_equal(change_and_run(db, "DO $$ BEGIN COMMIT; END $$"),
                         -EACCES);
    }
    assert_int_equal(error, -ECONNABORTED);
}

/* Text would be read as other text. */
ATTACK(text_cannot_be_given_another_encoding)
{
    static const char *const statements[] = {
        "SET LOCAL client_encoding = 'LATIN1'",
        "SET client_encoding = 'SQL_ASCII'",
        "SET NAMES 'LATIN1'",
        "SELECT set_config('client_encoding', 'LATIN1', true)",
        "DO $$ BEGIN SET LOCAL client_encoding = 'LATIN1'; END $$",
    };

    for (size_t i = 0; i < sizeof(statements) / sizeof(statements[0]); i++) {
        int error;

        CX_TRANSACTION(db, &error) {
            assert_int_equal(change_and_run(db, statements[i]), -EACCES);
            assert_int_equal(run(db, "SELECT 1"), -ECONNABORTED);
        }
        assert_int_equal(error, -ECONNABORTED);
        two_check(db, two);
    }
}

static int stop(const cx_param *fields, size_t n, void *arg)
{
    (void)fields;
    (void)n;
    (void)arg;
    return 77;
}

/* Also by a statement whose end nobody waits for. */
ATTACK(an_encoding_is_noticed_though_nobody_reads_on)
{
    int error;

    CX_TRANSACTION(db, &error) {
        assert_int_equal(
            cx_db_sql_each(db,
                           "SELECT set_config('client_encoding', 'LATIN1',"
                           " true)",
                           NULL, stop, NULL),
            77);
    }
    assert_int_equal(error, -ECONNABORTED);
}

/* With a column of a type that is none of ours, the rows come as text. */
typedef struct Measure {
    int64_t id;
    double weight;
    cx_blob photo;
    cx_timestamp at;
    cx_text amount;
} Measure;

static const cx_column measure_columns[] = {
    CX_COLUMN(Measure, id, .key = true, .automatic = true),
    CX_COLUMN(Measure, weight), CX_COLUMN(Measure, photo),
    CX_COLUMN(Measure, at), CX_COLUMN(Measure, amount)};
CX_MODEL(Measure, mixed_model, "mixed", measure_columns);
CX_MODEL(Measure, plain_model, "plain", measure_columns);

#define MEASURE_TABLE(name, type)                                              \
    "CREATE TABLE " name " (id INTEGER PRIMARY KEY, weight REAL NOT NULL,"     \
    " photo BLOB NOT NULL, at timestamptz NOT NULL, amount " type              \
    " NOT NULL);"

static void assert_measure(const Measure *got)
{
    assert_true(got->weight == 0.1 + 0.2);
    assert_int_equal(got->photo.len, 2);
    assert_memory_equal(got->photo.data, "\0\\", 2);
    assert_int_equal(got->at.us, 1796000000000001);
    assert_string_equal(got->amount.data, "12.50");
}

static const cx_model *const measures[] = {&mixed_model.model,
                                           &plain_model.model};

/* What a program sets, and the values of a row of a model. */
static void read_after(cx_db *db, const char *setting, const cx_model *model,
                       int expected)
{
    int error;

    CX_TRANSACTION(db, &error) {
        CX_ARENA(arena);
        Measure measure = {.id = 1};

        assert_ok(run(db, setting));
        error = cx_model_find(db, model, &measure, &arena);
        if (error != 0 && model == &mixed_model.model)
            assert_int_equal(error, expected);
        else
            assert_measure(&measure);
        error = 0;
    }
    assert_ok(error);
}

static void measures_make(struct folder *folder)
{
    template_exec(folder, MEASURE_TABLE("plain", "TEXT")
                              MEASURE_TABLE("mixed", "numeric(5, 2)"));
}

DB_TEST(what_a_program_sets_does_not_change_what_a_model_reads)
{
    Measure measure = {.weight = 0.1 + 0.2,
                       .photo = {"\0\\", 2},
                       .at = {1796000000000001},
                       .amount = CX_TEXT("12.50")};
    cx_tenant *tenant;

    measures_make(folder);
    tenant = tenant_make(db, "A");
    CX_WITH_TENANT(tenant) {
        for (size_t i = 0; i < 2; i++) {
            measure.id = 0;
            assert_ok(cx_model_insert(db, measures[i], &measure));
            read_after(db, "SET LOCAL extra_float_digits = -15", measures[i],
                       0);
            read_after(db, "SET extra_float_digits = -15", measures[i], 0);
            read_after(db, "SET LOCAL bytea_output = 'escape'", measures[i],
                       -EBADMSG);
            read_after(db, "SET LOCAL TimeZone = 'Asia/Tokyo'", measures[i],
                       -EBADMSG);
            read_after(db, "SET LOCAL DateStyle = 'German'", measures[i],
                       -EBADMSG);
            read_after(db, "SET LOCAL standard_conforming_strings = off",
                       measures[i], 0);
        }
    }
    cx_tenant_unref(tenant);
}

/* What a session that listens is told is not kept. */
DB_TEST(notifications_do_not_gather)
{
    struct cx__wire *wire;
    PGnotify *note;
    int left = 0;

    assert_ok(cx__pg_admin(db, "ctxvar", &wire));
    assert_ok(cx__wire_run(wire, "LISTEN x"));
    for (int i = 0; i < 100; i++)
        assert_ok(cx__wire_run(wire, "SELECT pg_notify('x', 'x')"));
    for (; (note = PQnotifies(wire->pg)) != NULL; left++)
        PQfreemem(note);
    assert_in_range(left, 0, 2);
    cx__wire_abandon(wire);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_disguise_ends_a_transaction),
        cmocka_unit_test(no_disguise_ends_a_transaction_within_another),
        cmocka_unit_test(a_word_that_is_longer_is_another),
        cmocka_unit_test(what_the_server_says_it_was_ends_the_session),
        cmocka_unit_test(a_block_of_code_does_not_end_a_transaction),
        cmocka_unit_test(text_cannot_be_given_another_encoding),
        cmocka_unit_test(an_encoding_is_noticed_though_nobody_reads_on),
        cmocka_unit_test(
            what_a_program_sets_does_not_change_what_a_model_reads),
        cmocka_unit_test(notifications_do_not_gather),
    };

    return cmocka_run_group_tests_name("postgres raw", tests, NULL, NULL);
}
