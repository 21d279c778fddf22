/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exec_copy.c - copies of approved programs, where the kernel's rules allow execution.
 *
 * The session's own directory may be read and executed by the tree, but not
 * changed. A copy is made from the descriptor that was decided on, so it holds what
 * the approved file held; it goes with the session. The same file is copied once,
 * and again when it has changed since.
 *
 * A program may look for what belongs to it beside itself or, from .../bin, beside
 * that: DIR/<its directory's name>/<its name> stands among links to the places where
 * such things are by custom. What they lead to is decided as ever.
 */
#include "trap/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>

#define MOST_COPIES 1024

struct exec_copy {
	struct exec_copy *next;
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec changed;
	char *from, *path;
};

static const char *const beside[] = {
	"lib", "lib64", "libexec", "share", "etc", "include", "node_modules", "resources", "pyvenv.cfg"};

static bool same_file(const struct exec_copy *x, const struct stat *st, const char *from)
{
	return x->dev == st->st_dev && x->ino == st->st_ino && x->size == st->st_size &&
	       x->changed.tv_sec == st->st_ctim.tv_sec && x->changed.tv_nsec == st->st_ctim.tv_nsec &&
	       strcmp(x->from, from) == 0;
}

/* Share the blocks where the file system can, else copy. */
static int copy_contents(int from, int to, off_t size)
{
	if (ioctl(to, FICLONE, from) == 0)
		return 0;
	while (size > 0) {
		ssize_t n = sendfile(to, from, NULL, (size_t)size);
		if (n < 0)
			return -1;
		if (n == 0)
			break; /* shorter meanwhile */
		size -= n;
	}
	return 0;
}

/* Make @dir/<name of the directory of @from>/<name of @from>. New string, NULL with errno. */
static char *make_copy(int fd, const char *from, const char *dir, off_t size)
{
	cleanup_free char *home = path_dir(from), *above = path_dir(home);
	cleanup_free char *sub = path_join(dir, strcmp(home, "/") ? path_base(home) : "bin");
	cleanup_free char *path = path_join(sub, path_base(from));
	if (mkdir(dir, 0700) < 0 || mkdir(sub, 0700) < 0)
		return NULL;
	cleanup_fd int to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0500);
	if (to < 0 || copy_contents(fd, to, size) < 0)
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(beside); i++) {
		cleanup_free char *target = path_join(above, beside[i]);
		cleanup_free char *link = path_join(dir, beside[i]);
		if (access(target, F_OK) == 0)
			(void)!symlink(target, link); /* a directory of that name is the program's own */
	}
	return steal_ptr(&path);
}

/* Under the lock, which makes two callers of one program wait for one copy. */
static char *find_or_make(struct trap *t, int fd, const char *from, const struct stat *st)
{
	unsigned n = 0;
	for (const struct exec_copy *x = t->copies; x; x = x->next, n++)
		if (same_file(x, st, from))
			return xstrdup(x->path);
	if (n >= MOST_COPIES) {
		errno = ENOSPC;
		return NULL;
	}
	cleanup_free char *top = path_join(t->cfg.session_dir, "run");
	if (mkdir(top, 0700) < 0 && errno != EEXIST)
		return NULL;
	cleanup_free char *dir = xasprintf("%s/%u", top, ++t->n_copies);
	char *path = make_copy(fd, from, dir, st->st_size);
	if (!path) {
		int err = errno;
		dir_remove(dir, NULL);
		errno = err;
		return NULL;
	}
	struct exec_copy *x = xmalloc(sizeof(*x));
	*x = (struct exec_copy){t->copies, st->st_dev, st->st_ino, st->st_size, st->st_ctim, xstrdup(from), path};
	t->copies = x;
	return xstrdup(path);
}

char *exec_copy(struct trap *t, int fd, const char *from)
{
	char link[40];
	struct stat st;
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	cleanup_fd int in = open(link, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (in < 0 || fstat(in, &st) < 0)
		return NULL;
	pthread_mutex_lock(&t->copying);
	char *path = find_or_make(t, in, from, &st);
	int err = errno;
	pthread_mutex_unlock(&t->copying);
	errno = err;
	return path;
}

void exec_copies_free(struct trap *t)
{
	while (t->copies) {
		struct exec_copy *x = t->copies;
		t->copies = x->next;
		free(x->from);
		free(x->path);
		free(x);
	}
}

/* ---- what an approved program reads of itself ------------------------------------------ */

#define MOST_PERMITS 64

struct permit {
	struct permit *next;
	pid_t tgid;
	unsigned long long born;
	char *path;
};

/* When a process began, in the kernel's ticks; its number may be another's later. 0 on failure. */
static unsigned long long born(pid_t tgid)
{
	char path[40], text[1024];
	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)tgid);
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	text[n < 0 ? 0 : n] = '\0';
	char *at = strrchr(text, ')'); /* the name before it may hold anything */
	for (int field = 3; at && field <= 22; field++) {
		at = strchr(at, ' ');
		at = at ? at + 1 : NULL;
	}
	return at ? strtoull(at, NULL, 10) : 0;
}

static void permit_free(struct permit *p)
{
	free(p->path);
	free(p);
}

void permit_add(struct trap_call *c, const char *path)
{
	struct permit *p = xmalloc(sizeof(*p)), *dropped = NULL;
	*p = (struct permit){.tgid = trap_tgid(c), .path = xstrdup(path)};
	p->born = born(p->tgid);
	pthread_mutex_lock(&c->t->copying);
	p->next = c->t->permits;
	c->t->permits = p;
	unsigned n = 0;
	for (struct permit *x = p; x; x = x->next)
		if (++n == MOST_PERMITS) {
			dropped = x->next;
			x->next = NULL;
		}
	pthread_mutex_unlock(&c->t->copying);
	if (dropped)
		permit_free(dropped);
}

bool permit_has(struct trap_call *c, const char *path)
{
	bool found = false;
	if (!__atomic_load_n(&c->t->permits, __ATOMIC_RELAXED))
		return false;
	pid_t tgid = trap_tgid(c);
	unsigned long long since = born(tgid);
	pthread_mutex_lock(&c->t->copying);
	for (const struct permit *p = c->t->permits; p && !found; p = p->next)
		found = p->tgid == tgid && p->born == since && since && strcmp(p->path, path) == 0;
	pthread_mutex_unlock(&c->t->copying);
	return found && trap_alive(c);
}

void permits_free(struct trap *t)
{
	while (t->permits) {
		struct permit *p = t->permits;
		t->permits = p->next;
		permit_free(p);
	}
}
