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
struct tunnel;

/** struct posted - work for the proxy's thread: a decision, or a new connection. */
struct posted {
	struct posted *next;
	struct conn *conn; /* whose decision; NULL: a new connection */
	struct proxy_targets to;
	bool refused;
	int fd, status;
	char *why, *host; /* host: of a transparent connection */
	unsigned port;
	pid_t peer;
};

struct proxy {
	struct proxy_config cfg;
	struct event_base *base;
	struct event *wake_event;
	int wake;
	char *token, *parent, *parent_auth; /* parent_auth: the value of Proxy-Authorization */
	struct ca *ca;                      /* NULL when nothing is intercepted */
	SSL_CTX *client_ctx;
	char *scratch; /* RELAY_CHUNK bytes on their way through a tunnel */
	pthread_t thread;
	bool running;
	pthread_mutex_t lock;
	struct posted *posted;
	bool stopping;
	struct conn *conns;
	size_t n_conns;
	/* what programs can make us keep (limits.h) */
	size_t kept;                         /* bytes of tunnels that a side did not take yet */
	size_t heads;                        /* bytes of header fields, of all h2 streams */
	size_t windows;                      /* bytes by which windows are larger than at first */
	unsigned n_ended;                    /* connections whose TLS ends here */
	struct conn *waiting, **waiting_end; /* for others of these to end */
	bool serving;                        /* those that wait are having their turn */
};

enum conn_kind { KIND_TUNNEL, KIND_PLAIN, KIND_INTERCEPT };

struct conn {
	struct conn *next, *prev;
	struct proxy *p;
	struct bufferevent *client, *server;
	struct event *first; /* waits for the first byte of a transparent connection */
	pid_t peer;
	enum conn_kind kind;
	bool transparent; /* the program does not know that there is a proxy */
	bool secure;      /* the client side is TLS that we end */
	bool dead;
	bool ended, waits; /* counted in n_ended; among the waiting */
	struct conn *next_waiting;
	struct posted *ticket; /* a decision that is still due */
	struct proxy_targets to;
	size_t tried;
	char *host;
	unsigned port;
	bool via;              /* through the parent proxy */
	struct tunnel *tunnel; /* between plain sockets */
	bool client_eof, server_eof;
	/* one request and its response */
	struct http_head head;
	struct http_body body, answer;
	bool body_done, head_done, keep, upgrade, reused, until_close;
	struct h2 *h2;
};

/*
 * What one session can make us keep, whatever its programs do. Whoever does not read what was
 * sent for him holds a bounded part of it, and only so many can.
 */
#define RELAY_CHUNK (256U << 10) /* read at a time from a plain socket, and passed on at once */
#define KEPT_MAX (4U << 20)      /* more than this kept in all tunnels: smaller chunks */
#define KEPT_CHUNK 4096U
#define ENDED_MAX 128U           /* connections whose TLS ends here; more wait */
#define ENDED_CHUNK (32U << 10)  /* read at a time from these */
#define ENDED_HIGH (64U << 10)   /* stop reading from one side above this much unsent data */
#define HEADS_MAX (4U << 20)     /* header fields of all h2 streams */
#define HEADS_CONN (512U << 10)  /* of those of one connection */
#define WINDOW_FIRST (64U << 10) /* of an h2 connection; it grows while data is taken */
#define WINDOW_LAST (2U << 20)
#define WINDOWS_MAX (4U << 20) /* by so much all may have grown */

/* server.c */
void conn_close(struct conn *c);
/** side_free() - end one side; TLS is told that this is the end. */
void side_free(struct bufferevent **side);
/** conn_answer() - a short answer of our own to the client, then close. */
void conn_answer(struct conn *c, int status, const char *why);
/** conn_await_request() - the next request head is expected from the client. */
void conn_await_request(struct conn *c);
/** conn_await_first() - the program believes to talk to the host: is it TLS or plain HTTP? */
void conn_await_first(struct conn *c);
void conn_client_event(struct bufferevent *bev, short what, void *arg);

/* request.c */
/** route_allows() - whether method and target pass; a target that cannot be judged does not. */
bool route_allows(const struct proxy_route *r, const char *method, const char *target);
const struct proxy_route *conn_route(const struct conn *c);
/** conn_read_request() - the client's readable callback while a request head is awaited. */
void conn_read_request(struct bufferevent *bev, void *arg);

/* dial.c */
/** conn_dial() - reach c->host:c->port; dial_connected() or a refusal follows. */
void conn_dial(struct conn *c);
/** dial_decided() - the net room's answer is here, on the proxy's thread. */
void dial_decided(struct conn *c, const struct posted *answer);
/** dial_failed() - the host cannot be reached: say so to whoever waits. */
void dial_failed(struct conn *c, int status, const char *why);

/* relay.c */
/** relay_tunnel() - bytes both ways between client and server until both have ended. */
void relay_tunnel(struct conn *c);
void relay_free(struct tunnel *t);

/* exchange.c */
/** exchange_start() - send c->head and its body, bring the response back. c->server is connected. */
void exchange_start(struct conn *c);

/* intercept.c */
/**
 * intercept_client() - end the client's TLS here; requests follow. Nothing of it has been read yet. While ENDED_MAX
 * others are served it waits.
 */
void intercept_client(struct conn *c);
/** intercept_left() - @c ends: the next one that waits is served. */
void intercept_left(struct conn *c);
/** intercept_server() - start TLS on c->server towards c->host. @alpn: "h2" or "http/1.1" */
int intercept_server(struct conn *c, const char *alpn, bufferevent_event_cb on_event);
/** intercept_failure() - why a handshake with @host failed. New string. */
char *intercept_failure(struct bufferevent *bev, const char *host);
/** intercept_server_event() - TLS towards the server stands: send the request. */
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
