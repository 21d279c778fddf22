/* SPDX-License-Identifier: Apache-2.0 */
/*
 * signals.c - the broker's signals: the program's end and stops, what is passed on.
 *
 * A signal sent to the guard arrives as SIGNAL_FORWARD with its number and its
 * sender. When the same sender sent it to the whole process group, the broker
 * has it as well, and so has the program: the copy must not be delivered twice
 * (some programs take a second SIGTERM or SIGINT for impatience). Group
 * delivery reaches everybody within microseconds but in any order, so the
 * broker waits GROUP_WINDOW_MS and then looks whether its own copy came.
 * A signal that only the broker got was meant for the session and is treated
 * like one to the guard.
 */
#include "session/internal.h"

#include <errno.h>
#include <event2/event.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>

#define GROUP_WINDOW_MS 10
#define SIGNALS 32

/** struct arrival - when a signal came last, and from whom. */
struct arrival {
	pid_t sender;
	int64_t at; /* milliseconds, 0: never */
	bool pending;
};

struct watch {
	struct watch_config cfg;
	int fd, status;
	bool ended;
	_Atomic bool ignore_stops; /* set by the thread that asks */
	struct event *signals, *window;
	struct arrival own[SIGNALS], forwarded[SIGNALS];
};

static int64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

static void arm(struct watch *w)
{
	evtimer_add(w->window, &(struct timeval){.tv_usec = GROUP_WINDOW_MS * 1000});
}

/* The window is over. Signals of the sandbox go nowhere; deliver what only guard or only broker got. */
static void on_window(evutil_socket_t fd, short what, void *data)
{
	(void)fd;
	(void)what;
	struct watch *w = data;
	for (int sig = 1; sig < SIGNALS; sig++) {
		struct arrival *own = &w->own[sig], *fwd = &w->forwarded[sig];
		bool both = own->pending && fwd->pending && own->sender == fwd->sender;
		pid_t sender = fwd->pending ? fwd->sender : own->sender;
		if ((own->pending || fwd->pending) && !both && !tree_has(getpid(), sender))
			kill(w->cfg.program, sig);
		own->pending = fwd->pending = false;
	}
}

/* The program changed state. */
static void on_child(struct watch *w)
{
	siginfo_t si = {0};
	/* only the program's own state: other children belong to the rooms that made them */
	while (waitid(P_PID, (id_t)w->cfg.program, &si, WEXITED | WSTOPPED | WNOHANG) == 0 && si.si_pid) {
		if (si.si_code == CLD_STOPPED) {
			if (!w->ignore_stops)
				sigqueue(w->cfg.guard, SIGNAL_STOPPED, (union sigval){.sival_int = si.si_status});
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
	table[sig] = (struct arrival){.sender = sender, .at = now_ms(), .pending = true};
	arm(w);
}

static void on_signal(evutil_socket_t fd, short what, void *data)
{
	(void)what;
	struct watch *w = data;
	struct signalfd_siginfo si;
	while (read((int)fd, &si, sizeof(si)) == sizeof(si)) {
		int sig = (int)si.ssi_signo;
		if (sig == SIGCHLD) {
			on_child(w);
		} else if (sig == SIGNAL_GUARD_GONE) {
			w->status = -1;
			w->ended = true;
			event_base_loopbreak(w->cfg.base);
		} else if (sig == SIGNAL_FORWARD && (pid_t)si.ssi_pid == w->cfg.guard) {
			unsigned v = (unsigned)si.ssi_int;
			note(w, w->forwarded, (int)(v & 127), (pid_t)(v >> 7));
		} else if (sig < SIGNALS && sig != SIGPIPE && sig != SIGTTIN && sig != SIGTTOU &&
			   (si.ssi_code == SI_USER || si.ssi_code == SI_QUEUE || si.ssi_code == SI_TKILL)) {
			note(w, w->own, sig, (pid_t)si.ssi_pid);
		}
	}
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
	if (w)
		w->ignore_stops = ignore;
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
	free(w);
}
