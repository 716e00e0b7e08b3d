/* SPDX-License-Identifier: MIT */
/*
 * PostgreSQL's errors as ours, by their SQLSTATE. The server's own words for
 * one may hold values, so that ours are given: but for names that are in the
 * statement's text, which the server tells by saying where.
 */
#include <errno.h>
#include <string.h>

#include "pq.h"
#include "problem.h"

struct cause {
    const char *state; /* SQLSTATE, or the class that it begins with */
    int error;
    const char *words; /* NULL: there is no such name */
};

/* The first that fits is it. */
static const struct cause causes[] = {
    {"08", -ECONNRESET, "the connection to the database is lost"},
    {"0A", -EINVAL, "not supported by the database"},
    {"0L", -EACCES, "the database refuses it to this role"},
    {"0P", -EACCES, "the database refuses it to this role"},
    {"21", -EDOM, "more than one row where there must be one"},
    {"22012", -EDOM, "a division by zero"},
    {"22", -EDOM, "a value of the wrong form, or out of range"},
    {"23502", -EDOM, "a column that must have a value has none"},
    {"23503", -EDOM, "a row that others refer to, or that is not there"},
    {"23505", -EEXIST, "a key that must be unique is there already"},
    {"23", -EDOM, "a constraint of the table's forbids it"},
    {"24", -EINVAL, "not in this state of a cursor"},
    {"25006", -EROFS, "the database is read-only"},
    {"25P02", -ECONNABORTED, "an earlier statement of the transaction failed"},
    {"25P03", -ECONNRESET, "the database has ended an idle transaction"},
    {"25P04", -ECONNRESET, "the database has ended a long transaction"},
    {"25", -EINVAL, "not in this state of a transaction"},
    {"26", -EINVAL, "no such prepared statement"},
    {"28P01", -EACCES, "the database does not take the password"},
    {"28", -EACCES,
     "the database does not let this role in: see pg_hba.conf, and whether it"
     " may LOGIN"},
    {"2B", -EINVAL, "something else depends on it"},
    {"2D", -EACCES, "a transaction is not a statement's own to end"},
    {"34", -EINVAL, "no such cursor"},
    {"3B", -EINVAL, "no such savepoint"},
    {"3D", -ENOENT, "there is no such database"},
    {"3F", -EINVAL, NULL}, /* no such schema */
    {"40P01", -EBUSY, "a deadlock with another transaction: try again"},
    {"40", -EBUSY, "another transaction was in the way: try again"},
    {"42501", -EACCES, "the database refuses it to this role"},
    {"42P01", -EINVAL, NULL}, /* no such table */
    {"42703", -EINVAL, NULL}, /* no such column */
    {"42883", -EINVAL, NULL}, /* no such function or operator */
    {"42", -EINVAL, "not a statement that the database understands"},
    {"53100", -ENOSPC, "the database's disk is full"},
    {"53200", -ENOMEM, "the database has no memory"},
    {"53300", -EAGAIN, "the database has no connection left"},
    {"53", -EAGAIN, "the database is short of something"},
    {"54", -E2BIG, "a statement or value that is too large"},
    {"55P03", -EBUSY, "a lock was not to be had"},
    {"55006", -EBUSY, "something is in use"},
    {"55", -EINVAL, "something is not in the state for this"},
    /* Who has a statement cancelled here does not wait for its answer. */
    {"57014", -ETIMEDOUT, "the database has cancelled it: it took too long"},
    {"57P03", -EAGAIN, "the database is starting, or shutting down"},
    {"57", -ECONNRESET, "the database has ended the connection"},
    {"58", -EIO, "the database cannot read or write its files"},
    {"72", -EBUSY, "another transaction was in the way: try again"},
    {"P0", -EDOM, "refused by code in the database"},
    {"XX001", -EUCLEAN, "the database is damaged"},
    {"XX002", -EUCLEAN, "the database is damaged"},
};

static const struct cause unknown = {"", -EIO, "the database failed"};

static const struct cause *cause_of(const char *state)
{
    for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++) {
        if (strncmp(state, causes[i].state, strlen(causes[i].state)) == 0)
            return &causes[i];
    }
    return &unknown;
}

int cx__pq_lost(void)
{
    return cx__problem(-ECONNRESET, "the connection to the database is lost");
}

static const char *field(const PGresult *result, int code)
{
    const char *value = PQresultErrorField(result, code);

    return value != NULL ? value : "";
}

/* PL/pgSQL's RAISE gives an error whatever state and names it is told to. */
static bool is_raised(const PGresult *result)
{
    return strcmp(field(result, PG_DIAG_SOURCE_FUNCTION), "exec_stmt_raise") ==
           0;
}

/* The server's own words tell a name that it does not know: of the statement's
 * text, or one that was made of values as it ran. */
static const char *words_of(const struct cause *cause, const PGresult *result,
                            const char *place)
{
    if (cause->words != NULL)
        return cause->words;
    return place[0] != '\0' ? field(result, PG_DIAG_MESSAGE_PRIMARY)
                            : "a name that the database does not know";
}

/* position: which of the fields tells where in the text it is. */
static int failed(const PGresult *result, int position)
{
    const char *state = field(result, PG_DIAG_SQLSTATE);
    const char *table = field(result, PG_DIAG_TABLE_NAME);
    const char *column = field(result, PG_DIAG_COLUMN_NAME);
    const char *constraint = field(result, PG_DIAG_CONSTRAINT_NAME);
    const char *place = field(result, position);
    const struct cause *cause = cause_of(state);

    if (state[0] == '\0')
        return cx__pq_lost();
    if (is_raised(result))
        return cx__problem(-EDOM, "an error that code in the database raised");
    return cx__problem(cause->error, "%s%s%s%s%s%s%s%s%s (SQLSTATE %.5s)",
                       words_of(cause, result, place),
                       place[0] != '\0' ? ", at character " : "", place,
                       table[0] != '\0' ? ": table " : "", table,
                       column[0] != '\0' ? ", column " : "", column,
                       constraint[0] != '\0' ? ", constraint " : "", constraint,
                       state);
}

int cx__pq_error(const PGresult *result)
{
    switch (PQresultStatus(result)) {
    case PGRES_COMMAND_OK:
    case PGRES_TUPLES_OK:
    case PGRES_SINGLE_TUPLE:
        return 0;
    case PGRES_COPY_IN:
    case PGRES_COPY_OUT:
    case PGRES_COPY_BOTH:
        return cx__problem(-EACCES, "COPY is not for tenants");
    case PGRES_EMPTY_QUERY:
        return cx__problem(-EINVAL, "a statement with nothing in it");
    default:
        return failed(result, PG_DIAG_STATEMENT_POSITION);
    }
}

int cx__pq_script_error(const PGresult *result)
{
    return PQresultStatus(result) == PGRES_FATAL_ERROR
               ? failed(result, PG_DIAG_INTERNAL_POSITION)
               : cx__pq_error(result);
}

/*
 * The SQLSTATE in libpq's words for a connection that was not made, which is
 * told nowhere else: "...: FATAL:  53300: ..." in whatever language. NULL:
 * they are libpq's own.
 */
static const char *state_in(const char *words)
{
    static const char of_state[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

    while ((words = strstr(words, ":  ")) != NULL) {
        words += 3;
        if (strspn(words, of_state) == 5 && strncmp(words + 5, ": ", 2) == 0)
            return words;
    }
    return NULL;
}

static int refused_for(const char *state)
{
    const struct cause *cause = cause_of(state);
    int error = cx__problem(
        cause->error, "the database cannot be connected to: %s (SQLSTATE %.5s)",
        cause->words, state);

    return strncmp(state, "28P01", 5) == 0 ? CX__PQ_PASSWORD : error;
}

int cx__pq_refused(const PGconn *pg)
{
    const char *words = PQerrorMessage(pg);
    const char *state = state_in(words);

    if (state != NULL && cause_of(state) != &unknown)
        return refused_for(state);
    if (state == NULL && PQconnectionNeedsPassword(pg))
        return cx__problem(-EACCES,
                           "the database wants a password, and has none");
    return cx__problem(-ECONNREFUSED,
                       "the database cannot be connected to: %.*s",
                       (int)strcspn(words, "\n"), words);
}
