/* SPDX-License-Identifier: Apache-2.0 */
/* socket.c - socket() for datagrams: born in the dead end (deadend.c), or stand-ins (datagram.c, standin.c). */
#include "net/internal.h"

#include <errno.h>

#define TYPE_MASK 0xf

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
