/* SPDX-License-Identifier: Apache-2.0 */
/*
 * relay.c - moving bytes: tunnels.
 *
 * Each side stops being read while the other has RELAY_HIGH unsent bytes, so a
 * slow reader holds no more than that in memory.
 */
#include "net/proxy/conn.h"

#include <sys/socket.h>

static struct bufferevent *peer_of(const struct conn *c, const struct bufferevent *bev)
{
	return bev == c->client ? c->server : c->client;
}

static size_t unsent(struct bufferevent *bev)
{
	return evbuffer_get_length(bufferevent_get_output(bev));
}

/* One side has ended: pass the end on once everything before it is sent. TLS that ends here has no half-closed state.
 */
static void pass_end(struct conn *c)
{
	bool to_server = c->client_eof && unsent(c->server) == 0, to_client = c->server_eof && unsent(c->client) == 0;
	if ((to_server && to_client) || (c->secure && (to_server || to_client))) {
		conn_close(c);
		return;
	}
	if (to_server)
		shutdown(bufferevent_getfd(c->server), SHUT_WR);
	if (to_client)
		shutdown(bufferevent_getfd(c->client), SHUT_WR);
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
	if (!c->transparent)
		evbuffer_add_printf(bufferevent_get_output(c->client), "HTTP/1.1 200 Connection established\r\n\r\n");
	tunnel_side(c, c->client);
	tunnel_side(c, c->server);
	if (evbuffer_get_length(bufferevent_get_input(c->server)))
		tunnel_read(c->server, c);
	if (evbuffer_get_length(bufferevent_get_input(c->client)))
		tunnel_read(c->client, c);
}
