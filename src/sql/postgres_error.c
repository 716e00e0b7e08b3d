/* SPDX-License-Identifier: MIT */
/*
 * PostgreSQL's errors as ours, by their SQLSTATE. The server's own words for
 * one may hold values, so that ours are given, with the names that stand in the
 * program's own text. Where the server says at which place of it the mistake
 * is, it has not run it yet, and has its words from there. Where it does not,
 * as of most that changes tables, a name that it quotes is one if it is found
 * there.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "postgres_wire.h"
#include "problem.h"

enum { NAMES_BYTES = 128 };

struct cause {
    const char *state; /* SQLSTATE, or the class that it begins with */
    int error;
    const char *words;
};

static const char unknown_name[] = "a name that the database does not know";
static const char taken_name[] = "a name that is there already";

/* Those of which the server's words name what they are about, and nothing
 * else. */
static const struct cause named[] = {
    {"3F", -EINVAL, unknown_name},
    {"42P01", -EINVAL, unknown_name}, /* a table's */
    {"42703", -EINVAL, unknown_name}, /* a column's */
    {"42704", -EINVAL, unknown_name}, /* a type's, or the like */
    {"42883", -EINVAL, unknown_name}, /* a function's or operator's */
    {"42701", -EINVAL, "a column that is there already"},
    {"42710", -EINVAL, taken_name},
    {"42712", -EINVAL, "two tables of one name in a statement"},
    {"42723", -EINVAL, taken_name}, /* a function's */
    {"42P06", -EINVAL, taken_name}, /* a schema's */
    {"42P07", -EINVAL, taken_name}, /* a table's, or an index's */
    {"42702", -EINVAL, "a column that several tables have"},
    {"42725", -EINVAL, "a name that several functions have"},
    {"42803", -EINVAL, "a column that is neither grouped by nor counted"},
    {"42804", -EINVAL, "types that do not go together"},
    {"42830", -EINVAL, "a reference to what is not unique"},
    {"42846", -EINVAL, "a type that does not become the other"},
    {"42809", -EINVAL, "not of the kind that it would have to be"},
    {"42P02", -EINVAL, "a parameter that there is not"},
    {"42P08", -EINVAL, "a parameter that would have several types"},
    {"42P16", -EINVAL, "a table that cannot be like this"},
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
    {"40P01", -EBUSY, "a deadlock with another transaction: try again"},
    {"40", -EBUSY, "another transaction was in the way: try again"},
    {"42501", -EACCES, "the database refuses it to this role"},
    {"42P18", -EINVAL, "a parameter of no known type: write $1::bigint"},
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

/* NULL: it is not among them. */
static const struct cause *find(const struct cause *list, size_t n,
                                const char *state)
{
    for (size_t i = 0; i < n; i++) {
        if (strncmp(state, list[i].state, strlen(list[i].state)) == 0)
            return &list[i];
    }
    return NULL;
}

static const struct cause *cause_of(const char *state)
{
    const struct cause *cause =
        find(causes, sizeof(causes) / sizeof(causes[0]), state);

    return cause != NULL ? cause : &unknown;
}

int cx__wire_lost(void)
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

bool cx__wire_is_outdated(const PGresult *result)
{
    return strcmp(field(result, PG_DIAG_SQLSTATE), "0A000") == 0 &&
           strcmp(field(result, PG_DIAG_SOURCE_FUNCTION),
                  "RevalidateCachedQuery") == 0;
}

/* May it be within a word of a statement? */
static bool is_of_word(char c)
{
    return isalnum((unsigned char)c) || (c & 0x80) != 0 || c == '_' || c == '$';
}

/* Is a name one of a script's words? The server has those without quotes in
 * small letters. */
static bool is_in_script(const char *script, const char *name, size_t len)
{
    for (const char *at = script; *at != '\0'; at++) {
        if (strncasecmp(at, name, len) == 0 && !is_of_word(at[len]) &&
            (at == script || !is_of_word(at[-1])))
            return true;
    }
    return false;
}

/* Add the quoted names of a message that are a script's own. */
static void add_names(char *names, const char *script, const char *message)
{
    const char *name = strchr(message, '"');

    while (name != NULL) {
        size_t len = strcspn(++name, "\"");
        size_t used = strlen(names);

        if (len > 0 && is_in_script(script, name, len))
            (void)snprintf(names + used, NAMES_BYTES - used, "%s\"%.*s\"",
                           used > 0 ? ", " : ": ", (int)len, name);
        name = name[len] != '\0' ? strchr(name + len + 1, '"') : NULL;
    }
}

/* Where in the program's text it is; "": the server does not say, or it is in
 * another text, which was made of values as it ran. */
static const char *place_of(const PGresult *result, const char *script)
{
    if (script == NULL)
        return field(result, PG_DIAG_STATEMENT_POSITION);
    return strcmp(field(result, PG_DIAG_INTERNAL_QUERY), script) == 0
               ? field(result, PG_DIAG_INTERNAL_POSITION)
               : "";
}

/* script: what was run by a statement of ours; NULL: the statement itself. */
static int failed(const PGresult *result, const char *script)
{
    const char *state = field(result, PG_DIAG_SQLSTATE);
    const char *message = field(result, PG_DIAG_MESSAGE_PRIMARY);
    const char *table = field(result, PG_DIAG_TABLE_NAME);
    const char *column = field(result, PG_DIAG_COLUMN_NAME);
    const char *constraint = field(result, PG_DIAG_CONSTRAINT_NAME);
    const char *place = place_of(result, script);
    const struct cause *about =
        find(named, sizeof(named) / sizeof(named[0]), state);
    const struct cause *cause = about != NULL ? about : cause_of(state);
    bool is_told = about != NULL && place[0] != '\0';
    char names[NAMES_BYTES] = "";

    if (state[0] == '\0')
        return cx__wire_lost();
    if (is_raised(result))
        return cx__problem(-EDOM, "an error that code in the database raised");
    if (cx__wire_is_outdated(result))
        return cx__problem(-EBUSY, "the tables have changed since the statement"
                                   " was made: try again");
    if (about != NULL && !is_told && script != NULL) {
        add_names(names, script, message);
        add_names(names, script, field(result, PG_DIAG_MESSAGE_DETAIL));
    }
    return cx__problem(cause->error, "%s%s%s%s%s%s%s%s%s%s (SQLSTATE %.5s)",
                       is_told ? message : cause->words, names,
                       place[0] != '\0' ? ", at character " : "", place,
                       table[0] != '\0' ? ": table " : "", table,
                       column[0] != '\0' ? ", column " : "", column,
                       constraint[0] != '\0' ? ", constraint " : "", constraint,
                       state);
}

int cx__wire_error(const PGresult *result)
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
        return failed(result, NULL);
    }
}

int cx__wire_script_error(const PGresult *result, const char *script)
{
    return PQresultStatus(result) == PGRES_FATAL_ERROR ? failed(result, script)
                                                       : cx__wire_error(result);
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

    return strncmp(state, "28P01", 5) == 0 ? CX__WIRE_PASSWORD : error;
}

int cx__wire_refused(const PGconn *pg)
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
