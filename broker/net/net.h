/* SPDX-License-Identifier: Apache-2.0 */
/* net.h - names and sockets: DNS, domain rules, connect on behalf, HTTP proxy, TLS interception. */
#ifndef NONO_NET_H
#define NONO_NET_H

#include "policy/policy.h"

struct approve;
struct explain;
struct trap_call;
struct net;

struct net_config {
	struct policy *policy;
	struct approve *approve;
	struct explain *explain;
	const char *session_dir; /* CA bundle and the like are put below it */
};
int net_start(struct net **n, const struct net_config *cfg, struct err **e);
void net_stop(struct net *n);
/** net_settle() - the tree has ended: record what it was refused last. NULL-safe. */
void net_settle(struct net *n);
enum callback {
	CALLBACK_NOBODY, /* nobody listens there, or not only programs of the tree */
	CALLBACK_OTHER,  /* one does that has nothing to do with the opener */
	CALLBACK_OPENER, /* nobody else, from now on until it stops listening */
};
/** net_callback() - who would get what is sent to TCP @port of this machine, for a page that @opener asks for. */
enum callback net_callback(struct net *n, unsigned port, pid_t opener);
/** net_environment() - proxy and CA variables for the program. */
void net_environment(const struct net *n, struct pairs *out);

/* Handlers for rows of the trap's call table. */
void net_on_socket(struct trap_call *c);
void net_on_socketpair(struct trap_call *c);
void net_on_connect(struct trap_call *c);
void net_on_bind(struct trap_call *c);
void net_on_listen(struct trap_call *c);
void net_on_send(struct trap_call *c); /* sendto, sendmsg, sendmmsg with an address */

#endif
