/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server.c - the proxy's thread and the life of connections.
 *
 * Theory of operation. One thread and one event base serve all connections.
 * There is no listener: the net room connects a program's socket to us and hands
 * our end over, so nobody outside the session's tree can reach the proxy.
 * A connection starts with a request head (request.c). CONNECT to a host without
 * endpoint rules becomes a tunnel (relay.c); to a host with rules, the client's
 * TLS ends here (intercept.c, h2.c) and each request is judged (exchange.c).
 * Whom to reach is decided by the net room (dial.c): the answer, which may take
 * as long as a person thinks, is posted back to this thread. A connection that
 * ends meanwhile withdraws its question, or is kept until its answer came.
 * Every failure is an HTTP status with a reason; none becomes a tunnel.
 */
#include "net/proxy/conn.h"

#include <errno.h>
#include <event2/bufferevent_ssl.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#define MAX_CONNECTIONS 20000
static const struct timeval head_patience = {120, 0}; /* for a request to arrive */

/* ---- connections ------------------------------------------------------------ */

static struct conn *conn_new(struct proxy *p, int fd, pid_t peer)
{
	struct bufferevent *bev = NULL;
	if (p->n_conns < MAX_CONNECTIONS)
		bev = bufferevent_socket_new(p->base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (!bev) {
		close(fd);
		return NULL;
	}
	int one = 1;
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	struct conn *c = xcalloc(1, sizeof *c);
	c->p = p;
	c->client = bev;
	c->peer = peer;
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
	http_head_free(&c->head);
	free(c);
}

/* Nobody waits for the decision any more. */
static void withdraw(struct conn *c)
{
	if (!c->ticket || !c->p->cfg.withdraw(c->p->cfg.data, c->ticket))
		return;
	free(c->ticket);
	c->ticket = NULL;
}

void side_free(struct bufferevent **side)
{
	SSL *ssl = *side ? bufferevent_openssl_get_ssl(*side) : NULL;
	if (ssl && SSL_is_init_finished(ssl)) {
		SSL_shutdown(ssl);
		ERR_clear_error();
	}
	if (*side)
		bufferevent_free(steal_ptr(side));
}

void conn_close(struct conn *c)
{
	if (c->h2)
		h2_free(steal_ptr(&c->h2));
	if (c->first)
		event_free(steal_ptr(&c->first));
	if (c->tunnel)
		relay_free(steal_ptr(&c->tunnel));
	intercept_left(c);
	side_free(&c->client);
	side_free(&c->server);
	c->dead = true;
	withdraw(c);
	if (!c->ticket)
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
	side_free(&c->server);
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

void conn_client_event(struct bufferevent *bev, short what, void *arg)
{
	(void)bev;
	if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR | BEV_EVENT_TIMEOUT))
		conn_close(arg);
}

void conn_await_request(struct conn *c)
{
	http_head_free(&c->head);
	bufferevent_setcb(c->client, conn_read_request, NULL, conn_client_event, c);
	bufferevent_set_timeouts(c->client, &head_patience, NULL);
	bufferevent_enable(c->client, EV_READ | EV_WRITE);
	if (evbuffer_get_length(bufferevent_get_input(c->client)))
		conn_read_request(c->client, c);
}

static void on_first(evutil_socket_t fd, short what, void *arg)
{
	struct conn *c = arg;
	unsigned char byte;
	ssize_t n = what & EV_TIMEOUT ? 0 : recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
	if (n < 0 && errno == EAGAIN) {
		event_add(c->first, &head_patience);
		return;
	}
	event_free(steal_ptr(&c->first));
	if (n <= 0)
		conn_close(c);
	else if (byte == 0x16) /* a TLS handshake record */
		intercept_client(c);
	else
		conn_await_request(c);
}

void conn_await_first(struct conn *c)
{
	bufferevent_disable(c->client, EV_READ);
	bufferevent_setcb(c->client, NULL, NULL, conn_client_event, c);
	bufferevent_set_timeouts(c->client, NULL, NULL);
	bufferevent_enable(c->client, EV_WRITE);
	c->first = event_new(c->p->base, bufferevent_getfd(c->client), EV_READ, on_first, c);
	event_add(c->first, &head_patience);
}

/* ---- the thread ------------------------------------------------------------- */

static void serve_new(struct proxy *p, struct posted *item)
{
	struct conn *c = conn_new(p, item->fd, item->peer);
	if (!c)
		return;
	if (!item->host) {
		conn_await_request(c);
		return;
	}
	c->transparent = true;
	c->host = steal_ptr(&item->host);
	c->port = item->port;
	if (conn_route(c)) {
		conn_await_first(c);
	} else {
		c->kind = KIND_TUNNEL;
		bufferevent_enable(c->client, EV_READ | EV_WRITE);
		conn_dial(c);
	}
}

static void decided(struct posted *item)
{
	struct conn *c = item->conn;
	c->ticket = NULL;
	if (c->dead)
		conn_free(c);
	else
		dial_decided(c, item);
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
		if (item->conn)
			decided(item);
		else if (stop)
			close(item->fd);
		else
			serve_new(p, item);
		free(item->why);
		free(item->host);
		free(item);
	}
	if (stop)
		event_base_loopbreak(p->base);
}

static void *proxy_thread(void *arg)
{
	struct proxy *p = arg;
	event_base_dispatch(p->base);
	return NULL;
}

/* A new connection; runs on any thread. */
static void post_connection(struct proxy *p, int fd, pid_t peer, const char *host, unsigned port)
{
	struct posted *item = xcalloc(1, sizeof *item);
	*item = (struct posted){.fd = fd, .peer = peer, .host = xstrdup(host), .port = port};
	uint64_t one = 1;
	pthread_mutex_lock(&p->lock);
	struct posted **end = &p->posted;
	while (*end)
		end = &(*end)->next;
	*end = item;
	(void)!write(p->wake, &one, sizeof one);
	pthread_mutex_unlock(&p->lock);
}

/* ---- start and stop --------------------------------------------------------- */

/* The value of Proxy-Authorization for "user:password". New string. */
static char *basic_auth(const char *credentials)
{
	size_t n = strlen(credentials);
	cleanup_free char *encoded = xcalloc(1, n * 4 / 3 + 5);
	EVP_EncodeBlock((unsigned char *)encoded, (const unsigned char *)credentials, (int)n);
	return xasprintf("Basic %s", encoded);
}

static void copy_config(struct proxy *p, const struct proxy_config *cfg)
{
	p->cfg = *cfg;
	p->token = xstrdup(cfg->token);
	p->scratch = xmalloc(RELAY_CHUNK);
	p->parent = xstrdup(cfg->parent);
	p->parent_auth = cfg->parent_auth ? basic_auth(cfg->parent_auth) : NULL;
}

static int make_tls(struct proxy *p, struct err **e)
{
	if (!p->cfg.bundle)
		return 0;
	p->client_ctx = SSL_CTX_new(TLS_client_method());
	if (!p->client_ctx || !SSL_CTX_set_default_verify_paths(p->client_ctx) ||
		!SSL_CTX_set_min_proto_version(p->client_ctx, TLS1_2_VERSION))
		return tls_err(e, "cannot load the host's certificate authorities");
	SSL_CTX_set_verify(p->client_ctx, SSL_VERIFY_PEER, NULL);
	p->ca = ca_new(p->cfg.bundle, p->cfg.trust_store, e);
	return p->ca ? 0 : -1;
}

static void wipe(char *secret)
{
	if (secret)
		OPENSSL_cleanse(secret, strlen(secret));
	free(secret);
}

static void proxy_stop(struct proxy *p)
{
	if (!p || !p->running)
		return;
	uint64_t one = 1;
	pthread_mutex_lock(&p->lock);
	p->stopping = true;
	(void)!write(p->wake, &one, sizeof one);
	pthread_mutex_unlock(&p->lock);
	pthread_join(p->thread, NULL);
	p->running = false;
}

static void proxy_free(struct proxy *p)
{
	if (!p)
		return;
	proxy_stop(p);
	p->stopping = true;
	if (p->wake >= 0 && p->base)
		on_wake(p->wake, EV_READ, p); /* answers that came after the end of the thread */
	for (struct conn *c = p->conns, *next; c; c = next) {
		next = c->next;
		free(steal_ptr(&c->ticket)); /* its answer does not come any more */
		conn_close(c);
	}
	if (p->wake_event)
		event_free(p->wake_event);
	if (p->base)
		event_base_free(p->base);
	if (p->wake >= 0)
		close(p->wake);
	ca_free(p->ca);
	SSL_CTX_free(p->client_ctx);
	free(p->parent);
	free(p->scratch);
	wipe(p->parent_auth);
	wipe(p->token);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

static int proxy_start(struct proxy **out, const struct proxy_config *cfg, struct err **e)
{
	struct proxy *p = xcalloc(1, sizeof *p);
	pthread_mutex_init(&p->lock, NULL);
	p->waiting_end = &p->waiting;
	p->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	copy_config(p, cfg);
	p->base = event_base_new();
	if (p->wake < 0 || !p->base) {
		err_set(e, errno, "cannot start the proxy");
		goto bad;
	}
	if (make_tls(p, e) < 0)
		goto bad;
	p->wake_event = event_new(p->base, p->wake, EV_READ | EV_PERSIST, on_wake, p);
	event_add(p->wake_event, NULL);
	int rc = pthread_create(&p->thread, NULL, proxy_thread, p);
	if (rc) {
		err_set(e, rc, "cannot start the proxy's thread");
		goto bad;
	}
	p->running = true;
	*out = p;
	return 0;
bad:
	proxy_free(p);
	return -1;
}

static void proxy_serve(struct proxy *p, int fd, pid_t peer)
{
	post_connection(p, fd, peer, NULL, 0);
}

extern const struct proxy_api nono_proxy_api;
__attribute__((visibility("default"))) const struct proxy_api nono_proxy_api = {
	.start = proxy_start,
	.stop = proxy_stop,
	.free = proxy_free,
	.serve = proxy_serve,
	.transparent = post_connection,
};
