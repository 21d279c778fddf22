/* SPDX-License-Identifier: Apache-2.0 */
/*
 * quiet.c - paths that programs try although nothing depends on it
 * (filesystem.suppress_save_prompt): refused without a question.
 */
#include "policy/internal.h"

#include <fnmatch.h>

int quiet_compile(struct compile *c, struct err **e)
{
	const struct items *l = &c->profile->fs.suppress_save_prompt;
	for (size_t k = 0; k < l->n; k++) {
		cleanup_strv struct strv paths = {0};
		cleanup_err struct err *unset = NULL;
		bool flag = l->v[k].origin.source == SOURCE_USER;
		/* what a profile names by a variable that is not set here is not tried here */
		if (profile_expand(c->env->expansion, &l->v[k], &paths, flag ? e : &unset) < 0 && flag)
			return err_wrap(e, "cannot expand %s", l->v[k].value);
		for (size_t j = 0; j < paths.n; j++) {
			struct stat st;
			bool exists;
			strv_take(&c->p->quiet, strpbrk(paths.v[j], "*?[")
							? xstrdup(paths.v[j])
							: canon_path(&c->canon, paths.v[j], &st, &exists));
		}
	}
	return 0;
}

bool policy_quiet(const struct policy *p, enum operation op, const char *object)
{
	if (op > OP_ATTR && op != OP_UNIX_CONNECT && op != OP_UNIX_BIND)
		return false;
	for (size_t i = 0; i < p->quiet.n; i++)
		if (fnmatch(p->quiet.v[i], object, 0) == 0 || strcmp(p->quiet.v[i], object) == 0)
			return true;
	return false;
}
