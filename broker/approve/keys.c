/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keys.c - the questions as one full screen: what keys do.
 *
 * Whatever the terminal may send uninvited (mouse reports, focus events, pastes,
 * replies to queries) is an escape sequence and must not answer anything, so
 * sequences are recognised whole and all but the arrow keys are thrown away.
 */
#include "approve/draw.h"

enum key { KEY_NONE, KEY_UP, KEY_DOWN, KEY_ESCAPE, KEY_ENTER, KEY_CHAR };

static void set_note(struct screen *s, const char *note)
{
	free(s->note);
	s->note = xstrdup(note);
}

static void set_mode(struct screen *s, enum screen_mode mode)
{
	s->mode = mode;
	if (mode != SCREEN_DIRECTORY && mode != SCREEN_ALWAYS)
		strv_free(&s->dirs);
	if (mode != SCREEN_ALWAYS) {
		free(s->preview);
		free(s->always_dir);
		s->preview = NULL;
		s->always_dir = NULL;
	}
}

void screen_update(struct screen *s, struct pending *p, size_t n)
{
	uint64_t id = s->n ? s->p[s->selected].id : 0;
	size_t at = 0;
	while (at < n && p[at].id != id)
		at++;
	bool still = at < n;
	pending_free(s->p, s->n);
	s->p = p;
	s->n = n;
	if (still) {
		s->selected = at;
		return;
	}
	/* its question is gone: what was chosen for it must not be applied to another */
	set_mode(s, SCREEN_LIST);
	if (s->selected >= n)
		s->selected = n ? n - 1 : 0;
}

void screen_free(struct screen *s)
{
	set_mode(s, SCREEN_LIST);
	pending_free(s->p, s->n);
	free(s->note);
	free(s->told);
	*s = (struct screen){0};
}

static bool give(struct screen *s, enum answer answer, const char *dir)
{
	cleanup_err struct err *e = NULL;
	if (s->ops->answer(s->data, s->p[s->selected].id, answer, dir, &e) < 0)
		set_note(s, err_msg(e));
	set_mode(s, SCREEN_LIST);
	return true;
}

static void show_always(struct screen *s, const char *dir)
{
	cleanup_err struct err *e = NULL;
	cleanup_free char *for_dir = xstrdup(dir);
	char *preview = s->ops->preview(s->data, s->p[s->selected].id, dir, &e);
	if (!preview) {
		set_note(s, err_msg(e));
		return;
	}
	set_mode(s, SCREEN_ALWAYS);
	free(s->preview);
	free(s->always_dir);
	s->preview = preview;
	s->preview_row = 0;
	s->always_dir = steal_ptr(&for_dir);
}

static void show_directories(struct screen *s)
{
	const struct pending *p = &s->p[s->selected];
	if (p->q.op > OP_ATTR) {
		set_note(s, "Only a path can be generalised to a directory.");
		return;
	}
	set_mode(s, SCREEN_DIRECTORY);
	strv_free(&s->dirs);
	s->dir = 0;
	cleanup_free char *d = p->q.is_dir ? xstrdup(p->q.object) : path_dir(p->q.object);
	while (strcmp(d, "/") != 0 && s->dirs.n < 12) {
		strv_add(&s->dirs, d);
		char *up = path_dir(d);
		free(d);
		d = up;
	}
	if (s->dirs.n == 0) {
		set_mode(s, SCREEN_LIST);
		set_note(s, "There is no directory above it but the root, which is never granted whole.");
	}
}

static bool refuse_all(struct screen *s)
{
	for (size_t i = 0; i < s->n; i++)
		s->ops->answer(s->data, s->p[i].id, ANSWER_NO, NULL, NULL);
	set_mode(s, SCREEN_LIST);
	return true;
}

static void move(struct screen *s, int by)
{
	size_t *at = s->mode == SCREEN_DIRECTORY ? &s->dir
		     : s->mode == SCREEN_URL     ? &s->url_row
		     : s->mode == SCREEN_ALWAYS  ? &s->preview_row
						 : &s->selected;
	size_t n = s->mode == SCREEN_DIRECTORY ? s->dirs.n
		   : s->mode == SCREEN_URL     ? page_url_rows(s, s->p[s->selected].q.object)
		   : s->mode == SCREEN_ALWAYS  ? screen_preview_rows(s, NULL, 0)
					       : s->n;
	if (by < 0 && *at > 0)
		(*at)--;
	else if (by > 0 && *at + 1 < n)
		(*at)++;
}

static void copy_url(struct screen *s)
{
	free(s->told);
	s->told = s->links ? page_copy(s->p[s->selected].q.object) : NULL;
	set_note(s, s->links ? "The terminal was asked to copy it." : "This terminal cannot copy by itself.");
}

void screen_tell(struct screen *s, struct buf *out)
{
	if (s->told)
		buf_adds(out, s->told);
	free(s->told);
	s->told = NULL;
}

bool screen_links(const char *term)
{
	return term && strcmp(term, "linux") != 0 && strcmp(term, "dumb") != 0;
}

/* Keys that show a URL in another way. Return: whether @c is one. */
static bool url_key(struct screen *s, char c)
{
	const struct pending *p = &s->p[s->selected];
	bool page = p->q.kind == QUESTION_PAGE;
	if (c == 'u' && question_is_url(&p->q)) {
		s->url_row = 0;
		set_mode(s, SCREEN_URL);
	} else if (c == 'q' && page) {
		set_mode(s, SCREEN_QR);
	} else if (c == 'c' && (page || s->mode == SCREEN_URL)) {
		copy_url(s);
	} else {
		return false;
	}
	return true;
}

static bool page_key(struct screen *s, enum key key, char c)
{
	if (key == KEY_ENTER || c == 'y')
		return give(s, ANSWER_ONCE, NULL);
	if (key == KEY_ESCAPE || c == 'n' || c == 3)
		return give(s, ANSWER_NO, NULL);
	return c == 'X' ? refuse_all(s) : false;
}

static bool list_key(struct screen *s, enum key key, char c)
{
	if (url_key(s, c))
		return false;
	if (s->p[s->selected].q.kind == QUESTION_PAGE)
		return page_key(s, key, c);
	if (key == KEY_ESCAPE || key == KEY_ENTER)
		return give(s, ANSWER_NO, NULL);
	switch (c) {
	case 'y':
		return give(s, ANSWER_ONCE, NULL);
	case 's':
		return give(s, ANSWER_SESSION, NULL);
	case 'n':
	case 3: /* Ctrl-C */
		return give(s, ANSWER_NO, NULL);
	case 'N':
		return give(s, ANSWER_NEVER, NULL);
	case 'a':
		show_always(s, NULL);
		return false;
	case 'd':
		show_directories(s);
		return false;
	case 'X':
		return refuse_all(s);
	case '?':
		set_mode(s, SCREEN_HELP);
		return false;
	default:
		return false;
	}
}

static bool directory_key(struct screen *s, enum key key, char c)
{
	cleanup_free char *dir = xstrdup(s->dirs.v[s->dir]);
	if (key == KEY_ESCAPE || c == 'n' || c == 3)
		set_mode(s, SCREEN_LIST);
	else if (c == 's')
		return give(s, ANSWER_SESSION, dir);
	else if (c == 'N')
		return give(s, ANSWER_NEVER, dir);
	else if (c == 'a')
		show_always(s, dir);
	return false;
}

static bool always_key(struct screen *s, enum key key, char c)
{
	if (c == 'y') {
		cleanup_free char *dir = xstrdup(s->always_dir);
		return give(s, ANSWER_ALWAYS, dir);
	}
	if (key == KEY_ESCAPE || key == KEY_ENTER || c == 'n' || c == 3)
		set_mode(s, SCREEN_LIST);
	return false;
}

static bool act(struct screen *s, enum key key, char c)
{
	free(s->note);
	s->note = NULL;
	if (s->mode == SCREEN_HELP || s->mode == SCREEN_QR) {
		set_mode(s, SCREEN_LIST);
		return false;
	}
	bool page = s->n && s->p[s->selected].q.kind == QUESTION_PAGE; /* where q is the QR code */
	if (s->remote && !page && s->mode == SCREEN_LIST &&
		(c == 'q' || (s->n == 0 && (c == 3 || key == KEY_ESCAPE)))) {
		s->quit = true;
		return false;
	}
	if (s->n == 0)
		return false;
	if (key == KEY_UP || key == KEY_DOWN || c == 'k' || c == 'j') {
		move(s, key == KEY_UP || c == 'k' ? -1 : 1);
		return false;
	}
	if (s->mode == SCREEN_LIST)
		return list_key(s, key, c);
	if (s->mode == SCREEN_URL) {
		if (!url_key(s, c) && (key == KEY_ESCAPE || key == KEY_ENTER || c == 3))
			set_mode(s, SCREEN_LIST);
		return false;
	}
	return s->mode == SCREEN_DIRECTORY ? directory_key(s, key, c) : always_key(s, key, c);
}

/* One whole sequence is in s->seq: ESC [ ... final, ESC O x, or ESC x. */
static enum key sequence(struct screen *s)
{
	const char *q = s->seq + 1;
	size_t n = s->seq_len - 1;
	s->seq_len = 0;
	if (n == 1 && strchr("P]X^_", q[0])) {
		s->string = true; /* a reply with a body of any length */
		return KEY_NONE;
	}
	if (n == 2 && q[1] == 'M')
		s->skip = 3; /* mouse report of the old kind: button, column, row */
	if (n == 2)
		return q[1] == 'A' ? KEY_UP : q[1] == 'B' ? KEY_DOWN : KEY_NONE;
	if (n == 5 && memcmp(q, "[200~", 5) == 0)
		s->paste = true;
	else if (n == 5 && memcmp(q, "[201~", 5) == 0)
		s->paste = false;
	/* keyboards that report Escape and Enter as CSI number u */
	else if (n == 4 && memcmp(q, "[27u", 4) == 0)
		return KEY_ESCAPE;
	else if (n == 4 && memcmp(q, "[13u", 4) == 0)
		return KEY_ENTER;
	return KEY_NONE;
}

/* Return: whether the sequence in s->seq is complete with @c as its last byte. */
static bool sequence_ends(const struct screen *s, char c)
{
	if (s->seq_len == 2)
		return c != '[' && c != 'O';
	if (s->seq[1] == 'O')
		return true;
	return c >= 0x40 && c <= 0x7e;
}

/* One byte. Return: what it completes; KEY_NONE when nothing or something to ignore. */
static enum key decode(struct screen *s, char c)
{
	if (s->skip) {
		s->skip--;
		return KEY_NONE;
	}
	if (s->string) {
		/* ends with BEL or with ESC and a backslash */
		s->string = c != '\a' && !(c == '\\' && s->last == '\x1b');
		s->last = c;
		return KEY_NONE;
	}
	if (c == '\x1b') {
		bool lone = s->seq_len == 1;
		s->seq[0] = c;
		s->seq_len = 1;
		return lone ? KEY_ESCAPE : KEY_NONE;
	}
	if (s->seq_len == 0)
		return c == '\r' || c == '\n' ? KEY_ENTER : KEY_CHAR;
	if (s->seq_len < sizeof s->seq)
		s->seq[s->seq_len++] = c;
	return sequence_ends(s, c) ? sequence(s) : KEY_NONE;
}

bool screen_input(struct screen *s, const char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		enum key key = decode(s, bytes[i]);
		if (key == KEY_NONE || s->paste)
			continue;
		if (act(s, key, key == KEY_CHAR ? bytes[i] : 0))
			return true;
	}
	return false;
}

bool screen_idle(struct screen *s)
{
	bool lone = s->seq_len == 1 && !s->paste;
	s->seq_len = 0;
	return lone && act(s, KEY_ESCAPE, 0);
}
