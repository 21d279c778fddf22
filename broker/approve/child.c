/* SPDX-License-Identifier: Apache-2.0 */
/* child.c - programs the front ends start on the host. */
#include "approve/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <time.h>

extern char **environ;

bool front_chosen(const char *name, bool default_on)
{
	const char *ask = getenv("NONO_ASK");
	if (!ask || !*ask)
		return default_on;
	size_t n = strlen(name);
	for (const char *p = ask; *p; p += strcspn(p, ",")) {
		p += strspn(p, ",");
		if (strncmp(p, name, n) == 0 && (p[n] == '\0' || p[n] == ','))
			return true;
	}
	return false;
}

static void stdio_action(posix_spawn_file_actions_t *fa, int fd, int as)
{
	if (fd >= 0)
		posix_spawn_file_actions_adddup2(fa, fd, as);
	else
		posix_spawn_file_actions_addopen(fa, as, "/dev/null", O_RDWR, 0);
}

pid_t child_start(const char *const argv[], int in, int out, struct err **e)
{
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t attr;
	sigset_t none, all;
	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&fa);
	posix_spawnattr_init(&attr);
	stdio_action(&fa, in, STDIN_FILENO);
	stdio_action(&fa, out, STDOUT_FILENO);
	stdio_action(&fa, -1, STDERR_FILENO);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setpgroup(&attr, 0);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &all);
	pid_t pid;
	int r = posix_spawnp(&pid, argv[0], &fa, &attr, (char *const *)argv, environ);
	posix_spawn_file_actions_destroy(&fa);
	posix_spawnattr_destroy(&attr);
	return r == 0 ? pid : err_set(e, r, "cannot start %s", argv[0]);
}

void child_end(pid_t pid)
{
	kill(-pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		continue;
}
