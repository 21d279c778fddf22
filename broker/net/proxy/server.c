/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server.c - the proxy's thread: listener, authorisation, requests, dispatch.
 *
 * Theory of operation. One thread and one event base serve all connections.
 * A connection starts with a request head. CONNECT to a host without endpoint
 * rules becomes a tunnel; to a host with rules, the client's TLS ends here and
 * each request is judged. Plain requests (absolute form) are judged and sent on.
 * Whom to reach is decided by the net room: conn_dial() hands over host and port
 * and the answer, which may take as long as a person thinks, is posted back to
 * this thread. A connection that ended meanwhile is kept until its answer came.
 * Every failure is an HTTP status with a reason; none becomes a tunnel.
 */
#include "net/proxy/conn.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#define MAX_CONNECTIONS 10000

/* ---- connections ------------------------------------------------------------ */

static struct conn *conn_new(struct proxy *p, int fd)
{
	struct bufferevent *bev = bufferevent_socket_new(p->base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (!bev) {
		close(fd);
		return NULL;
	}
	struct conn *c = xcalloc(1, sizeof *c);
	c->p = p;
	c->client = bev;
	c->next = p->conns;
	if (c->next)
		c->next->prev = c;
	p->conns = c;
	p->n_conns++;
	return c;
}

static void conn_free(struct conn *c)
{
	if (c->prev)
		c->prev->next = c->next;
	else
		c->p->conns = c->next;
	if (c->next)
		c->next->prev = c->prev;
	c->p->n_conns--;
	free(c->host);
	free(c->via);
	http_head_free(&c->head);
	free(c);
}

void conn_close(struct conn *c)
{
	if (c->h2)
		h2_free(steal_ptr(&c->h2));
	if (c->client)
		bufferevent_free(steal_ptr(&c->client));
	if (c->server)
		bufferevent_free(steal_ptr(&c->server));
	c->dead = true;
	if (!c->dialing)
		conn_free(c);
}

static void close_when_flushed(struct bufferevent *bev, void *arg)
{
	if (evbuffer_get_length(bufferevent_get_output(bev)) == 0)
		conn_close(arg);
}

static void close_on_event(struct bufferevent *bev, short what, void *arg)
{
	(void)bev;
	if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR | BEV_EVENT_TIMEOUT))
		conn_close(arg);
}

void conn_answer(struct conn *c, int status, const char *why)
{
	static const struct {
		int status;
		const char *text;
	} texts[] = {{400, "Bad Request"}, {403, "Forbidden"}, {407, "Proxy Authentication Required"},
		{431, "Request Header Fields Too Large"}, {502, "Bad Gateway"}, {504, "Gateway Timeout"},
		{503, "Service Unavailable"}};
	const char *text = "Bad Gateway";
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (texts[i].status == status)
			text = texts[i].text;
	cleanup_free char *safe = str_sanitize(why);
	cleanup_free char *body = xasprintf("nono: %s\n", safe);
	evbuffer_add_printf(bufferevent_get_output(c->client),
		"HTTP/1.1 %d %s\r\n%sContent-Type: text/plain; charset=utf-8\r\nContent-Length: %zu\r\nConnection: "
		"close\r\n\r\n%s",
		status, text, status == 407 ? "Proxy-Authenticate: Basic realm=\"nono\"\r\n" : "", strlen(body), body);
	bufferevent_disable(c->client, EV_READ);
	bufferevent_setcb(c->client, NULL, close_when_flushed, close_on_event, c);
	static const struct timeval patience = {10, 0};
	bufferevent_set_timeouts(c->client, NULL, &patience);
	bufferevent_enable(c->client, EV_WRITE);
}

/* ---- rules ------------------------------------------------------------------ */

static bool host_matches(const char *pattern, const char *host)
{
	if (pattern[0] == '*' && pattern[1] == '.')
		return str_ends(host, pattern + 1) && strlen(host) > strlen(pattern) - 1;
	return strcasecmp(pattern, host) == 0;
}

const struct route *proxy_route_for(const struct proxy *p, const char *host)
{
	for (size_t i = 0; i < p->n_routes; i++)
		if (host_matches(p->routes[i].host, host))
			return &p->routes[i];
	return NULL;
}

bool route_allows(const struct route *r, const char *method, const char *target)
{
	cleanup_free char *path = path_normalize_request(target);
	if (!path)
		return false;
	for (size_t i = 0; i < r->paths.n; i++)
		if ((strcmp(r->methods.v[i], "*") == 0 || strcasecmp(r->methods.v[i], method) == 0) &&
			endpoint_match(r->paths.v[i], path))
			return true;
	return false;
}

static bool authorized(const struct proxy *p, const struct http_head *h)
{
	const char *value = http_header(h, "Proxy-Authorization");
	if (!value)
		return false;
	size_t n = strlen(p->token);
	if (strncasecmp(value, "Bearer ", 7) == 0)
		return strlen(value + 7) == n && CRYPTO_memcmp(value + 7, p->token, n) == 0;
	if (strncasecmp(value, "Basic ", 6) != 0)
		return false;
	unsigned char plain[512];
	size_t len = strlen(value + 6);
	if (len == 0 || len % 4 || len > 512)
		return false;
	int got = EVP_DecodeBlock(plain, (const unsigned char *)value + 6, (int)len);
	if (got < 0)
		return false;
	/* EVP_DecodeBlock counts padding as zero bytes: the text ends at the first */
	plain[(size_t)got < sizeof plain ? (size_t)got : sizeof plain - 1] = '\0';
	const char *password = strchr((char *)plain, ':');
	return password && strlen(password + 1) == n && CRYPTO_memcmp(password + 1, p->token, n) == 0;
}

static proxy_dialed proxy_post_dialed;

/* ---- requests --------------------------------------------------------------- */

/* Between two requests of the event loop nothing may be read: a dial is under way. */
void conn_dial(struct conn *c)
{
	struct proxy *p = c->p;
	bool direct = !p->upstream;
	for (size_t i = 0; i < p->bypass.n && !direct; i++)
		direct = host_matches(p->bypass.v[i], c->host);
	free(c->via);
	c->via = direct ? NULL : xstrdup(p->upstream);
	bufferevent_disable(c->client, EV_READ);
	c->dialing = true;
	pthread_mutex_lock(&p->lock);
	p->dialing++;
	pthread_mutex_unlock(&p->lock);
	struct posted *ticket = xcalloc(1, sizeof *ticket);
	ticket->conn = c;

	p->cfg.dial(p->cfg.data, c->host, c->port, c->via, proxy_post_dialed, ticket);
}

static void on_connect_request(struct conn *c)
{
	const char *host_header = http_header(&c->head, "Host");
	char *named = NULL;
	unsigned named_port = 443;
	c->port = 0;
	if (http_split_authority(c->head.target, &c->host, &c->port) < 0 || c->port == 0) {
		conn_answer(c, 400, "CONNECT needs host:port");
		return;
	}
	bool agrees = !host_header ||
		      (http_split_authority(host_header, &named, &named_port) == 0 && strcmp(named, c->host) == 0);
	free(named);
	if (!agrees || c->head.framing != BODY_NONE) {
		conn_answer(c, 400, "CONNECT target and Host header disagree, or a body is announced");
		return;
	}
	if (evbuffer_get_length(bufferevent_get_input(c->client)) && proxy_route_for(c->p, c->host)) {
		conn_answer(c, 400, "data before the tunnel stands");
		return;
	}
	if (proxy_route_for(c->p, c->host)) {
		c->kind = KIND_INTERCEPT;
		evbuffer_add_printf(bufferevent_get_output(c->client), "HTTP/1.1 200 Connection established\r\n\r\n");
		http_head_free(&c->head);
		intercept_client(c);
		return;
	}
	c->kind = KIND_TUNNEL;
	conn_dial(c);
}

/* The request is judged by the endpoint rules of its host, then the server is dialled. */
static void judge_and_dial(struct conn *c, const char *target)
{
	const struct route *r = proxy_route_for(c->p, c->host);
	if (r && !route_allows(r, c->head.method, target)) {
		cleanup_free char *why = xasprintf(
			"%s %s on %s is not among the endpoints the profile allows", c->head.method, target, c->host);
		conn_answer(c, 403, why);
		return;
	}
	http_body_start(&c->body, &c->head);
	conn_dial(c);
}

static void on_plain_request(struct conn *c)
{
	const char *rest = c->head.target + strlen("http://");
	cleanup_free char *authority = xstrndup(rest, strcspn(rest, "/?#"));
	const char *path = rest + strlen(authority);
	const char *host_header = http_header(&c->head, "Host");
	cleanup_free char *named = NULL;
	unsigned named_port = 80;
	c->port = 80;
	if (http_split_authority(authority, &c->host, &c->port) < 0) {
		conn_answer(c, 400, "malformed address in the request");
		return;
	}
	if (host_header && (http_split_authority(host_header, &named, &named_port) < 0 || strcmp(named, c->host) != 0 ||
				   named_port != c->port)) {
		conn_answer(c, 400, "the request's address and its Host header disagree");
		return;
	}
	char *origin = path[0] == '/' ? xstrdup(path) : xasprintf("/%s", path);
	free(c->head.target);
	c->head.target = origin;
	c->kind = KIND_PLAIN;
	judge_and_dial(c, origin);
}

/* A request inside an intercepted connection, or one that a program sent to what it believes is the server. */
static void on_origin_request(struct conn *c)
{
	const char *host_header = http_header(&c->head, "Host");
	cleanup_free char *named = NULL;
	unsigned named_port = c->port;
	if (!host_header || http_split_authority(host_header, &named, &named_port) < 0 || strcmp(named, c->host) != 0) {
		conn_answer(c, 403, "the Host header names another host than the connection");
		return;
	}
	c->kind = c->secure ? KIND_INTERCEPT : KIND_PLAIN;
	judge_and_dial(c, c->head.target);
}

static void dispatch(struct conn *c)
{
	bool inside = c->secure || c->transparent;
	if (!inside && !authorized(c->p, &c->head))
		conn_answer(c, 407, "the session's proxy token is required");
	else if (!inside && strcmp(c->head.method, "CONNECT") == 0)
		on_connect_request(c);
	else if (!inside && strncasecmp(c->head.target, "http://", 7) == 0)
		on_plain_request(c);
	else if (inside && c->head.target[0] == '/')
		on_origin_request(c);
	else
		conn_answer(c, 400, "this is a proxy: CONNECT host:port or an absolute http:// address is needed");
}

void conn_read_request(struct bufferevent *bev, void *arg)
{
	struct conn *c = arg;
	struct evbuffer *in = bufferevent_get_input(bev);
	size_t have = evbuffer_get_length(in);
	if (c->transparent && !c->secure && !c->head.method) {
		unsigned char first;
		if (evbuffer_copyout(in, &first, 1) == 1 && first == 0x16) { /* a TLS handshake record */
			intercept_client(c);
			return;
		}
	}
	struct evbuffer_ptr end = evbuffer_search(in, "\r\n\r\n", 4, NULL);
	if (end.pos < 0 ? have > HTTP_HEAD_MAX : end.pos + 4 > HTTP_HEAD_MAX) {
		conn_answer(c, 431, "the request head is larger than 64 KiB");
		return;
	}
	if (end.pos < 0)
		return;
	size_t size = (size_t)end.pos + 4;
	cleanup_free char *data = xmalloc(size);
	evbuffer_remove(in, data, size);
	cleanup_err struct err *e = NULL;
	if (http_head_parse(data, size, &c->head, &e) < 0)
		conn_answer(c, 400, err_msg(e));
	else
		dispatch(c);
}

void conn_client_event(struct bufferevent *bev, short what, void *arg)
{
	(void)bev;
	if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR | BEV_EVENT_TIMEOUT))
		conn_close(arg);
}

/* ---- the thread ------------------------------------------------------------- */

static void post(struct proxy *p, struct posted *item)
{
	pthread_mutex_lock(&p->lock);
	item->next = p->posted;
	p->posted = item;
	uint64_t one = 1;
	(void)!write(p->wake, &one, sizeof one);
	pthread_mutex_unlock(&p->lock);
}

/* The dial callback; runs on any thread. */

static void proxy_post_dialed(void *arg, int fd, int status, const char *why)
{
	struct posted *ticket = arg;
	ticket->fd = fd;
	ticket->status = status;
	ticket->why = xstrdup(why);
	post(ticket->conn->p, ticket);
}

static void serve_transparent(struct proxy *p, struct posted *item)
{
	struct conn *c = conn_new(p, item->fd);
	if (!c)
		return;
	c->transparent = true;
	c->host = steal_ptr(&item->host);
	c->port = item->port;
	bufferevent_setcb(c->client, conn_read_request, NULL, conn_client_event, c);
	bufferevent_enable(c->client, EV_READ | EV_WRITE);
}

static void conn_dialed(struct conn *c, int fd, int status, const char *why)
{
	c->dialing = false;
	if (c->dead || fd < 0) {
		if (fd >= 0)
			close(fd);
		if (c->dead)
			conn_free(c);
		else if (c->h2)
			h2_fail(c, status, why ? why : "refused");
		else
			conn_answer(c, status, why ? why : "refused");
		return;
	}
	c->server = bufferevent_socket_new(c->p->base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (!c->server) {
		close(fd);
		conn_answer(c, 502, "out of resources");
		return;
	}
	int one = 1;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	if (c->via && c->kind != KIND_PLAIN)
		relay_via(c);
	else if (c->h2)
		h2_server_connected(c);
	else if (c->kind == KIND_TUNNEL)
		relay_tunnel(c);
	else if (c->kind == KIND_PLAIN)
		relay_request(c);
	else if (intercept_server(c, "http/1.1", intercept_server_event) < 0)
		conn_answer(c, 502, "cannot start TLS towards the server");
}

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
	struct proxy *p = arg;
	uint64_t count;
	(void)what;
	(void)!read(fd, &count, sizeof count);
	pthread_mutex_lock(&p->lock);
	struct posted *list = steal_ptr(&p->posted);
	bool stop = p->stopping;
	pthread_mutex_unlock(&p->lock);
	while (list) {
		struct posted *item = list;
		list = item->next;
		if (!item->conn) {
			serve_transparent(p, item);
		} else {
			pthread_mutex_lock(&p->lock);
			p->dialing--;
			pthread_mutex_unlock(&p->lock);
			conn_dialed(item->conn, item->fd, item->status, item->why);
		}
		free(item->why);
		free(item->host);
		free(item);
	}
	if (stop)
		event_base_loopbreak(p->base);
}

static void on_accept(evutil_socket_t listener, short what, void *arg)
{
	struct proxy *p = arg;
	(void)what;
	for (int i = 0; i < 64; i++) {
		int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0)
			return;
		if (p->n_conns >= MAX_CONNECTIONS) {
			close(fd);
			continue;
		}
		int one = 1;
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
		struct conn *c = conn_new(p, fd);
		if (!c)
			continue;
		bufferevent_setcb(c->client, conn_read_request, NULL, conn_client_event, c);
		bufferevent_enable(c->client, EV_READ | EV_WRITE);
	}
}

static void *proxy_thread(void *arg)
{
	struct proxy *p = arg;
	event_base_dispatch(p->base);
	return NULL;
}

/* ---- start and stop --------------------------------------------------------- */

static void copy_config(struct proxy *p, const struct proxy_config *cfg)
{
	p->cfg = *cfg;
	p->upstream = xstrdup(cfg->upstream);
	for (size_t i = 0; i < cfg->n_bypass; i++)
		strv_add(&p->bypass, cfg->bypass[i]);
	p->routes = xcalloc(cfg->n_routes, sizeof *p->routes);
	p->n_routes = cfg->n_routes;
	for (size_t i = 0; i < cfg->n_routes; i++) {
		p->routes[i].host = xstrdup(cfg->routes[i].host);
		for (size_t j = 0; j < cfg->routes[i].n; j++) {
			strv_add(&p->routes[i].methods, cfg->routes[i].endpoints[j].method);
			strv_add(&p->routes[i].paths, cfg->routes[i].endpoints[j].path);
		}
	}
}

static int make_token(struct proxy *p, struct err **e)
{
	unsigned char raw[32];
	if (RAND_bytes(raw, sizeof raw) != 1)
		return tls_err(e, "cannot make the proxy's token");
	struct buf b = {0};
	for (size_t i = 0; i < sizeof raw; i++)
		buf_addf(&b, "%02x", raw[i]);
	p->token = buf_steal(&b);
	return 0;
}

static int make_listener(struct proxy *p, struct err **e)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof a;
	p->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (p->listener < 0 || bind(p->listener, (struct sockaddr *)&a, sizeof a) < 0 ||
		listen(p->listener, 1024) < 0 || getsockname(p->listener, (struct sockaddr *)&a, &len) < 0)
		return err_set(e, errno, "cannot listen for proxy requests on loopback");
	p->port = ntohs(a.sin_port);
	return 0;
}

static int make_tls(struct proxy *p, struct err **e)
{
	if (!p->n_routes)
		return 0;
	p->client_ctx = SSL_CTX_new(TLS_client_method());
	if (!p->client_ctx || !SSL_CTX_set_default_verify_paths(p->client_ctx) ||
		!SSL_CTX_set_min_proto_version(p->client_ctx, TLS1_2_VERSION))
		return tls_err(e, "cannot load the host's certificate authorities");
	SSL_CTX_set_verify(p->client_ctx, SSL_VERIFY_PEER, NULL);
	p->ca = ca_new(p->cfg.bundle, e);
	return p->ca ? 0 : -1;
}

static void proxy_free(struct proxy *p)
{
	while (p->conns) {
		struct conn *c = p->conns;
		c->dialing = false; /* answers that are still due were drained, see proxy_stop() */
		conn_close(c);
	}
	if (p->listen_event)
		event_free(p->listen_event);
	if (p->wake_event)
		event_free(p->wake_event);
	if (p->base)
		event_base_free(p->base);
	if (p->listener >= 0)
		close(p->listener);
	if (p->wake >= 0)
		close(p->wake);
	for (size_t i = 0; i < p->n_routes; i++) {
		free(p->routes[i].host);
		strv_free(&p->routes[i].methods);
		strv_free(&p->routes[i].paths);
	}
	free(p->routes);
	strv_free(&p->bypass);
	ca_free(p->ca);
	SSL_CTX_free(p->client_ctx);
	free(p->upstream);
	if (p->token)
		OPENSSL_cleanse(p->token, strlen(p->token));
	free(p->token);
	free(p);
}

static int proxy_start(struct proxy **out, const struct proxy_config *cfg, struct err **e)
{
	struct proxy *p = xcalloc(1, sizeof *p);
	pthread_mutex_init(&p->lock, NULL);
	p->listener = -1;
	p->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	copy_config(p, cfg);
	p->base = event_base_new();
	if (p->wake < 0 || !p->base) {
		err_set(e, errno, "cannot start the proxy");
		goto bad;
	}
	if (make_token(p, e) < 0 || make_listener(p, e) < 0 || make_tls(p, e) < 0)
		goto bad;
	p->listen_event = event_new(p->base, p->listener, EV_READ | EV_PERSIST, on_accept, p);
	p->wake_event = event_new(p->base, p->wake, EV_READ | EV_PERSIST, on_wake, p);
	event_add(p->listen_event, NULL);
	event_add(p->wake_event, NULL);
	int rc = pthread_create(&p->thread, NULL, proxy_thread, p);
	if (rc) {
		err_set(e, rc, "cannot start the proxy's thread");
		goto bad;
	}
	*out = p;
	return 0;
bad:
	proxy_free(p);
	return -1;
}

static void proxy_stop(struct proxy *p)
{
	if (!p)
		return;
	uint64_t one = 1;
	pthread_mutex_lock(&p->lock);
	p->stopping = true;
	(void)!write(p->wake, &one, sizeof one);
	pthread_mutex_unlock(&p->lock);
	pthread_join(p->thread, NULL);
	on_wake(p->wake, EV_READ, p);
	pthread_mutex_lock(&p->lock);
	bool due = p->dialing != 0;
	pthread_mutex_unlock(&p->lock);
	/* an answer that is still due refers to us: the process is about to end, so we stay */
	if (!due)
		proxy_free(p);
}

static unsigned proxy_port(const struct proxy *p)
{
	return p->port;
}

static const char *proxy_token(const struct proxy *p)
{
	return p->token;
}

static bool proxy_intercepts(const struct proxy *p, const char *host)
{
	return proxy_route_for(p, host) != NULL;
}

static void proxy_transparent(struct proxy *p, int fd, const char *host, unsigned port)
{
	struct posted *item = xcalloc(1, sizeof *item);
	item->fd = fd;
	item->host = xstrdup(host);
	item->port = port;
	post(p, item);
}

extern const struct proxy_api nono_proxy_api;
__attribute__((visibility("default"))) const struct proxy_api nono_proxy_api = {
	.start = proxy_start,
	.stop = proxy_stop,
	.port = proxy_port,
	.token = proxy_token,
	.intercepts = proxy_intercepts,
	.transparent = proxy_transparent,
};
