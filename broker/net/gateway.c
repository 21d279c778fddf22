/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gateway.c - connections that end in the broker: the HTTP proxy for programs that
 * prefer one, and the interceptor for hosts whose requests are restricted to endpoints.
 *
 * Theory of operation
 * -------------------
 * The proxy's port on loopback is bound, so that nobody else can have it, but nothing
 * listens there: a program of the tree that connects to it is connected on behalf, like
 * everything else, to a socket of ours that exists for this one connection, and our end
 * goes to the proxy module. Nobody outside the tree can reach the proxy, with or without
 * its token. The module is loaded when the first program connects, or at the start when
 * a certificate authority has to be made.
 *
 * A program that knows nothing of proxies and connects to a host with endpoint rules is
 * connected to the interceptor in the same way and believes to talk to the host. With a
 * parent proxy, names are reached through it in this way as well; it resolves them.
 *
 * The module asks whom it may reach: decide() is the same decision as for every other
 * connection, with the same question to the person, and resolves the name once; what
 * was checked is what is connected to.
 */
#include "net/internal.h"
#include "net/proxy/proxy.h"
#include "approve/approve.h"
#include "explain/explain.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <sys/random.h>
#include <sys/resource.h>

#define FILES_WANTED 65536U

/** struct parent - the parent proxy and the hosts that go around it. */
struct parent {
	char *host; /* NULL: none */
	unsigned port;
	char *auth; /* "user:password", NULL for none */
	struct host_pattern *bypass;
	size_t n_bypass;
};

struct gateway {
	struct net *net;
	int hold; /* bound to the proxy's port, never listening */
	unsigned port;
	char token[65];
	struct parent parent;
	struct proxy_route *routes; /* one for each entry of allow_domain */
	size_t n_routes;
	char *bundle, *trust_store; /* NULL: nothing is intercepted */
	char *wgetrc;               /* NULL also when the person has one */
	pthread_mutex_t lock;
	const struct proxy_api *api;
	struct proxy *proxy;    /* NULL: not loaded yet */
	bool used, stopped;     /* used: a program has connected */
	atomic_bool said;       /* that connections are refused */
	struct request *asking; /* that wait for a person */
};

/** struct request - the module's request for a host, until it is answered. */
struct request {
	struct request *next;
	struct gateway *g;
	char host[254];
	unsigned port;
	bool via;
	pid_t peer;
	proxy_decided *done;
	void *arg;
	uint64_t ticket;
	bool submitted, finished; /* under the gateway's lock */
	enum answer answer;
	struct decision decision;
};

/* ---- answering the module ------------------------------------------------------------- */

static void record(const struct request *r, int err, const char *how)
{
	struct explain *x = r->g->net->cfg.explain;
	cleanup_free char *program = NULL, *parent = NULL;
	if (!x)
		return;
	caller_names(r->peer, &program, &parent);
	const struct denial d = {.op = OP_CONNECT,
		.asked = r->host,
		.resolved = r->host,
		.port = r->port,
		.tgid = r->peer,
		.program = program,
		.parent = parent,
		.decision = r->decision,
		.err = err,
		.answer = how};
	if (err)
		explain_denial(x, &d);
	else
		explain_grant(x, &d);
}

static void refuse(struct request *r, const char *how)
{
	cleanup_free char *why = r->decision.verdict == VERDICT_NEVER
					 ? xasprintf("%s:%u is never reachable from this session", r->host, r->port)
					 : xasprintf("no rule of this session allows %s:%u", r->host, r->port);
	record(r, EACCES, how);
	r->done(r->arg, NULL, 403, why);
	free(r);
}

static void fail(struct request *r, int status, const char *why)
{
	cleanup_free char *text = xasprintf("%s %s", r->via ? r->g->parent.host : r->host, why);
	r->done(r->arg, NULL, status, text);
	free(r);
}

static void add_target(struct proxy_targets *to, const struct host_addr *a, unsigned port)
{
	struct sock_call s = {.len = sizeof(s.addr.in)};
	if (to->n >= PROXY_TARGETS)
		return;
	s.addr.sa.sa_family = a->len == 4 ? AF_INET : AF_INET6;
	if (a->len == 4) {
		s.addr.in.sin_port = htons((uint16_t)port);
	} else {
		s.addr.in6.sin6_port = htons((uint16_t)port);
		s.len = sizeof(s.addr.in6);
	}
	sock_call_set_host(&s, a);
	to->addr[to->n] = s.addr.storage;
	to->len[to->n++] = s.len;
}

/* ---- names ------------------------------------------------------------------------------ */

static bool is_localhost(const char *name)
{
	return strcmp(name, "localhost") == 0 || str_ends(name, ".localhost");
}

/*
 * Where @r is to be reached. Names lead neither to loopback nor to addresses that are never
 * reachable; the parent proxy may be anywhere, the person named it.
 * Return: 0, -EAGAIN when it would have to wait, -ENOENT for no address, -EACCES for none that is usable, -EIO.
 */
static int find_targets(const struct request *r, bool wait, struct proxy_targets *to)
{
	const char *name = r->via ? r->g->parent.host : r->host;
	unsigned port = r->via ? r->g->parent.port : r->port;
	static const uint8_t families[] = {4, 16};
	struct host_addr a;
	bool failed = false, unusable = false;
	to->n = 0;
	if (host_addr_parse(name, &a)) {
		add_target(to, &a, port);
		return 0;
	}
	for (size_t f = 0; f < ARRAY_SIZE(families); f++) {
		struct resolved found = {0};
		if (is_localhost(name)) {
			host_addr_parse(families[f] == 4 ? "127.0.0.1" : "::1", &a);
			add_target(to, &a, port);
			continue;
		}
		int rc = resolver_host(r->g->net->resolver, name, families[f], wait, &found);
		if (rc == -EAGAIN)
			return rc;
		failed = failed || rc < 0;
		for (size_t i = 0; rc == 0 && i < found.n; i++) {
			bool closed = host_addr_never(&found.addr[i]) || host_addr_loopback(&found.addr[i]);
			unusable = unusable || (closed && !r->via);
			if (r->via || !closed)
				add_target(to, &found.addr[i], port);
		}
	}
	return to->n ? 0 : unusable ? -EACCES : failed ? -EIO : -ENOENT;
}

static void finish(struct request *r, int rc, const struct proxy_targets *to)
{
	if (rc == 0) {
		r->done(r->arg, to, 0, NULL);
		free(r);
	} else if (rc == -EACCES) {
		r->decision = (struct decision){.verdict = VERDICT_NEVER};
		record(r, EACCES, "not asked");
		fail(r, 403, "leads to addresses that are never reached by name");
	} else {
		fail(r, 502, rc == -ENOENT ? "has no address" : "cannot be resolved: no name server answers");
	}
}

static void *resolve_thread(void *arg)
{
	struct request *r = arg;
	struct net *n = r->g->net;
	struct proxy_targets to;
	int rc = find_targets(r, true, &to);
	finish(r, rc, &to);
	net_thread_done(n);
	return NULL;
}

/* It is allowed: resolve, on a thread of its own if that waits. */
static void resolve(struct request *r)
{
	struct proxy_targets to;
	int rc = find_targets(r, false, &to);
	if (rc != -EAGAIN)
		finish(r, rc, &to);
	else if (net_thread(r->g->net, resolve_thread, r) < 0)
		fail(r, 503, "cannot be resolved now: too many names are being looked up");
}

/* ---- asking ------------------------------------------------------------------------------- */

static void answered(struct request *r)
{
	bool yes = r->answer == ANSWER_ONCE || r->answer == ANSWER_SESSION || r->answer == ANSWER_ALWAYS;
	if (!yes) {
		refuse(r, answer_name(r->answer));
		return;
	}
	record(r, 0, answer_name(r->answer));
	resolve(r);
}

/* Under the lock. */
static void unlink_request(struct request *r)
{
	for (struct request **at = &r->g->asking; *at; at = &(*at)->next)
		if (*at == r) {
			*at = r->next;
			return;
		}
}

/* On a thread of the approve room; it may come before approve_submit() has returned. */
static void on_answer(void *data, enum answer answer)
{
	struct request *r = data;
	struct gateway *g = r->g;
	pthread_mutex_lock(&g->lock);
	r->answer = answer;
	r->finished = true;
	bool ready = r->submitted;
	if (ready)
		unlink_request(r);
	pthread_mutex_unlock(&g->lock);
	if (ready)
		answered(r);
}

static void ask(struct request *r)
{
	struct gateway *g = r->g;
	cleanup_free char *program = NULL, *parent = NULL;
	cleanup_free char *rule = r->decision.rule ? rule_describe(r->decision.rule) : NULL;
	caller_names(r->peer, &program, &parent);
	const struct question q = {.op = OP_CONNECT,
		.object = r->host,
		.asked = r->host,
		.port = r->port,
		.rule = rule,
		.tgid = r->peer,
		.program = program,
		.parent = parent};
	pthread_mutex_lock(&g->lock);
	r->next = g->asking;
	g->asking = r;
	pthread_mutex_unlock(&g->lock);
	uint64_t ticket = approve_submit(g->net->cfg.approve, &q, on_answer, r);
	if (ticket == 0)
		on_answer(r, ANSWER_NO); /* the session ends */
	pthread_mutex_lock(&g->lock);
	r->ticket = ticket;
	r->submitted = true;
	bool ready = r->finished;
	if (ready)
		unlink_request(r);
	pthread_mutex_unlock(&g->lock);
	if (ready)
		answered(r);
}

/* ---- the module's callbacks ---------------------------------------------------------------- */

static void decide(void *data, pid_t peer, const char *host, unsigned port, bool via, proxy_decided *done, void *arg)
{
	struct gateway *g = data;
	const struct net_config *cfg = &g->net->cfg;
	struct request *r = xcalloc(1, sizeof(*r));
	struct host_addr a;
	*r = (struct request){.g = g, .port = port, .via = via, .peer = peer, .done = done, .arg = arg};
	snprintf(r->host, sizeof(r->host), "%s", host);
	bool literal = host_addr_parse(host, &a);
	if (!literal && host_name_numeric(host)) {
		fail(r, 403, "is neither a host name nor an address");
		return;
	}
	r->decision = policy_check_host(cfg->policy, OP_CONNECT, host, port, false);
	if (r->decision.verdict == VERDICT_NONE && (literal ? host_addr_loopback(&a) : is_localhost(host)) &&
		listeners_port(g->net->listeners, port))
		r->decision.verdict = VERDICT_ALLOW;
	if (r->decision.verdict == VERDICT_ALLOW)
		resolve(r);
	else if (r->decision.verdict != VERDICT_NEVER && cfg->approve && approve_possible(cfg->approve))
		ask(r);
	else
		refuse(r, "not asked");
}

static bool withdraw(void *data, void *arg)
{
	struct gateway *g = data;
	pthread_mutex_lock(&g->lock);
	struct request *r = g->asking;
	while (r && (r->arg != arg || !r->submitted || r->finished))
		r = r->next;
	uint64_t ticket = r ? r->ticket : 0;
	pthread_mutex_unlock(&g->lock);
	/* once withdrawn nobody else refers to it; otherwise on_answer() has it */
	if (!ticket || !approve_cancel(g->net->cfg.approve, ticket))
		return false;
	pthread_mutex_lock(&g->lock);
	unlink_request(r);
	pthread_mutex_unlock(&g->lock);
	free(r);
	return true;
}

static const struct proxy_route *route(void *data, const char *host, unsigned port)
{
	const struct gateway *g = data;
	const struct policy *p = g->net->cfg.policy;
	const struct item *it = policy_host_endpoints(p, host, port);
	return it ? &g->routes[it - policy_profile(p)->network.allow_domain.v] : NULL;
}

static bool through_parent(void *data, const char *host)
{
	return gateway_parent(data, host);
}

/* ---- the module ------------------------------------------------------------------------------- */

/* The module lies beside the program, as it was built or installed. */
static void *load_module(struct err **e)
{
	char exe[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	exe[n < 0 ? 0 : n] = '\0';
	cleanup_free char *dir = path_dir(exe);
	cleanup_free char *path = path_join(dir, "../lib/nono/nono-proxy.so");
	void *module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!module)
		err_set(e, 0, "cannot load the HTTP proxy: %s", dlerror());
	return module;
}

/* Load and start it unless it runs. Return: 0 or -1. */
static int start_module(struct gateway *g, struct err **e)
{
	if (g->proxy)
		return 0;
	if (g->stopped)
		return err_set(e, 0, "the session ends");
	void *module = load_module(e);
	if (!module)
		return -1;
	g->api = dlsym(module, PROXY_API_SYMBOL);
	if (!g->api)
		return err_set(e, 0, "nono-proxy.so is not the HTTP proxy of this program");
	const struct proxy_config cfg = {.decide = decide,
		.withdraw = withdraw,
		.route = route,
		.through_parent = through_parent,
		.data = g,
		.parent = g->parent.host,
		.parent_auth = g->parent.auth,
		.token = g->token,
		.bundle = g->bundle,
		.trust_store = g->trust_store};
	return g->api->start(&g->proxy, &cfg, e);
}

/*
 * A tunnel takes two descriptors; the limit that programs start with is for themselves. Once the
 * tree runs, which must not inherit it. Root may go beyond its own limit.
 */
static void raise_file_limit(void)
{
	struct rlimit r, more;
	if (getrlimit(RLIMIT_NOFILE, &r) < 0)
		return;
	more.rlim_cur = more.rlim_max = r.rlim_max < FILES_WANTED ? FILES_WANTED : r.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &more) == 0)
		return;
	r.rlim_cur = r.rlim_max;
	setrlimit(RLIMIT_NOFILE, &r);
}

/* Whether there is a descriptor for one more connection of a program. */
static bool room(struct gateway *g)
{
	int next = fcntl(g->hold, F_DUPFD_CLOEXEC, 0);
	if (next >= 0)
		close(next);
	if (next >= 0 && next < proxy_fd_limit(false))
		return true;
	if (!atomic_exchange(&g->said, true))
		say_info("too many connections through the proxy at a time: more are refused (ulimit -n is the limit)");
	return false;
}

/* Hand the broker's end of a new connection over. @host NULL: it is for the proxy itself. Return: 0 or -errno. */
static int hand_over(struct gateway *g, struct trap_call *c, const struct sock_call *s, const char *host, unsigned port)
{
	cleanup_err struct err *e = NULL;
	pthread_mutex_lock(&g->lock);
	int rc = start_module(g, &e);
	if (!g->used)
		raise_file_limit();
	g->used = true;
	pthread_mutex_unlock(&g->lock);
	if (rc < 0) {
		say_debug("%s", err_msg(e));
		return -ECONNREFUSED;
	}
	int fd = room(g) ? connect_to_broker(s) : -ECONNREFUSED;
	if (fd < 0)
		return fd;
	if (host)
		g->api->transparent(g->proxy, fd, trap_tgid(c), host, port);
	else
		g->api->serve(g->proxy, fd, trap_tgid(c));
	return 0;
}

bool gateway_at(const struct gateway *g, const struct host_addr *a, unsigned port)
{
	static const struct host_addr loopback = {.len = 4, .b = {127, 0, 0, 1}};
	return port == g->port && a->len == 4 && memcmp(a->b, loopback.b, 4) == 0;
}

int gateway_connect(struct gateway *g, struct trap_call *c, const struct sock_call *s)
{
	return hand_over(g, c, s, NULL, 0);
}

int gateway_divert(struct gateway *g, struct trap_call *c, const struct sock_call *s, const char *host, unsigned port)
{
	return hand_over(g, c, s, host, port);
}

bool gateway_diverts(const struct gateway *g, const char *host, unsigned port)
{
	struct host_addr a;
	if (policy_host_endpoints(g->net->cfg.policy, host, port))
		return true;
	return g->parent.host && !host_addr_parse(host, &a) && gateway_parent(g, host);
}

/* ---- the parent proxy ---------------------------------------------------------------------------- */

static bool pattern_matches(const struct host_pattern *p, const char *host, const struct host_addr *a)
{
	if (p->addr.len) {
		bool same = p->addr.len == a->len;
		for (unsigned bit = 0; bit < p->prefix && same; bit++)
			same = !((p->addr.b[bit / 8] ^ a->b[bit / 8]) & (0x80U >> bit % 8));
		return same;
	}
	size_t n = strlen(host), len = strlen(p->name);
	if (!p->suffix)
		return strcmp(p->name, host) == 0;
	return n > len + 1 && host[n - len - 1] == '.' && str_ends(host, p->name);
}

bool gateway_parent(const struct gateway *g, const char *host)
{
	struct host_addr a;
	bool literal = host_addr_parse(host, &a);
	if (!g->parent.host || (literal ? host_addr_loopback(&a) : is_localhost(host)))
		return false;
	for (size_t i = 0; i < g->parent.n_bypass; i++)
		if (pattern_matches(&g->parent.bypass[i], host, &a))
			return false;
	return true;
}

/* "%41" becomes "A". In place. */
static void percent_decode(char *s)
{
	char *to = s;
	for (; *s; s++) {
		unsigned v;
		if (*s == '%' && sscanf(s + 1, "%2x", &v) == 1 && v) {
			*to++ = (char)v;
			s += 2;
		} else {
			*to++ = *s;
		}
	}
	*to = '\0';
}

/* "[http://][user:password@]host:port[/]" */
static int parse_parent(struct parent *p, const char *text, struct err **e)
{
	const char *rest = str_starts(text, "http://") ? text + 7 : text, *at = strrchr(rest, '@');
	if (strstr(rest, "://"))
		return err_set(e, 0, "%s: a parent proxy is spoken to over http://", text);
	if (at) {
		p->auth = xstrndup(rest, (size_t)(at - rest));
		percent_decode(p->auth);
		rest = at + 1;
	}
	size_t n = strlen(rest);
	cleanup_free char *where = xstrndup(rest, n && rest[n - 1] == '/' ? n - 1 : n);
	struct host_pattern h;
	if (host_pattern_parse(where, false, &h, e) < 0)
		return -1;
	if (!h.port || h.udp || h.suffix || (h.addr.len && h.prefix != h.addr.len * 8U))
		return err_set(e, 0, "%s is not the host:port of a parent proxy", where);
	char addr[INET6_ADDRSTRLEN];
	host_addr_text(&h.addr, addr);
	p->host = xstrdup(h.addr.len ? addr : h.name);
	p->port = h.port;
	return 0;
}

static int read_parent(struct parent *p, const struct profile *profile, struct err **e)
{
	const struct items *bypass = &profile->network.upstream_bypass;
	if (!profile->network.upstream_proxy)
		return 0;
	if (parse_parent(p, profile->network.upstream_proxy, e) < 0)
		return err_wrap(e, "network.upstream_proxy");
	p->bypass = xcalloc(bypass->n + 1, sizeof(*p->bypass));
	for (size_t i = 0; i < bypass->n; i++)
		if (host_pattern_parse(bypass->v[i].value, false, &p->bypass[p->n_bypass++], e) < 0)
			return err_wrap(e, "network.upstream_bypass");
	return 0;
}

/* ---- start and end --------------------------------------------------------------------------------- */

static int make_token(struct gateway *g, struct err **e)
{
	uint8_t raw[32];
	if (getrandom(raw, sizeof(raw), 0) != sizeof(raw))
		return err_set(e, errno, "cannot make the proxy's token");
	for (size_t i = 0; i < sizeof(raw); i++)
		snprintf(g->token + 2 * i, 3, "%02x", raw[i]);
	return 0;
}

static int hold_port(struct gateway *g, struct err **e)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);
	g->hold = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (g->hold < 0 || bind(g->hold, (struct sockaddr *)&a, len) < 0 ||
		getsockname(g->hold, (struct sockaddr *)&a, &len) < 0)
		return err_set(e, errno, "cannot take a port for the HTTP proxy");
	g->port = ntohs(a.sin_port);
	return 0;
}

/* The endpoints of each entry of allow_domain, in the module's form. Return: whether there are any. */
static bool read_routes(struct gateway *g, const struct items *l)
{
	bool some = false;
	g->routes = xcalloc(l->n + 1, sizeof(*g->routes));
	g->n_routes = l->n;
	for (size_t i = 0; i < l->n; i++) {
		const struct item *it = &l->v[i];
		struct proxy_endpoint *endpoints = xcalloc(it->n_endpoints + 1, sizeof(*endpoints));
		for (size_t j = 0; j < it->n_endpoints; j++)
			endpoints[j] = (struct proxy_endpoint){it->endpoints[j].method, it->endpoints[j].path};
		g->routes[i] = (struct proxy_route){endpoints, it->n_endpoints};
		some = some || it->n_endpoints;
	}
	return some;
}

/*
 * wget knows no variable for certificates, only one for its settings. The person's own are not replaced, and not
 * copied: they may hold passwords.
 */
static int write_wgetrc(struct gateway *g, struct err **e)
{
	cleanup_free char *own = path_join(home_dir() ? home_dir() : "/", ".wgetrc");
	if (!g->bundle || getenv("WGETRC") || access(own, F_OK) == 0)
		return 0;
	g->wgetrc = path_join(g->net->cfg.session_dir, "wgetrc");
	cleanup_free char *text = xasprintf("ca_certificate = %s\n", g->bundle);
	return file_write_atomic(g->wgetrc, text, strlen(text), 0444, e);
}

int gateway_new(struct gateway **out, struct net *n, struct err **e)
{
	const struct profile *p = policy_profile(n->cfg.policy);
	*out = NULL;
	if (n->mode == NET_BLOCKED || (n->mode == NET_OPEN && !p->network.upstream_proxy))
		return 0;
	struct gateway *g = xcalloc(1, sizeof(*g));
	g->net = n;
	g->hold = -1;
	pthread_mutex_init(&g->lock, NULL);
	bool intercepts = read_routes(g, &p->network.allow_domain);
	if (intercepts) {
		g->bundle = path_join(n->cfg.session_dir, "ca-bundle.pem");
		g->trust_store = path_join(n->cfg.session_dir, "ca-bundle.jks");
	}
	if (read_parent(&g->parent, p, e) < 0 || make_token(g, e) < 0 || hold_port(g, e) < 0 ||
		write_wgetrc(g, e) < 0 || (intercepts && start_module(g, e) < 0)) {
		gateway_free(g);
		return -1;
	}
	*out = g;
	return 0;
}

void gateway_stop(struct gateway *g)
{
	if (!g)
		return;
	pthread_mutex_lock(&g->lock);
	g->stopped = true;
	pthread_mutex_unlock(&g->lock);
	if (g->proxy)
		g->api->stop(g->proxy);
}

void gateway_free(struct gateway *g)
{
	if (!g)
		return;
	if (g->proxy)
		g->api->free(g->proxy);
	cleanup_fd_fn(&g->hold);
	for (size_t i = 0; i < g->n_routes; i++)
		free((void *)g->routes[i].endpoints);
	free(g->routes);
	free(g->parent.host);
	if (g->parent.auth)
		explicit_bzero(g->parent.auth, strlen(g->parent.auth));
	free(g->parent.auth);
	free(g->parent.bypass);
	free(g->bundle);
	free(g->trust_store);
	free(g->wgetrc);
	explicit_bzero(g->token, sizeof(g->token));
	pthread_mutex_destroy(&g->lock);
	free(g);
}

void gateway_environment(const struct gateway *g, struct pairs *out)
{
	static const char *const proxy_vars[] = {"HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"};
	static const char *const bundle_vars[] = {"SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE",
		"CURL_CA_BUNDLE", "GIT_SSL_CAINFO", "CARGO_HTTP_CAINFO", "PIP_CERT", "AWS_CA_BUNDLE", "DENO_CERT",
		"NIX_SSL_CERT_FILE", "HTTPLIB2_CA_CERTS", "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", "PERL_LWP_SSL_CA_FILE",
		"SYSTEM_CERTIFICATE_PATH", "CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE", "HEX_CACERTS_PATH",
		"WEBSOCKET_CLIENT_CA_BUNDLE"};
	static const char around[] = "localhost,127.0.0.1,::1";
	char label[] = "network";
	const struct origin origin = {.source = SOURCE_SYSTEM, .label = label};
	cleanup_free char *url = xasprintf("http://nono:%s@127.0.0.1:%u", g->token, g->port);
	for (size_t i = 0; i < ARRAY_SIZE(proxy_vars); i++)
		pairs_set(out, proxy_vars[i], url, &origin);
	pairs_set(out, "NO_PROXY", around, &origin);
	pairs_set(out, "no_proxy", around, &origin);
	pairs_set(out, "NODE_USE_ENV_PROXY", "1", &origin);
	pairs_set(out, "NONO_PROXY_TOKEN", g->token, &origin);
	for (size_t i = 0; g->bundle && i < ARRAY_SIZE(bundle_vars); i++)
		pairs_set(out, bundle_vars[i], g->bundle, &origin);
	cleanup_free char *java =
		g->trust_store
			? xasprintf("-Djavax.net.ssl.trustStore=%s -Djavax.net.ssl.trustStoreType=JKS", g->trust_store)
			: NULL;
	if (java)
		pairs_set(out, "JAVA_TOOL_OPTIONS", java, &origin);
	if (g->wgetrc)
		pairs_set(out, "WGETRC", g->wgetrc, &origin);
}
