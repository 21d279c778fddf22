/* SPDX-License-Identifier: Apache-2.0 */
/* groups.c - the effective policy groups of a profile, as grants, denies and denied program names. */
#include "policy/internal.h"

#include <errno.h>

#define READ_ACCESS (ACCESS_READ | ACCESS_EXEC)

static void group_grant(
	struct compile *c, const char *path, const struct item *it, unsigned access, const struct origin *origin)
{
	if (own_proc(path))
		return;
	struct stat st;
	bool exists;
	cleanup_free char *canonical = canon_path(&c->canon, path, &st, &exists);
	bool writable = access & ACCESS_WRITE;
	if (own_proc(canonical))
		return;
	if (!exists && !(writable && (access & ACCESS_READ)))
		return;
	/* A shared temporary directory that holds the home directory would open all of it. */
	const char *home = c->env->expansion->home;
	if (writable && home && path_beneath(home, canonical)) {
		say_info("group %s: %s holds the home directory, not granted", origin->label, path);
		return;
	}
	struct wanted *w = want(c, steal_ptr(&canonical), it->value, access, origin);
	w->exists = exists;
	w->exact = exists && !S_ISDIR(st.st_mode);
	if (exists)
		w->st = st;
}

static int group_list_compile(
	struct compile *c, const struct items *l, unsigned access, const struct origin *origin, struct err **e)
{
	for (size_t i = 0; i < l->n; i++) {
		cleanup_strv struct strv paths = {0};
		if (profile_expand(c->env->expansion, &l->v[i], &paths, e) < 0)
			return err_wrap(e, "group %s: cannot expand %s", origin->label, l->v[i].value);
		for (size_t k = 0; k < paths.n; k++) {
			if (access)
				group_grant(c, paths.v[k], &l->v[i], access, origin);
			else
				deny_path(c, paths.v[k], l->v[i].value, origin);
		}
	}
	return 0;
}

static int names_compile(struct compile *c, const struct items *l, const struct origin *origin, struct err **e)
{
	for (size_t i = 0; i < l->n; i++) {
		cleanup_strv struct strv paths = {0};
		if (profile_expand(c->env->expansion, &l->v[i], &paths, e) < 0)
			return err_wrap(e, "group %s: cannot expand %s", origin->label, l->v[i].value);
		for (size_t k = 0; k < paths.n; k++) {
			struct stat st;
			bool exists;
			cleanup_free char *dir = canon_path(&c->canon, paths.v[k], &st, &exists);
			cleanup_free char *written = xasprintf("the names in %s", l->v[i].value);
			if (exists && S_ISDIR(st.st_mode))
				map_add(&c->p->map, dir)->names = rule_aside(c->p, dir, written, origin);
		}
	}
	return 0;
}

static void commands_compile(struct compile *c, const struct items *l, const struct origin *origin)
{
	struct policy *p = c->p;
	for (size_t i = 0; i < l->n; i++) {
		if (items_have(&c->profile->commands_allow, l->v[i].value))
			continue;
		struct rule *r = rule_aside(p, l->v[i].value, l->v[i].value, origin);
		r->deny = true;
		p->commands = xreallocarray(p->commands, p->n_commands + 1, sizeof(struct rule *));
		p->commands[p->n_commands++] = r;
	}
}

static int group_compile(struct compile *c, const struct group *g, struct err **e)
{
	/* Rules keep a copy; the borrowed form serves until conflict.c has run. */
	struct origin *origin = xcalloc(1, sizeof(*origin));
	*origin = (struct origin){.source = SOURCE_GROUP, .label = (char *)g->name};
	c->origins = xreallocarray(c->origins, c->n_origins + 1, sizeof(struct origin *));
	c->origins[c->n_origins++] = origin;
	if (group_list_compile(c, &g->allow_read, READ_ACCESS, origin, e) < 0 ||
		group_list_compile(c, &g->allow_write, ACCESS_WRITE, origin, e) < 0 ||
		group_list_compile(c, &g->allow_readwrite, READ_ACCESS | ACCESS_WRITE, origin, e) < 0 ||
		names_compile(c, &g->allow_names, origin, e) < 0 ||
		group_list_compile(c, &g->deny_access, 0, origin, e) < 0)
		return -1;
	commands_compile(c, &g->deny_commands, origin);
	return 0;
}

int groups_compile(struct compile *c, struct err **e)
{
	const struct profile *p = c->profile;
	for (size_t i = 0; i < p->groups_exclude.n; i++) {
		const struct group *g = group_find(p->groups_exclude.v[i].value);
		if (g && g->required)
			return err_set(e, 0, "group %s is required and cannot be excluded", g->name);
	}
	for (size_t i = 0; i < p->groups_include.n; i++) {
		const char *name = p->groups_include.v[i].value;
		if (items_have(&p->groups_exclude, name))
			continue;
		const struct group *g = group_find(name);
		if (!g)
			return err_set(e, 0, "unknown policy group %s", name);
		if (g->platform && strcmp(g->platform, "linux") != 0)
			continue;
		if (group_compile(c, g, e) < 0)
			return -1;
	}
	static const struct origin profile_origin = {.source = SOURCE_PROFILE, .label = (char *)"commands.deny"};
	commands_compile(c, &p->commands_deny, &profile_origin);
	return 0;
}

const struct rule *policy_command_denied(const struct policy *p, const char *basename)
{
	for (size_t i = 0; i < p->n_commands; i++)
		if (strcmp(p->commands[i]->path, basename) == 0)
			return p->commands[i];
	return NULL;
}
