/* SPDX-License-Identifier: MIT */
/*
 * Snapshots from the inside: a snapshot is a table.
 */
#ifndef CTXVAR_CORE_SNAPSHOT_H
#define CTXVAR_CORE_SNAPSHOT_H

#include <ctxvar/context.h>

#include "inherit.h"

/* A copy of what the current context holds; NULL with errno ENOMEM or
 * ESHUTDOWN. */
struct cx__table *cx__snapshot_for(enum cx__copy_for whom);

#endif
