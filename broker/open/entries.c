/* SPDX-License-Identifier: Apache-2.0 */
/* entries.c - what the tree finds in PATH and BROWSER instead of the host's openers. */
#include "open/entries.h"

#include "proto/openers.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/auxv.h>
#include <sys/stat.h>

const struct opener *entries_called(const char *argv0)
{
	/* the kernel's word first: what a program passes as its name is up to the caller */
	const char *names[] = {(const char *)getauxval(AT_EXECFN), argv0};
	const struct opener *o = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(names) && !o; i++) {
		const char *base = names[i] ? path_base(names[i]) : "";
		o = opener_named(base, strlen(base));
	}
	return o;
}

/* The program that serves the names: nono where the tree may execute it, else a copy in @dir. New string. */
static char *helper(const struct policy *policy, const char *dir, struct err **e)
{
	char exe[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
	if (n < 0) {
		err_set(e, errno, "cannot find nono's own program");
		return NULL;
	}
	exe[n] = '\0';
	if (policy_check_path(policy, OP_EXECUTE, exe).kernel)
		return xstrdup(exe);
	char *copy = path_join(dir, "nono");
	cleanup_fd int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	cleanup_fd int to = open(copy, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0500);
	struct stat st;
	bool good = from >= 0 && to >= 0 && fstat(from, &st) == 0;
	for (off_t left = good ? st.st_size : 0; good && left > 0;) {
		ssize_t some = copy_file_range(from, NULL, to, NULL, (size_t)left, 0);
		good = some > 0;
		left -= some;
	}
	if (good)
		return copy;
	err_set(e, errno, "cannot make %s", copy);
	free(copy);
	return NULL;
}

int entries_make(const struct policy *policy, const char *dir, struct err **e)
{
	if (mkdir(dir, 0700) < 0)
		return err_set(e, errno, "cannot make %s", dir);
	cleanup_free char *target = helper(policy, dir, e);
	if (!target)
		return -1;
	cleanup_fd int at = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; i < N_OPENERS; i++)
		if (symlinkat(target, at, openers[i].name) < 0)
			return err_set(e, errno, "cannot make %s/%s", dir, openers[i].name);
	return 0;
}
