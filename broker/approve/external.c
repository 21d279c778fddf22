/* SPDX-License-Identifier: Apache-2.0 */
/*
 * external.c - `--approver CMD`: a program on the host answers instead of a person.
 *
 * It is run once for each question, at most SLOTS at a time, with one JSON object on standard
 * input, and prints one word. Anything but exactly one known word and exit status 0
 * is no; so is silence until the timeout. Session, always and never are remembered as if
 * a person had said them.
 *
 * The exit status comes back through the pipe, printed by the shell that runs
 * CMD, because the session reaps children of the broker as it sees fit.
 */
#include "approve/internal.h"

#include "approve/child.h"
#include "approve/screen.h"

#include <errno.h>
#include <fcntl.h>
#include <json.h>
#include <sys/mman.h>

#define SLOTS 8
#define DEFAULT_TIMEOUT_S 60
#define OUTPUT_MAX 256

/* $1 is CMD; a subshell, so that `exit` in it still lets the status be printed */
static const char script[] = "(eval \"$1\"); printf '\\n%d' \"$?\"";

struct slot {
	pid_t pid; /* 0: free */
	uint64_t id;
	int out;
	int64_t deadline;
	struct buf answer;
};

struct external {
	struct approve *queue;
	struct slot slots[SLOTS];
	uint64_t last; /* questions up to this id have been given out */
	int64_t timeout_ms;
};

static void *external_start(struct approve *a)
{
	const struct approve_config *cfg = approve_cfg(a);
	if (!cfg->approver)
		return NULL;
	struct external *x = xcalloc(1, sizeof *x);
	x->queue = a;
	x->timeout_ms = 1000 * (int64_t)(cfg->approver_timeout ? cfg->approver_timeout : DEFAULT_TIMEOUT_S);
	return x;
}

static bool external_usable(void *state)
{
	(void)state;
	return true;
}

static void add_string(struct json_object *o, const char *key, const char *value)
{
	/* names need not be UTF-8, JSON must be */
	cleanup_free char *safe = value && !utf8_valid(value, strlen(value), NULL) ? str_sanitize(value) : NULL;
	const char *text = safe ? safe : value;
	json_object_object_add(o, key, text ? json_object_new_string(text) : NULL);
}

static struct json_object *describe(const struct pending *p)
{
	const struct question *q = &p->q;
	struct json_object *o = json_object_new_object();
	json_object_object_add(o, "id", json_object_new_int64((int64_t)p->id));
	/* who decides by rules about "open URL" must not say by accident that somebody has seen the page */
	add_string(o, "operation", q->kind == QUESTION_PAGE ? "show URL" : operation_name(q->op));
	add_string(o, "kind", question_kind_name(q->kind));
	if (q->op == OP_CONNECT || q->op == OP_BIND) {
		add_string(o, "host", q->object);
		json_object_object_add(o, "port", json_object_new_int((int)q->port));
		json_object_object_add(o, "protocol", json_object_new_string(q->udp ? "udp" : "tcp"));
	} else {
		add_string(o, question_is_url(q) ? "url" : q->op == OP_SECRET ? "secret" : "path", q->object);
	}
	if (q->asked)
		add_string(o, "asked", q->asked);
	add_string(o, "program", q->program);
	add_string(o, "parent", q->parent);
	json_object_object_add(o, "pid", json_object_new_int((int)q->tgid));
	add_string(o, "rule", q->rule);
	json_object_object_add(o, "protected", json_object_new_boolean(q->protected_object));
	return o;
}

/* The question as a file to read from; written whole, so that a program that does not read blocks nobody. */
static int question_file(const struct pending *p)
{
	cleanup_fd int fd = memfd_create("question", MFD_CLOEXEC);
	struct json_object *o = describe(p);
	const char *text = json_object_to_json_string_ext(o, JSON_C_TO_STRING_NOSLASHESCAPE);
	bool ok = fd >= 0 && io_write_all(fd, text, strlen(text)) == 0 && io_write_all(fd, "\n", 1) == 0 &&
		  lseek(fd, 0, SEEK_SET) == 0;
	json_object_put(o);
	return ok ? steal_fd(&fd) : -1;
}

static void ask(struct external *x, struct slot *s, const struct pending *p)
{
	cleanup_err struct err *e = NULL;
	int out[2];
	cleanup_fd int in = question_file(p);
	if (in < 0 || pipe2(out, O_CLOEXEC | O_NONBLOCK) < 0) {
		approve_answer(x->queue, p->id, ANSWER_NO, NULL, NULL);
		return;
	}
	cleanup_fd int child_out = out[1];
	fcntl(child_out, F_SETFL, 0); /* only our end is non-blocking */
	const char *argv[] = {"/bin/sh", "-c", script, "nono-approver", approve_cfg(x->queue)->approver, NULL};
	pid_t pid = child_start(argv, in, child_out, &e);
	if (pid < 0) {
		say_error("the approver cannot be run: %s", err_msg(e));
		close(out[0]);
		approve_answer(x->queue, p->id, ANSWER_NO, NULL, NULL);
		return;
	}
	*s = (struct slot){.pid = pid, .id = p->id, .out = out[0], .deadline = monotonic_ms() + x->timeout_ms};
}

static void external_changed(void *state)
{
	struct external *x = state;
	for (size_t i = 0; i < SLOTS; i++) {
		if (x->slots[i].pid)
			continue;
		struct pending *p = approve_next(x->queue, x->last);
		if (!p)
			return;
		x->last = p->id;
		ask(x, &x->slots[i], p);
		pending_free(p, 1);
	}
}

/* "WORD \n STATUS": the word when it is the only one and the status is 0. */
static enum answer parse(char *text)
{
	char *status = strrchr(text, '\n'), *save = NULL;
	if (!status || strcmp(status, "\n0") != 0)
		return ANSWER_NO;
	*status = '\0';
	const char *word = strtok_r(text, " \t\r\n", &save);
	enum answer answer = ANSWER_NO;
	if (!word || strtok_r(NULL, " \t\r\n", &save) || !answer_parse(word, &answer))
		return ANSWER_NO;
	return answer;
}

static void finish(struct external *x, struct slot *s, enum answer answer)
{
	cleanup_err struct err *e = NULL;
	uint64_t id = s->id;
	child_end(s->pid);
	close(s->out);
	buf_free(&s->answer);
	*s = (struct slot){0};
	if (approve_answer(x->queue, id, answer, NULL, &e) < 0 && answer != ANSWER_NO) {
		say_error("the approver's answer cannot be followed: %s", err_msg(e));
		approve_answer(x->queue, id, ANSWER_NO, NULL, NULL);
	}
}

static void read_answer(struct external *x, struct slot *s)
{
	char chunk[OUTPUT_MAX];
	ssize_t n = read(s->out, chunk, sizeof chunk);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0)
		buf_add(&s->answer, chunk, (size_t)n);
	if (n < 0 || s->answer.len > OUTPUT_MAX)
		finish(x, s, ANSWER_NO);
	else if (n == 0)
		finish(x, s,
			s->answer.len && !memchr(s->answer.data, 0, s->answer.len) ? parse(s->answer.data) : ANSWER_NO);
}

static unsigned external_wait(void *state, struct pollfd *p, int *timeout_ms)
{
	const struct external *x = state;
	unsigned n = 0;
	int64_t now = monotonic_ms();
	for (size_t i = 0; i < SLOTS; i++) {
		if (!x->slots[i].pid)
			continue;
		int64_t left = x->slots[i].deadline > now ? x->slots[i].deadline - now : 0;
		if (*timeout_ms < 0 || left < *timeout_ms)
			*timeout_ms = (int)left;
		p[n++] = (struct pollfd){.fd = x->slots[i].out, .events = POLLIN};
	}
	return n;
}

static void external_ready(void *state, const struct pollfd *p, unsigned n)
{
	struct external *x = state;
	for (size_t i = 0; i < SLOTS; i++) {
		struct slot *s = &x->slots[i];
		if (!s->pid)
			continue;
		bool readable = false;
		for (unsigned j = 0; j < n; j++)
			readable |= p[j].fd == s->out && p[j].revents;
		if (readable)
			read_answer(x, s);
		else if (monotonic_ms() >= s->deadline || !approve_open(x->queue, s->id))
			finish(x, s, ANSWER_NO);
	}
	external_changed(x);
}

static void external_stop(void *state)
{
	struct external *x = state;
	for (size_t i = 0; i < SLOTS; i++) {
		if (!x->slots[i].pid)
			continue;
		child_end(x->slots[i].pid);
		close(x->slots[i].out);
		buf_free(&x->slots[i].answer);
	}
	free(x);
}

const struct front_end front_external = {
	.name = "approver",
	.start = external_start,
	.stop = external_stop,
	.usable = external_usable,
	.changed = external_changed,
	.wait_for = external_wait,
	.ready = external_ready,
};
