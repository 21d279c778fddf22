/* SPDX-License-Identifier: Apache-2.0 */
/* entries.c - what the tree finds in PATH and BROWSER instead of the host's openers. */
#include "open/entries.h"

#include "open/open.h"
#include "proto/openers.h"

#include <errno.h>
#include <fcntl.h>
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

bool entries_running(const char *entry, pid_t pid)
{
	char path[64];
	struct stat own, st;
	cleanup_free char *name = NULL;
	snprintf(path, sizeof path, "/proc/%d/exe", (int)pid);
	if (stat(path, &st) < 0 || stat(entry, &own) < 0 || st.st_dev != own.st_dev || st.st_ino != own.st_ino)
		return false;
	/* the kernel names a process after the path it executed, so other uses of nono are told apart */
	snprintf(path, sizeof path, "/proc/%d/comm", (int)pid);
	return file_read(path, 64, &name, NULL, NULL) == 0 && opener_named(name, strcspn(name, "\n")) != NULL;
}

/* Where this program is, as the kernel tells it. New string, NULL with an error. */
static char *own_program(struct err **e)
{
	char *exe = path_of_link("/proc/self/exe");
	if (!exe)
		err_set(e, errno, "cannot find nono's own program");
	return exe;
}

/* Fill the directory @dir with links to @target. */
static int make_links(const char *target, const char *dir, struct err **e)
{
	cleanup_fd int at = open(dir, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (at < 0)
		return err_set(e, errno, "cannot use %s", dir);
	for (size_t i = 0; i < N_OPENERS; i++)
		if (symlinkat(target, at, openers[i].name) < 0)
			return err_set(e, errno, "cannot make %s/%s", dir, openers[i].name);
	return 0;
}

/* What the entries depend on, as a name: another nono, or one with other openers, has others. */
static char *shared_name(const char *runtime, const char *target)
{
	uint64_t h = 14695981039346656037U; /* FNV-1a */
	for (const char *c = target; *c; c++)
		h = (h ^ (unsigned char)*c) * 1099511628211U;
	for (size_t i = 0; i < N_OPENERS; i++)
		for (const char *c = openers[i].name; *c; c++)
			h = (h ^ (unsigned char)*c) * 1099511628211U;
	return xasprintf("%s/openers-%016llx", runtime, (unsigned long long)h);
}

char *open_shared_entries(const char *runtime, struct err **e)
{
	cleanup_free char *target = own_program(e);
	if (!target)
		return NULL;
	cleanup_free char *dir = shared_name(runtime, target);
	struct stat st;
	if (lstat(dir, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid())
		return steal_ptr(&dir);
	/* made under another name, so that nobody finds it unfinished; whoever is first wins */
	cleanup_free char *draft = xasprintf("%s.%d", dir, (int)getpid());
	dir_remove(draft, NULL); /* of somebody who was killed here and had our number */
	if (mkdir(draft, 0700) < 0) {
		err_set(e, errno, "cannot make %s", draft);
		return NULL;
	}
	bool made = make_links(target, draft, e) == 0;
	bool ours = made && rename(draft, dir) == 0;
	int err = errno;
	if (!ours)
		dir_remove(draft, NULL);
	if (ours || (made && (err == EEXIST || err == ENOTEMPTY)))
		return steal_ptr(&dir);
	if (made)
		err_set(e, err, "cannot make %s", dir);
	return NULL;
}

/* A copy of nono in @dir. New string. */
static char *copy_program(const char *dir, struct err **e)
{
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

int entries_make(const struct policy *policy, const char *shared, const char *dir, struct err **e)
{
	cleanup_free char *exe = own_program(e);
	if (!exe)
		return -1;
	bool executable = policy_check_path(policy, OP_EXECUTE, exe).kernel;
	if (executable && shared)
		return symlink(shared, dir) < 0 ? err_set(e, errno, "cannot make %s", dir) : 0;
	if (mkdir(dir, 0700) < 0)
		return err_set(e, errno, "cannot make %s", dir);
	cleanup_free char *target = executable ? steal_ptr(&exe) : copy_program(dir, e);
	return target ? make_links(target, dir, e) : -1;
}
