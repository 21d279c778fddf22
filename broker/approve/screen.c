/* SPDX-License-Identifier: Apache-2.0 */
/* screen.c - the questions as one full screen: what is drawn. */
#include "approve/draw.h"

#include <assert.h>

static const char *const verbs[] = {
	[OP_READ] = "read",
	[OP_WRITE] = "write",
	[OP_CREATE] = "create",
	[OP_DELETE] = "delete",
	[OP_EXECUTE] = "run",
	[OP_ATTR] = "change the mode, owner, times or attributes of",
	[OP_CONNECT] = "connect to",
	[OP_BIND] = "listen on",
	[OP_UNIX_CONNECT] = "connect to the socket",
	[OP_UNIX_BIND] = "make the socket",
	[OP_OPEN_URL] = "open the page",
	[OP_SECRET] = "use the secret",
};
static_assert(ARRAY_SIZE(verbs) == OP_COUNT, "every operation has a verb");

/* The same in a column of the list. */
#define WORD_MAX 10
static const char *const words[] = {
	[OP_READ] = "read",
	[OP_WRITE] = "write",
	[OP_CREATE] = "create",
	[OP_DELETE] = "delete",
	[OP_EXECUTE] = "run",
	[OP_ATTR] = "attributes",
	[OP_CONNECT] = "connect",
	[OP_BIND] = "listen",
	[OP_UNIX_CONNECT] = "socket",
	[OP_UNIX_BIND] = "new socket",
	[OP_OPEN_URL] = "page",
	[OP_SECRET] = "secret",
};
static_assert(ARRAY_SIZE(words) == OP_COUNT, "every operation has a word");

bool question_is_url(const struct question *q)
{
	return q->op == OP_OPEN_URL && q->object[0] != '/';
}

const char *question_verb(const struct question *q)
{
	return q->op == OP_OPEN_URL && !question_is_url(q) ? "have a program outside the sandbox open the file"
							   : verbs[q->op];
}

char *question_object(const struct question *q)
{
	cleanup_free char *safe = str_sanitize(q->object ? q->object : "");
	if (q->op != OP_CONNECT && q->op != OP_BIND)
		return steal_ptr(&safe);
	bool v6 = strchr(safe, ':') != NULL;
	return xasprintf("%s%s%s:%u%s", v6 ? "[" : "", safe, v6 ? "]" : "", q->port, q->udp ? "/udp" : "");
}

void draw_style(const struct screen *s, struct buf *out, const char *code)
{
	if (s->color)
		buf_adds(out, code);
}

/*
 * One line, cut to the width. The text is safe already and mostly ASCII; wide
 * characters only make the cut come early. A long path keeps its end, which says more.
 */
void draw_cut(const struct screen *s, struct buf *out, const char *text, size_t used, bool keep_end)
{
	size_t len = strlen(text), room = s->cols > used + 1 ? s->cols - used - 1 : 1;
	if (len <= room) {
		buf_adds(out, text);
		return;
	}
	const char *from = keep_end ? text + (len - room + 1) : text;
	size_t n = room - 1;
	while (keep_end && ((unsigned char)*from & 0xc0) == 0x80) {
		from++;
		n--;
	}
	while (!keep_end && n && ((unsigned char)from[n] & 0xc0) == 0x80)
		n--;
	if (keep_end)
		buf_adds(out, "…");
	buf_add(out, from, n);
	if (!keep_end)
		buf_adds(out, "…");
}

void draw_line(struct buf *out)
{
	buf_adds(out, "\x1b[K\r\n");
}

static void field_cut(const struct screen *s, struct buf *out, const char *name, const char *text, bool keep_end)
{
	draw_style(s, out, DIM);
	buf_addf(out, "  %-9s ", name);
	draw_style(s, out, NORMAL);
	draw_cut(s, out, text, 12, keep_end);
	draw_line(out);
}

static void field(const struct screen *s, struct buf *out, const char *name, const char *text)
{
	field_cut(s, out, name, text, true);
}

/* Where the line of @text that begins at 0 ends: at @gap if there is one within @room bytes, else at @room. */
static size_t line_end(const char *text, size_t room, const char *gap)
{
	size_t end = 0;
	if (strlen(text) <= room)
		return strlen(text);
	for (const char *at = strstr(text, gap); at && (size_t)(at - text) <= room; at = strstr(at + 1, gap))
		end = at > text ? (size_t)(at - text) : end;
	return end ? end : room;
}

/* ASCII text over several lines, broken at @gap. */
static void paragraph(const struct screen *s, struct buf *out, const char *indent, const char *text, const char *gap)
{
	size_t room = s->cols > strlen(indent) + 12 ? s->cols - strlen(indent) - 1 : 11;
	while (*text) {
		size_t n = line_end(text, room, gap);
		buf_adds(out, indent);
		buf_add(out, text, n);
		draw_line(out);
		text += n + strspn(text + n, " ");
	}
}

/* How much of @text, at most @room bytes, ends between two characters; at least one byte. */
static size_t chunk(const char *text, size_t room)
{
	size_t len = strlen(text), n = len < room ? len : room;
	while (n && n < len && ((unsigned char)text[n] & 0xc0) == 0x80)
		n--;
	return n ? n : 1;
}

/* A field that must be seen whole: wrapped, not cut. */
static void field_wrapped(const struct screen *s, struct buf *out, const char *name, const char *text, unsigned most)
{
	size_t room = s->cols > 20 ? s->cols - 13 : 8;
	for (unsigned lines = 0; *text && lines < most; lines++) {
		size_t n = chunk(text, room);
		draw_style(s, out, DIM);
		buf_addf(out, "  %-9s ", lines ? "" : name);
		draw_style(s, out, NORMAL);
		draw_style(s, out, BOLD);
		buf_add(out, text, n);
		draw_style(s, out, NORMAL);
		draw_line(out);
		text += n;
	}
	if (*text)
		field(s, out, "", most > 2 ? "… (too long to show)" : "…");
}

static void draw_row(const struct screen *s, struct buf *out, size_t i)
{
	const struct pending *p = &s->p[i];
	cleanup_free char *object = question_object(&p->q);
	cleanup_free char *program = str_sanitize(p->q.program ? p->q.program : "?");
	/* who asks is said below; where there is little room, what it wants is more useful here */
	int who = s->cols >= 60 ? 12 : 0;
	cleanup_free char *head = xasprintf("%s%-*s %-*.*s%s", p->q.protected_object ? "! " : "  ", WORD_MAX,
		p->q.op == OP_OPEN_URL && !question_is_url(&p->q) ? "open file" : words[p->q.op], who, who, program,
		who ? " " : "");
	bool on = i == s->selected;
	buf_adds(out, on ? " >" : "  ");
	if (on)
		draw_style(s, out, REVERSE);
	else if (p->q.protected_object)
		draw_style(s, out, RED);
	buf_adds(out, head);
	draw_cut(s, out, object, 2 + strlen(head), object[0] == '/');
	draw_style(s, out, NORMAL);
	draw_line(out);
}

static void draw_rows(const struct screen *s, struct buf *out)
{
	size_t room = s->rows > 22 ? s->rows - 16 : 6, from = 0;
	if (s->n > room && s->selected >= room / 2)
		from = s->selected - room / 2;
	if (from + room > s->n)
		from = s->n > room ? s->n - room : 0;
	for (size_t i = from; i < s->n && i < from + room; i++)
		draw_row(s, out, i);
	if (s->n > room) {
		draw_style(s, out, DIM);
		buf_addf(out, "  %zu of %zu", s->selected + 1, s->n);
		draw_style(s, out, NORMAL);
		draw_line(out);
	}
}

/* A page is shown whole: what it leads to may stand anywhere in it. */
static void draw_page_url(const struct screen *s, struct buf *out, const struct pending *p, bool brief)
{
	size_t used = s->n > 1 ? 18 : 12, room = brief ? 2 : s->rows > used + 4 ? s->rows - used : 4;
	if (!brief)
		draw_line(out);
	page_url(s, out, p->q.object, 0, room);
	if (page_url_rows(s, p->q.object) > room)
		field(s, out, "", brief ? "…" : "(u shows the rest)");
	if (!brief)
		draw_line(out);
}

/* @brief: only what it is about, where something else needs the room */
static void draw_question(const struct screen *s, struct buf *out, const struct pending *p, bool brief)
{
	cleanup_free char *object = question_object(&p->q);
	cleanup_free char *program = str_sanitize(p->q.program ? p->q.program : "a program");
	cleanup_free char *parent = str_sanitize(p->q.parent ? p->q.parent : "");
	cleanup_free char *others = p->waiting > 1 ? xasprintf("; %u calls wait", p->waiting) : xstrdup("");
	cleanup_free char *who = xasprintf(
		"%s%s%s (process %d)%s", program, *parent ? ", started by " : "", parent, (int)p->q.tgid, others);
	field_cut(s, out, "program", who, false);
	cleanup_free char *what = xasprintf("%s%s", question_verb(&p->q), p->q.is_dir ? " the directory" : "");
	field(s, out, "wants to", what);
	if (question_is_url(&p->q))
		draw_page_url(s, out, p, brief);
	else
		field_wrapped(s, out, "", object, brief ? 2 : 6);
	if (!brief && p->q.asked && p->q.object && strcmp(p->q.asked, p->q.object) != 0) {
		cleanup_free char *asked = str_sanitize(p->q.asked);
		field(s, out, "named", asked);
	}
	if (!brief && p->q.rule) {
		cleanup_free char *rule = str_sanitize(p->q.rule);
		field(s, out, "rule", rule);
	}
	if (p->q.protected_object) {
		draw_style(s, out, RED);
		paragraph(s, out, "  ", "PROTECTED: a rule denies this on purpose. Say yes only if you know why.", " ");
		draw_style(s, out, NORMAL);
	}
}

void draw_keys(const struct screen *s, struct buf *out, const char *keys)
{
	draw_style(s, out, BOLD);
	paragraph(s, out, " ", keys + strspn(keys, " "), "   ");
	draw_style(s, out, NORMAL);
}

static void draw_list(const struct screen *s, struct buf *out)
{
	if (s->n == 0) {
		draw_cut(s, out, "  Nothing waits for an answer.", 0, false);
		draw_line(out);
		draw_line(out);
		draw_keys(s, out, s->remote ? "q leave" : "");
		return;
	}
	if (s->n > 1) {
		draw_rows(s, out);
		draw_line(out);
	}
	const struct pending *p = &s->p[s->selected];
	if (p->q.kind == QUESTION_PAGE) {
		page_draw(s, out, p, s->n > 1 ? s->n : 0);
		return;
	}
	draw_question(s, out, p, false);
	draw_line(out);
	draw_keys(s, out,
		p->q.kind == QUESTION_ONCE ? " y once   n no"
					   : " y once   s this session   a always   n no   N no, for this session");
	bool path = p->q.op <= OP_ATTR;
	cleanup_free char *more = xasprintf(" %s%s? help%s", path ? "d a directory   " : "",
		s->n > 1 ? "j k move   X no to all   " : "", s->remote ? "   q leave" : "");
	draw_keys(s, out, more);
}

static void draw_directory(const struct screen *s, struct buf *out)
{
	draw_question(s, out, &s->p[s->selected], true);
	draw_line(out);
	draw_cut(s, out, "  Allow it for everything beneath which directory?", 0, false);
	draw_line(out);
	size_t room = s->rows > 17 ? s->rows - 13 : 4, from = s->dir >= room ? s->dir - room + 1 : 0;
	for (size_t i = from; i < s->dirs.n && i < from + room; i++) {
		cleanup_free char *safe = str_sanitize(s->dirs.v[i]);
		buf_adds(out, i == s->dir ? " > " : "   ");
		if (i == s->dir)
			draw_style(s, out, REVERSE);
		draw_cut(s, out, safe, 3, true);
		draw_style(s, out, NORMAL);
		draw_line(out);
	}
	draw_line(out);
	draw_keys(s, out, " j k move   s this session   a always   N no, for this session   Esc back");
}

size_t screen_preview_rows(const struct screen *s, struct buf *out, size_t room)
{
	cleanup_free char *text = xstrdup(s->preview ? s->preview : "");
	size_t width = s->cols > 20 ? s->cols - 5 : 15, n = 0;
	char *save = NULL;
	for (char *l = strtok_r(text, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
		cleanup_free char *safe = str_sanitize(l);
		/* what is written is shown whole */
		for (const char *at = safe; *at; n++) {
			size_t len = chunk(at, width);
			if (out && n >= s->preview_row && n < s->preview_row + room) {
				buf_adds(out, "    ");
				if (l[0] == '+')
					draw_style(s, out, BOLD);
				buf_add(out, at, len);
				draw_style(s, out, NORMAL);
				draw_line(out);
			}
			at += len;
		}
	}
	return n;
}

static void draw_always(const struct screen *s, struct buf *out)
{
	draw_question(s, out, &s->p[s->selected], true);
	draw_line(out);
	draw_cut(s, out, "  This is what \"always\" changes:", 0, false);
	draw_line(out);
	draw_line(out);
	size_t room = s->rows > 20 ? s->rows - 13 : 8, all = screen_preview_rows(s, out, room);
	draw_line(out);
	draw_keys(s, out, all > room ? " y write it and allow   n back   j k move" : " y write it and allow   n back");
}

static void draw_help(const struct screen *s, struct buf *out)
{
	static const char *const text[] = {
		"The program waits. Nothing is allowed until you say so; no answer is no.",
		"",
		"y            allow this one call, and ask again next time",
		"s            allow this object until the session ends",
		"a            allow it in later sessions too: the change to the profile is shown first",
		"n Enter Esc  refuse this call",
		"N            refuse this object until the session ends, without asking again",
		"d            choose a directory to allow with everything beneath",
		"j k arrows   move",
		"X            refuse everything that waits now",
		"",
		"`nono grants` lists and takes back what was allowed for the session.",
	};
	for (size_t i = 0; i < ARRAY_SIZE(text); i++) {
		buf_adds(out, "  ");
		draw_cut(s, out, text[i], 2, false);
		draw_line(out);
	}
	draw_line(out);
	draw_keys(s, out, " any key back");
}

static void draw_qr(const struct screen *s, struct buf *out)
{
	cleanup_err struct err *e = NULL;
	if (qr_draw(s, out, s->p[s->selected].q.object, &e) < 0) {
		cleanup_free char *why = xasprintf("  No code: %s", err_msg(e));
		draw_cut(s, out, why, 0, false);
		draw_line(out);
	}
	draw_keys(s, out, " any key back");
}

void screen_render(const struct screen *s, struct buf *out)
{
	buf_adds(out, "\x1b[H");
	draw_style(s, out, REVERSE);
	bool page = s->n == 1 && s->p[0].q.kind == QUESTION_PAGE;
	cleanup_free char *title = page        ? xstrdup(" nono: a page to open ")
				   : s->n == 1 ? xstrdup(" nono: a program in the sandbox asks ")
				   : s->n == 0 ? xstrdup(" nono: waiting for questions ")
					       : xasprintf(" nono: %zu questions from the sandbox ", s->n);
	draw_cut(s, out, title, 0, false);
	draw_style(s, out, NORMAL);
	draw_line(out);
	draw_line(out);
	if (s->mode == SCREEN_HELP)
		draw_help(s, out);
	else if (s->mode == SCREEN_LIST || s->n == 0)
		draw_list(s, out);
	else if (s->mode == SCREEN_DIRECTORY)
		draw_directory(s, out);
	else if (s->mode == SCREEN_URL)
		page_draw_url(s, out, &s->p[s->selected]);
	else if (s->mode == SCREEN_QR)
		draw_qr(s, out);
	else
		draw_always(s, out);
	if (s->note) {
		draw_line(out);
		cleanup_free char *safe = str_sanitize(s->note);
		draw_style(s, out, RED);
		draw_cut(s, out, safe, 0, false);
		draw_style(s, out, NORMAL);
		draw_line(out);
	}
	buf_adds(out, "\x1b[J");
}
