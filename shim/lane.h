/* SPDX-License-Identifier: Apache-2.0 */
/* lane.h - a path call on the lane (see docs/fast-lane.md). */
#ifndef NONO_SHIM_LANE_H
#define NONO_SHIM_LANE_H

/**
 * lane_call() - make a call of at most five arguments straight to the kernel, and
 * repeat it so that it traps when Landlock refused it.
 * @nr: a call whose row in the trap room's table has `lane`
 *
 * Return: the call's value; -1 with errno set as libc does.
 */
long lane_call(long nr, long a0, long a1, long a2, long a3, long a4);
/** shim_open() - the open that libc's entry points are redirected to; open(2). */
int shim_open(const char *path, int flags, ...);

#define SHIM_EXPORT __attribute__((visibility("default")))

#endif
