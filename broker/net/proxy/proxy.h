/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proxy.h - the HTTP proxy for programs that prefer one, and path rules by TLS interception.
 *
 * A module of its own (lib/nono/nono-proxy.so): OpenSSL and nghttp2 are loaded
 * only when a session needs them. It has no policy and no listener: connections
 * are handed to it, whom to reach and which endpoints a host is restricted to is
 * said by the net room behind the callbacks. docs/proxy.md describes the paths a
 * request takes.
 */
#ifndef NONO_PROXY_H
#define NONO_PROXY_H

#include "base/base.h"

#include <limits.h>
#include <sys/resource.h>
#include <sys/socket.h>

#define PROXY_API_SYMBOL "nono_proxy_api"
#define PROXY_TARGETS 16

/** struct proxy_targets - where a host is to be reached: addresses, tried in this order. */
struct proxy_targets {
	struct sockaddr_storage addr[PROXY_TARGETS];
	socklen_t len[PROXY_TARGETS];
	size_t n;
};
/**
 * proxy_decided - the answer to a request for a host, once, on any thread.
 * @to: borrowed; NULL when refused
 * @status: HTTP status to report when @to is NULL (403 refused, 502 not resolved, 503 too busy)
 * @why: one sentence for a refusal, borrowed
 */
typedef void proxy_decided(void *arg, const struct proxy_targets *to, int status, const char *why);

/** struct proxy_endpoint - METHOD ("*" for any) and path glob ("*" one segment, "**" any). */
struct proxy_endpoint {
	const char *method, *path;
};
/** struct proxy_route - what requests to a host are restricted to. */
struct proxy_route {
	const struct proxy_endpoint *endpoints;
	size_t n;
};
struct proxy_config {
	/*
	 * Decide about @host (lower-case name or address literal) and @port, for process @peer.
	 * @via: the answer is where the parent proxy is; the decision is still about @host
	 */
	void (*decide)(
		void *data, pid_t peer, const char *host, unsigned port, bool via, proxy_decided *done, void *arg);
	/* The program that waits for decide(..., @arg) is gone. Return: whether done() will not be called any more. */
	bool (*withdraw)(void *data, void *arg);
	/* What requests to @host:@port are restricted to; NULL: nothing. Borrowed, for the life of the proxy. */
	const struct proxy_route *(*route)(void *data, const char *host, unsigned port);
	/* Whether @host is reached through the parent proxy. */
	bool (*through_parent)(void *data, const char *host);
	void *data;
	const char *parent;      /* its name for messages; NULL: there is none */
	const char *parent_auth; /* "user:password" for it, NULL for none */
	const char *token;       /* what programs have to show */
	const char *bundle;      /* where the CA bundle for the tree is written; NULL: nothing is intercepted */
	const char *trust_store; /* the same for Java */
};

/**
 * proxy_fd_limit() - descriptors from this number on are not for the proxy's connections: the broker opens files for
 * programs as well, whatever is connected.
 * @to_server: for a connection to a server; those of programs may go on for a while, so that they can be told
 */
static inline int proxy_fd_limit(bool to_server)
{
	struct rlimit r = {.rlim_cur = 1024};
	(void)getrlimit(RLIMIT_NOFILE, &r);
	rlim_t spare = r.rlim_cur / 4 < 256 ? r.rlim_cur / 4 : 256;
	rlim_t limit = r.rlim_cur - spare / (to_server ? 1 : 2);
	return limit < INT_MAX ? (int)limit : INT_MAX;
}

struct proxy;
struct proxy_api {
	/** start - strings of @cfg are copied. Return: 0, or -1. */
	int (*start)(struct proxy **p, const struct proxy_config *cfg, struct err **e);
	/** stop - end the thread: nothing is decided any more. Answers that are due may still come until free(). */
	void (*stop)(struct proxy *p);
	void (*free)(struct proxy *p);
	/** serve - @fd is our end of a connection that process @peer made to the proxy; taken over. */
	void (*serve)(struct proxy *p, int fd, pid_t peer);
	/**
	 * transparent - @fd is our end of a connection that process @peer believes to lead to @host:@port; taken
	 * over. Endpoints of the host are enforced; a host without is connected to as it is. For programs that
	 * ignore the proxy variables.
	 */
	void (*transparent)(struct proxy *p, int fd, pid_t peer, const char *host, unsigned port);
};

#endif
