/* SPDX-License-Identifier: Apache-2.0 */
/* profile_check.c - `nono profile validate` and `diff`. */
#include "cli/profile_commands.h"

#include "policy/policy.h"
#include "secrets/secrets.h"

/* ---- validate ------------------------------------------------------------------- */

/* "https://host" or "https://host:port": only what is written like an origin can equal one. */
static bool origin_shaped(const char *s)
{
	const char *host = str_starts(s, "https://") ? s + 8 : str_starts(s, "http://") ? s + 7 : "";
	return *host && !host[strcspn(host, "/?#@ ")];
}

void profile_problems(const struct profile *p, struct strv *warnings)
{
	for (size_t i = 0; i < n_profile_fields; i++) {
		const struct field *f = &profile_fields[i];
		if (f->type != FIELD_ITEMS || f->legacy_of || !f->entry_key || strcmp(f->entry_key, "path") != 0)
			continue;
		const struct items *l = field_value(p, f);
		for (size_t j = 0; j < l->n; j++)
			if (!l->v[j].value[0])
				strv_addf(warnings, "%s: an empty path grants nothing", f->key);
	}
	for (size_t i = 0; i < p->open_urls.allow_origins.n; i++)
		if (!origin_shaped(p->open_urls.allow_origins.v[i].value))
			strv_addf(warnings,
				"open_urls.allow_origins: \"%s\" is no origin and matches nothing; write it like "
				"https://host",
				p->open_urls.allow_origins.v[i].value);
	for (size_t i = 0; i < p->env_credentials.n; i++) {
		cleanup_err struct err *e = NULL;
		if (secret_ref_check(p->env_credentials.v[i].key, &e) < 0 ||
			secret_variable_check(p->env_credentials.v[i].value, &e) < 0)
			strv_addf(warnings, "env_credentials: %s", err_msg(e));
	}
	for (size_t i = 0; i < p->groups_exclude.n; i++)
		if (!group_find(p->groups_exclude.v[i].value))
			strv_addf(warnings, "groups.exclude: there is no group \"%s\"", p->groups_exclude.v[i].value);
	profile_not_acted_on(p, warnings);
	if (p->session_hooks && !profile_is_own(p))
		strv_addf(warnings, "%s: session_hooks has no effect: " PROFILE_OWN_ONLY,
			profile_place(p, "session_hooks"));
}

/* What would keep a session from starting on this machine, in this directory. */
static void start_problems(const struct profile *p, struct strv *warnings)
{
	cleanup_err struct err *e = NULL;
	struct expansion x;
	if (expansion_init(&x, NULL, &e) == 0) {
		struct policy_env env = {.expansion = &x, .cwd_granted = p->workdir != WORKDIR_NONE};
		policy_free(policy_compile(p, &env, &e));
		expansion_free(&x);
	}
	if (e)
		strv_addf(warnings, "would not start here: %s", err_msg(e));
}

static void print_list(const char *mark, const struct strv *l)
{
	for (size_t i = 0; i < l->n; i++) {
		printf("  %s ", mark);
		print_padded(l->v[i], 0);
		putchar('\n');
	}
}

/* The file to check: a path, or the user's profile (draft) of that name. New string, or NULL with *e set. */
static char *file_to_check(const struct profile_args *a, struct err **e)
{
	if (!a->draft && (access(a->name, F_OK) == 0 || strchr(a->name, '/')))
		return xstrdup(a->name);
	char *file = a->draft ? profile_file_of("profile-drafts", a->name) : user_profile_path(a->name);
	if (file && access(file, F_OK) == 0)
		return file;
	free(file);
	err_set(e, 0, "profile file not found: %s is neither a file nor a %s of yours", a->name,
		a->draft ? "draft" : "profile");
	return NULL;
}

/* The profile to check, from a file or built in; *@file is what it is called. NULL with *e set. */
static struct profile *load_to_check(const struct profile_args *a, char **file, struct err **e)
{
	const struct embedded *data = embedded_find(builtin_canonical(a->name));
	*file = file_to_check(a, e);
	if (!*file && !a->draft && data && embedded_is_profile(data)) {
		err_free(e);
		*file = xstrdup(a->name);
		return profile_load_text(a->name, data->text, data->len, e);
	}
	cleanup_free char *text = NULL;
	size_t len = 0;
	return *file && file_read(*file, 1 << 20, &text, &len, e) == 0 ? profile_load_text(*file, text, len, e) : NULL;
}

int profile_validate(const struct profile_args *a)
{
	cleanup_err struct err *e = NULL;
	cleanup_strv struct strv errors = {0}, warnings = {0};
	cleanup_free char *file = NULL;
	cleanup_profile struct profile *p = load_to_check(a, &file, &e);
	if (p && policy_network_valid(p, &e) == 0) {
		profile_problems(p, &warnings);
		start_problems(p, &warnings);
	} else {
		strv_add(&errors, err_msg(e));
	}
	const bool valid = errors.n == 0;
	unsigned deprecated = profile_deprecated_keys();
	if (a->json) {
		struct json_object *o = json_object_new_object();
		json_object_object_add(o, "file", json_text(file ? file : a->name));
		json_object_object_add(o, "valid", json_object_new_boolean(valid));
		json_object_object_add(o, "errors", json_strings(&errors));
		json_object_object_add(o, "warnings", json_strings(&warnings));
		json_object_object_add(o, "deprecated_keys", json_object_new_int((int)deprecated));
		print_json(o);
	} else {
		fputs("nono profile: validating ", stdout);
		print_padded(file ? file : a->name, 0);
		putchar('\n');
		if (p)
			printf("  [ok]  JSON syntax valid\n  [ok]  All %zu group references valid\n",
				p->groups_include.n);
		print_list("[warn]", &warnings);
		print_list("[err] ", &errors);
		size_t n = valid ? warnings.n : errors.n;
		printf("Result: %s", valid ? "valid" : "invalid");
		if (n)
			printf(" (%zu %s%s)", n, valid ? "warning" : "error", n == 1 ? "" : "s");
		putchar('\n');
	}
	if (deprecated)
		say("found %u deprecated key%s; `nono profile guide` says what replaces them", deprecated,
			deprecated == 1 ? "" : "s");
	return !valid ? 1 : a->strict && deprecated ? 2 : 0;
}

/* ---- diff ----------------------------------------------------------------------- */

static bool array_has(struct json_object *a, struct json_object *v)
{
	for (size_t i = 0; i < json_object_array_length(a); i++)
		if (json_object_equal(json_object_array_get_idx(a, i), v))
			return true;
	return false;
}

/* What @a has and @b has not. */
static struct json_object *only_in(struct json_object *a, struct json_object *b)
{
	struct json_object *out = json_object_new_array();
	for (size_t i = 0; i < json_object_array_length(a); i++) {
		struct json_object *v = json_object_array_get_idx(a, i);
		if (!array_has(b, v))
			json_object_array_add(out, json_object_get(v));
	}
	return out;
}

static void print_change(char sign, const char *label, struct json_object *v)
{
	printf("  %c %s ", sign, label);
	print_padded(
		json_object_is_type(v, json_type_string)
			? json_object_get_string(v)
			: json_object_to_json_string_ext(v, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE),
		0);
	putchar('\n');
}

static void print_changes(char sign, const char *label, struct json_object *list)
{
	for (size_t i = 0; i < json_object_array_length(list); i++)
		print_change(sign, label, json_object_array_get_idx(list, i));
}

/* One key in both; @out is NULL for people. Return: whether it differs. */
static bool diff_field(
	const struct field *f, const struct profile *p1, const struct profile *p2, struct json_object *out)
{
	struct json_object *a = field_json(p1, f), *b = field_json(p2, f), *o = json_object_new_object();
	bool lists = json_object_is_type(a, json_type_array) && json_object_is_type(b, json_type_array), changed;
	if (lists) {
		struct json_object *added = only_in(b, a), *removed = only_in(a, b);
		changed = json_object_array_length(added) || json_object_array_length(removed);
		if (!out) {
			print_changes('-', f->key, removed);
			print_changes('+', f->key, added);
		}
		json_object_object_add(o, "added", added);
		json_object_object_add(o, "removed", removed);
	} else {
		changed = !json_object_equal(a, b);
		if (!out && changed) {
			print_change('-', f->key, a);
			print_change('+', f->key, b);
		}
		json_object_object_add(o, "profile1", json_object_get(a));
		json_object_object_add(o, "profile2", json_object_get(b));
		json_object_object_add(o, "changed", json_object_new_boolean(changed));
	}
	if (out)
		json_put_path(out, f->key, o);
	else
		json_object_put(o);
	json_object_put(a);
	json_object_put(b);
	return changed;
}

int profile_diff(const struct profile_args *a)
{
	cleanup_err struct err *e = NULL;
	cleanup_profile struct profile *p1 = profile_load(a->name, NULL, &e);
	cleanup_profile struct profile *p2 = p1 ? profile_load(a->other, NULL, &e) : NULL;
	if (!p2)
		return fail_with(e);
	struct json_object *out = a->json ? json_object_new_object() : NULL;
	bool changed = false;
	if (out) {
		json_object_object_add(out, "profile1", json_text(a->name));
		json_object_object_add(out, "profile2", json_text(a->other));
	} else {
		fputs("nono profile: diff '", stdout);
		print_padded(a->name, 0);
		fputs("' vs '", stdout);
		print_padded(a->other, 0);
		puts("'");
	}
	for (size_t i = 0; i < n_profile_fields; i++) {
		const struct field *f = &profile_fields[i];
		if (!f->legacy_of && f->type != FIELD_IGNORED && !str_starts(f->key, "meta.") &&
			strcmp(f->key, "extends") != 0)
			changed |= diff_field(f, p1, p2, out);
	}
	if (out)
		print_json(out);
	else if (!changed)
		puts("  (no differences)");
	return 0;
}
