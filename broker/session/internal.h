/* SPDX-License-Identifier: Apache-2.0 */
/*
 * internal.h - what the files of the session room share.
 *
 * Theory of operation
 * -------------------
 * Three processes make a run. The one that the person's shell started is the
 * guard (guard.c): it does nothing but wait, forward signals, stop and end as
 * the program does, and kill the tree should the broker die. Its child is the
 * broker (run.c): policy, trapped calls, questions. The broker's child is the
 * program. All three stay in the process group in which the shell put the job,
 * so that the terminal treats pipelines, Ctrl-C and Ctrl-Z as without nono;
 * guard and broker block what the terminal sends.
 *
 * Guard and broker are both child subreapers: what the program leaves behind
 * becomes the broker's child, and the guard's when the broker is gone. See
 * docs/launch.md.
 */
#ifndef NONO_SESSION_INTERNAL_H
#define NONO_SESSION_INTERNAL_H

#include "session/session.h"

#include <pthread.h>
#include <signal.h>

/* ---- identity and directories (place.c) ---------------------------------- */

/**
 * struct place - what a session occupies in the file system.
 * Everything lies below nono's own state, which no tree reaches, so that neither
 * this nor another sandbox can replace it; the rules for tmp and run are the
 * session's own.
 */
struct place {
	char id[9];     /* 8 hexadecimal digits */
	char *sessions; /* runtime_dir()/sessions */
	char *openers;  /* entries that all sessions share, see open/open.h */
	char *record;   /* sessions/ID.json; locked while the session lives */
	char *control;  /* sessions/ID.sock */
	char *run;      /* sessions/ID: helpers, capability file, tree socket; read and execute */
	char *tmp;      /* state_dir()/tmp/ID: TMPDIR; read, write, execute */
	int lock;
};
/** place_create() - choose an identity and make the directories; removes what dead sessions left. Any thread. */
int place_create(struct place *p, struct err **e);
/** place_remove() - remove directories, record and socket. */
void place_remove(struct place *p);

/* ---- the registry (registry.c) ------------------------------------------- */

/** registry_write() - the session's record. @guard: the process a person signals to end it. */
int registry_write(const struct place *p, const struct session_options *o, const char *workdir, pid_t guard,
	pid_t child, struct err **e);

/* ---- processes of the tree (tree.c) -------------------------------------- */

/** struct tree - the processes below a broker (or guard) that carry the filter; top-down. */
struct tree {
	pid_t *pid;
	bool *stopped; /* was stopped already */
	bool *child;   /* a child of the top itself */
	size_t n;
};
/**
 * tree_list() - descendants of @top that belong to the sandbox.
 * A child of @top belongs when it has more seccomp filters than @top and
 * no_new_privs, which it can't take off; so helpers that run for nono do not.
 */
struct tree tree_list(pid_t top);
void tree_free(struct tree *t);
/** tree_has() - whether @pid belongs to the tree below @top. */
bool tree_has(pid_t top, pid_t pid);
/** tree_filtered() - whether @pid carries more seccomp filters than this process, or is gone. */
bool tree_filtered(pid_t pid);
/** tree_thread_state() - the letter in /proc/TID/stat, 0 when there is no such thread. */
char tree_thread_state(pid_t tid);
/**
 * tree_freeze() - stop (top-down, until nobody new appears) or continue (bottom-up) the tree below the broker,
 * without a signal where possible. Both from the same thread.
 * Return: whether something is still held; after continuing, call again (with false) soon.
 */
bool tree_freeze(bool stop);
/** tree_only_child() - whether @pid is all that is left below this process. False also where the kernel does not tell.
 */
bool tree_only_child(pid_t pid);
/**
 * tree_end() - end what is left below @top: SIGTERM, @grace_ms, SIGKILL.
 * Return: how many processes were left.
 */
unsigned tree_end(pid_t top, unsigned grace_ms);

/* ---- the guard (guard.c) ------------------------------------------------- */

/* From broker to guard: stop as the program did. From guard to broker: a signal that was sent to the guard. */
#define SIGNAL_STOPPED (SIGRTMIN + 1)
#define SIGNAL_FORWARD (SIGRTMIN + 2)
/* From broker to guard: the run is over, with this exit status; only cleaning up is left. */
#define SIGNAL_DONE (SIGRTMIN + 4)
/* To the broker when the guard dies. */
#define SIGNAL_GUARD_GONE (SIGRTMIN + 3)
/*
 * From broker to guard: is anything queued that is to be passed on? From guard to broker: not any more.
 * The numbers are higher than SIGNAL_FORWARD, because lower ones are delivered first.
 */
#define SIGNAL_ASK (SIGRTMIN + 8)
#define SIGNAL_ANSWER (SIGRTMIN + 9)
/* How the broker says that the program died of a signal that the guard should die of as well. */
#define STATUS_BY_SIGNAL(sig) (128 + (sig))

/** struct guard_link - what the broker knows about its guard. */
struct guard_link {
	pid_t guard;
	sigset_t mask; /* the signal mask nono was started with: the program's */
};
/**
 * guard_fork() - become guard and broker.
 * Return: -1 in the broker, which goes on with all signals of interest blocked;
 * in the guard, the exit status of the run.
 */
int guard_fork(struct guard_link *link);
/** guard_forwards() - whether @sig is passed on to the program when it is sent to the guard. */
bool guard_forwards(int sig);
/** guard_signals() - the signals that guard and broker block and handle. */
void guard_signals(sigset_t *set);

/* ---- work beside the start (worker.c) ------------------------------------ */

struct worker_job {
	int (*run)(void *data, struct err **e);
	void *data;
};
/** struct worker - a second thread and the jobs it does, in the order in which they were given. */
struct worker {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct worker_job job[4];
	unsigned given, done;
	bool running, closed, failed;
	struct err *e; /* of the first job that failed */
};
/** worker_start() - the thread; without one the jobs are done as they are given. */
void worker_start(struct worker *w);
/** worker_give() - one more job. @data: stays until worker_await() or worker_end() has returned. */
void worker_give(struct worker *w, int (*run)(void *data, struct err **e), void *data);
/** worker_await() - wait for all jobs given so far. Return: 0, or -1 with the error of the first that failed. */
int worker_await(struct worker *w, struct err **e);
/** worker_end() - no more jobs; wait for those given. @w stays as long as the process. Return: as worker_await(). */
int worker_end(struct worker *w, struct err **e);

/* ---- before anything runs (startup.c) ------------------------------------ */

/** struct start_plan - what was decided before the start. */
struct start_plan {
	char *workdir; /* canonical */
	char *program; /* absolute */
	char *shim;    /* canonical; NULL when there is none */
	bool cwd_granted;
	struct policy *policy;
};
/**
 * startup_plan() - resolve working directory and program, ask for the working
 * directory where needed, compile the policy.
 * @place: the session's; @making: the jobs that are making it. Both NULL when nothing will be started.
 * Errors carry the exit status to use in their code when it is 126 or 127, else 1.
 */
int startup_plan(const struct session_options *o, const struct place *place, struct worker *making,
	struct start_plan *out, struct err **e);
void start_plan_free(struct start_plan *p);
/** startup_print() - the line (or with -v the table) at the start; with dry_run on standard output. */
void startup_print(const struct session_options *o, const struct start_plan *p, bool supervised);

/* ---- session_hooks (scripts.c) --------------------------------------------- */

/** struct scripts - a session with scripts around it; nothing is owned. */
struct scripts {
	const struct profile *profile;
	const struct policy *policy;
	const char *session, *workdir;
	const char *run_dir; /* where the file for variables is made */
	pid_t guard;
};
/** scripts_wanted() - whether the profile has scripts that are listened to; says why not when it has others. */
bool scripts_wanted(const struct profile *p);
/** scripts_check() - whether both scripts may be run. Return: 0 or -1. */
int scripts_check(const struct scripts *a, struct err **e);
/**
 * scripts_before() - run the first one.
 * @variables: receives what it wrote for the program's environment
 * Return: 0; -1 when it failed: nothing may be started then
 */
int scripts_before(const struct scripts *a, struct pairs *variables, struct err **e);
/** scripts_after() - run the second one. @status: of the program. A failure is only said. */
void scripts_after(const struct scripts *a, int status);

/* ---- signals and the end of the program (signals.c) ---------------------- */

struct event_base;
struct watch;
/** struct watch_config - whom to watch and for whom. */
struct watch_config {
	struct event_base *base;
	pid_t program, guard;
};
/**
 * watch_start() - take the broker's signals in the event loop: pass on those sent to the
 * guard, stop the guard when the program stops, leave the loop when the program has ended.
 */
int watch_start(struct watch **w, const struct watch_config *cfg, struct err **e);
/** watch_run() - run the event loop until the program has ended or the guard is gone. */
void watch_run(struct watch *w);
/** watch_stop() - take no more signals. NULL-safe. @status: receives the program's wait status; -1 when the guard was
 * killed. */
void watch_stop(struct watch *w, int *status);
/** watch_free() - after watch_stop(), when nobody asks a person any more: watch_ignore_stops() looks at it. NULL-safe.
 */
void watch_free(struct watch *w);
/**
 * watch_ignore_stops() - while the tree is frozen for a question, the guard is not told about stops.
 * At the end it is told about one that was not ours, such as a Ctrl-Z that came just before.
 */
void watch_ignore_stops(struct watch *w, bool ignore);

/* ---- the broker (run.c) -------------------------------------------------- */

/** broker_run() - the run as the broker sees it. Return: exit status. */
int broker_run(const struct session_options *o, const struct guard_link *link);

#endif
