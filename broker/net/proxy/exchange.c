/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exchange.c - one request and its response over HTTP/1.1, then the next one.
 *
 * Theory of operation. Heads are parsed and written anew in both directions,
 * bodies are carried by their framing, so both sides agree with us where a
 * message ends. The next request on a connection is judged like the first, and
 * only after the response to the one before is complete. The server's connection
 * is kept as long as it leads to the host the next request is for. Where a
 * message ends only with the connection, or one side wants it so, both end.
 * A switch to WebSocket, when the server agrees to the request for one, is the
 * last exchange: what follows are bytes between the two.
 */
#include "net/proxy/conn.h"

#include <strings.h>

static const struct timeval between_requests = {90, 0};

static size_t unsent(struct bufferevent *bev)
{
	return evbuffer_get_length(bufferevent_get_output(bev));
}

/* ---- the end of an exchange ----------------------------------------------------- */

static void last_byte(struct bufferevent *bev, void *arg)
{
	if (unsent(bev) == 0)
		conn_close(arg);
}

/* Nothing more comes: close once the client has everything. */
static void finish(struct conn *c)
{
	side_free(&c->server);
	bufferevent_disable(c->client, EV_READ);
	bufferevent_setwatermark(c->client, EV_WRITE, 0, 0);
	bufferevent_setcb(c->client, NULL, last_byte, conn_client_event, c);
	if (unsent(c->client) == 0)
		conn_close(c);
}

static void idle_server_event(struct bufferevent *bev, short what, void *arg)
{
	struct conn *c = arg;
	if ((what & (BEV_EVENT_EOF | BEV_EVENT_ERROR | BEV_EVENT_TIMEOUT)) && c->server == bev)
		side_free(&c->server);
}

/* A server that speaks without being asked is not listened to. */
static void idle_server_read(struct bufferevent *bev, void *arg)
{
	idle_server_event(bev, BEV_EVENT_ERROR, arg);
}

static void exchange_end(struct conn *c)
{
	if (!c->keep || !c->body_done) {
		finish(c);
		return;
	}
	if (c->server && !c->until_close) {
		bufferevent_setcb(c->server, idle_server_read, NULL, idle_server_event, c);
		bufferevent_set_timeouts(c->server, &between_requests, NULL);
		bufferevent_enable(c->server, EV_READ);
	} else {
		side_free(&c->server);
	}
	conn_await_request(c);
}

/* ---- the request's body ---------------------------------------------------------- */

static void request_body(struct bufferevent *bev, void *arg)
{
	struct conn *c = arg;
	struct evbuffer *in = bufferevent_get_input(bev);
	while (!c->body_done && unsent(c->server) < ENDED_HIGH) {
		struct evbuffer_iovec v;
		if (evbuffer_peek(in, -1, NULL, &v, 1) < 1 || v.iov_len == 0)
			return;
		size_t used;
		int rc = http_body_feed(&c->body, v.iov_base, v.iov_len, &used);
		if (rc < 0) { /* what was sent so far is no request; nothing may follow it */
			conn_close(c);
			return;
		}
		c->body_done = rc == 1;
		evbuffer_remove_buffer(in, bufferevent_get_output(c->server), used);
	}
	/* behind the body: a pipelined request, which waits for its turn */
	if (!c->body_done || evbuffer_get_length(in) > HTTP_HEAD_MAX)
		bufferevent_disable(bev, EV_READ);
}

static void request_drained(struct bufferevent *bev, void *arg)
{
	struct conn *c = arg;
	(void)bev;
	if (!c->body_done) {
		bufferevent_enable(c->client, EV_READ);
		request_body(c->client, c);
	}
}

/* ---- the response ------------------------------------------------------------------ */

/* The server agreed to speak WebSocket: the rest of the connection is theirs. */
static void switch_protocol(struct conn *c)
{
	c->transparent = true; /* no answer of ours stands before the bytes */
	c->kind = KIND_TUNNEL;
	relay_tunnel(c);
}

/* Pass a response head on. Return: whether more may follow now. */
static bool pass_head(struct conn *c, const struct http_head *h)
{
	cleanup_buf struct buf b = {0};
	bool interim = h->status < 200, switching = h->status == 101;
	const char *connection = "close";
	if (switching && (!c->upgrade || !http_lists(h, "Upgrade", "websocket"))) {
		conn_answer(c, 502, "the server switches to a protocol that was not asked for");
		return false;
	}
	if (!interim) {
		c->until_close = h->framing == BODY_CLOSE || h->http10 || http_lists(h, "Connection", "close");
		c->keep = c->keep && h->framing != BODY_CLOSE;
		c->head_done = true;
		http_body_start(&c->answer, h);
	}
	if (switching)
		connection = "Upgrade";
	else if (c->keep)
		connection = "keep-alive";
	if (!interim || !c->head.http10) { /* HTTP/1.0 knows no interim responses */
		http_forward_head(h, NULL, NULL, connection, &b);
		bufferevent_write(c->client, b.data, b.len);
	}
	if (switching)
		switch_protocol(c);
	return !switching;
}

/* Take one head off what the server sent. Return: whether there was one and the body may follow. */
static bool response_head(struct conn *c)
{
	struct evbuffer *in = bufferevent_get_input(c->server);
	struct evbuffer_ptr end = evbuffer_search(in, "\r\n\r\n", 4, NULL);
	if (end.pos < 0) {
		if (evbuffer_get_length(in) > HTTP_HEAD_MAX)
			conn_answer(c, 502, "the server's response head is larger than 64 KiB");
		return false;
	}
	size_t size = (size_t)end.pos + 4;
	cleanup_free char *data = xmalloc(size);
	evbuffer_remove(in, data, size);
	struct http_head h;
	cleanup_err struct err *e = NULL;
	if (http_response_parse(data, size, c->head.method, &h, &e) < 0) {
		err_wrap(&e, "the server's response");
		conn_answer(c, 502, err_msg(e));
		return false;
	}
	bool more = pass_head(c, &h);
	http_head_free(&h);
	return more;
}

/* Return: 1 when the response is complete, 0 when more is to come, -1 when the connection was closed. */
static int response_body(struct conn *c)
{
	struct evbuffer *in = bufferevent_get_input(c->server);
	if (c->answer.framing == BODY_NONE)
		return 1;
	for (;;) {
		struct evbuffer_iovec v;
		if (evbuffer_peek(in, -1, NULL, &v, 1) < 1 || v.iov_len == 0)
			return 0;
		size_t used;
		int rc = http_body_feed(&c->answer, v.iov_base, v.iov_len, &used);
		if (rc < 0) {
			conn_close(c);
			return -1;
		}
		evbuffer_remove_buffer(in, bufferevent_get_output(c->client), used);
		if (rc == 1)
			return 1;
	}
}

static void response_read(struct bufferevent *bev, void *arg)
{
	struct conn *c = arg;
	while (!c->head_done)
		if (!response_head(c))
			return;
	int rc = response_body(c);
	if (rc == 1)
		exchange_end(c);
	else if (rc == 0 && unsent(c->client) > ENDED_HIGH)
		bufferevent_disable(bev, EV_READ);
}

static void response_drained(struct bufferevent *bev, void *arg)
{
	struct conn *c = arg;
	(void)bev;
	if (c->server)
		bufferevent_enable(c->server, EV_READ);
}

static void server_event(struct bufferevent *bev, short what, void *arg)
{
	struct conn *c = arg;
	if (!(what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)))
		return;
	bool nothing = evbuffer_get_length(bufferevent_get_input(bev)) == 0;
	if (c->head_done && c->answer.framing == BODY_CLOSE && (what & BEV_EVENT_EOF)) {
		finish(c);
	} else if (c->head_done) {
		conn_close(c); /* a response that ended early is not made to look complete */
	} else if (c->reused && nothing && c->body.framing == BODY_NONE) {
		/* an idle connection that the server gave up meanwhile: the request was not seen */
		side_free(&c->server);
		c->reused = false;
		conn_dial(c);
	} else {
		conn_answer(c, 502, "the server closed the connection without an answer");
	}
}

/* A client that has sent its request and ends its side still wants the response. */
static void client_event(struct bufferevent *bev, short what, void *arg)
{
	struct conn *c = arg;
	if ((what & BEV_EVENT_EOF) && c->body_done)
		c->keep = false;
	else
		conn_client_event(bev, what, arg);
}

/* ---- the request ---------------------------------------------------------------------- */

/* Whether the request asks to speak WebSocket; other protocols are not offered to the server. */
static bool asks_websocket(const struct http_head *h)
{
	return !h->http10 && h->framing == BODY_NONE && strcmp(h->method, "GET") == 0 &&
	       http_lists(h, "Connection", "upgrade") && http_lists(h, "Upgrade", "websocket");
}

void exchange_start(struct conn *c)
{
	cleanup_buf struct buf b = {0};
	const struct http_head *h = &c->head;
	bool v6 = strchr(c->host, ':') != NULL;
	bool usual = c->port == (c->kind == KIND_INTERCEPT ? 443 : 80);
	cleanup_free char *authority =
		usual ? xasprintf(v6 ? "[%s]" : "%s", c->host) : xasprintf(v6 ? "[%s]:%u" : "%s:%u", c->host, c->port);
	/* a parent proxy wants the absolute form for plain requests (RFC 9112 §3.2.2) */
	bool absolute = c->via && c->kind == KIND_PLAIN;
	cleanup_free char *target = absolute ? xasprintf("http://%s%s", authority, h->target) : xstrdup(h->target);
	c->upgrade = asks_websocket(h);
	c->keep = !h->http10 && !http_lists(h, "Connection", "close") && !http_lists(h, "Proxy-Connection", "close");
	c->head_done = c->until_close = false;
	c->body_done = h->framing == BODY_NONE;
	http_forward_head(h, target, authority, c->upgrade ? "Upgrade" : h->http10 ? "close" : "keep-alive", &b);
	if (absolute && c->p->parent_auth) {
		b.len -= 2;
		buf_addf(&b, "Proxy-Authorization: %s\r\n\r\n", c->p->parent_auth);
	}
	bufferevent_setcb(c->server, response_read, request_drained, server_event, c);
	bufferevent_setcb(c->client, request_body, response_drained, client_event, c);
	bufferevent_set_timeouts(c->server, NULL, NULL);
	bufferevent_set_timeouts(c->client, NULL, NULL);
	bufferevent_setwatermark(c->client, EV_WRITE, ENDED_CHUNK / 2, 0);
	bufferevent_set_max_single_read(c->server, ENDED_CHUNK);
	bufferevent_set_max_single_write(c->client, ENDED_CHUNK);
	bufferevent_write(c->server, b.data, b.len);
	bufferevent_enable(c->server, EV_READ | EV_WRITE);
	bufferevent_enable(c->client, EV_READ | EV_WRITE);
	request_body(c->client, c);
}
