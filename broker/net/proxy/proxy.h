/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proxy.h - the HTTP proxy for programs that prefer one, and path rules by TLS interception.
 *
 * A module of its own (lib/nono/nono-proxy.so): OpenSSL and nghttp2 are loaded
 * only when a session filters its network. It has no policy: whom to reach is
 * decided by the net room behind the `dial` callback; the endpoint rules it
 * enforces are handed over. docs/proxy.md describes the paths a request takes.
 */
#ifndef NONO_PROXY_H
#define NONO_PROXY_H

#include "base/base.h"

#define PROXY_API_SYMBOL "nono_proxy_api"

/**
 * proxy_dialed - the answer to a dial, once, on any thread.
 * @fd: a connected non-blocking socket, taken over; -1 when refused
 * @status: HTTP status to report when @fd is -1 (403 refused, 502 failed, 504 timed out)
 * @why: one sentence, borrowed
 */
typedef void proxy_dialed(void *arg, int fd, int status, const char *why);

/** struct proxy_endpoint - METHOD ("*" for any) and path glob ("*" one segment, "**" any). */
struct proxy_endpoint {
	const char *method, *path;
};
/** struct proxy_route - a host whose requests are restricted to endpoints. */
struct proxy_route {
	const char *host; /* lower case; "*.suffix" for subdomains */
	const struct proxy_endpoint *endpoints;
	size_t n;
};

struct proxy_config {
	/*
	 * Decide about @host (lower-case name or address literal) and @port, resolve, connect.
	 * @via: "host:port" of the parent proxy to connect to instead; the decision is still about @host
	 */
	void (*dial)(void *data, const char *host, unsigned port, const char *via, proxy_dialed *done, void *arg);
	void *data;
	const struct proxy_route *routes; /* copied */
	size_t n_routes;
	const char *upstream;      /* "host:port" of a parent proxy, NULL if none */
	const char *const *bypass; /* hosts and "*.suffix" that go direct */
	size_t n_bypass;
	const char *bundle; /* where the CA bundle for the tree is written */
};

struct proxy;
struct proxy_api {
	int (*start)(struct proxy **p, const struct proxy_config *cfg, struct err **e);
	void (*stop)(struct proxy *p);
	unsigned (*port)(const struct proxy *p);
	const char *(*token)(const struct proxy *p);
	/** intercepts - whether requests to @host are restricted to endpoints. */
	bool (*intercepts)(const struct proxy *p, const char *host);
	/**
	 * transparent - serve @fd, the proxy's end of a connection that a program believes to lead to
	 * @host:@port; taken over. For programs that ignore the proxy variables.
	 */
	void (*transparent)(struct proxy *p, int fd, const char *host, unsigned port);
};

#endif
