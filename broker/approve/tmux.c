/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tmux.c - asking in a tmux popup (NONO_ASK=tmux).
 *
 * tmux 3.2 and later draws a popup over the pane and gives it the keyboard; in
 * it runs `nono approve --popup`, which talks to the control socket like any
 * other. The tree is not stopped and its screen is not touched. A popup that was
 * closed, or that tmux could not open, answers no to what it was opened for.
 */
#include "approve/internal.h"

#include "approve/child.h"

#include <errno.h>
#include <limits.h>
#include <sys/wait.h>

#define LOOK_MS 100 /* look this often whether the popup is still there */

struct tmux {
	struct approve *queue;
	pid_t popup;   /* the tmux client that waits for it, 0: none */
	uint64_t last; /* questions up to this id were open when it was opened or since */
};

static void *tmux_start(struct approve *a)
{
	const char *tmux = getenv("TMUX"), *pane = getenv("TMUX_PANE");
	if (!tmux || !*tmux || !pane || !front_chosen("tmux", false) || approve_cfg(a)->approver)
		return NULL;
	struct tmux *t = xcalloc(1, sizeof *t);
	t->queue = a;
	return t;
}

static bool tmux_usable(void *state)
{
	(void)state;
	return true;
}

static void refuse_all(struct tmux *t)
{
	struct pending *p;
	while ((p = approve_next(t->queue, 0)) && p->id <= t->last) {
		approve_answer(t->queue, p->id, ANSWER_NO, NULL, NULL);
		pending_free(p, 1);
	}
	if (p)
		pending_free(p, 1);
}

static void open_popup(struct tmux *t)
{
	cleanup_err struct err *e = NULL;
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	if (n > 0) {
		self[n] = '\0';
		/* tmux runs one argument through the shell and several as they are */
		const char *argv[] = {"tmux", "display-popup", "-E", "-w", "90%", "-h", "60%", "-t",
			getenv("TMUX_PANE"), self, "approve", "--popup", "--session", approve_cfg(t->queue)->session_id,
			NULL};
		t->popup = child_start(argv, -1, -1, &e);
	}
	if (n <= 0 || t->popup < 0) {
		t->popup = 0;
		refuse_all(t);
	}
}

static void tmux_changed(void *state)
{
	struct tmux *t = state;
	struct pending *p = approve_next(t->queue, t->last);
	bool any = approve_count(t->queue) > 0;
	for (; p; p = approve_next(t->queue, t->last)) {
		t->last = p->id;
		pending_free(p, 1);
	}
	if (any && !t->popup)
		open_popup(t);
}

static unsigned tmux_wait(void *state, struct pollfd *p, int *timeout_ms)
{
	const struct tmux *t = state;
	(void)p;
	if (t->popup && (*timeout_ms < 0 || *timeout_ms > LOOK_MS))
		*timeout_ms = LOOK_MS;
	return 0;
}

static void tmux_ready(void *state, const struct pollfd *p, unsigned n)
{
	struct tmux *t = state;
	(void)p;
	(void)n;
	if (!t->popup)
		return;
	pid_t r = waitpid(t->popup, NULL, WNOHANG);
	if (r == 0 || (r < 0 && errno == EINTR))
		return;
	t->popup = 0;
	refuse_all(t);
	tmux_changed(t);
}

static void tmux_stop(void *state)
{
	struct tmux *t = state;
	if (t->popup)
		child_end(t->popup);
	free(t);
}

const struct front_end front_tmux = {
	.name = "tmux",
	.start = tmux_start,
	.stop = tmux_stop,
	.usable = tmux_usable,
	.changed = tmux_changed,
	.wait_for = tmux_wait,
	.ready = tmux_ready,
};
