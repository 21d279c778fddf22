/* SPDX-License-Identifier: Apache-2.0 */
/* judge.c - one decision for one operation of a trapped call. */
#include "trap/internal.h"

#include <errno.h>
#include <fcntl.h>

/* Whether entries of the directory above @path can be made or removed. Return: 0 or an errno. */
static int entry_refused(const char *path, bool removing)
{
	cleanup_free char *dir = path_dir(path);
	struct stat d, st;
	if (faccessat(AT_FDCWD, dir, W_OK | X_OK, AT_EACCESS) < 0)
		return errno;
	bool sticky = removing && geteuid() != 0 && stat(dir, &d) == 0 && (d.st_mode & S_ISVTX) &&
		      d.st_uid != geteuid() && lstat(path, &st) == 0 && st.st_uid != geteuid();
	return sticky ? EPERM : 0;
}

int refused_anyway(enum operation op, const char *path)
{
	static const int modes[OP_COUNT] = {
		[OP_READ] = R_OK, [OP_WRITE] = W_OK, [OP_EXECUTE] = X_OK, [OP_UNIX_CONNECT] = W_OK};
	int err = 0;
	if (op == OP_CREATE || op == OP_DELETE || op == OP_UNIX_BIND)
		err = entry_refused(path, op == OP_DELETE);
	else if (modes[op] && faccessat(AT_FDCWD, path, modes[op], AT_EACCESS) < 0)
		err = errno;
	return err == EACCES || err == EPERM || err == EROFS ? err : 0;
}

enum judged judge(struct trap_call *c, enum operation op, const char *asked, const char *path, struct decision *out)
{
	struct decision d = policy_check_path(c->t->cfg.policy, op, path);
	if (out)
		*out = d;
	if (d.verdict == VERDICT_ALLOW)
		return d.kernel && trap_kernel_judges(c) ? JUDGED_KERNEL : JUDGED_BROKER;
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
