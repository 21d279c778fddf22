/* SPDX-License-Identifier: Apache-2.0 */
/* lane.c - a path call on the lane, and its repetition. */
#include "lane.h"
#include "proto/lane.h"
#include "raw.h"

#include <asm/errno.h>

/* Both libcs export it; a program without either has no errno. */
extern int *__errno_location(void) __attribute__((weak));

/* What Landlock answers where the broker may know better: EXDEV is for renames and links between directories. */
static int refused(long nr, long rc)
{
	if (rc == -EACCES)
		return 1;
#ifdef __NR_renameat
	if (rc == -EXDEV && nr == __NR_renameat)
		return 1;
#endif
	return rc == -EXDEV && (nr == __NR_renameat2 || nr == __NR_linkat);
}

long lane_call(long nr, long a0, long a1, long a2, long a3, long a4)
{
	long rc = raw_syscall(nr, a0, a1, a2, a3, a4, (long)TRAP_LANE);
	if (refused(nr, rc))
		rc = raw_syscall(nr, a0, a1, a2, a3, a4, (long)TRAP_AGAIN);
	if (rc >= 0 || rc < -4095)
		return rc;
	if (__errno_location)
		*__errno_location() = (int)-rc;
	return -1;
}
