/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keeper.c - end the tree when the broker is gone, whoever else is.
 *
 * Theory of operation
 * -------------------
 * Guard and broker each end the tree when the other one is killed. Killed
 * together (kill -9 to the process group, pkill), they leave it to init, and
 * nothing links its processes any more: they may have made sessions of their
 * own. What they can't leave is their Landlock domain. So before the program
 * enters its domain it enters one that does nothing but scope signals, and
 * starts the keeper there: for the keeper, kill(-1) reaches exactly the
 * processes of this domain and those nested in it, which is the tree. The tree
 * is one level deeper and can neither signal nor trace the keeper.
 *
 * The keeper shares the broker's memory: nothing is copied, what the broker wipes
 * is gone here too, and what protects the broker from being looked into protects
 * both. It makes system calls only, on a stack of its own, and none that fail, for
 * errno is the broker's. It has a session of its own, so that neither the terminal nor a kill
 * of the job's process group reaches it, holds no descriptor but a pidfd of the
 * broker, and waits for that.
 *
 * Source: landlock(7) on scopes, kill(2), pidfd_open(2).
 */
#include "sandbox/keeper.h"
#include "sandbox/kernel_abi.h"
#include "base/base.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NO_SANITIZE __attribute__((no_sanitize("address", "undefined")))

/* One keeper for each process; it lives as long as the broker does. */
static char stack[16384] __attribute__((aligned(16)));
static struct pollfd waited_for;

/* Wait for the broker's end, then kill the domain. */
NO_SANITIZE static int keep(void *data)
{
	const pid_t broker = (pid_t)(intptr_t)data;
	prctl(PR_SET_NAME, "keeper", 0, 0, 0);
	setsid();
	syscall(SYS_close_range, 0U, ~0U, 0U);
	int fd = (int)syscall(SYS_pidfd_open, broker, 0U);
	if (fd >= 0 && getppid() == broker) {
		waited_for = (struct pollfd){.fd = fd, .events = POLLIN};
		syscall(SYS_ppoll, &waited_for, 1UL, NULL, NULL, 0UL); /* all signals are blocked: no EINTR */
	}
	kill(-1, SIGKILL);
	_exit(0);
}

/*
 * Enter a domain that scopes signals and nothing else. Every domain refuses moves
 * and links between directories, whether it handles them or not, unless a rule
 * allows them: this one allows them everywhere. Return: 0 or -errno.
 */
static int enter_domain(void)
{
	const struct nono_landlock_attr attr = {
		.handled_access_fs = LANDLOCK_ACCESS_FS_REFER,
		.scoped = LANDLOCK_SCOPE_SIGNAL,
	};
	struct landlock_path_beneath_attr moves = {.allowed_access = LANDLOCK_ACCESS_FS_REFER};
	cleanup_fd int fd = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0U);
	cleanup_fd int root = open("/", O_PATH | O_CLOEXEC);
	if (fd < 0 || root < 0)
		return -errno;
	moves.parent_fd = root;
	if (syscall(SYS_landlock_add_rule, fd, LANDLOCK_RULE_PATH_BENEATH, &moves, 0U) < 0 ||
		syscall(SYS_landlock_restrict_self, fd, 0U) < 0)
		return -errno;
	return 0;
}

pid_t keeper_start(pid_t broker)
{
	int rc = enter_domain();
	if (rc < 0)
		return rc;
	sigset_t all, old;
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	pid_t pid = clone(keep, stack + sizeof(stack), CLONE_VM | CLONE_PARENT, (void *)(intptr_t)broker);
	int err = errno;
	sigprocmask(SIG_SETMASK, &old, NULL);
	return pid < 0 ? -err : pid;
}
