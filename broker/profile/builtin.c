/* SPDX-License-Identifier: Apache-2.0 */
/* builtin.c - the data under profiles/, embedded at build time: built-in profiles and network lists. */
#include "profile/fields.h"

#include <pthread.h>

const struct embedded *embedded_find(const char *name)
{
	for (size_t i = 0; i < n_embedded_files; i++)
		if (strcmp(embedded_files[i].name, name) == 0)
			return &embedded_files[i];
	return NULL;
}

bool embedded_is_profile(const struct embedded *data)
{
	static const char *const other[] = {"groups", "network-policy", "profiles"};
	for (size_t i = 0; i < ARRAY_SIZE(other); i++)
		if (strcmp(data->name, other[i]) == 0)
			return false;
	return true;
}

const char *builtin_canonical(const char *name)
{
	static const struct {
		const char *alias, *name;
	} aliases[] = {{"claude", "claude-code"}};
	for (size_t i = 0; i < ARRAY_SIZE(aliases); i++)
		if (strcmp(aliases[i].alias, name) == 0)
			return aliases[i].name;
	return name;
}

/* ---- network lists ------------------------------------------------------------- */

static struct json_object *network_data(const char *section)
{
	static struct json_object *root;
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	pthread_mutex_lock(&lock);
	if (!root) {
		const struct embedded *data = embedded_find("network-policy");
		root = data ? json_tokener_parse(data->text) : NULL;
	}
	pthread_mutex_unlock(&lock);
	struct json_object *o = NULL;
	return root && json_object_object_get_ex(root, section, &o) ? o : NULL;
}

static bool add_group_hosts(const char *group, struct items *out)
{
	struct json_object *all = network_data("groups"), *g = NULL, *hosts = NULL;
	if (!all || !json_object_object_get_ex(all, group, &g) || !json_object_object_get_ex(g, "hosts", &hosts))
		return false;
	struct origin origin = {.source = SOURCE_GROUP, .label = (char *)group};
	for (size_t i = 0; i < json_object_array_length(hosts); i++) {
		const char *h = json_object_get_string(json_object_array_get_idx(hosts, i));
		if (!items_have(out, h))
			items_add(out, h, &origin);
	}
	return true;
}

const struct items *network_group_hosts(const char *group)
{
	static struct {
		char *name;
		struct items hosts;
	} cache[64];
	static size_t n;
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	const struct items *out = NULL;
	pthread_mutex_lock(&lock);
	for (size_t i = 0; i < n && !out; i++)
		if (strcmp(cache[i].name, group) == 0)
			out = &cache[i].hosts;
	if (!out && n < ARRAY_SIZE(cache) && add_group_hosts(group, &cache[n].hosts)) {
		cache[n].name = xstrdup(group);
		out = &cache[n++].hosts;
	}
	pthread_mutex_unlock(&lock);
	return out;
}

bool network_profile_hosts(const char *name, struct items *out)
{
	struct json_object *all = network_data("profiles"), *p = NULL, *list = NULL;
	if (!all || !json_object_object_get_ex(all, name, &p) || !json_object_object_get_ex(p, "groups", &list))
		return false;
	for (size_t i = 0; i < json_object_array_length(list); i++)
		add_group_hosts(json_object_get_string(json_object_array_get_idx(list, i)), out);
	return true;
}

char *network_profile_names(void)
{
	struct json_object *all = network_data("profiles");
	struct buf b = {0};
	if (!all)
		return xstrdup("none");
	json_object_object_foreach(all, name, unused)
	{
		(void)unused;
		buf_addf(&b, "%s%s", b.len ? ", " : "", name);
	}
	return buf_steal(&b);
}
