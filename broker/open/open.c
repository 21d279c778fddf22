/* SPDX-License-Identifier: Apache-2.0 */
/*
 * open.c - pages the tree asks for.
 *
 * A request goes through the rate limit, the check of its form, the profile's
 * origins and, where those do not answer, a question. One page is opened for equal
 * requests that follow one another closely: programs that fail with one opener
 * try the next with the same URL. Each opening has a thread of its own, which starts
 * the opener and watches it for a moment, so that a failure can be reported.
 */
#include "open/open.h"

#include "approve/approve.h"
#include "explain/explain.h"
#include "open/entries.h"
#include "open/opener.h"
#include "open/validate.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <time.h>

#define SAME_S 10     /* equal requests within this time open one page */
#define BURST 10      /* requests within BURST_S seconds */
#define BURST_S 10    /* seconds */
#define WATCH_MS 1500 /* how long a failure of the opener is waited for */

struct open_room {
	struct open_config cfg;
	pthread_mutex_t lock;
	pthread_cond_t ended;
	int stop; /* eventfd */
	char *dir, *browser;
	bool stopping;
	unsigned jobs;
	time_t asked[BURST];
	unsigned next;
	char *last; /* the URL opened last */
	time_t last_at;
};

/** struct job - one request on its way. */
struct job {
	struct open_room *o;
	struct checked_url u;
	struct decision decision;
	char program[32];
	pid_t tgid;
	open_url_done *done;
	void *data;
};

static time_t now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + 1;
}

static void command_name(pid_t tgid, char *out, size_t size)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/comm", (int)tgid);
	cleanup_free char *text = NULL;
	bool known = file_read(path, 64, &text, NULL, NULL) == 0;
	snprintf(out, size, "%.*s", known ? (int)strcspn(text, "\n") : 1, known ? text : "?");
}

/* Record the end of a request, tell who asked, release it. */
static void finish(struct job *j, const char *problem, const char *answer)
{
	const struct denial d = {.op = OP_OPEN_URL,
		.asked = j->u.url ? j->u.url : "",
		.resolved = j->u.url ? j->u.url : "",
		.tgid = j->tgid,
		.program = j->program,
		.decision = j->decision,
		.err = problem ? EACCES : 0,
		.answer = answer};
	if (problem)
		explain_denial(j->o->cfg.explain, &d);
	else
		explain_grant(j->o->cfg.explain, &d);
	j->done(j->data, problem);
	struct open_room *o = j->o;
	checked_url_free(&j->u);
	free(j);
	pthread_mutex_lock(&o->lock);
	o->jobs--;
	pthread_cond_broadcast(&o->ended);
	pthread_mutex_unlock(&o->lock);
}

/* Whether the opener failed within a moment. Return: 0, or -1. */
static int watch(struct open_room *o, pid_t pid, struct err **e)
{
	int status = 0;
	cleanup_fd int fd = pidfd_open(pid, 0);
	struct pollfd p[] = {{.fd = fd, .events = POLLIN}, {.fd = o->stop, .events = POLLIN}};
	if (fd < 0 || poll(p, ARRAY_SIZE(p), WATCH_MS) <= 0 || waitpid(pid, &status, WNOHANG) != pid)
		return 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	return err_set(e, 0, "the opener outside the sandbox failed (status %d)",
		WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

static void *run(void *data)
{
	struct job *j = data;
	cleanup_err struct err *e = NULL;
	pid_t pid = opener_start(j->o->cfg.host_env, j->u.url, &e);
	if (pid > 0)
		watch(j->o, pid, &e);
	finish(j, e ? err_msg(e) : NULL, e ? "opener failed" : "opened");
	return NULL;
}

/* Open it, unless the same page was opened a moment ago. */
static void open_page(struct job *j)
{
	struct open_room *o = j->o;
	pthread_mutex_lock(&o->lock);
	bool stopping = o->stopping;
	bool again = o->last && strcmp(o->last, j->u.url) == 0 && now() - o->last_at < SAME_S;
	if (!again && !stopping) {
		free(o->last);
		o->last = xstrdup(j->u.url);
		o->last_at = now();
	}
	pthread_mutex_unlock(&o->lock);
	pthread_t t;
	if (stopping)
		finish(j, "the session has ended", "no");
	else if (again)
		finish(j, NULL, "opened already");
	else if (pthread_create(&t, NULL, run, j) == 0)
		pthread_detach(t);
	else
		finish(j, "no thread to start the opener with", "opener failed");
}

static void on_answer(void *data, enum answer answer)
{
	struct job *j = data;
	if (answer == ANSWER_ONCE || answer == ANSWER_SESSION || answer == ANSWER_ALWAYS)
		open_page(j);
	else
		finish(j, "the page was refused", answer_name(answer));
}

/* No rule opens the page: ask, or say what to add. */
static void ask(struct job *j)
{
	struct approve *a = j->o->cfg.approve;
	if (j->decision.verdict != VERDICT_NEVER && a && approve_possible(a)) {
		struct question q = {.op = OP_OPEN_URL,
			.object = j->u.url,
			.asked = j->u.url,
			.tgid = j->tgid,
			.program = j->program};
		approve_submit(a, &q, on_answer, j);
		return;
	}
	cleanup_free char *text = j->u.localhost ? xasprintf("pages of this machine are not opened; the profile's "
							     "open_urls needs \"allow_localhost\": true")
						 : xasprintf("%s is not among the pages of this session; the profile's "
							     "open_urls needs \"allow_origins\": [\"%s\"]",
							   j->u.origin, j->u.origin);
	finish(j, text, "not asked");
}

static bool too_many(struct open_room *o)
{
	time_t t = now();
	bool full = o->asked[o->next] && t - o->asked[o->next] < BURST_S;
	if (!full) {
		o->asked[o->next] = t;
		o->next = (o->next + 1) % BURST;
	}
	return full;
}

void open_url(struct open_room *o, pid_t tgid, const char *url, size_t len, open_url_done *done, void *data)
{
	struct job *j = xcalloc(1, sizeof *j);
	*j = (struct job){.o = o, .tgid = tgid, .done = done, .data = data, .decision = {.verdict = VERDICT_NEVER}};
	command_name(tgid, j->program, sizeof j->program);
	pthread_mutex_lock(&o->lock);
	o->jobs++;
	bool full = too_many(o);
	pthread_mutex_unlock(&o->lock);
	cleanup_err struct err *e = NULL;
	if (full) {
		finish(j, "too many pages in a short time", "too many");
		return;
	}
	if (url_check(url, len, &j->u, &e) < 0) {
		finish(j, err_msg(e), "invalid");
		return;
	}
	j->decision = policy_check_origin(o->cfg.policy, j->u.origin);
	bool local = j->u.localhost && policy_settings(o->cfg.policy)->allow_localhost_urls;
	if (j->decision.verdict == VERDICT_ALLOW || (local && j->decision.verdict == VERDICT_NONE))
		open_page(j);
	else
		ask(j);
}

int open_start(struct open_room **out, const struct open_config *cfg, struct err **e)
{
	struct open_room *o = xcalloc(1, sizeof *o);
	*o = (struct open_room){.cfg = *cfg, .stop = eventfd(0, EFD_CLOEXEC)};
	pthread_mutex_init(&o->lock, NULL);
	pthread_cond_init(&o->ended, NULL);
	if (o->stop < 0) {
		free(o);
		return err_set(e, errno, "cannot serve pages");
	}
	o->dir = path_join(cfg->session_dir, "open");
	o->browser = path_join(o->dir, "nono-browser");
	if (entries_make(cfg->policy, o->dir, e) < 0) {
		open_stop(o);
		return -1;
	}
	*out = o;
	return 0;
}

const char *open_browser_var(const struct open_room *o)
{
	return o->browser;
}

const char *open_path_dir(const struct open_room *o)
{
	return o->dir;
}

void open_stop(struct open_room *o)
{
	if (!o)
		return;
	pthread_mutex_lock(&o->lock);
	o->stopping = true;
	eventfd_write(o->stop, 1);
	while (o->jobs)
		pthread_cond_wait(&o->ended, &o->lock);
	pthread_mutex_unlock(&o->lock);
	close(o->stop);
	free(o->last);
	free(o->dir);
	free(o->browser);
	free(o);
}
