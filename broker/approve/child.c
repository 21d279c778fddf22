/* SPDX-License-Identifier: Apache-2.0 */
/* child.c - programs the front ends start on the host. */
#include "approve/child.h"

#include "base/program.h"

#include <errno.h>
#include <signal.h>
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

pid_t child_start(const char *const argv[], int in, int out, struct err **e)
{
	const struct program p = {.in = in, .out = out, .err = -1, .env = environ};
	const pid_t pid = program_start(&p, argv);
	return pid > 0 ? pid : err_set(e, -pid, "cannot start %s", argv[0]);
}

void child_end(pid_t pid)
{
	kill(-pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		continue;
}
