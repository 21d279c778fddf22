/* SPDX-License-Identifier: Apache-2.0 */
/* dump.c - profiles back to JSON, by the field table. */
#include "profile/fields.h"
#include "profile/jsonc.h"

static struct json_object *text_json(const char *s)
{
	return s ? json_object_new_string(s) : NULL;
}

static struct json_object *items_json(const struct items *l, bool numbers)
{
	struct json_object *a = json_object_new_array();
	for (size_t i = 0; i < l->n; i++)
		json_object_array_add(a, numbers ? json_object_new_int(atoi(l->v[i].value)) : text_json(l->v[i].value));
	return a;
}

/* A domain with endpoint rules is an object, one without is its name. */
static struct json_object *domains_json(const struct items *l)
{
	struct json_object *a = json_object_new_array();
	for (size_t i = 0; i < l->n; i++) {
		const struct item *it = &l->v[i];
		if (!it->n_endpoints) {
			json_object_array_add(a, text_json(it->value));
			continue;
		}
		struct json_object *o = json_object_new_object(), *rules = json_object_new_array();
		for (size_t j = 0; j < it->n_endpoints; j++) {
			struct json_object *rule = json_object_new_object();
			json_object_object_add(rule, "method", text_json(it->endpoints[j].method));
			json_object_object_add(rule, "path", text_json(it->endpoints[j].path));
			json_object_array_add(rules, rule);
		}
		json_object_object_add(o, "domain", text_json(it->value));
		json_object_object_add(o, "endpoints", rules);
		json_object_array_add(a, o);
	}
	return a;
}

static struct json_object *pairs_json(const struct pairs *m)
{
	struct json_object *o = json_object_new_object();
	for (size_t i = 0; i < m->n; i++)
		json_object_object_add(o, m->v[i].key, text_json(m->v[i].value));
	return o;
}

static struct json_object *strv_json(const struct strv *s)
{
	struct json_object *a = json_object_new_array();
	for (size_t i = 0; i < s->n; i++)
		json_object_array_add(a, text_json(s->v[i]));
	return a;
}

static struct json_object *functions_json(const struct profile *p)
{
	struct json_object *a = json_object_new_array();
	for (size_t i = 0; i < p->open_urls.n_functions; i++) {
		const struct open_function *f = &p->open_urls.functions[i];
		struct json_object *o = json_object_new_object();
		json_object_object_add(o, "symbol", text_json(f->symbol));
		json_object_object_add(o, "args", strv_json(&f->args));
		json_object_object_add(o, "url_arg", json_object_new_int((int)f->url_arg));
		json_object_object_add(o, "returns", text_json(f->returns));
		if (strcmp(f->returns, "void") != 0)
			json_object_object_add(o, "value", json_object_new_int64(f->value));
		json_object_array_add(a, o);
	}
	return a;
}

static struct json_object *scalar_json(const struct field *f, int v)
{
	if (f->type == FIELD_ENUM)
		return v >= f->first && f->names ? text_json(f->names[v - f->first]) : NULL;
	if (v == TRI_UNSET)
		return f->nullable ? NULL : json_object_new_boolean(false);
	return json_object_new_boolean(v == TRI_TRUE);
}

static struct json_object *raw_json(const struct field *f, const char *text)
{
	if (text)
		return json_parse_nested(text);
	return f->nullable ? NULL : json_object_new_object();
}

struct json_object *field_json(const struct profile *p, const struct field *f)
{
	const void *v = field_value(p, f);
	switch (f->type) {
	case FIELD_ITEMS:
		/* null and [] differ where the list replaces or restricts */
		if (f->nullable && !(strcmp(f->key, "network.credentials") == 0 ? p->network.credentials_given
										: p->environment.allow_given))
			return NULL;
		return items_json(v, false);
	case FIELD_PORTS:
		return items_json(v, true);
	case FIELD_DOMAINS:
		return domains_json(v);
	case FIELD_SECRETS:
	case FIELD_PAIRS:
		return pairs_json(v);
	case FIELD_STRV:
		return strv_json(v);
	case FIELD_STRING:
		return text_json(*(char *const *)v);
	case FIELD_RAW:
		return raw_json(f, *(char *const *)v);
	case FIELD_FUNCTIONS:
		return functions_json(p);
	case FIELD_BOOL:
	case FIELD_TRI:
	case FIELD_ENUM:
		return scalar_json(f, *(const int *)v);
	case FIELD_IGNORED:
	case FIELD_TYPE_COUNT:
		break;
	}
	return NULL;
}

void json_put_path(struct json_object *root, const char *key, struct json_object *value)
{
	const char *dot = strchr(key, '.');
	if (!dot) {
		json_object_object_add(root, key, value);
		return;
	}
	cleanup_free char *section = xstrndup(key, (size_t)(dot - key));
	struct json_object *inner = NULL;
	if (!json_object_object_get_ex(root, section, &inner) || !inner) {
		inner = json_object_new_object();
		json_object_object_add(root, section, inner);
	}
	json_put_path(inner, dot + 1, value);
}

/* Sections that say something by being there. */
static bool left_out(const struct profile *p, const char *key)
{
	return (str_starts(key, "meta.") && !p->meta.name) ||
	       (str_starts(key, "environment.") && !p->environment.given) ||
	       (str_starts(key, "open_urls.") && !p->open_urls.given) ||
	       (strcmp(key, "network.network_profile") == 0 && !p->network.profile_given);
}

struct json_object *profile_dump(const struct profile *p)
{
	struct json_object *root = json_object_new_object();
	for (size_t i = 0; i < n_profile_fields; i++) {
		const struct field *f = &profile_fields[i];
		if (f->type != FIELD_IGNORED && !f->legacy_of && !left_out(p, f->key))
			json_put_path(root, f->key, field_json(p, f));
	}
	return root;
}
