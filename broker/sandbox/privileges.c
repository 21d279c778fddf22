/* SPDX-License-Identifier: Apache-2.0 */
/*
 * privileges.c - capabilities.
 *
 * Root inside the sandbox keeps four capabilities: without DAC_OVERRIDE it
 * cannot work in a directory that belongs to somebody else (a checkout mounted
 * into a container), without CHOWN and FOWNER `tar x`, `cp -a` and package
 * managers fail, and FSETID goes with them. They act on files only, and which
 * files is Landlock's and the broker's decision. MKNOD must go (a device node
 * in a granted directory opens the disk), as must everything that reaches past
 * files: other users' identities, processes, network, mounts, modules.
 *
 * Source: capabilities(7), capset(2), prctl(2).
 */
#include "sandbox/privileges.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define BIT(c) (1ULL << (c))

static const uint64_t program_keeps = BIT(CAP_CHOWN) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_FOWNER) | BIT(CAP_FSETID);
static const uint64_t broker_drops = BIT(CAP_MKNOD) | BIT(CAP_SYS_MODULE) | BIT(CAP_SYS_RAWIO) | BIT(CAP_SYS_BOOT) |
				     BIT(CAP_SYS_TIME) | BIT(CAP_SYS_PACCT) | BIT(CAP_LINUX_IMMUTABLE) |
				     BIT(CAP_MAC_ADMIN) | BIT(CAP_MAC_OVERRIDE) | BIT(CAP_SYSLOG) |
				     BIT(CAP_WAKE_ALARM) | BIT(CAP_BLOCK_SUSPEND) | BIT(CAP_AUDIT_CONTROL) |
				     BIT(CAP_AUDIT_READ) | BIT(CAP_AUDIT_WRITE) | BIT(CAP_PERFMON) | BIT(CAP_BPF);

static int get(uint64_t *permitted)
{
	struct __user_cap_header_struct h = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct d[2] = {0};
	if (syscall(SYS_capget, &h, d) < 0)
		return -errno;
	*permitted = d[0].permitted | (uint64_t)d[1].permitted << 32;
	return 0;
}

static int set(uint64_t keep)
{
	struct __user_cap_header_struct h = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct d[2] = {
		{.effective = (uint32_t)keep, .permitted = (uint32_t)keep},
		{.effective = (uint32_t)(keep >> 32), .permitted = (uint32_t)(keep >> 32)},
	};
	return syscall(SYS_capset, &h, d) < 0 ? -errno : 0;
}

/* Drop from the bounding set: root regains what is in there by executing anything. */
static int bound(uint64_t keep)
{
	for (unsigned long c = 0; c < 64; c++) {
		if (keep & BIT(c))
			continue;
		if (prctl(PR_CAPBSET_DROP, c, 0, 0, 0) < 0)
			return errno == EINVAL ? 0 : -errno; /* past the last one */
	}
	return 0;
}

int privileges_drop_program(void)
{
	uint64_t has = 0;
	int rc = get(&has);
	if (rc < 0)
		return rc;
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (has & BIT(CAP_SETPCAP))
		rc = bound(program_keeps);
	else if (geteuid() == 0 && (has & ~program_keeps))
		rc = -EPERM; /* root that cannot limit what it regains by executing */
	return rc < 0 ? rc : set(geteuid() == 0 ? has & program_keeps : 0);
}

int privileges_drop_broker(void)
{
	uint64_t has = 0;
	int rc = get(&has);
	return rc < 0 || !(has & broker_drops) ? rc : set(has & ~broker_drops);
}
