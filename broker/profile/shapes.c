/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shapes.c - what is inside the objects that profiles keep as JSON text (FIELD_RAW).
 *
 * One row for each member, so that a misspelt one is an error there too. Objects
 * without a row are free: what reads them checks them.
 */
#include "profile/fields.h"

struct member {
	const char *object; /* dotted; '*' is any one name */
	const char *name;
	json_type type;
	bool required;
	const char *const *names; /* the choices of a string */
	bool duration;            /* a string like "24h" */
};

static const char *const ca_names[] = {"session", "trusted", NULL};
static const char *const inject_names[] = {"header", "url_path", "query_param", "basic_auth", NULL};
static const struct member members[] = {
	{"hooks.*", "event", json_type_string, true},
	{"hooks.*", "matcher", json_type_string, true},
	{"hooks.*", "script", json_type_string, true},
	{"session_hooks", "before", json_type_object},
	{"session_hooks", "after", json_type_object},
	{"session_hooks.*", "script", json_type_string, true},
	{"session_hooks.*", "timeout_secs", json_type_int},
	{"network.tls_intercept", "ca_lifecycle", json_type_string, false, ca_names},
	{"network.tls_intercept", "ca_validity", json_type_string, .duration = true},
	{"network.tls_intercept", "leaf_validity", json_type_string, .duration = true},
	{"network.custom_credentials.*", "upstream", json_type_string, true},
	{"network.custom_credentials.*", "credential_key", json_type_string},
	{"network.custom_credentials.*", "auth", json_type_object},
	{"network.custom_credentials.*", "aws_auth", json_type_object},
	{"network.custom_credentials.*", "env_var", json_type_string},
	{"network.custom_credentials.*", "inject_mode", json_type_string, false, inject_names},
	{"network.custom_credentials.*", "inject_header", json_type_string},
	{"network.custom_credentials.*", "credential_format", json_type_string},
	{"network.custom_credentials.*", "path_pattern", json_type_string},
	{"network.custom_credentials.*", "path_replacement", json_type_string},
	{"network.custom_credentials.*", "query_param_name", json_type_string},
	{"network.custom_credentials.*", "proxy", json_type_object},
	{"network.custom_credentials.*", "endpoint_rules", json_type_array},
	{"network.custom_credentials.*", "endpoint_policy", json_type_object},
	{"network.custom_credentials.*", "tls_ca", json_type_string},
	{"network.custom_credentials.*", "tls_client_cert", json_type_string},
	{"network.custom_credentials.*", "tls_client_key", json_type_string},
};

/* Names that a profile chooses, for objects whose members are not known here. */
static const char *const named_objects[] = {"credential_capture"};

/* Whether dotted @key is what @pattern says; only the last name of a pattern may be '*'. */
static bool is_object(const char *pattern, const char *key)
{
	size_t n = strlen(pattern);
	if (n < 2 || strcmp(pattern + n - 2, ".*") != 0)
		return strcmp(pattern, key) == 0;
	return strncmp(pattern, key, n - 1) == 0 && key[n - 1] && !strchr(key + n - 1, '.');
}

/* Whether a row describes objects below @key. */
static bool holds_objects(const char *key)
{
	for (size_t i = 0; i < ARRAY_SIZE(named_objects); i++)
		if (strcmp(named_objects[i], key) == 0)
			return true;
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		size_t n = strlen(members[i].object);
		if (str_ends(members[i].object, ".*") && strlen(key) == n - 2 &&
			strncmp(members[i].object, key, n - 2) == 0)
			return true;
	}
	return false;
}

/* A number and its unit, more than nothing: 90s, 15m, 24h, 7d. */
static bool is_duration(const char *s)
{
	const size_t n = strspn(s, "0123456789");
	return n > 0 && n < 10 && strspn(s, "0") < n && strchr("smhd", s[n]) && s[n] && !s[n + 1];
}

static char *choice_problem(const char *const *names, const char *value)
{
	cleanup_buf struct buf b = {0};
	size_t n = 0;
	for (; names[n]; n++) {
		if (strcmp(names[n], value) == 0)
			return NULL;
		buf_addf(&b, "%s\"%s\"", n == 0 ? "must be " : names[n + 1] ? ", " : " or ", names[n]);
	}
	const char *near = str_nearest(value, names, n);
	if (near)
		buf_addf(&b, "; did you mean \"%s\"?", near);
	return buf_steal(&b);
}

static const struct {
	const char *words, *schema;
} types[] = {
	[json_type_string] = {"a string", "string"},
	[json_type_int] = {"a number", "integer"},
	[json_type_object] = {"an object", "object"},
	[json_type_array] = {"an array", "array"},
};

static char *value_problem(const struct member *m, struct json_object *v)
{
	if (!json_object_is_type(v, m->type))
		return xasprintf("must be %s, not %s", types[m->type].words,
			v ? json_type_to_name(json_object_get_type(v)) : "null");
	if (m->type == json_type_int && json_object_get_int64(v) < 1)
		return xstrdup("must be at least 1");
	if (m->duration && !is_duration(json_object_get_string(v)))
		return xstrdup("must be a number with s, m, h or d, like 24h");
	return m->names ? choice_problem(m->names, json_object_get_string(v)) : NULL;
}

static char *member_problem(const char *key, const char *name, struct json_object *v)
{
	const char *known[ARRAY_SIZE(members)];
	size_t n = 0;
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		if (!is_object(members[i].object, key))
			continue;
		if (strcmp(members[i].name, name) == 0)
			return value_problem(&members[i], v);
		known[n++] = members[i].name;
	}
	if (!n)
		return NULL;
	const char *near = str_nearest(name, known, n);
	return near ? xasprintf("unknown key; did you mean \"%s\"?", near) : xstrdup("unknown key");
}

char *shape_problem(const char *key, struct json_object *o, char **where)
{
	json_object_object_foreach(o, name, v)
	{
		cleanup_free char *at = xasprintf("%s.%s", key, name);
		char *problem = member_problem(key, name, v);
		if (!problem && holds_objects(key) && !strchr(name, '.'))
			problem = json_object_is_type(v, json_type_object) ? shape_problem(at, v, where)
									   : xstrdup("must be an object");
		if (problem) {
			if (!*where)
				*where = steal_ptr(&at);
			return problem;
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(members); i++)
		if (members[i].required && is_object(members[i].object, key) &&
			!json_object_object_get_ex(o, members[i].name, NULL)) {
			*where = xstrdup(key);
			return xasprintf("needs \"%s\"", members[i].name);
		}
	return NULL;
}

/* ---- the published schema --------------------------------------------------------- */

static struct json_object *member_schema(const struct member *m)
{
	struct json_object *o = json_object_new_object();
	json_object_object_add(o, "type", json_object_new_string(types[m->type].schema));
	if (m->type == json_type_int)
		json_object_object_add(o, "minimum", json_object_new_int(1));
	if (m->duration)
		json_object_object_add(o, "pattern", json_object_new_string("^[0-9]+[smhd]$"));
	struct json_object *names = m->names ? json_object_new_array() : NULL;
	for (size_t i = 0; m->names && m->names[i]; i++)
		json_object_array_add(names, json_object_new_string(m->names[i]));
	if (names)
		json_object_object_add(o, "enum", names);
	return o;
}

/* The object that the rows of @pattern describe; NULL without any. @inner: what members that are objects are. */
static struct json_object *object_schema(const char *pattern, struct json_object *inner)
{
	struct json_object *o = json_object_new_object(), *all = json_object_new_object(),
			   *required = json_object_new_array();
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		const struct member *m = &members[i];
		if (strcmp(m->object, pattern) != 0)
			continue;
		json_object_object_add(
			all, m->name, inner && m->type == json_type_object ? json_object_get(inner) : member_schema(m));
		if (m->required)
			json_object_array_add(required, json_object_new_string(m->name));
	}
	json_object_object_add(o, "type", json_object_new_string("object"));
	const bool any = json_object_object_length(all) > 0;
	if (any) {
		json_object_object_add(o, "properties", all);
		json_object_object_add(o, "additionalProperties", json_object_new_boolean(false));
	} else {
		json_object_put(all);
		if (inner)
			json_object_object_add(o, "additionalProperties", json_object_get(inner));
	}
	if (json_object_array_length(required))
		json_object_object_add(o, "required", required);
	else
		json_object_put(required);
	return o;
}

struct json_object *shape_schema(const char *key)
{
	cleanup_free char *below = xasprintf("%s.*", key);
	struct json_object *inner = holds_objects(key) ? object_schema(below, NULL) : NULL;
	struct json_object *o = object_schema(key, inner);
	json_object_put(inner);
	return o;
}
