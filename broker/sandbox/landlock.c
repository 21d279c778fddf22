/* SPDX-License-Identifier: Apache-2.0 */
/*
 * landlock.c - the kernel's half of the policy.
 *
 * Theory of operation
 * -------------------
 * A ruleset "handles" rights: a handled right is refused unless a rule grants it.
 * We handle every right the running ABI knows, so an unknown operation is refused,
 * and grant what policy_kernel_rules() lists. Rules bind to inodes, so each path is
 * opened O_PATH; one that has vanished since is skipped, which only refuses more.
 *
 * Rights of a rule, after landlock(7):
 *	read	READ_FILE READ_DIR, and EXECUTE with the execute bit
 *	write	WRITE_FILE TRUNCATE MAKE_* REMOVE_* REFER, without MAKE_* in write-only
 *		directories when a broker makes the entries
 *	device	IOCTL_DEV for writable devices, and directories of devices
 * File rules may only hold the rights that mean something for a file.
 *
 * What a version lacks that matters is made up for where that is possible: truncation
 * before ABI 3 by the broker (enum trap_cuts), TCP before ABI 4 by broker or filter.
 * Versions 7 and 8 add no rights: the audit log is silent about the program after its
 * execve unless asked otherwise, and whoever enters the domain has one thread, so that
 * there is nothing to synchronise.
 */
#include "sandbox/landlock.h"
#include "sandbox/kernel_abi.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define FS_READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define FS_MAKE                                                                                                        \
	(LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |                    \
		LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |          \
		LANDLOCK_ACCESS_FS_MAKE_SYM)
#define FS_WRITE                                                                                                       \
	(LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_TRUNCATE | LANDLOCK_ACCESS_FS_REMOVE_DIR |                 \
		LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_REFER)
#define FS_FILE                                                                                                        \
	(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_READ_FILE |                   \
		LANDLOCK_ACCESS_FS_TRUNCATE | LANDLOCK_ACCESS_FS_IOCTL_DEV | LANDLOCK_ACCESS_FS_RESOLVE_UNIX)

/* What each ABI version added. The highest row that applies holds everything before it. */
static const struct abi_row {
	int abi;
	uint64_t fs, net, scoped;
	const char *lost; /* what the kernel does not judge without it */
} abi_rows[] = {
	{1,
		LANDLOCK_ACCESS_FS_EXECUTE | FS_READ | FS_MAKE | LANDLOCK_ACCESS_FS_WRITE_FILE |
			LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE,
		0, 0, "files (Linux 5.13)"},
	{2, LANDLOCK_ACCESS_FS_REFER, 0, 0, "moves between directories, which fail (Linux 5.19)"},
	{3, LANDLOCK_ACCESS_FS_TRUNCATE, 0, 0, "truncation (Linux 6.2)"},
	{4, 0, LANDLOCK_ACCESS_NET_BIND_TCP | LANDLOCK_ACCESS_NET_CONNECT_TCP, 0, "TCP (Linux 6.7)"},
	{5, LANDLOCK_ACCESS_FS_IOCTL_DEV, 0, 0, "device controls (Linux 6.10)"},
	{6, 0, 0, LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET | LANDLOCK_SCOPE_SIGNAL,
		"signals and abstract sockets (Linux 6.12)"},
	{9, LANDLOCK_ACCESS_FS_RESOLVE_UNIX, 0, 0, "sockets with a path (Linux 7.1)"},
	{10, 0, LANDLOCK_ACCESS_NET_BIND_UDP | LANDLOCK_ACCESS_NET_CONNECT_SEND_UDP, 0, "UDP (Linux 7.2)"},
};

static int create_ruleset(const struct nono_landlock_attr *attr, size_t size, unsigned flags)
{
	return (int)syscall(SYS_landlock_create_ruleset, attr, size, flags);
}

static int abi_limit = -1;

void landlock_limit_abi(int abi)
{
	abi_limit = abi;
}

int landlock_abi(void)
{
	static int abi = -1;
	if (abi < 0) {
		int v = create_ruleset(NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
		abi = v > 0 ? v : 0;
	}
	return abi_limit >= 0 && abi_limit < abi ? abi_limit : abi;
}

unsigned landlock_errata(void)
{
	int v = create_ruleset(NULL, 0, LANDLOCK_CREATE_RULESET_ERRATA);
	return v > 0 ? (unsigned)v : 0;
}

struct strv landlock_missing(void)
{
	struct strv out = {0};
	for (size_t i = 0; i < ARRAY_SIZE(abi_rows); i++)
		if (landlock_abi() < abi_rows[i].abi)
			strv_add(&out, abi_rows[i].lost);
	return out;
}

/* ---- the ruleset --------------------------------------------------------- */

static struct nono_landlock_attr handled_rights(const struct policy *p, const struct landlock_options *o)
{
	const struct policy_settings *s = policy_settings(p);
	struct nono_landlock_attr all = {0};
	for (size_t i = 0; i < ARRAY_SIZE(abi_rows) && abi_rows[i].abi <= landlock_abi(); i++) {
		all.handled_access_fs |= abi_rows[i].fs;
		all.handled_access_net |= abi_rows[i].net;
		all.scoped |= abi_rows[i].scoped;
	}
	/* The dead-end UDP sockets of a broker must work, see net/. */
	if (o->broker_sockets)
		all.handled_access_net &= ~(LANDLOCK_ACCESS_NET_BIND_UDP | LANDLOCK_ACCESS_NET_CONNECT_SEND_UDP);
	else if (s->net_mode == NET_OPEN)
		all.handled_access_net = 0;
	if (s->signal_mode == SCOPE_ALL)
		all.scoped &= ~LANDLOCK_SCOPE_SIGNAL;
	if (s->ipc_mode == IPC_FULL)
		all.scoped &= ~LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET;
	return all;
}

static uint64_t rights_of(const struct kernel_rule *r, const struct landlock_options *o, bool device)
{
	uint64_t rights = 0;
	if (r->access & ACCESS_READ)
		rights |= FS_READ;
	if (r->access & ACCESS_EXEC)
		rights |= LANDLOCK_ACCESS_FS_EXECUTE;
	if (r->access & ACCESS_WRITE) {
		rights |= FS_WRITE;
		if (!r->write_only || !o->broker_files)
			rights |= FS_MAKE;
		if (device)
			rights |= LANDLOCK_ACCESS_FS_IOCTL_DEV;
		/* Without a broker, connecting follows the right to write, as the file mode does. */
		if (!o->broker_sockets)
			rights |= LANDLOCK_ACCESS_FS_RESOLVE_UNIX;
	}
	return rights;
}

/* Of several threads at once: the kernel orders them. */
static int add_path(int ruleset, int fd, uint64_t rights)
{
	struct landlock_path_beneath_attr rule = {.allowed_access = rights, .parent_fd = fd};
	return (int)syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
}

static int add_rule(
	int ruleset, const struct kernel_rule *r, const struct landlock_options *o, uint64_t handled, struct err **e)
{
	if (r->no_broker && o->broker_files)
		return 0;
	/* Something else may have taken its place meanwhile; a directory must not get a file's rule. */
	cleanup_fd int fd = open(r->path, O_PATH | O_NOFOLLOW | O_CLOEXEC | (r->exact ? 0 : O_DIRECTORY));
	struct stat st;
	if (fd < 0 || (r->exact && (fstat(fd, &st) < 0 || S_ISDIR(st.st_mode))))
		return 0;
	const bool socket = r->exact && S_ISSOCK(st.st_mode);
	bool device = r->exact ? S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode) : path_beneath(r->path, "/dev");
	uint64_t rights = rights_of(r, o, device);
	if (socket && !o->broker_sockets)
		rights |= LANDLOCK_ACCESS_FS_RESOLVE_UNIX; /* named by a rule, so meant to be connected to */
	rights &= handled;
	if (r->exact)
		rights &= FS_FILE;
	if (!rights)
		return 0;
	/* EBADFD: objects without a place in a file tree (a pipe or socket behind /dev/stdin) need no rule. */
	if (add_path(ruleset, fd, rights) < 0 && errno != EBADFD)
		return err_set(e, errno, "cannot add a kernel rule for %s", r->path);
	return 0;
}

static int add_ports(int ruleset, const struct items *ports, uint64_t rights, struct err **e)
{
	for (size_t i = 0; i < ports->n; i++) {
		struct nono_landlock_port rule = {
			.allowed_access = rights, .port = strtoul(ports->v[i].value, NULL, 10)};
		if (syscall(SYS_landlock_add_rule, ruleset, NONO_LANDLOCK_RULE_NET_PORT, &rule, 0) < 0)
			return err_set(e, errno, "cannot add a kernel rule for port %s", ports->v[i].value);
	}
	return 0;
}

static int add_port_rules(int ruleset, const struct policy *p, struct err **e)
{
	const struct profile *profile = policy_profile(p);
	const uint64_t bind = LANDLOCK_ACCESS_NET_BIND_TCP, connect = LANDLOCK_ACCESS_NET_CONNECT_TCP;
	if (add_ports(ruleset, &profile->network.open_port, bind | connect, e) < 0 ||
		add_ports(ruleset, &profile->network.connect_port, connect, e) < 0 ||
		add_ports(ruleset, &profile->network.listen_port, bind, e) < 0)
		return -1;
	return 0;
}

static int check_abi(const struct policy *p, struct err **e)
{
	if (landlock_abi() < 1)
		return err_set(e, 0,
			"this kernel has no Landlock: it needs Linux 5.13 or later with \"landlock\" among the "
			"security modules (see /sys/kernel/security/lsm)");
	if (policy_settings(p)->signal_mode == SCOPE_SAME_SANDBOX && landlock_abi() < 6)
		return err_set(e, 0,
			"signal_mode allow_same_sandbox needs Landlock ABI 6 (Linux 6.12); this kernel has %d",
			landlock_abi());
	return 0;
}

int landlock_build_begin(
	struct landlock_build *b, const struct policy *p, const struct landlock_options *o, struct err **e)
{
	*b = (struct landlock_build){.policy = p, .options = *o, .ruleset = -1};
	if (check_abi(p, e) < 0)
		return -1;
	struct nono_landlock_attr attr = handled_rights(p, o);
	size_t size = landlock_abi() >= 6   ? sizeof(attr)
		      : landlock_abi() >= 4 ? offsetof(struct nono_landlock_attr, scoped)
					    : offsetof(struct nono_landlock_attr, handled_access_net);
	b->handled = attr.handled_access_fs;
	cleanup_fd int ruleset = create_ruleset(&attr, size, 0);
	if (ruleset < 0)
		return err_set(e, errno, "cannot create the Landlock ruleset");
	if (!o->broker_sockets && attr.handled_access_net && add_port_rules(ruleset, p, e) < 0)
		return -1;
	b->ruleset = steal_fd(&ruleset);
	return 0;
}

int landlock_build_add(struct landlock_build *b, struct err **e)
{
	size_t n;
	const struct kernel_rule *rules = policy_kernel_rules(b->policy, &n);
	for (size_t i; (i = atomic_fetch_add(&b->next, 1)) < n;)
		if (add_rule(b->ruleset, &rules[i], &b->options, b->handled, e) < 0)
			return -1;
	return 0;
}

int landlock_prepare(const struct policy *p, const struct landlock_options *o, struct err **e)
{
	struct landlock_build b;
	if (landlock_build_begin(&b, p, o, e) < 0)
		return -1;
	cleanup_fd int ruleset = b.ruleset;
	return landlock_build_add(&b, e) < 0 ? -1 : steal_fd(&ruleset);
}

int landlock_enter(int ruleset, bool own_proc)
{
	if (own_proc) {
		int fd = open("/proc/self", O_PATH | O_CLOEXEC);
		if (fd >= 0) {
			int r = add_path(ruleset, fd, FS_READ);
			int err = errno;
			close(fd);
			if (r < 0)
				return -err;
		}
	}
	return syscall(SYS_landlock_restrict_self, ruleset, 0) < 0 ? -errno : 0;
}
