/* SPDX-License-Identifier: Apache-2.0 */
/* groups.h - the table of policy groups that is made when nono is built. */
#ifndef NONO_PROFILE_GROUPS_H
#define NONO_PROFILE_GROUPS_H

#include "profile/profile.h"

/** struct embedded_groups - all groups by name; generate/groups.c makes the nono program's, other programs have none.
 */
struct embedded_groups {
	const struct group *const *v;
	size_t n;
};
extern const struct embedded_groups embedded_groups;

#endif
