/* SPDX-License-Identifier: Apache-2.0 */
/* str.c - growing strings, string vectors, and text made safe for a terminal. */
#include "base/base.h"

#include <ctype.h>

static void buf_reserve(struct buf *b, size_t more)
{
	size_t need = b->len + more + 1;
	if (need <= b->cap)
		return;
	size_t cap = b->cap ? b->cap : 64;
	while (cap < need)
		cap *= 2;
	b->data = xrealloc(b->data, cap);
	b->cap = cap;
}

void buf_add(struct buf *b, const void *p, size_t n)
{
	buf_reserve(b, n);
	if (n)
		memcpy(b->data + b->len, p, n);
	b->len += n;
	b->data[b->len] = '\0';
}

void buf_adds(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void buf_addc(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

void buf_addf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	char *s = NULL;
	va_start(ap, fmt);
	int n = vasprintf(&s, fmt, ap);
	va_end(ap);
	if (n < 0)
		abort();
	buf_add(b, s, (size_t)n);
	free(s);
}

char *buf_steal(struct buf *b)
{
	buf_reserve(b, 0);
	b->data[b->len] = '\0';
	char *s = b->data;
	*b = (struct buf){0};
	return s;
}

void buf_free(struct buf *b)
{
	free(b->data);
	*b = (struct buf){0};
}

void strv_take(struct strv *s, char *owned)
{
	s->v = xreallocarray(s->v, s->n + 2, sizeof *s->v);
	s->v[s->n++] = owned;
	s->v[s->n] = NULL;
}

void strv_add(struct strv *s, const char *str)
{
	strv_take(s, xstrdup(str));
}

void strv_addf(struct strv *s, const char *fmt, ...)
{
	va_list ap;
	char *t = NULL;
	va_start(ap, fmt);
	if (vasprintf(&t, fmt, ap) < 0)
		abort();
	va_end(ap);
	strv_take(s, t);
}

bool strv_has(const struct strv *s, const char *str)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->v[i], str) == 0)
			return true;
	return false;
}

void strv_free(struct strv *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->v[i]);
	free(s->v);
	*s = (struct strv){0};
}

bool str_starts(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool str_ends(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);
	return n >= m && strcmp(s + n - m, suffix) == 0;
}

/* Levenshtein distance, cut off at 64 bytes: names are short. */
static size_t distance(const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b), row[65];
	if (n > 64 || m > 64)
		return 65;
	for (size_t j = 0; j <= m; j++)
		row[j] = j;
	for (size_t i = 1; i <= n; i++) {
		size_t diag = row[0];
		row[0] = i;
		for (size_t j = 1; j <= m; j++) {
			size_t del = row[j] + 1, ins = row[j - 1] + 1, sub = diag + (a[i - 1] != b[j - 1]);
			diag = row[j];
			row[j] = del < ins ? del : ins;
			if (sub < row[j])
				row[j] = sub;
		}
	}
	return row[m];
}

const char *str_nearest(const char *s, const char *const *names, size_t n)
{
	const char *best = NULL;
	size_t limit = strlen(s) / 3 + 1;
	for (size_t i = 0; i < n; i++) {
		size_t d = distance(s, names[i]);
		if (d <= limit) {
			limit = d ? d - 1 : 0;
			best = names[i];
			if (d == 0)
				break;
		}
	}
	return best;
}

/* Length of the UTF-8 sequence at s and its code point; 0 when malformed. */
static size_t utf8_next(const unsigned char *s, size_t n, uint32_t *cp)
{
	if (n == 0)
		return 0;
	if (s[0] < 0x80) {
		*cp = s[0];
		return 1;
	}
	size_t len = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
	static const uint32_t min[] = {0, 0, 0x80, 0x800, 0x10000};
	if (s[0] < 0xc2 || s[0] > 0xf4 || len > n)
		return 0;
	uint32_t c = s[0] & (0x7fU >> len);
	for (size_t i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (c < min[len] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*cp = c;
	return len;
}

bool utf8_valid(const char *s, size_t n, size_t *bad)
{
	for (size_t i = 0; i < n;) {
		uint32_t cp;
		size_t len = utf8_next((const unsigned char *)s + i, n - i, &cp);
		if (!len) {
			if (bad)
				*bad = i;
			return false;
		}
		i += len;
	}
	return true;
}

/* Code points that can hide or reorder what a person reads. */
static bool deceptive(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xad || c == 0x61c || (c >= 0x200b && c <= 0x200f) ||
	       (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff ||
	       (c >= 0xfff9 && c <= 0xfffb) || (c >= 0xe0000 && c <= 0xe007f);
}

char *str_sanitize(const char *s)
{
	struct buf b = {0};
	size_t n = strlen(s);
	for (size_t i = 0; i < n;) {
		uint32_t cp = 0;
		size_t len = utf8_next((const unsigned char *)s + i, n - i, &cp);
		if (!len) {
			buf_addf(&b, "\\x%02x", (unsigned char)s[i++]);
			continue;
		}
		if (!deceptive(cp))
			buf_add(&b, s + i, len);
		else if (cp < 0x100)
			buf_addf(&b, "\\x%02x", cp);
		else
			buf_addf(&b, "\\u{%04x}", cp);
		i += len;
	}
	return buf_steal(&b);
}

/* Inside $'...': the bytes of one character, as they are or escaped. */
static void add_escaped(struct buf *b, const char *s, size_t len, bool show)
{
	if (show && len == 1 && (*s == '\'' || *s == '\\'))
		buf_addf(b, "\\%c", *s);
	else if (show)
		buf_add(b, s, len);
	else if (*s == '\n' || *s == '\t')
		buf_adds(b, *s == '\n' ? "\\n" : "\\t");
	else
		for (size_t i = 0; i < len; i++)
			buf_addf(b, "\\%03o", (unsigned char)s[i]);
}

char *str_quote(const char *s)
{
	bool plain = s[0] != '\0';
	for (const char *c = s; *c && plain; c++)
		plain = isalnum((unsigned char)*c) || strchr("/._-+=:,@%", *c);
	if (plain)
		return xstrdup(s);
	struct buf b = {0};
	cleanup_free char *safe = str_sanitize(s);
	if (strcmp(safe, s) == 0) {
		buf_addc(&b, '\'');
		for (const char *c = s; *c; c++)
			buf_add(&b, *c == '\'' ? "'\\''" : c, *c == '\'' ? 4 : 1);
		buf_addc(&b, '\'');
		return buf_steal(&b);
	}
	buf_adds(&b, "$'");
	for (size_t i = 0, n = strlen(s), len; i < n; i += len) {
		uint32_t cp = 0;
		len = utf8_next((const unsigned char *)s + i, n - i, &cp);
		bool valid = len != 0;
		len = valid ? len : 1;
		add_escaped(&b, s + i, len, valid && !deceptive(cp));
	}
	buf_addc(&b, '\'');
	return buf_steal(&b);
}
