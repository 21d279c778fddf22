/* SPDX-License-Identifier: Apache-2.0 */
/*
 * page.c - URLs on the screen.
 *
 * A URL is shown whole, in the terminal's full width and without line breaks of our own, so that
 * selecting it with the mouse copies one line; as a link (OSC 8) where the
 * terminal knows links; and copied by the terminal (OSC 52) when the person wants. It
 * was checked by the open room, and holds nothing but printable ASCII.
 */
#include "approve/draw.h"

#define LINK_MAX 2083 /* longer targets of links are ignored by terminals */

size_t page_url_rows(const struct screen *s, const char *url)
{
	size_t cols = s->cols ? s->cols : 80;
	return (strlen(url) + cols - 1) / cols;
}

void page_url(const struct screen *s, struct buf *out, const char *url, size_t from, size_t room)
{
	cleanup_free char *safe = str_sanitize(url);
	size_t cols = s->cols ? s->cols : 80, len = strlen(safe), rows = page_url_rows(s, safe);
	if (from >= rows)
		return;
	size_t n = rows - from < room ? len - from * cols : room * cols;
	n = n < len - from * cols ? n : len - from * cols;
	bool link = s->links && len <= LINK_MAX && strcmp(safe, url) == 0;
	if (link)
		buf_addf(out, "\x1b]8;id=nono;%s\x1b\\", safe);
	buf_adds(out, "\x1b[?7h"); /* lines continue by themselves */
	draw_style(s, out, BOLD);
	buf_add(out, safe + from * cols, n);
	draw_style(s, out, NORMAL);
	if (link)
		buf_adds(out, "\x1b]8;;\x1b\\");
	/* behind a full row the cursor still stands on its last column */
	if (n % cols)
		draw_line(out);
	else
		buf_adds(out, "\r\n");
}

void page_draw(const struct screen *s, struct buf *out, const struct pending *p, size_t used)
{
	cleanup_free char *program = str_sanitize(p->q.program ? p->q.program : "a program");
	cleanup_free char *parent = str_sanitize(p->q.parent ? p->q.parent : "");
	cleanup_free char *who = xasprintf("  %s%s%s%s wants a page to be opened, and no browser is known here.",
		program, *parent ? ", started by " : "", parent, *parent ? "," : "");
	draw_cut(s, out, who, 0, false);
	draw_line(out);
	draw_cut(s, out, "  Open it yourself, on any machine:", 0, false);
	draw_line(out);
	draw_line(out);
	size_t rows = page_url_rows(s, p->q.object);
	size_t room = s->rows > used + 10 ? s->rows - used - 10 : 3;
	page_url(s, out, p->q.object, 0, room);
	draw_line(out);
	draw_keys(s, out, " Enter done   c copy   q QR code   n it cannot be opened");
	if (rows > room)
		draw_keys(s, out, " u the whole URL");
}

void page_draw_url(const struct screen *s, struct buf *out, const struct pending *p)
{
	size_t room = s->rows > 8 ? s->rows - 6 : 3;
	page_url(s, out, p->q.object, s->url_row, room);
	draw_line(out);
	draw_keys(
		s, out, page_url_rows(s, p->q.object) > room ? " j k move   c copy   Esc back" : " c copy   Esc back");
}

char *page_copy(const char *url)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	struct buf b = {0};
	size_t n = strlen(url);
	buf_adds(&b, "\x1b]52;c;");
	for (size_t i = 0; i < n; i += 3) {
		const unsigned char *u = (const unsigned char *)url + i;
		size_t left = n - i;
		unsigned v = (unsigned)u[0] << 16 | (left > 1 ? (unsigned)u[1] << 8 : 0) | (left > 2 ? u[2] : 0);
		buf_addc(&b, digits[v >> 18]);
		buf_addc(&b, digits[v >> 12 & 63]);
		buf_addc(&b, left > 1 ? digits[v >> 6 & 63] : '=');
		buf_addc(&b, left > 2 ? digits[v & 63] : '=');
	}
	buf_adds(&b, "\x1b\\");
	return buf_steal(&b);
}
