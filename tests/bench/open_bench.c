/* SPDX-License-Identifier: Apache-2.0 */
/*
 * open_bench.c - how long from asking for a page to the start of the host's opener.
 *
 *   open_bench ask N PROGRAM URL   start PROGRAM for N different pages; prints when each was asked for
 *   open_bench URL                 the opener: appends when it was started to the file named by OPEN_BENCH
 * Times are nanoseconds of the monotonic clock.
 */
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static long long now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static int ask(int n, char *program, const char *url)
{
	for (int i = 0; i < n; i++) {
		char page[512];
		pid_t pid;
		int status;
		snprintf(page, sizeof(page), "%s?%d", url, i);
		char *argv[] = {program, page, NULL};
		printf("%lld\n", now());
		fflush(stdout);
		if (posix_spawnp(&pid, program, NULL, NULL, argv, environ) != 0 || waitpid(pid, &status, 0) != pid ||
			status)
			return 1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	char line[32];
	int n = snprintf(line, sizeof(line), "%lld\n", now());
	if (argc == 5 && strcmp(argv[1], "ask") == 0)
		return ask(atoi(argv[2]), argv[3], argv[4]);
	const char *path = getenv("OPEN_BENCH");
	int fd = path ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
	return fd >= 0 && write(fd, line, (size_t)n) == n ? 0 : 1;
}
