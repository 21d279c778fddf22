/* SPDX-License-Identifier: Apache-2.0 */
/*
 * explain.h - why something was refused: denial records, the report at the end,
 * `nono why`, the capability file, `nono doctor`.
 * Nothing is blamed on the sandbox that the broker or Landlock did not refuse.
 */
#ifndef NONO_EXPLAIN_H
#define NONO_EXPLAIN_H

#include "policy/policy.h"

struct explain;
/** explain_start() - open the session's denial log below the state directory (denials/<session>.jsonl). */
int explain_start(struct explain **x, const char *session_id, const struct policy *policy, struct err **e);
/** explain_stop() - close the log; records stay for `nono why ID`. */
void explain_stop(struct explain *x);

struct denial {
	enum operation op;
	const char *asked, *resolved;
	unsigned port; /* 0: not known, as for a lookup of the name */
	bool udp;
	pid_t tgid;
	const char *program, *parent;
	struct decision decision;
	int err;            /* the errno that was returned */
	const char *answer; /* "no", "never", "not asked", ... */
};
/** explain_denial() - record a refusal; equal ones are counted. Thread-safe. Return: its number in this session. */
unsigned explain_denial(struct explain *x, const struct denial *d);
/** explain_grant() - record what a person allowed, for the same log. */
void explain_grant(struct explain *x, const struct denial *d);
/** explain_report() - the short report on standard error when there were refusals. @argv: the command that was run. */
void explain_report(struct explain *x, char *const argv[], bool json);

/** capfile_write() - the capability file (NONO_CAP_FILE) that programs in the tree may read. */
int capfile_write(const struct policy *p, const char *path, struct err **e);

int why_command(int argc, char **argv);
int doctor_command(int argc, char **argv);

#endif
