/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wait.c - connect() on the caller's socket.
 *
 * The socket is the caller's own and so are its flags: it cannot be made
 * non-blocking for a moment, other threads of the program would notice. So the
 * thread blocks (trap_blocking()). Interrupted, the attempt goes on in the kernel.
 */
#include "net/internal.h"

#include <arpa/inet.h>

struct connecting {
	int fd;
	const struct sockaddr *addr;
	socklen_t len;
};

static int connect_now(void *arg)
{
	const struct connecting *a = arg;
	return connect(a->fd, a->addr, a->len);
}

/* Such a connection stands, or is refused, at once unless the server's queue is full. */
static bool on_this_host(const struct sockaddr *addr)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)addr;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)addr;
	if (addr->sa_family == AF_INET6)
		return IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr);
	return addr->sa_family == AF_UNIX || (addr->sa_family == AF_INET && ntohl(in->sin_addr.s_addr) >> 24 == 127);
}

int wait_connect(struct trap_call *c, int fd, const struct sockaddr *addr, socklen_t len)
{
	struct connecting a = {fd, addr, len};
	return trap_blocking(c, on_this_host(addr), connect_now, &a);
}
