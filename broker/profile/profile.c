/* SPDX-License-Identifier: Apache-2.0 */
/* profile.c - the profile object and its lists. */
#include "profile/fields.h"

const char *source_name(enum source s)
{
	static const char *const names[] = {"system", "group", "profile", "user", "grant"};
	return (size_t)s < ARRAY_SIZE(names) ? names[s] : "unknown";
}

static struct origin copy_origin(const struct origin *o)
{
	if (!o)
		return (struct origin){0};
	return (struct origin){o->source, xstrdup(o->label), xstrdup(o->file), o->line, o->column};
}

static void origin_free(struct origin *o)
{
	free(o->label);
	free(o->file);
	*o = (struct origin){0};
}

struct item *items_add(struct items *l, const char *value, const struct origin *origin)
{
	l->v = xreallocarray(l->v, l->n + 1, sizeof(*l->v));
	struct item *it = &l->v[l->n++];
	*it = (struct item){.value = xstrdup(value), .origin = copy_origin(origin)};
	return it;
}

static void item_add_endpoint(struct item *it, const char *method, const char *path)
{
	it->endpoints = xreallocarray(it->endpoints, it->n_endpoints + 1, sizeof(*it->endpoints));
	it->endpoints[it->n_endpoints++] = (struct endpoint){xstrdup(method), xstrdup(path)};
}

void items_append(struct items *l, const struct item *it)
{
	struct item *copy = items_add(l, it->value, &it->origin);
	copy->legacy_dir = it->legacy_dir;
	for (size_t i = 0; i < it->n_endpoints; i++)
		item_add_endpoint(copy, it->endpoints[i].method, it->endpoints[i].path);
}

bool items_have(const struct items *l, const char *value)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->v[i].value, value) == 0)
			return true;
	return false;
}

void items_free(struct items *l)
{
	for (size_t i = 0; i < l->n; i++) {
		for (size_t j = 0; j < l->v[i].n_endpoints; j++) {
			free(l->v[i].endpoints[j].method);
			free(l->v[i].endpoints[j].path);
		}
		free(l->v[i].endpoints);
		free(l->v[i].value);
		origin_free(&l->v[i].origin);
	}
	free(l->v);
	*l = (struct items){0};
}

void pairs_set(struct pairs *m, const char *key, const char *value, const struct origin *origin)
{
	for (size_t i = 0; i < m->n; i++)
		if (strcmp(m->v[i].key, key) == 0) {
			char *copy = xstrdup(value);
			free(m->v[i].value);
			m->v[i].value = copy;
			return;
		}
	m->v = xreallocarray(m->v, m->n + 1, sizeof(*m->v));
	m->v[m->n++] = (struct pair){xstrdup(key), xstrdup(value), copy_origin(origin)};
}

const char *pairs_get(const struct pairs *m, const char *key)
{
	for (size_t i = 0; i < m->n; i++)
		if (strcmp(m->v[i].key, key) == 0)
			return m->v[i].value;
	return NULL;
}

void pairs_free(struct pairs *m)
{
	for (size_t i = 0; i < m->n; i++) {
		free(m->v[i].key);
		free(m->v[i].value);
		origin_free(&m->v[i].origin);
	}
	free(m->v);
	*m = (struct pairs){0};
}

struct profile *profile_new(void)
{
	return xcalloc(1, sizeof(struct profile));
}

static void functions_free(struct profile *p)
{
	for (size_t i = 0; i < p->open_urls.n_functions; i++) {
		free(p->open_urls.functions[i].symbol);
		free(p->open_urls.functions[i].returns);
		strv_free(&p->open_urls.functions[i].args);
	}
	free(p->open_urls.functions);
}

void profile_free(struct profile *p)
{
	if (!p)
		return;
	pairs_free(&p->raw_at);
	for (size_t i = 0; i < n_profile_fields; i++) {
		const struct field *f = &profile_fields[i];
		void *v = field_value(p, f);
		if (f->legacy_of)
			continue;
		switch (f->type) {
		case FIELD_ITEMS:
		case FIELD_PORTS:
		case FIELD_DOMAINS:
			items_free(v);
			break;
		case FIELD_SECRETS:
		case FIELD_PAIRS:
			pairs_free(v);
			break;
		case FIELD_STRV:
			strv_free(v);
			break;
		case FIELD_STRING:
		case FIELD_RAW:
			free(*(char **)v);
			break;
		default:
			break;
		}
	}
	functions_free(p);
	strv_free(&p->resolved_from);
	free(p->file);
	free(p);
}

bool profile_is_a(const struct profile *p, const char *name)
{
	if (p->meta.name && strcmp(p->meta.name, name) == 0)
		return true;
	return strv_has(&p->resolved_from, name);
}

bool field_is_set(const struct profile *p, const struct field *f)
{
	const void *v = field_value(p, f);
	switch (f->type) {
	case FIELD_ITEMS:
	case FIELD_PORTS:
	case FIELD_DOMAINS:
		return ((const struct items *)v)->n != 0;
	case FIELD_SECRETS:
	case FIELD_PAIRS:
		return ((const struct pairs *)v)->n != 0;
	case FIELD_STRV:
		return ((const struct strv *)v)->n != 0;
	case FIELD_STRING:
	case FIELD_RAW:
		return *(char *const *)v != NULL;
	case FIELD_FUNCTIONS:
		return p->open_urls.n_functions != 0;
	case FIELD_BOOL:
		return *(const int *)v == TRI_TRUE;
	case FIELD_TRI:
	case FIELD_ENUM:
		return *(const int *)v != 0;
	case FIELD_IGNORED:
	case FIELD_TYPE_COUNT:
		break;
	}
	return false;
}

bool profile_is_own(const struct profile *p)
{
	cleanup_free char *config = config_dir();
	cleanup_free char *profiles = path_join(config, "profiles");
	cleanup_free char *own = realpath(profiles, NULL), *real = p->file ? realpath(p->file, NULL) : NULL;
	return own && real && path_beneath(real, own);
}

const char *profile_place(const struct profile *p, const char *key)
{
	const char *at = pairs_get(&p->raw_at, key);
	return at ? at : p->file ? p->file : p->meta.name ? p->meta.name : "the profile";
}

void profile_not_acted_on(const struct profile *p, struct strv *out)
{
	static const char routes[] = "network.credentials", capture[] = "credential_capture",
			  lifetimes[] = "network.tls_intercept";
	if (p->network.credentials.n) {
		const struct item *first = &p->network.credentials.v[0];
		cleanup_free char *at = first->origin.file && first->origin.line
						? xasprintf("%s:%u", first->origin.file, first->origin.line)
						: xstrdup(profile_place(p, routes));
		strv_addf(out,
			"%s: %s has no effect: there are no credential routes, and programs get no secret by %s; "
			"env_credentials puts one into a variable",
			at, routes, first->value);
	}
	if (p->credential_capture)
		strv_addf(out,
			"%s: %s has no effect: its commands are not run; env_credentials takes secrets from the "
			"keyring, "
			"op:// and bw://",
			profile_place(p, capture), capture);
	if (p->network.tls_intercept)
		strv_addf(out,
			"%s: %s has no effect: the authority for path rules is made for each session and lives as long",
			profile_place(p, lifetimes), lifetimes);
}
