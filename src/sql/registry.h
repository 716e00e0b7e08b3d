/* SPDX-License-Identifier: MIT */
/*
 * The registry: the list of tenants, and the only place where their names are.
 */
#ifndef CTXVAR_SQL_REGISTRY_H
#define CTXVAR_SQL_REGISTRY_H

#include "database.h"

/* The states of a row of the list, as they are in a statement's text. */
#define CX__LISTED "1"
#define CX__DROPPED "2"
#define CX__GONE "3"

/* Remove what is left of tenants that were being dropped. */
int cx__registry_sweep(cx_db *db);

/* The tenant that comes after the one of a number, on a connection to the
 * registry: 1 with its number, 0 or the error. */
int cx__registry_next(struct cx__connection *connection, int64_t *id);

#endif
