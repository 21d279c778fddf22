/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dial.c - reaching a host: the net room decides and resolves, the addresses are
 * tried in order, a parent proxy is asked for a tunnel. What was decided on is
 * what is connected to; no name is looked up here.
 */
#include "net/proxy/conn.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

static const struct timeval patience = {15, 0}; /* for one address, and for the parent proxy's answer */

/* "host:port" with an IPv6 address in brackets. New string. */
static char *authority(const struct conn *c)
{
	return xasprintf(strchr(c->host, ':') ? "[%s]:%u" : "%s:%u", c->host, c->port);
}

/* ---- the decision --------------------------------------------------------------- */

/* Runs on any thread. */
static void post_decided(void *arg, const struct proxy_targets *to, int status, const char *why)
{
	struct posted *ticket = arg;
	struct proxy *p = ticket->conn->p;
	ticket->refused = !to;
	if (to)
		ticket->to = *to;
	ticket->status = status;
	ticket->why = xstrdup(why);
	uint64_t one = 1;
	pthread_mutex_lock(&p->lock);
	ticket->next = p->posted;
	p->posted = ticket;
	(void)!write(p->wake, &one, sizeof one);
	pthread_mutex_unlock(&p->lock);
}

/* While a decision is due nothing is taken from the client, but its end is noticed. */
static void leave_unread(struct bufferevent *bev, void *arg)
{
	(void)arg;
	if (evbuffer_get_length(bufferevent_get_input(bev)) > ENDED_HIGH)
		bufferevent_disable(bev, EV_READ);
}

void conn_dial(struct conn *c)
{
	struct proxy *p = c->p;
	c->via = p->parent && p->cfg.through_parent(p->cfg.data, c->host);
	c->tried = 0;
	struct posted *ticket = xcalloc(1, sizeof *ticket);
	ticket->conn = c;
	c->ticket = ticket;
	if (!c->h2)
		bufferevent_setcb(c->client, leave_unread, NULL, conn_client_event, c);
	bufferevent_set_timeouts(c->client, NULL, NULL);
	p->cfg.decide(p->cfg.data, c->peer, c->host, c->port, c->via, post_decided, ticket);
}

void dial_failed(struct conn *c, int status, const char *why)
{
	side_free(&c->server);
	if (c->h2)
		h2_fail(c, status, why);
	else if (c->kind == KIND_TUNNEL && c->transparent)
		conn_close(c); /* the program speaks a protocol of its own */
	else
		conn_answer(c, status, why);
}

/* ---- connecting ----------------------------------------------------------------- */

static void start_tls(struct conn *c)
{
	if (intercept_server(c, "http/1.1", intercept_server_event) < 0)
		dial_failed(c, 502, "cannot start TLS towards the server");
}

/* What is sent now reaches the host that was asked for. */
static void reached(struct conn *c)
{
	if (c->h2)
		h2_server_connected(c);
	else if (c->kind == KIND_TUNNEL)
		relay_tunnel(c);
	else if (c->kind == KIND_PLAIN)
		exchange_start(c);
	else
		start_tls(c);
}

static void via_read(struct bufferevent *bev, void *arg)
{
	struct conn *c = arg;
	struct evbuffer *in = bufferevent_get_input(bev);
	struct evbuffer_ptr end = evbuffer_search(in, "\r\n\r\n", 4, NULL);
	if (end.pos < 0) {
		if (evbuffer_get_length(in) > HTTP_HEAD_MAX)
			dial_failed(c, 502, "the parent proxy's answer is too large");
		return;
	}
	size_t size = (size_t)end.pos + 4;
	cleanup_free char *head = xcalloc(1, size + 1);
	evbuffer_remove(in, head, size);
	bufferevent_set_timeouts(bev, NULL, NULL);
	if (size < 16 || strncmp(head, "HTTP/1.", 7) != 0 || head[9] != '2') {
		head[strcspn(head, "\r\n")] = '\0';
		cleanup_free char *why = xasprintf("the parent proxy refused %s:%u: %s", c->host, c->port, head);
		dial_failed(c, 502, why);
		return;
	}
	reached(c);
}

static void via_event(struct bufferevent *bev, short what, void *arg)
{
	(void)bev;
	if (what & BEV_EVENT_TIMEOUT)
		dial_failed(arg, 504, "the parent proxy does not answer");
	else if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR))
		dial_failed(arg, 502, "the parent proxy closed the connection");
}

/* Ask the parent proxy for a tunnel. */
static void ask_parent(struct conn *c)
{
	cleanup_free char *to = authority(c);
	const char *auth = c->p->parent_auth;
	cleanup_free char *request = xasprintf("CONNECT %s HTTP/1.1\r\nHost: %s\r\n%s%s%s\r\n", to, to,
		auth ? "Proxy-Authorization: " : "", auth ? auth : "", auth ? "\r\n" : "");
	bufferevent_setcb(c->server, via_read, NULL, via_event, c);
	bufferevent_set_timeouts(c->server, &patience, NULL);
	bufferevent_write(c->server, request, strlen(request));
	bufferevent_enable(c->server, EV_READ | EV_WRITE);
}

static void try_next(struct conn *c);

static void connected(struct bufferevent *bev, short what, void *arg)
{
	struct conn *c = arg;
	if (!(what & BEV_EVENT_CONNECTED)) {
		side_free(&c->server);
		try_next(c);
		return;
	}
	int one = 1;
	setsockopt(bufferevent_getfd(bev), IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	bufferevent_set_timeouts(bev, NULL, NULL);
	/* a parent proxy takes plain requests in absolute form, everything else through a tunnel */
	if (c->via && c->kind != KIND_PLAIN)
		ask_parent(c);
	else
		reached(c);
}

static void try_next(struct conn *c)
{
	while (c->tried < c->to.n) {
		size_t i = c->tried++;
		c->server = bufferevent_socket_new(c->p->base, -1, BEV_OPT_CLOSE_ON_FREE);
		if (!c->server)
			break;
		/* without a callback yet: a failure of the call itself would run it in here */
		bufferevent_set_timeouts(c->server, NULL, &patience);
		int rc = bufferevent_socket_connect(c->server, (struct sockaddr *)&c->to.addr[i], (int)c->to.len[i]);
		if (rc < 0 ? errno == EMFILE || errno == ENFILE
			   : bufferevent_getfd(c->server) >= proxy_fd_limit(true)) {
			dial_failed(
				c, 503, "too many connections at a time for nono's limit of open files (ulimit -n)");
			return;
		}
		if (rc == 0) {
			bufferevent_setcb(c->server, NULL, NULL, connected, c);
			bufferevent_enable(c->server, EV_WRITE);
			return;
		}
		side_free(&c->server);
	}
	cleanup_free char *why = c->via ? xasprintf("the parent proxy %s cannot be reached", c->p->parent)
					: xasprintf("%s:%u cannot be reached", c->host, c->port);
	dial_failed(c, 502, why);
}

void dial_decided(struct conn *c, const struct posted *answer)
{
	if (answer->refused) {
		dial_failed(c, answer->status, answer->why ? answer->why : "refused");
		return;
	}
	c->to = answer->to;
	try_next(c);
}
