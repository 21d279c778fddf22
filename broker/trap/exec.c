/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exec.c - execve and execveat.
 *
 * An execution cannot be made on behalf: only the caller can become the program.
 * So every permitted one is continued and Landlock judges it, together with the
 * interpreter a script names. What the kernel's rules do not cover is refused here
 * with a record that names the flag; the rules of a running program cannot grow.
 */
#include "trap/internal.h"

#include <errno.h>
#include <fcntl.h>

static void execute(struct trap_call *c, int dirfd, uint64_t path, int flags)
{
	cleanup_object struct object o = {.fd = -1, .parent = -1};
	unsigned how =
		(flags & AT_EMPTY_PATH ? RESOLVE_EMPTY : 0) | (flags & AT_SYMLINK_NOFOLLOW ? RESOLVE_NOFOLLOW : 0);
	if (object_resolve(c, dirfd, path, how, 0, &o) < 0 || o.native || !S_ISREG(o.st.st_mode)) {
		trap_continue(c); /* fails by itself, or has no path (memfd): Landlock judges it */
		return;
	}
	struct decision d = policy_check_path(c->t->cfg.policy, OP_EXECUTE, o.path);
	/* without the x bit the kernel says EACCES for a reason that is not ours */
	if ((d.verdict == VERDICT_ALLOW && d.kernel) || !(o.st.st_mode & 0111)) {
		trap_continue(c);
		return;
	}
	struct trap_object what = {.op = OP_EXECUTE, .asked = o.asked, .resolved = o.path};
	d.verdict = VERDICT_NEVER; /* not asked: a yes could not make it run */
	trap_refuse_or_ask(c, &what, d, EACCES);
}

void handle_execve(struct trap_call *c)
{
	execute(c, AT_FDCWD, trap_arg(c, 0), 0);
}

void handle_execveat(struct trap_call *c)
{
	execute(c, (int)trap_arg(c, 0), trap_arg(c, 1), (int)trap_arg(c, 4));
}
