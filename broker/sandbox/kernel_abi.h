/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kernel_abi.h - constants of kernels newer than the distribution's headers.
 *
 * Sources: linux/landlock.h, linux/seccomp.h and asm-generic/socket.h of the kernel versions named.
 * Whether the running kernel knows them is found out at run time.
 */
#ifndef NONO_KERNEL_ABI_H
#define NONO_KERNEL_ABI_H

#include <stdint.h>
#include <linux/landlock.h>

/** struct nono_landlock_attr - landlock_ruleset_attr as of ABI 6; older kernels are given its first part. */
struct nono_landlock_attr {
	uint64_t handled_access_fs;
	uint64_t handled_access_net; /* ABI 4 */
	uint64_t scoped;             /* ABI 6 */
};
/** struct nono_landlock_port - landlock_net_port_attr, ABI 4. */
struct nono_landlock_port {
	uint64_t allowed_access;
	uint64_t port;
};
#define NONO_LANDLOCK_RULE_NET_PORT 2

/* clang-format off */
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE		(1ULL << 14) /* ABI 3, Linux 6.2 */
#endif
#ifndef LANDLOCK_ACCESS_FS_IOCTL_DEV
#define LANDLOCK_ACCESS_FS_IOCTL_DEV		(1ULL << 15) /* ABI 5, Linux 6.10 */
#endif
#ifndef LANDLOCK_ACCESS_FS_RESOLVE_UNIX
#define LANDLOCK_ACCESS_FS_RESOLVE_UNIX		(1ULL << 16) /* ABI 9, Linux 7.1 */
#endif
#ifndef LANDLOCK_ACCESS_NET_BIND_TCP
#define LANDLOCK_ACCESS_NET_BIND_TCP		(1ULL << 0) /* ABI 4, Linux 6.7 */
#define LANDLOCK_ACCESS_NET_CONNECT_TCP		(1ULL << 1)
#endif
#ifndef LANDLOCK_ACCESS_NET_BIND_UDP
#define LANDLOCK_ACCESS_NET_BIND_UDP		(1ULL << 2) /* ABI 10, Linux 7.2 */
#define LANDLOCK_ACCESS_NET_CONNECT_SEND_UDP	(1ULL << 3)
#endif
#ifndef LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET
#define LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET	(1ULL << 0) /* ABI 6, Linux 6.12 */
#define LANDLOCK_SCOPE_SIGNAL			(1ULL << 1)
#endif
#ifndef LANDLOCK_CREATE_RULESET_ERRATA
#define LANDLOCK_CREATE_RULESET_ERRATA		(1U << 1)
#endif

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD				77 /* Linux 6.5 */
#endif

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV	(1UL << 5) /* Linux 5.19 */
#endif
#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS		_IOW('!', 4, uint64_t) /* Linux 6.6 */
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP	(1UL << 0)
#endif

/* Requests of linux/btrfs.h and of bcachefs, whose headers distributions may lack; the structures are of 4096 and 32 bytes. */
#define NONO_BTRFS_IOC_SNAP_CREATE		0x50009401U
#define NONO_BTRFS_IOC_SUBVOL_CREATE		0x5000940eU
#define NONO_BTRFS_IOC_SNAP_DESTROY		0x5000940fU
#define NONO_BTRFS_IOC_SNAP_CREATE_V2		0x50009417U
#define NONO_BTRFS_IOC_SUBVOL_CREATE_V2		0x50009418U
#define NONO_BTRFS_IOC_SUBVOL_SETFLAGS		0x4008941aU
#define NONO_BTRFS_IOC_SNAP_DESTROY_V2		0x5000943fU
#define NONO_BCACHEFS_IOC_SUBVOLUME_CREATE	0x4020bc10U
#define NONO_BCACHEFS_IOC_SUBVOLUME_DESTROY	0x4020bc11U
/* clang-format on */

#endif
