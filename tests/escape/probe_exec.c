/* SPDX-License-Identifier: Apache-2.0 */
/* probe_exec.c - unusual callers of execve: threads, storms of signals, a name that changes meanwhile. */
#include "probe.h"

#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

extern char **environ;

static void *execute(void *argv)
{
	execv(((char **)argv)[0], argv);
	printf("%s\n", errno_name(errno));
	exit(1);
}

/* CMD...: by a thread that is not the first one */
static int exec_thread(int argc, char **argv)
{
	pthread_t t;
	if (argc < 1 || pthread_create(&t, NULL, execute, argv) != 0)
		return 2;
	pthread_join(t, NULL);
	return 1;
}

static volatile sig_atomic_t heard;

static void hear(int sig)
{
	char deep[4096];
	memset(deep, sig, sizeof(deep)); /* a handler that uses the stack */
	heard += deep[sizeof(deep) / 2] != 0;
}

/* COUNT CMD...: while signals with a handler arrive all the time, as a runtime's that interrupts its threads */
static int exec_storm(int argc, char **argv)
{
	long count = argc > 1 ? strtol(argv[0], NULL, 10) : 0;
	struct sigaction sa = {.sa_handler = hear, .sa_flags = SA_RESTART};
	sigaction(SIGURG, &sa, NULL);
	long good = 0;
	for (long i = 0; i < count; i++) {
		pid_t child = fork();
		if (child == 0)
			execute(argv + 1);
		int status = -1;
		while (waitpid(child, &status, WNOHANG) == 0)
			kill(child, SIGURG);
		good += WIFEXITED(status) && WEXITSTATUS(status) == 0;
	}
	printf("%ld of %ld\n", good, count);
	return good != count;
}

/* PATH [ARG...]: by execveat of its descriptor */
static int exec_fd(int argc, char **argv)
{
	int fd = argc > 0 ? open(argv[0], O_PATH | O_CLOEXEC) : -1;
	if (fd < 0)
		return 2;
	syscall(SYS_execveat, fd, "", argv, environ, AT_EMPTY_PATH);
	printf("%s\n", errno_name(errno));
	return 1;
}

/* CMD...: what an exec that fails leaves behind in its caller */
static int exec_after(int argc, char **argv)
{
	sigset_t some, now;
	if (argc < 1)
		return 2;
	sigemptyset(&some);
	sigaddset(&some, SIGUSR2);
	sigprocmask(SIG_SETMASK, &some, NULL);
	int rc = execv(argv[0], argv), err = errno;
	sigprocmask(SIG_SETMASK, NULL, &now);
	printf("%d %s, mask %s\n", rc, errno_name(err),
		sigismember(&now, SIGUSR2) && !sigismember(&now, SIGUSR1) ? "kept" : "lost");
	return 0;
}

/* FILE: in a file without a name; it runs, with the rights of whoever runs it */
static int exec_memfd(int argc, char **argv)
{
	char buf[65536];
	int from = argc > 1 ? open(argv[0], O_RDONLY) : -1, to = (int)syscall(SYS_memfd_create, "m", MFD_CLOEXEC);
	ssize_t n;
	while ((n = read(from, buf, sizeof(buf))) > 0)
		if (write(to, buf, (size_t)n) != n)
			return 2;
	syscall(SYS_execveat, to, "", argv, environ, AT_EMPTY_PATH);
	printf("%s\n", errno_name(errno));
	return 1;
}

/* ---- the name changes while the broker decides ------------------------------------------ */

struct names {
	char path[PATH_MAX];
	const char *good, *bad;
	volatile int stop;
};

static void *rewrite(void *arg)
{
	struct names *n = arg;
	while (!n->stop) {
		strcpy(n->path, n->bad);
		strcpy(n->path, n->good);
	}
	return NULL;
}

static void *relink(void *arg)
{
	struct names *n = arg;
	while (!n->stop) {
		if (symlink(n->bad, "exec.new") == 0)
			(void)rename("exec.new", "exec.swap");
		if (symlink(n->good, "exec.new") == 0)
			(void)rename("exec.new", "exec.swap");
	}
	return NULL;
}

/* memory|symlink GOOD BAD COUNT */
static int exec_race(int argc, char **argv)
{
	struct names *n = mmap(NULL, sizeof(*n), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (argc != 4 || n == MAP_FAILED)
		return 2;
	int links = strcmp(argv[0], "symlink") == 0;
	n->good = argv[1];
	n->bad = argv[2];
	strcpy(n->path, links ? "exec.swap" : n->good);
	pid_t swapper = fork();
	if (swapper == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		(links ? relink : rewrite)(n);
	}
	for (long i = strtol(argv[3], NULL, 10); i > 0; i--) {
		pid_t child = fork();
		if (child == 0) {
			char *const args[] = {n->path, NULL};
			execv(n->path, args);
			_exit(0);
		}
		waitpid(child, NULL, 0);
	}
	kill(swapper, SIGKILL);
	waitpid(swapper, NULL, 0);
	return 0;
}

PROBE(exec_thread, exec_thread, "CMD...");
PROBE(exec_storm, exec_storm, "COUNT CMD...");
PROBE(exec_fd, exec_fd, "PATH [ARG...]");
PROBE(exec_after, exec_after, "CMD...");
PROBE(exec_memfd, exec_memfd, "FILE [ARG...]");
PROBE(exec_race, exec_race, "memory|symlink GOOD BAD COUNT");
