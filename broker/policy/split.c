/* SPDX-License-Identifier: Apache-2.0 */
/*
 * split.c - from rules with denies to rules the kernel can hold.
 *
 * Theory of operation
 * -------------------
 * Landlock only allows, and binds to inodes that exist now. A granted directory
 * that hides something is therefore granted entry by entry around what it hides,
 * recursively down to it; only the directories on the way are read, so the cost is
 * their number of entries, never the size of the trees in them. The directory
 * itself gets no right at all (a right to list it would hold for everything below,
 * the denied path included), so listing it and making entries in it is the broker's.
 *
 * Symbolic links are skipped: a rule would land on their target. Files with several
 * hard links are skipped as well: the rule would follow the inode, and another name
 * may lie in the denied place. The broker serves them by path.
 *
 * /proc is always granted around its numbered entries, and /dev around /dev/pts: see proc.c.
 */
#include "policy/internal.h"

#include <ctype.h>
#include <fcntl.h>

/* Beyond these a split directory stays with the broker as a whole. */
#define MAX_ENTRIES 4096
#define MAX_RULES 16384

struct split {
	struct policy *p;
	size_t rules;
};

static unsigned hidden_at(const struct node *n)
{
	if (!n)
		return 0;
	unsigned mask = n->reopen ? 0 : n->never_mask;
	return n->deny ? mask | ACCESS_READ | ACCESS_WRITE | ACCESS_EXEC : mask;
}

/* All that is granted at @path by rules at or above it, as a decision would see it. */
static unsigned granted_at(const struct map *m, const char *path)
{
	unsigned mask = 0;
	uint32_t hash = HASH_SEED;
	for (size_t i = 0; path[i]; i++) {
		hash = hash_step(hash, path[i]);
		if (i != 0 && path[i + 1] != '/' && path[i + 1] != '\0')
			continue;
		const struct node *n = map_find(m, path, i + 1, hash);
		if (!n)
			continue;
		if (n->deny)
			mask = 0;
		mask |= n->beneath_mask;
	}
	return mask;
}

static void emit(struct split *s, const char *path, unsigned access, bool exact, dev_t dev, ino_t ino)
{
	if (!access)
		return;
	struct node *n = map_add(&s->p->map, path);
	if ((access & ACCESS_WRITE) && !exact &&
		((granted_at(&s->p->map, path) & ACCESS_READ) || s->p->settings.supervision == SUPERVISION_OFF))
		access |= KERNEL_CREATE;
	if (exact)
		n->kernel_exact |= (uint8_t)access;
	else
		n->kernel_beneath |= (uint8_t)access;
	n->no_broker = strcmp(path, "/dev/pts") == 0;
	cleanup_free char *dir = path_dir(path);
	n->replaceable = exact || (granted_at(&s->p->map, dir) & ACCESS_WRITE);
	n->dev = dev;
	n->ino = ino;
	s->rules++;
}

static void split_dir(struct split *s, const char *dir, unsigned access, dev_t dev, ino_t ino);

/* Whether the numbered entries of /proc must stay out. */
static bool hides_processes(const struct split *s, const char *dir)
{
	return strcmp(dir, "/proc") == 0 && s->p->settings.process_info_mode != SCOPE_ALL;
}

static void split_entry(struct split *s, int dirfd, const char *dir, const char *name, unsigned access)
{
	struct stat st;
	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || S_ISLNK(st.st_mode))
		return;
	if (hides_processes(s, dir) && isdigit((unsigned char)name[0]))
		return;
	cleanup_free char *path = path_join(dir, name);
	access &= ~hidden_at(map_get(&s->p->map, path));
	if (!access)
		return;
	if (S_ISDIR(st.st_mode))
		split_dir(s, path, access, st.st_dev, st.st_ino);
	else if (st.st_nlink <= 1 || !S_ISREG(st.st_mode))
		emit(s, path, access, true, st.st_dev, st.st_ino);
}

static void split_dir(struct split *s, const char *dir, unsigned access, dev_t dev, ino_t ino)
{
	struct node *n = map_get(&s->p->map, dir);
	unsigned hidden = n ? access & n->shelter_mask : 0;
	if (hides_processes(s, dir) || (strcmp(dir, "/") == 0 && s->p->settings.process_info_mode != SCOPE_ALL))
		hidden = access;
	emit(s, dir, access & ~hidden, false, dev, ino);
	if (!hidden)
		return;
	n = map_add(&s->p->map, dir);
	n->split = true;
	cleanup_dir DIR *d = opendir(dir);
	size_t entries = 0;
	for (struct dirent *de; d && (de = readdir(d));) {
		if (strcmp(de->d_name, ".") == 0 || strcmp(de->d_name, "..") == 0)
			continue;
		if (++entries > MAX_ENTRIES || s->rules > MAX_RULES) {
			say_info("%s has too many entries to grant one by one around %s; the rest goes through the "
				 "broker",
				dir, n->shelters ? n->shelters->path : "other processes");
			return;
		}
		split_entry(s, dirfd(d), dir, de->d_name, hidden);
	}
}

/* ---- the array ----------------------------------------------------------- */

/* Whether rules above @n already give what it would; devices keep theirs for their ioctl right. */
static bool redundant(const struct map *m, const struct node *n)
{
	if (path_beneath(n->path, "/dev"))
		return false;
	unsigned above = 0;
	uint32_t hash = HASH_SEED;
	for (size_t i = 0; i + 1 < n->len; i++) {
		hash = hash_step(hash, n->path[i]);
		if (i != 0 && n->path[i + 1] != '/')
			continue;
		const struct node *up = map_find(m, n->path, i + 1, hash);
		if (up)
			above |= up->kernel_beneath;
	}
	return !((n->kernel_beneath | n->kernel_exact) & ~above);
}

static void kernel_add(struct policy *p, const struct node *n)
{
	unsigned mask = n->kernel_beneath ? n->kernel_beneath : n->kernel_exact;
	if ((p->n_kernel & (p->n_kernel - 1)) == 0)
		p->kernel = xreallocarray(p->kernel, p->n_kernel ? p->n_kernel * 2 : 1, sizeof(*p->kernel));
	p->kernel[p->n_kernel++] = (struct kernel_rule){
		.path = n->path,
		.access = mask & ~KERNEL_CREATE,
		.exact = !n->kernel_beneath,
		.no_broker = n->no_broker,
		.write_only = n->kernel_beneath && (mask & ACCESS_WRITE) && !(mask & KERNEL_CREATE),
	};
}

void split_compile(struct policy *p)
{
	struct split s = {.p = p};
	size_t n_rules = p->n_rules;
	for (size_t i = 0; i < n_rules; i++) {
		const struct rule *r = p->rules[i];
		if (!r->access)
			continue;
		const struct node *n = map_get(&p->map, r->path);
		if (!n || n->pending)
			continue;
		if (r->exact)
			emit(&s, r->path, r->access, true, n->dev, n->ino);
		else
			split_dir(&s, r->path, r->access, n->dev, n->ino);
	}
	for (size_t b = 0; b < p->map.n_buckets; b++)
		for (struct node *n = p->map.bucket[b]; n; n = n->next)
			if ((n->kernel_beneath || n->kernel_exact) && redundant(&p->map, n))
				n->kernel_beneath = n->kernel_exact = 0;
	for (size_t b = 0; b < p->map.n_buckets; b++)
		for (struct node *n = p->map.bucket[b]; n; n = n->next)
			if (n->kernel_beneath || n->kernel_exact)
				kernel_add(p, n);
}

const struct kernel_rule *policy_kernel_rules(const struct policy *p, size_t *n)
{
	*n = p->n_kernel;
	return p->kernel;
}

bool policy_is_split(const struct policy *p, const char *dir)
{
	pthread_rwlock_rdlock((pthread_rwlock_t *)&p->lock);
	const struct node *n = map_get(&p->map, dir);
	bool split = n && n->split;
	pthread_rwlock_unlock((pthread_rwlock_t *)&p->lock);
	return split;
}
