/* SPDX-License-Identifier: Apache-2.0 */
/* tty.h - a terminal that is borrowed from the program using it, and given back as it was. */
#ifndef NONO_APPROVE_TTY_H
#define NONO_APPROVE_TTY_H

#include "base/base.h"

#include <termios.h>

struct tty {
	int fd;
	bool taken, lost; /* lost: taken away since, and not given back */
	struct termios saved;
	pid_t foreground; /* process group to give the terminal back to, 0: not taken from anybody */
	bool alternate;   /* we switched to the alternate screen; else the program was on it already */
};
/**
 * tty_take() - raw mode and the alternate screen, input typed so far thrown away.
 * @foreground: also become the terminal's foreground process group. The calling thread blocks SIGTTOU.
 */
int tty_take(struct tty *t, bool foreground, struct err **e);
/** tty_is_lost() - whether somebody else made another process group the foreground one meanwhile. */
bool tty_is_lost(const struct tty *t);
/** tty_lose() - leave the screen, and the rest to whoever has the terminal now. */
void tty_lose(struct tty *t);
/** tty_give_back() - undo tty_take(); of a terminal that was lost, the modes if nobody set others. Call tty_redraw()
 * once the program runs again. */
void tty_give_back(struct tty *t);
/** tty_redraw() - make the program that has the terminal draw itself anew. */
void tty_redraw(const struct tty *t);
/** tty_size() - rows and columns, 24x80 when unknown. */
void tty_size(int fd, unsigned *rows, unsigned *cols);

#endif
