/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ask.c - calls that wait for a person.
 *
 * Theory of operation
 * -------------------
 * A parked call is a copy of its notification in a list: no thread, no descriptor
 * of the object. When the person answers, the handler runs again from the start
 * on a worker, reads the caller's memory again and decides again; an answer for
 * the session is in the policy by then, an answer for this once is a token that
 * holds for exactly this call, operation and object. So whatever the caller
 * changed meanwhile, only what was shown is allowed.
 *
 * A caller that dies while it waits is noticed by the pidfd of its process, one
 * for each process however many of its calls wait; the questions are withdrawn.
 */
#include "trap/internal.h"

#include "approve/approve.h"
#include "explain/explain.h"

#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/syscall.h>

#define MOST_WORKERS 16U
#define STOP UINT64_MAX /* in the place of a process */

struct parked {
	struct parked *next, **link; /* among the calls of its process, or those that were answered */
	struct caller *caller;
	struct trap_call call;
	uint64_t ticket;
	enum operation op;
	char *asked, *resolved; /* one string where they are equal */
	unsigned port;
	bool udp;
	struct decision decision;
	int err;
	bool submitted; /* the ticket is known */
	bool finished;  /* the answer is here */
	bool withdrawn; /* its caller is dead, and it is being cancelled */
	enum answer answer;
};

/** struct caller - a process with calls that wait. */
struct caller {
	struct caller *next; /* of its bucket */
	pid_t tgid;
	int pidfd; /* -1: not to be had */
	struct parked *calls;
	bool dead;
};

static void parked_free(struct parked *p)
{
	trap_call_free(&p->call);
	if (p->asked != p->resolved)
		free(p->asked);
	free(p->resolved);
	free(p);
}

static void record(struct trap_call *c, const struct trap_object *o, struct decision d, int err, const char *how)
{
	cleanup_free char *program = NULL, *parent = NULL;
	caller_names(trap_tgid(c), &program, &parent);
	struct denial denial = {.op = o->op,
		.asked = o->asked,
		.resolved = o->resolved,
		.port = o->port,
		.udp = o->udp,
		.tgid = trap_tgid(c),
		.program = program,
		.parent = parent,
		.decision = d,
		.err = err,
		.answer = how};
	if (!c->t->cfg.explain)
		return;
	if (err)
		explain_denial(c->t->cfg.explain, &denial);
	else
		explain_grant(c->t->cfg.explain, &denial);
}

/* ---- answered calls ------------------------------------------------------------------ */

static void add_token(struct trap_call *c, enum operation op, const char *object)
{
	if (c->n_tokens == MAX_TOKENS)
		return;
	c->token = xreallocarray(c->token, c->n_tokens + 1, sizeof(*c->token));
	c->token[c->n_tokens++] = (struct token){op, xstrdup(object)};
}

static void resume(struct parked *p)
{
	struct trap_object o = {
		.op = p->op, .asked = p->asked, .resolved = p->resolved, .port = p->port, .udp = p->udp};
	bool yes = p->answer == ANSWER_ONCE || p->answer == ANSWER_SESSION || p->answer == ANSWER_ALWAYS;
	if (!trap_alive(&p->call))
		return;
	record(&p->call, &o, p->decision, yes ? 0 : p->err, answer_name(p->answer));
	if (!yes) {
		trap_errno(&p->call, p->err);
		return;
	}
	/* also for "session": should the grant not cover it after all, this call was still meant */
	add_token(&p->call, p->op, p->resolved);
	trap_run(&p->call);
}

static void *worker(void *arg)
{
	struct trap *t = arg;
	unshare(CLONE_FS);
	for (;;) {
		pthread_mutex_lock(&t->lock);
		struct parked *p = t->answered;
		if (p) {
			t->answered = p->next;
		} else {
			t->workers--;
			pthread_cond_broadcast(&t->ended);
		}
		pthread_mutex_unlock(&t->lock);
		if (!p) {
			caller_forget();
			return NULL;
		}
		resume(p);
		parked_free(p);
	}
}

static struct caller **bucket_of(struct trap *t, pid_t tgid)
{
	return &t->callers[(unsigned)tgid % ARRAY_SIZE(t->callers)];
}

/* Under the lock: the process, NULL when none of its calls waits. */
static struct caller *find_caller(struct trap *t, pid_t tgid)
{
	struct caller *k = *bucket_of(t, tgid);
	while (k && k->tgid != tgid)
		k = k->next;
	return k;
}

/* Under the lock: the process, watched from now on. */
static struct caller *add_caller(struct trap *t, pid_t tgid)
{
	struct caller *k = xcalloc(1, sizeof(*k)), **bucket = bucket_of(t, tgid);
	*k = (struct caller){.next = *bucket, .tgid = tgid};
	*bucket = k;
	k->pidfd = (int)syscall(SYS_pidfd_open, tgid, 0);
	struct epoll_event ev = {.events = EPOLLIN | EPOLLONESHOT, .data.u64 = (uint64_t)tgid};
	if (k->pidfd >= 0)
		epoll_ctl(t->deaths, EPOLL_CTL_ADD, k->pidfd, &ev);
	return k;
}

/* Under the lock: @p waits. */
static void add_waiting(struct trap *t, struct parked *p)
{
	struct caller *k = find_caller(t, p->call.tgid);
	k = k ? k : add_caller(t, p->call.tgid);
	p->caller = k;
	p->next = k->calls;
	p->link = &k->calls;
	if (p->next)
		p->next->link = &p->next;
	k->calls = p;
}

/* Under the lock: @p waits no longer. With the last of its calls the process is not watched any more. */
static void end_waiting(struct trap *t, struct parked *p)
{
	struct caller *k = p->caller;
	*p->link = p->next;
	if (p->next)
		p->next->link = p->link;
	p->next = NULL;
	if (k->calls)
		return;
	struct caller **at = bucket_of(t, k->tgid);
	while (*at != k)
		at = &(*at)->next;
	*at = k->next;
	if (k->pidfd >= 0)
		close(k->pidfd);
	free(k);
}

/* Under the lock: hand an answered call to a worker. Return: whether a worker is to be started. */
static bool queue_answered(struct trap *t, struct parked *p)
{
	end_waiting(t, p);
	if (!t->answered)
		t->answered_end = &t->answered;
	*t->answered_end = p;
	t->answered_end = &p->next;
	if (t->workers >= MOST_WORKERS)
		return false;
	t->workers++;
	return true;
}

/* The answer; on a thread of the approve room. It may come before approve_submit() has returned. */
static void on_answer(void *data, enum answer answer)
{
	struct parked *p = data;
	struct trap *t = p->call.t;
	bool start = false;
	pthread_mutex_lock(&t->lock);
	p->answer = answer;
	p->finished = true;
	if (p->submitted)
		start = queue_answered(t, p);
	pthread_mutex_unlock(&t->lock);
	if (start && spawn(worker, t) != 0)
		worker(t);
}

/* ---- callers that die ------------------------------------------------------------------- */

/* One question of a dead call of the process. Return: its ticket, and the call in *@out; 0: there is none left. */
static uint64_t next_dead(struct trap *t, pid_t tgid, struct parked **out)
{
	uint64_t ticket = 0;
	pthread_mutex_lock(&t->lock);
	struct caller *k = find_caller(t, tgid);
	if (k)
		k->dead = true;
	for (struct parked *p = k ? k->calls : NULL; p; p = p->next)
		if (p->submitted && !p->finished && !p->withdrawn && !trap_alive(&p->call)) {
			p->withdrawn = true;
			ticket = p->ticket;
			*out = p;
			break;
		}
	pthread_mutex_unlock(&t->lock);
	return ticket;
}

static void withdraw(struct trap *t, pid_t tgid)
{
	struct parked *p;
	for (uint64_t ticket; (ticket = next_dead(t, tgid, &p)) != 0;) {
		/* once withdrawn nobody else refers to it; otherwise on_answer() has it */
		if (!approve_cancel(t->cfg.approve, ticket))
			continue;
		pthread_mutex_lock(&t->lock);
		end_waiting(t, p);
		pthread_mutex_unlock(&t->lock);
		parked_free(p);
	}
}

static void *undertaker(void *arg)
{
	struct trap *t = arg;
	for (;;) {
		struct epoll_event ev;
		int n = epoll_wait(t->deaths, &ev, 1, -1);
		if (n < 0 && errno != EINTR)
			return NULL;
		if (n == 1 && ev.data.u64 == STOP)
			return NULL;
		if (n == 1)
			withdraw(t, (pid_t)ev.data.u64);
	}
}

int ask_start(struct trap *t, struct err **e)
{
	t->deaths = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event ev = {.events = EPOLLIN, .data.u64 = STOP};
	if (t->deaths < 0 || epoll_ctl(t->deaths, EPOLL_CTL_ADD, t->stop, &ev) < 0)
		return err_set(e, errno, "cannot watch callers");
	return 0;
}

/* The first call that waits starts the thread; most sessions have none. Under the lock. Return: whether it runs. */
static bool watching(struct trap *t)
{
	if (!t->undertaking)
		t->undertaking = pthread_create(&t->undertaker, NULL, undertaker, t) == 0;
	return t->undertaking;
}

void ask_stop(struct trap *t)
{
	uint64_t one = 1;
	(void)!write(t->stop, &one, sizeof(one));
	if (t->undertaking)
		pthread_join(t->undertaker, NULL);
	close(t->deaths);
}

/* ---- asking -------------------------------------------------------------------------------- */

static bool may_ask(const struct trap_call *c, const struct trap_object *o, struct decision d)
{
	return (d.verdict == VERDICT_NONE || d.verdict == VERDICT_PROTECTED) && c->t->cfg.approve &&
	       !policy_quiet(c->t->cfg.policy, o->op, o->resolved) && approve_possible(c->t->cfg.approve);
}

/* The session ends: nobody is asked. */
static void unpark(struct trap_call *c, struct parked *p)
{
	struct trap *t = c->t;
	pthread_mutex_lock(&t->lock);
	end_waiting(t, p);
	pthread_mutex_unlock(&t->lock);
	*c = p->call;
	p->call.token = NULL;
	p->call.n_tokens = 0;
	parked_free(p);
}

/* Return: whether the call waits for an answer now. */
static bool park(struct trap_call *c, const struct trap_object *o, struct decision d, int err)
{
	struct trap *t = c->t;
	pthread_mutex_lock(&t->lock);
	bool watched = watching(t);
	pthread_mutex_unlock(&t->lock);
	if (!watched)
		return false;
	struct parked *p = xcalloc(1, sizeof(*p));
	cleanup_free char *program = NULL, *parent = NULL, *rule = d.rule ? rule_describe(d.rule) : NULL;
	caller_names(trap_tgid(c), &program, &parent);
	p->call = *c;
	p->op = o->op;
	p->resolved = xstrdup(o->resolved);
	p->asked = strcmp(o->asked, o->resolved) == 0 ? p->resolved : xstrdup(o->asked);
	p->port = o->port;
	p->udp = o->udp;
	p->decision = d;
	p->err = err;
	c->token = NULL; /* moved */
	c->n_tokens = 0;
	c->answered = true;
	struct stat st;
	struct question q = {.op = o->op,
		.object = p->resolved,
		.asked = p->asked,
		.port = o->port,
		.udp = o->udp,
		.protected_object = d.verdict == VERDICT_PROTECTED,
		.is_dir = p->resolved[0] == '/' && stat(p->resolved, &st) == 0 && S_ISDIR(st.st_mode),
		.rule = rule,
		.tgid = p->call.tgid,
		.program = program,
		.parent = parent};
	pthread_mutex_lock(&t->lock);
	add_waiting(t, p);
	pthread_mutex_unlock(&t->lock);
	uint64_t ticket = approve_submit(t->cfg.approve, &q, on_answer, p);
	if (ticket == 0) {
		unpark(c, p);
		return false;
	}
	bool start = false;
	pid_t dead = 0;
	pthread_mutex_lock(&t->lock);
	p->ticket = ticket;
	p->submitted = true;
	if (p->finished)
		start = queue_answered(t, p);
	else if (p->caller->dead)
		dead = p->call.tgid; /* meanwhile, and nobody will be told again */
	pthread_mutex_unlock(&t->lock);
	if (start && spawn(worker, t) != 0)
		worker(t);
	if (dead)
		withdraw(t, dead);
	return true;
}

void trap_refuse_or_ask(struct trap_call *c, const struct trap_object *o, struct decision d, int err)
{
	int anyway = refused_anyway(o->op, o->resolved);
	if (anyway || trap_tgid(c) < 0) {
		trap_errno(c, anyway ? anyway : err);
		return;
	}
	if (may_ask(c, o, d) && park(c, o, d, err))
		return;
	record(c, o, d, err, "not asked");
	trap_errno(c, err);
}
