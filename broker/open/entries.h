/* SPDX-License-Identifier: Apache-2.0 */
/* entries.h - the openers of the tree: links to nono, which is told by its name what it is. */
#ifndef NONO_OPEN_ENTRIES_H
#define NONO_OPEN_ENTRIES_H

#include "policy/policy.h"

/** entries_name() - whether nono, run by this name, is an opener. */
bool entries_name(const char *name);
/** entries_make() - make @dir with one entry for each opener. Return: 0 or -1. */
int entries_make(const struct policy *policy, const char *dir, struct err **e);

#endif
