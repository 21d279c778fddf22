/* SPDX-License-Identifier: Apache-2.0 */
/* lane.h - the values by which a path call says where it wants to go. See docs/fast-lane.md. */
#ifndef NONO_LANE_H
#define NONO_LANE_H

/*
 * The lane: the value that open-like calls carry in their sixth argument register
 * to go straight to the kernel, where Landlock judges them. Any program may set
 * it and gets what the kernel grants.
 */
#define TRAP_LANE 0x6e6f6e6f6c616e65ULL /* "nonolane" */
/*
 * What the shim puts there when it repeats a refused call: the call traps. With
 * supervision "shim" only such calls do; otherwise any value but TRAP_LANE does.
 */
#define TRAP_AGAIN 0x6e6f6e6f61736b21ULL /* "nonoask!" */

#endif
