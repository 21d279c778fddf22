/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lane.c - a path call on the lane, and its repetition.
 *
 * A trapped call is interrupted by any signal that has a handler until the broker
 * has taken it (seccomp_unotify(2); WAIT_KILLABLE_RECV begins there), and ends with
 * EINTR where the handler was set without SA_RESTART. Programs do not expect that of
 * a call that never waits for anybody, so such a call is made again. From Linux 5.19
 * on the broker has not seen it then, and nothing is done twice.
 */
#include "lane.h"
#include "proto/lane.h"
#include "raw.h"

#include <asm/errno.h>
#include <asm/stat.h>
#include <linux/fcntl.h>
#include <stdbool.h>

/* of st_mode, as in linux/stat.h, which has them for some libcs only */
#define FILE_TYPE 0170000
#define FILE_REGULAR 0100000
#define FILE_DIRECTORY 0040000

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

/* Whether the call may wait for somebody by itself, so that a signal has to end it: an open of a FIFO or a device. */
static bool waits(long nr, long dirfd, long path)
{
	struct stat st;
	if (nr != __NR_openat || raw_syscall(__NR_newfstatat, dirfd, path, (long)(uintptr_t)&st, 0, 0, 0) != 0)
		return false;
	const unsigned type = st.st_mode & FILE_TYPE;
	return type != FILE_REGULAR && type != FILE_DIRECTORY;
}

long lane_call(long nr, long a0, long a1, long a2, long a3, long a4)
{
	long rc = raw_syscall(nr, a0, a1, a2, a3, a4, (long)TRAP_LANE);
	if (refused(nr, rc))
		do
			rc = raw_syscall(nr, a0, a1, a2, a3, a4, (long)TRAP_AGAIN);
		while (rc == -EINTR && !waits(nr, a0, a1));
	if (rc >= 0 || rc < -4095)
		return rc;
	if (__errno_location)
		*__errno_location() = (int)-rc;
	return -1;
}
