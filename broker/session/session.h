/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session.h - one run: its identity, directories, registry entry, terminal, processes and control socket.
 */
#ifndef NONO_SESSION_H
#define NONO_SESSION_H

#include "policy/policy.h"

struct event_base;
struct session;

/** struct session_options - what `run` and `shell` decided. Borrowed. */
struct session_options {
	const struct profile *profile; /* merged, flags included */
	const char *profile_ref;       /* NULL without --profile */
	const char *manifest;          /* --config: the file that says everything, also about the working directory */
	char *const *argv;
	const char *name;
	const char *approver;
	unsigned approver_timeout;
	bool allow_cwd, allow_gpu, dry_run, no_diagnostics, diagnostics_json;
	const char *workdir;
	bool shell; /* `nono shell` */
};
/** session_run() - the whole run. Return: the exit status of nono. */
int session_run(const struct session_options *o);
/**
 * session_tree_connect() - what connect() to the tree socket means for a trapped caller.
 * @fd: a duplicate of the caller's SOCK_SEQPACKET socket, from trap_get_fd()
 * @tgid: the caller, from the notification; requests on the connection are taken for its
 * Thread-safe, does not wait. Return: 0 or -errno.
 */
int session_tree_connect(int fd, pid_t tgid);
/** session_wrap() - restrict and exec in place. Return: exit status, only on failure. */
int session_wrap(const struct session_options *o);

/** struct session_info - a registry entry, for `nono approve`, `grants`, `why` in another terminal. */
struct session_info {
	char *id, *name, *profile, *command, *workdir, *control; /* control: path of the control socket */
	pid_t pid, child;
	int64_t started;
};
/** session_list() - live sessions of this user, newest first. */
struct session_info *session_list(size_t *n);
/** session_find() - by id prefix or name; NULL @ref: the only or newest one. */
int session_find(const char *ref, struct session_info *out, struct err **e);
void session_info_free(struct session_info *s, size_t n);

#endif
