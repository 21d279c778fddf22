/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hosts.c - network rules and the decision about a host and a port.
 *
 * Theory of operation
 * -------------------
 * Every rule is one entry of one hash table; its key says what kind it is, which
 * name, suffix or address prefix it covers, for which port and protocol. A decision
 * looks up the few keys that could cover the object: the name itself, each of its
 * suffixes, the address cut to each prefix length that some rule uses. So its cost
 * depends on the object, not on the number of rules.
 *
 * Order: addresses and names that are never reachable; the mode (open, blocked);
 * rules. A name is decided as a name. That it may not lead to loopback or metadata
 * addresses is checked on what it resolves to, by the net room.
 *
 *  allow_domain   connect to the name, suffix, address or prefix; in sessions that
 *                 are not blocked
 *  open_port      connect to and listen on this port of loopback addresses
 *  listen_port    listen on this port, on any address
 *  connect_port   connect to this port of any host
 *
 * A rule of allow_domain may restrict requests to endpoints (method and path). That holds
 * for what this rule allows: a more specific rule without endpoints is not restricted.
 *
 * Where the network is filtered, programs may also listen on loopback ports the kernel
 * chooses (test servers, language servers), and with open_urls.allow_localhost on any
 * loopback port: the callback of a login.
 */
#include "policy/internal.h"
#include "policy/hosts.h"

enum host_kind { KIND_NAME, KIND_SUFFIX, KIND_ADDR, KIND_OPEN_PORT, KIND_LISTEN_PORT, KIND_CONNECT_PORT };

/* Stands in a key for "some port": such entries answer whether a name may be resolved at all. */
#define SOME_PORT 0x10000U

/** struct host_key - what an entry covers. Compared as bytes: cleared before it is filled. */
struct host_key {
	uint32_t kind, port; /* port 0: any */
	uint32_t udp, prefix, len;
	char bytes[254];
};

struct host_entry {
	struct host_entry *next;
	uint32_t hash;
	struct host_key *key;
	const struct rule *rule;
	const struct item *paths; /* the profile's entry when it restricts requests to endpoints; else NULL */
};

struct hosts {
	enum net_mode mode;
	struct host_entry **bucket;
	size_t n_buckets, n;
	struct rule **rules;
	size_t n_rules;
	bool prefixes4[33], prefixes6[129]; /* prefix lengths that rules use */
	struct rule *never, *blocked, *own_listener,
		*login_listener; /* the last one: NULL unless the profile opens localhost */
};

/* ---- the table ----------------------------------------------------------- */

static size_t key_size(const struct host_key *k)
{
	return offsetof(struct host_key, bytes) + k->len;
}

static uint32_t key_hash(const struct host_key *k)
{
	return hash_bytes(HASH_SEED, (const char *)k, key_size(k));
}

static struct host_entry *entry_find(const struct hosts *h, const struct host_key *k)
{
	if (!h->n_buckets)
		return NULL;
	uint32_t hash = key_hash(k);
	for (struct host_entry *x = h->bucket[hash % h->n_buckets]; x; x = x->next)
		if (x->hash == hash && x->key->len == k->len && memcmp(x->key, k, key_size(k)) == 0)
			return x;
	return NULL;
}

static void table_grow(struct hosts *h)
{
	size_t n = h->n_buckets ? h->n_buckets * 2 : 64;
	struct host_entry **bucket = xcalloc(n, sizeof(struct host_entry *));
	for (size_t i = 0; i < h->n_buckets; i++)
		for (struct host_entry *x = h->bucket[i], *next; x; x = next) {
			next = x->next;
			x->next = bucket[x->hash % n];
			bucket[x->hash % n] = x;
		}
	free(h->bucket);
	h->bucket = bucket;
	h->n_buckets = n;
}

/* The first rule for a key stays, it is the one that explanations name; but one that restricts to endpoints counts. */
static void entry_add(struct hosts *h, const struct host_key *k, const struct rule *rule, const struct item *it)
{
	const struct item *paths = it && it->n_endpoints ? it : NULL;
	struct host_entry *same = entry_find(h, k);
	if (same) {
		if (paths && !same->paths) {
			same->rule = rule;
			same->paths = paths;
		}
		return;
	}
	if (h->n >= h->n_buckets)
		table_grow(h);
	struct host_entry *x = xcalloc(1, sizeof(*x));
	x->key = xmalloc(key_size(k));
	memcpy(x->key, k, key_size(k));
	x->hash = key_hash(k);
	x->rule = rule;
	x->paths = paths;
	x->next = h->bucket[x->hash % h->n_buckets];
	h->bucket[x->hash % h->n_buckets] = x;
	h->n++;
}

static struct host_key name_key(enum host_kind kind, const char *name, size_t len, unsigned port, bool udp)
{
	struct host_key k = {.kind = kind, .port = port, .udp = udp};
	k.len = (uint32_t)(len < sizeof(k.bytes) ? len : sizeof(k.bytes));
	memcpy(k.bytes, name, k.len);
	return k;
}

static struct host_key addr_key(const struct host_addr *a, unsigned prefix, unsigned port, bool udp)
{
	struct host_key k = {.kind = KIND_ADDR, .port = port, .udp = udp, .prefix = prefix, .len = a->len};
	unsigned whole = prefix / 8;
	memcpy(k.bytes, a->b, whole);
	if (prefix % 8)
		k.bytes[whole] = (char)(a->b[whole] & (0xff00U >> prefix % 8));
	return k;
}

/* ---- compilation --------------------------------------------------------- */

static struct rule *host_rule(struct hosts *h, const char *object, const char *written, const struct origin *origin)
{
	struct rule *r = xcalloc(1, sizeof(*r));
	r->path = xstrdup(object);
	r->written = xstrdup(written);
	r->origin = origin_copy(origin);
	h->rules = xreallocarray(h->rules, h->n_rules + 1, sizeof(struct rule *));
	h->rules[h->n_rules++] = r;
	return r;
}

static int add_pattern(struct hosts *h, const char *value, const struct item *it, bool builtin, struct err **e)
{
	struct host_pattern p;
	if (host_pattern_parse(value, !builtin, &p, e) < 0)
		return -1;
	const struct rule *r = host_rule(h, value, it->value, &it->origin);
	struct host_key k;
	if (p.addr.len) {
		k = addr_key(&p.addr, p.prefix, p.port, p.udp);
		(p.addr.len == 4 ? h->prefixes4 : h->prefixes6)[p.prefix] = true;
	} else {
		k = name_key(p.suffix ? KIND_SUFFIX : KIND_NAME, p.name, strlen(p.name), p.port, p.udp);
	}
	entry_add(h, &k, r, it);
	k.port = SOME_PORT;
	k.udp = 0;
	entry_add(h, &k, r, NULL);
	if (p.udp) {
		k.udp = 1;
		entry_add(h, &k, r, NULL);
	}
	return 0;
}

/* Say in front of the error where the rule stands. Return: always -1. */
static int at_place(struct err **e, const char *key, const struct item *it)
{
	const struct origin *o = &it->origin;
	if (o->source == SOURCE_USER && o->label)
		return err_wrap(e, "%s", o->label);
	if (o->file && o->line)
		return err_wrap(e, "%s:%u: network.%s", o->file, o->line, key);
	return err_wrap(e, "network.%s", key);
}

static int add_hosts(struct hosts *h, const struct items *list, const struct item *as, bool builtin, struct err **e)
{
	for (size_t i = 0; i < list->n; i++) {
		const struct item *it = &list->v[i];
		const struct items *group = builtin ? NULL : network_group_hosts(it->value);
		int rc = group ? add_hosts(h, group, it, true, e) : add_pattern(h, it->value, as ? as : it, builtin, e);
		if (rc < 0)
			return at_place(e, "allow_domain", as ? as : it);
	}
	return 0;
}

static int add_profile(struct hosts *h, const char *name, struct err **e)
{
	struct items list = {0};
	if (!network_profile_hosts(name, &list)) {
		cleanup_free char *names = network_profile_names();
		return err_set(e, 0, "network.network_profile: there is no network profile named %s; there are %s",
			name, names);
	}
	char label[] = "network profile";
	struct item as = {.value = (char *)name, .origin = {.source = SOURCE_SYSTEM, .label = label}};
	int rc = add_hosts(h, &list, &as, true, e);
	items_free(&list);
	return rc;
}

static int add_ports(struct hosts *h, const struct items *list, enum host_kind kind, const char *key, struct err **e)
{
	for (size_t i = 0; i < list->n; i++) {
		char *end;
		unsigned long port = strtoul(list->v[i].value, &end, 10);
		if (list->v[i].value[0] < '0' || list->v[i].value[0] > '9' || *end || port > 65535) {
			err_set(e, 0, "%s is not a port", list->v[i].value);
			return at_place(e, key, &list->v[i]);
		}
		if (port == 0) {
			err_set(e, 0, "port 0 (any port) is for macOS; name the ports");
			return at_place(e, key, &list->v[i]);
		}
		struct host_key k = {.kind = kind, .port = (uint32_t)port};
		entry_add(h, &k, host_rule(h, list->v[i].value, list->v[i].value, &list->v[i].origin), NULL);
		k.port = SOME_PORT;
		entry_add(h, &k, h->rules[h->n_rules - 1], NULL);
	}
	return 0;
}

/* A profile's block gives way to nothing; the two together on a command line is a mistake worth saying. */
static int mode_of(struct hosts *h, const struct profile *p, struct err **e)
{
	const struct items *domains = &p->network.allow_domain;
	bool filters = p->network.profile || domains->n || p->network.connect_port.n;
	if (p->network.allow_all) {
		h->mode = NET_OPEN;
		return 0;
	}
	if (p->network.block != TRI_TRUE) {
		h->mode = filters ? NET_FILTERED : NET_OPEN;
		return 0;
	}
	for (size_t i = 0; i < domains->n; i++)
		if (domains->v[i].origin.source == SOURCE_USER)
			return err_set(e, 0,
				"the network is blocked (--block-net or network.block), so %s %s cannot be allowed",
				domains->v[i].origin.label ? domains->v[i].origin.label : "--allow-domain",
				domains->v[i].value);
	h->mode = NET_BLOCKED;
	return 0;
}

struct hosts *hosts_compile(const struct profile *p, struct err **e)
{
	struct hosts *h = xcalloc(1, sizeof(*h));
	char label[] = "always closed", own[] = "loopback", blocked[] = "the network is blocked",
	     login[] = "open_urls.allow_localhost";
	struct origin system = {.source = SOURCE_SYSTEM, .label = label};
	h->never = host_rule(h, NULL, "link-local and cloud metadata addresses", &system);
	h->never->deny = h->never->never = true;
	system.label = own;
	struct origin block = {.source = SOURCE_SYSTEM, .label = blocked};
	h->blocked = host_rule(h, NULL, "--block-net or network.block", &block);
	h->blocked->deny = true;
	h->own_listener = host_rule(h, NULL, "listeners on ports the kernel chooses", &system);
	struct origin profile = {.source = SOURCE_PROFILE, .label = login};
	if (p->open_urls.allow_localhost == TRI_TRUE)
		h->login_listener = host_rule(h, NULL, "login callbacks", &profile);
	if (mode_of(h, p, e) < 0 || (p->network.profile && add_profile(h, p->network.profile, e) < 0) ||
		add_hosts(h, &p->network.allow_domain, NULL, false, e) < 0 ||
		add_ports(h, &p->network.open_port, KIND_OPEN_PORT, "open_port", e) < 0 ||
		add_ports(h, &p->network.listen_port, KIND_LISTEN_PORT, "listen_port", e) < 0 ||
		add_ports(h, &p->network.connect_port, KIND_CONNECT_PORT, "connect_port", e) < 0) {
		hosts_free(h);
		return NULL;
	}
	return h;
}

int policy_network_valid(const struct profile *p, struct err **e)
{
	struct hosts *h = hosts_compile(p, e);
	hosts_free(h);
	return h ? 0 : -1;
}

void hosts_free(struct hosts *h)
{
	if (!h)
		return;
	for (size_t i = 0; i < h->n_buckets; i++)
		for (struct host_entry *x = h->bucket[i], *next; x; x = next) {
			next = x->next;
			free(x->key);
			free(x);
		}
	for (size_t i = 0; i < h->n_rules; i++) {
		free(h->rules[i]->path);
		free(h->rules[i]->written);
		free(h->rules[i]->origin.label);
		free(h->rules[i]->origin.file);
		free(h->rules[i]);
	}
	free((void *)h->rules);
	free((void *)h->bucket);
	free(h);
}

enum net_mode hosts_mode(const struct hosts *h)
{
	return h->mode;
}

/* ---- decision ------------------------------------------------------------ */

static struct decision allow(const struct rule *r)
{
	return (struct decision){VERDICT_ALLOW, r, false};
}

static const struct host_entry *port_entry(const struct hosts *h, enum host_kind kind, unsigned port)
{
	struct host_key k = {.kind = kind, .port = port ? port : SOME_PORT};
	return entry_find(h, &k);
}

/* @k with the port asked for, then with any port; port 0 asks for some port. */
static const struct host_entry *find_port(const struct hosts *h, struct host_key k, unsigned port)
{
	k.port = port ? port : SOME_PORT;
	const struct host_entry *x = entry_find(h, &k);
	if (x || !port)
		return x;
	k.port = 0;
	return entry_find(h, &k);
}

static const struct host_entry *name_entry(const struct hosts *h, const char *name, unsigned port, bool udp)
{
	size_t n = strlen(name);
	if (n >= sizeof(((struct host_key *)0)->bytes))
		return NULL;
	const struct host_entry *x = find_port(h, name_key(KIND_NAME, name, n, 0, udp), port);
	for (const char *dot = strchr(name, '.'); dot && !x; dot = strchr(dot + 1, '.'))
		x = find_port(h, name_key(KIND_SUFFIX, dot + 1, n - (size_t)(dot + 1 - name), 0, udp), port);
	return x;
}

static const struct host_entry *addr_entry(const struct hosts *h, const struct host_addr *a, unsigned port, bool udp)
{
	const bool *used = a->len == 4 ? h->prefixes4 : h->prefixes6;
	const struct host_entry *x = NULL;
	/* a rule names a private or loopback network only if it lies within: 0.0.0.0/0 is the public internet */
	int least = (int)host_addr_named_by(a);
	for (int prefix = a->len * 8; prefix >= least && !x; prefix--)
		if (used[prefix])
			x = find_port(h, addr_key(a, (unsigned)prefix, 0, udp), port);
	return x;
}

/* What lets a program connect: the most specific rule of allow_domain, else one about ports. */
static const struct host_entry *connect_entry(
	const struct hosts *h, const char *host, const struct host_addr *a, unsigned port, bool udp)
{
	const struct host_entry *x = NULL;
	bool local = a->len ? host_addr_loopback(a) : strcmp(host, "localhost") == 0 || str_ends(host, ".localhost");
	if (h->mode == NET_FILTERED)
		x = a->len ? addr_entry(h, a, port, udp) : name_entry(h, host, port, udp);
	if (!x && local && h->mode == NET_FILTERED)
		x = name_entry(h, "localhost", port, udp);
	if (!x && local && !udp)
		x = port_entry(h, KIND_OPEN_PORT, port);
	if (!x && !udp && port)
		x = port_entry(h, KIND_CONNECT_PORT, port);
	return x;
}

/* A blocked network is a decision, not a gap: nobody is asked to undo it call by call. */
static struct decision none(const struct hosts *h)
{
	if (h->mode == NET_BLOCKED)
		return (struct decision){VERDICT_NEVER, h->blocked, false};
	return (struct decision){VERDICT_NONE, NULL, false};
}

static struct decision check_bind(const struct hosts *h, const struct host_addr *a, unsigned port, bool udp)
{
	const struct host_entry *x = NULL;
	bool local = a->len && host_addr_loopback(a) && !host_addr_unspecified(a);
	if (!udp && port)
		x = port_entry(h, KIND_LISTEN_PORT, port);
	if (!x && !udp && port && local)
		x = port_entry(h, KIND_OPEN_PORT, port);
	if (!x && !port && local && h->mode == NET_FILTERED)
		return allow(h->own_listener);
	if (!x && !udp && port && local && h->mode == NET_FILTERED && h->login_listener)
		return allow(h->login_listener);
	return x ? allow(x->rule) : none(h);
}

struct decision hosts_check(const struct hosts *h, enum operation op, const char *host, unsigned port, bool udp)
{
	struct host_addr a;
	bool literal = host_addr_parse(host, &a);
	if (op == OP_CONNECT && literal && host_addr_never(&a))
		return (struct decision){VERDICT_NEVER, h->never, false};
	if (op == OP_CONNECT && !literal && host_name_never(host))
		return (struct decision){VERDICT_NEVER, h->never, false};
	if (h->mode == NET_OPEN)
		return allow(NULL);
	if (op == OP_BIND)
		return check_bind(h, &a, port, udp);
	const struct host_entry *x = connect_entry(h, host, &a, port, udp);
	return x ? allow(x->rule) : none(h);
}

const struct item *hosts_endpoints(const struct hosts *h, const char *host, unsigned port)
{
	struct host_addr a;
	(void)host_addr_parse(host, &a);
	const struct host_entry *x = connect_entry(h, host, &a, port, false);
	return x ? x->paths : NULL;
}
