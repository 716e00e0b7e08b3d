/* SPDX-License-Identifier: MIT */
/* Rows as a table for people. */
#ifndef CTXVAR_TOOL_ROWS_H
#define CTXVAR_TOOL_ROWS_H

#include <ctxvar/database.h>

/* Print them to stdout with their names and how many they are; without
 * columns, how many rows were changed. Within a task, which is cancelled
 * between two rows. */
void rows_print(const cx_rows *rows);

#endif
