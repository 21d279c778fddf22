/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lookup.c - names that the shim asks for, instead of the C library's resolver.
 *
 * The answer is that of dns.c, in one trapped call instead of two datagrams and the
 * sockets for them. Whatever the C library might see differently (a name in /etc/hosts,
 * search domains, a name that does not exist or is refused, which is recorded then) is
 * left to it, so the shim changes no answer, only the way there.
 */
#include "net/internal.h"
#include "proto/lookup.h"

#include <arpa/nameser.h>
#include <assert.h>
#include <ctype.h>
#include <errno.h>

static_assert(LOOKUP_ADDRS >= 2 * RESOLVE_ADDRS, "both families fit");

enum { V4, V6, FAMILIES };
static const uint8_t bytes[FAMILIES] = {4, 16};

/** struct answers - of both families. */
struct answers {
	int rcode[FAMILIES]; /* of DNS; -EAGAIN: has to be looked up */
	struct resolved found[FAMILIES];
};

/* What needs no waiting. Return: whether that is all. */
static bool look(struct net *n, const char *name, const bool *want, struct answers *a)
{
	struct decision why;
	bool all = true;
	for (unsigned f = 0; f < FAMILIES; f++) {
		a->rcode[f] = ns_r_noerror;
		a->found[f].n = 0;
		if (want[f])
			a->rcode[f] = dns_addresses(n, name, bytes[f], false, &a->found[f], &why);
		all = all && a->rcode[f] != -EAGAIN;
	}
	return all;
}

/* Have both families looked up at the same time. Return: 0 or -errno. */
static int look_up(struct trap_call *c, struct net *n, const char *name, struct answers *a)
{
	struct wanted *w[FAMILIES] = {NULL, NULL};
	struct resolved unused;
	struct decision why;
	for (unsigned f = 0; f < FAMILIES; f++)
		if (a->rcode[f] == -EAGAIN)
			w[f] = wanted_join(n, name, bytes[f]);
	int rc = wanted_wait(c, w, FAMILIES);
	for (unsigned f = 0; f < FAMILIES; f++) {
		if (rc == 0 && a->rcode[f] == -EAGAIN) {
			a->rcode[f] = wanted_found(w[f], &unused) < 0
					      ? ns_r_servfail
					      : dns_addresses(n, name, bytes[f], false, &a->found[f], &why);
		}
		wanted_leave(w[f]);
	}
	return rc;
}

/* Whether the answer of the name servers is all that the C library would look for. */
static bool is_plain(struct net *n, const char *name)
{
	return *name && !dns_own_name(name) && !str_ends(name, ".local") && !str_ends(name, ".arpa") &&
	       resolver_as_is(n->resolver, name);
}

/* Return: how many addresses, or -errno for the program. */
static int put(const struct answers *a, const bool *want, struct lookup *l)
{
	int n = 0;
	/* where not all is well with a family the C library says what comes of it, unless nobody answers at all */
	for (unsigned f = 0; f < FAMILIES; f++) {
		if (a->rcode[f] != ns_r_noerror) {
			bool both = a->rcode[0] == a->rcode[1] || want[V4] != want[V6];
			return a->rcode[f] == ns_r_servfail && both ? -EAGAIN : -ENOENT;
		}
		for (size_t i = 0; i < a->found[f].n; i++, n++) {
			l->addr[n].len = bytes[f];
			memcpy(l->addr[n].b, a->found[f].addr[i].b, bytes[f]);
		}
	}
	return n ? n : -ENOENT;
}

static int serve(struct trap_call *c, struct net *n, struct lookup *l)
{
	const bool want[FAMILIES] = {l->v4, l->v6};
	struct answers a;
	char name[LOOKUP_NAME];
	for (size_t i = 0; i < sizeof(name); i++)
		name[i] = (char)tolower((unsigned char)l->name[i]);
	if (!is_plain(n, name))
		return -ENOENT;
	int rc = look(n, name, want, &a) ? 0 : look_up(c, n, name, &a);
	if (rc < 0)
		return rc == -TRAP_RESTART ? rc : -EAGAIN;
	memset(l->addr, 0, sizeof(l->addr));
	return put(&a, want, l);
}

void lookup_serve(struct trap_call *c)
{
	struct net *n = call_net(c);
	struct lookup l;
	int rc = n && n->mode == NET_FILTERED ? 0 : -ENOSYS;
	if (rc == 0 && trap_arg(c, 2) != sizeof(l))
		rc = -EINVAL;
	if (rc == 0)
		rc = trap_read(c, trap_arg(c, 1), &l, sizeof(l));
	if (rc == 0 && !memchr(l.name, '\0', sizeof(l.name)))
		rc = -EINVAL;
	if (rc == 0)
		rc = serve(c, n, &l);
	if (rc > 0) {
		int written = trap_write(c, trap_arg(c, 1), &l, sizeof(l));
		rc = written < 0 ? written : rc;
	}
	if (rc < 0)
		trap_errno(c, -rc);
	else
		trap_value(c, rc);
}
