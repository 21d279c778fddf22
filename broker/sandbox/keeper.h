/* SPDX-License-Identifier: Apache-2.0 */
/* keeper.h - a process that ends the tree when the broker and the guard are killed together. */
#ifndef NONO_KEEPER_H
#define NONO_KEEPER_H

#include <sys/types.h>

/**
 * keeper_start() - called by the process that is to become the program, before it enters its own domain:
 * enter a Landlock domain that scopes signals, and start the keeper in it, as a child of @broker.
 * Async-signal-safe; no_new_privs must be set.
 * Return: the keeper's pid, or -errno.
 */
pid_t keeper_start(pid_t broker);

#endif
