/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sandbox.h - policy to kernel: Landlock, the seccomp filter, the environment, launch.
 */
#ifndef NONO_SANDBOX_H
#define NONO_SANDBOX_H

#include "policy/policy.h"
#include "sandbox/landlock.h"

#include <signal.h>

/** struct kernel_features - what this machine has; detected once (features.c). */
struct kernel_features {
	int landlock_abi; /* 0: none */
	unsigned landlock_errata;
	bool listener;       /* a seccomp listener can be installed */
	bool listener_taken; /* another listener is there already (nested, WSL2, container) */
	bool wait_killable, sync_wake_up;
	bool user_namespaces;
	int yama; /* -1: not present */
	bool wsl2;
	bool cgroup_v2_delegated;
};
const struct kernel_features *kernel_features(void);
/** listener_taken() - whether somebody listens to our system calls already. Cheap where nobody filters them. */
bool listener_taken(void);

/** struct launch - everything a start needs; borrowed. */
struct launch {
	const struct policy *policy;
	char *const *argv;
	const char *program; /* absolute path */
	char *const *envp;   /* complete, see environment_build() */
	const char *workdir;
	bool supervise;       /* install the listener */
	int ruleset;          /* complete, from launch_ruleset_begin(); -1: made by launch_start() */
	const char *cgroup;   /* directory to join, NULL if none */
	const sigset_t *mask; /* signal mask of the program; NULL: the caller's */
};
/**
 * launch_ruleset_begin() - the Landlock ruleset for a start, to be completed by landlock_build_add() on any threads.
 * Return: 0 or -1.
 */
int launch_ruleset_begin(struct landlock_build *b, const struct policy *p, bool supervise, struct err **e);
/**
 * launch_start() - new process, restrict, exec. Returns when the program has been executed.
 * @pid: the program; @listener: the seccomp listener (-1 when not supervised)
 * @keeper: the process that ends the tree should guard and broker be killed together, 0 where the
 * kernel can't have one; the caller kills and reaps it when the program has ended
 * Errors are reported with the exit status to use (126, 127) in the error's code; EBUSY there
 * means that another listener is installed already: start again with supervise false.
 */
int launch_start(const struct launch *l, pid_t *pid, pid_t *keeper, int *listener, struct err **e);
/** launch_in_place() - `nono wrap`: restrict this process and exec; returns only on failure. */
int launch_in_place(const struct launch *l, struct err **e);

/** struct environment_extra - variables nono adds. */
struct environment_extra {
	const struct pairs *secrets; /* variable -> value */
	const char *cap_file, *tmpdir, *shim, *browser, *path_prefix;
	const char *workdir;       /* what $WORKDIR in set_vars stands for */
	const struct pairs *more;  /* proxy variables and the like */
	const struct pairs *hooks; /* of the script that ran before; everything else here wins over them */
};
/** environment_build() - the sanitised environment of the program. New vector. */
struct strv environment_build(const struct policy *p, const struct environment_extra *x);
/** environment_dangerous() - whether a variable can change what other programs run. Case-insensitive. */
bool environment_dangerous(const char *name);

/** cgroup_create() - a cgroup v2 with the limits; *path NULL when no limit is set. */
int cgroup_create(const struct limits *l, const char *session_id, char **path, struct err **e);
/** cgroup_possible() - whether cgroup_create() would find a group for all limits. */
bool cgroup_possible(void);
/** cgroup_destroy() - kill what is left in it, remove it. Return: number of OOM kills seen. */
unsigned cgroup_destroy(const char *path);

#endif
