/* SPDX-License-Identifier: Apache-2.0 */
/* say.c - what nono tells the person: one line a message, on standard error. */
#include "base/base.h"

enum say_level say_level = SAY_NORMAL;

PRINTF_LIKE(2, 0) static void vsay(enum say_level level, const char *fmt, va_list ap)
{
	if (say_level < level)
		return;
	cleanup_free char *s = NULL;
	if (vasprintf(&s, fmt, ap) < 0)
		abort();
	/* one write, so that lines of several processes do not mix */
	cleanup_free char *line = xasprintf("nono: %s\n", s);
	(void)!write(STDERR_FILENO, line, strlen(line));
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
