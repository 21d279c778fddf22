/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jsonc.c - JSON with comments.
 *
 * Theory of operation. A scanner walks the text once. It checks the structure,
 * notes the place of every value, and writes blanks over comments and trailing
 * commas in a copy of equal length. The copy is strict JSON, which json-c turns
 * into values. So every error can name line and column, and an edit can change a
 * few bytes of the original and leave comments and order alone.
 */
#include "profile/jsonc.h"

#include <ctype.h>

struct scan {
	struct jsonc *j;
	char *copy;
	size_t at;
	struct buf path;
	size_t counted; /* how far line and column have been counted */
	unsigned line, column;
	struct err **e;
};

/* Values beyond this are no profile. */
#define MAX_VALUES 20000

static void place_of(const char *text, size_t at, unsigned *line, unsigned *column)
{
	*line = *column = 1;
	for (size_t i = 0; i < at; i++) {
		if (text[i] == '\n') {
			(*line)++;
			*column = 1;
		} else if (((unsigned char)text[i] & 0xc0) != 0x80) {
			(*column)++;
		}
	}
}

static int fail(struct scan *s, size_t at, const char *what)
{
	unsigned line, column;
	place_of(s->j->text, at, &line, &column);
	return err_set(s->e, 0, "%s:%u:%u: %s", s->j->file, line, column, what);
}

/* A page that shows a profile may carry numbered callouts; people copy them along. */
static bool callout(const struct scan *s)
{
	const char *p = s->copy + s->at;
	if (*p != '(')
		return false;
	size_t digits = strspn(p + 1, "0123456789");
	return digits && p[1 + digits] == ')';
}

static int fail_here(struct scan *s, const char *expected)
{
	if (callout(s)) {
		cleanup_free char *text =
			xasprintf("\"%.*s\" looks like a callout of the page this was copied from, not JSON; delete it",
				(int)(strcspn(s->copy + s->at, ")") + 1), s->copy + s->at);
		return fail(s, s->at, text);
	}
	char c = s->copy[s->at];
	cleanup_free char *text = c == '\0' ? xasprintf("expected %s, the text ends here", expected)
				  : isprint((unsigned char)c)
					  ? xasprintf("expected %s, found '%c'", expected, c)
					  : xasprintf("expected %s, found byte 0x%02x", expected, (unsigned char)c);
	return fail(s, s->at, text);
}

static int skip_comment(struct scan *s)
{
	size_t start = s->at;
	char *p = s->copy + start, *end;
	if (p[1] == '/') {
		end = strchrnul(p, '\n');
	} else {
		end = strstr(p + 2, "*/");
		if (!end)
			return fail(s, start, "this comment has no end");
		end += 2;
	}
	for (; p < end; p++)
		if (*p != '\n')
			*p = ' ';
	s->at = (size_t)(end - s->copy);
	return 0;
}

static int skip_blank(struct scan *s)
{
	for (;;) {
		char c = s->copy[s->at];
		if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
			s->at++;
		} else if (c == '/' && (s->copy[s->at + 1] == '/' || s->copy[s->at + 1] == '*')) {
			if (skip_comment(s) < 0)
				return -1;
		} else {
			return 0;
		}
	}
}

static int scan_string(struct scan *s)
{
	size_t start = s->at++;
	for (;; s->at++) {
		unsigned char c = (unsigned char)s->copy[s->at];
		if (c == '"') {
			s->at++;
			return 0;
		}
		if (c == '\0' || c == '\n')
			return fail(s, start, "this string has no end on its line");
		if (c < 0x20)
			return fail(s, s->at, "control character in a string; write it as \\u00NN");
		if (c != '\\')
			continue;
		c = (unsigned char)s->copy[++s->at];
		if (c == 'u') {
			for (int i = 0; i < 4; i++)
				if (!isxdigit((unsigned char)s->copy[++s->at]))
					return fail(s, s->at, "\\u needs four hexadecimal digits");
			if (memcmp(s->copy + s->at - 3, "0000", 4) == 0)
				return fail(s, s->at, "a NUL character has no place in a profile");
		} else if (c == '\0' || !strchr("\"\\/bfnrt", c)) {
			return fail(s, s->at, "unknown escape in a string");
		}
	}
}

static int scan_scalar(struct scan *s)
{
	const char *p = s->copy + s->at;
	size_t n = strspn(p, "+-.0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
	static const char *const words[] = {"true", "false", "null"};
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (n == strlen(words[i]) && memcmp(p, words[i], n) == 0) {
			s->at += n;
			return 0;
		}
	char *end = NULL;
	if (n && (p[0] == '-' || isdigit((unsigned char)p[0]))) {
		(void)strtod(p, &end);
		bool leading_zero = p[p[0] == '-'] == '0' && isdigit((unsigned char)p[1 + (p[0] == '-')]);
		if (end == p + n && !leading_zero && !memchr(p, 'x', n) && !memchr(p, 'X', n)) {
			s->at += n;
			return 0;
		}
	}
	return fail_here(s, "a value (string, number, true, false, null, array or object)");
}

static void add_place(struct scan *s, size_t key_at)
{
	struct jsonc *j = s->j;
	/* places come in order, so the count goes on from the last one */
	for (; s->counted < key_at; s->counted++) {
		if (j->text[s->counted] == '\n') {
			s->line++;
			s->column = 0;
		}
		if (((unsigned char)j->text[s->counted] & 0xc0) != 0x80)
			s->column++;
	}
	if ((j->n_places & (j->n_places - 1)) == 0)
		j->places = xreallocarray(j->places, j->n_places ? j->n_places * 2 : 1, sizeof(*j->places));
	struct jsonc_place *p = &j->places[j->n_places++];
	*p = (struct jsonc_place){.path = xstrdup(s->path.data ? s->path.data : ""),
		.value = s->at,
		.line = s->line,
		.column = s->column};
}

static int scan_value(struct scan *s, size_t key_at, unsigned depth);

static void push(struct scan *s, const char *name, size_t n)
{
	if (s->path.len)
		buf_addc(&s->path, '.');
	buf_add(&s->path, name, n);
}

static void pop(struct scan *s, size_t len)
{
	s->path.len = len;
	if (s->path.data)
		s->path.data[len] = '\0';
}

static int check_duplicate(struct scan *s, size_t since, size_t key_at)
{
	for (size_t i = since; i < s->j->n_places; i++)
		if (strcmp(s->j->places[i].path, s->path.data) == 0) {
			cleanup_free char *text = xasprintf(
				"key \"%s\" is given twice, first on line %u", s->path.data, s->j->places[i].line);
			return fail(s, key_at, text);
		}
	return 0;
}

static int scan_member(struct scan *s, unsigned depth, size_t since)
{
	size_t key_at = s->at, mark = s->path.len;
	if (s->copy[s->at] != '"')
		return fail_here(s, "a key in double quotes");
	if (scan_string(s) < 0)
		return -1;
	size_t key_len = s->at - key_at - 2;
	/* places are found by the text of the key, so one key must have one spelling */
	if (memchr(s->copy + key_at + 1, '\\', key_len))
		return fail(s, key_at, "write the key without escapes");
	if (key_len + s->path.len > JSONC_PATH)
		return fail(s, key_at, "this key is too long");
	push(s, s->copy + key_at + 1, key_len);
	if (check_duplicate(s, since, key_at) < 0 || skip_blank(s) < 0)
		return -1;
	if (s->copy[s->at] != ':')
		return fail_here(s, "':' after the key");
	s->at++;
	if (skip_blank(s) < 0 || scan_value(s, key_at, depth) < 0)
		return -1;
	pop(s, mark);
	return 0;
}

static int scan_element(struct scan *s, unsigned depth, size_t index)
{
	size_t mark = s->path.len;
	buf_addf(&s->path, "[%zu]", index);
	if (scan_value(s, s->at, depth) < 0)
		return -1;
	pop(s, mark);
	return 0;
}

/* An object or array; the opening bracket is at s->at. */
static int scan_list(struct scan *s, unsigned depth, size_t *count)
{
	bool object = s->copy[s->at] == '{';
	char close = object ? '}' : ']';
	size_t since = s->j->n_places, open_at = s->at++;
	if (depth > JSONC_DEPTH)
		return fail(s, open_at, "nested too deeply");
	for (*count = 0;; (*count)++) {
		if (skip_blank(s) < 0)
			return -1;
		if (s->copy[s->at] == close)
			break;
		if ((object ? scan_member(s, depth, since) : scan_element(s, depth, *count)) < 0 || skip_blank(s) < 0)
			return -1;
		if (s->copy[s->at] == close) {
			(*count)++;
			break;
		}
		if (s->copy[s->at] != ',')
			return fail_here(s, object ? "',' or '}'" : "',' or ']'");
		size_t comma = s->at++;
		if (skip_blank(s) < 0)
			return -1;
		if (s->copy[s->at] == close)
			s->copy[comma] = ' ';
	}
	s->at++;
	return 0;
}

static int scan_value(struct scan *s, size_t key_at, unsigned depth)
{
	size_t index = s->j->n_places, count = 0;
	if (index >= MAX_VALUES)
		return fail(s, s->at, "too many values for a profile");
	add_place(s, key_at);
	char c = s->copy[s->at];
	int rc = c == '{' || c == '[' ? scan_list(s, depth + 1, &count) : c == '"' ? scan_string(s) : scan_scalar(s);
	if (rc < 0)
		return -1;
	s->j->places[index].end = s->at;
	s->j->places[index].n = count;
	return 0;
}

static int scan_document(struct scan *s)
{
	size_t bad;
	if (!utf8_valid(s->j->text, s->j->len, &bad))
		return fail(s, bad, "invalid UTF-8");
	const char *nul = memchr(s->j->text, '\0', s->j->len);
	if (nul)
		return fail(s, (size_t)(nul - s->j->text), "NUL byte");
	if (str_starts(s->j->text, "\xef\xbb\xbf"))
		memset(s->copy, ' ', 3);
	if (skip_blank(s) < 0)
		return -1;
	if (s->copy[s->at] != '{')
		return fail_here(s, "an object: '{'");
	if (scan_value(s, s->at, 0) < 0 || skip_blank(s) < 0)
		return -1;
	return s->copy[s->at] ? fail_here(s, "the end of the file") : 0;
}

int jsonc_parse(const char *file, const char *text, size_t len, struct jsonc *out, struct err **e)
{
	*out = (struct jsonc){.file = xstrdup(file), .text = xmalloc(len + 1), .len = len};
	memcpy(out->text, text, len);
	out->text[len] = '\0';
	cleanup_free char *copy = xmalloc(len + 1);
	memcpy(copy, out->text, len + 1);
	struct scan s = {.j = out, .copy = copy, .line = 1, .column = 1, .e = e};
	int rc = len > JSONC_MAX ? err_set(e, 0, "%s is larger than %u bytes", file, JSONC_MAX) : scan_document(&s);
	buf_free(&s.path);
	if (rc == 0) {
		struct json_tokener *t = json_tokener_new_ex(JSONC_DEPTH + 2);
		json_tokener_set_flags(t, JSON_TOKENER_STRICT | JSON_TOKENER_ALLOW_TRAILING_CHARS);
		out->root = json_tokener_parse_ex(t, copy, (int)len);
		if (!out->root)
			rc = err_set(e, 0, "%s: %s", file, json_tokener_error_desc(json_tokener_get_error(t)));
		json_tokener_free(t);
	}
	if (rc < 0)
		jsonc_free(out);
	return rc;
}

int jsonc_read(const char *file, struct jsonc *out, struct err **e)
{
	cleanup_free char *text = NULL;
	size_t len = 0;
	if (file_read(file, JSONC_MAX, &text, &len, e) < 0)
		return -1;
	return jsonc_parse(file, text, len, out, e);
}

void jsonc_free(struct jsonc *j)
{
	for (size_t i = 0; i < j->n_places; i++)
		free(j->places[i].path);
	free(j->places);
	free(j->file);
	free(j->text);
	if (j->root)
		json_object_put(j->root);
	*j = (struct jsonc){0};
}

const struct jsonc_place *jsonc_find_from(const struct jsonc *j, const char *path, size_t *at)
{
	for (size_t k = 0; k < j->n_places; k++) {
		size_t i = (*at + k) % j->n_places;
		if (strcmp(j->places[i].path, path) == 0) {
			*at = i;
			return &j->places[i];
		}
	}
	return NULL;
}

const struct jsonc_place *jsonc_find(const struct jsonc *j, const char *path)
{
	size_t at = 0;
	return jsonc_find_from(j, path, &at);
}

struct json_object *json_parse_nested(const char *text)
{
	struct json_tokener *t = json_tokener_new_ex(JSONC_DEPTH + 2);
	struct json_object *o = json_tokener_parse_ex(t, text, (int)strlen(text) + 1);
	json_tokener_free(t);
	return o;
}
