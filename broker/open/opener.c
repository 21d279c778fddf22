/* SPDX-License-Identifier: Apache-2.0 */
/*
 * opener.c - start the host's opener.
 *
 * No shell is involved: a command of BROWSER is split at blanks, and the URL,
 * which begins with http, is one argument of its own.
 */
#include "open/opener.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>

static const char *env_get(char *const *env, const char *name)
{
	size_t n = strlen(name);
	for (; env && *env; env++)
		if (strncmp(*env, name, n) == 0 && (*env)[n] == '=' && (*env)[n + 1])
			return *env + n + 1;
	return NULL;
}

/* One word of a command, with the URL in place of "%s". */
static void add_word(struct strv *argv, const char *word, size_t len, const char *url, bool *placed)
{
	const char *at = memmem(word, len, "%s", 2);
	if (!at) {
		strv_take(argv, xstrndup(word, len));
		return;
	}
	*placed = true;
	strv_addf(argv, "%.*s%s%.*s", (int)(at - word), word, url, (int)(len - (size_t)(at - word) - 2), at + 2);
}

static struct strv command_line(const char *command, size_t len, const char *url)
{
	struct strv argv = {0};
	bool placed = false;
	for (size_t i = 0; i < len;) {
		size_t n = strcspn(command + i, " :");
		n = n < len - i ? n : len - i;
		if (n)
			add_word(&argv, command + i, n, url, &placed);
		i += n + 1;
	}
	if (argv.n && !placed)
		strv_add(&argv, url);
	return argv;
}

/* Return: the pid, or -errno. */
static pid_t spawn_detached(char *const *argv, char *const *env)
{
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t attr;
	sigset_t none, all;
	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&fa);
	posix_spawnattr_init(&attr);
	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		posix_spawn_file_actions_addopen(&fa, fd, "/dev/null", O_RDWR, 0);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &all);
	pid_t pid;
	int rc = posix_spawnp(&pid, argv[0], &fa, &attr, argv, env);
	posix_spawn_file_actions_destroy(&fa);
	posix_spawnattr_destroy(&attr);
	return rc ? -rc : pid;
}

pid_t opener_start(char *const *host_env, const char *url, struct err **e)
{
	const char *browser = env_get(host_env, "BROWSER");
	bool display = env_get(host_env, "DISPLAY") || env_get(host_env, "WAYLAND_DISPLAY");
	if (!browser && !display)
		return err_set(
			e, 0, "there is no display and no BROWSER outside the sandbox; open it yourself: %s", url);
	const char *list = browser ? browser : "xdg-open";
	pid_t pid = -ENOENT;
	for (const char *c = list; pid < 0 && *c; c += strcspn(c, ":"), c += *c == ':') {
		cleanup_strv struct strv argv = command_line(c, strcspn(c, ":"), url);
		if (argv.n)
			pid = spawn_detached(argv.v, host_env);
	}
	return pid > 0 ? pid
		       : err_set(e, -pid, "cannot start %s outside the sandbox", browser ? "BROWSER" : "xdg-open");
}
