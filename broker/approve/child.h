/* SPDX-License-Identifier: Apache-2.0 */
/* child.h - helpers the front ends start on the host: the approver, tmux. */
#ifndef NONO_APPROVE_CHILD_H
#define NONO_APPROVE_CHILD_H

#include "base/base.h"

/**
 * child_start() - run a program with the broker's own environment, in a process group of its own, with
 * no signals blocked, stderr at /dev/null.
 * @in, @out: standard input and output; -1: /dev/null
 * Return: its pid, or -1.
 */
pid_t child_start(const char *const argv[], int in, int out, struct err **e);
/** child_end() - kill the process group if it still runs, and reap the child. */
void child_end(pid_t pid);
/** front_chosen() - whether NONO_ASK names this front end, or it is one of @default_on when NONO_ASK is not set. */
bool front_chosen(const char *name, bool default_on);

#endif
