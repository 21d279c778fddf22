/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loop.c - answering, start and stop of the room. Who receives is in receivers.c.
 *
 * Waking is asked to be synchronous (SYNC_WAKE_UP, Linux 6.6): caller and
 * receiver then take turns on one processor, which makes a continued call cost
 * some 8 instead of 50 microseconds.
 *
 * Every answer goes through answer(): a call that ended meanwhile (ENOENT) is
 * none of ours any more, anything else that fails becomes a refusal.
 */
#include "trap/internal.h"

#include "base/process.h"

#include "sandbox/kernel_abi.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>

#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#endif
#ifndef SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP 1UL
#endif

/* ---- answers ------------------------------------------------------------------- */

static void answer(struct trap_call *c, int64_t value, int err, uint32_t flags)
{
	struct seccomp_notif_resp r = {.id = c->n.id, .val = value, .error = -err, .flags = flags};
	if (c->answered)
		return;
	c->answered = true;
	/* ENOENT: the caller is gone; nothing else can be done about any failure than to let the caller end */
	(void)ioctl(c->t->listener, SECCOMP_IOCTL_NOTIF_SEND, &r);
}

bool trap_kernel_judges(const struct trap_call *c)
{
	const enum trap_cuts cuts = c->row->cuts;
	if (c->row->safe == CONTINUE_NEVER || (c->row->safe == CONTINUE_LANDLOCK && !c->t->cfg.kernel_floor))
		return false;
	if (c->t->cfg.cuts_judged || cuts == CUTS_NOT)
		return true;
	/* registers can't change meanwhile */
	return (cuts == CUTS_BY_FLAG_1 && !(c->n.data.args[1] & O_TRUNC)) ||
	       (cuts == CUTS_BY_FLAG_2 && !(c->n.data.args[2] & O_TRUNC));
}

void trap_continue_or(struct trap_call *c, int err)
{
	if (trap_kernel_judges(c))
		answer(c, 0, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE);
	else
		answer(c, 0, err, 0);
}

void trap_continue(struct trap_call *c)
{
	trap_continue_or(c, EACCES);
}

void trap_errno(struct trap_call *c, int err)
{
	answer(c, 0, err > 0 ? err : EACCES, 0);
}

void trap_value(struct trap_call *c, int64_t value)
{
	answer(c, value, 0, 0);
}

void trap_fd(struct trap_call *c, int fd, bool cloexec)
{
	struct seccomp_notif_addfd a = {.id = c->n.id,
		.flags = SECCOMP_ADDFD_FLAG_SEND,
		.srcfd = (uint32_t)fd,
		.newfd_flags = cloexec ? O_CLOEXEC : 0};
	int rc = c->answered ? 0 : ioctl(c->t->listener, SECCOMP_IOCTL_NOTIF_ADDFD, &a);
	int err = errno;
	close(fd);
	c->gave_fd = true;
	if (rc >= 0)
		c->answered = true;
	else
		trap_errno(c, err); /* EMFILE: the caller has no room for it */
}

int trap_put_fd(struct trap_call *c, int fd, int at, bool cloexec)
{
	struct seccomp_notif_addfd a = {.id = c->n.id,
		.flags = at >= 0 ? SECCOMP_ADDFD_FLAG_SETFD : 0,
		.srcfd = (uint32_t)fd,
		.newfd = at >= 0 ? (uint32_t)at : 0,
		.newfd_flags = cloexec ? O_CLOEXEC : 0};
	int rc = c->answered ? -EINVAL : ioctl(c->t->listener, SECCOMP_IOCTL_NOTIF_ADDFD, &a);
	return rc == -1 ? -errno : rc;
}

/* ---- running a call ------------------------------------------------------------- */

void trap_call_free(struct trap_call *c)
{
	for (unsigned i = 0; i < c->n_tokens; i++)
		free(c->token[i].object);
	free(steal_ptr(&c->token));
	c->n_tokens = 0;
}

void trap_run(struct trap_call *c)
{
	c->row->handle(c);
}

bool trap_handle(struct trap *t, const struct seccomp_notif *n)
{
	struct trap_call c = {.t = t, .n = *n};
	c.row = n->data.nr >= 0 && (size_t)n->data.nr < ARRAY_SIZE(t->by_nr) ? t->by_nr[n->data.nr] : NULL;
	if (c.row) {
		trap_run(&c);
	} else {
		static const struct trap_row none = {.safe = CONTINUE_NEVER};
		c.row = &none;
		trap_errno(&c, ENOSYS);
	}
	trap_call_free(&c);
	return c.gave_fd;
}

bool trap_once(struct trap_call *c, enum operation op, const char *resolved)
{
	for (unsigned i = 0; i < c->n_tokens; i++)
		if (c->token[i].op == op && strcmp(c->token[i].object, resolved) == 0)
			return true;
	return false;
}

/* ---- start and stop ----------------------------------------------------------------- */

static void index_rows(struct trap *t)
{
	size_t n;
	const struct trap_row *rows = trap_table(&n);
	for (size_t i = 0; i < n; i++)
		if (rows[i].nr >= 0 && (size_t)rows[i].nr < ARRAY_SIZE(t->by_nr))
			t->by_nr[rows[i].nr] = &rows[i];
}

int trap_start(struct trap **out, int listener, const struct trap_config *cfg, struct err **e)
{
	struct trap *t = xcalloc(1, sizeof(*t));
	t->cfg = *cfg;
	t->listener = listener;
	pthread_mutex_init(&t->lock, NULL);
	pthread_mutex_init(&t->copying, NULL);
	pthread_cond_init(&t->ended, NULL);
	pthread_cond_init(&t->wanted, NULL);
	pthread_cond_init(&t->active, NULL);
	t->quick = quick_new();
	index_rows(t);
	t->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (t->stop < 0 || ask_start(t, e) < 0) {
		if (t->stop < 0)
			err_set(e, errno, "cannot serve trapped calls");
		goto bad;
	}
	/* an older kernel wakes without it, only slower */
	(void)ioctl(listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP);
	if (receivers_start(t, e) < 0) {
		ask_stop(t);
		goto bad;
	}
	*out = t;
	return 0;
bad:
	if (t->stop >= 0)
		close(t->stop);
	close(listener);
	quick_free(t->quick);
	free(t);
	return -1;
}

void trap_stop(struct trap *t)
{
	if (!t)
		return;
	__atomic_store_n(&t->stopping, true, __ATOMIC_RELEASE);
	ask_stop(t);
	if (!receivers_stop(t))
		return;
	close(t->listener);
	close(t->stop);
	created_free(t);
	exec_copies_free(t);
	permits_free(t);
	quick_free(t->quick);
	free(t);
}

/* A process of the tree has the broker among its ancestors and carries a filter that the broker does not. */
bool trap_owns(struct trap *t, pid_t tgid)
{
	(void)t;
	pid_t head = tgid; /* the child of ours that it is below */
	for (pid_t up = head; up != getpid(); up = process_parent(up, NULL)) {
		if (up <= 1)
			return false;
		head = up;
	}
	char path[40], all[8192];
	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)head);
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, all, sizeof(all) - 1);
	all[n < 0 ? 0 : n] = '\0';
	const char *mode = strstr(all, "\nSeccomp:");
	return head != getpid() && mode && strtol(mode + 9, NULL, 10) == SECCOMP_MODE_FILTER;
}
