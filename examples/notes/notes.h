/* SPDX-License-Identifier: MIT */
/* The current tenant's notes. No function here says whose they are. */
#ifndef NOTES_NOTES_H
#define NOTES_NOTES_H

#include <jansson.h>

#include <ctxvar/database.h>

/* The table of notes, for all tenants. */
int notes_migrate(cx_db *db);

/* 0 or a negative errno; what is found is the caller's to let go of. */
int notes_create(cx_db *db, cx_text json, json_t **out);
int notes_list(cx_db *db, json_t **out);
int notes_read(cx_db *db, int64_t id, json_t **out);
int notes_delete(cx_db *db, int64_t id);

#endif
