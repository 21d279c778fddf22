/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conflict.c - grants meet denies.
 *
 * A bypass lifts the denies at and below its path, and ends a deny that lies above
 * it; it grants nothing, so a grant of the person's or the profile's must cover it.
 * What a group grants inside a denied path is dropped. What a profile or a flag
 * grants there is an error that names both - except an exact file below a denied
 * directory: nobody writes that by accident.
 */
#include "policy/internal.h"

static bool by_intent(const struct origin *o)
{
	return o->source == SOURCE_PROFILE || o->source == SOURCE_USER;
}

void shelter(struct map *m, const char *path, const struct rule *r, unsigned mask)
{
	cleanup_free char *dir = xstrdup(path);
	while (strcmp(dir, "/") != 0) {
		char *up = path_dir(dir);
		free(dir);
		dir = up;
		struct node *n = map_add(m, dir);
		if (n->shelters && !(mask & ~(unsigned)n->shelter_mask))
			return; /* then everything above is marked as well */
		if (!n->shelters)
			n->shelters = r;
		n->shelter_mask |= (uint8_t)mask;
	}
}

const struct rule *denied_file(const struct policy *p, const struct stat *st)
{
	for (size_t i = 0; i < p->n_denied_files; i++)
		if (p->denied_files[i].dev == st->st_dev && p->denied_files[i].ino == st->st_ino)
			return p->denied_files[i].rule;
	return NULL;
}

/* ---- bypasses ------------------------------------------------------------ */

static bool covers(const struct wanted *w, const char *path)
{
	return w->exact ? strcmp(w->path, path) == 0 : path_beneath(path, w->path);
}

static int bypass_apply(struct compile *c, const struct bypass_entry *b, struct err **e)
{
	bool granted = false;
	size_t n = c->n_wanted; /* grants made below do not cover others */
	for (size_t i = 0; i < n; i++) {
		const struct wanted *w = &c->wanted[i];
		if (!by_intent(w->origin) || !covers(w, b->path))
			continue;
		granted = true;
		if (strcmp(w->path, b->path) == 0)
			continue;
		/* A deny between the grant and this path would hide it: grant it again below the deny. */
		cleanup_free char *written = xstrdup(w->written);
		unsigned access = w->access;
		const struct origin *origin = w->origin;
		struct wanted *again = want(c, xstrdup(b->path), written, access, origin);
		again->exact = !S_ISDIR(b->st.st_mode);
		again->exists = b->exists;
		again->st = b->st;
	}
	if (!granted)
		return err_set(e, 0,
			"bypass_protection %s has no matching grant: it only lifts the protection, add for example "
			"--read%s %s",
			b->path, S_ISDIR(b->st.st_mode) ? "" : "-file", b->path);
	for (size_t i = 0; i < c->n_denies; i++)
		if (path_beneath(c->denies[i].path, b->path))
			c->denies[i].lifted = true;
	return 0;
}

static void denies_insert(struct compile *c)
{
	struct policy *p = c->p;
	for (size_t i = 0; i < c->n_denies; i++) {
		const struct deny_entry *d = &c->denies[i];
		if (d->lifted)
			continue;
		struct rule *r = rule_new(p, d->path, d->written, d->origin);
		r->deny = true;
		struct node *n = map_add(&p->map, d->path);
		if (!n->deny)
			n->deny = r;
		shelter(&p->map, d->path, r, ACCESS_READ | ACCESS_WRITE | ACCESS_EXEC);
		if (d->ino) {
			p->denied_files =
				xreallocarray(p->denied_files, p->n_denied_files + 1, sizeof(struct denied_file));
			p->denied_files[p->n_denied_files++] = (struct denied_file){d->dev, d->ino, r};
		}
	}
	for (size_t i = 0; i < c->n_bypasses; i++)
		map_add(&p->map, c->bypasses[i].path)->bypass = true;
}

/* ---- grants -------------------------------------------------------------- */

struct cover {
	const struct rule *deny, *never;
	unsigned never_mask;
};

/* What hides @path, itself included. */
static struct cover cover_find(const struct map *m, const char *path)
{
	struct cover cover = {0};
	uint32_t hash = HASH_SEED;
	for (size_t i = 0; path[i]; i++) {
		hash = hash_step(hash, path[i]);
		bool end = path[i + 1] == '/' || path[i + 1] == '\0';
		if (!end && i != 0)
			continue;
		const struct node *n = map_find(m, path, i + 1, hash);
		if (!n)
			continue;
		if (n->bypass)
			cover.deny = NULL;
		if (n->deny)
			cover.deny = n->deny;
		if (n->never) {
			cover.never = n->never;
			cover.never_mask |= n->never_mask;
		}
		if (n->reopen)
			cover.never_mask = 0;
	}
	return cover;
}

enum fate { KEEP, DROP, FAIL };

static enum fate never_fate(struct wanted *w, const struct cover *cover, struct err **e)
{
	if (!(cover->never_mask & w->access) || w->origin->source == SOURCE_SYSTEM)
		return KEEP;
	if (w->origin->source == SOURCE_GROUP)
		return DROP;
	if (!(cover->never_mask & ACCESS_READ)) {
		say("%s: nono's own configuration is never writable from inside; granting the rest", w->path);
		w->access &= ~cover->never_mask;
		return w->access ? KEEP : DROP;
	}
	cleanup_free char *by = w->origin->label ? xasprintf("%s ", w->origin->label) : xstrdup("");
	err_set(e, 0, "%s%s is inside nono's own state (%s), which is never reachable from inside", by, w->written,
		cover->never->path);
	return FAIL;
}

static enum fate deny_fate(const struct policy *p, const struct wanted *w, const struct cover *cover, struct err **e)
{
	/* A rule of the kernel's follows the inode: granting another hard link grants the denied name. */
	const struct rule *deny = cover->deny;
	if (!deny && w->exact)
		deny = denied_file(p, &w->st);
	if (!deny)
		return KEEP;
	if (!by_intent(w->origin))
		return DROP;
	/* a directory of a profile's that is not there grants nothing yet */
	if (!w->exists && !w->exact && w->origin->source == SOURCE_PROFILE)
		return DROP;
	if (w->exact && cover->deny && strcmp(w->path, deny->path) != 0 && denied_file(p, &w->st) == NULL)
		return KEEP;
	cleanup_free char *rule = rule_describe(deny);
	const char *label = w->origin->label ? w->origin->label : "";
	err_set(e, 0, "%s %s: %s is protected by %s; to grant it all the same add --bypass-protection %s", label,
		w->written, w->path, rule, w->path);
	return FAIL;
}

static void set_better(const struct rule **slot, const struct rule *r)
{
	if (!*slot || r->origin.source > (*slot)->origin.source)
		*slot = r;
}

/*
 * Whether the right to write a file is also one to replace it: for files and sockets
 * that somebody named. Not for devices, and not for what a group lists (/dev/null, or the
 * file that standard output happens to be).
 */
static bool may_replace(const struct wanted *w)
{
	return w->exact && (w->access & ACCESS_WRITE) && by_intent(w->origin) &&
	       (!w->exists || S_ISREG(w->st.st_mode) || S_ISSOCK(w->st.st_mode));
}

static void grant_insert(struct policy *p, const struct wanted *w)
{
	struct rule *r = rule_new(p, w->path, w->written, w->origin);
	r->access = w->access;
	r->exact = w->exact;
	struct node *n = map_add(&p->map, w->path);
	for (unsigned bit = 1; bit < 1U << ACCESS_BITS; bit <<= 1)
		if (w->access & bit)
			set_better(w->exact ? &n->exact[access_index(bit)] : &n->beneath[access_index(bit)], r);
	if (w->exact)
		n->exact_mask |= (uint8_t)w->access;
	else
		n->beneath_mask |= (uint8_t)w->access;
	if (!w->exists)
		n->pending = true;
	else if (!n->ino) {
		n->dev = w->st.st_dev;
		n->ino = w->st.st_ino;
	}
	if (may_replace(w)) {
		n->replace = true;
		cleanup_free char *dir = path_dir(w->path);
		map_add(&p->map, dir)->file_grants = true;
	}
}

int conflict_resolve(struct compile *c, struct err **e)
{
	struct policy *p = c->p;
	for (size_t i = 0; i < c->n_bypasses; i++)
		if (bypass_apply(c, &c->bypasses[i], e) < 0)
			return -1;
	size_t n_never = p->n_rules;
	for (size_t i = 0; i < n_never; i++)
		if (p->rules[i]->never)
			shelter(&p->map, p->rules[i]->path, p->rules[i],
				map_get(&p->map, p->rules[i]->path)->never_mask);
	denies_insert(c);
	shelter(&p->map, "/dev/pts", p->terminal_rule, ACCESS_READ | ACCESS_WRITE | ACCESS_EXEC);
	for (size_t i = 0; i < c->n_wanted; i++) {
		struct wanted *w = &c->wanted[i];
		struct cover cover = cover_find(&p->map, w->path);
		enum fate fate = never_fate(w, &cover, e);
		if (fate == KEEP)
			fate = deny_fate(p, w, &cover, e);
		if (fate == FAIL)
			return -1;
		if (fate == DROP)
			continue;
		grant_insert(p, w);
		if (cover.never && w->origin->source == SOURCE_SYSTEM)
			map_get(&p->map, w->path)->reopen = true;
	}
	return 0;
}
