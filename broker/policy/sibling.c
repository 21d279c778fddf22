/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sibling.c - temporary neighbours of an exactly granted file.
 *
 * Programs replace a file by writing a temporary one beside it and renaming that
 * onto it, keep backups, and lock it by a neighbour's existence. The kernel's
 * exact rule covers the file alone, so the broker serves these names. The names
 * must be recognisably derived from the file's: "config.local" beside a granted
 * "config" is somebody's file, "config.lock" and "config.tmp.71.9" are not.
 *
 * For a file F the neighbours are
 *	F~   .#F   #F#
 *	F.SUFFIX and .F.SUFFIX, where SUFFIX is
 *		one of the words below, alone or followed by '.', '-' or '_' and anything,
 *		digits and dots (a time, a process id),
 *		six letters and digits with at least one digit or capital (mkstemp).
 */
#include "policy/internal.h"

#include <ctype.h>

static const char *const suffixes[] = {
	"tmp", "temp", "lock", "backup", "bak", "new", "old", "orig", "swp", "swo", "swx", "partial", "corrupted"};

static bool is_word(const char *s)
{
	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		size_t n = strlen(suffixes[i]);
		if (strncmp(s, suffixes[i], n) == 0 && (s[n] == '\0' || s[n] == '.' || s[n] == '-' || s[n] == '_'))
			return true;
	}
	return false;
}

static bool is_number(const char *s)
{
	size_t digits = 0;
	for (; *s; s++) {
		if (isdigit((unsigned char)*s))
			digits++;
		else if (*s != '.' || s[1] == '.' || s[1] == '\0')
			return false;
	}
	return digits > 0;
}

static bool is_random(const char *s)
{
	bool mixed = false;
	size_t n = 0;
	for (; s[n]; n++) {
		if (!isalnum((unsigned char)s[n]))
			return false;
		mixed = mixed || isdigit((unsigned char)s[n]) || isupper((unsigned char)s[n]);
	}
	return n == 6 && mixed;
}

static bool is_suffix(const char *s)
{
	return is_word(s) || is_number(s) || is_random(s);
}

/* The rule to write @dir/@name exactly, if there is one; @dir has @dir_len bytes and hash @h. */
static const struct rule *exact_rule(
	const struct policy *p, const char *path, size_t dir_len, const char *name, size_t len)
{
	/* Compare against the chain by hand: the name is not contiguous with its directory. */
	uint32_t h = hash_bytes(HASH_SEED, path, dir_len);
	if (dir_len > 1)
		h = hash_step(h, '/');
	h = hash_bytes(h, name, len);
	size_t skip = dir_len > 1 ? dir_len + 1 : 1;
	for (const struct node *n = p->map.bucket[h & (p->map.n_buckets - 1)]; n; n = n->next)
		if (n->hash == h && n->len == skip + len && memcmp(n->path, path, skip) == 0 &&
			memcmp(n->path + skip, name, len) == 0)
			return n->replace ? n->exact[access_index(ACCESS_WRITE)] : NULL;
	return NULL;
}

const struct rule *sibling_rule(const struct policy *p, const char *path)
{
	const char *base = path_base(path);
	size_t dir_len = (size_t)(base - path) > 1 ? (size_t)(base - path) - 1 : 1, len = strlen(base);
	const struct node *dir = map_find(&p->map, path, dir_len, hash_bytes(HASH_SEED, path, dir_len));
	if (!dir || !dir->file_grants || len < 2)
		return NULL;
	const struct rule *r = NULL;
	if (base[len - 1] == '~')
		r = exact_rule(p, path, dir_len, base, len - 1);
	if (!r && len > 2 && base[0] == '#' && base[len - 1] == '#')
		r = exact_rule(p, path, dir_len, base + 1, len - 2);
	if (!r && len > 2 && base[0] == '.' && base[1] == '#')
		r = exact_rule(p, path, dir_len, base + 2, len - 2);
	for (const char *dot = base + 1; !r && (dot = strchr(dot, '.')); dot++) {
		if (!is_suffix(dot + 1))
			continue;
		r = exact_rule(p, path, dir_len, base, (size_t)(dot - base));
		if (!r && base[0] == '.')
			r = exact_rule(p, path, dir_len, base + 1, (size_t)(dot - base) - 1);
	}
	return r;
}
