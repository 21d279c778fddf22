/* SPDX-License-Identifier: Apache-2.0 */
/*
 * when.c - predicates of conditional entries: "linux", "!macos", "linux:debian:>=12", "linux:debian-like".
 * Segments: system, os-release ID, VERSION_ID with an operator, VARIANT_ID (os-release(5)).
 */
#include "profile/fields.h"

#include <ctype.h>

struct release {
	char *id, *like, *version, *variant;
};

static char *unquote(const char *v)
{
	size_t n = strcspn(v, "\n");
	if (n >= 2 && (v[0] == '"' || v[0] == '\'') && v[n - 1] == v[0])
		return xstrndup(v + 1, n - 2);
	return xstrndup(v, n);
}

static const struct release *release(void)
{
	static struct release r;
	static bool read;
	if (read)
		return &r;
	read = true;
	cleanup_free char *text = NULL;
	if (file_read("/etc/os-release", 65536, &text, NULL, NULL) < 0 &&
		file_read("/usr/lib/os-release", 65536, &text, NULL, NULL) < 0)
		return &r;
	static const struct {
		const char *key;
		size_t offset;
	} keys[] = {{"ID=", offsetof(struct release, id)}, {"ID_LIKE=", offsetof(struct release, like)},
		{"VERSION_ID=", offsetof(struct release, version)}, {"VARIANT_ID=", offsetof(struct release, variant)}};
	for (const char *line = text; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
		for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
			if (str_starts(line, keys[i].key))
				*(char **)((char *)&r + keys[i].offset) = unquote(line + strlen(keys[i].key));
	return &r;
}

static bool has_word(const char *words, const char *w, size_t n)
{
	for (const char *p = words; p && *p; p += strcspn(p, " ")) {
		p += strspn(p, " ");
		if (strcspn(p, " ") == n && memcmp(p, w, n) == 0)
			return true;
	}
	return false;
}

static bool id_matches(const char *want)
{
	const struct release *r = release();
	size_t n = strlen(want);
	if (!str_ends(want, "-like"))
		return r->id && strcmp(r->id, want) == 0;
	n -= 5;
	return (r->id && strlen(r->id) == n && memcmp(r->id, want, n) == 0) || has_word(r->like, want, n);
}

/* Dotted versions: numbers by value, anything else by text; a prefix is older. */
static int compare_versions(const char *a, const char *b)
{
	while (*a && *b) {
		size_t n = strcspn(a, "."), m = strcspn(b, ".");
		bool numbers = strspn(a, "0123456789") == n && strspn(b, "0123456789") == m && n && m;
		if (numbers) {
			unsigned long x = strtoul(a, NULL, 10), y = strtoul(b, NULL, 10);
			if (x != y)
				return x < y ? -1 : 1;
		} else {
			int c = strncmp(a, b, n > m ? n : m);
			if (c)
				return c < 0 ? -1 : 1;
		}
		a += n + (a[n] == '.');
		b += m + (b[m] == '.');
	}
	return *a ? 1 : *b ? -1 : 0;
}

static bool version_matches(const char *want)
{
	static const struct {
		const char *op;
		int low, high; /* accepted results of the comparison */
	} ops[] = {{"==", 0, 0}, {">=", 0, 1}, {"<=", -1, 0}, {">", 1, 1}, {"<", -1, -1}, {"", 0, 0}};
	const char *have = release()->version;
	for (size_t i = 0; i < ARRAY_SIZE(ops); i++)
		if (str_starts(want, ops[i].op)) {
			int c = have ? compare_versions(have, want + strlen(ops[i].op)) : -2;
			return have && c >= ops[i].low && c <= ops[i].high;
		}
	return false;
}

static int predicate(const char *text, struct err **e)
{
	const char *p = text;
	bool negate = *p == '!';
	cleanup_free char *copy = xstrdup(p + negate);
	char *segment[4] = {0};
	size_t n = 0;
	for (char *s = copy; s; n++) {
		char *colon = strchr(s, ':');
		if (colon)
			*colon = '\0';
		bool shaped = *s && strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-=<>") ==
					    strlen(s);
		if (!shaped || n == ARRAY_SIZE(segment))
			return err_set(e, 0,
				"malformed predicate \"%s\"; write system[:id[:version[:variant]]], like "
				"linux:debian:>=12",
				text);
		segment[n] = s;
		s = colon ? colon + 1 : NULL;
	}
	bool holds = segment[0] && strcmp(segment[0], "linux") == 0 && (!segment[1] || id_matches(segment[1])) &&
		     (!segment[2] || version_matches(segment[2])) &&
		     (!segment[3] || (release()->variant && strcmp(release()->variant, segment[3]) == 0));
	return holds != negate;
}

int when_matches(struct json_object *when, struct err **e)
{
	if (json_object_is_type(when, json_type_string))
		return predicate(json_object_get_string(when), e);
	if (!json_object_is_type(when, json_type_array) || json_object_array_length(when) == 0)
		return err_set(e, 0, "\"when\" is a predicate or an array of predicates");
	int any = 0;
	for (size_t i = 0; i < json_object_array_length(when); i++) {
		struct json_object *o = json_object_array_get_idx(when, i);
		if (!json_object_is_type(o, json_type_string))
			return err_set(e, 0, "\"when\" holds strings only");
		int one = predicate(json_object_get_string(o), e);
		if (one < 0)
			return -1;
		any |= one;
	}
	return any;
}
