/* SPDX-License-Identifier: Apache-2.0 */
/*
 * terminal.c - asking in the terminal the session runs in.
 *
 * Theory of operation
 *
 * When a question opens, the tree is stopped, the terminal is taken over (tty.c)
 * and the open questions are drawn as one screen (screen.c). A short delay
 * before that lets a burst of requests arrive together. When none is open any more, whoever
 * answered, the terminal goes back and the tree continues.
 *
 * The tree cannot answer its own question: it is stopped; what is in the input
 * queue is thrown away before the first key counts and after each answer; TIOCSTI is
 * refused by the filter; and keys count only after a moment in which the person
 * was able to see the question, so that words typed to the program do not
 * answer. The terminal is taken only while the tree, or nono itself, has it: a session in the
 * background never interrupts the person's shell or another job.
 */
#include "approve/internal.h"

#include "approve/child.h"
#include "approve/screen.h"
#include "approve/tty.h"
#include "base/process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>

#define GATHER_MS 40      /* from the first question to the screen */
#define GUARD_MS 500      /* from the screen to the first key that counts */
#define BETWEEN_MS 150    /* the same after an answer, when another question shows */
#define ESCAPE_MS 50      /* a lone escape byte is the key after this time */
#define SIZE_MS 500       /* look at the terminal's size this often while it is ours */
#define THAW_MS 20        /* try again so often to let go of what was not stopped yet */
#define BACKGROUND_MS 500 /* look this often whether a background session came to the front */

struct terminal {
	struct approve *queue;
	struct tty tty;
	struct screen screen;
	int64_t show_at, keys_from; /* monotonic milliseconds; show_at 0: nothing to show */
	bool dead;                  /* hung up */
	bool held;                  /* parts of the tree are still stopped although no question shows */
};

static int screen_answer(void *data, uint64_t id, enum answer answer, const char *dir, struct err **e)
{
	struct terminal *t = data;
	return approve_answer(t->queue, id, answer, dir, e);
}

static char *screen_preview(void *data, uint64_t id, const char *dir, struct err **e)
{
	struct terminal *t = data;
	return approve_preview(t->queue, id, dir, e);
}

static const struct screen_ops ops = {screen_answer, screen_preview};

static void screen_init(struct terminal *t)
{
	const char *no_color = getenv("NO_COLOR");
	t->screen = (struct screen){
		.ops = &ops, .data = t, .color = !no_color || !*no_color, .links = screen_links(getenv("TERM"))};
}

static void *terminal_start(struct approve *a)
{
	const struct approve_config *cfg = approve_cfg(a);
	/* an external program, or another way that was chosen, asks instead */
	if (!cfg->terminal || cfg->approver || !front_chosen("terminal", true))
		return NULL;
	/* an open file description of its own: the program's flags on the terminal stay what they are */
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return NULL;
	struct terminal *t = xcalloc(1, sizeof *t);
	t->queue = a;
	t->tty.fd = fd;
	screen_init(t);
	return t;
}

/* Whether the other end is gone: nobody will ever be there to answer. */
static bool hung_up(const struct terminal *t)
{
	struct pollfd p = {.fd = t->tty.fd};
	return poll(&p, 1, 0) > 0 && (p.revents & (POLLHUP | POLLERR | POLLNVAL));
}

static bool terminal_usable(void *state)
{
	const struct terminal *t = state;
	return !t->dead && !hung_up(t);
}

/* Whether the terminal's foreground process group is nono's or the tree's. */
static bool in_foreground(const struct terminal *t)
{
	pid_t group = tcgetpgrp(t->tty.fd), of = 0;
	if (group <= 0)
		return false;
	if (group == getpgrp() || group == approve_cfg(t->queue)->tree_root || process_descends(group, getpid()))
		return true;
	/* the group's leader may be gone: any member tells */
	cleanup_dir DIR *d = opendir("/proc");
	const struct dirent *de;
	while (d && (de = readdir(d))) {
		pid_t pid = (pid_t)strtol(de->d_name, NULL, 10);
		if (pid > 0 && process_parent(pid, &of) && of == group)
			return process_descends(pid, getpid());
	}
	return false;
}

static void freeze(struct terminal *t, bool stop)
{
	const struct approve_config *cfg = approve_cfg(t->queue);
	bool held = cfg->freeze && cfg->freeze(cfg->freeze_data, stop);
	t->held = held && !stop;
}

static void draw(struct terminal *t)
{
	cleanup_buf struct buf b = {0};
	tty_size(t->tty.fd, &t->screen.rows, &t->screen.cols);
	screen_render(&t->screen, &b);
	screen_tell(&t->screen, &b);
	for (size_t off = 0; off < b.len;) {
		ssize_t n = write(t->tty.fd, b.data + off, b.len - off);
		struct pollfd p = {.fd = t->tty.fd, .events = POLLOUT};
		if (n > 0)
			off += (size_t)n;
		else if (errno == EAGAIN ? poll(&p, 1, 1000) <= 0 : errno != EINTR)
			return; /* a terminal that takes nothing cannot be drawn on */
	}
}

static void give_back(struct terminal *t)
{
	screen_free(&t->screen);
	screen_init(t);
	bool taken = t->tty.taken;
	tty_give_back(&t->tty);
	if (!taken)
		return;
	freeze(t, false);
	tty_redraw(&t->tty);
}

/* Another job has the terminal now, as after `bg`: nothing more is done to it until the session is in front again. */
static void lose(struct terminal *t)
{
	tty_lose(&t->tty);
	freeze(t, false);
	screen_free(&t->screen);
	screen_init(t);
	t->show_at = monotonic_ms() + BACKGROUND_MS;
}

static void take(struct terminal *t)
{
	cleanup_err struct err *e = NULL;
	if (!in_foreground(t)) {
		t->show_at = monotonic_ms() + BACKGROUND_MS;
		t->dead = hung_up(t);
		if (t->dead)
			asker_wake(t->queue);
		return;
	}
	freeze(t, true);
	if (tty_take(&t->tty, true, &e) < 0) {
		freeze(t, false);
		t->dead = true;
		asker_wake(t->queue);
		return;
	}
	t->show_at = 0;
	t->keys_from = monotonic_ms() + GUARD_MS;
}

/* Bring the picture up to date; take or return the terminal as questions come and go. */
static void refresh(struct terminal *t)
{
	size_t n = approve_count(t->queue);
	if (n == 0 || t->dead) {
		t->show_at = 0;
		give_back(t);
		return;
	}
	if (!t->tty.taken) {
		if (t->show_at == 0)
			t->show_at = monotonic_ms() + GATHER_MS;
		return;
	}
	struct pending *p = approve_pending(t->queue, &n);
	screen_update(&t->screen, p, n);
	draw(t);
}

static void terminal_changed(void *state)
{
	refresh(state);
}

/* Milliseconds until there is something to do, -1 for never. */
static int64_t due_in(const struct terminal *t)
{
	int64_t due = -1;
	if (t->tty.taken)
		due = t->screen.seq_len ? ESCAPE_MS : SIZE_MS;
	else if (t->show_at)
		due = t->show_at > monotonic_ms() ? t->show_at - monotonic_ms() : 0;
	return t->held && (due < 0 || due > THAW_MS) ? THAW_MS : due;
}

static unsigned terminal_wait(void *state, struct pollfd *p, int *timeout_ms)
{
	const struct terminal *t = state;
	int64_t due = due_in(t);
	if (due >= 0 && (*timeout_ms < 0 || due < *timeout_ms))
		*timeout_ms = (int)due;
	if (!t->tty.taken)
		return 0;
	p[0] = (struct pollfd){.fd = t->tty.fd, .events = POLLIN};
	return 1;
}

/* An answer was given: what was typed behind it does not belong to the next question. */
static void answered(struct terminal *t)
{
	tcflush(t->tty.fd, TCIFLUSH);
	t->keys_from = monotonic_ms() + BETWEEN_MS;
}

static void read_keys(struct terminal *t)
{
	char bytes[256];
	ssize_t n = read(t->tty.fd, bytes, sizeof bytes);
	/* an error may also mean that another job has the terminal since a moment ago, which is seen at the next look
	 */
	if (n < 0 && hung_up(t)) {
		t->dead = true;
		asker_wake(t->queue);
	}
	if (n < 0)
		return;
	if (monotonic_ms() < t->keys_from)
		return;
	if (n > 0 && screen_input(&t->screen, bytes, (size_t)n))
		answered(t);
}

static void terminal_ready(void *state, const struct pollfd *p, unsigned n)
{
	struct terminal *t = state;
	if (t->held)
		freeze(t, false);
	if (!t->tty.taken) {
		if (t->show_at && monotonic_ms() >= t->show_at) {
			take(t);
			refresh(t);
		}
		return;
	}
	if (tty_is_lost(&t->tty)) {
		lose(t);
		return;
	}
	unsigned rows = t->screen.rows, cols = t->screen.cols;
	if (n && (p[0].revents & (POLLHUP | POLLERR))) {
		t->dead = true;
		asker_wake(t->queue);
	} else if (n && (p[0].revents & POLLIN)) {
		read_keys(t);
		refresh(t);
	} else if (t->screen.seq_len) {
		if (screen_idle(&t->screen))
			answered(t);
		refresh(t);
	}
	if (!t->tty.taken)
		return;
	tty_size(t->tty.fd, &t->screen.rows, &t->screen.cols);
	if (rows != t->screen.rows || cols != t->screen.cols)
		draw(t);
}

static void terminal_stop(void *state)
{
	struct terminal *t = state;
	give_back(t);
	screen_free(&t->screen);
	close(t->tty.fd);
	free(t);
}

const struct front_end front_terminal = {
	.name = "terminal",
	.start = terminal_start,
	.stop = terminal_stop,
	.usable = terminal_usable,
	.changed = terminal_changed,
	.wait_for = terminal_wait,
	.ready = terminal_ready,
};
