/* SPDX-License-Identifier: Apache-2.0 */
/*
 * settings.c - the hook's entry in ~/.claude/settings.json.
 *
 * The file is the person's: what is not ours keeps its place and value, nothing is
 * written when nothing changes, and what does not parse is not touched.
 */
#include "hooks/internal.h"

#include <errno.h>
#include <json-c/json.h>
#include <sys/stat.h>

#define SETTINGS_MAX (4 << 20)
#define COMMAND "$HOME/.claude/hooks/nono-hook.sh"

static void put_json(struct json_object **o)
{
	json_object_put(*o);
}
#define cleanup_json __attribute__((cleanup(put_json), unused))

/* The parsed file, an empty object when there is none, NULL when it is not an object of JSON. */
static struct json_object *settings_read(const char *path, struct err **e)
{
	cleanup_free char *text = NULL;
	size_t len = 0;
	struct stat st;
	if (lstat(path, &st) < 0 && errno == ENOENT)
		return json_object_new_object();
	if (file_read(path, SETTINGS_MAX, &text, &len, e) < 0)
		return NULL;
	if (strspn(text, " \t\r\n") == len)
		return json_object_new_object();
	struct json_tokener *t = json_tokener_new();
	json_tokener_set_flags(t, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	struct json_object *o = json_tokener_parse_ex(t, text, (int)len + 1);
	const enum json_tokener_error why = json_tokener_get_error(t);
	const size_t line_end = json_tokener_get_parse_end(t);
	json_tokener_free(t);
	if (why == json_tokener_success && json_object_is_type(o, json_type_object))
		return o;
	json_object_put(o);
	err_set(e, 0, "%s is no JSON object (byte %zu) and was left as it is", path, line_end);
	return NULL;
}

static int settings_write(const char *path, struct json_object *o, struct err **e)
{
	struct stat st;
	const mode_t mode = stat(path, &st) == 0 ? st.st_mode & 0777 : 0600;
	cleanup_free char *text =
		xasprintf("%s\n", json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
									    JSON_C_TO_STRING_NOSLASHESCAPE));
	return file_write_atomic(path, text, strlen(text), mode, e);
}

static bool is_ours(struct json_object *inner)
{
	const char *command = json_object_get_string(json_object_object_get(inner, "command"));
	return command && strcmp(command, COMMAND) == 0;
}

/* Take our commands out of one list of inner hooks. Return: how many there were. */
static size_t strip(struct json_object *list, bool remove)
{
	size_t found = 0;
	if (!json_object_is_type(list, json_type_array))
		return 0;
	for (size_t i = json_object_array_length(list); i-- > 0;) {
		if (!is_ours(json_object_array_get_idx(list, i)))
			continue;
		found++;
		if (remove)
			json_object_array_del_idx(list, i, 1);
	}
	return found;
}

/* Our commands among the entries of one event, removed with what they leave empty when @remove. */
static size_t in_event(struct json_object *entries, bool remove)
{
	size_t found = 0;
	if (!json_object_is_type(entries, json_type_array))
		return 0;
	for (size_t i = json_object_array_length(entries); i-- > 0;) {
		struct json_object *list = json_object_object_get(json_object_array_get_idx(entries, i), "hooks");
		const size_t n = strip(list, remove);
		found += n;
		if (n && remove && json_object_array_length(list) == 0)
			json_object_array_del_idx(entries, i, 1);
	}
	return found;
}

static struct json_object *new_entry(const char *matcher)
{
	struct json_object *inner = json_object_new_object(), *list = json_object_new_array(),
			   *entry = json_object_new_object();
	json_object_object_add(inner, "type", json_object_new_string("command"));
	json_object_object_add(inner, "command", json_object_new_string(COMMAND));
	json_object_array_add(list, inner);
	if (matcher)
		json_object_object_add(entry, "matcher", json_object_new_string(matcher));
	json_object_object_add(entry, "hooks", list);
	return entry;
}

/* The member @key of @o with @type, made when absent. NULL when it has another type. */
static struct json_object *member(struct json_object *o, const char *key, enum json_type type)
{
	struct json_object *m = NULL;
	if (json_object_object_get_ex(o, key, &m))
		return json_object_is_type(m, type) ? m : NULL;
	m = type == json_type_array ? json_object_new_array() : json_object_new_object();
	json_object_object_add(o, key, m);
	return m;
}

int settings_register(const struct claude_hook *h, bool *changed, struct err **e)
{
	cleanup_free char *path = claude_file("settings.json", e);
	cleanup_json struct json_object *o = path ? settings_read(path, e) : NULL;
	if (!o)
		return -1;
	struct json_object *hooks = member(o, "hooks", json_type_object);
	struct json_object *entries = hooks ? member(hooks, h->event, json_type_array) : NULL;
	if (!entries)
		return err_set(e, 0, "%s has \"hooks\" in a form that is not known and was left as it is", path);
	if (in_event(entries, false))
		return 0;
	json_object_array_add(entries, new_entry(h->matcher));
	*changed = true;
	return settings_write(path, o, e);
}

int settings_unregister(bool *changed, struct err **e)
{
	cleanup_free char *path = claude_file("settings.json", e);
	cleanup_json struct json_object *o = path ? settings_read(path, e) : NULL;
	if (!o)
		return -1;
	struct json_object *hooks = json_object_object_get(o, "hooks");
	if (!json_object_is_type(hooks, json_type_object))
		return 0;
	cleanup_strv struct strv empty = {0};
	json_object_object_foreach(hooks, event, entries)
	{
		if (!in_event(entries, true))
			continue;
		*changed = true;
		if (json_object_array_length(entries) == 0)
			strv_add(&empty, event);
	}
	for (size_t i = 0; i < empty.n; i++)
		json_object_object_del(hooks, empty.v[i]);
	if (*changed && json_object_object_length(hooks) == 0)
		json_object_object_del(o, "hooks");
	return *changed ? settings_write(path, o, e) : 0;
}

int settings_state(struct err **e)
{
	cleanup_free char *path = claude_file("settings.json", e);
	cleanup_json struct json_object *o = path ? settings_read(path, e) : NULL;
	if (!o)
		return -1;
	struct json_object *hooks = json_object_object_get(o, "hooks");
	if (!json_object_is_type(hooks, json_type_object))
		return HOOK_ABSENT;
	size_t found = 0;
	json_object_object_foreach(hooks, event, entries)
	{
		(void)event;
		found += in_event(entries, false);
	}
	return found ? HOOK_CURRENT : HOOK_ABSENT;
}
