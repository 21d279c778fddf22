/* SPDX-License-Identifier: Apache-2.0 */
/*
 * worker.c - the second thread of a start.
 *
 * A start is a chain of steps of which some do not need the one before; those run
 * on another processor. Nobody waits for the end of the thread, only for its
 * jobs: it has nothing to do any more when the program is restricted.
 */
#include "session/internal.h"

static void *work(void *data)
{
	struct worker *w = data;
	pthread_mutex_lock(&w->lock);
	for (;;) {
		while (w->done == w->given && !w->closed)
			pthread_cond_wait(&w->changed, &w->lock);
		if (w->done == w->given)
			break;
		const struct worker_job job = w->job[w->done];
		struct err *e = NULL;
		pthread_mutex_unlock(&w->lock);
		const int rc = job.run(job.data, &e);
		pthread_mutex_lock(&w->lock);
		if (rc < 0 && !w->failed) {
			w->failed = true;
			w->e = steal_ptr(&e);
		}
		err_free(&e);
		w->done++;
		pthread_cond_broadcast(&w->changed);
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

void worker_start(struct worker *w)
{
	*w = (struct worker){.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
	w->running = pthread_create(&w->thread, NULL, work, w) == 0;
}

void worker_give(struct worker *w, int (*run)(void *data, struct err **e), void *data)
{
	pthread_mutex_lock(&w->lock);
	if (w->given == ARRAY_SIZE(w->job))
		abort(); /* the steps of a start are counted */
	w->job[w->given++] = (struct worker_job){run, data};
	pthread_cond_broadcast(&w->changed);
	pthread_mutex_unlock(&w->lock);
	if (!w->running) { /* no thread to be had: here and now */
		struct err *e = NULL;
		if (run(data, &e) < 0 && !w->failed) {
			w->failed = true;
			w->e = steal_ptr(&e);
		}
		err_free(&e);
		w->done++;
	}
}

int worker_await(struct worker *w, struct err **e)
{
	pthread_mutex_lock(&w->lock);
	while (w->done < w->given)
		pthread_cond_wait(&w->changed, &w->lock);
	const bool failed = w->failed;
	if (failed && e && !*e)
		*e = steal_ptr(&w->e);
	pthread_mutex_unlock(&w->lock);
	return failed ? -1 : 0;
}

int worker_end(struct worker *w, struct err **e)
{
	pthread_mutex_lock(&w->lock);
	w->closed = true;
	pthread_cond_broadcast(&w->changed);
	pthread_mutex_unlock(&w->lock);
	const int rc = worker_await(w, e);
	if (w->running)
		pthread_detach(w->thread);
	w->running = false;
	err_free(&w->e);
	return rc;
}
