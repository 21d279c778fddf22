/* SPDX-License-Identifier: Apache-2.0 */
/* conn.h - one connection through the proxy, shared by the files of this module. */
#ifndef NONO_PROXY_CONN_H
#define NONO_PROXY_CONN_H

#include "net/proxy/ca.h"
#include "net/proxy/http.h"
#include "net/proxy/proxy.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <pthread.h>

struct h2;

/** struct route - a copy of a proxy_route. */
struct route {
	char *host;
	struct strv methods, paths;
};

/** struct posted - work for the proxy's thread: a finished dial, or a transparent connection. */
struct posted {
	struct posted *next;
	struct conn *conn; /* NULL: a new transparent connection to host:port */
	int fd, status;
	char *why, *host;
	unsigned port;
};

struct proxy {
	struct proxy_config cfg;
	struct event_base *base;
	struct event *listen_event, *wake_event;
	int listener, wake;
	unsigned port;
	char *token, *upstream;
	struct strv bypass;
	struct route *routes;
	size_t n_routes;
	struct ca *ca; /* NULL without routes */
	SSL_CTX *client_ctx;
	pthread_t thread;
	pthread_mutex_t lock;
	struct posted *posted;
	bool stopping;
	unsigned dialing; /* dials whose answer is still due; under lock */
	struct conn *conns;
	size_t n_conns;
};

enum conn_kind { KIND_TUNNEL, KIND_PLAIN, KIND_INTERCEPT };

struct conn {
	struct conn *next, *prev;
	struct proxy *p;
	struct bufferevent *client, *server;
	enum conn_kind kind;
	bool transparent, secure; /* secure: the client side is TLS that we end */
	bool dialing, dead;
	bool client_eof, server_eof;
	bool body_done, response_head_done;
	char *host, *via; /* via: parent proxy, NULL for none */
	unsigned port;
	struct http_head head;
	struct http_body body;
	struct h2 *h2;
};

#define RELAY_HIGH (512U << 10) /* stop reading from one side above this much unsent data */
#define RELAY_CHUNK (256U << 10)

/* server.c */
void conn_close(struct conn *c);
/** conn_answer() - a short answer of our own to the client, then close. */
void conn_answer(struct conn *c, int status, const char *why);
/** conn_dial() - ask the net room for a connection to c->host:c->port; conn_dialed() follows. */
void conn_dial(struct conn *c);
const struct route *proxy_route_for(const struct proxy *p, const char *host);
/** route_allows() - whether method and target pass; a target that cannot be judged does not. */
bool route_allows(const struct route *r, const char *method, const char *target);
/** conn_read_request() - the client's readable callback while a request head is awaited. */
void conn_read_request(struct bufferevent *bev, void *arg);
void conn_client_event(struct bufferevent *bev, short what, void *arg);

/* relay.c */
/** relay_tunnel() - bytes both ways between client and server until both have ended. */
void relay_tunnel(struct conn *c);
/** relay_request() - send c->head and its body, bring the response back, close. c->server is connected. */
void relay_request(struct conn *c);
/** relay_via() - ask the parent proxy for a tunnel first. */
void relay_via(struct conn *c);

/* intercept.c */
/** intercept_client() - end the client's TLS here; requests follow. The client has sent nothing yet that we read. */
void intercept_client(struct conn *c);
/** intercept_server() - start TLS on c->server towards c->host. @alpn: "h2" or "http/1.1" */
int intercept_server(struct conn *c, const char *alpn, bufferevent_event_cb on_event);
/** intercept_failure() - why a handshake with @host failed. New string. */
char *intercept_failure(struct bufferevent *bev, const char *host);
/** intercept_server_event() - TLS towards the server stands: send the request, or start h2. */
void intercept_server_event(struct bufferevent *bev, short what, void *arg);

/* h2.c */
/** h2_start() - speak h2 with the client; the server is dialled at the first permitted request. */
void h2_start(struct conn *c);
/** h2_server_connected() - the TCP connection for an h2 client stands. */
void h2_server_connected(struct conn *c);
/** h2_fail() - the server cannot be reached: every waiting request is answered with @status and @why. */
void h2_fail(struct conn *c, int status, const char *why);
void h2_free(struct h2 *h);

#endif
