/* SPDX-License-Identifier: Apache-2.0 */
/* seccomp.h - the system call filter: what is refused outright, what goes to the broker. */
#ifndef NONO_SECCOMP_H
#define NONO_SECCOMP_H

#include "policy/policy.h"

#include <linux/filter.h>

/** enum filter_traps - which path calls go to the broker. */
enum filter_traps {
	FILTER_KERNEL_ONLY, /* no listener: nothing is trapped */
	FILTER_TRAP_FULL,   /* every path call that does not carry TRAP_LANE */
	FILTER_TRAP_SHIM,   /* only path calls that carry TRAP_AGAIN: programs with the shim */
	FILTER_TRAPS
};

/** struct filter_key - what a filter depends on. */
struct filter_key {
	enum filter_traps traps;
	enum net_mode net;
	bool tcp_judged;  /* Landlock judges TCP (ABI 4); otherwise restricted networks lose TCP too */
	bool cuts_judged; /* Landlock judges truncation (ABI 3); otherwise the broker does */
};

/** filter_key_of() - the filter that @p needs. */
struct filter_key filter_key_of(const struct policy *p, bool supervise, int abi);

/**
 * filter_build() - make the filter with libseccomp.
 * @out: receives instructions the caller frees (out->filter)
 */
int filter_build(const struct filter_key *key, struct sock_fprog *out, struct err **e);
/** struct embedded_filter - a filter made when nono was built. */
struct embedded_filter {
	struct filter_key key;
	unsigned short len;
	const struct sock_filter *code;
};
/** struct embedded_filters - all of them; generate/filters.c makes the nono program's, other programs have none. */
struct embedded_filters {
	const struct embedded_filter *v;
	size_t n;
};
extern const struct embedded_filters embedded_filters;

/**
 * filter_get() - the filter, from the embedded table when it is there, else built.
 * @made: set to memory to free, or NULL
 */
int filter_get(const struct filter_key *key, struct sock_fprog *out, void **made, struct err **e);

#endif
