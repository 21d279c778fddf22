/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wait.c - calls that block (connect, the open of a FIFO), made on behalf of a
 * program that may be killed or signalled meanwhile.
 *
 * A receiver blocks in the call, and a watcher looks at the callers of all such
 * receivers every few milliseconds. When one is gone, or has a signal waiting that
 * it handles, its receiver is sent a signal of our own and the call ends with
 * EINTR, as it does when a program is interrupted itself. The watcher sleeps
 * while nothing blocks. Most such calls do not block in the end, so it is not woken for
 * each of them: the watchdog of the receivers does that at its next tick.
 */
#include "trap/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <time.h>

#define WATCH_MS 10
#define WAKE_SIGNAL (SIGRTMIN + 4)

struct waiting {
	struct waiting *next, **at;
	pthread_t worker;
	struct trap_call *call;
	bool signalled;
};

static struct {
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct waiting *first;
	_Atomic unsigned waits; /* in the list */
	bool watching, asleep;
} watch = {.lock = PTHREAD_MUTEX_INITIALIZER, .more = PTHREAD_COND_INITIALIZER};

static void woken(int sig)
{
	(void)sig;
}

/* One line of /proc/<tid>/status as a mask of signals. */
static uint64_t status_mask(const char *status, const char *key)
{
	const char *at = strstr(status, key);
	return at ? strtoull(at + strlen(key), NULL, 16) : 0;
}

/* Whether a signal with a handler waits to be delivered to the caller. */
static bool signal_waits(pid_t tid)
{
	char path[40], status[4096];
	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)tid);
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, status, sizeof(status) - 1);
	status[n < 0 ? 0 : n] = '\0';
	uint64_t pending = status_mask(status, "\nSigPnd:") | status_mask(status, "\nShdPnd:");
	return pending & status_mask(status, "\nSigCgt:") & ~status_mask(status, "\nSigBlk:");
}

static NORETURN void *watcher(void *unused)
{
	(void)unused;
	pthread_mutex_lock(&watch.lock);
	for (;;) {
		while (!watch.first) {
			watch.asleep = true;
			pthread_cond_wait(&watch.more, &watch.lock);
		}
		watch.asleep = false;
		for (struct waiting *w = watch.first; w; w = w->next) {
			bool signalled = signal_waits(trap_tid(w->call));
			if (!signalled && trap_alive(w->call))
				continue;
			w->signalled = signalled;
			pthread_kill(w->worker, WAKE_SIGNAL); /* again at the next look, should it come too early */
		}
		pthread_mutex_unlock(&watch.lock);
		const struct timespec pause = {.tv_nsec = WATCH_MS * 1000000L};
		nanosleep(&pause, NULL);
		pthread_mutex_lock(&watch.lock);
	}
}

/* Under the lock. Return: 0 or -errno. */
static int watcher_start(void)
{
	if (watch.watching)
		return 0;
	struct sigaction sa = {.sa_handler = woken}; /* without SA_RESTART */
	sigaction(WAKE_SIGNAL, &sa, NULL);
	pthread_t t;
	int rc = pthread_create(&t, NULL, watcher, NULL);
	if (rc == 0)
		pthread_detach(t);
	watch.watching = rc == 0;
	return -rc;
}

bool waits_look_after(void)
{
	if (atomic_load(&watch.waits) == 0)
		return false;
	pthread_mutex_lock(&watch.lock);
	if (watch.asleep)
		pthread_cond_signal(&watch.more);
	pthread_mutex_unlock(&watch.lock);
	return true;
}

int trap_blocking(struct trap_call *c, bool brief, int (*call)(void *arg), void *arg)
{
	if (!brief)
		receivers_make_room(c->t);
	struct waiting w = {.worker = pthread_self(), .call = c, .at = &watch.first};
	sigset_t wake;
	sigemptyset(&wake);
	sigaddset(&wake, WAKE_SIGNAL);
	pthread_mutex_lock(&watch.lock);
	int rc = watcher_start();
	if (rc == 0) {
		w.next = watch.first;
		if (w.next)
			w.next->at = &w.next;
		watch.first = &w;
		atomic_fetch_add(&watch.waits, 1);
	}
	pthread_mutex_unlock(&watch.lock);
	if (rc < 0)
		return rc;
	pthread_sigmask(SIG_UNBLOCK, &wake, NULL);
	rc = call(arg);
	if (rc < 0)
		rc = -errno;
	pthread_mutex_lock(&watch.lock);
	*w.at = w.next;
	if (w.next)
		w.next->at = w.at;
	atomic_fetch_sub(&watch.waits, 1);
	pthread_mutex_unlock(&watch.lock);
	return rc == -EINTR ? -TRAP_RESTART : rc;
}
