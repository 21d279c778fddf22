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

struct canon_entry {
	uint32_t hash;
	size_t len;
	char *asked, *path;
	bool exists;
	struct stat st;
};

/* Follow a link. Return: NULL when it leads nowhere or to something without a path. */
static char *follow(const char *path, struct stat *st)
{
	cleanup_fd int fd = open(path, O_PATH | O_CLOEXEC);
	if (fd < 0 || fstat(fd, st) < 0)
		return NULL;
	return path_of_fd(fd);
}

static char *canon_clean(struct canon *c, const char *clean, struct stat *st, bool *exists);

/* The length of the directory part of a clean path whose last component is @base. */
static size_t dir_length(const char *path, const char *base)
{
	return base - path > 1 ? (size_t)(base - path) - 1 : 1;
}

static bool asked_for(const struct canon_entry *entry, uint32_t hash, const char *path, size_t len)
{
	return entry->hash == hash && entry->len == len && memcmp(entry->asked, path, len) == 0;
}

/* Canonical form of the clean directory in the first @len bytes of @path, which may not exist; borrowed from the cache.
 */
static const struct canon_entry *canon_dir(struct canon *c, const char *path, size_t len)
{
	const uint32_t hash = hash_bytes(HASH_SEED, path, len);
	/* rules of one directory mostly follow each other */
	if (c->last && asked_for(c->last, hash, path, len))
		return c->last;
	for (size_t i = 0; i < c->n; i++)
		if (asked_for(c->dirs[i], hash, path, len))
			return c->last = c->dirs[i];
	struct canon_entry *entry = xcalloc(1, sizeof(*entry));
	entry->hash = hash;
	entry->len = len;
	entry->asked = xstrndup(path, len);
	entry->path = canon_clean(c, entry->asked, &entry->st, &entry->exists);
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
	const char *base = path_base(clean);
	const struct canon_entry *dir = canon_dir(c, clean, dir_length(clean, base));
	char *place = path_join(dir->path, base);
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

/* How a path is written. Removing "." and ".." as text could change what it means. */
enum form { CLEAN, SLASHES, DOTS };

static enum form form_of(const char *path)
{
	enum form form = CLEAN;
	for (const char *p = path; (p = strchr(p, '/'));) {
		p++;
		if (*p == '/' || (*p == '\0' && p != path + 1))
			form = SLASHES;
		else if (*p == '.' && (p[1] == '/' || p[1] == '\0' || (p[1] == '.' && (p[2] == '/' || p[2] == '\0'))))
			return DOTS;
	}
	return form;
}

char *canon_place(struct canon *c, const char *path)
{
	cleanup_free char *changed = form_of(path) == CLEAN ? NULL : path_clean(path);
	const char *clean = changed ? changed : path;
	if (clean[1] == '\0')
		return xstrdup(clean);
	const char *base = path_base(clean);
	return path_join(canon_dir(c, clean, dir_length(clean, base))->path, base);
}

char *canon_path(struct canon *c, const char *path, struct stat *st, bool *exists)
{
	const enum form form = form_of(path);
	if (form == DOTS) {
		char *target = follow(path, st);
		*exists = target != NULL;
		if (target)
			return target;
	}
	cleanup_free char *changed = form == CLEAN ? NULL : path_clean(path);
	return canon_clean(c, changed ? changed : path, st, exists);
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
