/* SPDX-License-Identifier: Apache-2.0 */
/* probe_trap.c - hostile callers of trapped calls: swapped paths, changed memory, attributes without a path. */
#include "probe.h"

#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>

static const char *result(int rc)
{
	return errno_name(rc < 0 ? errno : 0);
}

/* FILE: extended attributes that take capabilities are not set on behalf */
static int capability_xattr(int argc, char **argv)
{
	/* VFS_CAP_REVISION_2, cap_setuid permitted and effective */
	static const unsigned char caps[20] = {1, 0, 0, 2, 0x80};
	if (argc != 1)
		return 2;
	printf("security %s\n", result(setxattr(argv[0], "security.capability", caps, sizeof(caps), 0)));
	printf("trusted %s\n", result(setxattr(argv[0], "trusted.nono", "x", 1, 0)));
	printf("remove %s\n", result(removexattr(argv[0], "security.capability")));
	return 0;
}

/* DIR DEPTH NAME: the mode of a file through a descriptor, where its path is longer than any path may be */
static int deep_chmod(int argc, char **argv)
{
	char step[201];
	if (argc != 3 || chdir(argv[0]) < 0)
		return 2;
	memset(step, 'd', sizeof(step) - 1);
	step[sizeof(step) - 1] = '\0';
	for (long i = strtol(argv[1], NULL, 10); i > 0; i--)
		if (chdir(step) < 0)
			return 3;
	int fd = open(argv[2], O_RDONLY);
	printf("open %s\n", result(fd));
	printf("fchmod %s\n", result(fd < 0 ? 0 : fchmod(fd, 0777)));
	return 0;
}

/* ---- races ------------------------------------------------------------------------------ */

struct race {
	char path[PATH_MAX]; /* what the calls name; its memory changes */
	const char *good, *secret;
	volatile bool stop;
};

static void *rewrite(void *arg)
{
	struct race *r = arg;
	size_t n = strlen(r->good) + 1, m = strlen(r->secret) + 1;
	while (!r->stop) {
		memcpy(r->path, r->secret, m);
		memcpy(r->path, r->good, n);
	}
	return NULL;
}

static void *relink(void *arg)
{
	struct race *r = arg;
	while (!r->stop) {
		if (symlink(r->secret, "swap.new") == 0)
			(void)rename("swap.new", "swap");
		if (symlink(r->good, "swap.new") == 0)
			(void)rename("swap.new", "swap");
	}
	return NULL;
}

static long leaks(const struct race *r, long loops, long *reads)
{
	long found = 0;
	time_t end = time(NULL) + 4;
	for (long i = 0; i < loops && time(NULL) < end; i++) {
		char text[64];
		int fd = open(r->path, O_RDONLY);
		if (fd < 0)
			continue;
		ssize_t n = read(fd, text, sizeof(text) - 1);
		text[n < 0 ? 0 : n] = '\0';
		*reads += strncmp(text, "fine", 4) == 0;
		found += strstr(text, "CANARY") != NULL;
		close(fd);
		if (chmod(r->path, 0755) < 0 && errno == ENOSYS)
			return -1;
	}
	return found;
}

static int race(struct race *r, void *(*swap)(void *), bool process, long loops)
{
	long reads = 0, found;
	if (process) {
		pid_t child = fork();
		if (child == 0) {
			swap(r);
			_exit(0);
		}
		found = leaks(r, loops, &reads);
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
	} else {
		pthread_t thread;
		if (pthread_create(&thread, NULL, swap, r) != 0)
			return 2;
		found = leaks(r, loops, &reads);
		r->stop = true;
		pthread_join(thread, NULL);
	}
	printf("leaks %ld, reads %s\n", found, reads > 0 ? "some" : "none");
	return found != 0;
}

/* memory|process|symlink GOOD SECRET LOOPS: the object changes while the broker decides */
static int trap_race(int argc, char **argv)
{
	if (argc != 4)
		return 2;
	struct race *r = mmap(NULL, sizeof(*r), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (r == MAP_FAILED)
		return 2;
	bool links = strcmp(argv[0], "symlink") == 0;
	r->good = argv[1];
	r->secret = argv[2];
	(void)snprintf(r->path, sizeof(r->path), "%s", links ? "swap" : r->good);
	return race(r, links ? relink : rewrite, strcmp(argv[0], "process") == 0, strtol(argv[3], NULL, 10));
}

PROBE(capability_xattr, capability_xattr, "FILE");
PROBE(deep_chmod, deep_chmod, "DIR DEPTH NAME");
PROBE(trap_race, trap_race, "memory|process|symlink GOOD SECRET LOOPS");
