/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load.c - finding profiles and resolving what they extend.
 *
 * Lookup of a name: the user's NAME.jsonc, then NAME.json, then the built-in
 * profile. A base is looked for beside the file that names it first; a user
 * profile that extends its own name reaches the built-in it shadows. Bases are
 * merged from left to right, the profile itself last.
 */
#include "profile/fields.h"
#include "profile/jsonc.h"

#include <errno.h>

#define MAX_DEPTH 10

struct load {
	const char *stack[MAX_DEPTH + 2]; /* files or names being resolved, outermost first */
	size_t depth;
	struct items default_groups; /* of the built-in default profile, once it was loaded */
};

bool profile_name_valid(const char *name)
{
	size_t n = strlen(name);
	return n && strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-") == n &&
	       name[0] != '-' && name[n - 1] != '-';
}

static bool is_path(const char *ref)
{
	return strchr(ref, '/') || str_ends(ref, ".json") || str_ends(ref, ".jsonc");
}

char *user_profile_path(const char *name)
{
	cleanup_free char *dir = config_dir();
	static const char *const endings[] = {"jsonc", "json"};
	for (size_t i = 0; i < ARRAY_SIZE(endings); i++) {
		char *path = xasprintf("%s/profiles/%s.%s", dir, name, endings[i]);
		if (access(path, F_OK) == 0)
			return path;
		free(path);
	}
	return NULL;
}

static struct profile *from_jsonc(const char *file, struct jsonc *j, struct err **e)
{
	cleanup_profile struct profile *p = profile_new();
	cleanup_free char *base = xstrdup(path_base(file));
	char *dot = strrchr(base, '.');
	if (dot)
		*dot = '\0';
	p->file = xstrdup(file);
	int rc = profile_from_json(p, j->root, j, SOURCE_PROFILE, base, e);
	jsonc_free(j);
	return rc < 0 ? NULL : steal_ptr(&p);
}

static struct profile *load_file(const char *file, struct err **e)
{
	struct jsonc j;
	return jsonc_read(file, &j, e) < 0 ? NULL : from_jsonc(file, &j, e);
}

static struct profile *load_builtin(const char *name, struct err **e)
{
	const struct embedded *data = embedded_find(builtin_canonical(name));
	if (!data || !embedded_is_profile(data))
		return NULL;
	struct json_object *root = json_tokener_parse(data->text);
	cleanup_profile struct profile *p = profile_new();
	int rc = root ? profile_from_json(p, root, NULL, SOURCE_PROFILE, data->name, e)
		      : err_set(e, 0, "built-in profile %s is damaged", data->name);
	json_object_put(root);
	return rc < 0 ? NULL : steal_ptr(&p);
}

static int fail_not_found(const char *name, struct err **e)
{
	const char *names[64];
	size_t n = 0;
	for (size_t i = 0; i < n_embedded_files && n < ARRAY_SIZE(names); i++)
		if (embedded_is_profile(&embedded_files[i]))
			names[n++] = embedded_files[i].name;
	const char *near = str_nearest(name, names, n);
	cleanup_free char *dir = config_dir();
	return err_set(e, 0, "profile not found: %s (neither %s/profiles/%s.json nor a built-in profile)%s%s%s", name,
		dir, name, near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}

/* One level: the file or built-in itself. @key receives what identifies it in the stack. */
static struct profile *load_one(
	struct load *l, const char *ref, const char *beside, const char *own_file, char **key, struct err **e)
{
	if (is_path(ref)) {
		if (!beside && !str_starts(ref, ".") && !str_starts(ref, "/") && !str_starts(ref, "~") &&
			!str_ends(ref, ".json") && !str_ends(ref, ".jsonc")) {
			err_set(e, 0, "%s looks like a pack reference; packs are not supported. For a file write ./%s",
				ref, ref);
			return NULL;
		}
		*key = realpath(ref, NULL);
		if (!*key) {
			err_set(e, errno, "cannot open profile %s", ref);
			return NULL;
		}
		return load_file(*key, e);
	}
	if (!profile_name_valid(ref)) {
		err_set(e, 0,
			"invalid profile name \"%s\": letters, digits and inner dashes only (a file needs a '/' or "
			"ends in .json)",
			ref);
		return NULL;
	}
	cleanup_free char *file = NULL;
	if (beside) {
		cleanup_free char *dir = path_dir(beside);
		file = xasprintf("%s/%s.json", dir, ref);
		if (access(file, F_OK) != 0 || (own_file && strcmp(file, own_file) == 0)) {
			free(file);
			file = NULL;
		}
	}
	if (!file)
		file = user_profile_path(ref);
	/* a user profile that extends its own name means the built-in one */
	cleanup_free char *real = file ? realpath(file, NULL) : NULL;
	if (real && !(own_file && strcmp(real, own_file) == 0)) {
		*key = xstrdup(real);
		return load_file(real, e);
	}
	*key = xasprintf("built-in %s", builtin_canonical(ref));
	struct profile *p = load_builtin(ref, e);
	if (!p && (!e || !*e))
		fail_not_found(ref, e);
	if (p && strcmp(ref, "default") == 0 && !l->default_groups.n)
		for (size_t i = 0; i < p->groups_include.n; i++)
			items_append(&l->default_groups, &p->groups_include.v[i]);
	return p;
}

static int fail_cycle(const struct load *l, const char *key, struct err **e)
{
	cleanup_buf struct buf b = {0};
	for (size_t i = 0; i < l->depth; i++)
		buf_addf(&b, "%s extends ", l->stack[i]);
	return err_set(e, 0, "profiles extend each other in a circle: %s%s", b.data ? b.data : "", key);
}

static struct profile *resolve(struct load *l, const char *ref, const char *beside, const char *own_file,
	const struct strv *extra, struct err **e);

/* @loaded with its bases below it; takes it. @key says in the stack what it is. */
static struct profile *resolve_bases(struct load *l, struct profile *loaded, const char *ref, const char *key,
	const struct strv *extra, struct err **e)
{
	cleanup_profile struct profile *p = loaded;
	for (size_t i = 0; i < l->depth; i++)
		if (strcmp(l->stack[i], key) == 0) {
			fail_cycle(l, key, e);
			return NULL;
		}
	if (l->depth > MAX_DEPTH) {
		err_set(e, 0, "%s: profiles extend each other more than %d levels deep", key, MAX_DEPTH);
		return NULL;
	}
	cleanup_strv struct strv bases = {0};
	for (size_t i = 0; extra && i < extra->n; i++)
		strv_add(&bases, extra->v[i]);
	for (size_t i = 0; i < p->extends.n; i++)
		strv_add(&bases, p->extends.v[i]);
	l->stack[l->depth++] = key;
	cleanup_profile struct profile *all = NULL;
	for (size_t i = 0; i < bases.n; i++) {
		if (is_path(bases.v[i])) {
			err_set(e, 0, "%s: extends takes profile names, not paths: %s", key, bases.v[i]);
			return NULL;
		}
		cleanup_profile struct profile *base = resolve(l, bases.v[i], p->file, p->file, NULL, e);
		if (!base) {
			err_wrap(e, "%s extends %s", ref, bases.v[i]);
			return NULL;
		}
		struct profile *sum = all ? profile_merge(all, base) : NULL;
		if (sum) {
			profile_free(all);
			all = sum;
		} else {
			all = steal_ptr(&base);
		}
		strv_add(&all->resolved_from, builtin_canonical(bases.v[i]));
	}
	l->depth--;
	if (!all)
		return steal_ptr(&p);
	struct profile *merged = profile_merge(all, p);
	for (size_t i = 0; i < p->extends.n; i++)
		strv_add(&merged->extends, p->extends.v[i]);
	return merged;
}

static struct profile *resolve(struct load *l, const char *ref, const char *beside, const char *own_file,
	const struct strv *extra, struct err **e)
{
	cleanup_free char *key = NULL;
	struct profile *p = load_one(l, ref, beside, own_file, &key, e);
	return p ? resolve_bases(l, p, ref, key, extra, e) : NULL;
}

/* The default profile's groups come first for every profile but itself. Takes what @l has of them. */
static int add_default_groups(struct load *l, struct profile *p, struct err **e)
{
	struct items all = l->default_groups;
	l->default_groups = (struct items){0};
	if (p->meta.name && strcmp(p->meta.name, "default") == 0) {
		items_free(&all);
		return 0;
	}
	cleanup_profile struct profile *def = all.n ? NULL : load_builtin("default", e);
	if (def) {
		all = def->groups_include;
		def->groups_include = (struct items){0};
	} else if (!all.n) {
		return -1;
	}
	for (size_t i = 0; i < p->groups_include.n; i++)
		if (!items_have(&all, p->groups_include.v[i].value))
			items_append(&all, &p->groups_include.v[i]);
	items_free(&p->groups_include);
	p->groups_include = all;
	return 0;
}

static const char *where(const struct item *it, char *buf, size_t n)
{
	if (it->origin.file && it->origin.line)
		(void)snprintf(buf, n, "%s:%u:%u: ", it->origin.file, it->origin.line, it->origin.column);
	else
		buf[0] = '\0';
	return buf;
}

static int check_groups(const struct profile *p, struct err **e)
{
	char at[512];
	for (size_t i = 0; i < p->groups_include.n; i++) {
		const struct item *it = &p->groups_include.v[i];
		if (group_find(it->value))
			continue;
		size_t n;
		const struct group *const *all = group_list(&n);
		const char *names[256];
		for (size_t j = 0; j < n && j < ARRAY_SIZE(names); j++)
			names[j] = all[j]->name;
		const char *near = str_nearest(it->value, names, n < ARRAY_SIZE(names) ? n : ARRAY_SIZE(names));
		return err_set(e, 0, "%sunknown policy group \"%s\"%s%s%s; `nono profile groups` lists them",
			where(it, at, sizeof(at)), it->value, near ? "; did you mean \"" : "", near ? near : "",
			near ? "\"?" : "");
	}
	for (size_t i = 0; i < p->groups_exclude.n; i++) {
		const struct item *it = &p->groups_exclude.v[i];
		const struct group *g = group_find(it->value);
		if (g && g->required)
			return err_set(e, 0, "%sgroup \"%s\" is required and cannot be excluded",
				where(it, at, sizeof(at)), it->value);
	}
	return 0;
}

struct profile *profile_load(const char *ref, const struct strv *extra_extends, struct err **e)
{
	struct load l = {0};
	cleanup_profile struct profile *p = resolve(&l, ref, NULL, NULL, extra_extends, e);
	if (!p || add_default_groups(&l, p, e) < 0 || check_groups(p, e) < 0) {
		items_free(&l.default_groups);
		err_wrap(e, "profile %s", ref);
		return NULL;
	}
	/* the name it was asked by counts as a name of it: "claude" is "claude-code" */
	if (!is_path(ref) && !strv_has(&p->resolved_from, builtin_canonical(ref)))
		strv_add(&p->resolved_from, builtin_canonical(ref));
	return steal_ptr(&p);
}

struct profile *profile_load_text(const char *file, const char *text, size_t len, struct err **e)
{
	struct jsonc j;
	if (jsonc_parse(file, text, len, &j, e) < 0)
		return NULL;
	struct load l = {0};
	struct profile *loaded = from_jsonc(file, &j, e);
	cleanup_profile struct profile *p = loaded ? resolve_bases(&l, loaded, file, file, NULL, e) : NULL;
	if (!p || add_default_groups(&l, p, e) < 0 || check_groups(p, e) < 0) {
		items_free(&l.default_groups);
		return NULL;
	}
	return steal_ptr(&p);
}

struct profile *profile_default(struct err **e)
{
	return profile_load("default", NULL, e);
}
