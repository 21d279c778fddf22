/* SPDX-License-Identifier: Apache-2.0 */
/* probe_seccomp.c - calls that the filter refuses, with garbage in the unused halves of registers, by other doors. */
#include "probe.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/fs.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define HIGH 0x100000000UL /* a bit the kernel ignores in int arguments */

struct attempt {
	const char *what;
	long nr;
	unsigned long args[6];
	int expected; /* errno */
};

/* What is refused in every session. Descriptor 0 stands for any; addresses are bad, so nothing can succeed by chance.
 */
static const struct attempt always[] = {
	{"io_uring_setup", SYS_io_uring_setup, {1, 0}, ENOSYS},
	{"io_uring_enter", SYS_io_uring_enter, {0}, ENOSYS},
	{"io_uring_register", SYS_io_uring_register, {0}, ENOSYS},
	{"clone3", SYS_clone3, {0}, ENOSYS},
	{"bpf", SYS_bpf, {0}, EPERM},
	{"perf_event_open", SYS_perf_event_open, {0}, EPERM},
	{"userfaultfd", SYS_userfaultfd, {0}, ENOSYS},
	{"keyctl", SYS_keyctl, {0}, ENOSYS},
	{"add_key", SYS_add_key, {0}, ENOSYS},
	{"request_key", SYS_request_key, {0}, ENOSYS},
	{"init_module", SYS_init_module, {0}, EPERM},
	{"finit_module", SYS_finit_module, {0}, EPERM},
	{"delete_module", SYS_delete_module, {0}, EPERM},
	{"kexec_load", SYS_kexec_load, {0}, EPERM},
	{"open_by_handle_at", SYS_open_by_handle_at, {0}, EPERM},
	{"mount", SYS_mount, {0}, EPERM},
	{"umount2", SYS_umount2, {0}, EPERM},
	{"pivot_root", SYS_pivot_root, {0}, EPERM},
	{"chroot", SYS_chroot, {0}, EPERM},
	{"fsopen", SYS_fsopen, {0}, EPERM},
	{"move_mount", SYS_move_mount, {0}, EPERM},
	{"open_tree", SYS_open_tree, {0}, EPERM},
	{"setns", SYS_setns, {0}, EPERM},
	{"unshare user", SYS_unshare, {CLONE_NEWUSER}, EPERM},
	{"unshare user+mount", SYS_unshare, {CLONE_NEWUSER | CLONE_NEWNS}, EPERM},
	{"unshare net, high bit", SYS_unshare, {HIGH | CLONE_NEWNET}, EPERM},
	{"unshare time", SYS_unshare, {0x80}, EPERM},
	{"clone new user", SYS_clone, {CLONE_NEWUSER | SIGCHLD}, EPERM},
	{"clone new net", SYS_clone, {CLONE_NEWNET | SIGCHLD}, EPERM},
	{"swapon", SYS_swapon, {0}, EPERM},
	{"reboot", SYS_reboot, {0}, EPERM},
	{"quotactl", SYS_quotactl, {0}, EPERM},
	{"syslog", SYS_syslog, {3}, EPERM},
	{"sethostname", SYS_sethostname, {0}, EPERM},
	{"fanotify_init", SYS_fanotify_init, {0}, EPERM},
	{"TIOCSTI", SYS_ioctl, {0, TIOCSTI}, EPERM},
	{"TIOCSTI, high bit", SYS_ioctl, {0, HIGH | TIOCSTI}, EPERM},
	{"TIOCSTI, all high bits", SYS_ioctl, {0, 0xffffffff00000000UL | TIOCSTI}, EPERM},
	{"TIOCLINUX", SYS_ioctl, {0, TIOCLINUX}, EPERM},
	{"TIOCLINUX, high bit", SYS_ioctl, {0, HIGH | TIOCLINUX}, EPERM},
	{"TIOCSETD", SYS_ioctl, {0, TIOCSETD}, EPERM},
	{"TIOCCONS", SYS_ioctl, {0, TIOCCONS}, EPERM},
	{"flags of a file", SYS_ioctl, {0, FS_IOC_SETFLAGS}, EOPNOTSUPP},
	{"flags of a file, high bit", SYS_ioctl, {0, HIGH | FS_IOC_SETFLAGS}, EOPNOTSUPP},
	{"project of a file", SYS_ioctl, {0, FS_IOC_FSSETXATTR}, EOPNOTSUPP},
	{"btrfs snapshot", SYS_ioctl, {0, 0x50009401}, EPERM},
	{"btrfs snapshot, version 2", SYS_ioctl, {0, 0x50009417}, EPERM},
	{"btrfs subvolume", SYS_ioctl, {0, 0x5000940e}, EPERM},
	{"btrfs subvolume, version 2", SYS_ioctl, {0, 0x50009418}, EPERM},
	{"btrfs removal", SYS_ioctl, {0, 0x5000940f}, EPERM},
	{"btrfs removal, version 2", SYS_ioctl, {0, 0x5000943f}, EPERM},
	{"btrfs flags", SYS_ioctl, {0, 0x4008941a}, EPERM},
	{"bcachefs snapshot", SYS_ioctl, {0, 0x4020bc10}, EPERM},
	{"bcachefs removal", SYS_ioctl, {0, 0x4020bc11}, EPERM},
	/* with an address: without the filter it would be EFAULT */
	{"limits of another process", SYS_prlimit64, {1, 0, 1}, EPERM},
	{"socket packet", SYS_socket, {AF_PACKET, SOCK_RAW, 0}, EAFNOSUPPORT},
	{"socket vsock", SYS_socket, {AF_VSOCK, SOCK_STREAM, 0}, EAFNOSUPPORT},
	{"socket alg", SYS_socket, {AF_ALG, SOCK_SEQPACKET, 0}, EAFNOSUPPORT},
	{"socket bluetooth", SYS_socket, {AF_BLUETOOTH, SOCK_RAW, 0}, EAFNOSUPPORT},
	{"socket xdp", SYS_socket, {AF_XDP, SOCK_RAW, 0}, EAFNOSUPPORT},
	{"socket packet, high bit", SYS_socket, {HIGH | AF_PACKET, SOCK_RAW, 0}, EAFNOSUPPORT},
	{"socket raw", SYS_socket, {AF_INET, SOCK_RAW, IPPROTO_TCP}, EPERM},
	{"socket raw, high bits", SYS_socket, {AF_INET, HIGH | SOCK_RAW, HIGH}, EPERM},
	{"socket raw, flags", SYS_socket, {AF_INET6, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_UDP}, EPERM},
	{"socket raw icmp", SYS_socket, {AF_INET, SOCK_RAW, IPPROTO_ICMP}, EPERM},
	{"socket sctp", SYS_socket, {AF_INET, SOCK_STREAM, IPPROTO_SCTP}, EPROTONOSUPPORT},
	{"socket sctp, high bit", SYS_socket, {AF_INET, SOCK_STREAM, HIGH | IPPROTO_SCTP}, EPROTONOSUPPORT},
	{"socket mptcp", SYS_socket, {AF_INET, SOCK_STREAM, 262}, EPROTONOSUPPORT},
	{"socket seqpacket", SYS_socket, {AF_INET, SOCK_SEQPACKET, 0}, ESOCKTNOSUPPORT},
	{"socket dccp", SYS_socket, {AF_INET, 6, 33}, ESOCKTNOSUPPORT},
	{"socket netlink netfilter", SYS_socket, {AF_NETLINK, SOCK_RAW, 12}, EPROTONOSUPPORT},
	{"socket netlink diag", SYS_socket, {AF_NETLINK, SOCK_DGRAM, 4}, EPROTONOSUPPORT},
	{"sendto fast open", SYS_sendto, {-1, 0, 0, MSG_FASTOPEN}, EOPNOTSUPP},
	{"sendto fast open, high bits", SYS_sendto, {-1, 0, 0, HIGH | MSG_FASTOPEN | MSG_NOSIGNAL}, EOPNOTSUPP},
	{"sendmsg fast open", SYS_sendmsg, {-1, 0, MSG_FASTOPEN}, EOPNOTSUPP},
	{"sendmmsg fast open", SYS_sendmmsg, {-1, 0, 1, MSG_FASTOPEN}, EOPNOTSUPP},
	{"source route", SYS_setsockopt, {-1, IPPROTO_IP, IP_OPTIONS}, EPERM},
	{"source route, high bits", SYS_setsockopt, {-1, HIGH | IPPROTO_IP, HIGH | IP_OPTIONS}, EPERM},
	{"routing header", SYS_setsockopt, {-1, IPPROTO_IPV6, IPV6_RTHDR}, EPERM},
	{"routing header, RFC 2292", SYS_setsockopt, {-1, IPPROTO_IPV6, IPV6_2292RTHDR}, EPERM},
	{"packet options", SYS_setsockopt, {-1, IPPROTO_IPV6, HIGH | IPV6_2292PKTOPTIONS}, EPERM},
	{"socketpair tipc", SYS_socketpair, {30, SOCK_STREAM, 0}, EAFNOSUPPORT},
};

/* With --block-net there is no UDP and no ping either. */
static const struct attempt blocked[] = {
	{"socket ping", SYS_socket, {AF_INET, SOCK_DGRAM, IPPROTO_ICMP}, EACCES},
	{"socket udp-lite", SYS_socket, {AF_INET, SOCK_DGRAM, 136}, EACCES},
	{"socket l2tp, high bit", SYS_socket, {HIGH | AF_INET6, SOCK_DGRAM, 115}, EACCES},
};

static int try_all(const struct attempt *list, size_t n)
{
	int bad = 0;
	for (size_t i = 0; i < n; i++) {
		const struct attempt *a = &list[i];
		const unsigned long *x = a->args;
		errno = 0;
		long rc = syscall(a->nr, x[0], x[1], x[2], x[3], x[4], x[5]);
		int err = rc < 0 ? errno : 0;
		bool ok = err == a->expected;
		/* the broker or the kernel may say no in another way, but never yes */
		if (!ok && rc < 0 && a->expected == EACCES && (err == EPROTONOSUPPORT || err == EAFNOSUPPORT))
			ok = true;
		if (!ok && rc < 0 && a->expected == EPROTONOSUPPORT && err == EACCES)
			ok = true;
		if (!ok) {
			printf("%s: %s instead of %s\n", a->what, errno_name(err), errno_name(a->expected));
			bad = 1;
		}
		if (rc == 0 && (a->nr == SYS_clone || a->nr == SYS_clone3))
			_exit(1);
	}
	return bad;
}

static int refused_calls(int argc, char **argv)
{
	int bad = try_all(always, sizeof(always) / sizeof(*always));
	if (argc > 0 && strcmp(argv[0], "blocked") == 0)
		bad |= try_all(blocked, sizeof(blocked) / sizeof(*blocked));
	return bad;
}
PROBE(refused_calls, refused_calls, "[blocked]");

/* What must go on working. */
static int allowed_calls(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	int pair[2], bad = 0;
	const struct {
		const char *what;
		long rc;
	} list[] = {
		{"socketpair", socketpair(AF_UNIX, SOCK_STREAM, 0, pair)},
		{"unix stream", socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)},
		{"unix datagram", socket(AF_UNIX, SOCK_DGRAM, 0)},
		{"tcp", socket(AF_INET, SOCK_STREAM, 0)},
		{"tcp by name", socket(AF_INET6, SOCK_STREAM, IPPROTO_TCP)},
		{"netlink route", socket(AF_NETLINK, SOCK_RAW, 0)},
		{"unshare files", unshare(CLONE_FILES)},
		{"own limits", setrlimit(RLIMIT_CORE, &(struct rlimit){0})},
		{"limits of another, asked for", prlimit(getppid(), RLIMIT_CORE, NULL, &(struct rlimit){0})},
		{"a clone of data or no such thing",
			ioctl(1, FICLONE, -1) == 0 || (errno != EPERM && errno != EACCES) ? 0 : -1},
		{"window size or no terminal", ioctl(1, TIOCGWINSZ, (char[64]){0}) == 0 || errno != EPERM ? 0 : -1},
	};
	for (size_t i = 0; i < sizeof(list) / sizeof(*list); i++) {
		if (list[i].rc < 0) {
			printf("%s failed\n", list[i].what);
			bad = 1;
		}
	}
	return bad;
}
PROBE(allowed_calls, allowed_calls, "");

#ifdef __x86_64__
static void call_i386(void)
{
	long rc;
	/* getpid of i386 */
	__asm__ volatile("int $0x80" : "=a"(rc) : "a"(20L) : "memory", "r8", "r9", "r10", "r11");
	_exit(rc < 0 ? 3 : 0);
}

static void call_x32(void)
{
	long rc = syscall(0x40000000L | SYS_getpid);
	_exit(rc < 0 ? 3 : 0);
}
#endif

/* Other doors into the kernel end the process. Prints how each child ended. */
static int other_abi(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	int bad = 0;
#ifdef __x86_64__
	void (*const calls[])(void) = {call_i386, call_x32};
	static const char *const names[] = {"i386", "x32"};
	for (size_t i = 0; i < 2; i++) {
		int status;
		pid_t pid = fork();
		if (pid == 0)
			calls[i]();
		waitpid(pid, &status, 0);
		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS) {
			printf("%s: status %#x instead of SIGSYS\n", names[i], status);
			bad = 1;
		}
	}
#endif
	return bad;
}
PROBE(other_abi, other_abi, "");

/* Capabilities: none but the four that act on files, in no set. */
static int capabilities(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	const unsigned long allowed =
		1UL << CAP_CHOWN | 1UL << CAP_DAC_OVERRIDE | 1UL << CAP_FOWNER | 1UL << CAP_FSETID;
	struct __user_cap_header_struct h = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct d[2];
	if (syscall(SYS_capget, &h, d) < 0)
		return 2;
	unsigned long permitted = d[0].permitted | (unsigned long)d[1].permitted << 32;
	unsigned long inheritable = d[0].inheritable | (unsigned long)d[1].inheritable << 32;
	unsigned long most = geteuid() == 0 ? allowed : 0;
	if ((permitted & ~most) || inheritable) {
		printf("permitted %#lx inheritable %#lx\n", permitted, inheritable);
		return 1;
	}
	return 0;
}
PROBE(capabilities, capabilities, "");

/* Descriptors that are open; the standard three are expected. */
static int descriptors(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	int bad = 0;
	for (int fd = 3; fd < 4096; fd++) {
		if (fcntl(fd, F_GETFD) >= 0) {
			printf("%d is open\n", fd);
			bad = 1;
		}
	}
	return bad;
}
PROBE(descriptors, descriptors, "");

/* Send @signal to a process outside. */
static int signal_outside(int argc, char **argv)
{
	if (argc < 2)
		return 2;
	int rc = kill((pid_t)atol(argv[0]), atoi(argv[1]));
	printf("%s\n", errno_name(rc < 0 ? errno : 0));
	return 0;
}
PROBE(signal_outside, signal_outside, "PID SIGNAL");
