/* SPDX-License-Identifier: Apache-2.0 */
/*
 * openers.h - the programs that open pages and files, and where they stand.
 *
 * Shared by the broker, which makes an entry for each of them first in the tree's
 * PATH, and the shim, which leads executions by path to these entries. Uses no libc.
 */
#ifndef NONO_OPENERS_H
#define NONO_OPENERS_H

#include <stdbool.h>
#include <stddef.h>

/** struct opener - one name. Holds no pointers, which would have to be relocated in every program. */
struct opener {
	char name[20];
	bool other_uses; /* it does more than opening: then only with one of these words, separated by blanks */
	char words[24];  /* none: without a word */
};

/* The first is BROWSER's. */
static const struct opener openers[] = {
	{"nono-browser", false, ""},
	{"xdg-open", false, ""},
	{"sensible-browser", false, ""},
	{"x-www-browser", false, ""},
	{"www-browser", false, ""},
	{"gnome-www-browser", false, ""},
	{"gnome-open", false, ""},
	{"kde-open", false, ""},
	{"kde-open5", false, ""},
	{"dde-open", false, ""},
	{"wslview", false, ""},
	{"open", false, ""},
	{"gio", true, "open"},
	{"qtxdg-mat", true, "open"},
	{"kfmclient", true, "openURL exec newTab"},
	{"exo-open", false, ""},
};
#define N_OPENERS (sizeof(openers) / sizeof(openers[0]))
/* The session's directories: <run>/OPENERS_DIR/<name>, <run>/TREE_SOCKET_NAME. */
#define OPENERS_DIR "open"
#define TREE_SOCKET_NAME "nono.sock"

static inline bool opener_same(const char *a, const char *b, size_t n)
{
	size_t i = 0;
	while (i < n && a[i] == b[i] && b[i])
		i++;
	return i == n && b[n] == '\0';
}

/** opener_named() - the opener called @name, @n bytes; NULL. */
static inline const struct opener *opener_named(const char *name, size_t n)
{
	for (size_t i = 0; i < N_OPENERS; i++)
		if (opener_same(name, openers[i].name, n))
			return &openers[i];
	return NULL;
}

/**
 * opener_at() - the opener that stands at @path by custom: in a directory of the system, or
 * xdg-open wherever it is (programs bring a copy of that script).
 */
static inline const struct opener *opener_at(const char *path)
{
	static const char dirs[][20] = {"/usr/bin/", "/bin/", "/usr/local/bin/", "/snap/bin/", "/etc/alternatives/"};
	size_t dir = 0, n = 0;
	for (; path[n]; n++)
		if (path[n] == '/')
			dir = n + 1;
	const struct opener *o = dir < n && n - dir < 32 ? opener_named(path + dir, n - dir) : NULL;
	if (!o || o == &openers[0])
		return NULL;
	if (o == &openers[1])
		return o;
	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
		if (opener_same(path, dirs[i], dir))
			return o;
	return NULL;
}

#endif
