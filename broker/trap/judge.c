/* SPDX-License-Identifier: Apache-2.0 */
/* judge.c - one decision for one operation of a trapped call. */
#include "trap/internal.h"

#include <errno.h>

enum judged judge(struct trap_call *c, enum operation op, const char *asked, const char *path, struct decision *out)
{
	struct decision d = policy_check_path(c->t->cfg.policy, op, path);
	if (out)
		*out = d;
	if (d.verdict == VERDICT_ALLOW)
		return d.kernel && c->t->cfg.kernel_floor ? JUDGED_KERNEL : JUDGED_BROKER;
	if (trap_once(c, op, path) && d.verdict != VERDICT_NEVER)
		return JUDGED_BROKER;
	struct trap_object o = {.op = op, .asked = asked, .resolved = path};
	trap_refuse_or_ask(c, &o, d, EACCES);
	return JUDGED_ANSWERED;
}

bool continue_if_kernel(struct trap_call *c, enum judged all)
{
	if (all != JUDGED_KERNEL)
		return false;
	trap_continue(c); /* Landlock judges the same call again: what the caller changed since gains nothing */
	return true;
}
