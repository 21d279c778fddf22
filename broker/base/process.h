/* SPDX-License-Identifier: Apache-2.0 */
/* process.h - how processes belong together. */
#ifndef NONO_BASE_PROCESS_H
#define NONO_BASE_PROCESS_H

#include "base/base.h"

/** process_parent() - parent of @pid, and its process group unless @group is NULL. Return: 0 when there is none. */
pid_t process_parent(pid_t pid, pid_t *group);
/** process_descends() - whether @pid is @ancestor, or below it. */
bool process_descends(pid_t pid, pid_t ancestor);

#endif
