/* SPDX-License-Identifier: Apache-2.0 */
/*
 * asker.c - the one thread that all front ends live on.
 *
 * It sleeps in poll() on a wake-up descriptor and on whatever the front ends
 * wait for; with no question open it never runs. A front end that misbehaves can
 * delay other front ends, never the trap.
 */
#include "approve/internal.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/eventfd.h>

static const struct front_end *const fronts[] = {&front_external, &front_terminal, &front_tmux, &front_notify};

struct asker {
	struct approve *queue;
	pthread_t thread;
	bool started;
	int wake;
	atomic_bool stopping;
	void *state[ARRAY_SIZE(fronts)]; /* NULL: this front end is not there */
};

void asker_wake(struct approve *a)
{
	struct asker *k = approve_asker(a);
	if (k)
		(void)!write(k->wake, &(uint64_t){1}, sizeof(uint64_t));
}

bool approve_possible(struct approve *a)
{
	const struct approve_config *cfg = approve_cfg(a);
	struct asker *k = approve_asker(a);
	if (cfg->on_request == ON_REQUEST_DENY || atomic_load(&k->stopping))
		return false;
	if (cfg->on_request == ON_REQUEST_HOLD || watchers_any(approve_watchers(a)))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(fronts); i++)
		if (k->state[i] && fronts[i]->usable(k->state[i]))
			return true;
	return false;
}

/* One round: wait, let every front end look, tell them when questions came or went. */
static void round_of(struct asker *k)
{
	struct pollfd p[1 + ARRAY_SIZE(fronts) * FRONT_END_FDS] = {{.fd = k->wake, .events = POLLIN}};
	unsigned first[ARRAY_SIZE(fronts)], count[ARRAY_SIZE(fronts)], n = 1;
	int timeout = -1;
	for (size_t i = 0; i < ARRAY_SIZE(fronts); i++) {
		first[i] = n;
		count[i] = k->state[i] ? fronts[i]->wait_for(k->state[i], p + n, &timeout) : 0;
		n += count[i];
	}
	if (poll(p, n, timeout) < 0)
		return; /* interrupted: look again */
	bool changed = p[0].revents != 0;
	if (changed)
		(void)!read(k->wake, &(uint64_t){0}, sizeof(uint64_t));
	if (atomic_load(&k->stopping))
		return;
	queue_flush(k->queue);
	if (changed && !approve_possible(k->queue))
		queue_answer_all(k->queue, ANSWER_NO); /* the last front end went away */
	for (size_t i = 0; i < ARRAY_SIZE(fronts); i++) {
		if (!k->state[i])
			continue;
		if (changed)
			fronts[i]->changed(k->state[i]);
		fronts[i]->ready(k->state[i], p + first[i], count[i]);
	}
}

static void stop_fronts(struct asker *k)
{
	for (size_t i = 0; i < ARRAY_SIZE(fronts); i++)
		if (k->state[i])
			fronts[i]->stop(k->state[i]);
}

static void *asker_main(void *data)
{
	struct asker *k = data;
	while (!atomic_load(&k->stopping))
		round_of(k);
	/* here, since what a front end holds (a stopped tree) may belong to the thread that took it */
	stop_fronts(k);
	return NULL;
}

/* The thread takes no signals: SIGTTOU would stop the broker when it takes the terminal back. */
static int start_thread(struct asker *k)
{
	sigset_t all, old;
	sigfillset(&all);
	pthread_attr_t attr;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 256UL * 1024);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	int r = pthread_create(&k->thread, &attr, asker_main, k);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	return r;
}

int approve_start(struct approve **out, const struct approve_config *cfg, struct err **e)
{
	struct approve *a = queue_new(cfg);
	struct asker *k = xcalloc(1, sizeof *k);
	k->queue = a;
	k->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	approve_set_asker(a, k);
	*out = a;
	int r = k->wake < 0 ? errno : 0;
	/* held questions wait for `nono approve`; nothing else may show them */
	if (r == 0 && cfg->on_request != ON_REQUEST_HOLD && cfg->on_request != ON_REQUEST_DENY)
		for (size_t i = 0; i < ARRAY_SIZE(fronts); i++)
			k->state[i] = fronts[i]->start(a);
	if (r == 0)
		r = start_thread(k);
	k->started = r == 0;
	if (r == 0)
		return 0;
	approve_stop(a);
	*out = NULL;
	return err_set(e, r, "cannot start the approval queue");
}

void approve_end(struct approve *a)
{
	struct asker *k = approve_asker(a);
	if (atomic_exchange(&k->stopping, true))
		return;
	asker_wake(a);
	if (k->started)
		pthread_join(k->thread, NULL);
	else
		stop_fronts(k);
	queue_end(a);
	queue_answer_all(a, ANSWER_NO);
	queue_flush(a);
}

void approve_stop(struct approve *a)
{
	if (!a)
		return;
	struct asker *k = approve_asker(a);
	approve_end(a);
	if (k->wake >= 0)
		close(k->wake);
	queue_free(a);
	free(k);
}
