/* SPDX-License-Identifier: Apache-2.0 */
/*
 * relay.c - moving bytes: tunnels, single requests, and the parent proxy's handshake.
 *
 * Each side stops being read while the other has RELAY_HIGH unsent bytes, so a
 * slow reader holds no more than that in memory.
 */
#include "net/proxy/conn.h"

#include <strings.h>
#include <sys/socket.h>

static struct bufferevent *peer_of(const struct conn *c, const struct bufferevent *bev)
{
	return bev == c->client ? c->server : c->client;
}

static size_t unsent(struct bufferevent *bev)
{
	return evbuffer_get_length(bufferevent_get_output(bev));
}

/* ---- tunnels ---------------------------------------------------------------- */

/* One side has ended: pass the end on once everything before it is sent. */
static void pass_end(struct conn *c)
{
	if (c->client_eof && c->server && unsent(c->server) == 0)
		shutdown(bufferevent_getfd(c->server), SHUT_WR);
	if (c->server_eof && unsent(c->client) == 0)
		shutdown(bufferevent_getfd(c->client), SHUT_WR);
	if (c->client_eof && c->server_eof && unsent(c->client) == 0 && unsent(c->server) == 0)
		conn_close(c);
}

static void tunnel_read(struct bufferevent *bev, void *arg)
{
	struct conn *c = arg;
	struct bufferevent *to = peer_of(c, bev);
	bufferevent_write_buffer(to, bufferevent_get_input(bev));
	if (unsent(to) > RELAY_HIGH)
		bufferevent_disable(bev, EV_READ);
}

static void tunnel_drained(struct bufferevent *bev, void *arg)
{
	struct conn *c = arg;
	struct bufferevent *from = peer_of(c, bev);
	bool ended = from == c->client ? c->client_eof : c->server_eof;
	if (!ended)
		bufferevent_enable(from, EV_READ);
	pass_end(c);
}

static void tunnel_event(struct bufferevent *bev, short what, void *arg)
{
	struct conn *c = arg;
	if (what & BEV_EVENT_ERROR) {
		conn_close(c);
	} else if (what & BEV_EVENT_EOF) {
		if (evbuffer_get_length(bufferevent_get_input(bev)))
			tunnel_read(bev, arg);
		if (bev == c->client)
			c->client_eof = true;
		else
			c->server_eof = true;
		bufferevent_disable(bev, EV_READ);
		pass_end(c);
	}
}

static void tunnel_side(struct conn *c, struct bufferevent *bev)
{
	bufferevent_setcb(bev, tunnel_read, tunnel_drained, tunnel_event, c);
	bufferevent_setwatermark(bev, EV_WRITE, RELAY_CHUNK / 2, 0);
	bufferevent_set_max_single_read(bev, RELAY_CHUNK);
	bufferevent_set_max_single_write(bev, RELAY_CHUNK);
	bufferevent_enable(bev, EV_READ | EV_WRITE);
}

void relay_tunnel(struct conn *c)
{
	evbuffer_add_printf(bufferevent_get_output(c->client), "HTTP/1.1 200 Connection established\r\n\r\n");
	tunnel_side(c, c->client);
	tunnel_side(c, c->server);
	if (evbuffer_get_length(bufferevent_get_input(c->client)))
		tunnel_read(c->client, c);
}

/* ---- one request ------------------------------------------------------------- */

static void request_body(struct bufferevent *bev, void *arg)
{
	struct conn *c = arg;
	struct evbuffer *in = bufferevent_get_input(bev);
	char chunk[16384];
	while (!c->body_done && unsent(c->server) < RELAY_HIGH) {
		ev_ssize_t n = evbuffer_copyout(in, chunk, sizeof chunk);
		if (n <= 0)
			return;
		size_t used;
		int rc = http_body_feed(&c->body, chunk, (size_t)n, &used);
		if (rc < 0) { /* what was sent so far is no request; nothing may follow it */
			conn_close(c);
			return;
		}
		bufferevent_write(c->server, chunk, used);
		evbuffer_drain(in, used);
		c->body_done = rc == 1;
	}
	if (!c->body_done)
		bufferevent_disable(bev, EV_READ);
	else
		evbuffer_drain(in, evbuffer_get_length(in)); /* a pipelined request: the answer ends this connection */
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

/*
 * The head of the response, with "Connection: close" in place of what the
 * server said: the client must not send a second request on this connection.
 */
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
	cleanup_free char *head = xcalloc(1, size + 1);
	evbuffer_remove(in, head, size);
	if (size < 16 || strncmp(head, "HTTP/1.", 7) != 0 || memchr(head, '\0', size)) {
		conn_answer(c, 502, "the server's answer is not HTTP/1.1");
		return false;
	}
	bool interim = head[9] == '1';
	struct evbuffer *out = bufferevent_get_output(c->client);
	for (char *line = head; *line;) {
		char *next = strstr(line, "\r\n") + 2;
		bool drop = strncasecmp(line, "Connection:", 11) == 0 || strncasecmp(line, "Keep-Alive:", 11) == 0;
		if (next - line == 2)
			break;
		if (!drop)
			evbuffer_add(out, line, (size_t)(next - line));
		line = next;
	}
	evbuffer_add_printf(out, interim ? "\r\n" : "Connection: close\r\n\r\n");
	c->response_head_done = !interim;
	return true;
}

static void response_read(struct bufferevent *bev, void *arg)
{
	struct conn *c = arg;
	while (!c->response_head_done)
		if (!response_head(c))
			return;
	bufferevent_write_buffer(c->client, bufferevent_get_input(bev));
	if (unsent(c->client) > RELAY_HIGH)
		bufferevent_disable(bev, EV_READ);
}

static void response_drained(struct bufferevent *bev, void *arg)
{
	struct conn *c = arg;
	if (c->server_eof && unsent(bev) == 0)
		conn_close(c);
	else if (!c->server_eof)
		bufferevent_enable(c->server, EV_READ);
}

static void server_event(struct bufferevent *bev, short what, void *arg)
{
	struct conn *c = arg;
	if (!(what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)))
		return;
	if (evbuffer_get_length(bufferevent_get_input(bev)))
		response_read(bev, arg);
	c->server_eof = true;
	bufferevent_disable(bev, EV_READ | EV_WRITE);
	if (!c->response_head_done)
		conn_answer(c, 502, "the server closed the connection without an answer");
	else if (unsent(c->client) == 0)
		conn_close(c);
	else
		bufferevent_setwatermark(c->client, EV_WRITE, 0, 0);
}

void relay_request(struct conn *c)
{
	cleanup_buf struct buf b = {0};
	bool v6 = strchr(c->host, ':') != NULL;
	bool plain_port = c->port == (c->kind == KIND_INTERCEPT ? 443 : 80);
	cleanup_free char *authority = plain_port ? xasprintf(v6 ? "[%s]" : "%s", c->host)
						  : xasprintf(v6 ? "[%s]:%u" : "%s:%u", c->host, c->port);
	/* a parent proxy wants the absolute form for plain requests (RFC 9112 §3.2.2) */
	cleanup_free char *target = c->via && c->kind == KIND_PLAIN
					    ? xasprintf("http://%s%s", authority, c->head.target)
					    : xstrdup(c->head.target);
	http_forward_head(&c->head, target, authority, &b);
	bufferevent_setcb(c->server, response_read, request_drained, server_event, c);
	bufferevent_setcb(c->client, request_body, response_drained, conn_client_event, c);
	bufferevent_setwatermark(c->client, EV_WRITE, RELAY_CHUNK / 2, 0);
	bufferevent_set_max_single_read(c->server, RELAY_CHUNK);
	bufferevent_set_max_single_write(c->client, RELAY_CHUNK);
	bufferevent_write(c->server, b.data, b.len);
	bufferevent_enable(c->server, EV_READ | EV_WRITE);
	bufferevent_enable(c->client, EV_READ | EV_WRITE);
	request_body(c->client, c);
}

/* ---- the parent proxy -------------------------------------------------------- */

static void via_read(struct bufferevent *bev, void *arg)
{
	struct conn *c = arg;
	struct evbuffer *in = bufferevent_get_input(bev);
	struct evbuffer_ptr end = evbuffer_search(in, "\r\n\r\n", 4, NULL);
	if (end.pos < 0) {
		if (evbuffer_get_length(in) > HTTP_HEAD_MAX)
			conn_answer(c, 502, "the upstream proxy's answer is too large");
		return;
	}
	size_t size = (size_t)end.pos + 4;
	cleanup_free char *head = xcalloc(1, size + 1);
	evbuffer_remove(in, head, size);
	if (strncmp(head, "HTTP/1.", 7) != 0 || size < 13 || head[9] != '2') {
		head[strcspn(head, "\r\n")] = '\0';
		cleanup_free char *why =
			xasprintf("the upstream proxy %s refused %s:%u: %s", c->via, c->host, c->port, head);
		conn_answer(c, 502, why);
		return;
	}
	if (c->h2)
		h2_server_connected(c);
	else if (c->kind == KIND_TUNNEL)
		relay_tunnel(c);
	else if (intercept_server(c, "http/1.1", intercept_server_event) < 0)
		conn_answer(c, 502, "cannot start TLS towards the server");
}

static void via_event(struct bufferevent *bev, short what, void *arg)
{
	(void)bev;
	if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR))
		conn_answer(arg, 502, "the upstream proxy closed the connection");
}

void relay_via(struct conn *c)
{
	bool v6 = strchr(c->host, ':') != NULL;
	cleanup_free char *authority = xasprintf(v6 ? "[%s]:%u" : "%s:%u", c->host, c->port);
	cleanup_free char *request = xasprintf("CONNECT %s HTTP/1.1\r\nHost: %s\r\n\r\n", authority, authority);
	bufferevent_setcb(c->server, via_read, NULL, via_event, c);
	bufferevent_write(c->server, request, strlen(request));
	bufferevent_enable(c->server, EV_READ | EV_WRITE);
}
