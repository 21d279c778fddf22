/* SPDX-License-Identifier: Apache-2.0 */
/* draw.h - what the files that draw the screen share: screen.c, page.c, qr.c. */
#ifndef NONO_APPROVE_DRAW_H
#define NONO_APPROVE_DRAW_H

#include "approve/screen.h"

#define BOLD "\x1b[1m"
#define DIM "\x1b[2m"
#define RED "\x1b[1;31m"
#define REVERSE "\x1b[7m"
#define NORMAL "\x1b[0m"

/** draw_style() - switch to @code, when colours are wanted. */
void draw_style(const struct screen *s, struct buf *out, const char *code);
/**
 * draw_cut() - one line, cut to the width. @text is safe already.
 * @used: columns in front of it; @keep_end: cut its beginning, not its end
 */
void draw_cut(const struct screen *s, struct buf *out, const char *text, size_t used, bool keep_end);
/** draw_line() - end the line. */
void draw_line(struct buf *out);
/** draw_keys() - the line that names keys. */
void draw_keys(const struct screen *s, struct buf *out, const char *keys);

/**
 * screen_preview_rows() - the rows that SCREEN_ALWAYS shows of the change.
 * @out: receives at most @room of them, from the one that is scrolled to; NULL: they are counted only
 * Return: how many there are.
 */
size_t screen_preview_rows(const struct screen *s, struct buf *out, size_t room);

/* ---- pages (page.c) ------------------------------------------------------ */

/** page_url() - a URL in full width, as a link, its rows from @from on, at most @room of them. */
void page_url(const struct screen *s, struct buf *out, const char *url, size_t from, size_t room);
/** page_url_rows() - how many rows it takes. */
size_t page_url_rows(const struct screen *s, const char *url);
/** page_draw() - a page the person opens somewhere else (QUESTION_PAGE), with @used rows above. */
void page_draw(const struct screen *s, struct buf *out, const struct pending *p, size_t used);
/** page_draw_url() - SCREEN_URL: nothing but the URL. */
void page_draw_url(const struct screen *s, struct buf *out, const struct pending *p);
/** page_copy() - what asks the terminal to copy @url (OSC 52). New string. */
char *page_copy(const char *url);

/**
 * qr_draw() - append a QR code of @text that fits the screen (qr.c).
 * Return: 0, or -1 and why there is none.
 */
int qr_draw(const struct screen *s, struct buf *out, const char *text, struct err **e);

#endif
