/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resolve.c - a caller's path, pinned.
 *
 * Theory of operation
 * -------------------
 * The path is copied once. It is looked up from the caller's own directory (its
 * current one, or the descriptor it named) by openat2 with O_PATH and without
 * magic links, so that what is decided on is what is acted on: the descriptor
 * holds the object, wherever its name goes meanwhile. Its canonical path is what
 * the kernel says about the descriptor.
 *
 * Caller and broker share root and mounts: the filter refuses chroot, mounts and
 * new namespaces. What differs is /proc/self and what leads there (/dev/fd,
 * /dev/stdin, links of anybody's making): where a lookup ends in the broker's own
 * /proc entry it is made again in the caller's. Magic links (/proc/<pid>/fd/N,
 * cwd, root, exe) lead out of any path rule; they are followed only for the
 * caller's own process, by asking the kernel for that very descriptor.
 */
#include "trap/internal.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>

void object_close(struct object *o)
{
	if (o->fd >= 0)
		close(o->fd);
	if (o->parent >= 0)
		close(o->parent);
	o->fd = o->parent = -1;
}

static int open_how(int dirfd, const char *path, uint64_t flags, uint64_t resolve)
{
	struct open_how how = {.flags = flags | O_CLOEXEC, .resolve = resolve};
	int fd = (int)syscall(SYS_openat2, dirfd, path, &how, sizeof(how));
	return fd < 0 ? -errno : fd;
}

/* What the kernel calls the object. Return: 0 or -errno. */
static int told_path(int fd, char *out, size_t size)
{
	char link[40];
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, out, size - 1);
	if (n < 0)
		return -errno;
	if ((size_t)n >= size - 1)
		return -ENAMETOOLONG;
	out[n] = '\0';
	return out[0] == '/' ? 0 : -ENOENT; /* a pipe, a socket: no path */
}

/*
 * The name must lead to the object: it does not for one that was removed (then " (deleted)" is added, which may also be
 * the end of a name), lies in a mount that is gone or covered, or in another mount namespace.
 */
int fd_path(int fd, char *out, size_t size, struct stat *st)
{
	struct stat named;
	if (fstat(fd, st) < 0)
		return -errno;
	for (int tries = 0; tries < 3; tries++) { /* it may be moved meanwhile */
		int rc = told_path(fd, out, size);
		if (rc < 0 || str_starts(out, "/proc/")) /* its numbers of inodes do not last */
			return rc;
		if (lstat(out, &named) == 0 && st->st_ino == named.st_ino && st->st_dev == named.st_dev)
			return 0;
	}
	return -ENOENT;
}

/* ---- /proc ------------------------------------------------------------------------ */

/* Rewrite what means the caller into the caller's own entry. *@rest is what follows. */
static bool own_entry(struct trap_call *c, const char *path, char *out, size_t size)
{
	const char *rest;
	if (str_starts(path, "/dev/fd") && (path[7] == '/' || !path[7])) {
		(void)snprintf(out, size, "/proc/%d/fd%s", (int)trap_tgid(c), path + 7);
		return true;
	}
	static const char *const std[] = {"/dev/stdin", "/dev/stdout", "/dev/stderr"};
	for (int i = 0; i < 3; i++)
		if (strcmp(path, std[i]) == 0) {
			(void)snprintf(out, size, "/proc/%d/fd/%d", (int)trap_tgid(c), i);
			return true;
		}
	if (str_starts(path, "/proc/self") && (path[10] == '/' || !path[10])) {
		rest = path + 10;
		(void)snprintf(out, size, "/proc/%d%s", (int)trap_tgid(c), rest);
		return true;
	}
	if (str_starts(path, "/proc/thread-self") && (path[17] == '/' || !path[17])) {
		rest = path + 17;
		(void)snprintf(out, size, "/proc/%d/task/%d%s", (int)trap_tgid(c), (int)trap_tid(c), rest);
		return true;
	}
	return false;
}

/*
 * "/proc/<pid>[/task/<tid>]/(fd/N|cwd|root|exe)[/rest]": the magic link in it.
 * Return: the rest of the path behind the link, NULL if there is none. *@pid, and *@fd or *@what.
 */
static const char *magic_link(const char *path, pid_t *pid, int *fd, const char **what)
{
	if (!str_starts(path, "/proc/") || !isdigit((unsigned char)path[6]))
		return NULL;
	char *p;
	*pid = (pid_t)strtol(path + 6, &p, 10);
	if (str_starts(p, "/task/") && isdigit((unsigned char)p[6]))
		(void)strtol(p + 6, &p, 10);
	*fd = -1;
	*what = NULL;
	if (str_starts(p, "/fd/") && isdigit((unsigned char)p[4])) {
		*fd = (int)strtol(p + 4, &p, 10);
		return *p == '\0' || *p == '/' ? p : NULL;
	}
	static const char *const links[] = {"cwd", "root", "exe"};
	for (size_t i = 0; i < ARRAY_SIZE(links); i++) {
		size_t n = strlen(links[i]);
		if (p[0] == '/' && strncmp(p + 1, links[i], n) == 0 && (p[1 + n] == '\0' || p[1 + n] == '/')) {
			*what = links[i];
			return p + 1 + n;
		}
	}
	return NULL;
}

/* ---- looking up --------------------------------------------------------------------- */

/* struct start - where a lookup begins. */
struct start {
	int dir; /* descriptor, or AT_FDCWD for absolute paths */
	char path[PATH_MAX];
};

static int follow_magic(struct trap_call *c, const char *path, struct start *s, struct object *o)
{
	pid_t pid;
	int fd;
	const char *what;
	const char *rest = magic_link(path, &pid, &fd, &what);
	if (!rest)
		return 0;
	if (pid != trap_tgid(c) && pid != trap_tid(c))
		return *rest || what ? -EACCES : 0; /* the link itself, unfollowed, is no way out */
	cleanup_fd int got = -1;
	if (fd >= 0) {
		got = trap_get_fd(c, fd);
		if (got == -EBADF)
			got = -ENOENT;
	} else {
		char link[40];
		(void)snprintf(link, sizeof(link), "/proc/%d/%s", (int)pid, what);
		got = open(link, O_PATH | O_CLOEXEC);
		got = got < 0 ? -errno : got;
	}
	if (got < 0)
		return got;
	struct stat st;
	char real[PATH_MAX];
	const int rc = fd_path(got, real, sizeof(real), &st);
	if (!*rest && (rc < 0 || !(S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)))) {
		o->native = true;
		o->st = st;
		o->fd = fd >= 0 ? steal_fd(&got) : -1; /* its own flags say what it was opened for */
		return 0;
	}
	if (*rest) {
		(void)snprintf(s->path, sizeof(s->path), ".%s", rest);
	} else {
		s->path[0] = '\0';
	}
	s->dir = steal_fd(&got);
	return 1;
}

static int start_of(struct trap_call *c, int dirfd, uint64_t resolve, struct object *o, struct start *s)
{
	s->dir = AT_FDCWD;
	/* with these an absolute path begins at the descriptor too */
	bool rooted = resolve & (RESOLVE_IN_ROOT | RESOLVE_BENEATH);
	if (o->asked[0] == '/' && !rooted) {
		/* most paths cannot lead to the caller's own entry by their text; whose that is costs a look at /proc
		 */
		bool maybe = str_starts(o->asked, "/proc/") || str_starts(o->asked, "/dev/");
		if (maybe && trap_tgid(c) < 0)
			return -ESRCH;
		if (!maybe || !own_entry(c, o->asked, s->path, sizeof(s->path)))
			(void)snprintf(s->path, sizeof(s->path), "%s", o->asked);
		return 0;
	}
	int dir = caller_dir(c, dirfd);
	if (dir < 0)
		return dir;
	s->dir = dir;
	(void)snprintf(s->path, sizeof(s->path), "%s", o->asked);
	return 0;
}

/* Whether @number is a whole component of @path. */
static bool names(const char *path, const char *number)
{
	size_t n = strlen(number);
	for (const char *at = strstr(path, number); at; at = strstr(at + 1, number))
		if ((at == path || at[-1] == '/') && (at[n] == '/' || at[n] == '\0'))
			return true;
	return false;
}

/* The lookup ended in our own /proc entry: a link to /proc/self. Make it the caller's. */
static int reread_own(struct trap_call *c, struct object *o, uint64_t flags, uint64_t resolve)
{
	char prefix[32], other[PATH_MAX];
	if (!str_starts(o->path, "/proc/"))
		return 0;
	int n = snprintf(prefix, sizeof(prefix), "/proc/%d", (int)getpid());
	if (strncmp(o->path, prefix, (size_t)n) != 0 || (o->path[n] != '/' && o->path[n] != '\0'))
		return 0;
	/* whoever names the broker by its number means the broker, and is refused */
	if (names(o->asked, prefix + strlen("/proc/")))
		return 0;
	(void)snprintf(other, sizeof(other), "/proc/%d%s", (int)trap_tgid(c), o->path + n);
	close(steal_fd(&o->fd));
	int fd = open_how(AT_FDCWD, other, flags, resolve | RESOLVE_NO_MAGICLINKS);
	if (fd < 0)
		return fd;
	o->fd = fd;
	return fd_path(fd, o->path, sizeof(o->path), &o->st);
}

static int pin(struct trap_call *c, struct start *s, unsigned flags, uint64_t resolve, struct object *o)
{
	uint64_t how = O_PATH | (flags & RESOLVE_NOFOLLOW ? O_NOFOLLOW : 0);
	if (!s->path[0]) { /* the descriptor itself */
		o->fd = fcntl(s->dir, F_DUPFD_CLOEXEC, 3);
		if (o->fd < 0)
			return -errno;
	} else {
		int fd = open_how(s->dir, s->path, how, resolve | RESOLVE_NO_MAGICLINKS);
		if (fd < 0)
			return fd;
		o->fd = fd;
	}
	int rc = fd_path(o->fd, o->path, sizeof(o->path), &o->st);
	if (rc == 0)
		rc = reread_own(c, o, how, resolve);
	o->exists = rc == 0;
	return rc;
}

/* Split off the last component; the parent is pinned, the entry looked at without following it. */
static int pin_entry(struct trap_call *c, struct start *s, uint64_t resolve, struct object *o)
{
	size_t n = strlen(s->path);
	while (n > 1 && s->path[n - 1] == '/') {
		s->path[--n] = '\0';
		o->trailing_slash = true;
	}
	if (n == 0)
		return -ENOENT;
	char *slash = strrchr(s->path, '/');
	const char *name = slash ? slash + 1 : s->path;
	if (strlen(name) > NAME_MAX)
		return -ENAMETOOLONG;
	if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return -EBUSY; /* what the kernel says about making or removing these differs: see callers */
	memcpy(o->name, name, strlen(name) + 1);
	struct start up = {.dir = s->dir};
	if (slash)
		(void)snprintf(
			up.path, sizeof(up.path), "%.*s", slash == s->path ? 1 : (int)(slash - s->path), s->path);
	else
		(void)snprintf(up.path, sizeof(up.path), ".");
	struct object parent = {.fd = -1, .parent = -1};
	int rc = pin(c, &up, 0, resolve, &parent);
	if (rc < 0) {
		object_close(&parent);
		return rc;
	}
	o->parent = parent.fd;
	if (!S_ISDIR(parent.st.st_mode))
		return -ENOTDIR;
	int len = snprintf(o->path, sizeof(o->path), "%s/%s", strcmp(parent.path, "/") ? parent.path : "", o->name);
	if (len < 0 || (size_t)len >= sizeof(o->path))
		return -ENAMETOOLONG;
	o->fd = open_how(o->parent, o->name, O_PATH | O_NOFOLLOW, RESOLVE_NO_MAGICLINKS);
	o->exists = o->fd >= 0;
	if (o->exists)
		return fstat(o->fd, &o->st) < 0 ? -errno : 0;
	return o->fd == -ENOENT ? 0 : o->fd;
}

ssize_t object_read(struct trap_call *c, uint64_t path_addr, unsigned flags, struct object *o)
{
	/* not the whole of it, which is two pages that are written anyway */
	o->fd = o->parent = -1;
	o->exists = o->trailing_slash = o->native = false;
	o->st = (struct stat){0};
	o->name[0] = o->path[0] = o->asked[0] = '\0';
	return path_addr || !(flags & RESOLVE_EMPTY) ? trap_read_string(c, path_addr, o->asked, sizeof(o->asked)) : 0;
}

int object_resolve(
	struct trap_call *c, int dirfd, uint64_t path_addr, unsigned flags, uint64_t resolve, struct object *o)
{
	ssize_t n = object_read(c, path_addr, flags, o);
	return n < 0 ? (int)n : object_find(c, dirfd, flags, resolve, o);
}

int object_find(struct trap_call *c, int dirfd, unsigned flags, uint64_t resolve, struct object *o)
{
	struct start s;
	if (!o->asked[0]) {
		if (!(flags & RESOLVE_EMPTY))
			return -ENOENT;
		s.dir = caller_dir(c, dirfd);
		s.path[0] = '\0';
		if (s.dir < 0)
			return s.dir;
	} else {
		int rc = start_of(c, dirfd, resolve, o, &s);
		if (rc < 0)
			return rc;
		struct start other;
		rc = s.dir == AT_FDCWD && !(flags & (RESOLVE_PARENT | RESOLVE_NOFOLLOW))
			     ? follow_magic(c, s.path, &other, o)
			     : 0;
		if (rc < 0)
			return rc;
		if (o->native)
			return 0;
		if (rc > 0)
			s = other;
	}
	int rc = flags & RESOLVE_PARENT ? pin_entry(c, &s, resolve, o) : pin(c, &s, flags, resolve, o);
	if (s.dir >= 0)
		close(s.dir);
	if (rc < 0)
		object_close(o);
	return rc;
}

/* Pipes, sockets, anonymous and removed files: no path leads to them, so no rule is about them. */
static bool pathless(const struct stat *st)
{
	bool named = S_ISREG(st->st_mode) || S_ISDIR(st->st_mode) || S_ISLNK(st->st_mode) || S_ISCHR(st->st_mode) ||
		     S_ISBLK(st->st_mode);
	return !named || st->st_nlink == 0;
}

int object_of_fd(struct trap_call *c, int fd, struct object *o)
{
	*o = (struct object){.fd = -1, .parent = -1};
	int got = trap_get_fd(c, fd);
	if (got < 0)
		return got;
	o->fd = got;
	o->exists = true;
	(void)snprintf(o->asked, sizeof(o->asked), "descriptor %d", fd);
	int rc = fd_path(got, o->path, sizeof(o->path), &o->st);
	if (rc < 0 && !pathless(&o->st)) {
		object_close(o);
		return -EACCES; /* no rule can be found for it: too long a path, another mount namespace */
	}
	o->native = rc < 0;
	return 0;
}
