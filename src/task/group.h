/* SPDX-License-Identifier: MIT */
/* Starting the tasks of a group for somebody else. */
#ifndef CTXVAR_TASK_GROUP_H
#define CTXVAR_TASK_GROUP_H

#include <ctxvar/group.h>

/* cx_group_start(), on behalf of a call at `site`. */
int cx__group_start(cx_group *group, cx_group_fn *fn, void *arg,
                    const void *site);

#endif
