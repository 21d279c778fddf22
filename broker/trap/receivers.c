/* SPDX-License-Identifier: Apache-2.0 */
/*
 * receivers.c - the threads that receive trapped calls.
 *
 * Theory of operation
 * -------------------
 * A thread waits in SECCOMP_IOCTL_NOTIF_RECV and handles what it gets from start
 * to end, so the common call (read the path, decide, CONTINUE) costs one wake-up.
 * While one caller makes all calls, a single thread takes them: a second one
 * waiting beside it would take every other call, and the processor's caches would
 * change hands each time. Several callers are served faster by two threads that take
 * turns, and so is one that is given descriptors: the kernel puts them in on the
 * caller's side, which takes it to another processor. Threads that have nothing to do for
 * a while are parked, a few, or end.
 *
 * A handler that blocks must not keep others from being answered. Those likely to
 * (the open of a FIFO, a connect to another host) make room first. For the rest (a slow
 * file system, a full queue of a local server) there is the watchdog: when for one of its ticks nobody waited and
 * nothing was received, it sends others. It sleeps while no calls come, and is woken
 * by the first one after a pause. A call that waits for a person holds no thread
 * at all, see ask.c.
 */
#include "trap/internal.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/sysinfo.h>
#include <time.h>

#define STOP_SIGNAL (SIGRTMIN + 5) /* ends RECV */
#define STACK_BYTES (160U << 10)
#define MOST_RECEIVERS 256U
#define MOST_PARKED 3U
#define RELIEF_RECEIVERS 4U /* at most so many at a time when all others are blocked */
#define CALM_CALLS 32U      /* after so many of one caller in a row, a thread beside another one parks */
#define TICK_NS 2000000L
#define PAUSE_NS 20000000L /* the first call after this wakes the watchdog ... */
#define SLEEPY_TICKS 25U   /* ... which goes to sleep after so many ticks without any, which take longer */
static_assert(SLEEPY_TICKS * TICK_NS > 2 * PAUSE_NS, "whoever ends a pause wakes a watchdog that sleeps");

static int64_t now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

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

/*
 * Send @n more threads to wait, parked ones first, unless @most are at work already.
 * Return: how many are on their way.
 */
static unsigned send_more(struct trap *t, unsigned n, unsigned most)
{
	unsigned sent = 0, new = 0;
	pthread_mutex_lock(&t->lock);
	if (t->stopping || t->receivers - t->parked + t->called >= most)
		n = 0;
	for (; sent < n && t->parked > t->called; sent++)
		t->called++;
	if (sent)
		pthread_cond_broadcast(&t->wanted);
	new = MOST_RECEIVERS - t->receivers < n - sent ? MOST_RECEIVERS - t->receivers : n - sent;
	t->receivers += new;
	atomic_fetch_add(&t->waiting, sent + new);
	pthread_mutex_unlock(&t->lock);
	unsigned failed = 0;
	for (unsigned i = 0; i < new; i++)
		failed += spawn(receiver, t) != 0;
	if (failed) {
		pthread_mutex_lock(&t->lock);
		t->receivers -= failed;
		atomic_fetch_sub(&t->waiting, failed);
		pthread_mutex_unlock(&t->lock);
	}
	return sent + new - failed;
}

void receivers_make_room(struct trap *t)
{
	if (atomic_load(&t->waiting) == 0)
		send_more(t, 1, MOST_RECEIVERS);
}

/* ---- the watchdog ---------------------------------------------------------------- */

/* Under the lock: let a tick pass, or less when the room is stopped. */
static void tick(struct trap *t)
{
	struct timespec until;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += TICK_NS;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	while (!t->stopping && pthread_cond_timedwait(&t->active, &t->lock, &until) == 0)
		;
}

static void *watchdog(void *arg)
{
	struct trap *t = arg;
	unsigned quiet = 0, starved = 0;
	pthread_mutex_lock(&t->lock);
	while (!t->stopping) {
		const uint64_t before = atomic_load(&t->received);
		if (quiet >= SLEEPY_TICKS) {
			t->dog_sleeps = true;
			while (t->dog_sleeps && !t->stopping)
				pthread_cond_wait(&t->active, &t->lock);
			quiet = 0;
			continue;
		}
		tick(t);
		pthread_mutex_unlock(&t->lock);
		const bool none = atomic_load(&t->received) == before, nobody = atomic_load(&t->waiting) == 0;
		/* once may be a busy machine, on which more threads are no help */
		starved = !none || !nobody ? 0 : starved < RELIEF_RECEIVERS ? starved + 1 : starved;
		if (starved)
			send_more(t, starved, MOST_RECEIVERS);
		const bool blocked = waits_look_after();
		quiet = none && !nobody && !blocked ? quiet + 1 : 0;
		pthread_mutex_lock(&t->lock);
	}
	t->workers--;
	pthread_cond_broadcast(&t->ended);
	pthread_mutex_unlock(&t->lock);
	return NULL;
}

static void wake_watchdog(struct trap *t)
{
	pthread_mutex_lock(&t->lock);
	t->dog_sleeps = false;
	pthread_cond_signal(&t->active);
	pthread_mutex_unlock(&t->lock);
}

/* ---- receiving --------------------------------------------------------------------- */

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

/* Leave the others to it until called. Return: false when this thread is not needed any more. */
static bool park(struct trap *t)
{
	bool called = false;
	caller_forget();
	pthread_mutex_lock(&t->lock);
	if (t->parked < MOST_PARKED && !t->stopping) {
		t->parked++;
		while (!t->called && !t->stopping)
			pthread_cond_wait(&t->wanted, &t->lock);
		t->parked--;
		called = t->called > 0;
		t->called -= called;
	}
	pthread_mutex_unlock(&t->lock);
	return called;
}

/*
 * Wait again, or park. @calm: calls in a row of one caller, none of which was given a descriptor.
 * Return: whether this thread, counted in, goes on.
 */
static bool stay(struct trap *t, unsigned *calm)
{
	if (__atomic_load_n(&t->stopping, __ATOMIC_ACQUIRE))
		return false;
	if (*calm < CALM_CALLS || atomic_load(&t->waiting) == 0) {
		atomic_fetch_add(&t->waiting, 1);
		return true;
	}
	*calm = 0;
	return park(t);
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
	unsigned calm = 0;
	uint32_t last = 0;
	remember_thread(t, true);
	unshare(CLONE_FS); /* a umask of its own: files are made with the caller's */
	do {
		const int64_t since = now_ns();
		const bool got = receive(t, &n) == 0;
		atomic_fetch_sub(&t->waiting, 1);
		if (!got)
			break;
		atomic_fetch_add(&t->received, 1);
		if (now_ns() - since > PAUSE_NS)
			wake_watchdog(t);
		calm = n.pid == last ? calm + 1 : 0;
		last = n.pid;
		/* beyond the number of processors they would only take turns */
		if (calm == 0 && atomic_load(&t->waiting) == 0)
			send_more(t, 1, t->processors);
		if (trap_handle(t, &n))
			calm = 0;
	} while (stay(t, &calm));
	caller_forget();
	remember_thread(t, false);
	pthread_mutex_lock(&t->lock);
	t->receivers--;
	pthread_cond_broadcast(&t->ended);
	pthread_mutex_unlock(&t->lock);
	return NULL;
}

/* ---- start and stop ----------------------------------------------------------------- */

static void on_stop(int sig)
{
	(void)sig;
}

int receivers_start(struct trap *t, struct err **e)
{
	const struct sigaction wake = {.sa_handler = on_stop};
	sigaction(STOP_SIGNAL, &wake, NULL); /* without SA_RESTART: RECV ends with EINTR */
	t->processors = (unsigned)get_nprocs();
	if (send_more(t, 1, MOST_RECEIVERS) == 0)
		return err_set(e, EAGAIN, "cannot start a thread for trapped calls");
	pthread_mutex_lock(&t->lock);
	t->workers++;
	pthread_mutex_unlock(&t->lock);
	if (spawn(watchdog, t) == 0)
		return 0;
	pthread_mutex_lock(&t->lock);
	t->workers--;
	pthread_mutex_unlock(&t->lock);
	__atomic_store_n(&t->stopping, true, __ATOMIC_RELEASE);
	receivers_stop(t);
	return err_set(e, EAGAIN, "cannot start a thread that looks after trapped calls");
}

bool receivers_stop(struct trap *t)
{
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
		pthread_cond_broadcast(&t->wanted);
		pthread_cond_broadcast(&t->active);
		all = t->receivers == 0 && t->workers == 0;
		if (!all)
			pthread_cond_timedwait(&t->ended, &t->lock, &until);
		pthread_mutex_unlock(&t->lock);
	}
	return all;
}
