/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tty.c - borrow the terminal and give it back.
 *
 * Theory of operation
 *
 * The program that has the terminal is stopped by the caller. The process group
 * that is in the foreground, and the modes, are remembered; we become the
 * foreground group, as a shell does, and put the terminal into raw mode. What
 * was typed before that was meant for the program, so it is thrown away.
 *
 * A program in line mode gets its screen back by the terminal itself: we draw on
 * the alternate screen. A full-screen program is on the alternate screen
 * already, and switching would lose that, so we have to know. tmux answers
 * for its pane (#{alternate_on}); other terminals are asked with DECRQM for mode 1049, with a
 * device attributes request behind it that all of them answer, so that nobody waits for a
 * reply that will not come. Such a program is made to redraw: it gets SIGWINCH, and because
 * some only redraw when the size changed, the size does change for a moment.
 */
#include "approve/tty.h"

#include "approve/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <time.h>

#define REPLY_MS 300
#define NUDGE_MS 40

void tty_size(int fd, unsigned *rows, unsigned *cols)
{
	struct winsize ws = {0};
	bool known = ioctl(fd, TIOCGWINSZ, &ws) == 0 && ws.ws_row > 0 && ws.ws_col > 0;
	*rows = known ? ws.ws_row : 24;
	*cols = known ? ws.ws_col : 80;
}

/* "1" or "0" from tmux for our pane. Return: -1 when not in tmux. */
static int tmux_alternate(void)
{
	const char *pane = getenv("TMUX_PANE");
	int p[2];
	if (!getenv("TMUX") || !pane || pipe2(p, O_CLOEXEC) < 0)
		return -1;
	const char *argv[] = {"tmux", "display-message", "-p", "-t", pane, "#{alternate_on}", NULL};
	pid_t pid = child_start(argv, -1, p[1], NULL);
	close(p[1]);
	char c = 0;
	struct pollfd pfd = {.fd = p[0], .events = POLLIN};
	if (pid > 0 && (poll(&pfd, 1, REPLY_MS) <= 0 || read(p[0], &c, 1) != 1))
		c = 0;
	close(p[0]);
	if (pid > 0)
		child_end(pid);
	return c == '1' ? 1 : c == '0' ? 0 : -1;
}

/*
 * DECRQM 1049 and DA1 behind it. Return: 1 on the alternate screen, 0 not, -1 unknown.
 * The replies are "ESC [ ? 1049 ; Ps $ y" and "ESC [ ? ... c".
 */
static int query_alternate(int fd)
{
	static const char query[] = "\x1b[?1049$p\x1b[c";
	char reply[256];
	size_t len = 0;
	if (io_write_all(fd, query, sizeof query - 1) < 0)
		return -1;
	int64_t until = monotonic_ms() + REPLY_MS, left;
	while (len < sizeof reply - 1 && (left = until - monotonic_ms()) > 0) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		if (poll(&p, 1, (int)left) <= 0)
			break;
		ssize_t n = read(fd, reply + len, sizeof reply - 1 - len);
		if (n <= 0)
			break;
		len += (size_t)n;
		reply[len] = '\0';
		const char *da = strrchr(reply, '?');
		if (da && strspn(da + 1, "0123456789;") + 2 <= strlen(da) && strchr(da, 'c'))
			break;
	}
	reply[len] = '\0';
	const char *mode = strstr(reply, "\x1b[?1049;");
	if (!mode)
		return -1;
	char ps = mode[8];
	return ps == '1' || ps == '3' ? 1 : ps == '2' || ps == '4' ? 0 : -1;
}

static struct termios raw_of(const struct termios *saved)
{
	struct termios raw = *saved;
	cfmakeraw(&raw);
	raw.c_cc[VMIN] = 0;
	raw.c_cc[VTIME] = 0;
	return raw;
}

/* Whether the terminal was lost, and still has the modes it had then. */
static bool modes_are_ours(const struct tty *t)
{
	struct termios raw = raw_of(&t->saved), now;
	return t->lost && tcgetattr(t->fd, &now) == 0 && now.c_iflag == raw.c_iflag && now.c_oflag == raw.c_oflag &&
	       now.c_cflag == raw.c_cflag && now.c_lflag == raw.c_lflag;
}

int tty_take(struct tty *t, bool foreground, struct err **e)
{
	t->foreground = 0;
	if (foreground) {
		pid_t old = tcgetpgrp(t->fd);
		if (old < 0 || tcsetpgrp(t->fd, getpgrp()) < 0)
			return err_set(e, errno, "cannot take the terminal");
		t->foreground = old;
	}
	if (!modes_are_ours(t) && tcgetattr(t->fd, &t->saved) < 0) {
		err_set(e, errno, "cannot read the terminal's modes");
		if (t->foreground)
			tcsetpgrp(t->fd, t->foreground);
		return -1;
	}
	struct termios raw = raw_of(&t->saved);
	tcsetattr(t->fd, TCSANOW, &raw);
	tcflush(t->fd, TCIFLUSH);
	int on = -1;
	if (foreground && (on = tmux_alternate()) < 0)
		on = query_alternate(t->fd);
	t->alternate = on != 1;
	/* save the cursor, forget colours and scroll region of the program, show no cursor */
	const char *start = t->alternate ? "\x1b[?1049h\x1b[?25l\x1b[m\x1b[2J"
					 : "\x1b"
					   "7\x1b[?25l\x1b[m\x1b[2J";
	io_write_all(t->fd, start, strlen(start));
	t->taken = true;
	t->lost = false;
	return 0;
}

static void leave_screen(const struct tty *t)
{
	const char *end = t->alternate ? "\x1b[m\x1b[?25h\x1b[?1049l"
				       : "\x1b[m\x1b[2J\x1b[?25h\x1b"
					 "8";
	io_write_all(t->fd, end, strlen(end));
}

bool tty_is_lost(const struct tty *t)
{
	pid_t group = t->taken && t->foreground ? tcgetpgrp(t->fd) : -1;
	return group > 0 && group != getpgrp();
}

void tty_lose(struct tty *t)
{
	leave_screen(t);
	t->taken = false;
	t->lost = true;
}

void tty_give_back(struct tty *t)
{
	if (!t->taken && modes_are_ours(t))
		tcsetattr(t->fd, TCSANOW, &t->saved);
	t->lost = false;
	if (!t->taken)
		return;
	t->taken = false;
	leave_screen(t);
	tcflush(t->fd, TCIFLUSH);
	tcsetattr(t->fd, TCSANOW, &t->saved);
	if (t->foreground)
		tcsetpgrp(t->fd, t->foreground);
}

void tty_redraw(const struct tty *t)
{
	if (t->foreground)
		kill(-t->foreground, SIGWINCH);
	struct winsize ws;
	if (t->alternate || !t->foreground || ioctl(t->fd, TIOCGWINSZ, &ws) < 0 || ws.ws_row < 3)
		return;
	/* the kernel sends SIGWINCH to the foreground process group for each change */
	struct winsize smaller = ws;
	smaller.ws_row--;
	ioctl(t->fd, TIOCSWINSZ, &smaller);
	struct timespec ts = {.tv_nsec = NUDGE_MS * 1000000L};
	nanosleep(&ts, NULL);
	struct winsize now;
	if (ioctl(t->fd, TIOCGWINSZ, &now) == 0 && now.ws_row == smaller.ws_row && now.ws_col == smaller.ws_col)
		ioctl(t->fd, TIOCSWINSZ, &ws);
}
