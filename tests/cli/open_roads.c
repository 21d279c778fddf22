/* SPDX-License-Identifier: Apache-2.0 */
/*
 * open_roads.c - open_roads KIND PATH URL: executes PATH in one way, with a name of no meaning and, but for the
 * shell's, without an environment; ends with its status. Built by open_roads.sh, also statically and with musl.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;
static char **arguments;
static const char *url;
static char *const nothing[] = {NULL};

static int wait_for(pid_t pid)
{
	int status;
	if (waitpid(pid, &status, 0) != pid)
		return 98;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* In a child made by vfork: returns only on failure. */
static void execute(const char *kind, const char *path)
{
	if (strcmp(kind, "execve") == 0)
		execve(path, arguments, environ);
	else if (strcmp(kind, "execv") == 0)
		execv(path, arguments);
	else if (strcmp(kind, "execvp") == 0)
		execvp(path, arguments);
	else if (strcmp(kind, "execvpe") == 0)
		execvpe(path, arguments, environ);
	else if (strcmp(kind, "execl") == 0)
		execl(path, "x", url, (char *)NULL);
	else if (strcmp(kind, "execlp") == 0)
		execlp(path, "x", url, (char *)NULL);
	else if (strcmp(kind, "execle") == 0)
		execle(path, "x", url, (char *)NULL, environ);
	else if (strcmp(kind, "fexecve") == 0)
		fexecve(open(path, O_RDONLY), arguments, environ);
#ifdef __GLIBC__
	else if (strcmp(kind, "execveat") == 0)
		execveat(open("/usr", O_PATH), "bin/xdg-open", arguments, environ, 0);
	else if (strcmp(kind, "execveat-fd") == 0)
		execveat(open(path, O_PATH), "", arguments, environ, AT_EMPTY_PATH);
	else if (strcmp(kind, "fault-at") == 0)
		execveat(AT_FDCWD, (const char *)8, arguments, environ, AT_EMPTY_PATH);
#endif
	else if (strcmp(kind, "syscall") == 0)
		syscall(SYS_execve, path, arguments, nothing);
	/* what fails, and how: the errno is the status */
	else if (strcmp(kind, "fault") == 0)
		execve((const char *)8, arguments, environ);
	else if (strcmp(kind, "missing") == 0)
		execve("/usr/bin/no-such-program", arguments, environ);
	else if (strcmp(kind, "directory") == 0)
		execve("/usr/bin", arguments, environ);
	else if (strcmp(kind, "bad-fd") == 0)
		fexecve(-1, arguments, environ);
	else
		errno = 97;
}

int main(int argc, char **argv)
{
	char command[512], name[] = "x";
	if (argc != 4)
		return 2;
	const char *kind = argv[1], *path = argv[2];
	char *args[] = {name, argv[3], NULL};
	arguments = args;
	url = argv[3];
	snprintf(command, sizeof(command), "%s '%s'", path, url);
	if (strcmp(kind, "system") == 0) {
		int status = system(command);
		return WEXITSTATUS(status);
	}
	if (strcmp(kind, "popen") == 0) {
		FILE *f = popen(command, "r");
		int status = f ? pclose(f) : -1;
		return WEXITSTATUS(status);
	}
	pid_t pid;
	environ = (char **)nothing;
	if (strcmp(kind, "posix_spawn") == 0)
		return posix_spawn(&pid, path, NULL, NULL, args, environ) ? 99 : wait_for(pid);
	if (strcmp(kind, "posix_spawnp") == 0)
		return posix_spawnp(&pid, path, NULL, NULL, args, environ) ? 99 : wait_for(pid);
	pid = vfork();
	if (pid == 0) {
		execute(kind, path);
		_exit(errno);
	}
	return wait_for(pid);
}
