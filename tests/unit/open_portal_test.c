/* SPDX-License-Identifier: Apache-2.0 */
/*
 * open_portal_test.c - which opener is chosen, with a desktop portal of the test's own
 * on a real session bus of the test's own.
 */
#include "open/opener.h"

#include <dbus/dbus.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <cmocka.h>

#define NAME "org.freedesktop.portal.Desktop"
#define HANDLE "/org/freedesktop/portal/desktop/request/1_1/t"

static pid_t bus, portal;
static char *dir; /* with programs named after openers; each writes its name and arguments to "log" */

/* ---- the portal ---------------------------------------------------------- */

/* "response-N" in a page's address is what the person does with it; "mute": no answer to the call. */
static void open_uri(DBusConnection *c, DBusMessage *m)
{
	const char *window, *url, *handle = HANDLE;
	char named[PATH_MAX] = "";
	int fd = -1;
	/* a file comes as a descriptor, and is what the descriptor says */
	if (dbus_message_has_signature(m, "sha{sv}") &&
		dbus_message_get_args(m, NULL, DBUS_TYPE_STRING, &window, DBUS_TYPE_UNIX_FD, &fd, DBUS_TYPE_INVALID)) {
		cleanup_free char *link = xasprintf("/proc/self/fd/%d", fd);
		if (readlink(link, named, sizeof named - 1) < 0 || !(fcntl(fd, F_GETFL) & O_PATH))
			_exit(5);
		close(fd);
		url = named;
	} else if (!dbus_message_has_signature(m, "ssa{sv}") ||
		   !dbus_message_get_args(
			   m, NULL, DBUS_TYPE_STRING, &window, DBUS_TYPE_STRING, &url, DBUS_TYPE_INVALID))
		_exit(3);
	cleanup_free char *log = xasprintf("%s/log", dir);
	FILE *f = fopen(log, "ae");
	if (!f || fprintf(f, "portal %s\n", url) < 0 || fclose(f) != 0)
		_exit(4);
	if (strstr(url, "mute"))
		return;
	DBusMessage *r = dbus_message_new_method_return(m);
	dbus_message_append_args(r, DBUS_TYPE_OBJECT_PATH, &handle, DBUS_TYPE_INVALID);
	dbus_connection_send(c, r, NULL);
	dbus_message_unref(r);
	const char *word = strstr(url, "response-");
	if (!word)
		return; /* the dialog stays open */
	dbus_uint32_t code = (dbus_uint32_t)strtoul(word + 9, NULL, 10);
	DBusMessage *s = dbus_message_new_signal(HANDLE, "org.freedesktop.portal.Request", "Response");
	DBusMessageIter it, results;
	dbus_message_iter_init_append(s, &it);
	dbus_message_iter_append_basic(&it, DBUS_TYPE_UINT32, &code);
	dbus_message_iter_open_container(&it, DBUS_TYPE_ARRAY, "{sv}", &results);
	dbus_message_iter_close_container(&it, &results);
	dbus_connection_send(c, s, NULL);
	dbus_message_unref(s);
}

static void serve(int ready)
{
	DBusConnection *c = dbus_bus_get(DBUS_BUS_SESSION, NULL);
	if (!c || dbus_bus_request_name(c, NAME, 0, NULL) != DBUS_REQUEST_NAME_REPLY_PRIMARY_OWNER)
		_exit(2);
	(void)!write(ready, "r", 1);
	while (dbus_connection_read_write(c, -1)) {
		DBusMessage *m;
		while ((m = dbus_connection_pop_message(c))) {
			if (dbus_message_is_method_call(m, "org.freedesktop.portal.OpenURI", "OpenURI") ||
				dbus_message_is_method_call(m, "org.freedesktop.portal.OpenURI", "OpenFile"))
				open_uri(c, m);
			dbus_message_unref(m);
		}
	}
	_exit(0);
}

static void start_portal(void)
{
	int p[2];
	char c;
	assert_int_equal(pipe(p), 0);
	portal = fork();
	if (portal == 0)
		serve(p[1]);
	close(p[1]);
	assert_int_equal(read(p[0], &c, 1), 1);
	close(p[0]);
}

static void end(pid_t *pid)
{
	if (*pid <= 0)
		return;
	kill(*pid, SIGKILL);
	waitpid(*pid, NULL, 0);
	*pid = 0;
}

/* ---- the machine --------------------------------------------------------- */

static void program(const char *name)
{
	cleanup_free char *path = path_join(dir, name);
	cleanup_file FILE *f = fopen(path, "we");
	fprintf(f, "#!/bin/sh\nprintf '%%s %%s\\n' \"${0##*/}\" \"$*\" >>%s/log\npwd >%s/cwd\n", dir, dir);
	fchmod(fileno(f), 0755);
}

static int start(void **state)
{
	(void)state;
	int p[2];
	char address[512] = "";
	char template[] = "/tmp/nono-portal-XXXXXX";
	dir = xstrdup(mkdtemp(template));
	program("xdg-open");
	program("wslview");
	program("mine");
	cleanup_free char *path = xasprintf("%s:%s", dir, getenv("PATH"));
	setenv("PATH", path, 1);
	assert_int_equal(pipe(p), 0);
	bus = fork();
	if (bus == 0) {
		dup2(p[1], 3);
		execlp("dbus-daemon", "dbus-daemon", "--session", "--nofork", "--nosyslog", "--print-address=3", NULL);
		_exit(127);
	}
	close(p[1]);
	for (size_t n = 0; n < sizeof address - 1 && !strchr(address, '\n');) {
		ssize_t got = read(p[0], address + n, sizeof address - 1 - n);
		if (got <= 0)
			fail_msg("dbus-daemon did not start");
		n += (size_t)got;
	}
	close(p[0]);
	address[strcspn(address, "\n")] = '\0';
	return setenv("DBUS_SESSION_BUS_ADDRESS", address, 1);
}

static int stop(void **state)
{
	(void)state;
	end(&portal);
	end(&bus);
	cleanup_free char *command = xasprintf("rm -rf %s", dir);
	int rc = system(command);
	free(dir);
	return rc;
}

/* Open @url with the variables @env; the pages that were opened and by what are @want. Return: opener_start()'s. */
static int opens(const char *const *env, const char *url, const char *want)
{
	cleanup_strv struct strv all = {0};
	cleanup_free char *log = path_join(dir, "log"), *text = NULL;
	cleanup_err struct err *e = NULL;
	strv_addf(&all, "PATH=%s", getenv("PATH"));
	for (; *env; env++)
		strv_add(&all, *env);
	unlink(log);
	pid_t pid = -1;
	cleanup_fd int file = url[0] == '/' ? open(url, O_PATH | O_CLOEXEC) : -1;
	int rc = opener_start(all.v, url, file, &pid, &e);
	if (rc == 0 && pid > 0)
		assert_int_equal(waitpid(pid, NULL, 0), pid);
	if (file_read(log, 4096, &text, NULL, NULL) < 0)
		text = xstrdup("");
	assert_string_equal(text, want);
	if (rc < 0)
		assert_true(strlen(err_msg(e)) > 10);
	return rc;
}
#define ENV(...) ((const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

static void without_a_portal(void **state)
{
	(void)state;
	assert_int_equal(opens(ENV("DISPLAY=:0"), "https://a.test/", "xdg-open https://a.test/\n"), 0);
	assert_int_equal(opens(ENV("WAYLAND_DISPLAY=w"), "https://a.test/", "xdg-open https://a.test/\n"), 0);
	assert_int_equal(opens(ENV("DISPLAY="), "https://a.test/", ""), 1);
	assert_int_equal(opens(ENV(), "https://a.test/", ""), 1);
	assert_int_equal(opens(ENV("WSL_DISTRO_NAME=d"), "https://a.test/", "wslview https://a.test/\n"), 0);
	assert_int_equal(opens(ENV("BROWSER=mine"), "https://a.test/", "mine https://a.test/\n"), 0);
	assert_int_equal(opens(ENV("BROWSER=none-such"), "https://a.test/", ""), -1);
	assert_int_equal(
		opens(ENV("BROWSER=none-such:mine -x %s y"), "https://a.test/", "mine -x https://a.test/ y\n"), 0);
	/* no shell sees it */
	assert_int_equal(
		opens(ENV("BROWSER=mine $(id) ;"), "https://a.test/$(id);x", "mine $(id) ; https://a.test/$(id);x\n"),
		0);
	cleanup_free char *cwd = path_join(dir, "cwd"), *text = NULL;
	assert_int_equal(file_read(cwd, 4096, &text, NULL, NULL), 0);
	assert_string_equal(text, "/\n");
}

static void with_a_portal(void **state)
{
	(void)state;
	start_portal();
	assert_int_equal(opens(ENV(), "https://a.test/response-0", "portal https://a.test/response-0\n"), 0);
	assert_int_equal(
		opens(ENV("DISPLAY=:0"), "https://a.test/response-0", "portal https://a.test/response-0\n"), 0);
	assert_int_equal(
		opens(ENV("BROWSER=mine"), "https://a.test/response-0", "mine https://a.test/response-0\n"), 0);
	/* the person closed the dialog, or it failed: nothing else is tried */
	assert_int_equal(
		opens(ENV("DISPLAY=:0"), "https://a.test/response-1", "portal https://a.test/response-1\n"), -1);
	assert_int_equal(
		opens(ENV("DISPLAY=:0"), "https://a.test/response-2", "portal https://a.test/response-2\n"), -1);
	/* the dialog is still open: somebody chooses */
	assert_int_equal(opens(ENV(), "https://a.test/open", "portal https://a.test/open\n"), 0);
	/* the desktop is not where the person is */
	assert_int_equal(opens(ENV("SSH_CONNECTION=1 2 3 4"), "https://a.test/response-0", ""), 1);
	assert_int_equal(opens(ENV("SSH_CONNECTION=1 2 3 4", "DISPLAY=:10"), "https://a.test/response-0",
				 "portal https://a.test/response-0\n"),
		0);
	end(&portal);
}

static void files(void **state)
{
	(void)state;
	cleanup_free char *file = xasprintf("%s/response-0 b.html", dir);
	cleanup_free char *by_portal = xasprintf("portal %s\n", file), *by_program = xasprintf("xdg-open %s\n", file),
			  *by_browser = xasprintf("mine --new %s\n", file);
	cleanup_fd int fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(opens(ENV(), file, ""), 1);
	assert_int_equal(opens(ENV("DISPLAY=:0"), file, by_program), 0);
	start_portal();
	assert_int_equal(opens(ENV("DISPLAY=:0"), file, by_portal), 0);
	assert_int_equal(opens(ENV("BROWSER=mine --new"), file, by_browser), 0);
	end(&portal);
}

/* A program on the bus that is no portal cannot say what became of a page: nobody hears it. */
static void answers_of_others_do_not_count(void **state)
{
	(void)state;
	start_portal();
	pid_t forger = fork();
	if (forger == 0) {
		DBusConnection *c = dbus_bus_get_private(DBUS_BUS_SESSION, NULL);
		for (int i = 0; c && i < 3000; i++) {
			dbus_uint32_t code = 2;
			DBusMessage *s = dbus_message_new_signal(HANDLE, "org.freedesktop.portal.Request", "Response");
			dbus_message_append_args(s, DBUS_TYPE_UINT32, &code, DBUS_TYPE_INVALID);
			dbus_connection_send(c, s, NULL);
			dbus_connection_flush(c);
			dbus_message_unref(s);
			nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
		}
		_exit(0);
	}
	int rc = opens(ENV(), "https://a.test/open", "portal https://a.test/open\n");
	end(&forger);
	end(&portal);
	assert_int_equal(rc, 0);
}

static void a_bus_that_is_gone(void **state)
{
	(void)state;
	end(&bus);
	assert_int_equal(opens(ENV("DISPLAY=:0"), "https://a.test/", "xdg-open https://a.test/\n"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_portal),
		cmocka_unit_test(with_a_portal),
		cmocka_unit_test(files),
		cmocka_unit_test(answers_of_others_do_not_count),
		cmocka_unit_test(a_bus_that_is_gone),
	};
	return cmocka_run_group_tests(tests, start, stop);
}
