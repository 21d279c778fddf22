/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wait.c - connect() on the caller's socket.
 *
 * The socket is the caller's own and so are its flags: it cannot be made
 * non-blocking for a moment, other threads of the program would notice. So the
 * thread blocks (trap_blocking()). Interrupted, the attempt goes on in the kernel.
 */
#include "net/internal.h"

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

int wait_connect(struct trap_call *c, int fd, const struct sockaddr *addr, socklen_t len)
{
	struct connecting a = {fd, addr, len};
	return trap_blocking(c, connect_now, &a);
}
