/* SPDX-License-Identifier: Apache-2.0 */
/* net.c - the room's start and end, its threads, and what the program's environment is told. */
#include "net/internal.h"

#include <errno.h>
#include <sys/eventfd.h>

#define THREADS_MAX 64U
#define STACK_BYTES (192U * 1024U)

int net_start(struct net **out, const struct net_config *cfg, struct err **e)
{
	struct net *n = xcalloc(1, sizeof(*n));
	n->cfg = *cfg;
	n->mode = policy_settings(cfg->policy)->net_mode;
	n->later = n->mode == NET_FILTERED && policy_settings(cfg->policy)->on_request != ON_REQUEST_DENY;
	pthread_mutex_init(&n->lock, NULL);
	pthread_cond_init(&n->idle, NULL);
	n->dns[0] = n->dns[1] = n->refused = -1;
	n->stop = eventfd(0, EFD_CLOEXEC);
	if (n->stop < 0) {
		int code = errno;
		free(n);
		return err_set(e, code, "cannot start the network room");
	}
	n->names = names_new();
	n->hosts = hostsfile_new("/etc/hosts");
	n->resolver = resolver_new(n->hosts, n->stop);
	n->deadend = deadend_new();
	n->standins = standins_new();
	n->listeners = listeners_new();
	if (gateway_new(&n->gateway, n, e) < 0) {
		net_stop(n);
		return -1;
	}
	*out = n;
	return 0;
}

void net_stop(struct net *n)
{
	if (!n)
		return;
	(void)eventfd_write(n->stop, 1);
	gateway_stop(n->gateway);
	if (n->serving)
		pthread_join(n->server, NULL);
	pthread_mutex_lock(&n->lock);
	while (n->threads)
		pthread_cond_wait(&n->idle, &n->lock);
	pthread_mutex_unlock(&n->lock);
	gateway_free(n->gateway);
	cleanup_fd_fn(&n->dns[0]);
	cleanup_fd_fn(&n->dns[1]);
	cleanup_fd_fn(&n->refused);
	deadend_free(n->deadend);
	standins_free(n->standins);
	listeners_free(n->listeners);
	resolver_free(n->resolver);
	hostsfile_free(n->hosts);
	names_free(n->names);
	close(n->stop);
	pthread_cond_destroy(&n->idle);
	pthread_mutex_destroy(&n->lock);
	free(n);
}

void net_settle(struct net *n)
{
	if (n)
		refused_note(n);
}

int net_thread(struct net *n, void *(*fn)(void *), void *arg)
{
	pthread_mutex_lock(&n->lock);
	bool room = n->threads < THREADS_MAX;
	n->threads += room;
	pthread_mutex_unlock(&n->lock);
	if (!room)
		return -EAGAIN;
	pthread_t t;
	pthread_attr_t a;
	pthread_attr_init(&a);
	pthread_attr_setstacksize(&a, STACK_BYTES);
	pthread_attr_setdetachstate(&a, PTHREAD_CREATE_DETACHED);
	int rc = pthread_create(&t, &a, fn, arg);
	pthread_attr_destroy(&a);
	if (rc)
		net_thread_done(n);
	return -rc;
}

void net_thread_done(struct net *n)
{
	pthread_mutex_lock(&n->lock);
	if (--n->threads == 0)
		pthread_cond_broadcast(&n->idle);
	pthread_mutex_unlock(&n->lock);
}

void net_environment(const struct net *n, struct pairs *out)
{
	char label[] = "network";
	const struct origin origin = {.source = SOURCE_SYSTEM, .label = label};
	/* Without the dead end, names are resolved over TCP: the C library and c-ares can be told, gRPC to use the
	 * former. */
	if (n->mode != NET_OPEN && deadend_unlikely()) {
		pairs_set(out, "RES_OPTIONS", "use-vc", &origin);
		pairs_set(out, "GRPC_DNS_RESOLVER", "native", &origin);
	}
	if (n->gateway)
		gateway_environment(n->gateway, out);
}
