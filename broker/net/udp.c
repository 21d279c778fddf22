/* SPDX-License-Identifier: Apache-2.0 */
/*
 * udp.c - UDP that a rule allows ("time.example.org:123/udp").
 *
 * The program's socket stays in the dead end, whether it connects or not. In there, the
 * broker listens on the port of each such rule, on every address. A datagram to an
 * allowed name or address opens a flow: a socket of the broker's own, outside, connected
 * to the one address that was resolved. It carries datagrams both ways until it has
 * been idle for a while. What no rule allows is dropped; nothing is asked, since a
 * datagram cannot wait for an answer.
 */
#include "net/internal.h"

#include <errno.h>
#include <poll.h>
#include <time.h>

#define PORTS_MAX 16U
#define FLOWS_MAX 128U
#define IDLE_SECONDS 120
#define DATAGRAM_MAX 65536U

/** struct flow - one program socket talking to one address. */
struct flow {
	int out;             /* outside, connected; -1: free */
	struct packet first; /* whom to answer, and from which address */
	struct host_addr to;
	time_t used;
};

struct udp {
	struct net *net;
	int listener[PORTS_MAX * 2];
	unsigned port[PORTS_MAX * 2];
	size_t n;
	struct flow flow[FLOWS_MAX];
	char buf[DATAGRAM_MAX];
};

static time_t now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

static void flow_close(struct flow *f)
{
	if (f->out >= 0)
		close(f->out);
	f->out = -1;
}

static int dial(const struct host_addr *a, unsigned port)
{
	struct sock_call s = {.fd = -1};
	s.addr.sa.sa_family = a->len == 4 ? AF_INET : AF_INET6;
	s.addr.in.sin_port = htons((uint16_t)port);
	cleanup_fd int fd = socket(s.addr.sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || !sock_call_set_host(&s, a) ||
		connect(fd, &s.addr.sa, a->len == 4 ? sizeof(s.addr.in) : sizeof(s.addr.in6)) < 0)
		return -1;
	return steal_fd(&fd);
}

/* The address outside for what a program sent to @to, if a rule allows it. */
static bool allowed(struct net *n, const struct host_addr *to, unsigned port, struct host_addr *real)
{
	char host[254];
	bool named = names_find(n->names, to, host, real);
	if (!named) {
		*real = *to;
		host_addr_text(to, host);
	}
	if (!real->len || host_addr_never(real) || (named && host_addr_loopback(real)))
		return false;
	return policy_check_host(n->cfg.policy, OP_CONNECT, host, port, true).verdict == VERDICT_ALLOW;
}

static struct flow *flow_find(struct udp *u, const struct packet *p, const struct host_addr *to)
{
	for (size_t i = 0; i < FLOWS_MAX; i++) {
		struct flow *f = &u->flow[i];
		if (f->out >= 0 && f->first.fd == p->fd && memcmp(&f->to, to, sizeof(*to)) == 0 &&
			f->first.from_len == p->from_len && memcmp(&f->first.from, &p->from, p->from_len) == 0)
			return f;
	}
	return NULL;
}

/* A free flow, or the one that was idle longest. */
static struct flow *flow_take(struct udp *u)
{
	struct flow *oldest = &u->flow[0];
	for (size_t i = 0; i < FLOWS_MAX; i++) {
		if (u->flow[i].out < 0)
			return &u->flow[i];
		if (u->flow[i].used < oldest->used)
			oldest = &u->flow[i];
	}
	flow_close(oldest);
	return oldest;
}

static void outward(struct udp *u, size_t i)
{
	struct packet p;
	struct host_addr to, real;
	while (packet_read(&p, u->listener[i], u->buf, sizeof(u->buf))) {
		if (!packet_to(&p, &to))
			continue;
		struct flow *f = flow_find(u, &p, &to);
		if (!f && allowed(u->net, &to, u->port[i], &real)) {
			f = flow_take(u);
			*f = (struct flow){.out = dial(&real, u->port[i]), .first = p, .to = to};
		}
		if (!f || f->out < 0)
			continue;
		f->used = now();
		(void)send(f->out, u->buf, p.len, MSG_NOSIGNAL);
	}
}

static void inward(struct udp *u, struct flow *f)
{
	ssize_t n;
	while ((n = recv(f->out, u->buf, sizeof(u->buf), MSG_DONTWAIT)) >= 0) {
		f->used = now();
		packet_reply(&f->first, u->buf, (size_t)n);
	}
}

static void *udp_thread(void *arg)
{
	struct udp *u = arg;
	for (;;) {
		struct pollfd p[PORTS_MAX * 2 + FLOWS_MAX + 1];
		nfds_t n = 0;
		p[n++] = (struct pollfd){.fd = u->net->stop, .events = POLLIN};
		for (size_t i = 0; i < u->n; i++)
			p[n++] = (struct pollfd){.fd = u->listener[i], .events = POLLIN};
		for (size_t i = 0; i < FLOWS_MAX; i++) {
			if (u->flow[i].out >= 0 && now() - u->flow[i].used > IDLE_SECONDS)
				flow_close(&u->flow[i]);
			p[n++] = (struct pollfd){.fd = u->flow[i].out, .events = POLLIN};
		}
		if ((poll(p, n, IDLE_SECONDS * 1000) < 0 && errno != EINTR) || p[0].revents)
			break;
		for (size_t i = 0; i < FLOWS_MAX; i++)
			if (p[1 + u->n + i].revents && u->flow[i].out >= 0)
				inward(u, &u->flow[i]);
		for (size_t i = 0; i < u->n; i++)
			if (p[1 + i].revents)
				outward(u, i);
	}
	struct net *net = u->net;
	for (size_t i = 0; i < FLOWS_MAX; i++)
		flow_close(&u->flow[i]);
	for (size_t i = 0; i < u->n; i++)
		close(u->listener[i]);
	free(u);
	net_thread_done(net);
	return NULL;
}

static void add_port(struct udp *u, unsigned port)
{
	for (size_t i = 0; i < u->n; i++)
		if (u->port[i] == port)
			return;
	for (unsigned v6 = 0; v6 < 2 && u->n < ARRAY_SIZE(u->port); v6++) {
		int fd = deadend_listener(u->net->deadend, v6 ? AF_INET6 : AF_INET, port);
		if (fd < 0)
			continue;
		u->port[u->n] = port;
		u->listener[u->n++] = fd;
	}
}

int udp_serve(struct net *n)
{
	const struct items *l = &policy_profile(n->cfg.policy)->network.allow_domain;
	struct udp *u = xcalloc(1, sizeof(*u));
	u->net = n;
	for (size_t i = 0; i < FLOWS_MAX; i++)
		u->flow[i].out = -1;
	for (size_t i = 0; i < l->n; i++) {
		struct host_pattern rule;
		/* port 53 is the broker's own resolver's, whatever the address */
		if (host_pattern_parse(l->v[i].value, false, &rule, NULL) == 0 && rule.udp && rule.port != 53)
			add_port(u, rule.port);
	}
	int rc = u->n ? net_thread(n, udp_thread, u) : 0;
	if (!u->n || rc < 0) {
		for (size_t i = 0; i < u->n; i++)
			close(u->listener[i]);
		free(u);
	}
	return rc;
}
