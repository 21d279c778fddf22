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

void listeners_add(struct listeners *l, int fd)
{
	struct sock_call s = {.len = sizeof(s.addr)};
	struct host_addr a;
	struct stat st;
	unsigned port = 0;
	if (fstat(fd, &st) < 0 || getsockname(fd, &s.addr.sa, &s.len) < 0)
		return;
	(void)sock_call_host(&s, &a, &port);
	pthread_mutex_lock(&l->lock);
	size_t i = 0;
	while (i < l->n && (l->v[i].port != port || l->v[i].ino != st.st_ino))
		i++;
	if (i == l->n && l->n < LISTENERS_MAX) {
		l->v = xreallocarray(l->v, l->n + 1, sizeof(*l->v));
		l->v[l->n++] = (struct listener){st.st_ino, port};
	}
	pthread_mutex_unlock(&l->lock);
}

static bool noted(struct listeners *l, unsigned port, unsigned long ino)
{
	bool found = false;
	pthread_mutex_lock(&l->lock);
	for (size_t i = 0; i < l->n && !found; i++)
		found = l->v[i].port == port && (!ino || l->v[i].ino == ino);
	pthread_mutex_unlock(&l->lock);
	return found;
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

bool listeners_abstract(struct listeners *l, const char *name, size_t len)
{
	if (!noted(l, 0, 0) || memchr(name, '\n', len))
		return false;
	cleanup_file FILE *f = fopen("/proc/net/unix", "re");
	char line[512];
	bool found = false;
	while (f && fgets(line, sizeof(line), f)) {
		unsigned long ino;
		int end = 0;
		/* Num: RefCount Protocol Flags Type St Inode Path; NUL bytes of names are written as '@' */
		if (sscanf(line, "%*[^:]: %*s %*s %*s %*s %*s %lu %n", &ino, &end) != 1 || !end || line[end] != '@')
			continue;
		const char *shown = line + end + 1;
		size_t n = strcspn(shown, "\n");
		bool same = n == len;
		for (size_t i = 0; i < len && same; i++)
			same = shown[i] == name[i] || (shown[i] == '@' && name[i] == '\0');
		if (!same)
			continue;
		if (!noted(l, 0, ino))
			return false;
		found = true;
	}
	return found;
}
