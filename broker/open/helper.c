/* SPDX-License-Identifier: Apache-2.0 */
/*
 * helper.c - inside the tree: what stands in the place of the openers.
 *
 * It takes the one page out of its arguments, hands it to the broker and reports the
 * answer by its exit status, which is xdg-open's. Questions about the opener itself
 * (--help, --version) and the other uses of a program that also opens pages
 * (`gio info`) are passed on to the real one.
 */
#include "open/open.h"

#include "open/entries.h"
#include "open/file.h"
#include "open/validate.h"
#include "proto/lane.h"
#include "proto/openers.h"
#include "proto/proto.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* xdg-open(1), "Exit Codes" */
enum {
	EXIT_OPENED = 0,
	EXIT_SYNTAX = 1,
	EXIT_NO_FILE = 2,
	EXIT_NO_TOOL = 3,
	EXIT_FAILED = 4,
	EXIT_NO_COMMAND = 127, /* as a shell */
};

/* Execute the real program of this name: the first in PATH that is not this one. Return: an exit status. */
static int run_real(const char *name, char **argv)
{
	struct stat own, st;
	const char *path = getenv("PATH");
	if (stat("/proc/self/exe", &own) < 0)
		return EXIT_NO_TOOL;
	for (const char *p = path ? path : "/usr/bin:/bin"; *p; p += strcspn(p, ":"), p += *p == ':') {
		cleanup_free char *dir = xstrndup(p, strcspn(p, ":"));
		cleanup_free char *candidate = path_join(*dir ? dir : ".", name);
		if (stat(candidate, &st) < 0 || !S_ISREG(st.st_mode) || access(candidate, X_OK) < 0 ||
			(st.st_dev == own.st_dev && st.st_ino == own.st_ino))
			continue;
		/* on the lane: neither the shim nor the broker leads it back here */
		syscall(SYS_execve, candidate, argv, environ, 0, 0, TRAP_LANE);
	}
	say_error("%s: there is no such program", name);
	return EXIT_NO_COMMAND;
}

static bool is_word(const char *words, const char *arg)
{
	size_t n = strlen(arg);
	for (const char *w = words; n && w && *w; w += strcspn(w, " "), w += *w == ' ')
		if (strcspn(w, " ") == n && strncmp(w, arg, n) == 0)
			return true;
	return false;
}

/*
 * Find the one thing to open.
 * @what: gets it
 * Return: -1 when found, else the exit status.
 */
static int read_arguments(const struct opener *o, int argc, char **argv, const char **what)
{
	*what = "";
	const char *name = o ? o->name : "open-url-helper";
	static const char *const about[] = {"--help", "--version", "--manual", "-h", "--help-all"};
	for (size_t i = 0; o && argc == 2 && i < ARRAY_SIZE(about); i++)
		if (strcmp(argv[1], about[i]) == 0)
			return run_real(name, argv);
	int at = 1;
	if (o && o->other_uses && argc > 1 && is_word(o->words, argv[1]))
		at = 2;
	else if (o && o->other_uses)
		return run_real(name, argv);
	/* exo-open --launch WebBrowser URL */
	if (argc > at + 1 && strcmp(argv[at], "--launch") == 0 && strcmp(argv[at + 1], "WebBrowser") == 0)
		at += 2;
	if (at < argc && strcmp(argv[at], "--") == 0)
		at++;
	else if (at < argc && argv[at][0] == '-') {
		cleanup_free char *shown = str_sanitize(argv[at]);
		say_error("%s inside the sandbox takes no options, and %s is one", name, shown);
		return EXIT_SYNTAX;
	}
	if (at + 1 != argc || !*argv[at]) {
		say_error("%s: %s", name,
			at >= argc || !*argv[at] ? "the page to open is missing" : "one page is opened at a time");
		return EXIT_SYNTAX;
	}
	*what = argv[at];
	return -1;
}

/* "scheme:", with something behind it that no file is called. */
static bool has_scheme(const char *text)
{
	size_t n = 0;
	if (!isalpha((unsigned char)text[0]))
		return false;
	while (isalnum((unsigned char)text[n]) || text[n] == '+' || text[n] == '-' || text[n] == '.')
		n++;
	return text[n] == ':' && (str_starts(text + n, "://") || access(text, F_OK) < 0);
}

/*
 * What stands for @what on the way to the broker: a URL as it is, a file by its URL.
 * Return: a new string; NULL when there is no such file, *@status is set then.
 */
static char *name_it(const char *what, int *status)
{
	if (has_scheme(what))
		return xstrdup(what);
	cleanup_free char *shown = str_sanitize(what);
	if (access(what, F_OK) < 0 && errno == ENOENT) {
		say_error("there is no file %s, and a page begins with https://", shown);
		*status = EXIT_NO_FILE;
		return NULL;
	}
	char *cwd = getcwd(NULL, 0);
	cleanup_free char *dir = cwd;
	if (!cwd && what[0] != '/') {
		say_error("%s was not opened: the working directory is gone", shown);
		*status = EXIT_FAILED;
		return NULL;
	}
	/* not made shorter: what ".." means behind a link, the broker finds out */
	cleanup_free char *path = path_join(cwd ? cwd : "/", what);
	cleanup_free char *url = file_url(path);
	if (strlen(path) < PATH_MAX && strlen(url) <= URL_LENGTH_MAX)
		return steal_ptr(&url);
	say_error("the file was not opened: its name is too long");
	*status = EXIT_FAILED;
	return NULL;
}

/* The session's socket: named by the environment, or beside the entry that was executed. New string, NULL: none. */
static char *find_socket(void)
{
	const char *named = getenv("NONO_SOCKET");
	if (named && *named)
		return xstrdup(named);
	const char *self = (const char *)getauxval(AT_EXECFN);
	if (!self || self[0] != '/')
		return NULL;
	cleanup_free char *dir = path_dir(self);
	cleanup_free char *run = path_dir(dir);
	cleanup_free char *path = path_join(run, TREE_SOCKET_NAME);
	struct stat st;
	return stat(path, &st) == 0 && S_ISSOCK(st.st_mode) ? steal_ptr(&path) : NULL;
}

int open_helper_main(int argc, char **argv)
{
	const char *what = NULL;
	int status = read_arguments(argc > 0 ? entries_called(argv[0]) : NULL, argc, argv, &what);
	if (status >= 0)
		return status;
	cleanup_free char *url = name_it(what, &status);
	if (!url)
		return status;
	const char *kind = file_is_url(url, strlen(url)) ? "file" : "page";
	if (strlen(url) > URL_LENGTH_MAX) {
		say_error("the %s was not opened: the URL is longer than %u bytes", kind, URL_LENGTH_MAX);
		return EXIT_FAILED;
	}
	cleanup_free char *socket = find_socket();
	if (!socket) {
		say_error("this is not a program of a session: NONO_SOCKET is not set");
		return EXIT_FAILED;
	}
	cleanup_err struct err *e = NULL;
	cleanup_fd int fd = msg_connect(socket, &e);
	struct msg m = {.type = MSG_OPEN_URL, .url = url};
	cleanup_msg struct msg answer = {0};
	if (fd < 0 || msg_send(fd, &m, &e) < 0 || msg_recv(fd, &answer, -1, &e) <= 0) {
		say_error("the %s was not opened: %s", kind, e ? err_msg(e) : "the session has ended");
		return EXIT_FAILED;
	}
	if (answer.type != MSG_RESULT || answer.status != 0) {
		cleanup_free char *why = str_sanitize(answer.text ? answer.text : "no reason was given");
		say_error("the %s was not opened: %s", kind, why);
		return EXIT_FAILED;
	}
	return EXIT_OPENED;
}
