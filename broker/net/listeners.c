/* SPDX-License-Identifier: Apache-2.0 */
/*
 * listeners.c - which sockets the tree listens on itself.
 *
 * Programs of the tree may talk to one another over loopback and abstract names, as
 * test servers and their clients do. What was noted when a socket began to listen is
 * compared with who holds the port or the name now (by the socket's inode), so a port
 * that another program of the host has taken over since is not reached.
 */
#include "net/internal.h"

#include <arpa/inet.h>
#include <sys/stat.h>

struct listener {
	ino_t ino;
	unsigned port; /* 0: an abstract name */
	bool judged;   /* bound to a port that was judged; it need not listen */
};

struct listeners {
	pthread_mutex_t lock;
	struct listener *v;
	size_t n;
};

#define LISTENERS_MAX 65536U

struct listeners *listeners_new(void)
{
	struct listeners *l = xcalloc(1, sizeof(*l));
	pthread_mutex_init(&l->lock, NULL);
	return l;
}

void listeners_free(struct listeners *l)
{
	if (!l)
		return;
	pthread_mutex_destroy(&l->lock);
	free(l->v);
	free(l);
}

static bool entry_of(int fd, bool judged, struct listener *out)
{
	struct sock_call s = {.len = sizeof(s.addr)};
	struct host_addr a;
	struct stat st;
	*out = (struct listener){.judged = judged};
	if (fstat(fd, &st) < 0 || getsockname(fd, &s.addr.sa, &s.len) < 0)
		return false;
	(void)sock_call_host(&s, &a, &out->port);
	out->ino = st.st_ino;
	return true;
}

/* Under the lock. @x: inode 0 is any. */
static bool find(const struct listeners *l, const struct listener *x)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].port == x->port && l->v[i].judged == x->judged && (!x->ino || l->v[i].ino == x->ino))
			return true;
	return false;
}

static bool note(struct listeners *l, const struct listener *x, bool add)
{
	pthread_mutex_lock(&l->lock);
	bool found = find(l, x);
	if (!found && add && l->n < LISTENERS_MAX) {
		l->v = xreallocarray(l->v, l->n + 1, sizeof(*l->v));
		l->v[l->n++] = *x;
	}
	pthread_mutex_unlock(&l->lock);
	return found;
}

void listeners_add(struct listeners *l, int fd)
{
	struct listener x;
	if (entry_of(fd, false, &x))
		(void)note(l, &x, true);
}

bool listeners_judged(struct listeners *l, int fd, bool add)
{
	struct listener x;
	return entry_of(fd, true, &x) && note(l, &x, add);
}

static bool noted(struct listeners *l, unsigned port, unsigned long ino)
{
	return note(l, &(struct listener){.ino = ino, .port = port}, false);
}

/* Who listens on @port: every listener has to be the tree's. */
static bool table_is_ours(struct listeners *l, const char *table, unsigned port, bool *some)
{
	cleanup_file FILE *f = fopen(table, "re");
	char line[512];
	while (f && fgets(line, sizeof(line), f)) {
		unsigned at, state;
		unsigned long ino;
		if (sscanf(line, " %*u: %*32[0-9A-Fa-f]:%x %*32[0-9A-Fa-f]:%*x %x %*s %*s %*s %*u %*d %lu", &at, &state,
			    &ino) != 3 ||
			at != port || state != 0x0a) /* TCP_LISTEN */
			continue;
		*some = true;
		if (!noted(l, port, ino))
			return false;
	}
	return true;
}

bool listeners_port(struct listeners *l, unsigned port)
{
	bool some = false;
	return noted(l, port, 0) && table_is_ours(l, "/proc/net/tcp", port, &some) &&
	       table_is_ours(l, "/proc/net/tcp6", port, &some) && some;
}

bool net_listens(struct net *n, unsigned port)
{
	return listeners_port(n->listeners, port);
}

/* Whether /proc/net/unix shows @shown for the name; NUL bytes of names are written as '@'. */
static bool same_name(const char *shown, const char *name, size_t len)
{
	if (strcspn(shown, "\n") != len)
		return false;
	for (size_t i = 0; i < len; i++)
		if (shown[i] != name[i] && (shown[i] != '@' || name[i] != '\0'))
			return false;
	return true;
}

enum holder listeners_abstract(struct listeners *l, const char *name, size_t len)
{
	cleanup_file FILE *f = fopen("/proc/net/unix", "re");
	char line[512];
	enum holder held = HOLDER_NOBODY;
	if (!f || memchr(name, '\n', len))
		return HOLDER_FOREIGN;
	while (fgets(line, sizeof(line), f)) {
		unsigned long ino;
		int end = 0;
		/* Num: RefCount Protocol Flags Type St Inode Path */
		if (sscanf(line, "%*[^:]: %*s %*s %*s %*s %*s %lu %n", &ino, &end) != 1 || !end || line[end] != '@' ||
			!same_name(line + end + 1, name, len))
			continue;
		if (!noted(l, 0, ino))
			return HOLDER_FOREIGN;
		held = HOLDER_TREE;
	}
	return held;
}
