/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve.c - the control socket's half of `nono approve` and `nono grants`.
 *
 * A connection that sent MSG_WATCH is told of every question that opens or
 * closes, from the thread on which that happens; it is dropped as soon as it
 * does not take what it is sent, so that nobody waits for it. While one is
 * connected, questions have a front end.
 */
#include "approve/internal.h"

#include "proto/proto.h"

#include <errno.h>
#include <pthread.h>
#include <sys/socket.h>

struct watchers {
	pthread_mutex_t lock;
	int *fds;
	size_t n;
};

struct watchers *watchers_new(void)
{
	struct watchers *w = xcalloc(1, sizeof *w);
	pthread_mutex_init(&w->lock, NULL);
	return w;
}

void watchers_free(struct watchers *w)
{
	pthread_mutex_destroy(&w->lock);
	free(w->fds);
	free(w);
}

bool watchers_any(struct watchers *w)
{
	pthread_mutex_lock(&w->lock);
	bool any = w->n > 0;
	pthread_mutex_unlock(&w->lock);
	return any;
}

/* Send to every watcher; one that is full or gone is shut down, and its owner then sees end of file. */
static void broadcast(struct watchers *w, const struct msg *m)
{
	pthread_mutex_lock(&w->lock);
	cleanup_buf struct buf b = {0};
	if (w->n && msg_encode(m, &b, NULL) == 0) {
		for (size_t i = 0; i < w->n; i++) {
			if (send(w->fds[i], b.data, b.len, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
				continue;
			shutdown(w->fds[i], SHUT_RDWR);
			w->fds[i--] = w->fds[--w->n];
		}
	}
	pthread_mutex_unlock(&w->lock);
}

struct msg pending_message(const struct pending *p)
{
	return (struct msg){
		.type = MSG_PENDING,
		.id = p->id,
		.number = p->waiting,
		.pid = (uint32_t)p->q.tgid,
		.kind = p->q.kind,
		.port = p->q.port,
		.udp = p->q.udp,
		.flag = p->q.protected_object,
		.is_dir = p->q.is_dir,
		.operation = (char *)operation_name(p->q.op),
		.object = (char *)p->q.object,
		.asked = (char *)p->q.asked,
		.rule = (char *)p->q.rule,
		.program = (char *)p->q.program,
		.parent = (char *)p->q.parent,
	};
}

void watchers_opened(struct watchers *w, const struct pending *p)
{
	struct msg m = pending_message(p);
	broadcast(w, &m);
}

void watchers_closed(struct watchers *w, uint64_t id)
{
	struct msg m = {.type = MSG_GONE, .id = id};
	broadcast(w, &m);
}

static int send_result(int fd, int r, const char *text, const struct err *problem, struct err **e)
{
	cleanup_free char *cut = xstrndup(r < 0 ? err_msg(problem) : text ? text : "", PROTO_TEXT_MAX);
	int code = problem && problem->code > 0 ? problem->code : EINVAL;
	struct msg m = {.type = MSG_RESULT, .status = r < 0 ? code : 0, .text = cut};
	return msg_send(fd, &m, e);
}

static int send_pending(struct approve *a, int fd, struct err **e)
{
	size_t n;
	struct pending *p = approve_pending(a, &n);
	int r = 0;
	for (size_t i = 0; i < n && r == 0; i++) {
		struct msg m = pending_message(&p[i]);
		r = msg_send(fd, &m, e);
	}
	pending_free(p, n);
	return r;
}

static int send_grants(struct approve *a, int fd, struct err **e)
{
	size_t n;
	struct grant_info *g = policy_grants(approve_cfg(a)->policy, &n);
	int r = 0;
	for (size_t i = 0; i < n && r == 0; i++) {
		struct msg m = {.type = MSG_GRANT, .id = g[i].id, .text = g[i].text, .flag = g[i].never};
		r = msg_send(fd, &m, e);
	}
	grants_free(g, n);
	return r;
}

static void watch(struct approve *a, int fd)
{
	struct watchers *w = approve_watchers(a);
	pthread_mutex_lock(&w->lock);
	w->fds = xreallocarray(w->fds, w->n + 1, sizeof *w->fds);
	w->fds[w->n++] = fd;
	pthread_mutex_unlock(&w->lock);
}

void approve_unserve(struct approve *a, int fd)
{
	struct watchers *w = approve_watchers(a);
	pthread_mutex_lock(&w->lock);
	for (size_t i = 0; i < w->n; i++)
		if (w->fds[i] == fd)
			w->fds[i--] = w->fds[--w->n];
	pthread_mutex_unlock(&w->lock);
	asker_wake(a); /* without a front end, what it left open is refused */
}

static int serve_answer(struct approve *a, int fd, const struct msg *m, struct err **e)
{
	cleanup_err struct err *problem = NULL;
	enum answer answer;
	int r = answer_parse(m->answer, &answer) ? approve_answer(a, m->id, answer, m->dir, &problem)
						 : err_set(&problem, 0, "no such answer");
	return send_result(fd, r, NULL, problem, e);
}

static int serve_preview(struct approve *a, int fd, const struct msg *m, struct err **e)
{
	cleanup_err struct err *problem = NULL;
	cleanup_free char *text = approve_preview(a, m->id, m->dir, &problem);
	return send_result(fd, text ? 0 : -1, text, problem, e);
}

static int serve_revoke(struct approve *a, int fd, const struct msg *m, struct err **e)
{
	cleanup_err struct err *problem = NULL;
	bool found = m->id <= UINT32_MAX && policy_revoke(approve_cfg(a)->policy, (unsigned)m->id);
	int r = found ? 0 : err_set(&problem, 0, "there is no grant %llu", (unsigned long long)m->id);
	return send_result(fd, r, NULL, problem, e);
}

int approve_serve(struct approve *a, int fd, const struct msg *m, struct err **e)
{
	switch (m->type) {
	case MSG_PENDING_LIST:
		return send_pending(a, fd, e) < 0 ? -1 : send_result(fd, 0, NULL, NULL, e);
	case MSG_WATCH:
		watch(a, fd); /* first, so that nothing opens unseen in between; a watcher copes with hearing twice */
		return send_pending(a, fd, e);
	case MSG_ANSWER:
		return serve_answer(a, fd, m, e);
	case MSG_PREVIEW:
		return serve_preview(a, fd, m, e);
	case MSG_GRANT_LIST:
		return send_grants(a, fd, e) < 0 ? -1 : send_result(fd, 0, NULL, NULL, e);
	case MSG_REVOKE:
		return serve_revoke(a, fd, m, e);
	default:
		return err_set(e, EPROTO, "message %s is not for the control socket", msg_type_name(m->type));
	}
}
