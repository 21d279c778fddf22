/* SPDX-License-Identifier: Apache-2.0 */
/*
 * parse.c - from a parsed document to a struct profile, by the field table.
 *
 * Unknown keys are errors with the nearest known key. A legacy key fills the
 * list of the key that replaced it, after that key's own values, with one
 * warning for each key and file.
 */
#include "profile/fields.h"
#include "profile/jsonc.h"
#include "proto/functions.h"

#include <ctype.h>

struct parse {
	struct profile *p;
	const struct jsonc *places;
	struct origin origin; /* source, label, file; line and column change */
	struct err **e;
	size_t at; /* index of the place found last: values come in the order of their places */
};
/* Values of legacy keys wait until the canonical keys of the file are in. */
struct legacy {
	const struct field *f;
	struct json_object *value;
	char *key;
};

static void locate(struct parse *x, const char *key)
{
	const struct jsonc_place *at = x->places ? jsonc_find_from(x->places, key, &x->at) : NULL;
	x->origin.line = at ? at->line : 0;
	x->origin.column = at ? at->column : 0;
}

static int fail(struct parse *x, const char *key, const char *what)
{
	locate(x, key);
	const char *file = x->places ? x->places->file : x->origin.label;
	if (x->origin.line)
		return err_set(x->e, 0, "%s:%u:%u: %s: %s", file, x->origin.line, x->origin.column, key, what);
	return err_set(x->e, 0, "%s: %s: %s", file, key, what);
}

static int fail_type(struct parse *x, const char *key, const char *wanted, struct json_object *got)
{
	cleanup_free char *what =
		xasprintf("must be %s, not %s", wanted, got ? json_type_to_name(json_object_get_type(got)) : "null");
	return fail(x, key, what);
}

static const char *as_string(struct json_object *o)
{
	return json_object_is_type(o, json_type_string) ? json_object_get_string(o) : NULL;
}

/* ---- values ------------------------------------------------------------------ */

/* Which of a field's names @s is; -1, and the error says which there are. */
static int choice(struct parse *x, const struct field *f, const char *key, const char *s)
{
	size_t n = 0;
	for (; f->names[n]; n++)
		if (s && strcmp(f->names[n], s) == 0)
			return (int)n;
	cleanup_buf struct buf b = {0};
	for (size_t i = 0; i < n; i++)
		buf_addf(&b, "%s\"%s\"", i ? ", " : "must be one of ", f->names[i]);
	if (s && str_nearest(s, f->names, n))
		buf_addf(&b, "; did you mean \"%s\"?", str_nearest(s, f->names, n));
	return fail(x, key, b.data);
}

static int parse_string(struct parse *x, const struct field *f, const char *key, struct json_object *o)
{
	char **slot = field_value(x->p, f);
	const char *s = as_string(o);
	if (!s && !(f->nullable && !o))
		return fail_type(x, key, "a string", o);
	if (s && f->names && choice(x, f, key, s) < 0)
		return -1;
	free(*slot);
	*slot = xstrdup(s);
	return 0;
}

static int parse_bool(struct parse *x, const struct field *f, const char *key, struct json_object *o)
{
	if (!o && f->nullable)
		return 0;
	if (!json_object_is_type(o, json_type_boolean))
		return fail_type(x, key, "true or false", o);
	*(int *)field_value(x->p, f) = json_object_get_boolean(o) ? TRI_TRUE : TRI_FALSE;
	return 0;
}

static int parse_enum(struct parse *x, const struct field *f, const char *key, struct json_object *o)
{
	if (!o && f->nullable)
		return 0;
	int n = choice(x, f, key, as_string(o));
	if (n < 0)
		return -1;
	*(int *)field_value(x->p, f) = f->first + n;
	return 0;
}

/*
 * {KEY: "...", when: P}: the string, NULL when the predicate does not hold.
 * Return: -1 on errors.
 */
static int parse_entry(struct parse *x, const char *key, const char *entry_key, struct json_object *o, const char **out)
{
	*out = NULL;
	struct json_object *value = NULL, *when = NULL;
	json_object_object_foreach(o, k, v)
	{
		if (strcmp(k, entry_key) == 0)
			value = v;
		else if (strcmp(k, "when") == 0)
			when = v;
		else {
			cleanup_free char *what =
				xasprintf("unknown key \"%s\" in an entry; known: %s, when", k, entry_key);
			return fail(x, key, what);
		}
	}
	const char *s = as_string(value);
	if (!s || !when) {
		cleanup_free char *what = xasprintf("an entry object needs \"%s\" and \"when\"", entry_key);
		return fail(x, key, what);
	}
	cleanup_err struct err *why = NULL;
	int holds = when_matches(when, &why);
	if (holds < 0)
		return fail(x, key, err_msg(why));
	*out = holds ? s : NULL;
	return 0;
}

static int parse_items(struct parse *x, const struct field *f, const char *key, struct json_object *o)
{
	if (!o && f->nullable)
		return 0;
	if (!json_object_is_type(o, json_type_array))
		return fail_type(x, key, "an array of strings", o);
	for (size_t i = 0; i < json_object_array_length(o); i++) {
		struct json_object *entry = json_object_array_get_idx(o, i);
		const char *s = as_string(entry);
		/* only for messages and places, which built-in profiles do not have */
		cleanup_free char *at = !s || x->places ? xasprintf("%s[%zu]", key, i) : NULL;
		if (!s && f->entry_key && json_object_is_type(entry, json_type_object)) {
			if (parse_entry(x, at, f->entry_key, entry, &s) < 0)
				return -1;
		} else if (!s) {
			return fail_type(
				x, at, f->entry_key ? "a string or an object with \"when\"" : "a string", entry);
		}
		if (!s)
			continue;
		locate(x, at);
		struct item *it = items_add(field_value(x->p, f), s, &x->origin);
		it->legacy_dir = f->legacy_of && strncmp(f->key, "policy.add_allow_", 17) == 0;
	}
	return 0;
}

static int parse_ports(struct parse *x, const struct field *f, const char *key, struct json_object *o)
{
	if (!json_object_is_type(o, json_type_array))
		return fail_type(x, key, "an array of port numbers", o);
	for (size_t i = 0; i < json_object_array_length(o); i++) {
		struct json_object *entry = json_object_array_get_idx(o, i);
		cleanup_free char *at = xasprintf("%s[%zu]", key, i);
		int64_t port = json_object_is_type(entry, json_type_int) ? json_object_get_int64(entry) : -1;
		if (port < 1 || port > 65535)
			return fail(x, at, "a port is a number from 1 to 65535");
		cleanup_free char *text = xasprintf("%d", (int)port);
		locate(x, at);
		items_add(field_value(x->p, f), text, &x->origin);
	}
	return 0;
}

static int parse_endpoints(struct parse *x, const char *key, struct json_object *list, struct item *it)
{
	if (!json_object_is_type(list, json_type_array))
		return fail_type(x, key, "an array of {method, path}", list);
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *rule = json_object_array_get_idx(list, i), *m = NULL, *path = NULL;
		cleanup_free char *at = xasprintf("%s[%zu]", key, i);
		if (json_object_is_type(rule, json_type_object)) {
			json_object_object_get_ex(rule, "method", &m);
			json_object_object_get_ex(rule, "path", &path);
		}
		const char *ps = as_string(path), *ms = m ? as_string(m) : "*";
		if (!ps || !ms || (ps[0] != '/' && ps[0] != '*'))
			return fail(x, at, "an endpoint is {\"method\": \"GET\" or \"*\", \"path\": \"/...\"}");
		it->endpoints = xreallocarray(it->endpoints, it->n_endpoints + 1, sizeof(*it->endpoints));
		it->endpoints[it->n_endpoints++] = (struct endpoint){xstrdup(ms), xstrdup(ps)};
	}
	return 0;
}

static int parse_domains(struct parse *x, const struct field *f, const char *key, struct json_object *o)
{
	if (!json_object_is_type(o, json_type_array))
		return fail_type(x, key, "an array of hosts", o);
	for (size_t i = 0; i < json_object_array_length(o); i++) {
		struct json_object *entry = json_object_array_get_idx(o, i), *domain = NULL, *list = NULL;
		cleanup_free char *at = xasprintf("%s[%zu]", key, i);
		const char *s = as_string(entry);
		if (!s && json_object_is_type(entry, json_type_object) &&
			json_object_object_get_ex(entry, "domain", &domain))
			s = as_string(domain);
		if (!s || !*s)
			return fail(x, at, "must be a host, or an object {\"domain\": host, \"endpoints\": [...]}");
		locate(x, at);
		struct item *it = items_add(field_value(x->p, f), s, &x->origin);
		if (domain && json_object_object_get_ex(entry, "endpoints", &list)) {
			cleanup_free char *where = xasprintf("%s.endpoints", at);
			if (parse_endpoints(x, where, list, it) < 0)
				return -1;
		}
	}
	return 0;
}

static int parse_pairs(struct parse *x, const struct field *f, const char *key, struct json_object *o)
{
	if (!json_object_is_type(o, json_type_object))
		return fail_type(x, key, "an object", o);
	json_object_object_foreach(o, k, v)
	{
		cleanup_free char *at = xasprintf("%s.%s", key, k);
		const char *s = as_string(v);
		if (!s && f->type == FIELD_SECRETS && json_object_is_type(v, json_type_object)) {
			if (parse_entry(x, at, "env_var", v, &s) < 0)
				return -1;
			if (!s)
				continue;
		} else if (!s) {
			return fail_type(x, at, "a string", v);
		}
		const char *name = f->type == FIELD_SECRETS ? s : k;
		bool shaped =
			*name && !(name[0] >= '0' && name[0] <= '9') &&
			strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_") == strlen(name);
		if (!shaped)
			return fail(x, at, "not a variable name (letters, digits, underscore)");
		if (f->type == FIELD_PAIRS && (strcmp(k, "PATH") == 0 || str_starts(k, "NONO_")))
			return fail(x, at, "PATH and NONO_ variables are nono's own");
		locate(x, at);
		pairs_set(field_value(x->p, f), k, s, &x->origin);
	}
	return 0;
}

static int parse_strv(struct parse *x, const struct field *f, const char *key, struct json_object *o)
{
	struct strv *out = field_value(x->p, f);
	if (!o && f->nullable)
		return 0;
	if (as_string(o)) {
		strv_add(out, as_string(o));
		return 0;
	}
	if (!json_object_is_type(o, json_type_array))
		return fail_type(x, key, "a string or an array of strings", o);
	for (size_t i = 0; i < json_object_array_length(o); i++) {
		const char *s = as_string(json_object_array_get_idx(o, i));
		if (!s)
			return fail(x, key, "must hold strings only");
		strv_add(out, s);
	}
	return 0;
}

static int parse_raw(struct parse *x, const struct field *f, const char *key, struct json_object *o)
{
	char **slot = field_value(x->p, f);
	if (!o && f->nullable)
		return 0;
	if (!o)
		return fail(x, key, "must be an object; leave the key out instead of null");
	if (!json_object_is_type(o, json_type_object))
		return fail_type(x, key, "an object", o);
	cleanup_free char *where = NULL, *problem = shape_problem(key, o, &where);
	if (problem)
		return fail(x, where, problem);
	free(*slot);
	*slot = json_object_object_length(o) ? xstrdup(json_object_to_json_string_ext(
						       o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE))
					     : NULL;
	locate(x, key);
	cleanup_free char *at = x->places ? xasprintf("%s:%u", x->places->file, x->origin.line) : NULL;
	if (*slot)
		pairs_set(&x->p->raw_at, f->key, at ? at : x->origin.label, &x->origin);
	return 0;
}

/* ---- open_urls.functions -------------------------------------------------------- */

enum type_use { RESULT_ONLY = 1, ARGUMENT_ONLY = 2, BOTH = 3 };
static const struct {
	const char *name;
	enum type_use use;
} function_types[] = {
#define TYPE(name_, letter, use_) {name_, use_},
	OPEN_FUNCTION_TYPES(TYPE)
#undef TYPE
};

/* Whether a type may be used so; if not, the error says which may. */
static int check_type(struct parse *x, const char *key, const char *type, enum type_use use)
{
	cleanup_buf struct buf b = {0};
	for (size_t i = 0; i < ARRAY_SIZE(function_types); i++) {
		if (!(function_types[i].use & use))
			continue;
		if (type && strcmp(function_types[i].name, type) == 0)
			return 0;
		buf_addf(&b, "%s%s", b.len ? ", " : "must be one of ", function_types[i].name);
	}
	return fail(x, key, b.data);
}

static int parse_symbol(struct parse *x, const char *at, struct json_object *o, struct open_function *fn)
{
	cleanup_free char *key = xasprintf("%s.symbol", at);
	const char *name = as_string(o);
	size_t n = 0;
	while (name && (isalnum((unsigned char)name[n]) || (name[n] && strchr("_.$@", name[n]))))
		n++;
	if (!name || n == 0 || name[n] || n > OPEN_FUNCTION_NAME || isdigit((unsigned char)name[0]))
		return fail(x, key, "must be the name of an exported function, such as \"gtk_show_uri\"");
	for (size_t i = 0; i < x->p->open_urls.n_functions; i++)
		if (strcmp(x->p->open_urls.functions[i].symbol, name) == 0)
			return fail(x, key, "this function is declared twice");
	fn->symbol = xstrdup(name);
	return 0;
}

static int parse_arguments(struct parse *x, const char *at, struct json_object *o, struct open_function *fn)
{
	cleanup_free char *key = xasprintf("%s.args", at);
	size_t n = json_object_is_type(o, json_type_array) ? json_object_array_length(o) : 0;
	if (n == 0 || n > OPEN_FUNCTION_ARGS)
		return fail(x, key, "must be an array of 1 to 16 types");
	for (size_t i = 0; i < n; i++) {
		cleanup_free char *one = xasprintf("%s[%zu]", key, i);
		const char *type = as_string(json_object_array_get_idx(o, i));
		if (check_type(x, one, type, ARGUMENT_ONLY) < 0)
			return -1;
		strv_add(&fn->args, type);
	}
	return 0;
}

static int parse_url_arg(struct parse *x, const char *at, struct json_object *o, struct open_function *fn)
{
	cleanup_free char *key = xasprintf("%s.url_arg", at);
	int64_t index = json_object_is_type(o, json_type_int) ? json_object_get_int64(o) : -1;
	if (index < 0 || (uint64_t)index >= fn->args.n) {
		cleanup_free char *what = xasprintf("must be the index of the URL in args, 0 to %zu", fn->args.n - 1);
		return fail(x, key, what);
	}
	fn->url_arg = (unsigned)index;
	if (strcmp(fn->args.v[index], "string") == 0)
		return 0;
	cleanup_free char *what =
		xasprintf("argument %d is of type %s, and a URL is a string", (int)index, fn->args.v[index]);
	return fail(x, key, what);
}

/* The type of the result, and what it is when the page was opened. */
static int parse_result(struct parse *x, const char *at, struct json_object *returns, struct json_object *value,
	struct open_function *fn)
{
	cleanup_free char *type_key = xasprintf("%s.returns", at), *key = xasprintf("%s.value", at);
	const char *type = returns ? as_string(returns) : "void";
	if (check_type(x, type_key, type, RESULT_ONLY) < 0)
		return -1;
	fn->returns = xstrdup(type);
	if (!value)
		return 0;
	int64_t v = json_object_get_int64(value);
	if (!json_object_is_type(value, json_type_int))
		return fail_type(x, key, "a whole number", value);
	if (strcmp(type, "void") == 0)
		return fail(x, key, "a function that returns void has no value");
	if ((strcmp(type, "int") == 0 && v != (int32_t)v) || (strcmp(type, "uint") == 0 && v != (uint32_t)v))
		return fail(x, key, "does not fit the type it returns");
	fn->value = (long)v;
	return 0;
}

static void function_free(struct open_function *fn)
{
	free(fn->symbol);
	free(fn->returns);
	strv_free(&fn->args);
}

static int parse_function(struct parse *x, const char *at, struct json_object *o)
{
	struct open_function fn = {0};
	struct json_object *symbol = NULL, *args = NULL, *url = NULL, *returns = NULL, *value = NULL;
	const struct {
		const char *key;
		struct json_object **slot;
	} keys[] = {{"symbol", &symbol}, {"args", &args}, {"url_arg", &url}, {"returns", &returns}, {"value", &value}};
	size_t known = 0;
	for (size_t i = 0; json_object_is_type(o, json_type_object) && i < ARRAY_SIZE(keys); i++)
		known += json_object_object_get_ex(o, keys[i].key, keys[i].slot);
	if (!json_object_is_type(o, json_type_object) || known != (size_t)json_object_object_length(o))
		return fail(x, at, "a function is {symbol, args, url_arg, returns, value} and nothing else");
	if (x->p->open_urls.n_functions == OPEN_FUNCTIONS_DECLARED)
		return fail(x, at, "no more than 16 functions can be declared");
	if (parse_symbol(x, at, symbol, &fn) < 0 || parse_arguments(x, at, args, &fn) < 0 ||
		parse_url_arg(x, at, url, &fn) < 0 || parse_result(x, at, returns, value, &fn) < 0) {
		function_free(&fn);
		return -1;
	}
	struct profile *p = x->p;
	p->open_urls.functions = xreallocarray(p->open_urls.functions, p->open_urls.n_functions + 1, sizeof(fn));
	p->open_urls.functions[p->open_urls.n_functions++] = fn;
	return 0;
}

static int parse_functions(struct parse *x, const struct field *f, const char *key, struct json_object *o)
{
	(void)f;
	if (!json_object_is_type(o, json_type_array))
		return fail_type(x, key, "an array of functions", o);
	for (size_t i = 0; i < json_object_array_length(o); i++) {
		cleanup_free char *at = xasprintf("%s[%zu]", key, i);
		if (parse_function(x, at, json_object_array_get_idx(o, i)) < 0)
			return -1;
	}
	return 0;
}

static int parse_ignored(struct parse *x, const struct field *f, const char *key, struct json_object *o)
{
	(void)f;
	return o && !as_string(o) ? fail_type(x, key, "a string", o) : 0;
}

typedef int parse_value(struct parse *x, const struct field *f, const char *key, struct json_object *o);
static parse_value *const parsers[FIELD_TYPE_COUNT] = {
	[FIELD_STRING] = parse_string,
	[FIELD_BOOL] = parse_bool,
	[FIELD_TRI] = parse_bool,
	[FIELD_ENUM] = parse_enum,
	[FIELD_ITEMS] = parse_items,
	[FIELD_PORTS] = parse_ports,
	[FIELD_DOMAINS] = parse_domains,
	[FIELD_SECRETS] = parse_pairs,
	[FIELD_PAIRS] = parse_pairs,
	[FIELD_STRV] = parse_strv,
	[FIELD_RAW] = parse_raw,
	[FIELD_FUNCTIONS] = parse_functions,
	[FIELD_IGNORED] = parse_ignored,
};

/* ---- sections ------------------------------------------------------------------ */

/* The last component of every key and alias directly below a section. */
static const char *nearest_key(const char *section, const char *name)
{
	static char names[256][48];
	const char *list[256];
	size_t n = 0, skip = strlen(section);
	for (size_t i = 0; i < n_profile_fields && n < ARRAY_SIZE(names); i++) {
		const char *key = profile_fields[i].key;
		if (skip && (strncmp(key, section, skip) != 0 || key[skip] != '.'))
			continue;
		const char *rest = key + (skip ? skip + 1 : 0);
		(void)snprintf(names[n], sizeof(names[n]), "%.*s", (int)strcspn(rest, "."), rest);
		list[n] = names[n];
		n++;
	}
	return str_nearest(name, list, n);
}

static int fail_unknown(struct parse *x, const char *section, const char *name, const char *key)
{
	const char *near = nearest_key(section, name);
	cleanup_free char *what = near ? xasprintf("unknown key; did you mean \"%s\"?", near) : xstrdup("unknown key");
	return fail(x, key, what);
}

/* Keys that say by their presence that something is given, even when empty or null. */
static void note_given(struct profile *p, const char *key, struct json_object *v)
{
	if (strcmp(key, "network.network_profile") == 0)
		p->network.profile_given = true;
	else if (strcmp(key, "network.credentials") == 0)
		p->network.credentials_given = v != NULL;
	else if (strcmp(key, "environment.allow_vars") == 0)
		p->environment.allow_given = v != NULL;
}

struct pending {
	struct legacy *v;
	size_t n;
};

static int parse_field(
	struct parse *x, const struct field *f, const char *key, struct json_object *v, struct pending *late)
{
	if (strcmp(key, f->key) != 0 && x->places && jsonc_find(x->places, f->key)) {
		cleanup_free char *what = xasprintf("is another spelling of \"%s\", which is given too", f->key);
		return fail(x, key, what);
	}
	if (f->legacy_of) {
		late->v = xreallocarray(late->v, late->n + 1, sizeof(*late->v));
		late->v[late->n++] = (struct legacy){f, v, xstrdup(key)};
		return 0;
	}
	note_given(x->p, f->key, v);
	return parsers[f->type](x, f, key, v);
}

static int parse_section(struct parse *x, const char *section, struct json_object *o, struct pending *late)
{
	json_object_object_foreach(o, k, v)
	{
		cleanup_free char *key = *section ? xasprintf("%s.%s", section, k) : xstrdup(k);
		const struct field *f = field_find(key);
		/* a dot inside a key is not a path */
		if (strchr(k, '.') || (!f && !field_is_section(key)))
			return fail_unknown(x, section, k, key);
		if (f) {
			if (parse_field(x, f, key, v, late) < 0)
				return -1;
			continue;
		}
		bool null_ok = strcmp(key, "environment") == 0 || strcmp(key, "open_urls") == 0;
		if (!v && null_ok)
			continue;
		if (!json_object_is_type(v, json_type_object))
			return fail_type(x, key, "an object", v);
		if (strcmp(key, "open_urls") == 0)
			x->p->open_urls.given = true;
		if (strcmp(key, "environment") == 0)
			x->p->environment.given = true;
		if (parse_section(x, key, v, late) < 0)
			return -1;
	}
	return 0;
}

static unsigned deprecated_keys;

unsigned profile_deprecated_keys(void)
{
	return deprecated_keys;
}

static int parse_legacy(struct parse *x, const struct legacy *l)
{
	if (json_object_is_type(l->value, json_type_array) && json_object_array_length(l->value)) {
		deprecated_keys++;
		say("warning: %s: deprecated key '%s', use '%s' instead", x->places ? x->places->file : x->origin.label,
			l->key, l->f->legacy_of);
	}
	return parsers[l->f->type](x, l->f, l->key, l->value);
}

int profile_from_json(struct profile *p, struct json_object *root, const struct jsonc *places, enum source source,
	const char *label, struct err **e)
{
	struct parse x = {.p = p,
		.places = places,
		.origin = {.source = source, .label = (char *)label, .file = places ? places->file : NULL},
		.e = e};
	struct pending late = {0};
	struct json_object *meta = NULL;
	int rc = parse_section(&x, "", root, &late);
	for (size_t i = 0; i < late.n; i++) {
		if (rc == 0)
			rc = parse_legacy(&x, &late.v[i]);
		free(late.v[i].key);
	}
	free(late.v);
	if (rc == 0 && json_object_object_get_ex(root, "meta", &meta) && !p->meta.name)
		rc = fail(&x, "meta", "needs a name");
	return rc;
}
