/* SPDX-License-Identifier: Apache-2.0 */
/* describe.c - rules and operations in words, and the flag that would allow something. */
#include "policy/internal.h"

#include <assert.h>

const char *operation_name(enum operation op)
{
	static const char *const names[] = {
		[OP_READ] = "read",
		[OP_WRITE] = "write",
		[OP_CREATE] = "create",
		[OP_DELETE] = "delete",
		[OP_EXECUTE] = "execute",
		[OP_ATTR] = "change attributes",
		[OP_CONNECT] = "connect",
		[OP_BIND] = "listen",
		[OP_UNIX_CONNECT] = "connect to socket",
		[OP_UNIX_BIND] = "bind socket",
		[OP_OPEN_URL] = "open URL",
		[OP_SECRET] = "use secret",
	};
	static_assert(ARRAY_SIZE(names) == OP_COUNT, "every operation has a name");
	return op < OP_COUNT ? names[op] : "?";
}

static const char *access_words(unsigned access)
{
	static const char *const words[] = {
		"", "read", "write", "read+write", "execute", "read", "write+execute", "read+write"};
	static_assert(ARRAY_SIZE(words) == 1U << ACCESS_BITS, "every combination has a word");
	return words[access & ((1U << ACCESS_BITS) - 1)];
}

char *rule_describe(const struct rule *r)
{
	const char *label = r->origin.label ? r->origin.label : source_name(r->origin.source);
	const char *what = r->deny ? "deny" : access_words(r->access);
	const char *space = what[0] ? " " : "";
	switch (r->origin.source) {
	case SOURCE_USER:
		return xasprintf("%s %s", label, r->written);
	case SOURCE_GROUP:
		return xasprintf("group %s (%s)", label, r->written);
	case SOURCE_PROFILE:
		return xasprintf("profile %s (%s%s%s)", label, what, space, r->written);
	case SOURCE_GRANT:
		return xasprintf("answer of this session (%s%s%s)", what, space, r->written);
	case SOURCE_SYSTEM:
	default:
		return xasprintf("%s (%s)", label, r->written);
	}
}

static char *suggest_path(const struct policy *p, enum operation op, const char *path)
{
	struct stat st;
	bool is_dir = stat(path, &st) == 0 && S_ISDIR(st.st_mode);
	bool entry = op == OP_CREATE || op == OP_DELETE;
	cleanup_free char *parent = path_dir(path);
	const char *object = entry ? parent : path;
	bool reads = op == OP_READ || op == OP_EXECUTE;
	const char *flag = reads ? (is_dir ? "--read" : "--read-file") : entry || is_dir ? "--allow" : "--allow-file";
	cleanup_free char *literal = profile_literal(object);
	cleanup_free char *quoted = str_quote(literal);
	struct decision d = policy_check_path(p, op, path);
	bool exact_below = !is_dir && !entry && d.rule && d.rule->path && strcmp(d.rule->path, path) != 0;
	if (d.verdict == VERDICT_PROTECTED && !exact_below)
		return xasprintf("%s %s --bypass-protection %s", flag, quoted, quoted);
	return xasprintf("%s %s", flag, quoted);
}

static char *suggest_connect(const char *host, unsigned port, bool udp)
{
	bool v6 = strchr(host, ':') != NULL, usual = !udp && (port == 0 || port == 443 || port == 80);
	cleanup_free char *number = usual ? xstrdup("") : xasprintf(":%u%s", port, udp ? "/udp" : "");
	cleanup_free char *whole = xasprintf("%s%s%s%s", v6 ? "[" : "", host, v6 ? "]" : "", number);
	cleanup_free char *quoted = str_quote(whole);
	return xasprintf("--allow-domain %s", quoted);
}

static char *suggest_origin(const char *url)
{
	const char *host = strstr(url, "://");
	cleanup_free char *origin =
		host ? xstrndup(url, (size_t)(host + 3 - url) + strcspn(host + 3, "/?#")) : xstrdup(url);
	cleanup_free char *quoted = str_quote(origin);
	return xasprintf("--allow-url %s", quoted);
}

char *policy_suggest_flag(const struct policy *p, enum operation op, const char *object, unsigned port, bool udp)
{
	cleanup_free char *literal = profile_literal(object ? object : "");
	cleanup_free char *quoted = str_quote(literal);
	switch (op) {
	case OP_CONNECT:
		return suggest_connect(object ? object : "", port, udp);
	case OP_BIND:
		return xasprintf("--listen-port %u", port);
	case OP_UNIX_CONNECT:
		return xasprintf("--allow-unix-socket %s", quoted);
	case OP_UNIX_BIND:
		return xasprintf("--allow-unix-socket-bind %s", quoted);
	case OP_OPEN_URL:
		return object && object[0] == '/' ? xasprintf("--allow-open-file %s", quoted)
						  : suggest_origin(object ? object : "");
	case OP_SECRET:
		return xasprintf("--env-credential %s", quoted);
	default:
		return suggest_path(p, op, object ? object : "/");
	}
}
