/* SPDX-License-Identifier: Apache-2.0 */
/* internal.h - what the files of the trap room share. */
#ifndef NONO_TRAP_INTERNAL_H
#define NONO_TRAP_INTERNAL_H

#include "trap/trap.h"

#include <limits.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>

/** struct token - "once": this call may do this to this object. */
struct token {
	enum operation op;
	char *object;
};
#define MAX_TOKENS 4
#define MOST_AGAIN 2 /* each time takes stack */

/** struct trap_call - one notification. On a receiver's stack; parked calls are copies on the heap. */
struct trap_call {
	struct trap *t;
	const struct trap_row *row;
	struct seccomp_notif n;
	pid_t tgid; /* 0: not read yet */
	bool answered, gave_fd;
	unsigned again;      /* how often it was started over because somebody else was faster */
	struct token *token; /* NULL as long as there is none: calls wait by the thousand */
	unsigned n_tokens;
};

struct parked; /* a call that waits for a person, see ask.c */
struct caller; /* a process with such calls */

/** struct trap - the room. */
struct trap {
	struct trap_config cfg;
	int listener, stop; /* stop: eventfd */
	const struct trap_row *by_nr[512];
	pthread_mutex_t lock;
	pthread_cond_t ended, wanted, active;
	pid_t tid[256];             /* of receivers, to wake them at the end */
	unsigned receivers, parked; /* threads; of them parked */
	unsigned processors;
	unsigned called;           /* parked ones that are to wait again */
	_Atomic unsigned waiting;  /* in receive, or on their way there */
	_Atomic uint64_t received; /* calls so far */
	unsigned workers;          /* threads that run answered calls again, and the watchdog */
	bool stopping, dog_sleeps;
	int deaths; /* epoll of pidfds of callers that wait for a person */
	pthread_t undertaker;
	bool undertaking;
	struct caller *callers[64]; /* processes with calls that wait for a person, by their number */
	struct parked *answered, **answered_end;
	struct created *created;
	pthread_mutex_t copying; /* guards what follows */
	struct exec_copy *copies;
	unsigned n_copies;
	struct permit *permits;
	struct quick *quick;
};

/* loop.c */
/** trap_run() - run the handler of a call; it answers or parks. */
void trap_run(struct trap_call *c);
/** trap_call_free() - release what a call holds besides its notification. */
void trap_call_free(struct trap_call *c);

/** trap_handle() - everything about one notification. Return: whether the caller was given a descriptor. */
bool trap_handle(struct trap *t, const struct seccomp_notif *n);

/* wait.c */
/** waits_look_after() - wake the watcher if a call may be blocked. Return: whether there is one. */
bool waits_look_after(void);

/* receivers.c */
/** spawn() - a detached thread with a small stack. */
int spawn(void *(*fn)(void *), void *arg);
int receivers_start(struct trap *t, struct err **e);
/** receivers_stop() - after t->stopping was set. Return: whether all threads have ended. */
bool receivers_stop(struct trap *t);
/** receivers_make_room() - this thread is going to block: somebody else must be there to receive. */
void receivers_make_room(struct trap *t);

/* ask.c */
int ask_start(struct trap *t, struct err **e);
/** ask_stop() - refuse every parked call and end the threads. */
void ask_stop(struct trap *t);

/* caller.c */
/** caller_dir() - an O_PATH descriptor of the caller's directory @dirfd (AT_FDCWD: its current one). -errno. */
int caller_dir(struct trap_call *c, int dirfd);
/** caller_forget() - a thread that served calls ends, or will not for a while: close what it kept open of a caller. */
void caller_forget(void);
mode_t caller_umask(struct trap_call *c);
/** caller_file_limit() - RLIMIT_FSIZE of the caller. */
uint64_t caller_file_limit(struct trap_call *c);
/** process_number() - the number behind @key ("\nTgid:") in /proc/@pid/status; -1 when it cannot be read. */
pid_t process_number(pid_t pid, const char *key);

/* resolve.c */
/** How the last component is treated. */
#define RESOLVE_NOFOLLOW 1U /* a link there is the object */
#define RESOLVE_PARENT 2U   /* pin the parent and the name: the entry itself is changed */
#define RESOLVE_EMPTY 4U    /* AT_EMPTY_PATH: "" is the descriptor itself */
/** struct object - what a path led to, pinned. */
struct object {
	int fd;     /* O_PATH; -1 when it does not exist (RESOLVE_PARENT) */
	int parent; /* O_PATH of the parent directory, with RESOLVE_PARENT */
	char name[NAME_MAX + 1];
	char path[PATH_MAX];  /* canonical */
	char asked[PATH_MAX]; /* as the caller wrote it */
	bool exists, trailing_slash;
	bool native; /* a descriptor of the caller's that is no file with a path: the kernel's business */
	struct stat st;
};
#define cleanup_object __attribute__((cleanup(object_close)))
void object_close(struct object *o);
/**
 * object_resolve() - resolve the caller's path.
 * @resolve: openat2 resolve flags of the caller's own
 * Return: 0 or -errno, the errno the program would get.
 */
int object_resolve(
	struct trap_call *c, int dirfd, uint64_t path_addr, unsigned flags, uint64_t resolve, struct object *o);
/**
 * object_read() and object_find() - the two halves of object_resolve(): read the path into @o->asked, look it up.
 * Return: length of the path or -errno; 0 or -errno.
 */
ssize_t object_read(struct trap_call *c, uint64_t path_addr, unsigned flags, struct object *o);
int object_find(struct trap_call *c, int dirfd, unsigned flags, uint64_t resolve, struct object *o);
/** object_of_fd() - the object behind a descriptor of the caller; o->fd is a duplicate (not O_PATH). */
int object_of_fd(struct trap_call *c, int fd, struct object *o);
/** fd_path() - canonical path of a descriptor, and what it is. Return: 0 or -errno; -ENOENT when none leads to it. */
int fd_path(int fd, char *out, size_t size, struct stat *st);

/** trap_kernel_judges() - whether the kernel judges this very call, so that it may go on. */
bool trap_kernel_judges(const struct trap_call *c);
/** trap_continue_or() - let the kernel go on; answer @err where it would not judge the call. */
void trap_continue_or(struct trap_call *c, int err);

/* judge.c */
enum judged { JUDGED_KERNEL, JUDGED_BROKER, JUDGED_ANSWERED };
/**
 * judge() - decide one operation on a canonical path; asks or refuses by itself.
 * Return: JUDGED_ANSWERED when the call has ended or waits; otherwise whether the kernel allows it too.
 */
enum judged judge(struct trap_call *c, enum operation op, const char *asked, const char *path, struct decision *out);
/**
 * refused_anyway() - the errno with which the file's mode, its directory's or a read-only file system refuse this,
 * whatever the policy says; 0 when they don't. It only ever turns one refusal into another: what is not the sandbox's
 * doing is neither asked about nor recorded.
 */
int refused_anyway(enum operation op, const char *path);
/** continue_or() - answer CONTINUE when the kernel allows it too and judges the same call again; false: act. */
bool continue_if_kernel(struct trap_call *c, enum judged all);

/* quick.c */
struct quick; /* directories in which the kernel granted something lately */
struct quick *quick_new(void);
/** quick_free() - NULL-safe. */
void quick_free(struct quick *q);
/**
 * quick_open() - let an open without O_CREAT go on when it is known to be the kernel's to judge.
 * @o: from object_read()
 * Return: whether the call is answered.
 */
bool quick_open(struct trap_call *c, int dirfd, const struct object *o, uint64_t flags);
/** quick_remember() - the kernel grants what @o was resolved to. */
void quick_remember(struct trap_call *c, const struct object *o);

/* created.c */
/** created_add() - the session made the file behind @fd. */
void created_add(struct trap *t, int fd);
/** created_has() - whether the session made it. */
bool created_has(struct trap *t, int fd);
void created_free(struct trap *t);

/* exec_copy.c */
/**
 * exec_copy() - a copy of an approved program where the kernel lets the tree execute it.
 * @fd: O_PATH descriptor of the program; @from: its path
 * Return: the copy's path, a new string; NULL with errno.
 */
char *exec_copy(struct trap *t, int fd, const char *from);
void exec_copies_free(struct trap *t);
/** permit_add() - the calling process may read @path: it was allowed to run it, as a script. */
void permit_add(struct trap_call *c, const char *path);
bool permit_has(struct trap_call *c, const char *path);
void permits_free(struct trap *t);

/* exec_steer.c */
/**
 * exec_steer() - answer an execution by making the caller execute @path instead.
 * @argv: what comes before the second of the caller's arguments; empty: they stay as they are
 * @old_argv, @envp: addresses in the caller
 * The caller gets the error of the new call; EACCES when it cannot be steered.
 */
void exec_steer(struct trap_call *c, const char *path, const struct strv *argv, uint64_t old_argv, uint64_t envp);

/* handlers */
void handle_open(struct trap_call *c);
void handle_openat(struct trap_call *c);
void handle_openat2(struct trap_call *c);
void handle_creat(struct trap_call *c);
void handle_mkdir(struct trap_call *c);
void handle_mkdirat(struct trap_call *c);
void handle_mknod(struct trap_call *c);
void handle_mknodat(struct trap_call *c);
void handle_symlink(struct trap_call *c);
void handle_symlinkat(struct trap_call *c);
void handle_unlink(struct trap_call *c);
void handle_unlinkat(struct trap_call *c);
void handle_rmdir(struct trap_call *c);
void handle_rename(struct trap_call *c);
void handle_renameat(struct trap_call *c);
void handle_renameat2(struct trap_call *c);
void handle_link(struct trap_call *c);
void handle_linkat(struct trap_call *c);
void handle_truncate(struct trap_call *c);
void handle_execve(struct trap_call *c);
void handle_execveat(struct trap_call *c);
void handle_attr(struct trap_call *c);

#endif
