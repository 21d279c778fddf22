/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp.c - the system call filter.
 *
 * Theory of operation
 * -------------------
 * Files, TCP, signals and abstract sockets are Landlock's business. The filter
 * closes what Landlock does not judge and agents have no use for, and sends to
 * the broker what the trap room's call table lists. The default is to allow.
 *
 *  - A call of another architecture kills the process group's caller (libseccomp
 *    adds the check; x32 is an architecture of its own and refused with it).
 *  - refused[] is one row a call: the error is the one that probing libraries
 *    take as "this kernel does not have it", or what an ordinary user would get.
 *  - Integer arguments arrive in 64-bit registers of which the kernel uses the
 *    low half, so comparisons of `int` arguments are masked to 32 bits, or else
 *    are of a kind where a garbage upper half leads to a refusal.
 *  - Rules for one call never overlap with different actions: which one wins is
 *    not something to lean on.
 *  - Making a filter takes libseccomp about half a millisecond, a fifth of a
 *    whole start. There are few different ones, so they are made when nono is
 *    built (scripts of the build call filter_build()) and embedded;
 *    filter_build() at run time serves what is not in the table.
 */
#include "sandbox/seccomp.h"
#include "sandbox/kernel_abi.h"
#include "trap/trap.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sched.h>
#include <seccomp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

/* Newer than libseccomp's tables; one number on every architecture. */
#define NONO_NR_open_tree_attr 467
#define NONO_NR_file_setattr 469
#define NONO_CLONE_NEWTIME 0x80U

/* A call that is refused whatever its arguments. */
struct refused_call {
	int nr, err;
};

static const struct refused_call refused[] = {
	/* another way to every call the filter looks at */
	{SCMP_SYS(io_uring_setup), ENOSYS},
	{SCMP_SYS(io_uring_enter), ENOSYS},
	{SCMP_SYS(io_uring_register), ENOSYS},
	/* its flags lie in memory, where a filter cannot see namespaces; libraries then use clone */
	{SCMP_SYS(clone3), ENOSYS},
	/* parts of the kernel that agents have no use for */
	{SCMP_SYS(bpf), EPERM},
	{SCMP_SYS(perf_event_open), EPERM},
	{SCMP_SYS(userfaultfd), ENOSYS},
	{SCMP_SYS(keyctl), ENOSYS},
	{SCMP_SYS(add_key), ENOSYS},
	{SCMP_SYS(request_key), ENOSYS},
	{SCMP_SYS(kexec_load), EPERM},
	{SCMP_SYS(kexec_file_load), EPERM},
	{SCMP_SYS(init_module), EPERM},
	{SCMP_SYS(finit_module), EPERM},
	{SCMP_SYS(delete_module), EPERM},
	{SCMP_SYS(swapon), EPERM},
	{SCMP_SYS(swapoff), EPERM},
	{SCMP_SYS(reboot), EPERM},
	{SCMP_SYS(quotactl), EPERM},
	{SCMP_SYS(quotactl_fd), EPERM},
	{SCMP_SYS(acct), EPERM},
	{SCMP_SYS(syslog), EPERM},
	{SCMP_SYS(vhangup), EPERM},
	{SCMP_SYS(settimeofday), EPERM},
	{SCMP_SYS(clock_settime), EPERM},
	{SCMP_SYS(sethostname), EPERM},
	{SCMP_SYS(setdomainname), EPERM},
	{SCMP_SYS(fanotify_init), EPERM},
	{SCMP_SYS(lookup_dcookie), ENOSYS},
	{SCMP_SYS(nfsservctl), ENOSYS},
	{SCMP_SYS(uselib), ENOSYS},
	{SCMP_SYS(_sysctl), ENOSYS},
	{SCMP_SYS(iopl), EPERM},
	{SCMP_SYS(ioperm), EPERM},
	{SCMP_SYS(modify_ldt), ENOSYS},
	/* files without a path */
	{SCMP_SYS(open_by_handle_at), EPERM},
	/* mounts and roots: Landlock forbids most of it, chroot it does not */
	{SCMP_SYS(mount), EPERM},
	{SCMP_SYS(umount2), EPERM},
	{SCMP_SYS(pivot_root), EPERM},
	{SCMP_SYS(chroot), EPERM},
	{SCMP_SYS(open_tree), EPERM},
	{SCMP_SYS(move_mount), EPERM},
	{SCMP_SYS(fsopen), EPERM},
	{SCMP_SYS(fsconfig), EPERM},
	{SCMP_SYS(fsmount), EPERM},
	{SCMP_SYS(fspick), EPERM},
	{SCMP_SYS(mount_setattr), EPERM},
	{NONO_NR_open_tree_attr, EPERM},
	/* namespaces: nothing that can be set up in one works under Landlock */
	{SCMP_SYS(setns), EPERM},
	/* attributes by path that neither Landlock nor the call table judges */
	{NONO_NR_file_setattr, ENOSYS},
};

/* Flags of clone and unshare that make a namespace; NEWTIME is part of clone's exit signal. */
static const unsigned namespace_flags[] = {
	CLONE_NEWNS,
	CLONE_NEWUTS,
	CLONE_NEWIPC,
	CLONE_NEWUSER,
	CLONE_NEWPID,
	CLONE_NEWNET,
	CLONE_NEWCGROUP,
};

/* Requests to descriptors that Landlock does not judge. */
static const struct refused_ioctl {
	unsigned request;
	int err;
} refused_ioctls[] = {
	/* terminals: typing for the person, changing the line discipline */
	{TIOCSTI, EPERM},
	{TIOCLINUX, EPERM},
	{TIOCSETD, EPERM},
	{TIOCCONS, EPERM},
	/* flags and project of a file that may be open for reading only: as on a file system that has none */
	{FS_IOC_SETFLAGS, EOPNOTSUPP},
	{FS_IOC_FSSETXATTR, EOPNOTSUPP},
	/* snapshots: a copy of a whole tree, with all that is denied in it, at a path of the program's choice */
	{NONO_BTRFS_IOC_SNAP_CREATE, EPERM},
	{NONO_BTRFS_IOC_SNAP_CREATE_V2, EPERM},
	{NONO_BTRFS_IOC_SUBVOL_CREATE, EPERM},
	{NONO_BTRFS_IOC_SUBVOL_CREATE_V2, EPERM},
	{NONO_BTRFS_IOC_SNAP_DESTROY, EPERM},
	{NONO_BTRFS_IOC_SNAP_DESTROY_V2, EPERM},
	{NONO_BTRFS_IOC_SUBVOL_SETFLAGS, EPERM},
	{NONO_BCACHEFS_IOC_SUBVOLUME_CREATE, EPERM},
	{NONO_BCACHEFS_IOC_SUBVOLUME_DESTROY, EPERM},
};

/** struct making - a filter being made; the first failure is kept. */
struct making {
	scmp_filter_ctx ctx;
	int rc;
};

#define INT_EQ(arg, value) SCMP_CMP(arg, SCMP_CMP_MASKED_EQ, 0xffffffffU, (scmp_datum_t)(unsigned)(value))
#define TYPE_EQ(value) SCMP_CMP(1, SCMP_CMP_MASKED_EQ, 0xfU, (scmp_datum_t)(value))

static void rule_array(struct making *m, uint32_t action, int nr, unsigned n, const struct scmp_arg_cmp *cmp)
{
	/* negative numbers below -1 are libseccomp's for calls this architecture lacks */
	if (m->rc == 0 && nr >= 0)
		m->rc = seccomp_rule_add_array(m->ctx, action, nr, n, cmp);
}
#define rule(m, action, nr, ...)                                                                                       \
	rule_array(m, action, nr, ARRAY_SIZE(((struct scmp_arg_cmp[]){__VA_ARGS__})),                                  \
		(struct scmp_arg_cmp[]){__VA_ARGS__})

static void add_refused(struct making *m)
{
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		rule_array(m, SCMP_ACT_ERRNO(refused[i].err), refused[i].nr, 0, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(refused_ioctls); i++)
		rule(m, SCMP_ACT_ERRNO(refused_ioctls[i].err), SCMP_SYS(ioctl), INT_EQ(1, refused_ioctls[i].request));
	/* setting another process's limits ends it, and takes no more than the same user; asking for them is harmless
	 */
	rule(m, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(prlimit64), SCMP_A0(SCMP_CMP_NE, 0), SCMP_A2(SCMP_CMP_NE, 0));
	for (size_t i = 0; i < ARRAY_SIZE(namespace_flags); i++) {
		struct scmp_arg_cmp flag = SCMP_A0(SCMP_CMP_MASKED_EQ, namespace_flags[i], namespace_flags[i]);
		rule_array(m, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1, &flag);
		rule_array(m, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(unshare), 1, &flag);
	}
	rule(m, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(unshare),
		SCMP_A0(SCMP_CMP_MASKED_EQ, NONO_CLONE_NEWTIME, NONO_CLONE_NEWTIME));
}

/* Internet sockets of one family. The protocols named are those that exist for the type. */
static void add_inet(struct making *m, const struct filter_key *key, int family, bool trap_udp)
{
	const uint32_t no_protocol = SCMP_ACT_ERRNO(EPROTONOSUPPORT);
	const bool open = key->net == NET_OPEN;
	const int socket_nr = SCMP_SYS(socket);

	for (unsigned type = 0; type < 16; type++)
		if (type != SOCK_STREAM && type != SOCK_DGRAM)
			rule(m, SCMP_ACT_ERRNO(type == SOCK_RAW ? EPERM : ESOCKTNOSUPPORT), socket_nr,
				INT_EQ(0, family), TYPE_EQ(type));

	if (!open && !key->tcp_judged && key->traps == FILTER_KERNEL_ONLY) {
		rule(m, SCMP_ACT_ERRNO(EACCES), socket_nr, INT_EQ(0, family), TYPE_EQ(SOCK_STREAM));
	} else {
		/* MPTCP, SCTP, SMC */
		rule(m, no_protocol, socket_nr, INT_EQ(0, family), TYPE_EQ(SOCK_STREAM),
			SCMP_A2(SCMP_CMP_GT, IPPROTO_TCP));
	}

	if (open) {
		/* UDP-Lite, L2TP; the pings, 1 and 58, are left */
		rule(m, no_protocol, socket_nr, INT_EQ(0, family), TYPE_EQ(SOCK_DGRAM),
			SCMP_A2(SCMP_CMP_GT, family == AF_INET6 ? IPPROTO_ICMPV6 : IPPROTO_UDP));
		return;
	}
	if (!trap_udp) {
		rule(m, SCMP_ACT_ERRNO(EACCES), socket_nr, INT_EQ(0, family), TYPE_EQ(SOCK_DGRAM));
		return;
	}
	rule(m, SCMP_ACT_NOTIFY, socket_nr, INT_EQ(0, family), TYPE_EQ(SOCK_DGRAM), INT_EQ(2, 0));
	rule(m, SCMP_ACT_NOTIFY, socket_nr, INT_EQ(0, family), TYPE_EQ(SOCK_DGRAM), INT_EQ(2, IPPROTO_UDP));
	for (unsigned protocol = 1; protocol < IPPROTO_UDP; protocol++)
		rule(m, no_protocol, socket_nr, INT_EQ(0, family), TYPE_EQ(SOCK_DGRAM), INT_EQ(2, protocol));
	rule(m, no_protocol, socket_nr, INT_EQ(0, family), TYPE_EQ(SOCK_DGRAM), SCMP_A2(SCMP_CMP_GT, IPPROTO_UDP));
}

/* Unix sockets always; internet sockets by mode; netlink for route queries; nothing else. */
static void add_sockets(struct making *m, const struct filter_key *key, bool trap_udp)
{
	const uint32_t no_family = SCMP_ACT_ERRNO(EAFNOSUPPORT);
	static_assert(AF_UNIX == 1 && AF_INET == 2 && AF_INET6 == 10 && AF_NETLINK == 16, "numbers of families");

	for (int family = 0; family < AF_NETLINK; family++)
		if (family != AF_UNIX && family != AF_INET && family != AF_INET6)
			rule(m, no_family, SCMP_SYS(socket), INT_EQ(0, family));
	/* a garbage upper half of the register also ends here */
	rule(m, no_family, SCMP_SYS(socket), SCMP_A0(SCMP_CMP_GT, AF_NETLINK));
	rule(m, no_family, SCMP_SYS(socketpair), SCMP_A0(SCMP_CMP_NE, AF_UNIX));
	/* NETLINK_ROUTE is 0; changing anything there takes a capability that is gone */
	rule(m, SCMP_ACT_ERRNO(EPROTONOSUPPORT), SCMP_SYS(socket), INT_EQ(0, AF_NETLINK), SCMP_A2(SCMP_CMP_NE, 0));
	add_inet(m, key, AF_INET, trap_udp);
	add_inet(m, key, AF_INET6, trap_udp);
	/* a send that connects as it goes, to an address that nothing has judged */
	struct scmp_arg_cmp flag = SCMP_A3(SCMP_CMP_MASKED_EQ, MSG_FASTOPEN, MSG_FASTOPEN);
	rule_array(m, SCMP_ACT_ERRNO(EOPNOTSUPP), SCMP_SYS(sendto), 1, &flag);
	rule_array(m, SCMP_ACT_ERRNO(EOPNOTSUPP), SCMP_SYS(sendmmsg), 1, &flag);
	flag.arg = 2;
	rule_array(m, SCMP_ACT_ERRNO(EOPNOTSUPP), SCMP_SYS(sendmsg), 1, &flag);
}

/*
 * Source routes: the packets of a connection that was judged would go to whatever host
 * the option names, who may answer in the other one's place.
 */
static void add_source_routes(struct making *m)
{
	static const struct {
		int level, option;
	} routes[] = {{IPPROTO_IP, IP_OPTIONS}, {IPPROTO_IPV6, IPV6_RTHDR}, {IPPROTO_IPV6, IPV6_2292RTHDR},
		{IPPROTO_IPV6, IPV6_2292PKTOPTIONS}};
	for (size_t i = 0; i < ARRAY_SIZE(routes); i++)
		rule(m, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(setsockopt), INT_EQ(1, routes[i].level),
			INT_EQ(2, routes[i].option));
}

/* What the broker answers: the trap room's table. Return: whether datagram sockets are among it. */
static bool add_trapped(struct making *m, const struct filter_key *key)
{
	bool udp = false;
	size_t n;
	const struct trap_row *rows = trap_table(&n);
	for (size_t i = 0; i < n; i++) {
		const struct trap_row *r = &rows[i];
		if (r->nr < 0)
			continue;
		if (r->when == TRAP_UDP) {
			/* Unix datagrams can be sent to any path: the broker gives out stand-ins (net/datagram.c) */
			rule(m, SCMP_ACT_NOTIFY, r->nr, INT_EQ(0, AF_UNIX), TYPE_EQ(SOCK_DGRAM));
			udp = udp || key->net != NET_OPEN;
		} else if (!key->cuts_judged && r->cuts == CUTS_BY_MEMORY) {
			rule_array(m, SCMP_ACT_ERRNO(ENOSYS), r->nr, 0, NULL);
		} else if (!r->lane || (!key->cuts_judged && r->cuts == CUTS_ALWAYS)) {
			rule_array(m, SCMP_ACT_NOTIFY, r->nr, 0, NULL);
		} else if (r->when == TRAP_FILES && key->traps == FILTER_TRAP_SHIM) {
			rule(m, SCMP_ACT_NOTIFY, r->nr, SCMP_A5(SCMP_CMP_EQ, TRAP_AGAIN));
		} else {
			rule(m, SCMP_ACT_NOTIFY, r->nr, SCMP_A5(SCMP_CMP_NE, TRAP_LANE));
		}
		if (!key->cuts_judged && (r->cuts == CUTS_BY_FLAG_1 || r->cuts == CUTS_BY_FLAG_2))
			rule(m, SCMP_ACT_NOTIFY, r->nr,
				SCMP_CMP(r->cuts == CUTS_BY_FLAG_1 ? 1 : 2, SCMP_CMP_MASKED_EQ, O_TRUNC, O_TRUNC));
	}
	return udp;
}

/* Read back what libseccomp exports to a descriptor: version 2.5 has no other way. */
static int export_program(scmp_filter_ctx ctx, struct sock_fprog *out, struct err **e)
{
	cleanup_fd int fd = memfd_create("nono-filter", MFD_CLOEXEC);
	if (fd < 0)
		return err_set(e, errno, "cannot make the system call filter");
	int rc = seccomp_export_bpf(ctx, fd);
	if (rc < 0)
		return err_set(e, -rc, "cannot export the system call filter");
	off_t size = lseek(fd, 0, SEEK_END);
	size_t n = (size_t)size / sizeof(struct sock_filter);
	if (size <= 0 || n > BPF_MAXINSNS)
		return err_set(e, 0, "the system call filter is %lld bytes long", (long long)size);
	cleanup_free struct sock_filter *code = xmalloc((size_t)size);
	if (pread(fd, code, (size_t)size, 0) != size)
		return err_set(e, errno, "cannot read the system call filter");
	out->len = (unsigned short)n;
	out->filter = steal_ptr(&code);
	return 0;
}

int filter_build(const struct filter_key *key, struct sock_fprog *out, struct err **e)
{
	struct making m = {.ctx = seccomp_init(SCMP_ACT_ALLOW)};
	if (!m.ctx)
		return err_set(e, ENOMEM, "cannot make the system call filter");
	/* calls of another architecture: i386 and x32 are not translated, they end the process */
	m.rc = seccomp_attr_set(m.ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	if (m.rc == 0)
		m.rc = seccomp_attr_set(m.ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2); /* binary tree of calls */
	add_refused(&m);
	bool udp = key->traps != FILTER_KERNEL_ONLY && add_trapped(&m, key);
	add_sockets(&m, key, udp);
	add_source_routes(&m);
	int rc = m.rc < 0 ? err_set(e, -m.rc, "cannot make the system call filter") : export_program(m.ctx, out, e);
	seccomp_release(m.ctx);
	return rc;
}

struct filter_key filter_key_of(const struct policy *p, bool supervise, int abi)
{
	const struct policy_settings *s = policy_settings(p);
	struct filter_key key = {.net = s->net_mode, .tcp_judged = abi >= 4, .cuts_judged = abi >= 3};
	if (supervise && s->supervision != SUPERVISION_OFF)
		key.traps = s->supervision == SUPERVISION_SHIM ? FILTER_TRAP_SHIM : FILTER_TRAP_FULL;
	return key;
}

/* Overridden by the generated table in the nono program. */
__attribute__((weak)) const struct embedded_filters embedded_filters = {0};

int filter_get(const struct filter_key *key, struct sock_fprog *out, void **made, struct err **e)
{
	*made = NULL;
	for (size_t i = 0; i < embedded_filters.n; i++) {
		const struct embedded_filter *f = &embedded_filters.v[i];
		if (f->key.traps == key->traps && f->key.net == key->net && f->key.tcp_judged == key->tcp_judged &&
			f->key.cuts_judged == key->cuts_judged) {
			out->len = f->len;
			out->filter = (struct sock_filter *)f->code;
			return 0;
		}
	}
	if (filter_build(key, out, e) < 0)
		return -1;
	*made = out->filter;
	return 0;
}
