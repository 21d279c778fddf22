/* SPDX-License-Identifier: Apache-2.0 */
/*
 * canon.c - canonical paths, cheaply.
 *
 * Rules share their directories, so canonical directories are remembered and most
 * paths cost one lstat of their last component, existing or not. What turns out
 * to be a link is opened O_PATH and named by the kernel.
 */
#include "policy/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>

struct canon_entry {
	uint32_t hash;
	char *asked, *path;
	bool exists;
	struct stat st;
};

/* The kernel's name of @fd, opened from @path; NULL for what has none (pipes, deleted files). */
static char *name_of(int fd, const char *path)
{
	char link[32], buf[PATH_MAX];
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, buf, sizeof(buf) - 1);
	if (n < 0)
		return realpath(path, NULL); /* no /proc here */
	if (n == 0 || buf[0] != '/' || (size_t)n == sizeof(buf) - 1)
		return NULL;
	buf[n] = '\0';
	if (str_ends(buf, " (deleted)"))
		return NULL;
	return xstrdup(buf);
}

/* Follow a link. Return: NULL when it leads nowhere or to something without a path. */
static char *follow(const char *path, struct stat *st)
{
	cleanup_fd int fd = open(path, O_PATH | O_CLOEXEC);
	if (fd < 0 || fstat(fd, st) < 0)
		return NULL;
	return name_of(fd, path);
}

static char *canon_clean(struct canon *c, const char *clean, struct stat *st, bool *exists);

/* Canonical form of a clean directory that may not exist; borrowed from the cache. */
static const struct canon_entry *canon_dir(struct canon *c, const char *dir)
{
	/* rules of one directory mostly follow each other */
	if (c->last && strcmp(c->last->asked, dir) == 0)
		return c->last;
	uint32_t hash = hash_bytes(HASH_SEED, dir, strlen(dir));
	for (size_t i = 0; i < c->n; i++)
		if (c->dirs[i]->hash == hash && strcmp(c->dirs[i]->asked, dir) == 0)
			return c->last = c->dirs[i];
	struct canon_entry *entry = xcalloc(1, sizeof(*entry));
	entry->hash = hash;
	entry->asked = xstrdup(dir);
	entry->path = canon_clean(c, dir, &entry->st, &entry->exists);
	if (c->n == c->cap) {
		c->cap = c->cap ? c->cap * 2 : 32;
		c->dirs = xreallocarray(c->dirs, c->cap, sizeof(struct canon_entry *));
	}
	c->dirs[c->n++] = entry;
	return c->last = entry;
}

static char *canon_clean(struct canon *c, const char *clean, struct stat *st, bool *exists)
{
	*exists = false;
	if (clean[1] == '\0') {
		*exists = lstat("/", st) == 0;
		return xstrdup("/");
	}
	cleanup_free char *up = path_dir(clean);
	const struct canon_entry *dir = canon_dir(c, up);
	char *place = path_join(dir->path, path_base(clean));
	if (!dir->exists || lstat(place, st) < 0)
		return place;
	if (!S_ISLNK(st->st_mode)) {
		*exists = true;
		return place;
	}
	char *target = follow(place, st);
	if (!target)
		return place;
	free(place);
	*exists = true;
	return target;
}

/* Whether removing "." and ".." as text could change what @path means. */
static bool has_dots(const char *path)
{
	for (const char *p = path; (p = strstr(p, "/.")); p++)
		if (p[2] == '/' || p[2] == '\0' || (p[2] == '.' && (p[3] == '/' || p[3] == '\0')))
			return true;
	return false;
}

/* path_clean() for paths that mostly are. */
static char *cleaned(const char *path)
{
	size_t n = strlen(path);
	if (n > 1 && path[n - 1] != '/' && !strstr(path, "//") && !has_dots(path))
		return xstrdup(path);
	return path_clean(path);
}

char *canon_place(struct canon *c, const char *path)
{
	cleanup_free char *clean = cleaned(path);
	if (clean[1] == '\0')
		return steal_ptr(&clean);
	cleanup_free char *dir = path_dir(clean);
	return path_join(canon_dir(c, dir)->path, path_base(clean));
}

char *canon_path(struct canon *c, const char *path, struct stat *st, bool *exists)
{
	if (has_dots(path)) {
		char *target = follow(path, st);
		*exists = target != NULL;
		if (target)
			return target;
	}
	cleanup_free char *clean = cleaned(path);
	return canon_clean(c, clean, st, exists);
}

void canon_free(struct canon *c)
{
	for (size_t i = 0; i < c->n; i++) {
		free(c->dirs[i]->asked);
		free(c->dirs[i]->path);
		free(c->dirs[i]);
	}
	free(c->dirs);
	*c = (struct canon){0};
}
