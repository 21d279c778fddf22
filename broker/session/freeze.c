/* SPDX-License-Identifier: Apache-2.0 */
/*
 * freeze.c - stop the tree for a question and let it go on, unnoticed.
 *
 * Theory of operation
 *
 * SIGSTOP and SIGCONT would be noticed: a program that hears SIGCONT takes it
 * that a shell has written on its screen meanwhile, and draws again from where
 * the cursor is, into a picture that is still there. So every thread is stopped
 * with ptrace instead (PTRACE_SEIZE and PTRACE_INTERRUPT): no signal is sent or
 * delivered, no parent is told, and after PTRACE_DETACH each goes on where it was.
 * What can't be traced (a debugger has it, it is not dumpable, Yama forbids it) gets
 * SIGSTOP and SIGCONT after all.
 *
 * A thread whose trapped call is being answered sleeps in the kernel until then
 * and stops when it comes back; only then can it be let go. So letting go may
 * take several rounds.
 *
 * Tracing belongs to a thread: the one that stopped the tree has to let it go.
 */
#include "session/internal.h"

#include <ctype.h>
#include <errno.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>

#define SETTLE_MS 100 /* wait so long for threads to stop */

/** struct held - a thread that is traced, or with @by_signal a whole process that got SIGSTOP. */
struct held {
	pid_t tid;
	bool by_signal;
	bool ours; /* main thread of a child of the broker, which collects its end elsewhere */
};

/* In the order in which they were stopped. Only the thread that asks uses it, one question at a time. */
static struct {
	struct held *v;
	size_t n;
	bool by_signal; /* some of it got SIGSTOP */
} frozen;

static bool is_held(pid_t tid)
{
	for (size_t i = 0; i < frozen.n; i++)
		if (frozen.v[i].tid == tid)
			return true;
	return false;
}

static void hold(struct held h)
{
	frozen.v = xreallocarray(frozen.v, frozen.n + 1, sizeof *frozen.v);
	frozen.v[frozen.n++] = h;
}

static void stop_by_signal(pid_t pid)
{
	if (kill(pid, SIGSTOP) < 0)
		return;
	hold((struct held){.tid = pid, .by_signal = true});
	frozen.by_signal = true;
}

/* Whether the thread has ended, though perhaps nobody has taken note of it yet. */
static bool has_ended(pid_t tid)
{
	char state = tree_thread_state(tid);
	return state == 0 || state == 'Z' || state == 'X';
}

/* Stop every thread of a process that is not stopped yet. Return: whether there was one. */
static bool stop_process(pid_t pid, bool child)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
	cleanup_dir DIR *d = opendir(path);
	bool grew = false;
	for (const struct dirent *de; d && (de = readdir(d));) {
		pid_t tid = (pid_t)strtol(de->d_name, NULL, 10);
		if (tid <= 0 || is_held(tid))
			continue;
		if (ptrace(PTRACE_SEIZE, tid, NULL, NULL) < 0) {
			/* one that is just ending cannot be traced either */
			if (errno == ESRCH || has_ended(tid))
				continue;
			stop_by_signal(pid);
			return true;
		}
		hold((struct held){.tid = tid, .ours = child && tid == pid});
		ptrace(PTRACE_INTERRUPT, tid, NULL, NULL);
		grew = true;
	}
	return grew;
}

/* Whether the thread does nothing more: stopped, ended, or asleep until its trapped call is answered. */
static bool is_still(pid_t tid)
{
	char state = tree_thread_state(tid);
	return state != 'R' && state != 'S';
}

static void settle(void)
{
	for (unsigned waited = 0; waited < SETTLE_MS; waited++) {
		size_t i = 0;
		while (i < frozen.n && is_still(frozen.v[i].tid))
			i++;
		if (i == frozen.n)
			return;
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	}
}

static void stop_all(void)
{
	/* parents first, again and again until nobody new appears: whoever runs may still fork */
	for (bool grew = true; grew;) {
		grew = false;
		struct tree now = tree_list(getpid());
		for (size_t i = 0; i < now.n; i++)
			if (!now.stopped[i] && !is_held(now.pid[i]))
				grew |= stop_process(now.pid[i], now.child[i]);
		/* what appeared in a process that is held already */
		for (size_t i = 0; i < now.n; i++)
			if (is_held(now.pid[i]) && !now.stopped[i])
				grew |= stop_process(now.pid[i], now.child[i]);
		tree_free(&now);
		settle();
	}
}

/*
 * A thread that was just about to handle a signal has stopped there, with the signal in hand: it has to be told to
 * handle it, unless it is the stop that was ours. Return: that signal, 0 for none.
 */
static long signal_in_hand(pid_t tid)
{
	siginfo_t si;
	if (ptrace(PTRACE_GETSIGINFO, tid, NULL, &si) < 0 || si.si_code >> 8 == PTRACE_EVENT_STOP)
		return 0;
	return si.si_signo == SIGSTOP && frozen.by_signal ? 0 : si.si_signo;
}

/* Return: whether this one runs or is gone now. */
static bool let_go(const struct held *h)
{
	if (h->by_signal) {
		kill(h->tid, SIGCONT);
		return true;
	}
	if (ptrace(PTRACE_DETACH, h->tid, NULL, (void *)signal_in_hand(h->tid)) == 0)
		return true;
	/* not stopped yet, or killed: then it waits for us to take note */
	siginfo_t si = {0};
	if (!h->ours && waitid(P_PID, (id_t)h->tid, &si, WEXITED | WNOHANG | __WALL) == 0 && si.si_pid)
		return true;
	return has_ended(h->tid);
}

bool tree_freeze(bool stop)
{
	if (stop) {
		stop_all();
		return true;
	}
	/* children first: no shell then sees a stopped child when it looks */
	size_t left = 0;
	for (size_t i = frozen.n; i-- > 0;)
		frozen.v[i].tid = let_go(&frozen.v[i]) ? 0 : frozen.v[i].tid;
	for (size_t i = 0; i < frozen.n; i++)
		if (frozen.v[i].tid)
			frozen.v[left++] = frozen.v[i];
	frozen.n = left;
	if (left == 0) {
		free(frozen.v);
		frozen.v = NULL;
		frozen.by_signal = false;
	}
	return left > 0;
}
