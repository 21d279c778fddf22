/* SPDX-License-Identifier: Apache-2.0 */
/* merge.c - a child profile folded onto its base, by the merge rules of the field table. */
#include "profile/fields.h"
#include "profile/jsonc.h"

static void copy_pairs(struct pairs *out, const struct pairs *from)
{
	for (size_t i = 0; i < from->n; i++)
		pairs_set(out, from->v[i].key, from->v[i].value, &from->v[i].origin);
}

static void append(struct items *out, const struct items *from)
{
	for (size_t i = 0; i < from->n; i++)
		if (!items_have(out, from->v[i].value))
			items_append(out, &from->v[i]);
}

/* Lists whose order and repetitions matter; a base that is reached twice counts once. */
static void append_sequence(struct items *out, const struct items *from)
{
	for (size_t at = 0; from->n && at + from->n <= out->n; at++) {
		size_t same = 0;
		while (same < from->n && strcmp(out->v[at + same].value, from->v[same].value) == 0)
			same++;
		if (same == from->n)
			return;
	}
	for (size_t i = 0; i < from->n; i++)
		items_append(out, &from->v[i]);
}

static struct item *find_item(struct items *l, const char *value)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->v[i].value, value) == 0)
			return &l->v[i];
	return NULL;
}

static bool has_endpoint(const struct item *it, const struct endpoint *ep)
{
	for (size_t i = 0; i < it->n_endpoints; i++)
		if (strcmp(it->endpoints[i].method, ep->method) == 0 && strcmp(it->endpoints[i].path, ep->path) == 0)
			return true;
	return false;
}

/* A domain keeps its place; endpoint rules are joined, so a rule with endpoints stays restricted. */
static void append_domains(struct items *out, const struct items *from)
{
	for (size_t i = 0; i < from->n; i++) {
		struct item *have = find_item(out, from->v[i].value);
		if (!have) {
			items_append(out, &from->v[i]);
			continue;
		}
		for (size_t j = 0; j < from->v[i].n_endpoints; j++) {
			const struct endpoint *ep = &from->v[i].endpoints[j];
			if (has_endpoint(have, ep))
				continue;
			have->endpoints =
				xreallocarray(have->endpoints, have->n_endpoints + 1, sizeof(*have->endpoints));
			have->endpoints[have->n_endpoints++] =
				(struct endpoint){xstrdup(ep->method), xstrdup(ep->path)};
		}
	}
}

/* Raw objects with the merge rule of maps: the child's members win. */
static char *merge_raw(const char *base, const char *child)
{
	if (!base || !child)
		return xstrdup(child ? child : base);
	struct json_object *a = json_parse_nested(base), *b = json_parse_nested(child);
	json_object_object_foreach(b, k, v)
	{
		json_object_object_add(a, k, json_object_get(v));
	}
	char *out = xstrdup(json_object_to_json_string_ext(a, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(a);
	json_object_put(b);
	return out;
}

static void copy_functions(struct profile *out, const struct profile *from)
{
	out->open_urls.n_functions = from->open_urls.n_functions;
	out->open_urls.functions = xcalloc(from->open_urls.n_functions, sizeof(*out->open_urls.functions));
	for (size_t i = 0; i < from->open_urls.n_functions; i++) {
		const struct open_function *f = &from->open_urls.functions[i];
		struct open_function *o = &out->open_urls.functions[i];
		*o = (struct open_function){.symbol = xstrdup(f->symbol),
			.url_arg = f->url_arg,
			.returns = xstrdup(f->returns),
			.value = f->value};
		for (size_t j = 0; j < f->args.n; j++)
			strv_add(&o->args, f->args.v[j]);
	}
}

/* What is not a matter of one field alone. */
static void merge_special(struct profile *out, const struct profile *base, const struct profile *child)
{
	const struct profile *from = child->network.profile_given ? child : base;
	out->network.profile_given = base->network.profile_given || child->network.profile_given;
	out->network.profile = xstrdup(from->network.profile);
	out->network.profile_flag = from->network.profile_flag;

	/* an empty list clears what was inherited */
	bool clear = child->network.credentials_given && child->network.credentials.n == 0;
	out->network.credentials_given = base->network.credentials_given || child->network.credentials_given;
	if (!clear)
		append(&out->network.credentials, &base->network.credentials);
	append(&out->network.credentials, &child->network.credentials);
	out->network.allow_all = base->network.allow_all || child->network.allow_all;

	out->environment.given = base->environment.given || child->environment.given;
	out->environment.allow_given = base->environment.allow_given || child->environment.allow_given;
	append(&out->environment.allow_vars, &base->environment.allow_vars);
	append(&out->environment.allow_vars, &child->environment.allow_vars);

	out->workdir = child->workdir != WORKDIR_NONE ? child->workdir : base->workdir;

	const struct profile *urls = child->open_urls.given ? child : base;
	out->open_urls.given = urls->open_urls.given;
	append(&out->open_urls.allow_origins, &urls->open_urls.allow_origins);
	append(&out->open_urls.allow_files, &urls->open_urls.allow_files);
	if (urls != child) { /* lists without a block come from flags, which add */
		append(&out->open_urls.allow_origins, &child->open_urls.allow_origins);
		append(&out->open_urls.allow_files, &child->open_urls.allow_files);
	}
	out->open_urls.allow_localhost = urls->open_urls.allow_localhost;
	copy_functions(out, urls);
}

static void merge_scalar(const struct field *f, int *out, int base, int child)
{
	if (f->merge == MERGE_OR)
		*out = base == TRI_TRUE || child == TRI_TRUE ? TRI_TRUE : child ? child : base;
	else
		*out = child ? child : base;
}

static void merge_field(const struct field *f, void *out, const void *base, const void *child)
{
	switch (f->type) {
	case FIELD_ITEMS:
	case FIELD_PORTS: {
		void (*const add)(struct items *, const struct items *) =
			f->merge == MERGE_SEQUENCE ? append_sequence : append;
		add(out, base);
		add(out, child);
		break;
	}
	case FIELD_DOMAINS:
		append_domains(out, base);
		append_domains(out, child);
		break;
	case FIELD_SECRETS:
	case FIELD_PAIRS:
		copy_pairs(out, base);
		copy_pairs(out, child);
		break;
	case FIELD_STRING: {
		const char *own = *(char *const *)child;
		*(char **)out = xstrdup(own || f->merge == MERGE_REPLACE ? own : *(char *const *)base);
		break;
	}
	case FIELD_RAW:
		*(char **)out = f->merge == MERGE_MAP
					? merge_raw(*(char *const *)base, *(char *const *)child)
					: xstrdup(*(char *const *)child ? *(char *const *)child : *(char *const *)base);
		break;
	case FIELD_BOOL:
	case FIELD_TRI:
	case FIELD_ENUM:
		merge_scalar(f, out, *(const int *)base, *(const int *)child);
		break;
	case FIELD_STRV: /* extends was consumed by the loader */
	case FIELD_FUNCTIONS:
	case FIELD_IGNORED:
	case FIELD_TYPE_COUNT:
		break;
	}
}

struct profile *profile_merge(const struct profile *base, const struct profile *child)
{
	struct profile *out = profile_new();
	for (size_t i = 0; i < n_profile_fields; i++) {
		const struct field *f = &profile_fields[i];
		if (!f->legacy_of && f->merge != MERGE_SECTION && f->merge != MERGE_SPECIAL)
			merge_field(f, field_value(out, f), field_value(base, f), field_value(child, f));
	}
	merge_special(out, base, child);
	for (size_t i = 0; i < base->resolved_from.n; i++)
		strv_add(&out->resolved_from, base->resolved_from.v[i]);
	for (size_t i = 0; i < child->resolved_from.n; i++)
		if (!strv_has(&out->resolved_from, child->resolved_from.v[i]))
			strv_add(&out->resolved_from, child->resolved_from.v[i]);
	copy_pairs(&out->raw_at, &base->raw_at);
	copy_pairs(&out->raw_at, &child->raw_at);
	out->file = xstrdup(child->file ? child->file : base->file);
	return out;
}
