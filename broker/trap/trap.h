/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trap.h - trapped calls: receive, read the caller, resolve, decide, act, answer.
 *
 * One listener, and threads that each handle what they receive to its end; see receivers.c.
 * Handlers work on a struct trap_call and must end in exactly one trap_* answer.
 * A call that waits for a person holds no thread: the question is parked and,
 * when answered, the handler runs again from the start with what the caller's
 * memory says then; an answer of "once" is a token for that call and object only.
 */
#ifndef NONO_TRAP_H
#define NONO_TRAP_H

#include "proto/lane.h"
#include "policy/policy.h"

#include <sys/socket.h>

struct trap;
struct trap_call;

/** Why an answer of CONTINUE is safe; every call-table row names one. */
enum continue_reason {
	CONTINUE_NEVER,    /* the broker always acts itself */
	CONTINUE_LANDLOCK, /* Landlock judges the same call again, a race gains nothing */
	CONTINUE_REGISTER, /* decided on register values only, which cannot change */
	CONTINUE_HARMLESS, /* the call fails or has no effect beyond the caller */
};

/** Which sessions trap a row. */
enum trap_when {
	TRAP_FILES,   /* supervision full or shim */
	TRAP_SOCKETS, /* connect, bind, listen: always while there is a broker */
	TRAP_UDP,     /* socket(), socketpair() of datagram types: internet ones only when the network is filtered */
};

/**
 * How a call can cut a file to nothing. Landlock judges that from ABI 3 on; before, such calls neither take
 * the lane nor go on to the kernel: the broker makes them.
 */
enum trap_cuts {
	CUTS_NOT,
	CUTS_BY_FLAG_1, /* with O_TRUNC in argument 1 */
	CUTS_BY_FLAG_2, /* with O_TRUNC in argument 2 */
	CUTS_ALWAYS,    /* whatever its arguments */
	CUTS_BY_MEMORY, /* by a flag in memory, where it may change: ENOSYS before ABI 3 */
};

/** struct trap_row - one row of the call table (calls.c). */
struct trap_row {
	const char *name;
	int nr;            /* -1 where this architecture has no such call */
	enum operation op; /* the main operation, for explanations */
	enum trap_when when;
	bool lane; /* may take the lane: Landlock judges it fully */
	enum trap_cuts cuts;
	enum continue_reason safe;
	void (*handle)(struct trap_call *c);
};
/** trap_table() - the call table; the seccomp filter is generated from it. */
const struct trap_row *trap_table(size_t *n);

/** struct trap_config - what the room works with; all borrowed and outliving it. */
struct trap_config {
	struct policy *policy;
	struct approve *approve; /* NULL: nothing is ever asked */
	struct explain *explain;
	struct net *net;         /* may be NULL: sockets follow policy_check only */
	struct open_room *open;  /* may be NULL: openers are executed like everything else */
	pid_t root;              /* first process of the tree */
	bool kernel_floor;       /* Landlock enforces: CONTINUE_LANDLOCK is meaningful */
	bool cuts_judged;        /* it judges truncation, too (ABI 3) */
	const char *tree_socket; /* path of the socket the tree may always connect to, NULL if none */
	const char *session_dir; /* what the tree may read and execute, but not change */
};

/** trap_start() - take over @listener and serve it until trap_stop(). Takes ownership of the descriptor. */
int trap_start(struct trap **t, int listener, const struct trap_config *cfg, struct err **e);
void trap_stop(struct trap *t);
/** trap_owns() - whether @tgid is a live process of the tree (shares the listener's filter ancestry). */
bool trap_owns(struct trap *t, pid_t tgid);

/* ---- for handlers in this and other rooms -------------------------------- */

const struct trap_config *trap_cfg(const struct trap_call *c);
const struct trap_row *trap_row(const struct trap_call *c);
uint64_t trap_arg(const struct trap_call *c, unsigned i);
pid_t trap_tid(const struct trap_call *c);
pid_t trap_tgid(struct trap_call *c); /* reads /proc once */
/** trap_read() - copy caller memory; the notification id is checked afterwards. Return: 0 or -errno (-EFAULT). */
int trap_read(struct trap_call *c, uint64_t addr, void *buf, size_t len);
int trap_write(struct trap_call *c, uint64_t addr, const void *buf, size_t len);
/** trap_read_string() - a NUL-terminated string of at most @max-1 bytes. Return: length or -errno (-ENAMETOOLONG). */
ssize_t trap_read_string(struct trap_call *c, uint64_t addr, char *buf, size_t max);
/** trap_get_fd() - a duplicate of the caller's descriptor (pidfd_getfd). Return: descriptor or -errno. */
int trap_get_fd(struct trap_call *c, int fd);
/** trap_alive() - whether the caller still waits for this call. */
bool trap_alive(struct trap_call *c);

/** caller_names() - command names of a process and of its parent, for questions and records. New strings. */
void caller_names(pid_t tgid, char **program, char **parent);

/**
 * trap_blocking() - make a call that may block, until it is done, the caller dies or a signal is delivered to it.
 * @brief: it hardly ever does: others may wait for some milliseconds when it does
 * @call: made on this thread; returns -1 with errno on failure
 * Return: its value, or -errno; -TRAP_RESTART when a signal came: the kernel then restarts the program's
 * call or reports EINTR, as the program's signal action says.
 */
#define TRAP_RESTART 512 /* ERESTARTSYS */
int trap_blocking(struct trap_call *c, bool brief, int (*call)(void *arg), void *arg);

/* Answers. Each ends the call; @c is gone afterwards. */
void trap_continue(struct trap_call *c); /* refused with EACCES if the row's reason is CONTINUE_NEVER */
void trap_errno(struct trap_call *c, int err);
void trap_value(struct trap_call *c, int64_t value);
/** trap_fd() - put @fd (taken over) into the caller and return its number there. @cloexec for the new descriptor. */
void trap_fd(struct trap_call *c, int fd, bool cloexec);
/**
 * trap_put_fd() - put @fd (borrowed) into the caller without answering yet.
 * @at: the number it gets there, in place of what is open under it; -1: the next free one
 * Return: its number there or -errno.
 */
int trap_put_fd(struct trap_call *c, int fd, int at, bool cloexec);
/**
 * struct trap_object - what a refusal or a question is about.
 * asked: as the program named it; resolved: canonical path, "host", URL.
 */
struct trap_object {
	enum operation op;
	const char *asked, *resolved;
	unsigned port; /* network operations */
	bool udp;
};
/**
 * trap_refuse_or_ask() - no rule allows it. Asks when a front end may answer and the
 * verdict permits, and then runs the row's handler again; otherwise records a
 * denial and answers @err.
 */
void trap_refuse_or_ask(struct trap_call *c, const struct trap_object *o, struct decision d, int err);
/** trap_once() - whether the person allowed exactly this call and object "once". */
bool trap_once(struct trap_call *c, enum operation op, const char *resolved);

#endif
