/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bind.c - bind() and listen() on behalf.
 *
 * An address with a port is judged when it is bound. Port 0 may always be bound, as
 * clients do; it is listen() that would open it, and judges what the socket is bound
 * to, or will be bound to by listening (every address, a port of the kernel's choice).
 *
 * Many servers listen on every address without meaning more than this machine. Where
 * a rule allows the port on loopback only, such a socket is bound to the loopback
 * interface: it keeps the address it was given, and the kernel lets nobody else in.
 * Taking a socket off an interface needs CAP_NET_RAW, which the tree has not.
 *
 * A port on which a login of another program awaits its answer is taken, whatever the address
 * (listeners.c). Who was just about to listen when that began stops again.
 */
#include "net/internal.h"

#include <arpa/inet.h>
#include <errno.h>

/* Our duplicate goes first: while it is open, the address is in use even after the program has closed its socket. */
static void finish(struct trap_call *c, struct sock_call *s, int rc)
{
	sock_call_done(s);
	if (rc < 0)
		trap_errno(c, -rc);
	else
		trap_value(c, 0);
}

static int do_bind(const struct sock_call *s)
{
	return bind(s->fd, &s->addr.sa, s->len) < 0 ? -errno : 0;
}

static bool allowed(struct trap_call *c, const char *host, unsigned port, struct decision *d)
{
	*d = policy_check_host(trap_cfg(c)->policy, OP_BIND, host, port, false);
	return d->verdict == VERDICT_ALLOW || (d->verdict != VERDICT_NEVER && trap_once(c, OP_BIND, host));
}

/* Whether @port may be listened on on loopback, and the socket is confined to that. */
static bool confined(struct trap_call *c, const struct sock_call *s, const struct host_addr *a, unsigned port)
{
	static const char lo[] = "lo";
	return host_addr_unspecified(a) &&
	       policy_check_host(trap_cfg(c)->policy, OP_BIND, "127.0.0.1", port, false).verdict == VERDICT_ALLOW &&
	       setsockopt(s->fd, SOL_SOCKET, SO_BINDTODEVICE, lo, sizeof(lo)) == 0;
}

static void bind_inet(struct trap_call *c, struct sock_call *s)
{
	struct host_addr a;
	unsigned port;
	/* IPv4 sockets take AF_UNSPEC for AF_INET when they are bound. */
	if (s->domain == AF_INET && s->len >= sizeof(struct sockaddr_in) && s->addr.sa.sa_family == AF_UNSPEC)
		s->addr.sa.sa_family = AF_INET;
	if (!sock_call_host(s, &a, &port)) {
		trap_errno(
			c, s->addr.sa.sa_family == AF_INET || s->addr.sa.sa_family == AF_INET6 ? EINVAL : EAFNOSUPPORT);
		return;
	}
	char host[INET6_ADDRSTRLEN];
	host_addr_text(&a, host);
	struct decision d;
	struct net *n = call_net(c);
	bool udp = s->type == SOCK_DGRAM && policy_settings(trap_cfg(c)->policy)->net_mode == NET_OPEN;
	if (port && !udp && !allowed(c, host, port, &d) && !confined(c, s, &a, port)) {
		call_refuse(c, OP_BIND, host, port, false, d);
		return;
	}
	int rc = do_bind(s);
	if (rc == 0 && port && n)
		listeners_judged(n->listeners, s->fd, true);
	finish(c, s, rc);
}

void net_on_bind(struct trap_call *c)
{
	cleanup_sock struct sock_call s;
	if (sock_call_read(c, &s, true) < 0)
		return;
	struct net *n = call_net(c);
	if (n && standin_is(&s))
		trap_value(c, 0); /* it has no address, whatever it is given */
	else if (s.domain == AF_UNIX)
		unix_bind(c, &s);
	else if (s.domain == AF_NETLINK || (n && deadend_owns(n->deadend, s.fd)))
		finish(c, &s, do_bind(&s));
	else if (s.domain == AF_INET || s.domain == AF_INET6)
		bind_inet(c, &s);
	else
		trap_errno(c, EACCES);
}

/* ---- listen -------------------------------------------------------------- */

static bool may_listen(struct trap_call *c, const struct sock_call *s, char *host, unsigned *port, struct decision *d)
{
	struct net *n = call_net(c);
	struct sock_call bound = {.len = sizeof(bound.addr)};
	struct host_addr a;
	*d = (struct decision){.verdict = VERDICT_NONE};
	snprintf(host, INET6_ADDRSTRLEN, "%s", "0.0.0.0");
	*port = 0;
	if (getsockname(s->fd, &bound.addr.sa, &bound.len) < 0 || !sock_call_host(&bound, &a, port))
		return false;
	host_addr_text(&a, host);
	if (*port && n && listeners_judged(n->listeners, s->fd, false))
		return true;
	/* A loopback port of its own choice. */
	if (host_addr_loopback(&a) && !host_addr_unspecified(&a) &&
		policy_check_host(trap_cfg(c)->policy, OP_BIND, host, 0, false).verdict == VERDICT_ALLOW)
		return true;
	return allowed(c, host, *port, d) || confined(c, s, &a, 0);
}

static unsigned port_of(const struct sock_call *s)
{
	struct sock_call bound = {.len = sizeof(bound.addr)};
	struct host_addr a;
	unsigned port = 0;
	bool known = getsockname(s->fd, &bound.addr.sa, &bound.len) == 0 && sock_call_host(&bound, &a, &port);
	return known ? port : 0;
}

static void listen_noted(struct trap_call *c, struct net *n, struct sock_call *s, const char *host, unsigned port)
{
	const pid_t tgid = trap_tgid(c);
	bool kept = port && listeners_kept(n->listeners, port, tgid);
	int rc = kept || listen(s->fd, (int)trap_arg(c, 1)) == 0 ? 0 : -errno;
	if (rc == 0 && !kept) {
		listeners_add(n->listeners, s->fd, tgid);
		port = port_of(s); /* the kernel may have chosen it now */
		kept = listeners_kept(n->listeners, port, tgid);
		if (kept)
			shutdown(s->fd, SHUT_RDWR);
	}
	if (!kept) {
		finish(c, s, rc);
		return;
	}
	struct trap_object o = {.op = OP_BIND, .asked = host, .resolved = host, .port = port};
	sock_call_done(s);
	trap_refuse_or_ask(c, &o, (struct decision){.verdict = VERDICT_NEVER}, EADDRINUSE);
}

void net_on_listen(struct trap_call *c)
{
	cleanup_sock struct sock_call s;
	if (sock_call_read(c, &s, false) < 0)
		return;
	struct net *n = call_net(c);
	bool inet = s.domain == AF_INET || s.domain == AF_INET6;
	char host[INET6_ADDRSTRLEN];
	unsigned port;
	struct decision d;
	if (inet && s.type == SOCK_STREAM && !may_listen(c, &s, host, &port, &d)) {
		call_refuse(c, OP_BIND, host, port, false, d);
		return;
	}
	if (inet && n && s.type == SOCK_STREAM) {
		listen_noted(c, n, &s, host, port);
		return;
	}
	finish(c, &s, listen(s.fd, (int)trap_arg(c, 1)) < 0 ? -errno : 0);
}
