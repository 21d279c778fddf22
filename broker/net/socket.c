/* SPDX-License-Identifier: Apache-2.0 */
/* socket.c - socket() and socketpair() for datagrams: born in the dead end (deadend.c), or stand-ins (datagram.c,
 * standin.c). */
#include "net/internal.h"

#include <errno.h>

#define TYPE_MASK 0xf

/*
 * A pair of Unix datagram sockets: of sequenced-packet sockets in their place, which keep messages apart as well and
 * ignore addresses given with a send.
 */
void net_on_socketpair(struct trap_call *c)
{
	int type = (int)trap_arg(c, 1), protocol = (int)trap_arg(c, 2), there[2];
	bool cloexec = type & SOCK_CLOEXEC;
	/* before anything is put there: whether the place for the answer can be written to */
	int rc = trap_read(c, trap_arg(c, 3), there, sizeof(there));
	if (rc == 0)
		rc = trap_write(c, trap_arg(c, 3), there, sizeof(there));
	if (rc == 0 && protocol && protocol != AF_UNIX)
		rc = -EPROTONOSUPPORT;
	if (rc == 0 && (type & ~TYPE_MASK & ~(SOCK_CLOEXEC | SOCK_NONBLOCK)))
		rc = -EINVAL;
	cleanup_fd int one = -1, other = -1;
	int pair[2];
	if (rc == 0 && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | (type & SOCK_NONBLOCK), 0, pair) < 0)
		rc = -errno;
	if (rc == 0) {
		one = pair[0];
		other = pair[1];
		rc = there[0] = trap_put_fd(c, one, -1, cloexec);
	}
	if (rc >= 0 && other >= 0)
		rc = there[1] = trap_put_fd(c, other, -1, cloexec);
	if (rc >= 0)
		rc = trap_write(c, trap_arg(c, 3), there, sizeof(there));
	if (rc < 0)
		trap_errno(c, -rc);
	else
		trap_value(c, 0);
}

void net_on_socket(struct trap_call *c)
{
	struct net *n = call_net(c);
	int domain = (int)trap_arg(c, 0), type = (int)trap_arg(c, 1), protocol = (int)trap_arg(c, 2);
	bool is_unix = domain == AF_UNIX && (type & TYPE_MASK) == SOCK_DGRAM;
	bool datagram = (type & TYPE_MASK) == SOCK_DGRAM && (domain == AF_INET || domain == AF_INET6) &&
			(protocol == 0 || protocol == IPPROTO_UDP);
	if (is_unix) {
		int stand_in = datagram_socket(type & ~TYPE_MASK);
		if (stand_in < 0)
			trap_errno(c, -stand_in);
		else
			trap_fd(c, stand_in, type & SOCK_CLOEXEC);
		return;
	}
	if (!datagram || !n) {
		trap_errno(c, EACCES);
		return;
	}
	int fd = deadend_socket(n, domain, type, protocol);
	if (fd == -ENOSYS)
		fd = standin_socket(n, type);
	if (fd < 0)
		trap_errno(c, -fd);
	else
		trap_fd(c, fd, type & SOCK_CLOEXEC);
}
