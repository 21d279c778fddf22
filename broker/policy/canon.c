/* SPDX-License-Identifier: Apache-2.0 */
/*
 * canon.c - canonical paths, cheaply.
 *
 * A path that exists costs three system calls: open it O_PATH, stat it, and read
 * back from /proc/self/fd what the kernel calls it. Most paths of the deny groups
 * do not exist and share their parents, so resolved parents are remembered.
 */
#include "policy/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>

struct canon_entry {
	char *asked, *path;
};

/* The kernel's name of @fd; NULL for what has none (pipes, deleted files). */
static char *name_of(int fd)
{
	char link[32], buf[PATH_MAX];
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, buf, sizeof(buf) - 1);
	if (n <= 0 || buf[0] != '/' || (size_t)n == sizeof(buf) - 1)
		return NULL;
	buf[n] = '\0';
	if (str_ends(buf, " (deleted)"))
		return NULL;
	return xstrdup(buf);
}

/* Canonical form of a directory that may not exist; borrowed from the cache. */
static const char *canon_parent(struct canon *c, const char *dir)
{
	for (size_t i = 0; i < c->n; i++)
		if (strcmp(c->parents[i].asked, dir) == 0)
			return c->parents[i].path;
	struct stat st;
	bool exists;
	char *path = canon_path(c, dir, &st, &exists);
	if (c->n == c->cap) {
		c->cap = c->cap ? c->cap * 2 : 16;
		c->parents = xreallocarray(c->parents, c->cap, sizeof(*c->parents));
	}
	c->parents[c->n++] = (struct canon_entry){.asked = xstrdup(dir), .path = path};
	return path;
}

char *canon_place(struct canon *c, const char *path)
{
	cleanup_free char *clean = path_clean(path);
	if (strcmp(clean, "/") == 0)
		return steal_ptr(&clean);
	cleanup_free char *dir = path_dir(clean);
	return path_join(canon_parent(c, dir), path_base(clean));
}

char *canon_path(struct canon *c, const char *path, struct stat *st, bool *exists)
{
	cleanup_fd int fd = open(path, O_PATH | O_CLOEXEC);
	*exists = false;
	if (fd >= 0 && fstat(fd, st) == 0) {
		char *name = name_of(fd);
		if (!name)
			name = realpath(path, NULL);
		if (name) {
			*exists = true;
			return name;
		}
	}
	return canon_place(c, path);
}

void canon_free(struct canon *c)
{
	for (size_t i = 0; i < c->n; i++) {
		free(c->parents[i].asked);
		free(c->parents[i].path);
	}
	free(c->parents);
	*c = (struct canon){0};
}
