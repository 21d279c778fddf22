/* SPDX-License-Identifier: Apache-2.0 */
/*
 * connect.c - connect() on behalf.
 *
 * Theory of operation
 * -------------------
 * The tree has no right to connect; the broker does it on the caller's own socket
 * (a duplicate by pidfd_getfd) with the address it copied, so there is no broker
 * in the data path and nothing that the program changes meanwhile counts.
 *
 *  - A synthetic address (names.c) is decided as the name it stands for and
 *    dialled at the address that was resolved, IPv4 by IPv4 and IPv6 by IPv6.
 *  - Any other address is decided as itself. Where only a name of it is allowed,
 *    it has to be listed under that name in the host's /etc/hosts.
 *  - Port 53 by TCP leads to the broker's own resolver, whatever the address.
 *  - The proxy's port, and hosts whose requests are restricted to endpoints, lead to
 *    the broker's proxy (gateway.c), so path rules hold for programs without proxy support.
 *  - Loopback is reached by rules for it, or where a socket of the tree listens.
 *  - AF_UNSPEC ends an association and can do no more than that.
 *
 * The thread that received the call makes the connection. A blocking socket, or a name
 * that has to be looked up first, may keep it waiting; other threads receive meanwhile.
 */
#include "net/internal.h"
#include "proto/lookup.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>

/** struct target - what an internet address means. */
struct target {
	struct host_addr addr; /* as given, then as dialled */
	char host[254];        /* the name, or the address as text */
	unsigned port;
	bool named;    /* a synthetic address */
	bool unlooked; /* named, and not looked up yet */
	bool udp;
};

/* Our duplicate is closed before the answer, so that the program's own close() is the last one. */
static void act(struct trap_call *c, struct sock_call *s)
{
	int rc;
	if (!s->nonblock)
		rc = wait_connect(c, s->fd, &s->addr.sa, s->len);
	else
		rc = connect(s->fd, &s->addr.sa, s->len) < 0 ? -errno : 0;
	sock_call_done(s);
	if (rc < 0)
		trap_errno(c, -rc);
	else
		trap_value(c, 0);
}

/* ---- sockets that end in the broker -------------------------------------- */

/* @mapped: IPv4 loopback for an IPv6 socket that takes both. Return: length. */
static socklen_t loopback_addr(int family, bool mapped, unsigned port, struct sockaddr_storage *out)
{
	static const uint8_t v4[16] = {[10] = 0xff, 0xff, 127, 0, 0, 1};
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
	*out = (struct sockaddr_storage){0};
	if (family == AF_INET) {
		in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		memcpy(out, &in, sizeof(in));
		return sizeof(in);
	}
	in6.sin6_addr = in6addr_loopback;
	if (mapped)
		memcpy(&in6.sin6_addr, v4, sizeof(v4));
	memcpy(out, &in6, sizeof(in6));
	return sizeof(in6);
}

static bool takes_only_v6(const struct sock_call *s)
{
	int only = 0;
	socklen_t len = sizeof(only);
	return s->domain == AF_INET6 && (getsockopt(s->fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, &len) < 0 || only != 0);
}

static bool same_socket(const struct sock_call *s, const struct sockaddr_storage *peer)
{
	struct sock_call own = {.len = sizeof(own.addr)}, other = {.len = sizeof(other.addr)};
	struct host_addr a, b;
	unsigned port_a, port_b;
	memcpy(&other.addr, peer, sizeof(*peer));
	return getsockname(s->fd, &own.addr.sa, &own.len) == 0 && sock_call_host(&own, &a, &port_a) &&
	       sock_call_host(&other, &b, &port_b) && port_a == port_b && a.len == b.len &&
	       memcmp(a.b, b.b, a.len) == 0;
}

/* Somebody else on the host may connect to the listener meanwhile; only the caller's end is taken. */
int connect_to_broker(const struct sock_call *s)
{
	struct sockaddr_storage any, target;
	struct sock_call bound = {.fd = -1, .len = sizeof(bound.addr)};
	struct host_addr ignored;
	unsigned port;
	int family = takes_only_v6(s) ? AF_INET6 : AF_INET;
	socklen_t len = loopback_addr(family, false, 0, &any);
	cleanup_fd int lfd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (lfd < 0 || bind(lfd, (struct sockaddr *)&any, len) < 0 || listen(lfd, 4) < 0 ||
		getsockname(lfd, &bound.addr.sa, &bound.len) < 0 || !sock_call_host(&bound, &ignored, &port))
		return -errno;
	len = loopback_addr(s->domain, family == AF_INET, port, &target);
	if (connect(s->fd, (struct sockaddr *)&target, len) < 0 && errno != EINPROGRESS)
		return -errno;
	for (unsigned tries = 0; tries < 8; tries++) {
		struct sockaddr_storage peer = {0};
		struct pollfd ready = {.fd = lfd, .events = POLLIN};
		socklen_t n = sizeof(peer);
		(void)poll(&ready, 1, 100); /* loopback: it is there already */
		cleanup_fd int fd = accept4(lfd, (struct sockaddr *)&peer, &n, SOCK_CLOEXEC);
		if (fd < 0)
			break;
		if (same_socket(s, &peer))
			return steal_fd(&fd);
	}
	return -ECONNREFUSED;
}

static void answer(struct trap_call *c, int rc)
{
	if (rc < 0)
		trap_errno(c, -rc);
	else
		trap_value(c, 0);
}

static void connect_dns(struct trap_call *c, struct net *n, const struct sock_call *s)
{
	int fd = connect_to_broker(s);
	answer(c, fd < 0 ? fd : dns_serve_tcp(n, fd));
}

/* ---- decision ------------------------------------------------------------ */

/* A literal address may go by a name that the host's /etc/hosts gives it; then it is that name's. */
static struct decision check_hosts_names(struct net *n, struct target *t, struct decision d)
{
	char name[254];
	if (d.verdict != VERDICT_NONE || host_addr_loopback(&t->addr))
		return d;
	for (size_t i = 0; hostsfile_name(n->hosts, &t->addr, i, name); i++) {
		struct decision by_name = policy_check_host(n->cfg.policy, OP_CONNECT, name, t->port, t->udp);
		if (by_name.verdict == VERDICT_ALLOW) {
			snprintf(t->host, sizeof(t->host), "%s", name);
			return by_name;
		}
	}
	return d;
}

static struct decision check(struct trap_call *c, struct target *t)
{
	struct net *n = call_net(c);
	struct decision d = policy_check_host(trap_cfg(c)->policy, OP_CONNECT, t->host, t->port, t->udp);
	if (!n || t->named)
		return d;
	/* what the tree listens on itself is no network, so this holds where that is blocked as well */
	if ((d.verdict == VERDICT_NONE || n->mode == NET_BLOCKED) && !t->udp && host_addr_loopback(&t->addr) &&
		listeners_port(n->listeners, t->port))
		d.verdict = VERDICT_ALLOW;
	return check_hosts_names(n, t, d);
}

/* Look the name up now that connecting to it is allowed. Return: 0 or the errno a program gets. */
static int look_up(struct trap_call *c, struct net *n, struct target *t)
{
	struct wanted *w = wanted_join(n, t->host, t->addr.len);
	struct resolved found = {.n = 0};
	int rc = wanted_wait(c, &w, 1);
	if (rc == 0)
		rc = wanted_found(w, &found);
	wanted_leave(w);
	if (rc < 0)
		return rc == -TRAP_RESTART ? TRAP_RESTART : EHOSTUNREACH;
	for (size_t i = 0; i < found.n; i++)
		if (!host_addr_never(&found.addr[i]) && !host_addr_loopback(&found.addr[i])) {
			t->addr = found.addr[i];
			return 0;
		}
	return found.n ? EACCES : EHOSTUNREACH;
}

static bool read_target(struct trap_call *c, const struct sock_call *s, struct target *t)
{
	struct net *n = call_net(c);
	struct host_addr real;
	*t = (struct target){.udp = s->type == SOCK_DGRAM};
	if (!sock_call_host(s, &t->addr, &t->port))
		return false;
	char text[INET6_ADDRSTRLEN];
	host_addr_text(&t->addr, text);
	snprintf(t->host, sizeof(t->host), "%s", text);
	if (n && names_find(n->names, &t->addr, t->host, &real)) {
		t->named = true;
		t->unlooked = !real.len;
		if (real.len)
			t->addr = real;
	}
	return true;
}

static bool is_dns(const struct target *t, const struct net *n)
{
	return n && n->mode != NET_OPEN && t->port == 53 && !t->udp;
}

static void connect_inet(struct trap_call *c, struct sock_call *s)
{
	struct net *n = call_net(c);
	struct target t;
	if (!read_target(c, s, &t)) {
		trap_errno(c, EINVAL);
		return;
	}
	struct gateway *gateway = n && !t.udp ? n->gateway : NULL;
	if (gateway && !t.named && gateway_at(gateway, &t.addr, t.port)) {
		answer(c, gateway_connect(gateway, c, s));
		return;
	}
	struct decision d = check(c, &t);
	if (d.verdict != VERDICT_ALLOW && is_dns(&t, n)) {
		connect_dns(c, n, s);
		return;
	}
	if (d.verdict != VERDICT_ALLOW && !(d.verdict != VERDICT_NEVER && trap_once(c, OP_CONNECT, t.host))) {
		call_refuse(c, OP_CONNECT, t.host, t.port, t.udp, d);
		return;
	}
	if (gateway && gateway_diverts(gateway, t.host, t.port)) {
		answer(c, gateway_divert(gateway, c, s, t.host, t.port));
		return;
	}
	/* from here on it may wait; other threads receive calls meanwhile */
	int err = t.unlooked ? look_up(c, n, &t) : 0;
	if (err) {
		trap_errno(c, err);
		return;
	}
	if (host_addr_never(&t.addr) || (t.named && host_addr_loopback(&t.addr))) {
		call_refuse(c, OP_CONNECT, t.host, t.port, t.udp, (struct decision){.verdict = VERDICT_NEVER});
		return;
	}
	if (t.named && !sock_call_set_host(s, &t.addr))
		trap_errno(c, EAFNOSUPPORT);
	else
		act(c, s);
}

/* ---- entry --------------------------------------------------------------- */

static bool known_protocol(const struct sock_call *s)
{
	if (s->type == SOCK_STREAM)
		return s->protocol == IPPROTO_TCP;
	return s->type == SOCK_DGRAM &&
	       (s->protocol == IPPROTO_UDP || s->protocol == IPPROTO_ICMP || s->protocol == IPPROTO_ICMPV6);
}

void net_on_connect(struct trap_call *c)
{
	if ((int)trap_arg(c, 0) == LOOKUP_FD) {
		lookup_serve(c);
		return;
	}
	cleanup_sock struct sock_call s;
	if (sock_call_read(c, &s, true) < 0)
		return;
	struct net *n = call_net(c);
	bool inet = s.domain == AF_INET || s.domain == AF_INET6;
	if (n && standin_is(&s)) {
		int rc = standin_connect(&s);
		if (rc < 0)
			trap_errno(c, -rc);
		else
			trap_value(c, 0);
	} else if (s.domain == AF_UNIX) {
		unix_connect(c, &s);
	} else if (s.domain == AF_NETLINK) {
		s.nonblock = true;
		act(c, &s);
	} else if (!inet || !known_protocol(&s)) {
		trap_errno(c, EACCES); /* a kind of socket that was not made here */
	} else if (s.len < sizeof(sa_family_t) || s.addr.sa.sa_family == AF_UNSPEC) {
		s.nonblock = true; /* ends an association, or is malformed: neither waits */
		act(c, &s);
	} else if (n && deadend_owns(n->deadend, s.fd)) {
		s.nonblock = true;
		act(c, &s);
	} else if (s.addr.sa.sa_family == AF_INET || s.addr.sa.sa_family == AF_INET6) {
		connect_inet(c, &s);
	} else {
		trap_errno(c, EAFNOSUPPORT);
	}
}
