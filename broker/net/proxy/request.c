/* SPDX-License-Identifier: Apache-2.0 */
/*
 * request.c - request heads: who asks, for what, and whether its host's endpoints permit it.
 *
 * A request comes in one of three ways: to the proxy (CONNECT, or an absolute
 * address), inside TLS that ends here, or from a program that does not know of
 * the proxy and believes to talk to the server. In each, the host is fixed by
 * the connection or the address, and everything else that names a host has to agree.
 */
#include "net/proxy/conn.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <strings.h>

/* ---- rules ------------------------------------------------------------------ */

bool route_allows(const struct proxy_route *r, const char *method, const char *target)
{
	cleanup_free char *path = path_normalize_request(target);
	if (!path)
		return false;
	for (size_t i = 0; i < r->n; i++)
		if ((strcmp(r->endpoints[i].method, "*") == 0 || strcasecmp(r->endpoints[i].method, method) == 0) &&
			endpoint_match(r->endpoints[i].path, path))
			return true;
	return false;
}

const struct proxy_route *conn_route(const struct conn *c)
{
	return c->p->cfg.route(c->p->cfg.data, c->host, c->port);
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

/* ---- the three ways ----------------------------------------------------------- */

/* The request is for @host:@port. A server connection that leads elsewhere is of no use any more. */
static void set_target(struct conn *c, char *host, unsigned port)
{
	if (c->server && (c->port != port || strcmp(c->host, host) != 0))
		side_free(&c->server);
	free(c->host);
	c->host = host;
	c->port = port;
}

static void on_connect_request(struct conn *c)
{
	const char *host_header = http_header(&c->head, "Host");
	cleanup_free char *named = NULL;
	char *host = NULL;
	unsigned named_port = 443, port = 0;
	side_free(&c->server);
	if (http_split_authority(c->head.target, &host, &port) < 0 || port == 0) {
		free(host);
		conn_answer(c, 400, "CONNECT needs host:port");
		return;
	}
	set_target(c, host, port);
	/* clients differ about the port in Host, so only the name counts */
	bool agrees = !host_header ||
		      (http_split_authority(host_header, &named, &named_port) == 0 && strcmp(named, c->host) == 0);
	if (!agrees || c->head.framing != BODY_NONE) {
		conn_answer(c, 400, "CONNECT target and Host header disagree, or a body is announced");
		return;
	}
	if (!conn_route(c)) {
		c->kind = KIND_TUNNEL;
		conn_dial(c);
		return;
	}
	if (evbuffer_get_length(bufferevent_get_input(c->client))) {
		conn_answer(c, 400, "data before the tunnel stands");
		return;
	}
	evbuffer_add_printf(bufferevent_get_output(c->client), "HTTP/1.1 200 Connection established\r\n\r\n");
	http_head_free(&c->head);
	/* from here on it is as if the program had connected to the server itself: TLS or plain HTTP */
	c->transparent = true;
	conn_await_first(c);
}

/* The request is judged by the endpoint rules of its host; then it goes to the server. */
static void judge(struct conn *c)
{
	const struct proxy_route *r = conn_route(c);
	if (r && !route_allows(r, c->head.method, c->head.target)) {
		cleanup_free char *why = xasprintf("%s %s on %s is not among the endpoints the profile allows",
			c->head.method, c->head.target, c->host);
		conn_answer(c, 403, why);
		return;
	}
	http_body_start(&c->body, &c->head);
	c->reused = c->server != NULL;
	if (c->reused)
		exchange_start(c);
	else
		conn_dial(c);
}

static void on_plain_request(struct conn *c)
{
	const char *rest = c->head.target + strlen("http://");
	cleanup_free char *authority = xstrndup(rest, strcspn(rest, "/?#"));
	const char *path = rest + strlen(authority), *host_header = http_header(&c->head, "Host");
	cleanup_free char *named = NULL;
	char *host = NULL;
	unsigned named_port = 80, port = 80;
	if (http_split_authority(authority, &host, &port) < 0) {
		conn_answer(c, 400, "malformed address in the request");
		return;
	}
	set_target(c, host, port);
	if (host_header && (http_split_authority(host_header, &named, &named_port) < 0 || strcmp(named, c->host) != 0 ||
				   named_port != c->port)) {
		conn_answer(c, 400, "the request's address and its Host header disagree");
		return;
	}
	char *origin = path[0] == '/' ? xstrdup(path) : xasprintf("/%s", path);
	free(c->head.target);
	c->head.target = origin;
	c->kind = KIND_PLAIN;
	judge(c);
}

/* A request inside an intercepted connection, or one that a program sent to what it believes is the server. */
static void on_origin_request(struct conn *c)
{
	const char *host_header = http_header(&c->head, "Host");
	cleanup_free char *named = NULL;
	unsigned named_port = c->port;
	if (!host_header || http_split_authority(host_header, &named, &named_port) < 0 || strcmp(named, c->host) != 0 ||
		named_port != c->port) {
		conn_answer(c, 403, "the Host header names another host than the connection");
		return;
	}
	c->kind = c->secure ? KIND_INTERCEPT : KIND_PLAIN;
	judge(c);
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
		conn_answer(c, 400,
			inside ? "a request to a server names a path"
			       : "this is a proxy: CONNECT host:port or an absolute http:// address is needed");
}

/* ---- reading ------------------------------------------------------------------ */

/* A first line that is no request (the greeting of another protocol) never becomes one. */
static bool starts_badly(struct evbuffer *in)
{
	char start[64];
	ev_ssize_t n = evbuffer_copyout(in, start, sizeof start);
	for (ev_ssize_t i = 0; i < n && start[i] != ' '; i++)
		if (i > 30 || start[i] < '-' || start[i] > 'z')
			return true;
	return false;
}

void conn_read_request(struct bufferevent *bev, void *arg)
{
	struct conn *c = arg;
	struct evbuffer *in = bufferevent_get_input(bev);
	if (starts_badly(in)) {
		conn_answer(c, 400, "this is no HTTP request");
		return;
	}
	struct evbuffer_ptr end = evbuffer_search(in, "\r\n\r\n", 4, NULL);
	if (end.pos < 0 ? evbuffer_get_length(in) > HTTP_HEAD_MAX : end.pos + 4 > HTTP_HEAD_MAX) {
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
