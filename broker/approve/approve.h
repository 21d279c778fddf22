/* SPDX-License-Identifier: Apache-2.0 */
/*
 * approve.h - asking a person: the queue of questions, its scopes, its front ends.
 *
 * Identical requests wait on one question; one waiting request never delays
 * another; waiting costs no thread and no processor time. No answer is ever yes.
 */
#ifndef NONO_APPROVE_H
#define NONO_APPROVE_H

#include "policy/policy.h"

struct msg;

enum answer { ANSWER_NO, ANSWER_ONCE, ANSWER_SESSION, ANSWER_ALWAYS, ANSWER_NEVER };
const char *answer_name(enum answer a); /* "no", "once", "session", "always", "never" */
/** answer_parse() - the answer of that name; anything else is no answer. Return: whether @s is one. */
bool answer_parse(const char *s, enum answer *out);

/* What can answer a question besides a person. */
enum question_kind {
	QUESTION_RULE, /* a rule: one that was added meanwhile, or the one an answer leaves behind */
	QUESTION_ONCE, /* nothing: its answers are "once" and "no" */
	QUESTION_PAGE  /* the same; a page that the person is shown, to open somewhere else */
};

/** question_kind_name() - "rule", "once", "page"; "?" for one that is not known. */
const char *question_kind_name(enum question_kind kind);

/** struct question - one request, as shown. Strings are copied by approve_submit(). */
struct question {
	enum operation op;
	enum question_kind kind;
	const char *object; /* canonical path, host, URL */
	const char *asked;  /* as the program named it */
	unsigned port;
	bool udp;
	bool protected_object; /* from a deny group: marked strongly */
	bool is_dir;
	const char *rule; /* description of the nearest or denying rule, NULL if none */
	pid_t tgid;
	const char *program, *parent; /* command names of the caller and its parent */
};

struct approve;
/** struct approve_config - borrowed, outliving the queue. */
struct approve_config {
	struct policy *policy;
	const char *session_id;
	const char *profile_ref; /* what "always" extends or edits; NULL without a profile */
	enum on_request on_request;
	const char *approver;      /* external program, NULL if none */
	unsigned approver_timeout; /* seconds */
	pid_t tree_root;           /* the terminal front end stops this tree while it asks */
	bool terminal;             /* the session has a controlling terminal to ask on */
	/* stop or continue every process of the tree; provided by the session room; always called from one thread.
	   Return: whether something is still held, so that continuing has to be repeated soon */
	bool (*freeze)(void *data, bool stop);
	void *freeze_data;
};

/** approve_start() - make the queue and its front ends. Return: 0 and *@a, or -1. */
int approve_start(struct approve **a, const struct approve_config *cfg, struct err **e);
/**
 * approve_end() - front ends are gone, every waiting question is answered "no", and nothing can be asked any more.
 * Calls of other threads are still fine.
 */
void approve_end(struct approve *a);
/** approve_stop() - approve_end(), if it was not called, and away with it: nobody uses it any more. */
void approve_stop(struct approve *a);
/** approve_possible() - whether some front end could answer now; false means refuse at once. */
bool approve_possible(struct approve *a);

typedef void approve_done(void *data, enum answer answer);
/**
 * approve_submit() - ask. @done runs once, on another thread, unless cancelled first.
 * Session, always and never answers have been put into the policy by then
 * (for a directory the person picked, that directory).
 * Return: a ticket for approve_cancel(); 0 after approve_end(): then @done never runs, and the answer is no.
 */
uint64_t approve_submit(struct approve *a, const struct question *q, approve_done *done, void *data);
/** approve_cancel() - the caller died or was signalled. Return: true if @done will not run. */
bool approve_cancel(struct approve *a, uint64_t ticket);

/** struct pending - one open question, for `nono approve` in another terminal. */
struct pending {
	uint64_t id;
	struct question q; /* strings owned by this copy */
	unsigned waiting;  /* calls that wait on it */
};
struct pending *approve_pending(struct approve *a, size_t *n);
void pending_free(struct pending *p, size_t n);
/**
 * approve_answer() - answer one open question from a front end.
 * @dir: grant this directory instead of the exact object; NULL for the object
 */
int approve_answer(struct approve *a, uint64_t id, enum answer answer, const char *dir, struct err **e);
/** approve_preview() - the change "always" would make to the profile file, as a diff. New string. */
char *approve_preview(struct approve *a, uint64_t id, const char *dir, struct err **e);

/**
 * approve_serve() - one message of the control socket: MSG_PENDING_LIST, MSG_ANSWER, MSG_PREVIEW,
 * MSG_GRANT_LIST, MSG_REVOKE and MSG_WATCH are answered on @fd, which should not block: a
 * watcher that does not read is dropped.
 * Return: 0, or -1 when the connection is to be closed (not one of these messages, or it cannot be written to).
 */
int approve_serve(struct approve *a, int fd, const struct msg *m, struct err **e);
/** approve_unserve() - the connection @fd is about to be closed; it watches no longer. */
void approve_unserve(struct approve *a, int fd);

/* `nono approve`, `nono grants`. Return: exit status. */
int approve_command(int argc, char **argv);
int grants_command(int argc, char **argv);

#endif
