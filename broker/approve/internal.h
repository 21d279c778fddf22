/* SPDX-License-Identifier: Apache-2.0 */
/*
 * internal.h - what the files of this room share: the queue's view for front ends,
 * the front-end table, and how an answer changes policy and profile.
 */
#ifndef NONO_APPROVE_INTERNAL_H
#define NONO_APPROVE_INTERNAL_H

#include "approve/approve.h"

#include <poll.h>

#define FRONT_END_FDS 16 /* descriptors one front end may wait for */

/**
 * struct front_end - one way to reach a person. All functions run on the asker
 * thread, except usable(), which may run on any and must be quick.
 */
struct front_end {
	const char *name;
	/** start() - make the state; NULL when this machine or configuration has no such front end. */
	void *(*start)(struct approve *a);
	void (*stop)(void *state);
	bool (*usable)(void *state);
	/** changed() - the set of open questions changed. */
	void (*changed)(void *state);
	/** wait_for() - fill @p with at most FRONT_END_FDS entries; lower *@timeout_ms if needed. Return: entries. */
	unsigned (*wait_for)(void *state, struct pollfd *p, int *timeout_ms);
	/** ready() - @p was polled; called after each wait, also when only time passed. */
	void (*ready)(void *state, const struct pollfd *p, unsigned n);
};
extern const struct front_end front_terminal, front_external, front_tmux, front_notify;

const struct approve_config *approve_cfg(const struct approve *a);
/** approve_next() - a copy of the first open question with an id greater than @after; NULL if there is none. */
struct pending *approve_next(struct approve *a, uint64_t after);
/** approve_open() - whether question @id is still open. */
bool approve_open(struct approve *a, uint64_t id);
size_t approve_count(struct approve *a);

/* queue.c, for asker.c */
struct approve *queue_new(const struct approve_config *cfg);
void queue_free(struct approve *a);
/** queue_end() - approve_submit() takes nothing any more. */
void queue_end(struct approve *a);
/** queue_answer_all() - close every open question with @answer, without any change to the policy. */
void queue_answer_all(struct approve *a, enum answer answer);
/** queue_flush() - give those their answer who were refused for asking too fast. */
void queue_flush(struct approve *a);
/** asker_wake() - something changed; any thread. */
void asker_wake(struct approve *a);
struct asker;
struct asker *approve_asker(struct approve *a);
void approve_set_asker(struct approve *a, struct asker *k);

/* serve.c: connections of the control socket that watch. Called with the queue locked; must not call back. */
struct watchers;
struct watchers *approve_watchers(struct approve *a);
struct watchers *watchers_new(void);
void watchers_free(struct watchers *w);
bool watchers_any(struct watchers *w);
void watchers_opened(struct watchers *w, const struct pending *p);
void watchers_closed(struct watchers *w, uint64_t id);
/** pending_message() - a question as a message; its strings are borrowed from @p. */
struct msg pending_message(const struct pending *p);

/* scope.c */
/** question_class() - operations of one class are one question: writing, creating and deleting a path. */
unsigned question_class(enum operation op);
/** scope_decide() - what the policy says about the question now. */
struct decision scope_decide(const struct policy *p, const struct question *q);
/** scope_check() - whether the answer and the directory fit the question. */
int scope_check(const struct question *q, enum answer answer, const char *dir, struct err **e);
/** scope_remember() - put a session, always or never answer into the policy. */
void scope_remember(struct policy *p, const struct question *q, enum answer answer, const char *dir);
/** scope_write() - "always": change the profile, or with @preview only say how (new string). */
int scope_write(
	const struct approve_config *cfg, const struct question *q, const char *dir, char **preview, struct err **e);
/** scope_file() - the profile file that "always" writes. New string, or NULL. */
char *scope_file(const struct approve_config *cfg, struct err **e);
/** question_copy() / question_free() - strings owned by the copy. */
void question_copy(struct question *to, const struct question *from);
void question_free(struct question *q);

#endif
