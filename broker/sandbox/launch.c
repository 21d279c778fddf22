/* SPDX-License-Identifier: Apache-2.0 */
/*
 * launch.c - start the program: restrict a new process and execute in it.
 *
 * Theory of operation
 * -------------------
 * The child is made with clone(CLONE_VM | CLONE_VFORK | CLONE_FILES): it shares
 * the broker's memory and descriptors and the broker's thread sleeps until the
 * child has executed the program or ended. No page table is copied, errors come
 * back as plain values in memory, and the seccomp listener, which the kernel
 * puts into the table of the process that installs the filter, is in the
 * broker's table at once: nothing has to be sent, which under the trap could
 * not be answered yet, and no right to look into the child is needed. The child
 * leaves the shared table with close_range(CLOSE_RANGE_UNSHARE), which also
 * closes everything but the standard streams.
 *
 * Because the broker's thread sleeps, the child must not trap between
 * installing the filter and executing: close_range is not trapped, and execve
 * takes the lane (trap.h), so that Landlock alone judges the program's file.
 *
 * Order in the child, each step after the ones it would break:
 * directory, signals, limits of what root may do, no_new_privs, Landlock,
 * filter, descriptors, execute. Between clone and execve the child makes
 * system calls only: it runs on the broker's memory.
 */
#include "sandbox/sandbox.h"
#include "sandbox/keeper.h"
#include "sandbox/kernel_abi.h"
#include "sandbox/landlock.h"
#include "sandbox/privileges.h"
#include "sandbox/seccomp.h"
#include "trap/trap.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define CHILD_STACK 65536

/* What failed in the child; the sentence is made by the parent. */
enum stage {
	STAGE_NONE,
	STAGE_PARENT_GONE,
	STAGE_CGROUP,
	STAGE_WORKDIR,
	STAGE_PRIVILEGES,
	STAGE_KEEPER,
	STAGE_LANDLOCK,
	STAGE_FILTER,
	STAGE_CLOSE,
	STAGE_EXEC,
	STAGE_COUNT
};
static const char *const stage_text[] = {
	[STAGE_NONE] = "cannot start %s",
	[STAGE_PARENT_GONE] = "nono ended before %s was started",
	[STAGE_CGROUP] = "cannot put %s into its control group",
	[STAGE_WORKDIR] = "cannot enter the working directory of %s",
	[STAGE_PRIVILEGES] = "cannot drop privileges for %s",
	[STAGE_KEEPER] = "cannot start the keeper of %s",
	[STAGE_LANDLOCK] = "cannot restrict %s with Landlock",
	[STAGE_FILTER] = "cannot install the system call filter for %s",
	[STAGE_CLOSE] = "cannot close inherited descriptors for %s",
	[STAGE_EXEC] = "cannot execute %s",
};
static_assert(ARRAY_SIZE(stage_text) == STAGE_COUNT, "one text for each stage");

/** struct start - what parent and child share. */
struct start {
	const struct launch *l;
	struct sock_fprog filter;
	int ruleset, cgroup_procs;
	bool listen, own_proc, keep;
	pid_t parent;
	const sigset_t *mask; /* of the program */

	/* from the child */
	volatile int listener;
	volatile pid_t keeper;
	volatile enum stage stage;
	volatile int err;
};

static int fail(struct start *s, enum stage stage, int err)
{
	s->stage = stage;
	s->err = err;
	return -1;
}

/*
 * Install the filter. Return: the listener, 0 without one, or -errno.
 * Kernels before 5.19 do not know WAIT_KILLABLE_RECV.
 */
static int install_filter(struct sock_fprog *filter, bool listen)
{
	if (!listen)
		return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, filter) < 0 ? -errno : 0;
	unsigned long flags = SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
	long fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, filter);
	if (fd < 0 && errno == EINVAL)
		fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, filter);
	return fd < 0 ? -errno : (int)fd;
}

/* Everything that restricts the process, the same for a child and in place. Return: 0, or -1 with stage and err set. */
static int restrict_self(struct start *s)
{
	int rc;
	if (chdir(s->l->workdir) < 0)
		return fail(s, STAGE_WORKDIR, errno);
	rc = privileges_drop_program();
	if (rc < 0)
		return fail(s, STAGE_PRIVILEGES, -rc);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return fail(s, STAGE_PRIVILEGES, errno);
	if (s->keep) {
		rc = keeper_start(s->parent);
		if (rc < 0)
			return fail(s, STAGE_KEEPER, -rc);
		s->keeper = rc;
	}
	rc = landlock_enter(s->ruleset, s->own_proc);
	if (rc < 0)
		return fail(s, STAGE_LANDLOCK, -rc);
	rc = install_filter(&s->filter, s->listen);
	if (rc < 0)
		return fail(s, STAGE_FILTER, -rc);
	s->listener = s->listen ? rc : -1;
	return 0;
}

/* execve on the lane: Landlock judges the program's file, the broker is not asked. */
static void execute(struct start *s)
{
	syscall(SYS_execve, s->l->program, s->l->argv, s->l->envp, 0L, 0L, TRAP_LANE);
	fail(s, STAGE_EXEC, errno);
}

static int child(void *data)
{
	struct start *s = data;
	sigprocmask(SIG_SETMASK, s->mask, NULL);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 || getppid() != s->parent) {
		fail(s, STAGE_PARENT_GONE, ESRCH);
		_exit(126);
	}
	if (s->cgroup_procs >= 0 && write(s->cgroup_procs, "0", 1) != 1) {
		fail(s, STAGE_CGROUP, errno);
		_exit(126);
	}
	if (restrict_self(s) < 0)
		_exit(126);
	if (syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_UNSHARE) < 0) {
		fail(s, STAGE_CLOSE, errno);
		_exit(126);
	}
	execute(s);
	_exit(s->err == ENOENT || s->err == EACCES ? 127 : 126);
}

/* Whether the broker serves path calls that the kernel refuses, so that the ruleset may leave some to it. */
static bool broker_files(const struct policy *p, bool supervise)
{
	return supervise && policy_settings(p)->supervision == SUPERVISION_FULL;
}

static struct landlock_options landlock_options_of(const struct policy *p, bool supervise)
{
	return (struct landlock_options){.broker_files = broker_files(p, supervise), .broker_sockets = supervise};
}

int launch_ruleset_begin(struct landlock_build *b, const struct policy *p, bool supervise, struct err **e)
{
	const struct landlock_options o = landlock_options_of(p, supervise);
	return landlock_build_begin(b, p, &o, e);
}

/* The ruleset (owned by @s) and the filter. Return: 0 or -1. */
static int prepare(struct start *s, void **made, struct err **e)
{
	const struct launch *l = s->l;
	s->listen = l->supervise;
	s->own_proc = !broker_files(l->policy, l->supervise);
	const struct landlock_options o = landlock_options_of(l->policy, l->supervise);
	s->ruleset = l->ruleset >= 0 ? fcntl(l->ruleset, F_DUPFD_CLOEXEC, 3) : landlock_prepare(l->policy, &o, e);
	if (s->ruleset < 0)
		return l->ruleset >= 0 ? err_set(e, errno, "cannot use the Landlock ruleset") : -1;
	const struct filter_key key = filter_key_of(l->policy, l->supervise, landlock_abi());
	return filter_get(&key, &s->filter, made, e);
}

/* What the errno alone does not say. */
static const struct {
	enum stage stage;
	int err;
	const char *text;
} meanings[] = {
	{STAGE_KEEPER, E2BIG, "sandboxes are nested too deeply here: the kernel allows 16 Landlock layers"},
	{STAGE_LANDLOCK, E2BIG, "sandboxes are nested too deeply here: the kernel allows 16 Landlock layers"},
	{STAGE_LANDLOCK, EOPNOTSUPP, "Landlock is switched off (boot with lsm=landlock,...)"},
	{STAGE_FILTER, ENOMEM, "too many system call filters are nested here, or there is no memory left"},
	{STAGE_FILTER, EINVAL, "this kernel has no system call filters, or refuses them in this container"},
};

/* The child's failure as an error: 127 when the program could not be executed, 126 otherwise. */
static int report(const struct start *s, struct err **e)
{
	const char *meaning = NULL;
	if (s->stage == STAGE_FILTER && s->err == EBUSY)
		return err_set(e, EBUSY, "another supervisor already listens to the system calls of this process");
	for (size_t i = 0; i < ARRAY_SIZE(meanings) && !meaning; i++)
		if (meanings[i].stage == s->stage && meanings[i].err == s->err)
			meaning = meanings[i].text;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	cleanup_free char *text = xasprintf(stage_text[s->stage], s->l->program);
#pragma GCC diagnostic pop
	if (meaning)
		err_set(e, 0, "%s: %s", text, meaning);
	else
		err_set(e, s->err, "%s", text);
	if (e && *e)
		(*e)->code = s->stage == STAGE_EXEC ? 127 : 126;
	return -1;
}

static int open_cgroup(const char *dir, struct err **e)
{
	cleanup_free char *path = path_join(dir, "cgroup.procs");
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	return fd >= 0 ? fd : err_set(e, errno, "cannot open %s", path);
}

/* The program did not start: nor is its keeper needed. */
static void end_keeper(pid_t keeper)
{
	if (keeper <= 0)
		return;
	kill(keeper, SIGKILL);
	while (waitpid(keeper, NULL, 0) < 0 && errno == EINTR)
		;
}

int launch_start(const struct launch *l, pid_t *pid, pid_t *keeper, int *listener, struct err **e)
{
	cleanup_free void *made = NULL;
	struct start s = {.l = l, .ruleset = -1, .cgroup_procs = -1, .listener = -1, .parent = getpid()};
	s.mask = l->mask;
	/* without the signal scope its kill would reach everybody */
	s.keep = landlock_abi() >= 6 && policy_settings(l->policy)->signal_mode != SCOPE_ALL;
	*keeper = 0;
	if (prepare(&s, &made, e) < 0)
		return -1;
	cleanup_fd int ruleset = s.ruleset;
	if (l->cgroup && (s.cgroup_procs = open_cgroup(l->cgroup, e)) < 0)
		return -1;
	cleanup_fd int cgroup = s.cgroup_procs;

	char *stack = mmap(NULL, CHILD_STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	if (stack == MAP_FAILED)
		return err_set(e, errno, "cannot start %s", l->program);
	/* no handler of ours may run in the child */
	sigset_t all, old;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	if (!s.mask)
		s.mask = &old;
	*pid = clone(child, stack + CHILD_STACK, CLONE_VM | CLONE_VFORK | CLONE_FILES | SIGCHLD, &s);
	int err = errno;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	munmap(stack, CHILD_STACK);
	if (*pid < 0)
		return err_set(e, err, "cannot start %s", l->program);
	*listener = s.listener;
	*keeper = s.keeper;
	if (s.stage == STAGE_NONE)
		return 0;
	while (waitpid(*pid, NULL, 0) < 0 && errno == EINTR)
		;
	end_keeper(*keeper);
	*keeper = 0;
	if (*listener >= 0)
		close(*listener);
	*listener = -1;
	return report(&s, e);
}

int launch_in_place(const struct launch *l, struct err **e)
{
	cleanup_free void *made = NULL;
	struct start s = {.l = l, .ruleset = -1, .cgroup_procs = -1, .listener = -1};
	if (prepare(&s, &made, e) < 0)
		return -1;
	if (restrict_self(&s) == 0)
		execute(&s);
	return report(&s, e);
}
