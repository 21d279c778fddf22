/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wanted.c - names looked up while a program waits for it.
 *
 * A name server may take seconds, and a program may be signalled all the while and make
 * its call again each time. So the lookup is on a thread of its own and goes on when
 * nobody waits for it any more: the next call for the same name joins it.
 */
#include "net/internal.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>

/** struct wanted - one lookup. The room's lock guards its place in the list and its users. */
struct wanted {
	struct wanted *next;
	struct net *net;
	struct resolved found;
	int rc, done; /* done: eventfd, readable when rc and found are there */
	unsigned users;
	uint8_t len;
	char name[];
};

void wanted_leave(struct wanted *w)
{
	if (!w)
		return;
	pthread_mutex_lock(&w->net->lock);
	bool last = --w->users == 0;
	pthread_mutex_unlock(&w->net->lock);
	if (!last)
		return;
	close(w->done);
	free(w);
}

/* It is looked up, or cannot be. */
static void finish(struct wanted *w, int rc)
{
	struct net *n = w->net;
	w->rc = rc;
	pthread_mutex_lock(&n->lock);
	struct wanted **at = &n->wanted;
	while (*at != w)
		at = &(*at)->next;
	*at = w->next;
	pthread_mutex_unlock(&n->lock);
	(void)eventfd_write(w->done, 1);
	wanted_leave(w);
}

static void *wanted_thread(void *arg)
{
	struct wanted *w = arg;
	struct net *n = w->net;
	finish(w, resolver_host(n->resolver, w->name, w->len, true, &w->found));
	net_thread_done(n);
	return NULL;
}

/* Under the lock. For its thread and for whoever wants it. */
static struct wanted *wanted_new(struct net *n, const char *name, uint8_t len)
{
	size_t size = strlen(name) + 1;
	int done = eventfd(0, EFD_CLOEXEC);
	if (done < 0)
		return NULL;
	struct wanted *w = xcalloc(1, sizeof(*w) + size);
	*w = (struct wanted){.next = n->wanted, .net = n, .done = done, .users = 2, .len = len};
	memcpy(w->name, name, size);
	n->wanted = w;
	return w;
}

struct wanted *wanted_join(struct net *n, const char *name, uint8_t len)
{
	pthread_mutex_lock(&n->lock);
	struct wanted *w = n->wanted;
	while (w && (w->len != len || strcmp(w->name, name) != 0))
		w = w->next;
	bool joined = w != NULL;
	if (joined)
		w->users++;
	else
		w = wanted_new(n, name, len);
	pthread_mutex_unlock(&n->lock);
	if (w && !joined && net_thread(n, wanted_thread, w) < 0)
		finish(w, -EIO);
	return w;
}

struct waits {
	struct wanted *const *w;
	size_t n;
};

static int wait_now(void *arg)
{
	const struct waits *all = arg;
	for (size_t i = 0; i < all->n; i++) {
		struct pollfd p = {.fd = all->w[i] ? all->w[i]->done : -1, .events = POLLIN};
		if (all->w[i] && poll(&p, 1, -1) < 0)
			return -1;
	}
	return 0;
}

int wanted_wait(struct trap_call *c, struct wanted *const *w, size_t n)
{
	struct waits all = {w, n};
	return trap_blocking(c, false, wait_now, &all);
}

int wanted_found(const struct wanted *w, struct resolved *out)
{
	if (!w || w->rc < 0)
		return -EIO;
	*out = w->found;
	return 0;
}
