/* SPDX-License-Identifier: Apache-2.0 */
/* program.h - programs that run outside the sandbox: openers, approvers, scripts around a session. */
#ifndef NONO_BASE_PROGRAM_H
#define NONO_BASE_PROGRAM_H

#include "base/base.h"

/** struct program - how one is started: no signal blocked or ignored, apart from the session's terminal jobs. */
struct program {
	const char *dir;  /* where it starts; NULL: where nono is */
	int in, out, err; /* -1: /dev/null */
	bool session;     /* in a session of its own, without a terminal; else in a process group of its own */
	char *const *env;
};
/**
 * program_start() - start argv[0], which is looked for in PATH when it has no slash.
 * Return: its pid, or -errno.
 */
pid_t program_start(const struct program *p, const char *const argv[]);

#endif
