/* SPDX-License-Identifier: Apache-2.0 */
/*
 * queue.c - the open questions.
 *
 * Theory of operation
 *
 * A request becomes a waiter. Waiters whose class of operation, object, port and
 * protocol are equal share one question; the question is open from its first
 * waiter until it is answered or its last waiter is cancelled. Both are found by hash, so that ten
 * thousand of them cost memory and nothing else: no thread, no timer.
 *
 * Whoever closes a question (a front end, the control socket, the end of the
 * session) takes it out of the tables under the lock; from then on
 * approve_cancel() can no longer succeed. Policy and profile are changed next, and only
 * then are the waiters told, outside the lock, so that the call that runs again
 * finds the grant. A grant may answer other open questions too (a directory, a
 * port): those are closed by asking the policy again.
 *
 * Asking faster than a person could follow is refused: a token bucket for new
 * questions, and a limit on how many are open. Refusals are delivered by the
 * asker thread, because the submitter may hold locks of its own.
 */
#include "approve/internal.h"

#include <errno.h>
#include <pthread.h>
#include <time.h>

#define BUCKETS 1024U
#define OPEN_MAX 20000 /* open questions */
#define BURST 256.0    /* new questions at once, and */
#define RATE 32.0      /* new questions a second after that, while a person is asked directly */

struct waiter {
	uint64_t ticket;
	approve_done *done;
	void *data;
	struct open_question *question; /* NULL: already refused, to be told by the asker */
	struct waiter *hash_next, *next, **link;
};

struct open_question {
	uint64_t id;
	struct question q;
	struct waiter *waiters;
	unsigned waiting;
	struct open_question *hash_next, *next, *prev;
};

struct approve {
	const struct approve_config *cfg;
	pthread_mutex_t lock;
	struct open_question *first, *last; /* by id */
	struct open_question *by_key[BUCKETS];
	struct waiter *by_ticket[BUCKETS];
	struct waiter *refused;
	size_t open;
	uint64_t next_id, next_ticket;
	double tokens;
	struct timespec filled;
	struct watchers *watchers;
	struct asker *asker;
	bool ended;
};

struct approve *queue_new(const struct approve_config *cfg)
{
	struct approve *a = xcalloc(1, sizeof *a);
	a->cfg = cfg;
	a->tokens = BURST;
	clock_gettime(CLOCK_MONOTONIC, &a->filled);
	pthread_mutex_init(&a->lock, NULL);
	a->watchers = watchers_new();
	return a;
}

void queue_free(struct approve *a)
{
	watchers_free(a->watchers);
	pthread_mutex_destroy(&a->lock);
	free(a);
}

const struct approve_config *approve_cfg(const struct approve *a)
{
	return a->cfg;
}

struct watchers *approve_watchers(struct approve *a)
{
	return a->watchers;
}

struct asker *approve_asker(struct approve *a)
{
	return a->asker;
}

void approve_set_asker(struct approve *a, struct asker *k)
{
	a->asker = k;
}

/* Over what makes two questions the same. */
static unsigned key_hash(const struct question *q)
{
	return hash_text(HASH_SEED ^ question_class(q->op) << 16 ^ q->port, q->object) % BUCKETS;
}

static bool same(const struct question *a, const struct question *b)
{
	return question_class(a->op) == question_class(b->op) && a->kind == b->kind && a->port == b->port &&
	       a->udp == b->udp && strcmp(a->object, b->object) == 0;
}

static struct pending view(const struct open_question *o)
{
	return (struct pending){.id = o->id, .q = o->q, .waiting = o->waiting};
}

static struct open_question *find_id(struct approve *a, uint64_t id)
{
	for (struct open_question *o = a->first; o; o = o->next)
		if (o->id == id)
			return o;
	return NULL;
}

static void ticket_add(struct approve *a, struct waiter *w)
{
	struct waiter **bucket = &a->by_ticket[w->ticket % BUCKETS];
	w->hash_next = *bucket;
	*bucket = w;
}

static struct waiter *ticket_take(struct approve *a, uint64_t ticket)
{
	for (struct waiter **p = &a->by_ticket[ticket % BUCKETS]; *p; p = &(*p)->hash_next) {
		struct waiter *w = *p;
		if (w->ticket == ticket) {
			*p = w->hash_next;
			return w;
		}
	}
	return NULL;
}

static void chain(struct waiter **head, struct waiter *w)
{
	w->next = *head;
	w->link = head;
	if (w->next)
		w->next->link = &w->next;
	*head = w;
}

static void unchain(struct waiter *w)
{
	*w->link = w->next;
	if (w->next)
		w->next->link = w->link;
}

/* Take a question out of the tables, with its waiters; afterwards only the caller knows it. */
static void close_question(struct approve *a, struct open_question *o)
{
	struct open_question **p = &a->by_key[key_hash(&o->q)];
	while (*p != o)
		p = &(*p)->hash_next;
	*p = o->hash_next;
	*(o->prev ? &o->prev->next : &a->first) = o->next;
	*(o->next ? &o->next->prev : &a->last) = o->prev;
	for (struct waiter *w = o->waiters; w; w = w->next)
		ticket_take(a, w->ticket);
	a->open--;
	watchers_closed(a->watchers, o->id);
}

static void tell(struct open_question *o, enum answer answer)
{
	while (o->waiters) {
		struct waiter *w = o->waiters;
		o->waiters = w->next;
		w->done(w->data, answer);
		free(w);
	}
	question_free(&o->q);
	free(o);
}

static struct open_question *open_question(struct approve *a, const struct question *q)
{
	struct open_question *o = xcalloc(1, sizeof *o);
	unsigned h = key_hash(q);
	o->id = ++a->next_id;
	question_copy(&o->q, q);
	o->hash_next = a->by_key[h];
	a->by_key[h] = o;
	o->prev = a->last;
	*(a->last ? &a->last->next : &a->first) = o;
	a->last = o;
	a->open++;
	return o;
}

/* Whether one more question may be opened now. */
static bool may_open(struct approve *a)
{
	if (a->open >= OPEN_MAX)
		return false;
	if (a->cfg->on_request == ON_REQUEST_HOLD)
		return true;
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	a->tokens += RATE * ((double)(now.tv_sec - a->filled.tv_sec) + (double)(now.tv_nsec - a->filled.tv_nsec) / 1e9);
	a->filled = now;
	if (a->tokens > BURST)
		a->tokens = BURST;
	if (a->tokens < 1.0)
		return false;
	a->tokens -= 1.0;
	return true;
}

uint64_t approve_submit(struct approve *a, const struct question *q, approve_done *done, void *data)
{
	bool possible = approve_possible(a), news = false;
	struct waiter *w = xcalloc(1, sizeof *w);
	w->done = done;
	w->data = data;
	pthread_mutex_lock(&a->lock);
	if (a->ended) {
		pthread_mutex_unlock(&a->lock);
		free(w);
		return 0;
	}
	w->ticket = ++a->next_ticket;
	ticket_add(a, w);
	struct open_question *o = a->by_key[key_hash(q)];
	while (o && !same(&o->q, q))
		o = o->hash_next;
	if (!o && possible && may_open(a)) {
		o = open_question(a, q);
		news = true;
	}
	w->question = o;
	chain(o ? &o->waiters : &a->refused, w);
	if (o)
		o->waiting++;
	if (news) {
		struct pending p = view(o);
		watchers_opened(a->watchers, &p);
	}
	uint64_t ticket = w->ticket;
	pthread_mutex_unlock(&a->lock);
	if (news || !o)
		asker_wake(a);
	return ticket;
}

bool approve_cancel(struct approve *a, uint64_t ticket)
{
	struct open_question *empty = NULL;
	pthread_mutex_lock(&a->lock);
	struct waiter *w = ticket_take(a, ticket);
	if (w) {
		unchain(w);
		if (w->question && --w->question->waiting == 0) {
			empty = w->question;
			close_question(a, empty);
		}
	}
	pthread_mutex_unlock(&a->lock);
	free(w);
	if (empty) {
		tell(empty, ANSWER_NO);
		asker_wake(a);
	}
	return w != NULL;
}

/* Close what the policy now answers by itself, e.g. the other files of a directory that was granted. */
static void settle(struct approve *a)
{
	struct open_question *allowed = NULL, *never = NULL;
	pthread_mutex_lock(&a->lock);
	for (struct open_question *o = a->first, *next; o; o = next) {
		next = o->next;
		enum verdict v = scope_decide(a->cfg->policy, &o->q).verdict;
		if (v != VERDICT_ALLOW && v != VERDICT_NEVER)
			continue;
		close_question(a, o);
		struct open_question **list = v == VERDICT_ALLOW ? &allowed : &never;
		o->next = *list;
		*list = o;
	}
	pthread_mutex_unlock(&a->lock);
	while (allowed) {
		struct open_question *o = allowed;
		allowed = o->next;
		tell(o, ANSWER_SESSION);
	}
	while (never) {
		struct open_question *o = never;
		never = o->next;
		tell(o, ANSWER_NEVER);
	}
}

int approve_answer(struct approve *a, uint64_t id, enum answer answer, const char *dir, struct err **e)
{
	struct question q = {0};
	pthread_mutex_lock(&a->lock);
	struct open_question *o = find_id(a, id);
	if (o)
		question_copy(&q, &o->q);
	pthread_mutex_unlock(&a->lock);
	if (!o)
		return err_set(e, 0, "question %llu is not open", (unsigned long long)id);
	/* the file first: a grant that cannot be written is not given, and the question stays open */
	int r = scope_check(&q, answer, dir, e);
	if (r == 0 && answer == ANSWER_ALWAYS)
		r = scope_write(a->cfg, &q, dir, NULL, e);
	question_free(&q);
	if (r < 0)
		return -1;
	pthread_mutex_lock(&a->lock);
	o = find_id(a, id);
	if (o)
		close_question(a, o);
	pthread_mutex_unlock(&a->lock);
	if (!o)
		return err_set(e, 0, "question %llu is not open", (unsigned long long)id);
	bool remembered = answer == ANSWER_SESSION || answer == ANSWER_ALWAYS || answer == ANSWER_NEVER;
	scope_remember(a->cfg->policy, &o->q, answer, dir);
	tell(o, answer);
	if (remembered)
		settle(a);
	asker_wake(a);
	return 0;
}

char *approve_preview(struct approve *a, uint64_t id, const char *dir, struct err **e)
{
	struct question q = {0};
	pthread_mutex_lock(&a->lock);
	struct open_question *o = find_id(a, id);
	if (o)
		question_copy(&q, &o->q);
	pthread_mutex_unlock(&a->lock);
	char *preview = NULL;
	if (!o)
		err_set(e, 0, "question %llu is not open", (unsigned long long)id);
	else if (scope_check(&q, ANSWER_ALWAYS, dir, e) == 0 && scope_write(a->cfg, &q, dir, &preview, e) < 0)
		preview = NULL;
	question_free(&q);
	return preview;
}

static void pending_copy(struct pending *to, const struct open_question *o)
{
	*to = view(o);
	question_copy(&to->q, &o->q);
}

struct pending *approve_pending(struct approve *a, size_t *n)
{
	pthread_mutex_lock(&a->lock);
	struct pending *p = xcalloc(a->open + 1, sizeof *p);
	*n = 0;
	for (const struct open_question *o = a->first; o; o = o->next)
		pending_copy(&p[(*n)++], o);
	pthread_mutex_unlock(&a->lock);
	return p;
}

struct pending *approve_next(struct approve *a, uint64_t after)
{
	struct pending *p = NULL;
	pthread_mutex_lock(&a->lock);
	const struct open_question *o = a->first;
	while (o && o->id <= after)
		o = o->next;
	if (o) {
		p = xcalloc(1, sizeof *p);
		pending_copy(p, o);
	}
	pthread_mutex_unlock(&a->lock);
	return p;
}

bool approve_open(struct approve *a, uint64_t id)
{
	pthread_mutex_lock(&a->lock);
	bool open = find_id(a, id) != NULL;
	pthread_mutex_unlock(&a->lock);
	return open;
}

size_t approve_count(struct approve *a)
{
	pthread_mutex_lock(&a->lock);
	size_t n = a->open;
	pthread_mutex_unlock(&a->lock);
	return n;
}

void pending_free(struct pending *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		question_free(&p[i].q);
	free(p);
}

void queue_end(struct approve *a)
{
	pthread_mutex_lock(&a->lock);
	a->ended = true;
	pthread_mutex_unlock(&a->lock);
}

void queue_answer_all(struct approve *a, enum answer answer)
{
	for (;;) {
		pthread_mutex_lock(&a->lock);
		struct open_question *o = a->first;
		if (o)
			close_question(a, o);
		pthread_mutex_unlock(&a->lock);
		if (!o)
			return;
		tell(o, answer);
	}
}

void queue_flush(struct approve *a)
{
	for (;;) {
		pthread_mutex_lock(&a->lock);
		struct waiter *w = a->refused;
		if (w) {
			unchain(w);
			ticket_take(a, w->ticket);
		}
		pthread_mutex_unlock(&a->lock);
		if (!w)
			return;
		w->done(w->data, ANSWER_NO);
		free(w);
	}
}
