/* SPDX-License-Identifier: Apache-2.0 */
/*
 * deadend.c - UDP sockets from a network namespace in which nothing leaves the host.
 *
 * Theory of operation
 * -------------------
 * A datagram socket can send anywhere with each call, so judging single calls is
 * both slow and full of races. Instead socket() itself is answered, with a socket
 * that belongs to another network namespace: one that has only a loopback interface,
 * with routes that make every address there is a local one. Whatever the program
 * sends, wherever to, arrives there or nowhere. The broker listens there on port 53
 * of every address.
 *
 * A small helper process makes the namespace (with a user namespace of its own, so
 * no privilege is needed), gives up all it could do with it, and makes sockets
 * on request, one message each. It ends with the broker. It is started when the first
 * datagram socket is asked for: programs that use none pay nothing.
 *
 * The helper is forked from a process with threads, so it uses system calls only.
 */
#include "net/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/rtnetlink.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71 /* Linux 5.14 */
#endif

#ifndef IPV6_FREEBIND
#define IPV6_FREEBIND 78 /* Linux 4.15 */
#endif

#define LO_INDEX 1
#define DNS_PORT 53

struct deadend {
	pthread_mutex_t lock;
	int fd; /* to the helper; -1 before the start */
	pid_t helper;
	bool failed;
	uint64_t cookie; /* of the namespace; 0: none */
};

/** struct request - a socket to make. @port: 0, or bind to it on every address. */
struct request {
	int domain, type, protocol;
	unsigned port;
};

/* ---- the helper ---------------------------------------------------------- */

static int lo_up(void)
{
	struct ifreq r = {.ifr_name = "lo"};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	int rc = ioctl(fd, SIOCGIFFLAGS, &r);
	r.ifr_flags |= IFF_UP | IFF_RUNNING;
	if (rc == 0)
		rc = ioctl(fd, SIOCSIFFLAGS, &r);
	rc = rc < 0 ? -errno : 0;
	close(fd);
	return rc;
}

/* `ip route add local default dev lo table local` */
static int route_everything(int family)
{
	struct {
		struct nlmsghdr h;
		struct rtmsg r;
		struct rtattr oif;
		int32_t index;
	} q = {
		.h = {.nlmsg_len = sizeof(q),
			.nlmsg_type = RTM_NEWROUTE,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_ACK},
		.r = {.rtm_family = (unsigned char)family,
			.rtm_table = RT_TABLE_LOCAL,
			.rtm_protocol = RTPROT_BOOT,
			.rtm_scope = RT_SCOPE_HOST,
			.rtm_type = RTN_LOCAL},
		.oif = {.rta_len = RTA_LENGTH(sizeof(int32_t)), .rta_type = RTA_OIF},
		.index = LO_INDEX,
	};
	struct {
		struct nlmsghdr h;
		struct nlmsgerr e;
	} a = {0};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (fd < 0)
		return -errno;
	int rc = send(fd, &q, sizeof(q), 0) < 0 || recv(fd, &a, sizeof(a), MSG_TRUNC) < 0 ? -errno : a.e.error;
	close(fd);
	return rc;
}

static int namespace_make(void)
{
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0 && unshare(CLONE_NEWNET) < 0)
		return -errno;
	int rc = lo_up();
	if (rc == 0)
		rc = route_everything(AF_INET);
	if (rc == 0)
		(void)route_everything(AF_INET6); /* there may be no IPv6; then such sockets cannot be made either */
	return rc;
}

static int socket_make(const struct request *q)
{
	const int on = 1;
	int fd = socket(q->domain, q->type, q->protocol);
	if (fd < 0 || !q->port)
		return fd < 0 ? -errno : fd;
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} a = {.sa.sa_family = (sa_family_t)q->domain};
	bool v6 = q->domain == AF_INET6;
	a.in.sin_port = htons((uint16_t)q->port); /* at the same place in both */
	int rc = v6 ? setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) : 0;
	if (rc == 0 && v6) /* to answer from an address that a route makes local, but no interface has */
		rc = setsockopt(fd, IPPROTO_IPV6, IPV6_FREEBIND, &on, sizeof(on));
	if (rc == 0)
		rc = v6 ? setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on))
			: setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on));
	if (rc == 0)
		rc = bind(fd, &a.sa, v6 ? sizeof(a.in6) : sizeof(a.in));
	if (rc == 0)
		return fd;
	rc = -errno;
	close(fd);
	return rc;
}

/* One reply: 0 and a descriptor, or -errno. */
static void reply(int to, int rc)
{
	int32_t code = rc < 0 ? rc : 0;
	struct iovec iov = {&code, sizeof(code)};
	union {
		char space[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {0};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
	if (rc >= 0) {
		m.msg_control = control.space;
		m.msg_controllen = sizeof(control.space);
		struct cmsghdr *c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &rc, sizeof(int));
	}
	(void)sendmsg(to, &m, MSG_NOSIGNAL);
	if (rc >= 0)
		close(rc);
}

static NORETURN void helper(int fd)
{
	sigset_t all;
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL); /* the terminal's signals are not for it; the end of the broker is */
	prctl(PR_SET_NAME, "nono-deadend");
	prctl(PR_SET_PDEATHSIG, 0);
	if (dup2(fd, 0) < 0)
		_exit(1);
	syscall(SYS_close_range, 1U, ~0U, 0U);
	int rc = namespace_make();
	reply(0, rc < 0 ? rc : socket_make(&(struct request){AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0, DNS_PORT}));
	reply(0, rc < 0 ? rc : socket_make(&(struct request){AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0, DNS_PORT}));
	reply(0, rc < 0 ? rc : refused_socket());
	const uint32_t bind_service = 1U << CAP_NET_BIND_SERVICE; /* sockets on port 123, say, in here */
	struct __user_cap_header_struct h = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct some[2] = {{.effective = bind_service, .permitted = bind_service}};
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (syscall(SYS_capset, &h, some) < 0 || rc < 0)
		_exit(1);
	struct request q;
	while (recv(0, &q, sizeof(q), 0) == sizeof(q))
		reply(0, socket_make(&q));
	_exit(0);
}

/* ---- the broker's side --------------------------------------------------- */

struct deadend *deadend_new(void)
{
	struct deadend *d = xcalloc(1, sizeof(*d));
	d->fd = -1;
	pthread_mutex_init(&d->lock, NULL);
	return d;
}

void deadend_free(struct deadend *d)
{
	if (!d)
		return;
	if (d->fd >= 0) {
		close(d->fd);
		waitpid(d->helper, NULL, 0);
	}
	pthread_mutex_destroy(&d->lock);
	free(d);
}

/* Return: the descriptor of one reply, or -errno. */
static int receive(int from)
{
	int32_t code;
	struct iovec iov = {&code, sizeof(code)};
	union {
		char space[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	struct msghdr m = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.space,
		.msg_controllen = sizeof(control.space)};
	ssize_t n;
	do
		n = recvmsg(from, &m, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n != sizeof(code))
		return -EPIPE;
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	if (code < 0 || !c || c->cmsg_type != SCM_RIGHTS)
		return code < 0 ? code : -EPROTO;
	int fd;
	memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

/* Under the lock. Return: 0 or -ENOSYS. */
static int start(struct net *n)
{
	struct deadend *d = n->deadend;
	int pair[2];
	if (d->fd >= 0)
		return 0;
	if (d->failed || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -ENOSYS;
	d->helper = fork();
	if (d->helper == 0)
		helper(pair[1]);
	close(pair[1]);
	n->dns[0] = d->helper > 0 ? receive(pair[0]) : -errno;
	n->dns[1] = d->helper > 0 ? receive(pair[0]) : -1;
	n->refused = d->helper > 0 ? receive(pair[0]) : -1;
	socklen_t len = sizeof(d->cookie);
	if (n->dns[0] < 0 || getsockopt(n->dns[0], SOL_SOCKET, SO_NETNS_COOKIE, &d->cookie, &len) < 0 ||
		dns_serve_udp(n) < 0) {
		say_info("no namespace for UDP sockets%s%s: they reach the resolver and nothing else",
			n->dns[0] < 0 ? ", " : "", n->dns[0] < 0 ? strerror(-n->dns[0]) : "");
		d->failed = true;
		d->cookie = 0;
		close(pair[0]);
		if (d->helper > 0)
			waitpid(d->helper, NULL, 0);
		return -ENOSYS;
	}
	d->fd = pair[0];
	if (udp_serve(n) < 0)
		say_info("UDP that rules allow is not carried: too many threads");
	return 0;
}

int deadend_listener(struct deadend *d, int domain, unsigned port)
{
	const struct request q = {.domain = domain, .type = SOCK_DGRAM | SOCK_CLOEXEC, .port = port};
	return send(d->fd, &q, sizeof(q), MSG_NOSIGNAL) < 0 ? -errno : receive(d->fd);
}

int deadend_socket(struct net *n, int domain, int type, int protocol)
{
	struct deadend *d = n->deadend;
	/* O_CLOEXEC concerns the caller's descriptor; on ours it is always set */
	const struct request q = {
		.domain = domain, .type = (type & ~SOCK_CLOEXEC) | SOCK_CLOEXEC, .protocol = protocol};
	pthread_mutex_lock(&d->lock);
	int rc = start(n);
	if (rc == 0)
		rc = send(d->fd, &q, sizeof(q), MSG_NOSIGNAL) < 0 ? -errno : receive(d->fd);
	pthread_mutex_unlock(&d->lock);
	return rc;
}

bool deadend_owns(struct deadend *d, int fd)
{
	uint64_t cookie = 0;
	socklen_t len = sizeof(cookie);
	pthread_mutex_lock(&d->lock);
	uint64_t own = d->cookie;
	pthread_mutex_unlock(&d->lock);
	return own && getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &len) == 0 && cookie == own;
}

static bool sysctl_is(const char *path, long value)
{
	char text[32] = "";
	cleanup_file FILE *f = fopen(path, "re");
	return f && fgets(text, sizeof(text), f) && strtol(text, NULL, 10) == value;
}

/* Whether a filter around us (a container's) refuses it: only trying tells. */
static bool filter_refuses(void)
{
	if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) != SECCOMP_MODE_FILTER)
		return false;
	pid_t pid = fork();
	if (pid == 0)
		_exit(unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0 && unshare(CLONE_NEWNET) < 0);
	int status = 1;
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status != 0;
}

/* Whether a network namespace can be made without a user namespace. */
static bool may_administer(void)
{
	struct __user_cap_header_struct h = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct have[2] = {0};
	return syscall(SYS_capget, &h, have) == 0 && (have[0].effective & 1U << CAP_SYS_ADMIN);
}

bool deadend_unlikely(void)
{
	if (sysctl_is("/proc/sys/user/max_net_namespaces", 0) || filter_refuses())
		return true;
	return !may_administer() && (sysctl_is("/proc/sys/user/max_user_namespaces", 0) ||
					    sysctl_is("/proc/sys/kernel/unprivileged_userns_clone", 0) ||
					    sysctl_is("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", 1));
}
