/* SPDX-License-Identifier: Apache-2.0 */
/*
 * say.c - what nono tells the person: one line a message, on standard error or in a log file, where
 * every line has its time. Errors go to both.
 */
#include "base/base.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

enum say_level say_level = SAY_NORMAL;
static int log_fd = -1;

int say_log_open(const char *path, struct err **e)
{
	struct stat st;
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600);
	if (fd >= 0 && (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))) {
		close(fd);
		return err_set(e, 0, "the log file %s is no regular file", path);
	}
	if (fd < 0)
		return err_set(e, errno, "cannot open the log file %s", path);
	/* out of the way of what the program inherits, and of what is redirected */
	int high = fcntl(fd, F_DUPFD_CLOEXEC, 10);
	close(fd);
	if (high < 0)
		return err_set(e, errno, "cannot open the log file %s", path);
	if (log_fd >= 0)
		close(log_fd);
	log_fd = high;
	return 0;
}

char *say_log_path(void)
{
	return log_fd < 0 ? NULL : path_of_fd(log_fd);
}

/* "2026-01-31T12:00:00+0100 nono[PID]: TEXT". */
static void write_log(const char *text)
{
	char when[40];
	struct tm tm;
	time_t now = time(NULL);
	strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%S%z", localtime_r(&now, &tm));
	cleanup_free char *safe = str_sanitize(text);
	cleanup_free char *line = xasprintf("%s nono[%d]: %s\n", when, (int)getpid(), safe);
	(void)!write(log_fd, line, strlen(line));
}

PRINTF_LIKE(2, 0) static void vsay(enum say_level level, const char *fmt, va_list ap)
{
	/* -s keeps the terminal clear, not the log */
	const bool logs = log_fd >= 0 && level <= (say_level > SAY_NORMAL ? say_level : SAY_NORMAL);
	const bool shows = level <= say_level && (!logs || level == SAY_SILENT);
	if (!logs && !shows)
		return;
	cleanup_free char *s = NULL;
	if (vasprintf(&s, fmt, ap) < 0)
		abort();
	if (logs)
		write_log(s);
	if (!shows)
		return;
	/* one write, so that lines of several processes do not mix */
	cleanup_free char *line = xasprintf("nono: %s\n", s);
	(void)!write(STDERR_FILENO, line, strlen(line));
}

void say_log(const char *fmt, ...)
{
	va_list ap;
	cleanup_free char *s = NULL;
	if (log_fd < 0)
		return;
	va_start(ap, fmt);
	if (vasprintf(&s, fmt, ap) < 0)
		abort();
	va_end(ap);
	write_log(s);
}

#define SAY_FUNCTION(name, level)                                                                                      \
	void name(const char *fmt, ...)                                                                                \
	{                                                                                                              \
		va_list ap;                                                                                            \
		va_start(ap, fmt);                                                                                     \
		vsay(level, fmt, ap);                                                                                  \
		va_end(ap);                                                                                            \
	}

SAY_FUNCTION(say, SAY_NORMAL)
SAY_FUNCTION(say_info, SAY_INFO)
SAY_FUNCTION(say_debug, SAY_DEBUG)
SAY_FUNCTION(say_error, SAY_SILENT)

bool use_color(int fd)
{
	const char *no = getenv("NO_COLOR");
	const char *term = getenv("TERM");
	return isatty(fd) && (!no || !*no) && !(term && strcmp(term, "dumb") == 0);
}
