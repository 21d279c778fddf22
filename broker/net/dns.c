/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dns.c - the resolver that programs in the tree talk to.
 *
 * Theory of operation
 * -------------------
 * Whatever name server a program asks, the broker answers: by UDP on port 53 of
 * every address of the dead-end namespace, by TCP on connections made on behalf.
 *
 *  - A name that a rule allows is looked up on the host; each address is answered
 *    as a synthetic one (names.c). Addresses that must not be reached by name
 *    (loopback, link-local, metadata) are left out.
 *  - A name that nothing allows yet, while a person could still allow it, is
 *    answered with a synthetic address at once and looked up only when a
 *    connection to it was allowed. So a name leaves the host after the person's
 *    yes, not before, and no resolver times out while the person thinks.
 *  - Everything else does not exist. No query is made for it.
 *
 * Other record types of allowed names are passed on without addresses.
 * One thread answers what needs no waiting; what does gets a thread of its own.
 */
#include "net/internal.h"
#include "approve/approve.h"
#include "explain/explain.h"

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <errno.h>
#include <poll.h>
#include <sys/utsname.h>

#define SYNTHETIC_TTL 60U
#define LATER_TTL 5U
#define TCP_IDLE_MS 10000
#define REFUSED_PAUSE_MS 50

enum name_class { NAME_REFUSED, NAME_ALLOWED, NAME_LATER };

static enum name_class classify(struct net *n, const char *name, struct decision *d)
{
	*d = policy_check_host(n->cfg.policy, OP_CONNECT, name, 0, false);
	if (d->verdict == VERDICT_ALLOW)
		return NAME_ALLOWED;
	if (d->verdict == VERDICT_NEVER)
		return NAME_REFUSED;
	bool any_port = policy_profile(n->cfg.policy)->network.connect_port.n > 0;
	bool ask = n->later && n->cfg.approve && approve_possible(n->cfg.approve);
	return any_port || (ask && strchr(name, '.')) ? NAME_LATER : NAME_REFUSED;
}

static void record_refusal(struct net *n, const char *name, struct decision d)
{
	if (!n->cfg.explain)
		return;
	struct denial x = {
		.op = OP_CONNECT, .asked = name, .resolved = name, .decision = d, .err = ENOENT, .answer = "not asked"};
	explain_denial(n->cfg.explain, &x);
}

/* ---- addresses and back -------------------------------------------------- */

static unsigned answer_local(struct dns_writer *w, uint8_t len)
{
	struct host_addr a;
	host_addr_parse(len == 4 ? "127.0.0.1" : "::1", &a);
	dns_add_addr(w, &a, SYNTHETIC_TTL);
	return ns_r_noerror;
}

static int later(struct net *n, const char *name, uint8_t len, struct resolved *out)
{
	const struct host_addr unresolved = {0};
	*out = (struct resolved){.ttl = LATER_TTL, .exists = true};
	if (len != 4)
		return ns_r_noerror; /* the name exists, as far as anybody can tell */
	if (names_assign(n->names, name, &unresolved, len, &out->addr[0]) < 0)
		return ns_r_nxdomain;
	out->n = 1;
	return ns_r_noerror;
}

static int looked_up(
	struct net *n, const char *name, uint8_t len, bool wait, struct resolved *out, struct decision *why)
{
	struct resolved found;
	int rc = resolver_host(n->resolver, name, len, wait, &found);
	if (rc < 0)
		return rc == -EAGAIN ? rc : ns_r_servfail;
	*out = (struct resolved){.ttl = found.ttl, .exists = found.exists};
	for (size_t i = 0; i < found.n; i++) {
		if (host_addr_never(&found.addr[i]) || host_addr_loopback(&found.addr[i]))
			continue;
		if (names_assign(n->names, name, &found.addr[i], len, &out->addr[out->n]) < 0)
			return ns_r_servfail;
		out->n++;
	}
	if (found.n && !out->n) {
		*why = (struct decision){.verdict = VERDICT_NEVER};
		return ns_r_refused;
	}
	return found.exists ? ns_r_noerror : ns_r_nxdomain;
}

/* The parent proxy resolves it, unless it is for UDP, which no proxy carries. */
static bool left_to_parent(struct net *n, const char *normal)
{
	return n->gateway && gateway_parent(n->gateway, normal) &&
	       policy_check_host(n->cfg.policy, OP_CONNECT, normal, 0, true).verdict != VERDICT_ALLOW;
}

int dns_addresses(struct net *n, const char *name, uint8_t len, bool wait, struct resolved *out, struct decision *why)
{
	char normal[254];
	*out = (struct resolved){0};
	if (host_name_normal(name, normal, NULL) < 0)
		return ns_r_nxdomain;
	switch (classify(n, normal, why)) {
	case NAME_ALLOWED:
		return left_to_parent(n, normal) ? later(n, name, len, out) : looked_up(n, name, len, wait, out, why);
	case NAME_LATER:
		return later(n, name, len, out);
	case NAME_REFUSED:
	default:
		return ns_r_refused;
	}
}

/* The address in "1.0.18.198.in-addr.arpa" or the nibbles of ip6.arpa. */
static bool reverse_addr(const char *name, struct host_addr *a)
{
	unsigned b[4];
	int end = 0;
	*a = (struct host_addr){0};
	if (sscanf(name, "%3u.%3u.%3u.%3u.in-addr.arpa%n", &b[3], &b[2], &b[1], &b[0], &end) == 4 && end &&
		!name[end]) {
		a->len = 4;
		for (unsigned i = 0; i < 4; i++)
			a->b[i] = (uint8_t)b[i];
		return true;
	}
	if (strlen(name) != 72 || strcmp(name + 64, "ip6.arpa") != 0)
		return false;
	a->len = 16;
	for (unsigned i = 0; i < 32; i++) {
		const char digit[2] = {name[2 * i], '\0'};
		char *stop;
		unsigned long v = strtoul(digit, &stop, 16);
		if (*stop || stop == digit || name[2 * i + 1] != '.')
			return false;
		a->b[15 - i / 2] |= (uint8_t)(v << (i % 2 ? 4 : 0));
	}
	return true;
}

static unsigned answer_reverse(struct net *n, struct dns_writer *w, const char *name)
{
	struct host_addr a, real;
	char found[254];
	if (!reverse_addr(name, &a))
		return ns_r_nxdomain;
	if (names_find(n->names, &a, found, &real))
		dns_add_ptr(w, found, SYNTHETIC_TTL);
	else if (host_addr_loopback(&a) && !host_addr_unspecified(&a))
		dns_add_ptr(w, "localhost", SYNTHETIC_TTL);
	else
		return ns_r_nxdomain;
	return ns_r_noerror;
}

/* Records other than addresses, as the name servers have them. Return: response code, or -EAGAIN. */
static int answer_other(struct net *n, struct dns_writer *w, const struct dns_question *q, bool wait)
{
	char normal[254];
	struct decision d;
	if (host_name_normal(q->name, normal, NULL) < 0)
		return ns_r_nxdomain;
	enum name_class class = classify(n, normal, &d);
	if (class == NAME_REFUSED)
		record_refusal(n, q->name, d);
	if (class != NAME_ALLOWED)
		return class == NAME_LATER ? ns_r_noerror : ns_r_nxdomain;
	if (q->type >= ns_t_ixfr && q->type <= ns_t_any)
		return ns_r_refused; /* zone transfers and "everything" */
	if (!wait)
		return -EAGAIN;
	cleanup_free uint8_t *answer = xmalloc(DNS_MAX);
	ssize_t len = resolver_raw(n->resolver, q->name, q->type, answer);
	/* where TLS ends in the broker, a client must not encrypt its hello for the server: it would only fail */
	bool ech = !policy_host_endpoints(n->cfg.policy, q->name, 443);
	if (len < 12 || dns_add_answers(w, answer, (size_t)len, ech) < 0)
		return ns_r_servfail;
	return answer[3] & 0xf;
}

bool dns_own_name(const char *name)
{
	struct utsname u;
	return strcmp(name, "localhost") == 0 || str_ends(name, ".localhost") ||
	       (uname(&u) == 0 && strcasecmp(name, u.nodename) == 0);
}

/* Return: response code, or -EAGAIN. */
static int answer_addrs(struct net *n, struct dns_writer *w, const char *name, uint8_t len, bool wait)
{
	struct resolved found;
	struct decision why;
	int rc = dns_addresses(n, name, len, wait, &found, &why);
	for (size_t i = 0; rc == ns_r_noerror && i < found.n; i++)
		dns_add_addr(w, &found.addr[i], found.ttl);
	if (rc != ns_r_refused)
		return rc;
	record_refusal(n, name, why);
	return ns_r_nxdomain; /* programs take it for a name that does not exist */
}

static int answer(struct net *n, struct dns_writer *w, const struct dns_question *q, bool wait)
{
	uint8_t len = q->type == ns_t_a ? 4 : q->type == ns_t_aaaa ? 16 : 0;
	if (q->class != ns_c_in)
		return ns_r_refused;
	if (dns_own_name(q->name))
		return len ? (int)answer_local(w, len) : ns_r_noerror;
	if (str_ends(q->name, ".in-addr.arpa") || str_ends(q->name, ".ip6.arpa"))
		return q->type == ns_t_ptr ? (int)answer_reverse(n, w, q->name) : ns_r_nxdomain;
	return len ? answer_addrs(n, w, q->name, len, wait) : answer_other(n, w, q, wait);
}

ssize_t dns_answer(struct net *n, const uint8_t *query, size_t len, uint8_t *out, bool wait, bool tcp)
{
	struct dns_question q;
	if (dns_parse_question(query, len, &q) < 0)
		return -EINVAL;
	struct dns_writer w;
	dns_begin(&w, out, tcp ? DNS_MAX : q.size, query, &q);
	int rcode = answer(n, &w, &q, wait);
	return rcode < 0 ? rcode : (ssize_t)dns_end(&w, (unsigned)rcode, &q);
}

/* ---- UDP ----------------------------------------------------------------- */

/** struct datagram - one query, and where its answer goes. */
struct datagram {
	struct net *net;
	struct packet packet;
	uint8_t query[1500];
};

static void *datagram_thread(void *arg)
{
	struct datagram *d = arg;
	struct net *net = d->net;
	uint8_t out[4096];
	ssize_t n = dns_answer(net, d->query, d->packet.len, out, true, false);
	if (n > 0)
		packet_reply(&d->packet, out, (size_t)n);
	free(d);
	net_thread_done(net);
	return NULL;
}

static void datagram_serve(struct net *n, int fd)
{
	struct datagram d = {.net = n};
	uint8_t out[4096];
	while (packet_read(&d.packet, fd, d.query, sizeof(d.query))) {
		ssize_t len = dns_answer(n, d.query, d.packet.len, out, false, false);
		if (len > 0) {
			packet_reply(&d.packet, out, (size_t)len);
		} else if (len == -EAGAIN) {
			struct datagram *copy = xmalloc(sizeof(*copy));
			*copy = d;
			if (net_thread(n, datagram_thread, copy) < 0)
				free(copy); /* the program asks again */
		}
	}
}

/* A flood of datagrams that are only recorded does not hold up answers: once noted, they are not looked at for a while.
 */
static void *udp_server_thread(void *arg)
{
	struct net *n = arg;
	for (bool pause = false;;) {
		struct pollfd p[4] = {{.fd = n->dns[0], .events = POLLIN}, {.fd = n->dns[1], .events = POLLIN},
			{.fd = n->stop, .events = POLLIN}, {.fd = pause ? -1 : n->refused, .events = POLLIN}};
		if (poll(p, 4, pause ? REFUSED_PAUSE_MS : -1) < 0 && errno != EINTR)
			return NULL;
		if (p[2].revents)
			return NULL;
		pause = p[3].revents != 0;
		if (pause)
			refused_note(n);
		for (unsigned i = 0; i < 2; i++)
			if (p[i].revents)
				datagram_serve(n, n->dns[i]);
	}
}

int dns_serve_udp(struct net *n)
{
	int rc = pthread_create(&n->server, NULL, udp_server_thread, n);
	n->serving = rc == 0;
	return -rc;
}

/* ---- TCP ----------------------------------------------------------------- */

struct tcp_server {
	struct net *net;
	int fd;
};

static bool tcp_read(struct tcp_server *s, uint8_t *buf, size_t len)
{
	for (size_t done = 0; done < len;) {
		struct pollfd p[2] = {{.fd = s->fd, .events = POLLIN}, {.fd = s->net->stop, .events = POLLIN}};
		int rc = poll(p, 2, TCP_IDLE_MS);
		if (rc <= 0 || p[1].revents)
			return false;
		ssize_t n = recv(s->fd, buf + done, len - done, 0);
		if (n <= 0)
			return false;
		done += (size_t)n;
	}
	return true;
}

static void *tcp_server_thread(void *arg)
{
	struct tcp_server *s = arg;
	cleanup_free uint8_t *query = xmalloc(DNS_MAX), *out = xmalloc(DNS_MAX + 2);
	uint8_t size[2];
	while (tcp_read(s, size, 2)) {
		size_t len = (size_t)size[0] << 8 | size[1];
		if (!tcp_read(s, query, len))
			break;
		ssize_t n = dns_answer(s->net, query, len, out + 2, true, true);
		if (n < 0)
			break;
		out[0] = (uint8_t)(n >> 8);
		out[1] = (uint8_t)n;
		if (send(s->fd, out, (size_t)n + 2, MSG_NOSIGNAL) != n + 2)
			break;
	}
	struct net *net = s->net;
	close(s->fd);
	free(s);
	net_thread_done(net);
	return NULL;
}

int dns_serve_tcp(struct net *n, int fd)
{
	struct tcp_server *s = xcalloc(1, sizeof(*s));
	*s = (struct tcp_server){n, fd};
	const struct timeval limit = {.tv_sec = TCP_IDLE_MS / 1000};
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	int rc = net_thread(n, tcp_server_thread, s);
	if (rc < 0) {
		close(fd);
		free(s);
	}
	return rc;
}
