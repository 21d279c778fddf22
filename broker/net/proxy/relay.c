/* SPDX-License-Identifier: Apache-2.0 */
/*
 * relay.c - moving bytes: tunnels.
 *
 * Between two plain sockets bytes are read into one buffer of the proxy's and
 * written on at once; only what the other side does not take at once is kept, and
 * that side is waited for before more is read. (A bufferevent reads 4 KB at a time.)
 * A side that is TLS is a bufferevent, and each is stopped being read while the other
 * has ENDED_HIGH unsent bytes. Either way a slow reader holds little in memory, and less when there are many.
 */
#include "net/proxy/conn.h"

#include <errno.h>
#include <sys/socket.h>

/* ---- two plain sockets --------------------------------------------------------- */

/** struct half - one direction of a tunnel. */
struct half {
	struct conn *c;
	int from, to;
	struct event *readable, *writable; /* of from; of to */
	struct evbuffer *kept;             /* read, and not taken by the other side yet */
	bool ended;                        /* from has ended, and that was passed on */
};
struct tunnel {
	struct half up, down;
};

/* Until the other side takes no more: then it is waited for. Return: false when the tunnel is over. */
static bool flush(struct half *h)
{
	while (evbuffer_get_length(h->kept)) {
		int n = evbuffer_write(h->kept, h->to);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			break;
		if (n <= 0)
			return false;
		h->c->p->kept -= (size_t)n;
	}
	event_add(evbuffer_get_length(h->kept) ? h->writable : h->readable, NULL);
	return true;
}

/* Return: false when the tunnel is over. */
static bool pass(struct half *h)
{
	struct proxy *p = h->c->p;
	char *data = p->scratch;
	ssize_t n = recv(h->from, data, p->kept > KEPT_MAX ? KEPT_CHUNK : RELAY_CHUNK, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return flush(h);
	if (n < 0)
		return false;
	if (n == 0) { /* the other direction may go on */
		h->ended = true;
		shutdown(h->to, SHUT_WR);
		return !(h->c->tunnel->up.ended && h->c->tunnel->down.ended);
	}
	ssize_t sent = send(h->to, data, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (sent < 0 && errno != EAGAIN && errno != EINTR)
		return false;
	if (sent < n) {
		size_t rest = (size_t)(n - (sent > 0 ? sent : 0));
		evbuffer_add(h->kept, data + (n - (ssize_t)rest), rest);
		p->kept += rest;
	}
	return flush(h);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct half *h = arg;
	(void)fd;
	(void)what;
	if (!pass(h))
		conn_close(h->c);
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct half *h = arg;
	(void)fd;
	(void)what;
	if (!flush(h))
		conn_close(h->c);
}

/* What @from has sent already, and what is still to be sent to @to, goes first. */
static void half_start(struct half *h, struct conn *c, struct bufferevent *from, struct bufferevent *to)
{
	*h = (struct half){
		.c = c, .from = bufferevent_getfd(from), .to = bufferevent_getfd(to), .kept = evbuffer_new()};
	h->readable = event_new(c->p->base, h->from, EV_READ, on_readable, h);
	h->writable = event_new(c->p->base, h->to, EV_WRITE, on_writable, h);
	evbuffer_unfreeze(bufferevent_get_output(to), 1);
	evbuffer_add_buffer(h->kept, bufferevent_get_output(to));
	evbuffer_add_buffer(h->kept, bufferevent_get_input(from));
	c->p->kept += evbuffer_get_length(h->kept);
}

static void half_free(struct half *h)
{
	event_free(h->readable);
	event_free(h->writable);
	h->c->p->kept -= evbuffer_get_length(h->kept);
	evbuffer_free(h->kept);
}

void relay_free(struct tunnel *t)
{
	half_free(&t->up);
	half_free(&t->down);
	free(t);
}

static void start_plain(struct conn *c)
{
	c->tunnel = xcalloc(1, sizeof *c->tunnel);
	bufferevent_disable(c->client, EV_READ | EV_WRITE);
	bufferevent_disable(c->server, EV_READ | EV_WRITE);
	half_start(&c->tunnel->up, c, c->client, c->server);
	half_start(&c->tunnel->down, c, c->server, c->client);
	if (!flush(&c->tunnel->up) || !flush(&c->tunnel->down))
		conn_close(c);
}

/* ---- TLS ------------------------------------------------------------------------- */

static struct bufferevent *peer_of(const struct conn *c, const struct bufferevent *bev)
{
	return bev == c->client ? c->server : c->client;
}

static size_t unsent(struct bufferevent *bev)
{
	return evbuffer_get_length(bufferevent_get_output(bev));
}

/* One side has ended and everything before that is sent: TLS that ends here has no half-closed state. */
static void pass_end(struct conn *c)
{
	if ((c->client_eof && unsent(c->server) == 0) || (c->server_eof && unsent(c->client) == 0))
		conn_close(c);
}

static void tunnel_read(struct bufferevent *bev, void *arg)
{
	struct conn *c = arg;
	struct bufferevent *to = peer_of(c, bev);
	bufferevent_write_buffer(to, bufferevent_get_input(bev));
	if (unsent(to) > ENDED_HIGH)
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
	bufferevent_setwatermark(bev, EV_WRITE, ENDED_CHUNK / 2, 0);
	bufferevent_set_max_single_read(bev, ENDED_CHUNK);
	bufferevent_set_max_single_write(bev, ENDED_CHUNK);
	bufferevent_enable(bev, EV_READ | EV_WRITE);
}

void relay_tunnel(struct conn *c)
{
	if (!c->transparent)
		evbuffer_add_printf(bufferevent_get_output(c->client), "HTTP/1.1 200 Connection established\r\n\r\n");
	if (!c->secure) {
		start_plain(c);
		return;
	}
	tunnel_side(c, c->client);
	tunnel_side(c, c->server);
	if (evbuffer_get_length(bufferevent_get_input(c->server)))
		tunnel_read(c->server, c);
	if (evbuffer_get_length(bufferevent_get_input(c->client)))
		tunnel_read(c->client, c);
}
