/* SPDX-License-Identifier: Apache-2.0 */
/* profile_show.c - `nono profile show`: a resolved profile, for people, programs and `run --config`. */
#include "cli/profile_commands.h"

#include "policy/policy.h"

/* ---- JSON ---------------------------------------------------------------------- */

/*
 * The order and presence of members that other tools rely on; what else is set follows.
 * `always`: present even when the profile says nothing.
 */
static const struct {
	const char *key;
	bool always;
} json_order[] = {
	{"security.signal_mode", false},
	{"security.process_info_mode", false},
	{"security.ipc_mode", false},
	{"security.capability_elevation", true},
	{"security.wsl2_proxy_policy", false},
	{"linux.af_unix_mediation", false},
	{"filesystem.allow", true},
	{"filesystem.read", true},
	{"filesystem.write", true},
	{"filesystem.allow_file", true},
	{"filesystem.read_file", true},
	{"filesystem.write_file", true},
	{"filesystem.deny", true},
	{"filesystem.bypass_protection", true},
	{"filesystem.suppress_save_prompt", true},
	{"groups.include", false},
	{"groups.exclude", false},
	{"commands.allow", false},
	{"commands.deny", false},
	{"network.block", true},
	{"network.network_profile", true},
	{"network.allow_domain", true},
	{"network.credentials", true},
	{"network.open_port", true},
	{"network.listen_port", true},
	{"network.upstream_proxy", true},
	{"network.upstream_bypass", true},
	{"workdir.access", true},
	{"rollback.exclude_patterns", true},
	{"rollback.exclude_globs", true},
	{"env_credentials", false},
	{"hooks", false},
	{"open_urls.allow_origins", false},
	{"open_urls.allow_localhost", false},
	{"allow_launch_services", false},
	{"allow_gpu", false},
	{"unsafe_macos_seatbelt_rules", false},
};

static bool is_ordered(const char *key)
{
	for (size_t i = 0; i < ARRAY_SIZE(json_order); i++)
		if (strcmp(json_order[i].key, key) == 0)
			return true;
	return false;
}

static int show_json(const struct profile *p)
{
	struct json_object *o = json_object_new_object();
	json_object_object_add(o, "name", json_text(p->meta.name ? p->meta.name : ""));
	json_object_object_add(o, "description", json_text(p->meta.description ? p->meta.description : ""));
	json_object_object_add(o, "extends", p->extends.n ? json_strings(&p->extends) : NULL);
	for (size_t i = 0; i < ARRAY_SIZE(json_order); i++) {
		const struct field *f = field_find(json_order[i].key);
		bool list = f->type == FIELD_ITEMS && f->nullable; /* network.credentials: a list here in any case */
		if (json_order[i].always || field_is_set(p, f))
			json_put_path(
				o, f->key, list && !field_is_set(p, f) ? json_object_new_array() : field_json(p, f));
	}
	for (size_t i = 0; i < n_profile_fields; i++) {
		const struct field *f = &profile_fields[i];
		if (!f->legacy_of && field_is_set(p, f) && !is_ordered(f->key) && !str_starts(f->key, "meta.") &&
			strcmp(f->key, "extends") != 0)
			json_put_path(o, f->key, field_json(p, f));
	}
	print_json(o);
	return 0;
}

/* ---- for people ------------------------------------------------------------------ */

struct view {
	const struct profile *p;
	struct expansion x;
	bool raw;
	const char *bold, *dim, *off;
};

static const struct {
	const char *prefix, *heading;
} headings[] = {
	{"groups.", "Security groups"},
	{"commands.", "Commands (start-up check of the name only)"},
	{"security.", "Security"},
	{"linux.", "Linux"},
	{"filesystem.", "Filesystem"},
	{"network.", "Network"},
	{"open_urls.", "Open URLs"},
	{"workdir.", "Working directory"},
	{"env_credentials", "Secrets in variables"},
	{"environment.", "Environment"},
	{"limits.", "Limits"},
	{"rollback.", "Rollback exclusions"},
	{"", "Other"},
};

static size_t heading_of(const char *key)
{
	size_t i = 0;
	while (!str_starts(key, headings[i].prefix))
		i++;
	return i;
}

static void print_item(const struct view *v, const struct field *f, const struct item *it)
{
	cleanup_strv struct strv to = {0};
	bool path = f->entry_key && strcmp(f->entry_key, "path") == 0;
	fputs("      ", stdout);
	if (path && !v->raw && profile_expand(&v->x, it, &to, NULL) == 0 &&
		!(to.n == 1 && strcmp(to.v[0], it->value) == 0)) {
		print_padded(it->value, 36);
		fputs(" ->", stdout);
		for (size_t i = 0; i < to.n; i++) {
			putchar(' ');
			print_padded(to.v[i], 0);
		}
	} else {
		print_padded(it->value, 0);
	}
	if (it->n_endpoints)
		printf(" (%zu endpoint rule%s)", it->n_endpoints, it->n_endpoints == 1 ? "" : "s");
	if (it->origin.label && v->p->meta.name && strcmp(it->origin.label, v->p->meta.name) != 0) {
		printf("  %sfrom ", v->dim);
		print_padded(it->origin.label, 0);
		fputs(v->off, stdout);
	}
	putchar('\n');
}

static void print_field(const struct view *v, const struct field *f)
{
	static const char *const both[] = {"filesystem.allow", "filesystem.allow_file"};
	const char *dot = strchr(f->key, '.'), *label = dot ? dot + 1 : f->key;
	const void *value = field_value(v->p, f);
	bool rw = strcmp(f->key, both[0]) == 0 || strcmp(f->key, both[1]) == 0;
	if (f->type == FIELD_ITEMS || f->type == FIELD_PORTS || f->type == FIELD_DOMAINS) {
		const struct items *l = value;
		printf("    %s%s:\n", label, rw ? " (r+w)" : "");
		for (size_t i = 0; i < l->n; i++)
			print_item(v, f, &l->v[i]);
	} else if (f->type == FIELD_SECRETS || f->type == FIELD_PAIRS) {
		const struct pairs *m = value;
		for (size_t i = 0; i < m->n; i++) {
			fputs("    ", stdout);
			print_padded(m->v[i].key, 0);
			fputs(f->type == FIELD_SECRETS ? " -> " : " = ", stdout);
			print_padded(m->v[i].value, 0);
			putchar('\n');
		}
	} else {
		struct json_object *o = field_json(v->p, f);
		printf("    %s: ", label);
		print_padded(json_object_is_type(o, json_type_string)
				     ? json_object_get_string(o)
				     : json_object_to_json_string_ext(o, JSON_C_TO_STRING_NOSLASHESCAPE),
			0);
		putchar('\n');
		json_object_put(o);
	}
}

static void show_head(const struct view *v)
{
	const struct profile *p = v->p;
	printf("%snono profile%s: profile '", v->bold, v->off);
	print_padded(p->meta.name ? p->meta.name : "", 0);
	puts("'");
	if (p->meta.description) {
		fputs("  Description: ", stdout);
		print_padded(p->meta.description, 0);
		putchar('\n');
	}
	for (size_t i = 0; i < p->extends.n; i++) {
		fputs(i ? ", " : "  Extends: ", stdout);
		print_padded(p->extends.v[i], 0);
	}
	if (p->extends.n)
		putchar('\n');
}

static int show_people(const struct profile *p, bool raw)
{
	bool color = use_color(STDOUT_FILENO);
	struct view v = {.p = p,
		.raw = raw,
		.bold = color ? "\033[1m" : "",
		.dim = color ? "\033[2m" : "",
		.off = color ? "\033[0m" : ""};
	cleanup_err struct err *e = NULL;
	if (expansion_init(&v.x, NULL, &e) < 0)
		return fail_with(e);
	show_head(&v);
	for (size_t h = 0; h < ARRAY_SIZE(headings); h++) {
		bool headed = false;
		for (size_t i = 0; i < n_profile_fields; i++) {
			const struct field *f = &profile_fields[i];
			if (f->legacy_of || !field_is_set(p, f) || heading_of(f->key) != h ||
				str_starts(f->key, "meta.") || strcmp(f->key, "extends") == 0)
				continue;
			if (!headed)
				printf("\n  %s%s%s\n", v.bold, headings[h].heading, v.off);
			headed = true;
			print_field(&v, f);
		}
	}
	expansion_free(&v.x);
	return 0;
}

/* ---- the command ------------------------------------------------------------------- */

int profile_show(const struct profile_args *a)
{
	const char *format = a->format ? a->format : "profile";
	cleanup_err struct err *e = NULL;
	cleanup_profile struct profile *p = profile_load(a->name, NULL, &e);
	if (!p)
		return fail_with(e);
	struct json_object *o = NULL;
	if (strcmp(format, "dump") == 0)
		o = profile_dump(p);
	else if (strcmp(format, "manifest") == 0)
		o = profile_manifest(p, &e);
	else if (strcmp(format, "profile") == 0)
		return a->json ? show_json(p) : show_people(p, a->raw);
	else
		err_set(&e, 0, "unknown format \"%s\": profile, dump or manifest", format);
	if (!o)
		return fail_with(e);
	print_json(o);
	return 0;
}

/*
 * What a manifest calls the path of a rule; NULL: nothing. It names existing paths only.
 * What leads to each program's own files (/dev/stdin) leads elsewhere when it is used.
 */
static const char *manifest_path(const struct rule *r)
{
	if (r->written && str_starts(r->written, "/dev/std"))
		return r->written;
	return r->path && r->path[0] == '/' && (r->deny || access(r->path, F_OK) == 0) ? r->path : NULL;
}

/* The widest access of all rules for a path. */
static void add_grant(struct json_object *grants, const struct rule *const *rules, size_t n, size_t i)
{
	unsigned access = 0;
	const char *path = manifest_path(rules[i]);
	for (size_t j = 0; j < n; j++) {
		const char *other = rules[j]->deny ? NULL : manifest_path(rules[j]);
		if (!other || strcmp(other, path) != 0)
			continue;
		if (j < i)
			return; /* was added with the first one */
		access |= rules[j]->access;
	}
	bool r = access & (ACCESS_READ | ACCESS_EXEC), w = access & ACCESS_WRITE;
	struct json_object *o = json_object_new_object();
	json_object_object_add(o, "path", json_text(path));
	json_object_object_add(o, "access", json_text(r && w ? "readwrite" : w ? "write" : "read"));
	json_object_object_add(o, "type", json_text(rules[i]->exact ? "file" : "directory"));
	json_object_array_add(grants, o);
}

static struct json_object *manifest_files(const struct policy *policy)
{
	struct json_object *fs = json_object_new_object(), *grants = json_object_new_array(),
			   *deny = json_object_new_array();
	size_t n;
	const struct rule *const *rules = policy_rules(policy, &n);
	for (size_t i = 0; i < n; i++) {
		const struct rule *r = rules[i];
		if (!manifest_path(r) || r->never)
			continue;
		if (r->deny) {
			struct json_object *o = json_object_new_object();
			json_object_object_add(o, "path", json_text(r->path));
			json_object_array_add(deny, o);
		} else {
			add_grant(grants, rules, n, i);
		}
	}
	json_object_object_add(fs, "grants", grants);
	json_object_object_add(fs, "deny", deny);
	return fs;
}

static struct json_object *manifest_network(const struct profile *p, const struct policy_settings *s)
{
	static const char *const modes[] = {
		[NET_OPEN] = "unrestricted", [NET_FILTERED] = "proxy", [NET_BLOCKED] = "blocked"};
	struct json_object *o = json_object_new_object(), *hosts = json_object_new_array(),
			   *ports = json_object_new_object();
	struct items listed = {0};
	if (p->network.profile)
		network_profile_hosts(p->network.profile, &listed);
	for (size_t i = 0; i < listed.n; i++)
		json_object_array_add(hosts, json_text(listed.v[i].value));
	items_free(&listed);
	for (size_t i = 0; i < p->network.allow_domain.n; i++)
		json_object_array_add(hosts, json_text(p->network.allow_domain.v[i].value));
	json_object_object_add(o, "mode", json_text(modes[s->net_mode]));
	json_object_object_add(o, "allow_domains", hosts);
	json_object_object_add(ports, "connect", field_json(p, field_find("network.connect_port")));
	json_object_object_add(ports, "bind", field_json(p, field_find("network.listen_port")));
	json_object_object_add(ports, "localhost", field_json(p, field_find("network.open_port")));
	json_object_object_add(o, "ports", ports);
	return o;
}

static struct json_object *manifest_process(const struct profile *p)
{
	struct json_object *o = json_object_new_object();
	static const char *const keys[] = {"security.signal_mode", "security.process_info_mode", "security.ipc_mode"};
	static const char *const defaults[] = {"isolated", "isolated", "shared_memory_only"};
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		const struct field *f = field_find(keys[i]);
		json_object_object_add(
			o, strchr(keys[i], '.') + 1, field_is_set(p, f) ? field_json(p, f) : json_text(defaults[i]));
	}
	return o;
}

struct json_object *profile_manifest(const struct profile *p, struct err **e)
{
	struct expansion x;
	if (expansion_init(&x, NULL, e) < 0)
		return NULL;
	struct policy_env env = {.expansion = &x, .cwd_granted = p->workdir != WORKDIR_NONE};
	struct policy *policy = policy_compile(p, &env, e);
	struct json_object *o = NULL;
	if (policy) {
		const struct policy_settings *s = policy_settings(policy);
		o = json_object_new_object();
		json_object_object_add(o, "version", json_text("0.1.0"));
		json_object_object_add(o, "filesystem", manifest_files(policy));
		json_object_object_add(o, "network", manifest_network(p, s));
		json_object_object_add(o, "process", manifest_process(p));
		if (s->limits.memory_bytes) {
			struct json_object *r = json_object_new_object();
			json_object_object_add(
				r, "memory_bytes", json_object_new_int64((int64_t)s->limits.memory_bytes));
			json_object_object_add(o, "resources", r);
		}
	}
	policy_free(policy);
	expansion_free(&x);
	return o;
}
