/* SPDX-License-Identifier: Apache-2.0 */
/*
 * intercept.c - TLS that ends here: towards the program with a leaf of the
 * session's CA, towards the server with the host's own roots and full
 * verification. A handshake that fails ends the connection; it never becomes a
 * tunnel.
 */
#include "net/proxy/conn.h"

#include <arpa/inet.h>
#include <event2/bufferevent_ssl.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

static void client_tls_event(struct bufferevent *bev, short what, void *arg)
{
	struct conn *c = arg;
	if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR | BEV_EVENT_TIMEOUT)) {
		ERR_clear_error();
		conn_close(c);
		return;
	}
	if (!(what & BEV_EVENT_CONNECTED))
		return;
	const unsigned char *alpn = NULL;
	unsigned n = 0;
	SSL_get0_alpn_selected(bufferevent_openssl_get_ssl(bev), &alpn, &n);
	if (n == 2 && memcmp(alpn, "h2", 2) == 0) {
		bufferevent_set_timeouts(bev, NULL, NULL);
		h2_start(c);
		return;
	}
	conn_await_request(c);
}

/* Take the socket out of a plain side that has nothing unsent or unread. Return: it. */
static int take_socket(struct bufferevent **side)
{
	int fd = (int)bufferevent_getfd(*side);
	bufferevent_setfd(*side, -1);
	bufferevent_free(steal_ptr(side));
	return fd;
}

/* Put TLS on a side in place of plain bytes. Takes @ssl over, NULL for none. Return: 0 or -1, the side is gone then. */
static int start_tls(struct conn *c, struct bufferevent **side, SSL *ssl, enum bufferevent_ssl_state state)
{
	int fd = take_socket(side);
	/* the socket goes with the TLS side from here on, as does @ssl */
	if (ssl)
		*side = bufferevent_openssl_socket_new(
			c->p->base, fd, ssl, state, BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
	if (!*side) {
		if (ssl)
			SSL_free(ssl);
		close(fd);
		return -1;
	}
	bufferevent_openssl_set_allow_dirty_shutdown(*side, 1);
	return 0;
}

static void end_tls(struct conn *c)
{
	static const struct timeval patience = {30, 0};
	cleanup_err struct err *e = NULL;
	SSL_CTX *ctx = c->p->ca ? ca_leaf(c->p->ca, c->host, &e) : NULL;
	if (start_tls(c, &c->client, ctx ? SSL_new(ctx) : NULL, BUFFEREVENT_SSL_ACCEPTING) < 0) {
		conn_close(c);
		return;
	}
	c->secure = true;
	c->kind = KIND_INTERCEPT;
	bufferevent_setcb(c->client, NULL, NULL, client_tls_event, c);
	bufferevent_set_timeouts(c->client, &patience, NULL);
	bufferevent_enable(c->client, EV_READ | EV_WRITE);
}

void intercept_client(struct conn *c)
{
	struct proxy *p = c->p;
	if (p->n_ended >= ENDED_MAX) {
		bufferevent_disable(c->client, EV_READ);
		bufferevent_setcb(c->client, NULL, NULL, conn_client_event, c);
		bufferevent_set_timeouts(c->client, NULL, NULL);
		c->waits = true;
		*p->waiting_end = c;
		p->waiting_end = &c->next_waiting;
		return;
	}
	p->n_ended++;
	c->ended = true;
	end_tls(c);
}

void intercept_left(struct conn *c)
{
	struct proxy *p = c->p;
	if (c->waits) {
		struct conn **at = &p->waiting;
		while (*at != c)
			at = &(*at)->next_waiting;
		*at = c->next_waiting;
		if (p->waiting_end == &c->next_waiting)
			p->waiting_end = at;
		c->waits = false;
	}
	if (!c->ended)
		return;
	c->ended = false;
	p->n_ended--;
	if (p->serving) /* one whose turn came has failed at once: the loop below goes on */
		return;
	p->serving = true;
	while (p->waiting && p->n_ended < ENDED_MAX && !p->stopping) {
		struct conn *next = p->waiting;
		p->waiting = next->next_waiting;
		if (!p->waiting)
			p->waiting_end = &p->waiting;
		next->waits = false;
		next->next_waiting = NULL;
		intercept_client(next);
	}
	p->serving = false;
}

/* The server must prove the name the program asked for; an address needs a certificate for that address. */
static int expect_name(SSL *ssl, const char *host)
{
	unsigned char address[16];
	if (inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1)
		return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) ? 0 : -1;
	SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return SSL_set1_host(ssl, host) && SSL_set_tlsext_host_name(ssl, host) ? 0 : -1;
}

int intercept_server(struct conn *c, const char *alpn, bufferevent_event_cb on_event)
{
	/* a server without h2 is noticed by what it selects */
	static const unsigned char both[] = "\x02h2\x08http/1.1", old[] = "\x08http/1.1";
	bool h2 = strcmp(alpn, "h2") == 0;
	SSL *ssl = SSL_new(c->p->client_ctx);
	if (!ssl)
		return -1;
	SSL_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS); /* of idle connections */
	if (expect_name(ssl, c->host) < 0 ||
		SSL_set_alpn_protos(ssl, h2 ? both : old, (unsigned)(h2 ? sizeof both : sizeof old) - 1) != 0) {
		SSL_free(ssl);
		return -1;
	}
	if (start_tls(c, &c->server, ssl, BUFFEREVENT_SSL_CONNECTING) < 0)
		return -1;
	bufferevent_setcb(c->server, NULL, NULL, on_event, c);
	bufferevent_enable(c->server, EV_READ | EV_WRITE);
	return 0;
}

char *intercept_failure(struct bufferevent *bev, const char *host)
{
	long verify = SSL_get_verify_result(bufferevent_openssl_get_ssl(bev));
	ERR_clear_error();
	return xasprintf("the TLS handshake with %s failed: %s", host,
		verify == X509_V_OK ? "the server ended it" : X509_verify_cert_error_string(verify));
}

void intercept_server_event(struct bufferevent *bev, short what, void *arg)
{
	struct conn *c = arg;
	if (what & BEV_EVENT_CONNECTED) {
		exchange_start(c);
	} else if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)) {
		cleanup_free char *why = intercept_failure(bev, c->host);
		dial_failed(c, 502, why);
	}
}
