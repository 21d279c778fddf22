/* SPDX-License-Identifier: Apache-2.0 */
/*
 * call.c - one trapped socket call: the caller's socket and the address it gave.
 * The address is copied once; what is decided on is what is acted on.
 */
#include "net/internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>

static int read_addr(struct trap_call *c, struct sock_call *s)
{
	int len = (int)trap_arg(c, 2);
	if (len < 0 || (size_t)len > sizeof(s->addr.storage))
		return -EINVAL;
	s->len = (socklen_t)len;
	return len ? trap_read(c, trap_arg(c, 1), &s->addr.storage, (size_t)len) : 0;
}

static int socket_facts(struct sock_call *s)
{
	socklen_t len = sizeof(int);
	int flags = fcntl(s->fd, F_GETFL);
	s->nonblock = flags >= 0 && (flags & O_NONBLOCK);
	if (getsockopt(s->fd, SOL_SOCKET, SO_DOMAIN, &s->domain, &len) < 0 ||
		getsockopt(s->fd, SOL_SOCKET, SO_TYPE, &s->type, &len) < 0 ||
		getsockopt(s->fd, SOL_SOCKET, SO_PROTOCOL, &s->protocol, &len) < 0)
		return -errno;
	return 0;
}

int sock_call_read(struct trap_call *c, struct sock_call *s, bool addr)
{
	*s = (struct sock_call){.fd = trap_get_fd(c, (int)trap_arg(c, 0))};
	int rc = s->fd < 0 ? s->fd : socket_facts(s);
	if (rc == 0 && addr)
		rc = read_addr(c, s);
	if (rc < 0)
		trap_errno(c, -rc);
	return rc;
}

void sock_call_done(struct sock_call *s)
{
	cleanup_fd_fn(&s->fd);
	s->fd = -1;
}

bool sock_call_host(const struct sock_call *s, struct host_addr *a, unsigned *port)
{
	*a = (struct host_addr){0};
	if (s->addr.sa.sa_family == AF_INET && s->len >= sizeof(struct sockaddr_in)) {
		a->len = 4;
		memcpy(a->b, &s->addr.in.sin_addr, 4);
		*port = ntohs(s->addr.in.sin_port);
		return true;
	}
	/* SIN6_LEN_RFC2133: the kernel takes addresses without a scope */
	if (s->addr.sa.sa_family == AF_INET6 && s->len >= offsetof(struct sockaddr_in6, sin6_scope_id)) {
		const uint8_t *b = s->addr.in6.sin6_addr.s6_addr;
		bool mapped = IN6_IS_ADDR_V4MAPPED(&s->addr.in6.sin6_addr);
		a->len = mapped ? 4 : 16;
		memcpy(a->b, b + (mapped ? 12 : 0), a->len);
		*port = ntohs(s->addr.in6.sin6_port);
		return true;
	}
	return false;
}

bool sock_call_set_host(struct sock_call *s, const struct host_addr *a)
{
	if (s->addr.sa.sa_family == AF_INET && a->len == 4) {
		memcpy(&s->addr.in.sin_addr, a->b, 4);
		return true;
	}
	if (s->addr.sa.sa_family != AF_INET6 || !a->len)
		return false;
	uint8_t *b = s->addr.in6.sin6_addr.s6_addr;
	memset(b, 0, 16);
	if (a->len == 4)
		b[10] = b[11] = 0xff;
	memcpy(b + (a->len == 4 ? 12 : 0), a->b, a->len);
	return true;
}

void caller_status(pid_t tid, char *buf, size_t size)
{
	char path[32];
	snprintf(path, sizeof(path), "/proc/%d/status", (int)tid);
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, buf, size - 1);
	buf[n > 0 ? n : 0] = '\0';
}

struct net *call_net(const struct trap_call *c)
{
	return trap_cfg(c)->net;
}

void call_refuse(struct trap_call *c, enum operation op, const char *host, unsigned port, bool udp, struct decision d)
{
	struct trap_object o = {.op = op, .asked = host, .resolved = host, .port = port, .udp = udp};
	trap_refuse_or_ask(c, &o, d, EACCES);
}
