/* SPDX-License-Identifier: Apache-2.0 */
/*
 * capfile.c - the capability file: what the tree may do, for programs in it.
 *
 * Agents' hooks and `nono why --self` read it. The members that other tools know
 * (fs, net_blocked, allowed_commands, ...) come first; `deny`, `net_filtered`, `on_request` and `workdir`
 * are what `why --self` needs beside them.
 */
#include "explain/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

static const char *access_word(unsigned access)
{
	bool r = access & (ACCESS_READ | ACCESS_EXEC), w = access & ACCESS_WRITE;
	return r && w ? "readwrite" : w ? "write" : "read";
}

/* A member of a rule: keys are literals and never come twice, which saves a lookup and a copy of each. */
static void add_member(struct json_object *o, const char *key, struct json_object *value)
{
	json_object_object_add_ex(o, key, value, JSON_C_OBJECT_ADD_KEY_IS_NEW | JSON_C_OBJECT_KEY_IS_CONSTANT);
}

static void add_path(struct json_object *o, const char *key, const char *path)
{
	cleanup_free char *safe = utf8_valid(path, strlen(path), NULL) ? NULL : str_sanitize(path);
	add_member(o, key, json_object_new_string(safe ? safe : path));
}

static struct json_object *rule_json(const struct rule *r)
{
	struct json_object *o = json_object_new_object();
	cleanup_free char *source = r->origin.source == SOURCE_GROUP
					    ? xasprintf("group:%s", r->origin.label ? r->origin.label : "")
					    : xstrdup(source_name(r->origin.source));
	add_path(o, "original", r->written ? r->written : r->path);
	add_path(o, "path", r->path);
	if (!r->deny) {
		add_member(o, "access", json_object_new_string(access_word(r->access)));
		add_member(o, "is_file", json_object_new_boolean(r->exact));
	}
	add_path(o, "source", source);
	return o;
}

static struct json_object *values(const struct items *l)
{
	struct json_object *a = json_object_new_array();
	for (size_t i = 0; i < l->n; i++) {
		const char *v = l->v[i].value;
		cleanup_free char *safe = utf8_valid(v, strlen(v), NULL) ? NULL : str_sanitize(v);
		json_object_array_add(a, json_object_new_string(safe ? safe : v));
	}
	return a;
}

/* Domains: the items themselves, and groups of domains spelled out. */
static struct json_object *domains(const struct profile *p)
{
	struct json_object *a = json_object_new_array();
	const struct items *l = &p->network.allow_domain;
	for (size_t i = 0; i < l->n; i++)
		json_object_array_add(a, json_object_new_string(l->v[i].value));
	struct items hosts = {0};
	if (p->network.profile && network_profile_hosts(p->network.profile, &hosts))
		for (size_t i = 0; i < hosts.n; i++)
			json_object_array_add(a, json_object_new_string(hosts.v[i].value));
	items_free(&hosts);
	return a;
}

static struct json_object *endpoints(const struct profile *p)
{
	struct json_object *a = NULL;
	const struct items *l = &p->network.allow_domain;
	for (size_t i = 0; i < l->n; i++) {
		if (!l->v[i].n_endpoints)
			continue;
		struct json_object *o = json_object_new_object(), *list = json_object_new_array();
		for (size_t j = 0; j < l->v[i].n_endpoints; j++) {
			struct json_object *ep = json_object_new_object();
			json_add_text(ep, "method", l->v[i].endpoints[j].method);
			json_add_text(ep, "path", l->v[i].endpoints[j].path);
			json_object_array_add(list, ep);
		}
		json_add_text(o, "domain", l->v[i].value);
		json_object_object_add(o, "endpoints", list);
		a = a ? a : json_object_new_array();
		json_object_array_add(a, o);
	}
	return a;
}

static void add_limits(struct json_object *o, const struct limits *l)
{
	if (!l->memory_bytes && !l->pids && !l->cpu_percent)
		return;
	struct json_object *r = json_object_new_object();
	if (l->memory_bytes)
		json_object_object_add(r, "memory_bytes", json_object_new_int64((int64_t)l->memory_bytes));
	if (l->pids)
		json_object_object_add(r, "pids", json_object_new_int64(l->pids));
	if (l->cpu_percent)
		json_object_object_add(r, "cpu_percent", json_object_new_int64(l->cpu_percent));
	json_object_object_add(o, "resource_limits", r);
}

static struct json_object *capabilities(const struct policy *p)
{
	static const char *const on_request[] = {"ask", "ask", "deny", "hold"};
	const struct policy_settings *s = policy_settings(p);
	const struct profile *profile = policy_profile(p);
	struct json_object *o = json_object_new_object(), *fs = json_object_new_array(),
			   *deny = json_object_new_array();
	size_t n;
	const struct rule *const *rules = policy_rules(p, &n);
	for (size_t i = 0; i < n; i++)
		if (rules[i]->path && rules[i]->path[0] == '/' && !(rules[i]->never && !rules[i]->deny))
			json_object_array_add(rules[i]->deny ? deny : fs, rule_json(rules[i]));
	json_object_object_add(o, "fs", fs);
	json_object_object_add(o, "net_blocked", json_object_new_boolean(s->net_mode == NET_BLOCKED));
	json_object_object_add(o, "allowed_commands", values(&profile->commands_allow));
	json_object_object_add(o, "blocked_commands", values(&profile->commands_deny));
	json_object_object_add(o, "bypass_protection_paths", values(&profile->fs.bypass_protection));
	json_object_object_add(o, "allowed_domains", domains(profile));
	struct json_object *ep = endpoints(profile);
	if (ep)
		json_object_object_add(o, "domain_endpoints", ep);
	add_limits(o, &s->limits);
	json_object_object_add(o, "deny", deny);
	json_object_object_add(o, "net_filtered", json_object_new_boolean(s->net_mode == NET_FILTERED));
	/* without the broker nobody is asked */
	json_add_text(o, "on_request", s->supervision == SUPERVISION_OFF ? "deny" : on_request[s->on_request]);
	json_add_text(o, "workdir", s->workdir);
	return o;
}

int capfile_write(const struct policy *p, const char *path, struct err **e)
{
	cleanup_fd int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_set(e, errno, "cannot make the capability file %s", path);
	struct json_object *o = capabilities(p);
	const char *text = json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE);
	int r = io_write_all(fd, text, strlen(text));
	json_object_put(o);
	return r < 0 ? err_set(e, errno, "cannot write the capability file %s", path) : 0;
}
