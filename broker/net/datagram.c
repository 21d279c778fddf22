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
 */
#include "net/internal.h"

#include <errno.h>
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

int datagram_socket(int flags)
{
	const int priority = STAND_IN_PRIORITY;
	cleanup_fd int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | flags, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_PRIORITY, &priority, sizeof(priority)) < 0)
		return -errno;
	return steal_fd(&fd);
}

bool datagram_is(const struct sock_call *s)
{
	int priority = 0;
	socklen_t len = sizeof(priority);
	return s->type == SOCK_SEQPACKET && getsockopt(s->fd, SOL_SOCKET, SO_PRIORITY, &priority, &len) == 0 &&
	       priority == STAND_IN_PRIORITY;
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

int datagram_connect(struct net *n, int program, const struct sockaddr_un *to)
{
	cleanup_fd int peer = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	const struct sockaddr_un own = {.sun_family = AF_UNIX};
	/* a name of the kernel's choice, so that the other side can answer */
	if (peer < 0 || bind(peer, (const struct sockaddr *)&own, sizeof(sa_family_t)) < 0 ||
		connect(peer, (const struct sockaddr *)to, sizeof(*to)) < 0)
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
