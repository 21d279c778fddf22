/* SPDX-License-Identifier: Apache-2.0 */
/* record.c - denial records as JSON and as text. */
#include "explain/internal.h"

#include <assert.h>
#include <time.h>

static const char *const verdict_names[] = {
	[VERDICT_ALLOW] = "allow",
	[VERDICT_NONE] = "no rule",
	[VERDICT_PROTECTED] = "protected",
	[VERDICT_NEVER] = "never",
};

/* Words of `why --op` beside the names of operations. */
static const struct {
	const char *word;
	enum operation op;
} words[] = {{"exec", OP_EXECUTE}, {"run", OP_EXECUTE}, {"chmod", OP_ATTR}, {"attr", OP_ATTR}, {"bind", OP_BIND},
	{"unlink", OP_DELETE}, {"unix-connect", OP_UNIX_CONNECT}, {"unix-bind", OP_UNIX_BIND},
	{"open-url", OP_OPEN_URL}};

bool operation_from_name(const char *name, enum operation *op)
{
	for (unsigned i = 0; i < OP_COUNT; i++) {
		if (strcmp(operation_name((enum operation)i), name) == 0) {
			*op = (enum operation)i;
			return true;
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (strcmp(words[i].word, name) == 0) {
			*op = words[i].op;
			return true;
		}
	}
	return false;
}

void json_add_text(struct json_object *o, const char *key, const char *value)
{
	if (!value)
		return;
	cleanup_free char *safe = utf8_valid(value, strlen(value), NULL) ? NULL : str_sanitize(value);
	json_object_object_add(o, key, json_object_new_string(safe ? safe : value));
}

const char *json_get_text(struct json_object *o, const char *key)
{
	struct json_object *v;
	return json_object_object_get_ex(o, key, &v) && json_object_is_type(v, json_type_string)
		       ? json_object_get_string(v)
		       : NULL;
}

static int64_t get_number(struct json_object *o, const char *key)
{
	struct json_object *v;
	return json_object_object_get_ex(o, key, &v) && json_object_is_type(v, json_type_int) ? json_object_get_int64(v)
											      : 0;
}

struct json_object *record_to_json(const struct record *r)
{
	struct json_object *o = json_object_new_object();
	char when[32];
	time_t t = (time_t)r->time;
	struct tm tm;
	strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&t, &tm));
	json_object_object_add(o, "id", json_object_new_int64(r->id));
	json_add_text(o, "time", when);
	json_add_text(o, "operation", operation_name(r->op));
	json_add_text(o, "asked", r->asked);
	json_add_text(o, "resolved", r->resolved ? r->resolved : r->asked ? r->asked : "");
	if (r->port)
		json_object_object_add(o, "port", json_object_new_int64(r->port));
	if (r->udp)
		json_add_text(o, "protocol", "udp");
	json_add_text(o, "program", r->program);
	json_add_text(o, "parent", r->parent);
	json_object_object_add(o, "pid", json_object_new_int64(r->pid));
	json_add_text(o, "verdict", verdict_names[r->verdict]);
	json_add_text(o, "rule", r->rule);
	json_add_text(o, "source", r->source);
	json_add_text(o, "answer", r->answer);
	if (r->granted)
		json_object_object_add(o, "granted", json_object_new_boolean(true));
	if (r->quiet)
		json_object_object_add(o, "quiet", json_object_new_boolean(true));
	if (r->err)
		json_add_text(o, "errno", strerrorname_np(r->err));
	json_object_object_add(o, "errno_value", json_object_new_int64(r->err));
	json_add_text(o, "suggested_flag", r->suggest);
	json_object_object_add(o, "count", json_object_new_int64(r->count));
	return o;
}

struct record *record_from_json(struct json_object *o)
{
	if (!json_object_is_type(o, json_type_object))
		return NULL;
	struct record *r = xcalloc(1, sizeof *r);
	const char *op = json_get_text(o, "operation"), *when = json_get_text(o, "time");
	const char *verdict = json_get_text(o, "verdict");
	struct tm tm = {0};
	if (op && !operation_from_name(op, &r->op)) {
		free(r);
		return NULL;
	}
	for (unsigned i = 0; verdict && i < ARRAY_SIZE(verdict_names); i++)
		if (strcmp(verdict_names[i], verdict) == 0)
			r->verdict = (enum verdict)i;
	if (when && strptime(when, "%Y-%m-%dT%H:%M:%SZ", &tm))
		r->time = (int64_t)timegm(&tm);
	r->id = (unsigned)get_number(o, "id");
	r->count = (unsigned)get_number(o, "count");
	r->port = (unsigned)get_number(o, "port");
	r->pid = (pid_t)get_number(o, "pid");
	r->udp = json_get_text(o, "protocol") != NULL;
	r->err = (int)get_number(o, "errno_value");
	r->granted = json_object_object_get(o, "granted") != NULL;
	r->quiet = json_object_object_get(o, "quiet") != NULL;
	r->asked = xstrdup(json_get_text(o, "asked"));
	r->resolved = xstrdup(json_get_text(o, "resolved"));
	r->program = xstrdup(json_get_text(o, "program"));
	r->parent = xstrdup(json_get_text(o, "parent"));
	r->rule = xstrdup(json_get_text(o, "rule"));
	r->source = xstrdup(json_get_text(o, "source"));
	r->answer = xstrdup(json_get_text(o, "answer"));
	r->suggest = xstrdup(json_get_text(o, "suggested_flag"));
	return r;
}

char *record_object(const struct record *r)
{
	cleanup_free char *safe = str_sanitize(r->resolved ? r->resolved : "");
	if ((r->op != OP_CONNECT && r->op != OP_BIND) || r->port == 0)
		return steal_ptr(&safe);
	bool v6 = strchr(safe, ':') != NULL;
	return xasprintf("%s%s%s:%u%s", v6 ? "[" : "", safe, v6 ? "]" : "", r->port, r->udp ? "/udp" : "");
}

/* What stands in the profile's list for the object. New string. */
static char *profile_value(const struct record *r, const char *object)
{
	if (r->op == OP_CONNECT) {
		bool v6 = strchr(object, ':') != NULL;
		bool usual = !r->udp && (r->port == 443 || r->port == 80 || r->port == 0);
		cleanup_free char *port = usual ? xstrdup("") : xasprintf(":%u%s", r->port, r->udp ? "/udp" : "");
		return xasprintf("%s%s%s%s", v6 ? "[" : "", object, v6 ? "]" : "", port);
	}
	const char *host = object[0] == '/' ? NULL : strstr(object, "://");
	if (r->op == OP_OPEN_URL && host)
		return xstrndup(object, (size_t)(host + 3 - object) + strcspn(host + 3, "/?#"));
	return profile_path_value(object);
}

char *profile_line(const struct record *r, bool is_dir)
{
	static const struct {
		const char *section, *file, *dir;
		bool entry; /* the directory is named, since the entry comes and goes */
	} keys[] = {
		[OP_READ] = {"filesystem", "read_file", "read", false},
		[OP_WRITE] = {"filesystem", "allow_file", "allow", false},
		[OP_CREATE] = {"filesystem", "allow", "allow", true},
		[OP_DELETE] = {"filesystem", "allow", "allow", true},
		[OP_EXECUTE] = {"filesystem", "read_file", "read", false},
		[OP_ATTR] = {"filesystem", "allow_file", "allow", false},
		[OP_CONNECT] = {"network", "allow_domain", "allow_domain", false},
		[OP_BIND] = {"network", "listen_port", "listen_port", false},
		[OP_UNIX_CONNECT] = {"filesystem", "unix_socket", "unix_socket", false},
		[OP_UNIX_BIND] = {"filesystem", "unix_socket_bind", "unix_socket_bind", false},
		[OP_OPEN_URL] = {"open_urls", "allow_origins", "allow_files", false},
		[OP_SECRET] = {NULL, NULL, NULL, false},
	};
	static_assert(ARRAY_SIZE(keys) == OP_COUNT, "every operation has its profile key");
	const char *resolved = r->resolved ? r->resolved : "";
	if (!keys[r->op].section || !utf8_valid(resolved, strlen(resolved), NULL))
		return NULL;
	if (r->op == OP_BIND)
		return xasprintf("\"network\": {\"listen_port\": [%u]}", r->port);
	cleanup_free char *parent = keys[r->op].entry ? path_dir(resolved) : NULL;
	cleanup_free char *value = profile_value(r, parent ? parent : resolved);
	struct json_object *quoted = json_object_new_string(value);
	char *line = xasprintf("\"%s\": {\"%s\": [%s]}", keys[r->op].section,
		is_dir || (r->op == OP_OPEN_URL && resolved[0] == '/') ? keys[r->op].dir : keys[r->op].file,
		json_object_to_json_string_ext(quoted, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(quoted);
	return line;
}
