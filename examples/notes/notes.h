/* SPDX-License-Identifier: MIT */
/* The current tenant's notes. No function here says whose they are. */
#ifndef NOTES_NOTES_H
#define NOTES_NOTES_H

#include <cjson/cJSON.h>

#include <ctxvar/database.h>

/* The table of notes, for all tenants. */
int notes_migrate(cx_db *db);

/* 0 or a negative errno; what is found is the caller's to delete. */
int notes_create(cx_db *db, const cJSON *in, cJSON **out);
int notes_list(cx_db *db, cJSON **out);
int notes_read(cx_db *db, int64_t id, cJSON **out);
int notes_delete(cx_db *db, int64_t id);

#endif
