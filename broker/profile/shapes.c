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
};

static const char *const ca_names[] = {"session", "trusted", NULL};
static const struct member members[] = {
	{"hooks.*", "event", json_type_string, true},
	{"hooks.*", "matcher", json_type_string, true},
	{"hooks.*", "script", json_type_string, true},
	{"session_hooks", "before", json_type_object},
	{"session_hooks", "after", json_type_object},
	{"session_hooks.*", "script", json_type_string, true},
	{"session_hooks.*", "timeout_secs", json_type_int},
	{"network.tls_intercept", "ca_lifecycle", json_type_string, false, ca_names},
	{"network.tls_intercept", "ca_validity", json_type_string},
	{"network.tls_intercept", "leaf_validity", json_type_string},
};

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
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		size_t n = strlen(members[i].object);
		if (str_ends(members[i].object, ".*") && strlen(key) == n - 2 &&
			strncmp(members[i].object, key, n - 2) == 0)
			return true;
	}
	return false;
}

static char *value_problem(const struct member *m, struct json_object *v)
{
	static const char *const type_names[] = {
		[json_type_string] = "a string", [json_type_int] = "a number", [json_type_object] = "an object"};
	if (!json_object_is_type(v, m->type))
		return xasprintf("must be %s, not %s", type_names[m->type],
			v ? json_type_to_name(json_object_get_type(v)) : "null");
	for (size_t i = 0; m->names && m->names[i]; i++)
		if (strcmp(m->names[i], json_object_get_string(v)) == 0)
			return NULL;
	return m->names ? xasprintf("must be \"%s\" or \"%s\"", m->names[0], m->names[1]) : NULL;
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
