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
	struct worker *b = data;
	pthread_mutex_lock(&b->lock);
	for (;;) {
		while (b->done == b->given && !b->closed)
			pthread_cond_wait(&b->changed, &b->lock);
		if (b->done == b->given)
			break;
		const struct worker_job job = b->job[b->done];
		struct err *e = NULL;
		pthread_mutex_unlock(&b->lock);
		const int rc = job.run(job.data, &e);
		pthread_mutex_lock(&b->lock);
		if (rc < 0 && !b->failed) {
			b->failed = true;
			b->e = steal_ptr(&e);
		}
		err_free(&e);
		b->done++;
		pthread_cond_broadcast(&b->changed);
	}
	pthread_mutex_unlock(&b->lock);
	return NULL;
}

void worker_start(struct worker *b)
{
	*b = (struct worker){.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
	b->running = pthread_create(&b->thread, NULL, work, b) == 0;
}

void worker_give(struct worker *b, int (*run)(void *data, struct err **e), void *data)
{
	pthread_mutex_lock(&b->lock);
	if (b->given == ARRAY_SIZE(b->job))
		abort(); /* the steps of a start are counted */
	b->job[b->given++] = (struct worker_job){run, data};
	pthread_cond_broadcast(&b->changed);
	pthread_mutex_unlock(&b->lock);
	if (!b->running) { /* no thread to be had: here and now */
		struct err *e = NULL;
		if (run(data, &e) < 0 && !b->failed) {
			b->failed = true;
			b->e = steal_ptr(&e);
		}
		err_free(&e);
		b->done++;
	}
}

int worker_await(struct worker *b, struct err **e)
{
	pthread_mutex_lock(&b->lock);
	while (b->done < b->given)
		pthread_cond_wait(&b->changed, &b->lock);
	const bool failed = b->failed;
	if (failed && e && !*e)
		*e = steal_ptr(&b->e);
	pthread_mutex_unlock(&b->lock);
	return failed ? -1 : 0;
}

int worker_end(struct worker *b, struct err **e)
{
	pthread_mutex_lock(&b->lock);
	b->closed = true;
	pthread_cond_broadcast(&b->changed);
	pthread_mutex_unlock(&b->lock);
	const int rc = worker_await(b, e);
	if (b->running)
		pthread_detach(b->thread);
	b->running = false;
	err_free(&b->e);
	return rc;
}
