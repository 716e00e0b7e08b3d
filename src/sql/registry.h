/* SPDX-License-Identifier: MIT */
/*
 * The registry: the list of tenants, and the only place where their names are.
 */
#ifndef CTXVAR_SQL_REGISTRY_H
#define CTXVAR_SQL_REGISTRY_H

#include "database.h"

/* Remove what is left of tenants that were being dropped. */
int cx__registry_sweep(cx_db *db);

#endif
