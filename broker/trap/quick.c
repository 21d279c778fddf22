/* SPDX-License-Identifier: Apache-2.0 */
/*
 * quick.c - opens that the kernel grants, known without pinning anything.
 *
 * Theory of operation
 * -------------------
 * Programs open many files of few directories. When one was found to be the
 * kernel's to judge, its directory is remembered: what the caller called it, where
 * it really is, and its inode. The next open there needs two looks: the
 * directory is still that inode, and the entry is there and no link. Then its
 * canonical path is known, and if the policy says that the kernel grants it, the
 * call goes on.
 *
 * That is the only answer ever given here, so nothing has to be pinned and no
 * race gains anything: Landlock judges the same call again, whatever is at that path
 * by then. At worst, when the directory was moved and linked back in between, the kernel
 * refuses what would have been a question; what is remembered lasts a second.
 */
#include "trap/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <time.h>

#define KNOWN 64U /* directories; a newer one takes the place of an older one */

/** struct known - a directory by the name the caller used for it, or (@name empty) by its inode. */
struct known {
	char *name, *path; /* path: canonical */
	dev_t dev;
	ino_t ino;
	time_t at;
};

struct quick {
	pthread_mutex_t lock;
	struct known known[KNOWN];
};

struct quick *quick_new(void)
{
	struct quick *q = xcalloc(1, sizeof(*q));
	pthread_mutex_init(&q->lock, NULL);
	return q;
}

void quick_free(struct quick *q)
{
	if (!q)
		return;
	for (size_t i = 0; i < KNOWN; i++) {
		free(q->known[i].name);
		free(q->known[i].path);
	}
	pthread_mutex_destroy(&q->lock);
	free(q);
}

static time_t now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	return t.tv_sec;
}

static struct known *slot(struct quick *q, const char *name, const struct stat *st)
{
	const uint32_t h = *name ? hash_text(HASH_SEED, name) : (uint32_t)(st->st_ino * 2654435761U);
	return &q->known[(h ^ h >> 16) % KNOWN];
}

/*
 * The directory that is called @name, or is @st when @name is "".
 * Return: whether it is known; then its canonical path is in @path and its inode in @st.
 */
static bool find(struct quick *q, const char *name, struct stat *st, char *path, size_t size)
{
	pthread_mutex_lock(&q->lock);
	const struct known *k = slot(q, name, st);
	bool found = k->name && strcmp(k->name, name) == 0 && k->at == now() &&
		     (*name || (k->dev == st->st_dev && k->ino == st->st_ino));
	found = found && (size_t)snprintf(path, size, "%s", k->path) < size;
	if (found) {
		st->st_dev = k->dev;
		st->st_ino = k->ino;
	}
	pthread_mutex_unlock(&q->lock);
	return found;
}

static void keep(struct quick *q, const char *name, const char *path, const struct stat *st)
{
	pthread_mutex_lock(&q->lock);
	struct known *k = slot(q, name, st);
	free(k->name);
	free(k->path);
	*k = (struct known){xstrdup(name), xstrdup(path), st->st_dev, st->st_ino, now()};
	pthread_mutex_unlock(&q->lock);
}

/* What lies there means something else to each caller. */
static bool special(const char *path)
{
	return str_starts(path, "/proc/") || str_starts(path, "/dev/");
}

/*
 * The directory part of an absolute path of two components or more, in @dir; "" for a plain name.
 * Return: the last component, NULL for anything else.
 */
static const char *split(const char *asked, char *dir, size_t size)
{
	const char *slash = strrchr(asked, '/');
	const char *name = slash ? slash + 1 : asked;
	if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || (slash && asked[0] != '/') || slash == asked)
		return NULL;
	const size_t n = slash ? (size_t)(slash - asked) : 0;
	if (n >= size)
		return NULL;
	memcpy(dir, asked, n);
	dir[n] = '\0';
	return name;
}

static bool same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

static bool kernel_grants(const struct policy *p, const char *path, uint64_t flags)
{
	const uint64_t mode = flags & O_ACCMODE;
	if ((mode == O_RDONLY || mode == O_RDWR) && !policy_check_path(p, OP_READ, path).kernel)
		return false;
	return (mode == O_RDONLY && !(flags & O_TRUNC)) || policy_check_path(p, OP_WRITE, path).kernel;
}

/* The caller's directory for a plain name: where the name is looked up from. */
static bool look_at_dir(const struct trap_call *c, int dirfd, struct stat *st)
{
	char link[64];
	if (dirfd == AT_FDCWD)
		(void)snprintf(link, sizeof(link), "/proc/%d/cwd", (int)trap_tid(c));
	else
		(void)snprintf(link, sizeof(link), "/proc/%d/fd/%d", (int)trap_tid(c), dirfd);
	return stat(link, st) == 0;
}

bool quick_open(struct trap_call *c, int dirfd, const struct object *o, uint64_t flags)
{
	struct quick *q = c->t->quick;
	char dir[PATH_MAX], path[PATH_MAX];
	const char *name = split(o->asked, dir, sizeof(dir));
	struct stat known, st;
	if (!name || !trap_kernel_judges(c) || special(o->asked) || (!*dir && !look_at_dir(c, dirfd, &known)))
		return false;
	if (!find(q, dir, &known, path, sizeof(path) - NAME_MAX - 2))
		return false;
	const size_t n = strlen(path);
	if (stat(*dir ? dir : path, &st) < 0 || !same(&st, &known))
		return false;
	if ((size_t)snprintf(path + n, sizeof(path) - n, "/%s", name) >= sizeof(path) - n)
		return false;
	if (lstat(path, &st) < 0 || S_ISLNK(st.st_mode) || !kernel_grants(c->t->cfg.policy, path, flags))
		return false;
	trap_continue(c); /* as for everything that the kernel grants: Landlock judges the same call again */
	return true;
}

void quick_remember(struct trap_call *c, const struct object *o)
{
	char dir[PATH_MAX], path[PATH_MAX];
	const char *name = split(o->asked, dir, sizeof(dir));
	const char *real = split(o->path, path, sizeof(path));
	struct stat asked, st;
	if (!name || !real || strcmp(name, real) != 0 || special(o->asked) || special(o->path) || stat(path, &st) < 0)
		return;
	/* the last component of @asked may still be a link to another entry of that name */
	if (*dir && (stat(dir, &asked) < 0 || !same(&asked, &st)))
		return;
	keep(c->t->quick, dir, path, &st);
}
