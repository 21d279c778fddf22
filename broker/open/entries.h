/* SPDX-License-Identifier: Apache-2.0 */
/* entries.h - the openers of the tree: links to nono, which is told by its name what it is. */
#ifndef NONO_OPEN_ENTRIES_H
#define NONO_OPEN_ENTRIES_H

#include "policy/policy.h"

struct opener;

/** entries_called() - the opener that this process was executed as, @argv0 being its first argument; NULL: none. */
const struct opener *entries_called(const char *argv0);
/** entries_running() - whether the process @pid runs one of them, @entry being any. */
bool entries_running(const char *entry, pid_t pid);
/**
 * entries_make() - make @dir with one entry for each opener: a link to @shared, or a directory of its own
 * with a copy of nono where the tree may not execute nono itself.
 * @shared: from open_shared_entries(); NULL: there are none
 * Return: 0 or -1.
 */
int entries_make(const struct policy *policy, const char *shared, const char *dir, struct err **e);

#endif
