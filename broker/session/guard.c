/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guard.c - the process that the shell started.
 *
 * Theory of operation
 * -------------------
 * The guard is what shell, terminal and service manager see of a run. It blocks
 * every signal it cares for and takes them one by one:
 *
 *  - A signal sent to it is passed on to the broker, with its sender. Signals
 *    that the terminal makes (si_code SI_KERNEL) are not: the terminal sends
 *    them to the whole process group, the program included. A signal that
 *    somebody sent to the group reaches guard, broker and program at once; the
 *    broker, which got it from the same sender, then drops the forwarded copy.
 *    Signals from the sandboxed tree are never passed on.
 *  - When the program stops, the broker says by which signal and the guard stops
 *    itself by the same, which is what the shell is waiting for. SIGCONT to the group
 *    wakes all of them; one sent to the guard alone is passed on.
 *  - When the program has ended and its tree is gone, the broker says with
 *    which status, and goes on cleaning up by itself. For SIGINT and SIGQUIT
 *    the guard dies of the same signal, because shells decide by that whether
 *    a script goes on after Ctrl-C.
 *  - When the broker dies of a signal, every process of the tree has become or
 *    descends from a child of the guard (both are subreapers); they are killed.
 *
 * Nothing here allocates or needs more than the C library. When the guard is
 * killed, the broker is told by its parent-death signal and ends the tree.
 */
#include "session/internal.h"

#include <errno.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

/* What is passed on to the program when it is sent to the guard. */
static const int forwarded[] = {
	SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGALRM, SIGWINCH, SIGTSTP, SIGCONT};

void guard_signals(sigset_t *set)
{
	sigemptyset(set);
	for (size_t i = 0; i < ARRAY_SIZE(forwarded); i++)
		sigaddset(set, forwarded[i]);
	sigaddset(set, SIGCHLD);
	sigaddset(set, SIGPIPE);
	sigaddset(set, SIGTTIN);
	sigaddset(set, SIGTTOU);
	sigaddset(set, SIGNAL_STOPPED);
	sigaddset(set, SIGNAL_FORWARD);
	sigaddset(set, SIGNAL_GUARD_GONE);
	sigaddset(set, SIGNAL_DONE);
	sigaddset(set, SIGNAL_ASK);
	sigaddset(set, SIGNAL_ANSWER);
}

/* Die of @sig as the program did, without a core file of our own. */
static int die_of(int sig)
{
	setrlimit(RLIMIT_CORE, &(struct rlimit){0});
	signal(sig, SIG_DFL);
	raise(sig);
	sigset_t one;
	sigemptyset(&one);
	sigaddset(&one, sig);
	sigprocmask(SIG_UNBLOCK, &one, NULL);
	return 128 + sig;
}

/*
 * Stop by the signal that stopped the program, so that the shell says the same about the job.
 * In an orphaned process group the kernel ignores all but SIGSTOP, as it did for the program.
 */
static void stop_self(int sig)
{
	sigset_t one;
	if (sig != SIGTTIN && sig != SIGTTOU && sig != SIGSTOP)
		sig = SIGTSTP;
	sigemptyset(&one);
	sigaddset(&one, sig);
	signal(sig, SIG_DFL);
	raise(sig);
	sigprocmask(SIG_UNBLOCK, &one, NULL);
	sigprocmask(SIG_BLOCK, &one, NULL);
}

bool guard_forwards(int sig)
{
	for (size_t i = 0; i < ARRAY_SIZE(forwarded); i++)
		if (forwarded[i] == sig)
			return true;
	return false;
}

static void pass_on(pid_t broker, const siginfo_t *si)
{
	if (!guard_forwards(si->si_signo) ||
		(si->si_code != SI_USER && si->si_code != SI_QUEUE && si->si_code != SI_TKILL))
		return;
	union sigval v = {.sival_int = (int)((unsigned)si->si_pid << 7 | (unsigned)si->si_signo)};
	sigqueue(broker, SIGNAL_FORWARD, v);
}

/* End with the program's status. */
static int end_with(int code)
{
	return code == STATUS_BY_SIGNAL(SIGINT) || code == STATUS_BY_SIGNAL(SIGQUIT) ? die_of(code - 128) : code;
}

/* The broker ended without saying SIGNAL_DONE, or was killed. Return: the guard's exit status. */
static int broker_ended(int status)
{
	if (WIFEXITED(status))
		return end_with(WEXITSTATUS(status));
	tree_end(getpid(), 0);
	say_error("the broker was killed (signal %d), so everything it had started was killed too", WTERMSIG(status));
	return 128 + WTERMSIG(status);
}

static int guard(pid_t broker, const sigset_t *set)
{
	for (;;) {
		siginfo_t si;
		int sig = sigwaitinfo(set, &si);
		if (sig == SIGNAL_STOPPED && si.si_pid == broker) {
			stop_self(si.si_value.sival_int);
		} else if (sig == SIGNAL_ASK && si.si_pid == broker) {
			sigqueue(broker, SIGNAL_ANSWER, (union sigval){0});
		} else if (sig == SIGNAL_DONE && si.si_pid == broker) {
			return end_with(si.si_value.sival_int);
		} else if (sig == SIGCHLD) {
			int status;
			while (waitpid(broker, &status, WNOHANG) == broker)
				return broker_ended(status);
		} else if (sig > 0) {
			pass_on(broker, &si);
		}
	}
}

int guard_fork(struct guard_link *link)
{
	sigset_t set;
	guard_signals(&set);
	sigprocmask(SIG_BLOCK, &set, &link->mask);
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	link->guard = getpid();
	pid_t broker = fork();
	if (broker < 0) {
		say_error("cannot start the broker: %s", strerror(errno));
		return 126;
	}
	if (broker > 0)
		return guard(broker, &set);
	/* `pkill nono` is for the guard, which passes it on; sent to both it would look as if sent to the group */
	prctl(PR_SET_NAME, "broker");
	prctl(PR_SET_PDEATHSIG, SIGNAL_GUARD_GONE);
	if (getppid() != link->guard)
		_exit(126);
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	return -1;
}
