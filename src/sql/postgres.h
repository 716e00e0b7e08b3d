/* SPDX-License-Identifier: MIT */
/* PostgreSQL: what the files of this engine share. */
#ifndef CTXVAR_SQL_POSTGRES_H
#define CTXVAR_SQL_POSTGRES_H

#include "database.h"
#include "engine.h"
#include "pq.h"

enum { CX__PG_ROLE_BYTES = 48, CX__PG_CHANNEL_BYTES = 17 };

/* A database: how to connect to it. */
struct cx__pg_db {
    PQconninfoOption *url; /* what its URL says */
    unsigned oid;          /* of the database: roles are the whole server's */
    char *hostaddr;        /* of its host; NULL: it has none, or the URL has */
};

struct pg_statement;

/*
 * inside  the depth of the transaction that the server is in; 0: none
 * running the statement whose answer is on its way; NULL: none
 * made   statements, for their names
 * heard  the millisecond of its last answer
 * raw    a program's own statement was run: the session is not as it was
 * channel  where it is told of migrations, of a tenant's room
 * listens  it is, and so version is true when it is leased
 */
struct cx__pg_connection {
    struct cx__connection base;
    struct cx__pq *pq;
    struct pg_statement *running;
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

/* The role that a tenant logs in as. */
void cx__pg_role(const cx_db *db, int64_t id, char role[CX__PG_ROLE_BYTES]);

/* A connection as the URL's own role, which may do what tenants may not; with
 * a search path. */
int cx__pg_admin(const cx_db *db, const char *search_path, struct cx__pq **pq);

/* The password that a tenant's role has; in a buffer of the caller's. */
enum { CX__PG_SECRET_BYTES = 65 };
int cx__pg_secret(const cx_db *db, int64_t id,
                  char secret[CX__PG_SECRET_BYTES]);

/* The list of tenants, the room of one, and what they rest on. */
int cx__pg_found(cx_db *db);
int cx__pg_provision(cx_db *db, int64_t id);
int cx__pg_remove(cx_db *db, int64_t id);

/* A new room's tables, as the template's, for a tenant with a role; in a
 * transaction. And is there nothing in the room of a migration's connection
 * that such a copy would be without? */
int cx__pg_copy_template(struct cx__pq *pq, const char *role, int64_t id);
int cx__pg_check_copyable(struct cx__connection *connection);

/* Is a connection to a tenant's room no more than that? And of which version
 * are the tables? */
int cx__pg_check_tenant(struct cx__pq *pq, int *version);

/* Migrations of a tenant's room. See of which version its tables are; begin to
 * be told when they are of another; was that told? And tell of a migration, in
 * its transaction. */
int cx__pg_look(struct cx__connection *connection);
int cx__pg_listen(struct cx__pg_connection *connection);
bool cx__pg_has_news(const struct cx__pg_connection *connection);
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
int cx__pg_step(struct cx__statement *statement);
int cx__pg_column(struct cx__statement *statement, unsigned place,
                  cx_kind wanted, cx_param *value);
void cx__pg_reset(struct cx__statement *statement);
unsigned cx__pg_columns(const struct cx__statement *statement);
const char *cx__pg_name(const struct cx__statement *statement, unsigned place);
int64_t cx__pg_changed(const struct cx__statement *statement);
int cx__pg_run_batch(struct cx__statement *statement,
                     const struct cx__batch *batch);
int cx__pg_compare(struct cx__connection *connection, const cx_model *model,
                   struct cx__words *words);
const char *cx__pg_script_of(const cx_migration *migration);
int cx__pg_run_script(struct cx__connection *connection, const char *script);
int cx__pg_begin(struct cx__connection *connection, unsigned depth);
int cx__pg_lock(struct cx__connection *connection);
int cx__pg_commit(struct cx__connection *connection, unsigned depth);
int cx__pg_rollback(struct cx__connection *connection, unsigned depth);

#endif
