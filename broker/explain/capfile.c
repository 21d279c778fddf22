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

/* ---- rules: hundreds at each start, so they are written without an object for each -------------------- */

/* Whether @s means itself between quotes. */
static bool plain_text(const char *s)
{
	size_t n = 0;
	for (; s[n]; n++)
		if ((unsigned char)s[n] < 0x20 || s[n] == '"' || s[n] == '\\' || s[n] == 0x7f)
			return false;
	return utf8_valid(s, n, NULL);
}

static void put(struct printbuf *out, const char *s)
{
	printbuf_memappend(out, s, (int)strlen(s));
}

/* A string; what is not plain is made valid and escaped by the library. */
static void put_text(struct printbuf *out, const char *s)
{
	if (plain_text(s)) {
		put(out, "\"");
		put(out, s);
		put(out, "\"");
		return;
	}
	cleanup_free char *safe = utf8_valid(s, strlen(s), NULL) ? NULL : str_sanitize(s);
	struct json_object *text = json_object_new_string(safe ? safe : s);
	put(out, json_object_to_json_string_ext(text, JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(text);
}

static void put_rule(struct printbuf *out, const struct rule *r)
{
	put(out, "{ \"original\": ");
	put_text(out, r->written ? r->written : r->path);
	put(out, ", \"path\": ");
	put_text(out, r->path);
	if (!r->deny) {
		put(out, ", \"access\": ");
		put_text(out, access_word(r->access));
		put(out, r->exact ? ", \"is_file\": true" : ", \"is_file\": false");
	}
	put(out, ", \"source\": ");
	if (r->origin.source == SOURCE_GROUP) {
		cleanup_free char *source = xasprintf("group:%s", r->origin.label ? r->origin.label : "");
		put_text(out, source);
	} else {
		put_text(out, source_name(r->origin.source));
	}
	put(out, " }");
}

/** struct rule_list - what the serializer of one array writes. */
struct rule_list {
	const struct policy *policy;
	bool deny;
};

static int put_rules(struct json_object *array, struct printbuf *out, int level, int flags)
{
	(void)level;
	(void)flags;
	const struct rule_list *list = json_object_get_userdata(array);
	size_t n;
	const struct rule *const *rules = policy_rules(list->policy, &n);
	const char *before = "[\n    ";
	for (size_t i = 0; i < n; i++) {
		const struct rule *r = rules[i];
		if (!r->path || r->path[0] != '/' || (r->never && !r->deny) || r->deny != list->deny)
			continue;
		put(out, before);
		put_rule(out, r);
		before = ",\n    ";
	}
	put(out, before[0] == '[' ? "[ ]" : "\n  ]");
	return 0;
}

/* @list: outlives the object */
static struct json_object *rules_json(struct rule_list *list)
{
	struct json_object *array = json_object_new_array();
	json_object_set_serializer(array, put_rules, list, NULL);
	return array;
}

/* ---- the rest ------------------------------------------------------------------------------------------ */

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

static struct json_object *capabilities(const struct policy *p, struct rule_list *grants, struct rule_list *denies)
{
	static const char *const on_request[] = {"ask", "ask", "deny", "hold"};
	const struct policy_settings *s = policy_settings(p);
	const struct profile *profile = policy_profile(p);
	struct json_object *o = json_object_new_object();
	json_object_object_add(o, "fs", rules_json(grants));
	json_object_object_add(o, "net_blocked", json_object_new_boolean(s->net_mode == NET_BLOCKED));
	json_object_object_add(o, "allowed_commands", values(&profile->commands_allow));
	json_object_object_add(o, "blocked_commands", values(&profile->commands_deny));
	json_object_object_add(o, "bypass_protection_paths", values(&profile->fs.bypass_protection));
	json_object_object_add(o, "allowed_domains", domains(profile));
	struct json_object *ep = endpoints(profile);
	if (ep)
		json_object_object_add(o, "domain_endpoints", ep);
	add_limits(o, &s->limits);
	json_object_object_add(o, "deny", rules_json(denies));
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
	struct rule_list grants = {.policy = p}, denies = {.policy = p, .deny = true};
	struct json_object *o = capabilities(p, &grants, &denies);
	const char *text = json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE);
	int r = io_write_all(fd, text, strlen(text));
	json_object_put(o);
	return r < 0 ? err_set(e, errno, "cannot write the capability file %s", path) : 0;
}
