/* SPDX-License-Identifier: Apache-2.0 */
/*
 * context.c - what Claude Code is told after a tool call failed.
 *
 * The hook's JSON comes in, the context for the model goes out, and nothing when
 * the sandbox cannot have been the cause: other words, or a file that is granted.
 * See https://docs.anthropic.com/en/docs/claude-code/hooks.
 */
#include "hooks/internal.h"

#include <json-c/json.h>

#define INPUT_MAX (8 << 20)
#define CAPABILITIES_MAX (1 << 20)

/* What refusals look like in messages; the network ones count only when hosts are limited. */
static const char *const file_words[] = {
	"operation not permitted", "permission denied", "EPERM", "EACCES", "landlock", "nono:"};
static const char *const net_words[] = {"could not resolve", "ENOTFOUND", "EAI_AGAIN", "network is unreachable",
	"ENETUNREACH", "name resolution", "ECONNREFUSED", "connection refused"};

static bool says(const char *text, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcasestr(text, words[i]))
			return true;
	return false;
}

static const char *text_of(struct json_object *o, const char *key)
{
	struct json_object *value = json_object_object_get(o, key);
	return value ? json_object_get_string(value) : "";
}

static bool is_true(struct json_object *o, const char *key)
{
	return json_object_get_boolean(json_object_object_get(o, key));
}

static bool lists(struct json_object *rules, const char *path, const char *need)
{
	const size_t n = json_object_is_type(rules, json_type_array) ? json_object_array_length(rules) : 0;
	for (size_t i = 0; i < n; i++) {
		struct json_object *rule = json_object_array_get_idx(rules, i);
		const char *at = text_of(rule, "path");
		const bool hit = is_true(rule, "is_file") ? strcmp(at, path) == 0 : path_beneath(path, at);
		if (hit && (!need || strstr(text_of(rule, "access"), need)))
			return true;
	}
	return false;
}

/* Whether the tool wanted one file that is granted: then the sandbox did not refuse it. */
static bool file_granted(struct json_object *input, struct json_object *caps)
{
	struct json_object *tool_input = json_object_object_get(input, "tool_input");
	const char *path = text_of(tool_input, "file_path");
	if (path[0] != '/')
		return false;
	cleanup_free char *real = path_resolve(path, NULL, NULL);
	if (!real || lists(json_object_object_get(caps, "deny"), real, NULL))
		return false;
	const char *need = strcmp(text_of(input, "tool_name"), "Read") == 0 ? "read" : "write";
	return lists(json_object_object_get(caps, "fs"), real, need);
}

static bool can_be_ours(struct json_object *input, struct json_object *caps)
{
	static const char *const keys[] = {"error", "tool_result", "tool_response"};
	const bool net = is_true(caps, "net_blocked") || is_true(caps, "net_filtered");
	bool said = false;
	for (size_t i = 0; i < ARRAY_SIZE(keys) && !said; i++) {
		const char *text = text_of(input, keys[i]);
		said = says(text, file_words, ARRAY_SIZE(file_words)) ||
		       (net && says(text, net_words, ARRAY_SIZE(net_words)));
	}
	return said && !file_granted(input, caps);
}

static char *context_text(struct json_object *caps)
{
	struct buf b = {0};
	buf_adds(&b, "[NONO SANDBOX - PERMISSION DENIED]\n\n"
		     "STOP. Do not try alternative approaches. This is a hard security boundary.\n\n"
		     "You are running inside the nono security sandbox. The operation you just\n"
		     "attempted is PERMANENTLY BLOCKED for this session.\n\n"
		     "ALLOWED PATHS (everything else is blocked):\n");
	struct json_object *fs = json_object_object_get(caps, "fs");
	const size_t n = json_object_is_type(fs, json_type_array) ? json_object_array_length(fs) : 0;
	for (size_t i = 0; i < n; i++) {
		struct json_object *rule = json_object_array_get_idx(fs, i);
		const char *access = text_of(rule, "access");
		if (*access)
			buf_addf(&b, "  %s (%s)\n", text_of(rule, "path"), access);
	}
	buf_addf(&b, "Network: %s\n",
		is_true(caps, "net_blocked")    ? "blocked"
		: is_true(caps, "net_filtered") ? "limited to granted hosts"
						: "allowed");
	buf_adds(&b, "\nREQUIRED ACTION:\n"
		     "Tell the user they must EXIT this Claude session and restart with:\n"
		     "  nono run --allow /path/to/needed -- claude\n\n"
		     "`nono why --self --path PATH --op read` (or write) says whether the sandbox refused it.\n");
	return buf_steal(&b);
}

static void answer(struct json_object *input, struct json_object *caps, FILE *out)
{
	const char *event = text_of(input, "hook_event_name");
	cleanup_free char *text = context_text(caps);
	struct json_object *o = json_object_new_object(), *specific = json_object_new_object();
	json_object_object_add(
		specific, "hookEventName", json_object_new_string(*event ? event : claude_hook_default.event));
	json_object_object_add(specific, "additionalContext", json_object_new_string(text));
	json_object_object_add(o, "hookSpecificOutput", specific);
	fprintf(out, "%s\n",
		json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
}

int hooks_context(FILE *in, FILE *out)
{
	const char *cap_file = getenv("NONO_CAP_FILE");
	cleanup_free char *cap_text = NULL;
	cleanup_err struct err *e = NULL;
	size_t len = 0;
	if (!cap_file || cap_file[0] != '/')
		return 0;
	if (file_read(cap_file, CAPABILITIES_MAX, &cap_text, &len, &e) < 0) {
		say_error("hooks: NONO_CAP_FILE: %s", err_msg(e));
		return 1;
	}
	cleanup_buf struct buf text = {0};
	char chunk[4096];
	for (size_t n; (n = fread(chunk, 1, sizeof(chunk), in)) > 0 && text.len < INPUT_MAX;)
		buf_add(&text, chunk, n);
	struct json_object *caps = json_tokener_parse(cap_text);
	struct json_object *input = json_tokener_parse(text.data ? text.data : "");
	const bool good = json_object_is_type(caps, json_type_object) && json_object_is_type(input, json_type_object);
	if (good && can_be_ours(input, caps))
		answer(input, caps, out);
	if (!good)
		say_error("hooks: the hook's input or the capability file is no JSON object");
	json_object_put(input);
	json_object_put(caps);
	return good ? 0 : 1;
}
