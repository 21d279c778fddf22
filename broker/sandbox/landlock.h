/* SPDX-License-Identifier: Apache-2.0 */
/*
 * landlock.h - the policy's kernel rules as a Landlock domain.
 *
 * The parent builds the ruleset (landlock_prepare()), the child enters it
 * (landlock_enter()) with system calls only, so it may be called after fork or
 * vfork from any state.
 */
#ifndef NONO_LANDLOCK_H
#define NONO_LANDLOCK_H

#include "policy/policy.h"

#include <stdatomic.h>

/** struct landlock_options - what a broker takes over from the kernel's rules. */
struct landlock_options {
	/*
	 * Path calls are trapped: entries of write-only directories are made by the
	 * broker, and nothing of /proc is granted.
	 */
	bool broker_files;
	/*
	 * Sockets are trapped: the tree has no right to connect or bind, the broker does
	 * it on the tree's sockets. Otherwise ports are ruled by the profile's port lists.
	 */
	bool broker_sockets;
};

/** landlock_abi() - the running kernel's ABI version, 0 without Landlock. */
int landlock_abi(void);
/** landlock_limit_abi() - behave as on a kernel with this version; lets tests see older ones. -1: no limit. */
void landlock_limit_abi(int abi);
/** landlock_errata() - bit n-1 set: erratum n is fixed. 0 where the kernel can't tell. */
unsigned landlock_errata(void);
/** struct landlock_build - a ruleset that several threads are making. */
struct landlock_build {
	const struct policy *policy;
	struct landlock_options options;
	int ruleset; /* the caller's; -1 when begin failed */
	uint64_t handled;
	_Atomic size_t next; /* of the policy's kernel rules */
};
/** landlock_build_begin() - the empty ruleset. Return: 0 or -1, as landlock_prepare(). */
int landlock_build_begin(
	struct landlock_build *b, const struct policy *p, const struct landlock_options *o, struct err **e);
/**
 * landlock_build_add() - add rules until nobody has one left to begin. Any number of threads; the ruleset is
 * complete when all of them have returned 0.
 */
int landlock_build_add(struct landlock_build *b, struct err **e);
/**
 * landlock_prepare() - build the ruleset.
 * Return: a close-on-exec descriptor, or -1: no Landlock, or the policy requires
 * something this kernel's version lacks.
 */
int landlock_prepare(const struct policy *p, const struct landlock_options *o, struct err **e);
/**
 * landlock_enter() - restrict the calling thread for good; no_new_privs must be set.
 * @own_proc: without a broker: let the process read its own /proc entry
 * Async-signal-safe. Return: 0 or -errno.
 */
int landlock_enter(int ruleset, bool own_proc);
/** landlock_missing() - what this kernel's Landlock does not judge: "truncation (Linux 6.2)". */
struct strv landlock_missing(void);

#endif
