/* SPDX-License-Identifier: Apache-2.0 */
/*
 * opener.c - start the host's opener.
 *
 * No shell is involved: a command of BROWSER is split at blanks, and the URL,
 * which begins with http, or the path, which begins with a slash, is one argument of its own. The program starts in the
 * root directory: in the session's one, files that the tree wrote could change what it does.
 */
#include "open/opener.h"

#include "base/program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/wait.h>

#define WATCH_MS 1500 /* how long a failure of the opener is waited for */

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
	const struct program p = {.dir = "/", .in = -1, .out = -1, .err = -1, .session = true, .env = env};
	return program_start(&p, (const char *const *)argv);
}

/* The first command of a list separated by colons that can be started. Return: as spawn_detached(). */
static pid_t spawn_list(const char *list, const char *url, char *const *env)
{
	pid_t pid = -ENOENT;
	for (const char *c = list; pid < 0 && *c; c += strcspn(c, ":"), c += *c == ':') {
		cleanup_strv struct strv argv = command_line(c, strcspn(c, ":"), url);
		if (argv.n)
			pid = spawn_detached(argv.v, env);
	}
	return pid;
}

int opener_start(char *const *host_env, const char *url, int file, pid_t *pid, struct err **e)
{
	const char *browser = env_get(host_env, "BROWSER");
	*pid = 0;
	if (browser) {
		*pid = spawn_list(browser, url, host_env);
		return *pid > 0 ? 0 : err_set(e, -*pid, "cannot start BROWSER outside the sandbox");
	}
	bool display = env_get(host_env, "DISPLAY") || env_get(host_env, "WAYLAND_DISPLAY");
	/* on the far end of ssh, the desktop is not where the person is */
	int portal = display || !env_get(host_env, "SSH_CONNECTION") ? portal_open(url, file, e) : 1;
	if (portal <= 0)
		return portal;
	if (display)
		*pid = spawn_list("xdg-open", url, host_env);
	if (*pid <= 0 && (env_get(host_env, "WSL_DISTRO_NAME") || env_get(host_env, "WSL_INTEROP")))
		*pid = spawn_list("wslview", url, host_env);
	if (*pid > 0)
		return 0;
	*pid = 0;
	return 1;
}

/* Return: whether it ended, within @timeout_ms and before @stop became readable. */
static bool ends(pid_t pid, int stop, int timeout_ms, int *status)
{
	cleanup_fd int fd = pidfd_open(pid, 0);
	struct pollfd p[] = {{.fd = fd, .events = POLLIN}, {.fd = stop, .events = POLLIN}};
	if (fd < 0)
		return waitpid(pid, status, WNOHANG) == pid;
	while (poll(p, ARRAY_SIZE(p), timeout_ms) < 0)
		if (errno != EINTR)
			return false;
	return p[0].revents && waitpid(pid, status, WNOHANG) == pid;
}

int opener_watch(pid_t pid, int stop, bool *ended, struct err **e)
{
	int status = 0;
	*ended = ends(pid, stop, WATCH_MS, &status);
	if (!*ended || (WIFEXITED(status) && WEXITSTATUS(status) == 0))
		return 0;
	return err_set(e, 0, "the opener outside the sandbox failed (status %d)",
		WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

void opener_wait(pid_t pid, int stop)
{
	int status;
	ends(pid, stop, -1, &status);
}
