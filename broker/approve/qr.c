/* SPDX-License-Identifier: Apache-2.0 */
/* qr.c - a QR code in a terminal; libqrencode is loaded when the first one is wanted. */
#include "approve/draw.h"

#include "base/library.h"

#include <errno.h>
#include <pthread.h>
#include <qrencode.h>

#define QUIET 2 /* empty modules around the code */
#define ABOVE 4 /* rows that are needed for the title and the keys */

#define FUNCTIONS(F)                                                                                                   \
	F(QRcode_encodeString8bit)                                                                                     \
	F(QRcode_free)

static struct {
	FUNCTIONS(LIBRARY_MEMBER)
} lib;
static bool loaded;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void load(void)
{
	static const char *const sonames[] = {"libqrencode.so.4", NULL}, *const names[] = {
										 FUNCTIONS(LIBRARY_NAME) NULL};
	loaded = library_load(sonames, names, &lib);
}

static bool dark(const QRcode *q, int row, int col)
{
	return row >= 0 && col >= 0 && row < q->width && col < q->width && (q->data[row * q->width + col] & 1);
}

/* Two rows of modules are one of the terminal's. */
static void draw(const QRcode *q, struct buf *out)
{
	static const char *const blocks[2][2] = {{" ", "▄"}, {"▀", "█"}};
	for (int row = -QUIET; row < q->width + QUIET; row += 2) {
		buf_adds(out, "\x1b[38;5;16;48;5;231m"); /* black on white, whatever the terminal's colours are */
		for (int col = -QUIET; col < q->width + QUIET; col++)
			buf_adds(out, blocks[dark(q, row, col)][dark(q, row + 1, col)]);
		buf_adds(out, NORMAL);
		draw_line(out);
	}
}

int qr_draw(const struct screen *s, struct buf *out, const char *text, struct err **e)
{
	pthread_once(&once, load);
	if (!loaded)
		return err_set(e, 0, "QR codes need libqrencode (package libqrencode4).");
	QRcode *q = lib.QRcode_encodeString8bit(text, 0, QR_ECLEVEL_L);
	if (!q)
		return err_set(e, 0, "the URL is too long for a QR code.");
	unsigned cols = (unsigned)q->width + 2 * QUIET, rows = cols / 2 + 1 + ABOVE;
	int rc = 0;
	if (cols > s->cols || rows > s->rows)
		rc = err_set(e, 0, "it needs %u columns and %u rows; this terminal has %u and %u.", cols, rows, s->cols,
			s->rows);
	else
		draw(q, out);
	lib.QRcode_free(q);
	return rc;
}
