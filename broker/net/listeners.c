/* SPDX-License-Identifier: Apache-2.0 */
/*
 * listeners.c - which sockets the tree listens on itself.
 *
 * Programs of the tree may talk to one another over loopback and abstract names, as
 * test servers and their clients do. What was noted when a socket began to listen is
 * compared with who holds the port or the name now (by the socket's inode), so a port
 * that another program of the host has taken over since is not reached.
 *
 * A login's answer comes to such a port. While the page is open the port belongs to
 * the program that opened it: nobody else in the tree may listen on it, on whatever
 * address, for as long as that program does.
 */
#include "net/internal.h"

#include "base/process.h"

#include <arpa/inet.h>
#include <sys/stat.h>

struct listener {
	ino_t ino;
	unsigned port; /* 0: an abstract name */
	bool judged;   /* bound to a port that was judged; it need not listen */
	pid_t tgid;    /* who listens */
};

#define PORTS 65536U

struct listeners {
	pthread_mutex_t lock;
	struct listener *v;
	size_t n;
	uint32_t *ties; /* for each port: logins that await their answer there, or are just being judged */
};

#define LISTENERS_MAX 65536U

struct listeners *listeners_new(void)
{
	struct listeners *l = xcalloc(1, sizeof(*l));
	l->ties = xcalloc(PORTS, sizeof(*l->ties)); /* of which nearly nothing is ever touched */
	pthread_mutex_init(&l->lock, NULL);
	return l;
}

void listeners_free(struct listeners *l)
{
	if (!l)
		return;
	pthread_mutex_destroy(&l->lock);
	free(l->ties);
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

void listeners_add(struct listeners *l, int fd, pid_t tgid)
{
	struct listener x;
	if (!entry_of(fd, false, &x))
		return;
	x.tgid = tgid;
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

/* ---- who listens now ----------------------------------------------------------- */

typedef bool check_fn(struct listeners *l, unsigned port, unsigned long ino, pid_t tgid);

/* Whether @check holds for every socket that listens on @port. *@some: there is one. */
static bool table_holds(struct listeners *l, const char *table, unsigned port, check_fn *check, pid_t tgid, bool *some)
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
		if (!check(l, port, ino, tgid))
			return false;
	}
	return true;
}

static bool all_hold(struct listeners *l, unsigned port, check_fn *check, pid_t tgid, bool *some)
{
	*some = false;
	return table_holds(l, "/proc/net/tcp", port, check, tgid, some) &&
	       table_holds(l, "/proc/net/tcp6", port, check, tgid, some);
}

static bool is_ours(struct listeners *l, unsigned port, unsigned long ino, pid_t tgid)
{
	(void)tgid;
	return noted(l, port, ino);
}

bool listeners_port(struct listeners *l, unsigned port)
{
	bool some;
	return noted(l, port, 0) && all_hold(l, port, is_ours, 0, &some) && some;
}

/* ---- whose answer comes there ---------------------------------------------------- */

static bool same_line(pid_t a, pid_t b)
{
	return process_descends(a, b) || process_descends(b, a);
}

/*
 * Whether the page that @opener asks for belongs to @listener. It mostly runs an opener
 * for that, so its other children count too.
 */
static bool opened_by(pid_t opener, pid_t listener)
{
	pid_t up = process_parent(opener, NULL);
	return same_line(opener, listener) || (up > 0 && process_descends(listener, up));
}

/* The note of a socket; tgid 0: none. */
static struct listener note_of(struct listeners *l, unsigned port, unsigned long ino)
{
	struct listener x = {0};
	pthread_mutex_lock(&l->lock);
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].ino == ino && l->v[i].port == port && !l->v[i].judged)
			x = l->v[i];
	pthread_mutex_unlock(&l->lock);
	return x;
}

static bool is_openers(struct listeners *l, unsigned port, unsigned long ino, pid_t opener)
{
	struct listener x = note_of(l, port, ino);
	return x.tgid && opened_by(opener, x.tgid);
}

static bool is_not_kept(struct listeners *l, unsigned port, unsigned long ino, pid_t tgid)
{
	struct listener x = note_of(l, port, ino);
	return !x.tgid || same_line(x.tgid, tgid);
}

/*
 * Whom @opener asks for. One whose parent is gone already, as some libraries make it,
 * tells nothing: then it is whoever began to listen last.
 */
static pid_t opener_for(struct listeners *l, unsigned port, pid_t opener)
{
	if (process_parent(opener, NULL) != getpid())
		return opener;
	pthread_mutex_lock(&l->lock);
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].port == port && !l->v[i].judged)
			opener = l->v[i].tgid;
	pthread_mutex_unlock(&l->lock);
	return opener;
}

/* Change the number of @port's ties by @by. Return: what it was. */
static uint32_t tie(struct listeners *l, unsigned port, int by)
{
	pthread_mutex_lock(&l->lock);
	uint32_t ties = l->ties[port % PORTS];
	l->ties[port % PORTS] = by < 0 && ties == 0 ? 0 : ties + (uint32_t)by;
	pthread_mutex_unlock(&l->lock);
	return ties;
}

/* Tied before it is looked at: who begins to listen meanwhile is seen here, or sees that it is tied. */
enum callback net_callback(struct net *n, unsigned port, pid_t opener)
{
	bool some;
	if (!listeners_port(n->listeners, port))
		return CALLBACK_NOBODY;
	tie(n->listeners, port, 1);
	if (all_hold(n->listeners, port, is_openers, opener_for(n->listeners, port, opener), &some) && some)
		return CALLBACK_OPENER;
	tie(n->listeners, port, -1); /* this one; another login may await its answer there */
	return CALLBACK_OTHER;
}

bool listeners_kept(struct listeners *l, unsigned port, pid_t tgid)
{
	bool some;
	const uint32_t ties = tie(l, port, 0);
	if (ties == 0)
		return false;
	const bool kept = !all_hold(l, port, is_not_kept, tgid, &some);
	if (!some) /* whoever awaited something has stopped */
		tie(l, port, -(int)ties);
	return kept;
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
