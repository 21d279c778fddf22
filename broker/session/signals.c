/* SPDX-License-Identifier: Apache-2.0 */
/*
 * signals.c - the broker's signals: the program's end and stops, what is passed on.
 *
 * A signal sent to the guard arrives as SIGNAL_FORWARD with its number and its
 * sender. When the same sender sent it to the whole process group, the broker
 * has it as well, and so has the program: the copy must not be delivered twice
 * (some programs take a second SIGTERM or SIGINT for impatience). Group
 * delivery reaches everybody within microseconds but in any order, and guard and
 * broker may be scheduled at any time after it. So both directions are waited for:
 *
 *  - A forwarded signal waits WINDOW_MS for the broker's own copy, which the kernel
 *    queues for the newest member of a group first, however late the broker looks.
 *  - The broker's own copy waits for the guard. After WINDOW_MS the guard has its
 *    copy queued if there is one, and is asked; it answers after what is queued
 *    before the question, so when the answer is here the forwarded signal is, too.
 *    If none is, only the broker was meant, and that is treated like the guard.
 *
 * A stop of the program while the tree is frozen for a question is kept and told
 * to the guard afterwards, if the program is still stopped then.
 */
#include "session/internal.h"

#include <errno.h>
#include <event2/event.h>
#include <stdatomic.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>

#define WINDOW_MS 10
#define SIGNALS 32

/** struct arrival - a signal that came and is not dealt with yet. */
struct arrival {
	pid_t sender;
	int64_t at; /* milliseconds */
	bool pending;
	bool asked; /* the broker's own: the guard was asked after the window */
};

struct watch {
	struct watch_config cfg;
	int fd, status;
	bool ended;
	_Atomic bool ignore_stops; /* set by the thread that asks */
	_Atomic int missed_stop;   /* the signal of a stop that was not told to the guard */
	struct event *signals, *window;
	struct arrival own[SIGNALS], forwarded[SIGNALS];
};

static void read_signals(struct watch *w);

static int64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

static void arm(struct watch *w)
{
	if (!evtimer_pending(w->window, NULL))
		evtimer_add(w->window, &(struct timeval){.tv_usec = WINDOW_MS * 1000});
}

/* Whether the window of an arrival is over. */
static bool settled(const struct arrival *a)
{
	return a->pending && now_ms() - a->at >= WINDOW_MS;
}

/* Deliver @sig, which did not reach the program by itself, unless it comes from the sandbox. */
static void deliver(struct watch *w, int sig, pid_t sender)
{
	if (!tree_has(getpid(), sender))
		kill(w->cfg.program, sig);
}

/* Decide about one signal as far as that is possible now. Return: whether the guard has to be asked. */
static bool settle(struct watch *w, int sig)
{
	struct arrival *own = &w->own[sig], *fwd = &w->forwarded[sig];
	if (own->pending && fwd->pending && own->sender == fwd->sender) {
		*own = *fwd = (struct arrival){0}; /* sent to the group: the program has it */
		return false;
	}
	if (settled(fwd)) {
		deliver(w, sig, fwd->sender);
		*own = *fwd = (struct arrival){0};
		return false;
	}
	if (!settled(own) || own->asked)
		return false;
	own->asked = true;
	return true;
}

/* The window of what came first is over. */
static void on_window(evutil_socket_t fd, short what, void *data)
{
	(void)fd;
	(void)what;
	struct watch *w = data;
	bool ask = false;
	read_signals(w);
	for (int sig = 1; sig < SIGNALS; sig++) {
		ask = settle(w, sig) || ask;
		if (w->forwarded[sig].pending || (w->own[sig].pending && !w->own[sig].asked))
			arm(w);
	}
	if (ask)
		sigqueue(w->cfg.guard, SIGNAL_ASK, (union sigval){0});
}

/* The guard has passed on everything it had when it was asked. */
static void on_answer(struct watch *w)
{
	for (int sig = 1; sig < SIGNALS; sig++) {
		struct arrival *own = &w->own[sig];
		if (!own->pending || !own->asked || w->forwarded[sig].pending)
			continue;
		deliver(w, sig, own->sender);
		*own = (struct arrival){0};
	}
}

static void tell_stop(struct watch *w, int sig)
{
	sigqueue(w->cfg.guard, SIGNAL_STOPPED, (union sigval){.sival_int = sig});
}

/* The program changed state. */
static void on_child(struct watch *w)
{
	siginfo_t si = {0};
	/* only the program's own state: other children belong to the rooms that made them */
	while (waitid(P_PID, (id_t)w->cfg.program, &si, WEXITED | WSTOPPED | WNOHANG) == 0 && si.si_pid) {
		if (si.si_code == CLD_STOPPED) {
			if (!w->ignore_stops)
				tell_stop(w, si.si_status);
			else if (si.si_status != SIGSTOP)
				w->missed_stop = si.si_status;
		} else if (si.si_code != CLD_TRAPPED) {
			w->status = si.si_code == CLD_EXITED ? si.si_status << 8 : si.si_status;
			w->ended = true;
			event_base_loopbreak(w->cfg.base);
			return;
		}
		si = (siginfo_t){0};
	}
}

static void note(struct watch *w, struct arrival *table, int sig, pid_t sender)
{
	if (sig <= 0 || sig >= SIGNALS)
		return;
	struct arrival *a = &table[sig];
	/* more of the same before it was delivered are one, and do not put it off */
	const int64_t at = a->pending && a->sender == sender ? a->at : now_ms();
	*a = (struct arrival){.sender = sender, .at = at, .pending = true};
	settle(w, sig);
	arm(w);
}

/* One signal of the broker's. */
static void take(struct watch *w, const struct signalfd_siginfo *si)
{
	const int sig = (int)si->ssi_signo;
	const pid_t sender = (pid_t)si->ssi_pid;
	const bool sent = si->ssi_code == SI_USER || si->ssi_code == SI_QUEUE || si->ssi_code == SI_TKILL;
	if (sig == SIGCHLD) {
		on_child(w);
	} else if (sig == SIGNAL_GUARD_GONE) {
		w->status = -1;
		w->ended = true;
		event_base_loopbreak(w->cfg.base);
	} else if (sig == SIGNAL_FORWARD && sender == w->cfg.guard) {
		unsigned v = (unsigned)si->ssi_int;
		note(w, w->forwarded, (int)(v & 127), (pid_t)(v >> 7));
	} else if (sig == SIGNAL_ANSWER && sender == w->cfg.guard) {
		on_answer(w);
	} else if (sent && sig < SIGNALS && guard_forwards(sig)) {
		note(w, w->own, sig, sender);
	}
}

/* Lower numbers are read first, so an answer comes after what the guard passed on before it. */
static void read_signals(struct watch *w)
{
	struct signalfd_siginfo si;
	while (read(w->fd, &si, sizeof(si)) == sizeof(si))
		take(w, &si);
}

static void on_signal(evutil_socket_t fd, short what, void *data)
{
	(void)fd;
	(void)what;
	read_signals(data);
}

int watch_start(struct watch **out, const struct watch_config *cfg, struct err **e)
{
	struct watch *w = xcalloc(1, sizeof(*w));
	sigset_t set;
	guard_signals(&set);
	w->cfg = *cfg;
	w->fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (w->fd >= 0) {
		w->signals = event_new(cfg->base, w->fd, EV_READ | EV_PERSIST, on_signal, w);
		w->window = evtimer_new(cfg->base, on_window, w);
	}
	if (!w->signals || !w->window || event_add(w->signals, NULL) < 0) {
		watch_stop(w, NULL);
		watch_free(w);
		return err_set(e, ENOMEM, "cannot watch the program");
	}
	on_child(w); /* it may have ended before anybody looked */
	*out = w;
	return 0;
}

void watch_run(struct watch *w)
{
	/* leaving the loop before it runs has no effect in libevent, hence the flag */
	while (!w->ended && event_base_loop(w->cfg.base, EVLOOP_ONCE) == 0)
		;
}

void watch_ignore_stops(struct watch *w, bool ignore)
{
	if (!w)
		return;
	w->ignore_stops = ignore;
	const int missed = ignore ? 0 : atomic_exchange(&w->missed_stop, 0);
	if (missed && tree_thread_state(w->cfg.program) == 'T')
		tell_stop(w, missed);
}

void watch_stop(struct watch *w, int *status)
{
	if (!w)
		return;
	if (status)
		*status = w->status;
	if (w->signals)
		event_free(w->signals);
	if (w->window)
		event_free(w->window);
	if (w->fd >= 0)
		close(w->fd);
	w->signals = w->window = NULL;
	w->fd = -1;
}

void watch_free(struct watch *w)
{
	free(w);
}
