/* SPDX-License-Identifier: Apache-2.0 */
/*
 * features.c - what this machine has.
 *
 * For `nono doctor`: some of the answers are found by trying in a child. A start
 * finds out by the failure of the real thing, except whether somebody listens already.
 */
#include "sandbox/sandbox.h"
#include "sandbox/kernel_abi.h"
#include "sandbox/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define PROBE_STACK (64 * 1024)

/* The exit status of child @pid; 255 when it died, or there is none. */
static int exit_status(pid_t pid)
{
	int status;
	while (pid > 0 && waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return 255;
	return pid > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

enum { PROBE_LISTENER = 1, PROBE_TAKEN = 2, PROBE_KILLABLE = 4, PROBE_SYNC = 8 };

static int install(unsigned long flags)
{
	struct sock_filter allow[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
	struct sock_fprog prog = {.len = ARRAY_SIZE(allow), .filter = allow};
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER | flags, &prog);
}

static int probe_listener(void *unused)
{
	(void)unused;
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	int found = PROBE_KILLABLE;
	int fd = install(SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV);
	if (fd < 0 && errno == EINVAL) {
		found = 0;
		fd = install(0);
	}
	if (fd < 0)
		return errno == EBUSY ? PROBE_TAKEN : 0;
	if (ioctl(fd, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP) == 0)
		found |= PROBE_SYNC;
	return found | PROBE_LISTENER;
}

/* In a child on this thread's memory, as in launch.c: no page table is copied. 255 when it cannot be known. */
static int listener_features(void)
{
	char *stack = mmap(NULL, PROBE_STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	if (stack == MAP_FAILED)
		return 255;
	sigset_t all, old;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	pid_t pid = clone(probe_listener, stack + PROBE_STACK, CLONE_VM | CLONE_VFORK | SIGCHLD, NULL);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	munmap(stack, PROBE_STACK);
	return exit_status(pid);
}

bool listener_taken(void)
{
	/* without a filter there is no listener either */
	if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) != SECCOMP_MODE_FILTER)
		return false;
	int found = listener_features();
	return found != 255 && (found & PROBE_TAKEN);
}

static bool user_namespaces(void)
{
	pid_t pid = fork();
	if (pid == 0)
		_exit(unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0 || unshare(CLONE_NEWNET) == 0 ? 0 : 1);
	return exit_status(pid) == 0;
}

/* The first line of a small kernel file, NULL when there is none. New string. */
static char *first_line(const char *path)
{
	char *data = NULL;
	size_t len;
	if (file_read(path, 65536, &data, &len, NULL) < 0)
		return NULL;
	data[strcspn(data, "\n")] = '\0';
	return data;
}

static bool is_wsl2(void)
{
	if (access("/proc/sys/fs/binfmt_misc/WSLInterop", F_OK) == 0)
		return true;
	cleanup_free char *version = first_line("/proc/version");
	return version && (strcasestr(version, "microsoft") || strstr(version, "WSL"));
}

const struct kernel_features *kernel_features(void)
{
	static struct kernel_features f;
	static bool known;
	if (known)
		return &f;
	known = true;
	f.landlock_abi = landlock_abi();
	f.landlock_errata = landlock_errata();
	int found = listener_features();
	if (found != 255) {
		f.listener = found & PROBE_LISTENER;
		f.listener_taken = found & PROBE_TAKEN;
		f.wait_killable = found & PROBE_KILLABLE;
		f.sync_wake_up = found & PROBE_SYNC;
	}
	f.user_namespaces = user_namespaces();
	cleanup_free char *yama = first_line("/proc/sys/kernel/yama/ptrace_scope");
	f.yama = yama ? (int)strtol(yama, NULL, 10) : -1;
	f.wsl2 = is_wsl2();
	f.cgroup_v2_delegated = cgroup_possible();
	return &f;
}
