/* SPDX-License-Identifier: Apache-2.0 */
/*
 * self.c - `nono why --self`: inside a sandbox, from the capability file.
 *
 * The policy itself is with the broker, outside. The file holds its rules; the
 * one that lies nearest to the path decides, a deny before a grant at the same place.
 */
#include "explain/internal.h"

#include <sys/stat.h>

#define CAPFILE_MAX (4UL * 1024 * 1024)

static struct json_object *load(const char *file, struct err **e)
{
	cleanup_free char *data = NULL;
	struct stat st;
	if (file[0] != '/' || lstat(file, &st) < 0 || !S_ISREG(st.st_mode)) {
		err_set(e, 0, "NONO_CAP_FILE does not name a capability file: %s", file);
		return NULL;
	}
	if (file_read(file, CAPFILE_MAX, &data, NULL, e) < 0)
		return NULL;
	struct json_object *o = json_tokener_parse(data);
	if (!json_object_is_type(o, json_type_object)) {
		err_set(e, 0, "%s is not a capability file", file);
		json_object_put(o);
		return NULL;
	}
	return o;
}

static struct json_object *list(struct json_object *o, const char *key)
{
	struct json_object *l;
	return json_object_object_get_ex(o, key, &l) && json_object_is_type(l, json_type_array) ? l : NULL;
}

static bool truth(struct json_object *o, const char *key)
{
	struct json_object *v;
	return json_object_object_get_ex(o, key, &v) && json_object_get_boolean(v);
}

static bool grants(struct json_object *rule, const char *op)
{
	const char *access = json_get_text(rule, "access");
	bool reads = strcmp(op, "read") == 0 || strcmp(op, "execute") == 0 || strcmp(op, "exec") == 0;
	bool both = strcmp(op, "readwrite") == 0;
	return access && (strcmp(access, "readwrite") == 0 || (!both && strcmp(access, reads ? "read" : "write") == 0));
}

/* The entry nearest to @path; with @op only one that grants it. */
static struct json_object *nearest(struct json_object *rules, const char *path, const char *op, size_t *depth)
{
	struct json_object *best = NULL;
	*depth = 0;
	for (size_t i = 0; rules && i < json_object_array_length(rules); i++) {
		struct json_object *r = json_object_array_get_idx(rules, i);
		const char *at = json_get_text(r, "path");
		if (!at || (op && !grants(r, op)) || !path_beneath(path, at))
			continue;
		if (truth(r, "is_file") && strcmp(at, path) != 0)
			continue;
		if (!best || strlen(at) > *depth) {
			best = r;
			*depth = strlen(at);
		}
	}
	return best;
}

static struct json_object *about_path(struct json_object *cap, const char *path, const char *op)
{
	struct json_object *o = json_object_new_object();
	size_t allowed_at, denied_at, any_at;
	cleanup_free char *real = path_resolve(path, NULL, NULL);
	const char *at = real ? real : path;
	struct json_object *grant = nearest(list(cap, "fs"), at, op, &allowed_at);
	struct json_object *deny = nearest(list(cap, "deny"), at, NULL, &denied_at);
	struct json_object *any = nearest(list(cap, "fs"), at, NULL, &any_at);
	const char *on_request = json_get_text(cap, "on_request");
	if (grant && (!deny || allowed_at > denied_at)) {
		json_add_text(o, "status", "allowed");
		json_add_text(o, "reason", "granted_path");
		json_add_text(o, "granted_path", json_get_text(grant, "path"));
		json_add_text(o, "access", json_get_text(grant, "access"));
		json_add_text(o, "source", json_get_text(grant, "source"));
		return o;
	}
	json_add_text(o, "status", "denied");
	bool protect = deny && denied_at >= allowed_at;
	json_add_text(o, "reason", protect ? "sensitive_path" : any ? "insufficient_access" : "path_not_granted");
	if (protect)
		json_add_text(o, "policy_source", json_get_text(deny, "source"));
	if (any) {
		struct json_object *m = json_object_new_object();
		json_add_text(m, "path", json_get_text(any, "path"));
		json_add_text(m, "access", json_get_text(any, "access"));
		json_add_text(m, "source", json_get_text(any, "source"));
		json_object_object_add(o, "matching_capability", m);
	}
	json_add_text(o, "details",
		on_request && strcmp(on_request, "deny") != 0
			? "nono asks the person when a program tries it"
			: "the person is not asked; nono has to be started with this flag");
	struct stat st;
	bool dir = lstat(at, &st) == 0 && S_ISDIR(st.st_mode), reads = strcmp(op, "read") == 0;
	cleanup_free char *quoted = str_quote(at);
	cleanup_free char *flag = xasprintf("%s %s",
		reads ? dir ? "--read" : "--read-file"
		: dir ? "--allow"
		      : "--allow-file",
		quoted);
	json_add_text(o, "suggested_flag", flag);
	return o;
}

/* Whether an entry, "name", "*.name" or "[address]", with ":port" or without, is about @host and @port. */
static bool domain_matches(const char *entry, const char *host, unsigned port)
{
	size_t n = entry[0] == '[' ? strcspn(entry, "]") + 1 : strcspn(entry, ":");
	if (entry[0] != '[' && strchr(entry + n + (entry[n] == ':'), ':'))
		n = strlen(entry); /* an IPv6 address without brackets */
	if (entry[n] == ':' && strtoul(entry + n + 1, NULL, 10) != port)
		return false;
	const bool brackets = entry[0] == '[' && host[0] != '[';
	cleanup_free char *name = brackets ? xstrndup(entry + 1, n - 2) : xstrndup(entry, n);
	return strcasecmp(name, host) == 0 ||
	       (str_starts(name, "*.") && strlen(host) > strlen(name) - 1 &&
		       strcasecmp(host + strlen(host) - strlen(name) + 1, name + 1) == 0);
}

static bool listed_domain(struct json_object *domains, const char *host, unsigned port)
{
	for (size_t i = 0; domains && i < json_object_array_length(domains); i++)
		if (domain_matches(json_object_get_string(json_object_array_get_idx(domains, i)), host, port))
			return true;
	return false;
}

static struct json_object *about_host(struct json_object *cap, const char *host, unsigned port)
{
	struct json_object *o = json_object_new_object();
	const bool blocked = truth(cap, "net_blocked"), open = !blocked && !truth(cap, "net_filtered");
	const bool listed = !blocked && listed_domain(list(cap, "allowed_domains"), host, port);
	json_add_text(o, "status", open || listed ? "allowed" : "denied");
	json_add_text(o, "reason",
		open      ? "network_allowed"
		: listed  ? "proxy_allowed"
		: blocked ? "network_blocked"
			  : "proxy_filtered");
	if (!open && !listed && !blocked) {
		cleanup_free char *whole = port == 443 || port == 80 ? xstrdup(host) : xasprintf("%s:%u", host, port);
		cleanup_free char *quoted = str_quote(whole), *flag = xasprintf("--allow-domain %s", quoted);
		json_add_text(o, "suggested_flag", flag);
	}
	return o;
}

static int list_all(struct json_object *cap, bool json)
{
	if (json) {
		puts(json_object_to_json_string_ext(cap, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE));
		return 0;
	}
	struct json_object *fs = list(cap, "fs"), *domains = list(cap, "allowed_domains");
	puts("This program runs in a sandbox of nono. It may use:");
	for (size_t i = 0; fs && i < json_object_array_length(fs); i++) {
		struct json_object *r = json_object_array_get_idx(fs, i);
		const char *path = json_get_text(r, "path"), *access = json_get_text(r, "access");
		cleanup_free char *safe = str_sanitize(path ? path : "");
		printf("  %-9s %s%s\n", access ? access : "", safe, truth(r, "is_file") ? "" : "/");
	}
	size_t n = domains ? json_object_array_length(domains) : 0;
	printf("  %-9s %s\n", "network",
		truth(cap, "net_blocked")    ? "none"
		: truth(cap, "net_filtered") ? "these names:"
					     : "everything but metadata addresses");
	for (size_t i = 0; i < n; i++)
		printf("            %s\n", json_object_get_string(json_object_array_get_idx(domains, i)));
	puts("Ask about one thing with: nono why --self --path PATH --op read");
	return 0;
}

int why_self(const char *path, const char *op, const char *host, unsigned port, bool json)
{
	const char *file = getenv("NONO_CAP_FILE");
	if (!file || !*file) {
		static const char message[] = "this program does not run inside a sandbox of nono";
		if (json)
			printf("{\n  \"status\": \"not_sandboxed\",\n  \"message\": \"%s\"\n}\n", message);
		else
			printf("NOT SANDBOXED\n  %s\n", message);
		return 0;
	}
	cleanup_err struct err *e = NULL;
	struct json_object *cap = load(file, &e);
	if (!cap) {
		say_error("%s", err_msg(e));
		return 1;
	}
	if (!path && !host) {
		list_all(cap, json);
	} else {
		struct json_object *o = path ? about_path(cap, path, op) : about_host(cap, host, port);
		if (json)
			puts(json_object_to_json_string_ext(
				o, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE));
		else
			print_why(o);
		json_object_put(o);
	}
	json_object_put(cap);
	return 0;
}
