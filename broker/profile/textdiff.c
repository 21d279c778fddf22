/* SPDX-License-Identifier: Apache-2.0 */
/* textdiff.c - what a change does to a file, for people. */
#include "profile/fields.h"

#define CONTEXT 3 /* lines around a change */

static void split_lines(const char *text, struct strv *out)
{
	while (*text) {
		size_t n = strcspn(text, "\n");
		strv_take(out, xstrndup(text, n));
		text += n + (text[n] == '\n');
	}
}

char *text_diff(const char *old_name, const char *new_name, const char *old, const char *new)
{
	cleanup_strv struct strv a = {0}, b = {0};
	split_lines(old, &a);
	split_lines(new, &b);
	size_t head = 0, tail = 0;
	while (head < a.n && head < b.n && strcmp(a.v[head], b.v[head]) == 0)
		head++;
	while (tail < a.n - head && tail < b.n - head && strcmp(a.v[a.n - 1 - tail], b.v[b.n - 1 - tail]) == 0)
		tail++;
	struct buf out = {0};
	if (head == a.n && head == b.n)
		return buf_steal(&out);
	size_t from = head > CONTEXT ? head - CONTEXT : 0, after = tail < CONTEXT ? tail : CONTEXT;
	size_t old_n = a.n - tail - from + after, new_n = b.n - tail - from + after;
	buf_addf(&out, "--- %s\n+++ %s\n@@ -%zu,%zu +%zu,%zu @@\n", old_name, new_name, old_n ? from + 1 : 0, old_n,
		from + 1, new_n);
	for (size_t i = from; i < head; i++)
		buf_addf(&out, " %s\n", a.v[i]);
	for (size_t i = head; i < a.n - tail; i++)
		buf_addf(&out, "-%s\n", a.v[i]);
	for (size_t i = head; i < b.n - tail; i++)
		buf_addf(&out, "+%s\n", b.v[i]);
	for (size_t i = a.n - tail; i < a.n - tail + after; i++)
		buf_addf(&out, " %s\n", a.v[i]);
	return buf_steal(&out);
}
