/* SPDX-License-Identifier: Apache-2.0 */
/* program.c - start a program outside the sandbox. */
#include "base/program.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>

static void put(posix_spawn_file_actions_t *fa, int fd, int as)
{
	if (fd >= 0)
		posix_spawn_file_actions_adddup2(fa, fd, as);
	else
		posix_spawn_file_actions_addopen(fa, as, "/dev/null", O_RDWR, 0);
}

pid_t program_start(const struct program *p, const char *const argv[])
{
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t attr;
	sigset_t none, all;
	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&fa);
	posix_spawnattr_init(&attr);
	if (p->dir)
		posix_spawn_file_actions_addchdir_np(&fa, p->dir);
	put(&fa, p->in, STDIN_FILENO);
	put(&fa, p->out, STDOUT_FILENO);
	put(&fa, p->err, STDERR_FILENO);
	posix_spawnattr_setflags(&attr, (short)((p->session ? POSIX_SPAWN_SETSID : POSIX_SPAWN_SETPGROUP) |
						POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF));
	posix_spawnattr_setpgroup(&attr, 0);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &all);
	pid_t pid;
	const int rc = posix_spawnp(&pid, argv[0], &fa, &attr, (char *const *)argv, p->env);
	posix_spawn_file_actions_destroy(&fa);
	posix_spawnattr_destroy(&attr);
	return rc == 0 ? pid : -rc;
}
