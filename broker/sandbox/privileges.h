/* SPDX-License-Identifier: Apache-2.0 */
/* privileges.h - capabilities of the program and of the broker. */
#ifndef NONO_PRIVILEGES_H
#define NONO_PRIVILEGES_H

/**
 * privileges_drop_program() - leave the calling thread only the capabilities
 * with which root uses files of others (privileges.c says which and why); an
 * ordinary user has none before and none after. Async-signal-safe.
 * Return: 0 or -errno.
 */
int privileges_drop_program(void);
/** privileges_drop_broker() - give up what the broker never needs: devices, modules, clocks. Return: 0 or -errno. */
int privileges_drop_broker(void);

#endif
