/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scope.c - what an answer changes: the policy of this session, or the user's profile file.
 *
 * One table says for each operation how it is remembered. A path is generalised
 * to a directory only when the person named that directory.
 */
#include "approve/internal.h"

#include <assert.h>
#include <errno.h>

enum kind { KIND_PATH, KIND_HOST, KIND_UNIX, KIND_ORIGIN, KIND_NONE };

static const struct scope_row {
	enum kind kind;
	unsigned class;
	const char *file_key, *dir_key; /* profile lists; NULL: "always" cannot be written */
} rows[] = {
	[OP_READ] = {KIND_PATH, 1, "filesystem.read_file", "filesystem.read"},
	[OP_WRITE] = {KIND_PATH, 2, "filesystem.write_file", "filesystem.write"},
	[OP_CREATE] = {KIND_PATH, 2, "filesystem.write_file", "filesystem.write"},
	[OP_DELETE] = {KIND_PATH, 2, "filesystem.write_file", "filesystem.write"},
	[OP_EXECUTE] = {KIND_PATH, 3, "filesystem.read_file", "filesystem.read"},
	[OP_ATTR] = {KIND_PATH, 2, "filesystem.write_file", "filesystem.write"},
	[OP_CONNECT] = {KIND_HOST, 4, "network.allow_domain", NULL},
	[OP_BIND] = {KIND_HOST, 5, "network.listen_port", NULL},
	[OP_UNIX_CONNECT] = {KIND_UNIX, 6, "filesystem.unix_socket", "filesystem.unix_socket_subtree"},
	[OP_UNIX_BIND] = {KIND_UNIX, 7, "filesystem.unix_socket_bind", "filesystem.unix_socket_subtree_bind"},
	[OP_OPEN_URL] = {KIND_ORIGIN, 8, "open_urls.allow_origins", NULL}, /* a file: see written_key() */
	[OP_SECRET] = {KIND_NONE, 9, NULL, NULL},
};
static_assert(ARRAY_SIZE(rows) == OP_COUNT, "every operation says how it is remembered");

static const char *const answer_names[] = {
	[ANSWER_NO] = "no",
	[ANSWER_ONCE] = "once",
	[ANSWER_SESSION] = "session",
	[ANSWER_ALWAYS] = "always",
	[ANSWER_NEVER] = "never",
};

const char *answer_name(enum answer a)
{
	return (unsigned)a < ARRAY_SIZE(answer_names) ? answer_names[a] : "no";
}

bool answer_parse(const char *s, enum answer *out)
{
	for (unsigned i = 0; i < ARRAY_SIZE(answer_names); i++) {
		if (strcmp(s, answer_names[i]) == 0) {
			*out = (enum answer)i;
			return true;
		}
	}
	return false;
}

const char *question_kind_name(enum question_kind kind)
{
	static const char *const names[] = {
		[QUESTION_RULE] = "rule", [QUESTION_ONCE] = "once", [QUESTION_PAGE] = "page"};
	return (unsigned)kind < ARRAY_SIZE(names) ? names[kind] : "?";
}

unsigned question_class(enum operation op)
{
	return rows[op].class;
}

/* Append a string to a block of memory. Return: where it is, NULL for NULL. */
static const char *pack(char **block, const char *s)
{
	char *at = *block;
	if (!s)
		return NULL;
	*block = stpcpy(at, s) + 1;
	return at;
}

static size_t packed(const char *s)
{
	return s ? strlen(s) + 1 : 0;
}

/* One block holds all strings, since ten thousand questions may be open. It begins with the object. */
void question_copy(struct question *to, const struct question *from)
{
	const bool as_asked = from->asked && strcmp(from->asked, from->object) == 0;
	char *block = xmalloc(packed(from->object) + (as_asked ? 0 : packed(from->asked)) + packed(from->rule) +
			      packed(from->program) + packed(from->parent));
	*to = *from;
	to->object = pack(&block, from->object);
	to->asked = as_asked ? to->object : pack(&block, from->asked);
	to->rule = pack(&block, from->rule);
	to->program = pack(&block, from->program);
	to->parent = pack(&block, from->parent);
}

void question_free(struct question *q)
{
	free((char *)q->object);
	*q = (struct question){0};
}

/* "https://host[:port]" of a URL the open room has already checked; of a file, its path. New string. */
static char *origin_of(const char *url)
{
	const char *host = url[0] == '/' ? NULL : strstr(url, "://");
	if (!host)
		return xstrdup(url);
	return xstrndup(url, (size_t)(host + 3 - url) + strcspn(host + 3, "/?#"));
}

struct decision scope_decide(const struct policy *p, const struct question *q)
{
	if (q->kind != QUESTION_RULE)
		return (struct decision){.verdict = VERDICT_NONE};
	if (rows[q->op].kind == KIND_PATH)
		return policy_check_path(p, q->op, q->object);
	if (rows[q->op].kind == KIND_HOST)
		return policy_check_host(p, q->op, q->object, q->port, q->udp);
	if (rows[q->op].kind == KIND_UNIX)
		return policy_check_unix(p, q->op, q->object);
	if (rows[q->op].kind == KIND_ORIGIN) {
		cleanup_free char *origin = origin_of(q->object);
		return policy_check_origin(p, origin);
	}
	return (struct decision){.verdict = VERDICT_NONE};
}

int scope_check(const struct question *q, enum answer answer, const char *dir, struct err **e)
{
	bool remembered = answer == ANSWER_SESSION || answer == ANSWER_ALWAYS || answer == ANSWER_NEVER;
	if (remembered && (rows[q->op].kind == KIND_NONE || q->kind != QUESTION_RULE))
		return err_set(e, 0, "this can be answered once or no only");
	if (!dir)
		return 0;
	if (!remembered)
		return err_set(e, 0, "a directory is granted for the session or always, not once");
	if (rows[q->op].kind != KIND_PATH)
		return err_set(e, 0, "only a path can be generalised to a directory");
	cleanup_free char *clean = dir[0] == '/' ? path_clean(dir) : NULL;
	if (!clean || strcmp(clean, dir) != 0 || strcmp(dir, "/") == 0 || !path_beneath(q->object, dir))
		return err_set(e, 0, "%s is not a directory above %s", dir, q->object);
	return 0;
}

/* Whether the grant covers what lies beneath: a directory the person picked, or "always" for a directory. */
static bool whole_directory(const struct question *q, enum answer answer, const char *dir)
{
	return dir || (q->is_dir && answer == ANSWER_ALWAYS);
}

void scope_remember(struct policy *p, const struct question *q, enum answer answer, const char *dir)
{
	if (answer != ANSWER_SESSION && answer != ANSWER_ALWAYS && answer != ANSWER_NEVER)
		return;
	bool never = answer == ANSWER_NEVER;
	cleanup_free char *origin = NULL;
	switch (rows[q->op].kind) {
	case KIND_PATH:
		policy_grant_path(
			p, dir ? dir : q->object, !whole_directory(q, answer, dir), access_for_operation(q->op), never);
		break;
	case KIND_HOST:
		policy_grant_host(p, q->object, q->port, q->udp, never);
		break;
	case KIND_UNIX:
		policy_grant_unix(p, q->object, q->op, never);
		break;
	case KIND_ORIGIN:
		origin = origin_of(q->object);
		policy_grant_origin(p, origin, never);
		break;
	case KIND_NONE:
		break;
	}
}

char *scope_file(const struct approve_config *cfg, struct err **e)
{
	const char *ref = cfg->profile_ref;
	if (!ref) {
		err_set(e, 0, "a run from a manifest has no profile to write to; start it with --profile NAME");
		return NULL;
	}
	if (strchr(ref, '/') || str_ends(ref, ".json") || str_ends(ref, ".jsonc"))
		return xstrdup(ref);
	cleanup_free char *config = config_dir();
	static const char *const suffixes[] = {".jsonc", ".json"};
	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		cleanup_free char *file = xasprintf("%s/profiles/%s%s", config, ref, suffixes[i]);
		if (access(file, F_OK) == 0)
			return steal_ptr(&file);
	}
	return xasprintf("%s/profiles/%s.json", config, ref);
}

/* The string that stands for the object in a profile. New string, or NULL when none can. */
static char *written_value(const struct question *q, const char *dir, struct err **e)
{
	const char *object = dir ? dir : q->object;
	if (!utf8_valid(object, strlen(object), NULL)) {
		err_set(e, 0, "a name that is not UTF-8 cannot be written to a profile");
		return NULL;
	}
	if (q->op == OP_BIND)
		return xasprintf("%u", q->port);
	if (q->op == OP_OPEN_URL && object[0] != '/')
		return origin_of(object);
	if (rows[q->op].kind == KIND_HOST) {
		bool v6 = strchr(object, ':') != NULL;
		return xasprintf("%s%s%s:%u%s", v6 ? "[" : "", object, v6 ? "]" : "", q->port, q->udp ? "/udp" : "");
	}
	return profile_path_value(object);
}

static const char *written_key(const struct question *q, bool whole)
{
	if (q->op == OP_OPEN_URL && q->object[0] == '/')
		return "open_urls.allow_files";
	return whole ? rows[q->op].dir_key : rows[q->op].file_key;
}

static int append_value(const struct approve_config *cfg, const char *file, const char *key, const char *value,
	struct buf *diff, struct err **e)
{
	const struct profile *now = policy_profile(cfg->policy);
	if (!diff)
		return profile_append_value(file, cfg->profile_ref, key, value, now, NULL, e);
	cleanup_free char *part = NULL;
	if (profile_append_value(file, cfg->profile_ref, key, value, now, &part, e) < 0)
		return -1;
	buf_adds(diff, part ? part : "");
	return 0;
}

static bool some_in_profile(const struct items *l)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].origin.source != SOURCE_USER)
			return true;
	return false;
}

/* Whether the profile restricts whom to connect to by itself, without the flags of this run. */
static bool profile_filters(const struct profile *p)
{
	return some_in_profile(&p->network.allow_domain) || some_in_profile(&p->network.connect_port) ||
	       (p->network.profile && !p->network.profile_flag);
}

int scope_write(
	const struct approve_config *cfg, const struct question *q, const char *dir, char **preview, struct err **e)
{
	bool whole = whole_directory(q, ANSWER_ALWAYS, dir);
	const char *key = written_key(q, whole);
	if (!key)
		return err_set(e, 0, "%s can be allowed once or for this session, not always", operation_name(q->op));
	cleanup_free char *file = scope_file(cfg, e);
	cleanup_free char *value = file ? written_value(q, dir, e) : NULL;
	if (!value)
		return -1;
	if (q->op == OP_CONNECT && !profile_filters(policy_profile(cfg->policy)))
		return err_set(e, 0,
			"the profile does not restrict the network, so its first rule would close everything else; "
			"allow "
			"this for the session, and start with --allow-domain %s the next time",
			value);
	cleanup_free char *parent = path_dir(file);
	if (!preview && access(parent, F_OK) < 0 && errno == ENOENT && dir_create(parent, 0700, e) < 0)
		return -1;
	cleanup_buf struct buf diff = {0};
	if (append_value(cfg, file, key, value, preview ? &diff : NULL, e) < 0)
		return -1;
	/* a directory that a deny rule covers needs the profile to say so */
	if (q->protected_object && whole &&
		append_value(cfg, file, "filesystem.bypass_protection", value, preview ? &diff : NULL, e) < 0)
		return -1;
	if (preview)
		*preview = buf_steal(&diff);
	return 0;
}
