/* SPDX-License-Identifier: Apache-2.0 */
/*
 * remote.c - `nono approve` on a terminal of its own: the same screen as the session's, kept
 * up to date by the broker. Answers wait for the broker's word, so what is shown is what is.
 */
#include "approve/remote.h"

#include "approve/internal.h"

#include "approve/child.h"
#include "approve/screen.h"
#include "approve/tty.h"
#include "proto/proto.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>

#define GUARD_MS 300
#define ESCAPE_MS 50
#define SIZE_MS 500

struct remote {
	int fd;
	const char *id;
	struct tty tty;
	struct screen screen;
	struct pending *open; /* by arrival */
	size_t n;
	bool ended, changed, seen_any, popup;
	int64_t keys_from;
};

/* What the broker tells without being asked. */
static void on_message(void *data, struct msg *m)
{
	struct remote *r = data;
	struct pending p;
	size_t i = 0;
	while (i < r->n && r->open[i].id != m->id)
		i++;
	if (m->type == MSG_PENDING && i == r->n && remote_pending(m, &p)) {
		r->open = xreallocarray(r->open, r->n + 1, sizeof *r->open);
		r->open[r->n++] = p;
		r->seen_any = true;
	} else if (m->type == MSG_GONE && i < r->n) {
		struct pending *gone = xmalloc(sizeof *gone);
		*gone = r->open[i];
		memmove(&r->open[i], &r->open[i + 1], (r->n - i - 1) * sizeof *r->open);
		r->n--;
		pending_free(gone, 1);
	}
	r->changed = true;
}

static int screen_answer(void *data, uint64_t id, enum answer answer, const char *dir, struct err **e)
{
	struct remote *r = data;
	struct msg m = {.type = MSG_ANSWER, .id = id, .answer = (char *)answer_name(answer), .dir = (char *)dir};
	return remote_request(r->fd, &m, on_message, r, NULL, e);
}

static char *screen_preview(void *data, uint64_t id, const char *dir, struct err **e)
{
	struct remote *r = data;
	struct msg m = {.type = MSG_PREVIEW, .id = id, .dir = (char *)dir};
	char *text = NULL;
	return remote_request(r->fd, &m, on_message, r, &text, e) < 0 ? NULL : text;
}

static const struct screen_ops ops = {screen_answer, screen_preview};

static void draw(struct remote *r)
{
	cleanup_buf struct buf b = {0};
	size_t n = r->n;
	struct pending *copy = xcalloc(n + 1, sizeof *copy);
	for (size_t i = 0; i < n; i++) {
		copy[i] = r->open[i];
		question_copy(&copy[i].q, &r->open[i].q);
	}
	screen_update(&r->screen, copy, n);
	tty_size(r->tty.fd, &r->screen.rows, &r->screen.cols);
	screen_render(&r->screen, &b);
	screen_tell(&r->screen, &b);
	io_write_all(r->tty.fd, b.data, b.len);
	r->changed = false;
}

static int watch(struct remote *r, struct err **e)
{
	struct msg m = {.type = MSG_WATCH};
	return msg_send(r->fd, &m, e);
}

/* The broker drops who reads too slowly; begin anew while the session lives. */
static void reconnect(struct remote *r)
{
	int fd = r->id ? remote_connect(r->id, NULL, NULL) : -1;
	r->ended = fd < 0;
	if (fd < 0)
		return;
	close(r->fd);
	r->fd = fd;
	pending_free(r->open, r->n);
	r->open = NULL;
	r->n = 0;
	r->changed = true;
	r->ended = watch(r, NULL) < 0;
}

/* Everything that has arrived, so that a burst is drawn once. */
static void read_socket(struct remote *r)
{
	struct pollfd p = {.fd = r->fd, .events = POLLIN};
	do {
		cleanup_msg struct msg m = {0};
		if (msg_recv(r->fd, &m, 0, NULL) <= 0) {
			reconnect(r);
			return;
		}
		on_message(r, &m);
	} while (poll(&p, 1, 0) > 0);
}

static void read_keys(struct remote *r)
{
	char bytes[256];
	ssize_t n = read(r->tty.fd, bytes, sizeof bytes);
	if (n < 0 && errno != EAGAIN && errno != EINTR)
		r->ended = true;
	if (n <= 0 || monotonic_ms() < r->keys_from)
		return;
	if (screen_input(&r->screen, bytes, (size_t)n)) {
		tcflush(r->tty.fd, TCIFLUSH);
		r->keys_from = monotonic_ms() + GUARD_MS / 2;
	}
	r->changed = true;
}

static void loop(struct remote *r)
{
	while (!r->ended && !r->screen.quit && !(r->popup && r->seen_any && r->n == 0)) {
		unsigned rows, cols;
		tty_size(r->tty.fd, &rows, &cols);
		if (r->changed || rows != r->screen.rows || cols != r->screen.cols)
			draw(r);
		struct pollfd p[2] = {{.fd = r->fd, .events = POLLIN}, {.fd = r->tty.fd, .events = POLLIN}};
		int ready = poll(p, 2, r->screen.seq_len ? ESCAPE_MS : SIZE_MS);
		if (ready < 0 && errno != EINTR)
			return;
		if (ready == 0 && r->screen.seq_len) {
			screen_idle(&r->screen);
			r->changed = true;
		}
		if (ready > 0 && p[0].revents) {
			bool none = r->n == 0;
			read_socket(r);
			/* the first question to be seen: keys count after a moment */
			if (none && r->n)
				r->keys_from = monotonic_ms() + GUARD_MS;
		}
		if (ready > 0 && p[1].revents)
			read_keys(r);
	}
}

int remote_screen(int fd, const char *id, bool popup, struct err **e)
{
	struct remote r = {.fd = fd, .id = id, .popup = popup, .changed = true};
	const char *no_color = getenv("NO_COLOR");
	r.screen = (struct screen){.ops = &ops,
		.data = &r,
		.remote = true,
		.color = !no_color || !*no_color,
		.links = screen_links(getenv("TERM"))};
	r.tty.fd = open("/dev/tty", O_RDWR | O_CLOEXEC);
	int result = 0;
	if (r.tty.fd < 0)
		result = err_set(e, errno, "nono approve needs a terminal, or --next or --list");
	else if (watch(&r, e) < 0 || tty_take(&r.tty, false, e) < 0)
		result = -1;
	else
		loop(&r);
	tty_give_back(&r.tty);
	if (r.ended && !popup)
		say("the session ended");
	screen_free(&r.screen);
	pending_free(r.open, r.n);
	if (r.tty.fd >= 0)
		close(r.tty.fd);
	close(r.fd);
	return result;
}
