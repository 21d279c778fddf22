/* SPDX-License-Identifier: Apache-2.0 */
/* profile_list.c - `nono profile list` and `groups`: what there is to choose from. */
#include "cli/profile_commands.h"

#include <dirent.h>

/* ---- profiles ----------------------------------------------------------------- */

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Names of the user's profile files, sorted. */
static void user_names(const char *dir, struct strv *out)
{
	DIR *d = opendir(dir);
	if (!d)
		return; /* nobody has to have profiles */
	for (const struct dirent *entry = readdir(d); entry; entry = readdir(d)) {
		const char *dot = strrchr(entry->d_name, '.');
		if (!dot || (strcmp(dot, ".json") != 0 && strcmp(dot, ".jsonc") != 0))
			continue;
		cleanup_free char *name = xstrndup(entry->d_name, (size_t)(dot - entry->d_name));
		if (profile_name_valid(name) && !strv_has(out, name))
			strv_add(out, name);
	}
	closedir(d);
	if (out->n)
		qsort(out->v, out->n, sizeof(*out->v), by_text);
}

/* One row; the name loads what a run with that name would. */
static void list_row(struct json_object *rows, const char *name, const char *source)
{
	cleanup_err struct err *e = NULL;
	cleanup_profile struct profile *p = profile_load(name, NULL, &e);
	struct json_object *row = json_object_new_object();
	json_object_object_add(row, "name", json_text(name));
	json_object_object_add(row, "source", json_text(source));
	json_object_object_add(row, "pack", NULL);
	if (p) {
		json_object_object_add(row, "description", json_text(p->meta.description ? p->meta.description : ""));
		json_object_object_add(row, "extends", json_strings(&p->extends));
	} else {
		json_object_object_add(row, "error", json_text(err_msg(e)));
	}
	json_object_array_add(rows, row);
}

static void print_row(struct json_object *row)
{
	struct json_object *error = json_object_object_get(row, "error");
	struct json_object *extends = json_object_object_get(row, "extends");
	fputs("    ", stdout);
	print_padded(json_object_get_string(json_object_object_get(row, "name")), 16);
	putchar(' ');
	if (error) {
		fputs("[error: ", stdout);
		print_padded(json_object_get_string(error), 0);
		puts("]");
		return;
	}
	print_padded(json_object_get_string(json_object_object_get(row, "description")), 42);
	for (size_t i = 0; extends && i < json_object_array_length(extends); i++) {
		fputs(i ? ", " : " extends ", stdout);
		print_padded(json_object_get_string(json_object_array_get_idx(extends, i)), 0);
	}
	putchar('\n');
}

int profile_list(const struct profile_args *a)
{
	cleanup_free char *config = config_dir();
	cleanup_free char *dir = path_join(config, "profiles");
	cleanup_strv struct strv own = {0};
	user_names(dir, &own);
	struct json_object *rows = json_object_new_array();
	size_t n_builtin = 0;
	for (size_t i = 0; i < n_embedded_files; i++) {
		const char *name = embedded_files[i].name;
		if (embedded_is_profile(&embedded_files[i]) && !strv_has(&own, name)) {
			list_row(rows, name, "built-in");
			n_builtin++;
		}
	}
	for (size_t i = 0; i < own.n; i++) {
		const struct embedded *hidden = embedded_find(own.v[i]);
		list_row(rows, own.v[i], hidden && embedded_is_profile(hidden) ? "user (overrides built-in)" : "user");
	}
	if (a->json) {
		print_json(rows);
		return 0;
	}
	printf("nono profile: %zu profiles\n\n  Built-in:\n", json_object_array_length(rows));
	for (size_t i = 0; i < json_object_array_length(rows); i++) {
		if (i == n_builtin) {
			fputs("\n  User (", stdout);
			print_padded(dir, 0);
			puts("):");
		}
		print_row(json_object_array_get_idx(rows, i));
	}
	json_object_put(rows);
	return 0;
}

/* ---- groups -------------------------------------------------------------------- */

/* The lists of a group, by the dotted key they have in JSON. */
static const struct {
	const char *key;
	size_t offset;
	bool paths;
} group_lists[] = {
	{"allow.read", offsetof(struct group, allow_read), true},
	{"allow.write", offsetof(struct group, allow_write), true},
	{"allow.readwrite", offsetof(struct group, allow_readwrite), true},
	{"allow.names", offsetof(struct group, allow_names), true},
	{"deny.access", offsetof(struct group, deny_access), true},
	{"deny.commands", offsetof(struct group, deny_commands), false},
};

static const struct items *group_items(const struct group *g, size_t i)
{
	return (const struct items *)((const char *)g + group_lists[i].offset);
}

static struct json_object *group_head(const struct group *g)
{
	struct json_object *o = json_object_new_object();
	json_object_object_add(o, "name", json_text(g->name));
	json_object_object_add(o, "description", json_text(g->description ? g->description : ""));
	json_object_object_add(o, "platform", json_text(g->platform ? g->platform : "cross-platform"));
	json_object_object_add(o, "required", json_object_new_boolean(g->required));
	return o;
}

static struct json_object *path_json(const struct expansion *x, const struct item *it)
{
	struct json_object *o = json_object_new_object();
	cleanup_strv struct strv to = {0};
	json_object_object_add(o, "raw", json_text(it->value));
	bool known = profile_expand(x, it, &to, NULL) == 0 && to.n;
	json_object_object_add(o, "expanded", json_text(known ? to.v[0] : it->value));
	return o;
}

/* @x: NULL for numbers of entries instead of the entries. */
static struct json_object *group_json(const struct group *g, const struct expansion *x)
{
	struct json_object *o = group_head(g);
	json_object_object_add(o, "allow", json_object_new_object());
	json_object_object_add(o, "deny", json_object_new_object());
	for (size_t i = 0; i < ARRAY_SIZE(group_lists); i++) {
		const struct items *l = group_items(g, i);
		if (!l->n)
			continue;
		struct json_object *v = x ? json_object_new_array() : json_object_new_int64((int64_t)l->n);
		for (size_t j = 0; x && j < l->n; j++)
			json_object_array_add(
				v, group_lists[i].paths ? path_json(x, &l->v[j]) : json_text(l->v[j].value));
		json_put_path(o, group_lists[i].key, v);
	}
	if (g->deny_unlink)
		json_put_path(o, "deny.unlink", json_object_new_boolean(true));
	return o;
}

static void group_print(const struct group *g, const struct expansion *x)
{
	fputs("nono profile: group '", stdout);
	print_padded(g->name, 0);
	printf("'\n  Description: %s\n  Platform: %s\n  Required: %s\n", g->description ? g->description : "",
		g->platform ? g->platform : "cross-platform", g->required ? "yes" : "no");
	for (size_t i = 0; i < ARRAY_SIZE(group_lists); i++) {
		const struct items *l = group_items(g, i);
		if (l->n)
			printf("\n  %s:\n", group_lists[i].key);
		for (size_t j = 0; j < l->n; j++) {
			cleanup_strv struct strv to = {0};
			fputs("    ", stdout);
			bool more = group_lists[i].paths && profile_expand(x, &l->v[j], &to, NULL) == 0 && to.n &&
				    strcmp(to.v[0], l->v[j].value) != 0;
			print_padded(l->v[j].value, more ? 36 : 0);
			if (more) {
				fputs(" -> ", stdout);
				print_padded(to.v[0], 0);
			}
			putchar('\n');
		}
	}
	if (g->deny_unlink)
		puts("\n  deny.unlink: enabled");
}

static int show_group(const struct profile_args *a)
{
	const struct group *g = group_find(a->name);
	cleanup_err struct err *e = NULL;
	struct expansion x;
	if (!g) {
		err_set(&e, 0, "unknown policy group \"%s\"; `nono profile groups` lists them", a->name);
		return fail_with(e);
	}
	if (expansion_init(&x, NULL, &e) < 0)
		return fail_with(e);
	if (a->json)
		print_json(group_json(g, &x));
	else
		group_print(g, &x);
	expansion_free(&x);
	return 0;
}

int profile_groups(const struct profile_args *a)
{
	if (a->name)
		return show_group(a);
	size_t n;
	const struct group *const *all = group_list(&n);
	struct json_object *rows = a->json ? json_object_new_array() : NULL;
	for (size_t i = 0; i < n; i++) {
		const struct group *g = all[i];
		if (!a->all_platforms && !on_this_platform(g))
			continue;
		if (rows) {
			json_object_array_add(rows, group_json(g, NULL));
			continue;
		}
		fputs("    ", stdout);
		print_padded(g->name, 36);
		putchar(' ');
		print_padded(g->description ? g->description : "", 42);
		printf(" %s%s\n", g->platform ? g->platform : "cross-platform", g->required ? "  required" : "");
	}
	if (rows)
		print_json(rows);
	return 0;
}
