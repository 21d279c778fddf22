/* SPDX-License-Identifier: Apache-2.0 */
/*
 * open.c - pages the tree asks for, and files.
 *
 * Theory of operation
 * -------------------
 * A request goes through the rate limit and the check of its form at once, and then,
 * on a thread of its own, through three steps:
 *
 *  1. consider(): where its answer goes, the profile's origins and, where those do
 *     not say yes, a question. A login's page sends its answer to a port of this
 *     machine; a program of this session has to listen there, so that no other
 *     program of the machine gets the answer. Some open the page first and listen then, so
 *     the port is given a moment.
 *  2. show(): unless it was opened already (programs that fail with one opener try the
 *     next with the same URL, and a login's page is good for one time only), the host's
 *     opener is started and watched for a moment, so that a failure can be reported.
 *  3. Where there is no opener, the person gets the URL to open somewhere else.
 *
 * A file goes the same way. It is resolved before its rule is looked up, and again
 * before it is handed over, since an answer may take its time; both have to agree.
 *
 * Questions are waited for without a thread. A request whose program is gone takes
 * its question with it.
 */
#include "open/open.h"

#include "approve/approve.h"
#include "explain/explain.h"
#include "net/net.h"
#include "open/entries.h"
#include "open/file.h"
#include "open/opener.h"
#include "open/seen.h"
#include "open/validate.h"
#include "proto/openers.h"
#include "trap/trap.h"

#include <errno.h>
#include <json.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>

#define BURST 10       /* requests within BURST_S seconds */
#define BURST_S 10     /* seconds */
#define LISTEN_MS 2000 /* how long a port is given to be listened on */
#define LISTEN_LOOK_MS 50

struct open_room {
	struct open_config cfg;
	pthread_mutex_t lock;
	pthread_cond_t ended;
	int stop; /* eventfd */
	char *dir, *browser;
	bool stopping;
	struct job *jobs;
	uint64_t last_id;
	time_t asked[BURST];
	unsigned next;
	struct seen seen;
};

/** struct job - one request on its way. */
struct job {
	struct open_room *o;
	struct job *next;
	uint64_t id, ticket; /* ticket: of the question it waits for, else 0 */
	bool gone;           /* nobody waits for the end any more */
	struct checked_url u;
	char *asked, *file; /* a file: its path as it was asked for, and what that leads to; NULL for a page */
	struct decision decision;
	char *program, *parent;
	pid_t tgid;
	open_url_done *done;
	void *data;
};

/* ---- the end of a request ------------------------------------------------ */

static void release(struct job *j)
{
	struct open_room *o = j->o;
	pthread_mutex_lock(&o->lock);
	struct job **at = &o->jobs;
	while (*at != j)
		at = &(*at)->next;
	*at = j->next;
	pthread_cond_broadcast(&o->ended);
	pthread_mutex_unlock(&o->lock);
	checked_url_free(&j->u);
	free(j->asked);
	free(j->file);
	free(j->program);
	free(j->parent);
	free(j);
}

/* What the rules are about: a URL, or the path of a file. */
static const char *object(const struct job *j)
{
	const char *what = j->file ? j->file : j->asked ? j->asked : j->u.url;
	return what ? what : "";
}

/* Record how it ended and tell who asked. */
static void report(struct job *j, const char *problem, const char *answer)
{
	const struct denial d = {.op = OP_OPEN_URL,
		.asked = j->asked ? j->asked : object(j),
		.resolved = object(j),
		.tgid = j->tgid,
		.program = j->program,
		.parent = j->parent,
		.decision = j->decision,
		.err = problem ? EACCES : 0,
		.answer = answer};
	if (problem)
		explain_denial(j->o->cfg.explain, &d);
	else
		explain_grant(j->o->cfg.explain, &d);
	j->done(j->data, problem);
}

static void finish(struct job *j, const char *problem, const char *answer)
{
	report(j, problem, answer);
	release(j);
}

static void finish_gone(struct job *j)
{
	finish(j, "who asked for the page is gone", "gone");
}

/* Go on with @step on a thread of its own. */
static void go_on(struct job *j, void *(*step)(void *))
{
	pthread_t t;
	if (pthread_create(&t, NULL, step, j) == 0)
		pthread_detach(t);
	else
		finish(j, "there is no thread to open the page with", "opener failed");
}

/* Ask @q; @j belongs to @on from here on. */
static void submit(struct job *j, const struct question *q, approve_done *on)
{
	struct open_room *o = j->o;
	pthread_mutex_lock(&o->lock);
	bool wanted = !j->gone && !o->stopping;
	if (wanted)
		wanted = (j->ticket = approve_submit(o->cfg.approve, q, on, j)) != 0; /* not when the session ends */
	pthread_mutex_unlock(&o->lock);
	if (!wanted)
		finish_gone(j);
}

/* An answer came; @no: what a no means. Return: whether it is yes and still wanted; @j has ended otherwise. */
static bool answered_yes(struct job *j, enum answer answer, const char *no)
{
	pthread_mutex_lock(&j->o->lock);
	j->ticket = 0;
	bool gone = j->gone;
	pthread_mutex_unlock(&j->o->lock);
	bool yes = answer == ANSWER_ONCE || answer == ANSWER_SESSION || answer == ANSWER_ALWAYS;
	if (gone)
		finish_gone(j);
	else if (!yes)
		finish(j, no, answer_name(answer));
	return yes && !gone;
}

/* ---- showing the page ---------------------------------------------------- */

static void forget(struct job *j)
{
	pthread_mutex_lock(&j->o->lock);
	seen_forget(&j->o->seen, object(j));
	pthread_mutex_unlock(&j->o->lock);
}

/* What a program hears that has to say itself where the page is. New string. */
static char *open_it_yourself(const struct job *j)
{
	return xasprintf("there is no browser outside the sandbox to open it with; open it yourself: %s", j->u.url);
}

/* The person has seen the page's URL. */
static void on_shown(void *data, enum answer answer)
{
	struct job *j = data;
	cleanup_free char *text = open_it_yourself(j);
	if (answer != ANSWER_ONCE)
		forget(j);
	if (answered_yes(j, answer, text))
		finish(j, NULL, "shown");
}

/* Nothing on this machine shows pages: show the URL to the person. */
static void show_url(struct job *j)
{
	struct approve *a = j->o->cfg.approve;
	if (j->asked) {
		forget(j);
		finish(j, "there is no program outside the sandbox to show the file with", "no opener");
		return;
	}
	if (a && approve_possible(a)) {
		const struct question q = {.op = OP_OPEN_URL,
			.kind = QUESTION_PAGE,
			.object = j->u.url,
			.asked = j->u.url,
			.tgid = j->tgid,
			.program = j->program,
			.parent = j->parent};
		submit(j, &q, on_shown);
		return;
	}
	forget(j);
	cleanup_free char *text = open_it_yourself(j);
	finish(j, text, "no opener");
}

/* Start the opener; a file only when what was decided about still stands there. Return: opener_start()'s. */
static int start_opener(struct job *j, pid_t *pid, struct err **e)
{
	char *const *env = j->o->cfg.host_env;
	if (!j->asked)
		return opener_start(env, j->u.url, -1, pid, e);
	cleanup_free char *real = NULL;
	cleanup_fd int fd = file_pin(j->o->cfg.policy, j->file, &real, e);
	if (fd < 0)
		return -1;
	if (strcmp(real, j->file) != 0)
		return err_set(e, 0, "%s leads somewhere else than before", j->file);
	return opener_start(env, real, fd, pid, e);
}

static void *show(void *data)
{
	struct job *j = data;
	struct open_room *o = j->o;
	cleanup_err struct err *e = NULL;
	pthread_mutex_lock(&o->lock);
	bool again = !seen_add(&o->seen, object(j), j->u.login, (time_t)(monotonic_ms() / 1000));
	pthread_mutex_unlock(&o->lock);
	if (again) {
		finish(j, NULL, "opened already");
		return NULL;
	}
	pid_t pid = 0;
	bool ended = false;
	int rc = start_opener(j, &pid, &e);
	if (rc == 1) {
		show_url(j);
		return NULL;
	}
	if (rc == 0 && pid)
		rc = opener_watch(pid, o->stop, &ended, &e);
	if (rc < 0)
		forget(j);
	report(j, rc < 0 ? err_msg(e) : NULL, rc < 0 ? "opener failed" : "opened");
	if (pid && !ended)
		opener_wait(pid, o->stop);
	release(j);
	return NULL;
}

static void on_answer(void *data, enum answer answer)
{
	struct job *j = data;
	if (answered_yes(j, answer, "the page was refused"))
		go_on(j, show);
}

/* ---- whether it may be shown --------------------------------------------- */

/* Who listens where the page's answer goes. */
static enum callback answer_goes_to(const struct job *j)
{
	const struct open_room *o = j->o;
	if (!j->u.redirect_port || !o->cfg.net)
		return CALLBACK_OPENER;
	for (int64_t end = monotonic_ms() + LISTEN_MS;;) {
		enum callback to = net_callback(o->cfg.net, j->u.redirect_port, j->tgid);
		struct pollfd p = {.fd = o->stop, .events = POLLIN};
		if (to == CALLBACK_OPENER || monotonic_ms() >= end || poll(&p, 1, LISTEN_LOOK_MS) != 0)
			return to;
	}
}

/* Why @what is not opened, and the line that would open it. New string. */
static char *not_listed(const char *what, const char *kind, const char *key)
{
	cleanup_free char *value = what[0] == '/' ? profile_path_value(what) : xstrdup(what);
	struct json_object *quoted = json_object_new_string(value);
	char *text = xasprintf("%s is not among the %s of this session; the profile's open_urls needs \"%s\": [%s]",
		what, kind, key,
		json_object_to_json_string_ext(quoted, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(quoted);
	return text;
}

/* No rule shows the page: ask, or say what to add. @reason: why its origin is not enough; else NULL */
static void ask(struct job *j, const char *reason)
{
	struct approve *a = j->o->cfg.approve;
	if (j->decision.verdict != VERDICT_NEVER && a && approve_possible(a)) {
		const struct question q = {.op = OP_OPEN_URL,
			.kind = reason && j->decision.verdict == VERDICT_ALLOW ? QUESTION_ONCE : QUESTION_RULE,
			.object = object(j),
			.asked = j->asked ? j->asked : object(j),
			.rule = reason,
			.tgid = j->tgid,
			.program = j->program,
			.parent = j->parent};
		submit(j, &q, on_answer);
		return;
	}
	cleanup_free char *text = NULL;
	if (j->decision.verdict == VERDICT_ALLOW)
		text = xstrdup(reason);
	else if (j->file)
		text = not_listed(j->file, "files", "allow_files");
	else if (j->u.localhost)
		text = xstrdup("pages of this machine are not opened; the profile's open_urls needs "
			       "\"allow_localhost\": true");
	else
		text = not_listed(j->u.origin, "pages", "allow_origins");
	finish(j, text, "not asked");
}

static void *consider_file(void *data)
{
	struct job *j = data;
	cleanup_err struct err *e = NULL;
	cleanup_fd int fd = file_pin(j->o->cfg.policy, j->asked, &j->file, &e);
	if (fd < 0) {
		finish(j, err_msg(e), "invalid");
		return NULL;
	}
	j->decision = policy_check_origin(j->o->cfg.policy, j->file);
	if (j->decision.verdict == VERDICT_ALLOW)
		return show(j);
	ask(j, NULL);
	return NULL;
}

static void *consider(void *data)
{
	struct job *j = data;
	const struct policy *policy = j->o->cfg.policy;
	cleanup_free char *reason = NULL;
	j->decision = policy_check_origin(policy, j->u.origin);
	if (j->decision.verdict == VERDICT_NONE && j->u.localhost && policy_settings(policy)->allow_localhost_urls)
		j->decision.verdict = VERDICT_ALLOW;
	enum callback to = answer_goes_to(j);
	if (to != CALLBACK_OPENER)
		reason = xasprintf("its answer would go to port %u of this machine, where %s", j->u.redirect_port,
			to == CALLBACK_NOBODY ? "no program of this session listens"
					      : "another program of this session listens than the one that opens it");
	if (j->decision.verdict == VERDICT_ALLOW && !reason)
		return show(j);
	ask(j, reason);
	return NULL;
}

static bool too_many(struct open_room *o)
{
	time_t t = (time_t)(monotonic_ms() / 1000) + 1;
	bool full = o->asked[o->next] && t - o->asked[o->next] < BURST_S;
	if (!full) {
		o->asked[o->next] = t;
		o->next = (o->next + 1) % BURST;
	}
	return full;
}

uint64_t open_url(struct open_room *o, pid_t tgid, const char *url, size_t len, open_url_done *done, void *data)
{
	struct job *j = xcalloc(1, sizeof *j);
	*j = (struct job){.o = o, .tgid = tgid, .done = done, .data = data, .decision = {.verdict = VERDICT_NEVER}};
	caller_names(j->tgid, &j->program, &j->parent);
	pthread_mutex_lock(&o->lock);
	uint64_t id = j->id = ++o->last_id;
	j->next = o->jobs;
	o->jobs = j;
	bool full = too_many(o);
	pthread_mutex_unlock(&o->lock);
	cleanup_err struct err *e = NULL;
	if (full)
		finish(j, "too many pages in a short time", "too many");
	else if (file_is_url(url, len) ? !(j->asked = file_url_path(url, len, &e)) : url_check(url, len, &j->u, &e) < 0)
		finish(j, err_msg(e), "invalid");
	else
		go_on(j, j->asked ? consider_file : consider);
	return id;
}

/* Take back the question @j waits for; the lock is held. Return: whether the caller has to end @j. */
static bool cancel(struct job *j)
{
	bool cancelled = j->ticket && approve_cancel(j->o->cfg.approve, j->ticket);
	j->ticket = 0;
	return cancelled;
}

void open_url_gone(struct open_room *o, uint64_t id)
{
	pthread_mutex_lock(&o->lock);
	struct job *j = o->jobs;
	while (j && j->id != id)
		j = j->next;
	if (j)
		j->gone = true;
	bool cancelled = j && cancel(j);
	pthread_mutex_unlock(&o->lock);
	if (cancelled)
		finish_gone(j);
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
	o->dir = path_join(cfg->session_dir, OPENERS_DIR);
	o->browser = path_join(o->dir, openers[0].name);
	if (entries_make(cfg->policy, cfg->shared, o->dir, e) < 0) {
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

char *open_entry_at(const struct open_room *o, const char *path)
{
	const struct opener *at = path_beneath(path, o->dir) ? NULL : opener_at(path);
	return at ? path_join(o->dir, at->name) : NULL;
}

bool open_is_helper(const struct open_room *o, pid_t pid)
{
	return entries_running(o->browser, pid);
}

void open_stop(struct open_room *o)
{
	if (!o)
		return;
	pthread_mutex_lock(&o->lock);
	o->stopping = true;
	eventfd_write(o->stop, 1);
	while (o->jobs) {
		struct job *j = o->jobs;
		while (j && !cancel(j))
			j = j->next;
		if (!j) {
			pthread_cond_wait(&o->ended, &o->lock);
			continue;
		}
		pthread_mutex_unlock(&o->lock);
		finish_gone(j);
		pthread_mutex_lock(&o->lock);
	}
	pthread_mutex_unlock(&o->lock);
	close(o->stop);
	seen_free(&o->seen);
	free(o->dir);
	free(o->browser);
	free(o);
}
