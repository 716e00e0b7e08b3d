/* SPDX-License-Identifier: MIT */
/* PostgreSQL: what the files of this engine share. */
#ifndef CTXVAR_SQL_POSTGRES_H
#define CTXVAR_SQL_POSTGRES_H

#include "database.h"
#include "engine.h"
#include "postgres_wire.h"

enum { CX__PG_ROLE_BYTES = 48, CX__PG_CHANNEL_BYTES = 17 };

/*
 * A database: how to connect to it, and the cancels on their way to it.
 *
 * is_watchful  the server can notice that a client is gone while it works for
 *              it, which it cannot on each platform
 */
struct cx__pg_db {
    PQconninfoOption *url; /* what its URL says */
    unsigned oid;          /* of the database: roles are the whole server's */
    char *host;            /* each of its hosts once for each address, */
    char *hostaddr;        /* those addresses, and the ports in step; NULL: */
    char *port;            /* it is for libpq to know */
    bool is_watchful;
    struct cx__wire_cancels cancels;
};

struct cx__pg_statement;

/*
 * inside  the depth of the transaction that the server is in; 0: none
 * running the statement whose answer is on its way; NULL: none
 * made   statements, for their names
 * heard  the millisecond in which it was known to be alive
 * raw    a program's own statement was run: the session is not as it was
 * channel  where it is told of migrations, of a tenant's room
 * listens  it is, and so version is true when it is leased
 */
struct cx__pg_connection {
    struct cx__connection base;
    struct cx__wire *wire;
    struct cx__pg_statement *running;
    unsigned inside;
    unsigned made;
    uint64_t heard;
    bool raw;
    bool listens;
    char channel[CX__PG_CHANNEL_BYTES];
};

static inline struct cx__pg_connection *
cx__pg_of(struct cx__connection *connection)
{
    return CX__OWNER(connection, struct cx__pg_connection, base);
}

static inline struct cx__pg_db *cx__pg_db_of(const cx_db *db)
{
    return db->own;
}

/* Take a URL apart; and find the addresses of the hosts that it names. */
int cx__pg_parse(struct cx__pg_db *own, const char *place);
int cx__pg_find_hosts(struct cx__pg_db *own);
const char *cx__pg_url_value(const struct cx__pg_db *own, const char *name);

/* The role that a tenant logs in as. */
void cx__pg_role(const cx_db *db, int64_t id, char role[CX__PG_ROLE_BYTES]);

/* A connection as the URL's own role, which may do what tenants may not; with
 * a search path. */
int cx__pg_admin(const cx_db *db, const char *search_path,
                 struct cx__wire **wire);

/* The password that a tenant's role has; in a buffer of the caller's. -ESTALE:
 * the tenant was dropped. */
enum { CX__PG_SECRET_BYTES = 65 };
int cx__pg_secret(const cx_db *db, int64_t id,
                  char secret[CX__PG_SECRET_BYTES]);

/*
 * Roles, on a connection of an administrator's. Who changes what roles may do
 * in the database locks that first, in a transaction: the server does not wait
 * for another who does so, but fails.
 *
 * make  it, with a secret that is kept and left in the caller's buffer
 * shut  it: nobody is or gets logged in as it, outside of a transaction
 * drop  it, if it is there, and its secret
 */
int cx__pg_lock_roles(struct cx__wire *wire);
int cx__pg_make_role(struct cx__wire *wire, const char *role, int64_t id,
                     char secret[CX__PG_SECRET_BYTES]);
int cx__pg_shut_role(struct cx__wire *wire, const char *role);
int cx__pg_drop_role(struct cx__wire *wire, const char *role, int64_t id);

/* Put a tenant's role right with which a login with a secret has failed, if it
 * is its own doing; is_spoilt: that is known. 1: it was put right; 0: there was
 * nothing to do. The secret to try next is left in the place of that one. One
 * that is not there is made: this is a copy of the database that it was made
 * for. Where an administrator keeps it out, it is left so: -EACCES. */
int cx__pg_restore_role(const cx_db *db, const char *role, int64_t id,
                        bool is_spoilt, char secret[CX__PG_SECRET_BYTES]);

/* End all other sessions of a tenant's role that has just been put right:
 * somebody may have got to know its password. */
int cx__pg_end_others(struct cx__wire *wire);

/* A statement with a role's name and a tenant's number in it. */
__attribute__((format(printf, 2, 3))) int
cx__pg_run_format(struct cx__wire *wire, const char *format, ...);

/* A field of the one row of a result. */
bool cx__pg_is_true(const PGresult *result, int column);
long long cx__pg_number(const PGresult *result, int column);

/* The list of tenants, the room of one, and what they rest on. */
int cx__pg_found(cx_db *db);
int cx__pg_provision(cx_db *db, int64_t id);
int cx__pg_remove(cx_db *db, int64_t id);

/* Have a role read and write the rows of those of its room's tables that it
 * has no rights on. Default rights are not for this: a role can drop those that
 * others have given it. */
int cx__pg_give_tables(struct cx__wire *wire, const char *role, int64_t id);

/* Have a room that is there be a new role's, and no longer those roles' of the
 * database that this one is a copy of; in a transaction. */
int cx__pg_give_room(struct cx__wire *wire, const char *role, int64_t id);

/* A new room's tables, as the template's; in a transaction. And is there
 * nothing in the room of a migration's connection that such a copy would be
 * without, and nothing new outside of it? */
int cx__pg_copy_template(struct cx__wire *wire, int64_t id);
int cx__pg_check_copyable(struct cx__connection *connection);

/* Is a connection to a tenant's room no more than that? CX__PG_SPOILT: its role
 * has settings of its own. */
enum { CX__PG_SPOILT = 1 };
int cx__pg_check_tenant(struct cx__wire *wire);

/* Migrations of a tenant's room. See of which version its tables are, or, as
 * the URL's role, those of another; begin to be told when they are of another.
 * And tell of a migration, in its transaction. */
int cx__pg_look(struct cx__connection *connection);
int cx__pg_version_of(struct cx__connection *connection, int64_t id,
                      int *version);
int cx__pg_listen(struct cx__pg_connection *connection);
int cx__pg_tell(struct cx__connection *connection);

/* A query of the library's own on a connection that may be in the middle of
 * another; the result is the caller's. */
int cx__pg_query(struct cx__connection *connection, const char *text, int n,
                 const char *const params[], PGresult **result);

/* Statements and transactions; engine.h. */
int cx__pg_prepare(struct cx__connection *connection, cx_text text,
                   enum cx__origin origin, struct cx__statement **statement);
void cx__pg_finalize(struct cx__statement *statement);
int cx__pg_bind(struct cx__statement *statement, unsigned place,
                const cx_param *value);
int cx__pg_bind_numbers(struct cx__statement *statement, unsigned place,
                        const int64_t *list, size_t n);
int cx__pg_step(struct cx__statement *statement);
int cx__pg_column(struct cx__statement *statement, unsigned place,
                  cx_kind wanted, cx_param *value);
void cx__pg_reset(struct cx__statement *statement);
unsigned cx__pg_columns(const struct cx__statement *statement);
const char *cx__pg_name(const struct cx__statement *statement, unsigned place);
int64_t cx__pg_changed(const struct cx__statement *statement);
int cx__pg_run_batch(struct cx__statement *statement,
                     const struct cx__batch *batch);
int cx__pg_tables(struct cx__connection *connection, cx__table_fn *fn,
                  void *arg);
int cx__pg_table_columns(struct cx__connection *connection, const char *table,
                         cx__found_fn *fn, void *arg);
const char *cx__pg_script_of(const cx_migration *migration);
int cx__pg_run_script(struct cx__connection *connection, const char *script);
int cx__pg_clear(struct cx__connection *connection);
int cx__pg_begin(struct cx__connection *connection, unsigned depth);
int cx__pg_lock(struct cx__connection *connection);
int cx__pg_commit(struct cx__connection *connection, unsigned depth);
int cx__pg_rollback(struct cx__connection *connection, unsigned depth);

#endif
