/* SPDX-License-Identifier: Apache-2.0 */
/*
 * datagram.c - Unix datagram sockets.
 *
 * A Unix datagram socket may send to any path with each call, connected or not, and
 * neither the filter nor Landlock (before ABI 9) judges that. So socket() gives the
 * program a sequenced-packet socket in its place: messages keep their bounds, and
 * the kernel ignores addresses given with them. When it is connected to a datagram
 * socket that is allowed, the broker stands in between: it accepts the program's
 * socket on a nameless listener and carries messages to a datagram socket of its own,
 * connected to the pinned inode. Descriptors and credentials are not carried.
 *
 * A program that binds its socket to receive gets a real datagram socket in place of the stand-in, one that
 * is shut down for sending: that cannot be undone, and the kernel then refuses each send, with an address or
 * without (EPIPE). So it receives, descriptors and credentials included, and reaches nobody. When it is
 * connected after all, it becomes a stand-in again.
 */
#include "net/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>

#define MESSAGE_MAX (256U * 1024U)

struct carrier {
	struct net *net;
	int program, peer;
};

/* One message from @from to @to. Return: false when an end is gone. */
static bool carry(int from, int to, char *buf)
{
	ssize_t n = recv(from, buf, MESSAGE_MAX, MSG_DONTWAIT | MSG_TRUNC);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (n == 0)
		return false; /* end of file; empty datagrams look the same and end it too */
	if ((size_t)n > MESSAGE_MAX)
		return true;
	return send(to, buf, (size_t)n, MSG_NOSIGNAL) == n || errno == EMSGSIZE || errno == ENOBUFS;
}

static void *carrier_thread(void *arg)
{
	struct carrier *c = arg;
	cleanup_free char *buf = xmalloc(MESSAGE_MAX);
	for (bool going = true; going;) {
		struct pollfd p[3] = {{.fd = c->program, .events = POLLIN}, {.fd = c->peer, .events = POLLIN},
			{.fd = c->net->stop, .events = POLLIN}};
		if (poll(p, 3, -1) < 0 && errno != EINTR)
			break;
		going = !p[2].revents;
		if (going && p[0].revents)
			going = carry(c->program, c->peer, buf);
		if (going && p[1].revents)
			going = carry(c->peer, c->program, buf);
	}
	struct net *net = c->net;
	close(c->program);
	close(c->peer);
	free(c);
	net_thread_done(net);
	return NULL;
}

/* How stand-ins are told from sequenced-packet sockets of a program's own; it has no effect on Unix sockets. */
#define STAND_IN_PRIORITY 5

static int mark(int fd)
{
	const int priority = STAND_IN_PRIORITY;
	return setsockopt(fd, SOL_SOCKET, SO_PRIORITY, &priority, sizeof(priority));
}

int datagram_socket(int flags)
{
	cleanup_fd int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | flags, 0);
	if (fd < 0 || mark(fd) < 0)
		return -errno;
	return steal_fd(&fd);
}

static bool marked(const struct sock_call *s, int type)
{
	int priority = 0;
	socklen_t len = sizeof(priority);
	return s->domain == AF_UNIX && s->type == type &&
	       getsockopt(s->fd, SOL_SOCKET, SO_PRIORITY, &priority, &len) == 0 && priority == STAND_IN_PRIORITY;
}

bool datagram_is(const struct sock_call *s)
{
	return marked(s, SOCK_SEQPACKET);
}

bool datagram_receives(const struct sock_call *s)
{
	return marked(s, SOCK_DGRAM);
}

/* ---- in place of the program's socket -------------------------------------- */

static bool caller_cloexec(struct trap_call *c, int fd)
{
	char path[48], text[256] = "";
	unsigned flags = 0;
	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", (int)trap_tid(c), fd);
	cleanup_fd int info = open(path, O_RDONLY | O_CLOEXEC);
	if (info >= 0 && read(info, text, sizeof(text) - 1) > 0) {
		const char *at = strstr(text, "flags:");
		if (at)
			(void)sscanf(at, "flags: %o", &flags);
	}
	return flags & O_CLOEXEC;
}

/* What a program may have set before it binds or connects. */
static void copy_options(int from, int to)
{
	struct timeval patience;
	int value;
	socklen_t len = sizeof(patience);
	if (getsockopt(from, SOL_SOCKET, SO_RCVTIMEO, &patience, &len) == 0)
		(void)setsockopt(to, SOL_SOCKET, SO_RCVTIMEO, &patience, len);
	len = sizeof(value);
	if (getsockopt(from, SOL_SOCKET, SO_PASSCRED, &value, &len) == 0)
		(void)setsockopt(to, SOL_SOCKET, SO_PASSCRED, &value, len);
	if (getsockopt(from, SOL_SOCKET, SO_RCVBUF, &value, &len) == 0) {
		value /= 2; /* the kernel doubles what is set */
		(void)setsockopt(to, SOL_SOCKET, SO_RCVBUF, &value, len);
	}
}

/* @fd, taken over, becomes the caller's socket. Return: 0 or -errno. */
static int replace(struct trap_call *c, struct sock_call *s, int fd)
{
	int number = (int)trap_arg(c, 0);
	copy_options(s->fd, fd);
	int rc = trap_put_fd(c, fd, number, caller_cloexec(c, number));
	if (rc < 0) {
		close(fd);
		return rc;
	}
	sock_call_done(s);
	s->fd = fd;
	return 0;
}

int datagram_receive(struct trap_call *c, struct sock_call *s)
{
	cleanup_fd int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | (s->nonblock ? SOCK_NONBLOCK : 0), 0);
	if (fd < 0 || shutdown(fd, SHUT_WR) < 0 || mark(fd) < 0)
		return -errno;
	int rc = replace(c, s, steal_fd(&fd));
	if (rc == 0)
		s->type = SOCK_DGRAM;
	return rc;
}

int datagram_reconnect(struct trap_call *c, struct sock_call *s, const struct sockaddr_un *to, socklen_t len)
{
	cleanup_fd int fd = datagram_socket(s->nonblock ? SOCK_NONBLOCK : 0);
	if (fd < 0)
		return fd;
	int rc = datagram_connect(call_net(c), fd, to, len);
	if (rc == 0)
		rc = replace(c, s, steal_fd(&fd));
	return rc;
}

/* Accept the program's socket, which the broker itself connects. Return: our end or -errno. */
static int take(int program)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	socklen_t len = sizeof(un);
	cleanup_fd int listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (listener < 0 || bind(listener, (struct sockaddr *)&un, sizeof(sa_family_t)) < 0 ||
		listen(listener, 4) < 0 || getsockname(listener, (struct sockaddr *)&un, &len) < 0 ||
		connect(program, (struct sockaddr *)&un, len) < 0)
		return -errno;
	for (unsigned tries = 0; tries < 8; tries++) {
		struct ucred peer;
		socklen_t size = sizeof(peer);
		cleanup_fd int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0)
			return -errno;
		if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.pid == getpid())
			return steal_fd(&fd);
	}
	return -ECONNREFUSED;
}

int datagram_connect(struct net *n, int program, const struct sockaddr_un *to, socklen_t len)
{
	cleanup_fd int peer = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	const struct sockaddr_un own = {.sun_family = AF_UNIX};
	/* a name of the kernel's choice, so that the other side can answer */
	if (peer < 0 || bind(peer, (const struct sockaddr *)&own, sizeof(sa_family_t)) < 0 ||
		connect(peer, (const struct sockaddr *)to, len) < 0)
		return -errno;
	cleanup_fd int end = take(program);
	if (end < 0)
		return end;
	struct carrier *c = xcalloc(1, sizeof(*c));
	*c = (struct carrier){n, end, peer};
	int rc = net_thread(n, carrier_thread, c);
	if (rc < 0) {
		free(c);
		return rc;
	}
	steal_fd(&peer);
	steal_fd(&end);
	return 0;
}
