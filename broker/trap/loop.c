/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loop.c - receiving and answering.
 *
 * Theory of operation
 * -------------------
 * Several threads wait in SECCOMP_IOCTL_NOTIF_RECV on one listener. Whoever gets
 * a call handles it from start to end, so the common call (read the path, decide,
 * CONTINUE) costs one wake-up. Before a thread starts to handle, it makes sure
 * that another one waits, so a handler that blocks (a FIFO, a connect, a slow file
 * system) never keeps others from being answered; threads that are not needed
 * any more end. Beyond some dozens, others come only when all of them are blocked. A call that waits for a person holds
 * no thread at all, see ask.c.
 *
 * Waking is asked to be synchronous (SYNC_WAKE_UP, Linux 6.6): caller and
 * receiver then take turns on one processor, which makes a continued call cost
 * some 8 instead of 50 microseconds.
 *
 * Every answer goes through answer(): a call that ended meanwhile (ENOENT) is
 * none of ours any more, anything else that fails becomes a refusal.
 */
#include "trap/internal.h"

#include "sandbox/kernel_abi.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>

#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#endif
#ifndef SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP 1UL
#endif

#define STOP_SIGNAL (SIGRTMIN + 5) /* ends RECV */
#define STACK_BYTES (160U << 10)
#define MOST_RECEIVERS 256U
#define SOON_RECEIVERS 32U  /* up to here the next one is there at once */
#define RELIEF_RECEIVERS 4U /* beyond, when nothing has been received for a while, so many at a time */
#define RELIEF_NS 1000000L
#define SPARE_RECEIVERS 3U
#define FIRST_RECEIVERS 2U /* the loader's first calls need not wait for a thread to be made */

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
	if (rc >= 0)
		c->answered = true;
	else
		trap_errno(c, err); /* EMFILE: the caller has no room for it */
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

void trap_defer(struct trap_call *c, void (*fn)(struct trap_call *c))
{
	fn(c); /* another thread receives meanwhile */
}

bool trap_once(struct trap_call *c, enum operation op, const char *resolved)
{
	for (unsigned i = 0; i < c->n_tokens; i++)
		if (c->token[i].op == op && strcmp(c->token[i].object, resolved) == 0)
			return true;
	return false;
}

/* ---- the threads ------------------------------------------------------------------ */

int spawn(void *(*fn)(void *), void *arg)
{
	pthread_t thread;
	pthread_attr_t attr;
	sigset_t all, old;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	sigfillset(&all);
	sigdelset(&all, SIGSEGV);
	sigdelset(&all, SIGBUS);
	sigdelset(&all, SIGRTMIN + 4); /* ends a connect of a caller that is gone, see wait.c */
	sigdelset(&all, STOP_SIGNAL);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	int rc = pthread_create(&thread, &attr, fn, arg);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	return rc;
}

static void *receiver(void *arg);

/* Under the lock: count in @n more receivers, which wait from now on. */
static void count_in(struct trap *t, unsigned n)
{
	t->receivers += n;
	t->waiting += n;
}

/* Start the receivers that were counted in. Return: how many could be started. */
static unsigned start_receivers(struct trap *t, unsigned n)
{
	unsigned failed = 0;
	for (unsigned i = 0; i < n; i++)
		failed += spawn(receiver, t) != 0;
	pthread_mutex_lock(&t->lock);
	t->receivers -= failed;
	t->waiting -= failed;
	pthread_mutex_unlock(&t->lock);
	return n - failed;
}

/*
 * Many receivers are busy. In a burst they take turns, and more of them would only take memory; but when
 * all of them are blocked nothing is received any more, and then others are needed.
 */
static void *relieve(void *arg)
{
	struct trap *t = arg;
	uint64_t before = 0;
	for (bool starved = true; starved;) {
		nanosleep(&(struct timespec){.tv_nsec = RELIEF_NS}, NULL);
		unsigned more = 0;
		pthread_mutex_lock(&t->lock);
		starved = t->waiting == 0 && !t->stopping && t->receivers < MOST_RECEIVERS;
		if (starved && t->received == before) {
			unsigned room = MOST_RECEIVERS - t->receivers;
			count_in(t, more = room < RELIEF_RECEIVERS ? room : RELIEF_RECEIVERS);
		}
		before = t->received;
		if (!starved) {
			t->relieved = false;
			t->workers--;
			pthread_cond_broadcast(&t->ended);
		}
		pthread_mutex_unlock(&t->lock);
		start_receivers(t, more);
	}
	return NULL;
}

/* Somebody must wait while this thread handles a call; when there is nobody left to receive from, @got is false. */
static void leave_waiting(struct trap *t, bool got)
{
	unsigned more = 0;
	bool relief = false;
	pthread_mutex_lock(&t->lock);
	t->waiting--;
	t->received++;
	if (got && t->waiting == 0 && !t->stopping) {
		if (t->receivers < SOON_RECEIVERS)
			count_in(t, more = 1);
		else if (!t->relieved && t->receivers < MOST_RECEIVERS)
			relief = true;
	}
	if (relief) {
		t->relieved = true;
		t->workers++;
	}
	pthread_mutex_unlock(&t->lock);
	start_receivers(t, more);
	if (relief && spawn(relieve, t) != 0) {
		pthread_mutex_lock(&t->lock);
		t->relieved = false;
		t->workers--;
		pthread_mutex_unlock(&t->lock);
	}
}

/* Return: whether this thread goes on waiting; there may be enough of them. */
static bool enter_waiting(struct trap *t)
{
	pthread_mutex_lock(&t->lock);
	bool stay = !t->stopping && t->waiting < SPARE_RECEIVERS;
	if (stay)
		t->waiting++;
	pthread_mutex_unlock(&t->lock);
	return stay;
}

static bool tree_gone(int listener)
{
	struct pollfd p = {listener, POLLIN, 0};
	return poll(&p, 1, 0) > 0 && (p.revents & (POLLHUP | POLLERR | POLLNVAL)) && !(p.revents & POLLIN);
}

/* RECV wakes exactly one thread, on the caller's processor; a signal of our own ends it. */
static int receive(struct trap *t, struct seccomp_notif *n)
{
	for (;;) {
		if (__atomic_load_n(&t->stopping, __ATOMIC_ACQUIRE))
			return -1;
		memset(n, 0, sizeof(*n));
		if (ioctl(t->listener, SECCOMP_IOCTL_NOTIF_RECV, n) == 0)
			return 0;
		if (errno == EINTR)
			continue;
		/* ENOENT: the caller was killed before it was received, or nobody is left */
		if (errno != ENOENT || tree_gone(t->listener))
			return -1;
	}
}

static void handle(struct trap *t, const struct seccomp_notif *n)
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
}

static void remember_thread(struct trap *t, bool here)
{
	pid_t from = here ? 0 : gettid(), to = here ? gettid() : 0;
	pthread_mutex_lock(&t->lock);
	for (size_t i = 0; i < ARRAY_SIZE(t->tid); i++)
		if (t->tid[i] == from) {
			t->tid[i] = to;
			break;
		}
	pthread_mutex_unlock(&t->lock);
}

static void *receiver(void *arg)
{
	struct trap *t = arg;
	struct seccomp_notif n;
	remember_thread(t, true);
	unshare(CLONE_FS); /* a umask of its own: files are made with the caller's */
	do {
		bool got = receive(t, &n) == 0;
		leave_waiting(t, got);
		if (!got)
			break;
		handle(t, &n);
	} while (enter_waiting(t));
	remember_thread(t, false);
	pthread_mutex_lock(&t->lock);
	t->receivers--;
	pthread_cond_broadcast(&t->ended);
	pthread_mutex_unlock(&t->lock);
	return NULL;
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

static void on_stop(int sig)
{
	(void)sig;
}

int trap_start(struct trap **out, int listener, const struct trap_config *cfg, struct err **e)
{
	struct trap *t = xcalloc(1, sizeof(*t));
	t->cfg = *cfg;
	t->listener = listener;
	pthread_mutex_init(&t->lock, NULL);
	pthread_mutex_init(&t->copying, NULL);
	pthread_cond_init(&t->ended, NULL);
	t->quick = quick_new();
	index_rows(t);
	t->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (t->stop < 0 || ask_start(t, e) < 0) {
		if (t->stop < 0)
			err_set(e, errno, "cannot serve trapped calls");
		goto bad;
	}
	const struct sigaction wake = {.sa_handler = on_stop};
	sigaction(STOP_SIGNAL, &wake, NULL); /* without SA_RESTART: RECV ends with EINTR */
	/* an older kernel wakes without it, only slower */
	(void)ioctl(listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP);
	count_in(t, FIRST_RECEIVERS);
	if (start_receivers(t, FIRST_RECEIVERS) == 0) {
		err_set(e, EAGAIN, "cannot start a thread for trapped calls");
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
	/* a handler may still be inside a slow file system: it is given a moment, then the process ends anyway */
	bool all = false;
	for (int tries = 0; tries < 200 && !all; tries++) {
		struct timespec until;
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += 10000000;
		until.tv_sec += until.tv_nsec / 1000000000;
		until.tv_nsec %= 1000000000;
		pthread_mutex_lock(&t->lock);
		for (size_t i = 0; i < ARRAY_SIZE(t->tid); i++)
			if (t->tid[i])
				tgkill(getpid(), t->tid[i], STOP_SIGNAL);
		all = t->receivers == 0 && t->workers == 0;
		if (!all)
			pthread_cond_timedwait(&t->ended, &t->lock, &until);
		pthread_mutex_unlock(&t->lock);
	}
	if (!all)
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
	pid_t me = getpid();
	(void)t;
	for (int depth = 0; tgid > 1 && depth < 512; depth++) {
		char path[40], text[1024];
		(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)tgid);
		cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
		ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
		text[n < 0 ? 0 : n] = '\0';
		const char *up = n > 0 ? strstr(text, "\nPPid:") : NULL;
		pid_t parent = up ? (pid_t)strtol(up + 6, NULL, 10) : 0;
		if (parent == me) {
			cleanup_fd int full = open(path, O_RDONLY | O_CLOEXEC);
			char all[8192];
			ssize_t m = full < 0 ? -1 : read(full, all, sizeof(all) - 1);
			all[m < 0 ? 0 : m] = '\0';
			const char *mode = m > 0 ? strstr(all, "\nSeccomp:") : NULL;
			return mode && strtol(mode + 9, NULL, 10) == SECCOMP_MODE_FILTER;
		}
		tgid = parent;
	}
	return false;
}
