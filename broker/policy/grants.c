/* SPDX-License-Identifier: Apache-2.0 */
/*
 * grants.c - what a person answered during the session.
 *
 * Answers about paths are put on the nodes the decision walks anyway; answers about
 * hosts, sockets and origins are few and kept in a list, the newest counts. Rules
 * are never freed before the policy, so a decision may outlive a revocation.
 */
#include "policy/internal.h"

static const struct origin grant_origin = {.source = SOURCE_GRANT, .label = (char *)"answer"};

static struct grant *grant_add(struct policy *p, enum grant_kind kind, const char *what, bool never)
{
	p->grants = xreallocarray(p->grants, p->n_grants + 1, sizeof(*p->grants));
	struct grant *g = &p->grants[p->n_grants];
	*g = (struct grant){.id = (unsigned)++p->n_grants, .kind = kind, .never = never};
	g->rule = rule_alloc(what, what, &grant_origin);
	g->rule->deny = never;
	return g;
}

/* Set the node's answers again from the list, in the order they were given. */
static void node_apply(struct policy *p, const char *path)
{
	struct node *n = map_add(&p->map, path);
	memset(n->granted_beneath, 0, sizeof(n->granted_beneath));
	memset(n->granted_exact, 0, sizeof(n->granted_exact));
	memset(n->refused_beneath, 0, sizeof(n->refused_beneath));
	memset(n->refused_exact, 0, sizeof(n->refused_exact));
	for (size_t i = 0; i < p->n_grants; i++) {
		const struct grant *g = &p->grants[i];
		if (g->kind != GRANT_PATH || g->revoked || strcmp(g->rule->path, path) != 0)
			continue;
		for (unsigned bit = 0; bit < ACCESS_BITS; bit++) {
			if (!(g->rule->access & 1U << bit))
				continue;
			const struct rule **yes = g->rule->exact ? n->granted_exact : n->granted_beneath;
			const struct rule **no = g->rule->exact ? n->refused_exact : n->refused_beneath;
			yes[bit] = g->never ? NULL : g->rule;
			no[bit] = g->never ? g->rule : NULL;
		}
	}
}

unsigned policy_grant_path(struct policy *p, const char *path, bool exact, unsigned access, bool never)
{
	pthread_rwlock_wrlock(&p->lock);
	struct grant *g = grant_add(p, GRANT_PATH, path, never);
	g->rule->access = access;
	g->rule->exact = exact;
	unsigned id = g->id;
	node_apply(p, path);
	pthread_rwlock_unlock(&p->lock);
	return id;
}

unsigned policy_grant_host(struct policy *p, const char *host, unsigned port, bool udp, bool never)
{
	pthread_rwlock_wrlock(&p->lock);
	struct grant *g = grant_add(p, GRANT_HOST, host, never);
	g->port = port;
	g->udp = udp;
	unsigned id = g->id;
	pthread_rwlock_unlock(&p->lock);
	return id;
}

unsigned policy_grant_unix(struct policy *p, const char *path, enum operation op, bool never)
{
	pthread_rwlock_wrlock(&p->lock);
	struct grant *g = grant_add(p, GRANT_UNIX, path, never);
	g->op = op;
	unsigned id = g->id;
	pthread_rwlock_unlock(&p->lock);
	return id;
}

unsigned policy_grant_origin(struct policy *p, const char *origin, bool never)
{
	pthread_rwlock_wrlock(&p->lock);
	unsigned id = grant_add(p, GRANT_ORIGIN, origin, never)->id;
	pthread_rwlock_unlock(&p->lock);
	return id;
}

bool policy_revoke(struct policy *p, unsigned id)
{
	pthread_rwlock_wrlock(&p->lock);
	bool found = id > 0 && id <= p->n_grants && !p->grants[id - 1].revoked;
	if (found) {
		struct grant *g = &p->grants[id - 1];
		g->revoked = true;
		if (g->kind == GRANT_PATH)
			node_apply(p, g->rule->path);
	}
	pthread_rwlock_unlock(&p->lock);
	return found;
}

static char *grant_text(const struct grant *g)
{
	static const char *const words[] = {
		"", "read", "write", "read+write", "execute", "read+execute", "write+execute", "read+write+execute"};
	const char *scope = g->never ? "refused for this session" : "session";
	switch (g->kind) {
	case GRANT_PATH:
		return xasprintf("%s %s%s (%s)", words[g->rule->access & 7U], g->rule->path,
			g->rule->exact ? "" : " and everything beneath", scope);
	case GRANT_HOST:
		if (g->port)
			return xasprintf("connect %s:%u%s (%s)", g->rule->path, g->port, g->udp ? "/udp" : "", scope);
		return xasprintf("connect %s%s (%s)", g->rule->path, g->udp ? " udp" : "", scope);
	case GRANT_UNIX:
		return xasprintf("%s %s (%s)", operation_name(g->op), g->rule->path, scope);
	case GRANT_ORIGIN:
	default:
		return xasprintf("open URL %s (%s)", g->rule->path, scope);
	}
}

struct grant_info *policy_grants(const struct policy *p, size_t *n)
{
	pthread_rwlock_rdlock((pthread_rwlock_t *)&p->lock);
	struct grant_info *out = xcalloc(p->n_grants + 1, sizeof(*out));
	*n = 0;
	for (size_t i = 0; i < p->n_grants; i++) {
		const struct grant *g = &p->grants[i];
		if (!g->revoked)
			out[(*n)++] = (struct grant_info){.id = g->id, .text = grant_text(g), .never = g->never};
	}
	pthread_rwlock_unlock((pthread_rwlock_t *)&p->lock);
	return out;
}

void grants_free(struct grant_info *g, size_t n)
{
	for (size_t i = 0; g && i < n; i++)
		free(g[i].text);
	free(g);
}

/* ---- hosts and origins --------------------------------------------------- */

struct decision policy_check_host(const struct policy *p, enum operation op, const char *host, unsigned port, bool udp)
{
	struct decision d = hosts_check(p->hosts, op, host, port, udp);
	if (d.verdict == VERDICT_NEVER || op != OP_CONNECT)
		return d;
	pthread_rwlock_rdlock((pthread_rwlock_t *)&p->lock);
	for (size_t i = p->n_grants; i-- > 0;) {
		const struct grant *g = &p->grants[i];
		if (g->kind != GRANT_HOST || g->revoked || g->udp != udp || (g->port && g->port != port) ||
			strcmp(g->rule->path, host) != 0)
			continue;
		/* A no never takes away what the profile grants. */
		if (!g->never)
			d = (struct decision){VERDICT_ALLOW, g->rule, false};
		else if (d.verdict != VERDICT_ALLOW)
			d = (struct decision){VERDICT_NEVER, g->rule, false};
		break;
	}
	pthread_rwlock_unlock((pthread_rwlock_t *)&p->lock);
	return d;
}

const struct item *policy_host_endpoints(const struct policy *p, const char *host, unsigned port)
{
	return hosts_endpoints(p->hosts, host, port);
}

/* Whether @origin equals @rule, or @rule has "*." before a suffix and @origin is a name below it. */
static bool origin_matches(const char *rule, const char *origin)
{
	if (strcmp(rule, origin) == 0)
		return true;
	const char *star = strstr(rule, "://*.");
	if (!star)
		return false;
	size_t scheme = (size_t)(star - rule) + 3;
	const char *suffix = star + 4; /* with its dot */
	return strncmp(rule, origin, scheme) == 0 && strlen(origin + scheme) > strlen(suffix) &&
	       str_ends(origin + scheme, suffix);
}

struct decision policy_check_origin(const struct policy *p, const char *origin)
{
	struct decision d = {VERDICT_NONE, NULL, false};
	pthread_rwlock_rdlock((pthread_rwlock_t *)&p->lock);
	for (size_t i = 0; i < p->n_origins && d.verdict == VERDICT_NONE; i++)
		if (origin_matches(p->origins[i]->path, origin))
			d = (struct decision){VERDICT_ALLOW, p->origins[i], false};
	for (size_t i = 0; i < p->n_open_files && origin[0] == '/' && d.verdict == VERDICT_NONE; i++)
		if (path_beneath(origin, p->open_files[i]->path))
			d = (struct decision){VERDICT_ALLOW, p->open_files[i], false};
	for (size_t i = p->n_grants; i-- > 0 && d.verdict == VERDICT_NONE;) {
		const struct grant *g = &p->grants[i];
		if (g->kind == GRANT_ORIGIN && !g->revoked && strcmp(g->rule->path, origin) == 0)
			d = (struct decision){g->never ? VERDICT_NEVER : VERDICT_ALLOW, g->rule, false};
	}
	pthread_rwlock_unlock((pthread_rwlock_t *)&p->lock);
	return d;
}
