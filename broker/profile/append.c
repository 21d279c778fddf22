/* SPDX-License-Identifier: Apache-2.0 */
/*
 * append.c - add one value to a list of a user's profile file, as text.
 *
 * Theory of operation
 *
 * The scanner knows where every value stands, so the edit inserts bytes and
 * leaves the rest of the file, its comments and its order, alone. What is
 * missing is made on the way: the list in its section, the section, the file. A list that is
 * written over several lines gets a line, one that is written on one line stays
 * on it. A section that would hide what its base says there begins with that. The result is parsed before anything is
 * written: a file that would not load is never left behind.
 */
#include "profile/fields.h"
#include "profile/jsonc.h"

#include <errno.h>
#include <sys/stat.h>

/* ---- the edit ------------------------------------------------------------ */

/* Where the last entry of a list or object ends; @box->value + 1 when it is empty. */
static size_t last_end(const struct jsonc *j, const struct jsonc_place *box)
{
	size_t end = box->value + 1;
	for (size_t i = 0; i < j->n_places; i++) {
		const struct jsonc_place *p = &j->places[i];
		if (p->value > box->value && p->end < box->end && p->end > end)
			end = p->end;
	}
	return end;
}

/* The first byte from @at on that is neither blank nor comment. */
static size_t skip(const char *text, size_t at)
{
	for (;;) {
		at += strspn(text + at, " \t\r\n");
		if (text[at] != '/')
			return at;
		if (text[at + 1] == '/')
			at += strcspn(text + at, "\n");
		else
			at = (size_t)(strstr(text + at + 2, "*/") + 2 - text);
	}
}

static size_t line_start(const char *text, size_t at)
{
	while (at > 0 && text[at - 1] != '\n')
		at--;
	return at;
}

/* The blanks at the beginning of the line that holds @at. New string. */
static char *indent_of(const char *text, size_t at)
{
	size_t start = line_start(text, at);
	return xstrndup(text + start, strspn(text + start, " \t"));
}

/* Put @entry behind the last entry of @box. @entry has no indentation; lines in it are separated by newlines. */
static char *insert(const struct jsonc *j, const struct jsonc_place *box, const char *entry)
{
	const char *text = j->text;
	size_t close = box->end - 1, last = last_end(j, box), comma = skip(text, last);
	bool empty = box->n == 0, has_comma = !empty && text[comma] == ',';
	size_t before = line_start(text, close);
	bool own_line = strspn(text + before, " \t") == close - before && before > last;
	cleanup_free char *outer = indent_of(text, close);
	cleanup_free char *inner = empty ? xasprintf("%s  ", outer) : indent_of(text, last - 1);
	struct buf b = {0};
	bool lines = own_line || strchr(entry, '\n');
	buf_add(&b, text, last);
	if (!empty && !has_comma)
		buf_addc(&b, ',');
	size_t from = last;
	if (!lines) {
		/* one line: behind the comma, if there is one */
		size_t to = has_comma ? comma + 1 : last;
		buf_add(&b, text + from, to - from);
		buf_addf(&b, "%s%s", empty ? "" : " ", entry);
		from = to;
	} else {
		size_t to = own_line ? before : close;
		buf_add(&b, text + from, to - from);
		if (!own_line)
			buf_addc(&b, '\n');
		for (const char *l = entry; l;) {
			const char *nl = strchr(l, '\n');
			buf_adds(&b, inner);
			buf_add(&b, l, nl ? (size_t)(nl - l) : strlen(l));
			l = nl ? nl + 1 : NULL;
			if (l)
				buf_addc(&b, '\n');
		}
		buf_adds(&b, has_comma ? ",\n" : "\n");
		if (!own_line)
			buf_adds(&b, outer);
		from = to;
	}
	buf_adds(&b, text + from);
	return buf_steal(&b);
}

/* The place of the field's list, by its key or one of its aliases. */
static const struct jsonc_place *find_list(const struct jsonc *j, const struct field *f)
{
	const struct jsonc_place *p = jsonc_find(j, f->key);
	cleanup_free char *aliases = xstrdup(f->aliases ? f->aliases : "");
	char *save = NULL;
	for (char *a = strtok_r(aliases, "|", &save); a && !p; a = strtok_r(NULL, "|", &save))
		p = jsonc_find(j, a);
	return p;
}

static bool has_value(const struct jsonc *j, const struct jsonc_place *list, const char *quoted)
{
	size_t n = strlen(quoted);
	for (size_t i = 0; i < j->n_places; i++) {
		const struct jsonc_place *p = &j->places[i];
		if (p->value > list->value && p->end < list->end && p->end - p->value == n &&
			memcmp(j->text + p->value, quoted, n) == 0)
			return true;
	}
	return false;
}

static char *json_text(struct json_object *o)
{
	char *text =
		xstrdup(json_object_to_json_string_ext(o, JSON_C_TO_STRING_SPACED | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
	return text;
}

/* The entries of a list, without those of flags, and @last behind them if it is not NULL. */
static void add_entries(struct buf *b, const struct items *l, const char *last)
{
	bool first = true, have = false;
	buf_addc(b, '[');
	for (size_t i = 0; i < l->n; i++) {
		if (l->v[i].origin.source == SOURCE_USER)
			continue;
		cleanup_free char *entry = json_text(json_object_new_string(l->v[i].value));
		buf_addf(b, "%s%s", first ? "" : ", ", entry);
		have |= last && strcmp(entry, last) == 0;
		first = false;
	}
	if (last && !have)
		buf_addf(b, "%s%s", first ? "" : ", ", last);
	buf_addc(b, ']');
}

/* The members of the section of @f, as they hold in @now, the value among them: "{...}". New string. */
static char *whole_section(const struct field *f, const char *quoted, const struct profile *now)
{
	struct buf b = {0};
	size_t n = (size_t)(strchr(f->key, '.') - f->key) + 1;
	buf_addc(&b, '{');
	for (size_t i = 0; i < n_profile_fields; i++) {
		const struct field *m = &profile_fields[i];
		if (strncmp(m->key, f->key, n) != 0 || (m != f && !field_is_set(now, m)))
			continue;
		buf_addf(&b, "%s\n  \"%s\": ", b.len > 1 ? "," : "", m->key + n);
		if (m->type == FIELD_ITEMS) {
			add_entries(&b, field_value(now, m), m == f ? quoted : NULL);
		} else {
			cleanup_free char *value = json_text(field_json(now, m));
			buf_adds(&b, value);
		}
	}
	buf_adds(&b, "\n}");
	return buf_steal(&b);
}

/* Put @whole in the place of null: the lines behind the first get its indentation. New string. */
static char *instead_of_null(const struct jsonc *j, const struct jsonc_place *box, const char *whole)
{
	struct buf b = {0};
	cleanup_free char *indent = indent_of(j->text, box->value);
	buf_add(&b, j->text, box->value);
	for (const char *c = whole; *c; c++) {
		buf_addc(&b, *c);
		if (*c == '\n')
			buf_adds(&b, indent);
	}
	buf_adds(&b, j->text + box->end);
	return buf_steal(&b);
}

/* The text with the value added. New string, or NULL. */
static char *edit(
	const struct jsonc *j, const struct field *f, const char *quoted, const struct profile *now, struct err **e)
{
	const struct jsonc_place *list = find_list(j, f), *root = jsonc_find(j, "");
	if (!root) {
		err_set(e, 0, "%s: there is no profile in it", j->file);
		return NULL;
	}
	const char *dot = strchr(f->key, '.');
	if (list && j->text[list->value] == '[')
		return has_value(j, list, quoted) ? xstrdup(j->text) : insert(j, list, quoted);
	if (list && strncmp(j->text + list->value, "null", 4) == 0)
		return xasprintf("%.*s[%s]%s", (int)list->value, j->text, quoted, j->text + list->end);
	if (list) {
		err_set(e, 0, "%s:%u: %s is not a list", j->file, list->line, f->key);
		return NULL;
	}
	cleanup_free char *section = dot ? xstrndup(f->key, (size_t)(dot - f->key)) : NULL;
	const struct jsonc_place *box = section ? jsonc_find(j, section) : root;
	cleanup_free char *all = f->merge == MERGE_SECTION && now ? whole_section(f, quoted, now) : NULL;
	if (box && all && strncmp(j->text + box->value, "null", 4) == 0)
		return instead_of_null(j, box, all);
	if (box && j->text[box->value] != '{') {
		err_set(e, 0, "%s:%u: %s is not an object", j->file, box->line, section ? section : "the profile");
		return NULL;
	}
	cleanup_free char *member = xasprintf("\"%s\": [%s]", dot ? dot + 1 : f->key, quoted);
	if (box)
		return insert(j, box, member);
	cleanup_free char *whole =
		all ? xasprintf("\"%s\": %s", section, all) : xasprintf("\"%s\": {\n  %s\n}", section, member);
	return insert(j, root, whole);
}

/* ---- the file ------------------------------------------------------------ */

/* The value as it stands in a file: a string, or the number of a port. New string, or NULL. */
static char *quote(const struct field *f, const char *value, struct err **e)
{
	if (f->type == FIELD_PORTS) {
		if (value[0] && value[strspn(value, "0123456789")] == '\0')
			return xstrdup(value);
		err_set(e, 0, "%s takes port numbers, not \"%s\"", f->key, value);
		return NULL;
	}
	if ((f->type != FIELD_ITEMS && f->type != FIELD_DOMAINS) || !utf8_valid(value, strlen(value), NULL)) {
		err_set(e, 0, "%s cannot take the value", f->key);
		return NULL;
	}
	struct json_object *o = json_object_new_string(value);
	char *text =
		xstrdup(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
	return text;
}

/* What the file holds, or what a new one begins with. New string, or NULL. */
static char *old_text(const char *file, const char *extends, bool *is_new, struct err **e)
{
	char *text = NULL;
	*is_new = access(file, F_OK) < 0 && errno == ENOENT;
	if (!*is_new)
		return file_read(file, JSONC_MAX, &text, NULL, e) < 0 ? NULL : text;
	if (!extends)
		return xstrdup("{\n}\n");
	struct json_object *o = json_object_new_string(extends);
	text = xasprintf("{\n  \"extends\": %s\n}\n",
		json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
	return text;
}

/* Whether the new text is a profile. */
static int check(const char *file, const char *text, struct err **e)
{
	struct jsonc j;
	if (jsonc_parse(file, text, strlen(text), &j, e) < 0)
		return err_wrap(e, "the change would break the profile");
	cleanup_profile struct profile *p = profile_new();
	int r = profile_from_json(p, j.root, &j, SOURCE_PROFILE, path_base(file), e);
	jsonc_free(&j);
	return r < 0 ? err_wrap(e, "the change would break the profile") : 0;
}

static int write_file(const char *file, bool is_new, const char *text, struct err **e)
{
	struct stat st;
	cleanup_free char *dir = path_dir(file);
	if (is_new && dir_create(dir, 0700, e) < 0)
		return -1;
	mode_t mode = !is_new && stat(file, &st) == 0 ? st.st_mode & 0777 : 0600;
	return file_write_atomic(file, text, strlen(text), mode, e);
}

int profile_append_value(const char *file, const char *extends, const char *key_path, const char *value,
	const struct profile *now, char **preview, struct err **e)
{
	const struct field *f = field_find(key_path);
	if (!f || strcmp(f->key, key_path) != 0)
		return err_set(e, 0, "profiles have no key %s", key_path);
	cleanup_free char *quoted = quote(f, value, e);
	bool is_new = false;
	cleanup_free char *old = quoted ? old_text(file, extends, &is_new, e) : NULL;
	struct jsonc j;
	if (!old || jsonc_parse(file, old, strlen(old), &j, e) < 0)
		return -1;
	cleanup_free char *new = edit(&j, f, quoted, now, e);
	jsonc_free(&j);
	if (!new || check(file, new, e) < 0)
		return -1;
	if (preview) {
		*preview = text_diff(is_new ? "/dev/null" : file, file, is_new ? "" : old, new);
		return 0;
	}
	return strcmp(old, new) == 0 && !is_new ? 0 : write_file(file, is_new, new, e);
}
