/* SPDX-License-Identifier: Apache-2.0 */
/*
 * groups.c - the policy groups of profiles/groups.json.
 *
 * Every start needs them, and parsing takes as long as starting a process, so the
 * nono program has them as a table, which its build prints from what is parsed here.
 */
#include "profile/groups.h"

#include "profile/fields.h"

#include <pthread.h>

/* Overridden by the generated table in the nono program. */
__attribute__((weak)) const struct embedded_groups embedded_groups = {0};

static struct group *groups;
static const struct group **sorted;
static size_t n_groups;
static struct json_object *groups_text; /* the groups point into it, so it is kept */

static void fill(struct items *l, struct json_object *o, const char *section, const char *key, const char *label)
{
	struct json_object *inner = NULL, *list = NULL;
	if (!json_object_object_get_ex(o, section, &inner) || !json_object_object_get_ex(inner, key, &list))
		return;
	struct origin origin = {.source = SOURCE_GROUP, .label = (char *)label};
	for (size_t i = 0; i < json_object_array_length(list); i++)
		items_add(l, json_object_get_string(json_object_array_get_idx(list, i)), &origin);
}

static const char *text_of(struct json_object *o, const char *key)
{
	struct json_object *v = NULL;
	return json_object_object_get_ex(o, key, &v) ? json_object_get_string(v) : NULL;
}

static bool truth_of(struct json_object *o, const char *key)
{
	struct json_object *v = NULL;
	return json_object_object_get_ex(o, key, &v) && json_object_get_boolean(v);
}

static int by_name(const void *a, const void *b)
{
	return strcmp((*(const struct group *const *)a)->name, (*(const struct group *const *)b)->name);
}

static void parse_groups(void)
{
	const struct embedded *data = embedded_find("groups");
	groups_text = data ? json_tokener_parse(data->text) : NULL;
	if (!groups_text)
		abort(); /* the build checks the data; without deny groups nothing may run */
	groups = xcalloc((size_t)json_object_object_length(groups_text), sizeof(*groups));
	sorted = xcalloc((size_t)json_object_object_length(groups_text), sizeof(*sorted));
	json_object_object_foreach(groups_text, name, o)
	{
		struct group *g = &groups[n_groups];
		sorted[n_groups++] = g;
		g->name = name;
		g->description = text_of(o, "description");
		g->platform = text_of(o, "platform");
		g->required = truth_of(o, "required");
		g->deny_unlink = truth_of(o, "deny_unlink");
		fill(&g->allow_read, o, "allow", "read", name);
		fill(&g->allow_write, o, "allow", "write", name);
		fill(&g->allow_readwrite, o, "allow", "readwrite", name);
		fill(&g->allow_names, o, "allow", "names", name);
		fill(&g->deny_access, o, "deny", "access", name);
		fill(&g->deny_commands, o, "deny", "commands", name);
	}
	qsort(sorted, n_groups, sizeof(*sorted), by_name);
}

const struct group *const *group_list(size_t *n)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	if (embedded_groups.n) {
		*n = embedded_groups.n;
		return embedded_groups.v;
	}
	pthread_once(&once, parse_groups);
	*n = n_groups;
	return sorted;
}

const struct group *group_find(const char *name)
{
	size_t n;
	const struct group *const *all = group_list(&n);
	const struct group key = {.name = name}, *k = &key;
	const struct group *const *found = bsearch(&k, all, n, sizeof(*all), by_name);
	return found ? *found : NULL;
}
