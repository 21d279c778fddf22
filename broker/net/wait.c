/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wait.c - a connect() that blocks, made on behalf of a program that may be
 * killed or signalled meanwhile.
 *
 * The socket is the caller's own and so are its flags: it cannot be made
 * non-blocking for a moment, other threads of the program would notice. So a
 * worker blocks in connect(), and a watcher looks at the callers of all such
 * workers every few milliseconds. When one is gone, or has a signal waiting that
 * it handles, its worker is sent a signal of our own and connect() ends with
 * EINTR, the attempt going on in the kernel as it does when a program is
 * interrupted itself. The watcher sleeps while nothing blocks.
 */
#include "net/internal.h"

#include <errno.h>
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
	bool watching;
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
	char status[4096];
	caller_status(tid, status, sizeof(status));
	uint64_t pending = status_mask(status, "\nSigPnd:") | status_mask(status, "\nShdPnd:");
	return pending & status_mask(status, "\nSigCgt:") & ~status_mask(status, "\nSigBlk:");
}

static NORETURN void *watcher(void *unused)
{
	(void)unused;
	pthread_mutex_lock(&watch.lock);
	for (;;) {
		while (!watch.first)
			pthread_cond_wait(&watch.more, &watch.lock);
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

int wait_connect(struct trap_call *c, int fd, const struct sockaddr *addr, socklen_t len)
{
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
		pthread_cond_signal(&watch.more);
	}
	pthread_mutex_unlock(&watch.lock);
	if (rc < 0)
		return rc;
	pthread_sigmask(SIG_UNBLOCK, &wake, NULL);
	rc = connect(fd, addr, len) < 0 ? -errno : 0;
	pthread_mutex_lock(&watch.lock);
	*w.at = w.next;
	if (w.next)
		w.next->at = w.at;
	pthread_mutex_unlock(&watch.lock);
	return rc == -EINTR ? -NONO_ERESTARTSYS : rc;
}
