/* SPDX-License-Identifier: Apache-2.0 */
/*
 * doctor.c - `nono doctor`: what this machine has, what is lost without it, what to do.
 *
 * A table of checks. Only a check that is `required` makes the sandbox unusable;
 * every other one that fails names what then does not work.
 */
#include "explain/internal.h"

#include "sandbox/landlock.h"
#include "sandbox/sandbox.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/utsname.h>

/** struct finding - the outcome of one check; detail is owned. */
struct finding {
	bool ok;
	char *detail;
};

static struct finding found(bool ok, const char *fmt, ...) PRINTF_LIKE(2, 3);
static struct finding found(bool ok, const char *fmt, ...)
{
	struct finding f = {.ok = ok};
	va_list ap;
	va_start(ap, fmt);
	if (vasprintf(&f.detail, fmt, ap) < 0)
		abort();
	va_end(ap);
	return f;
}

static struct finding check_landlock(const struct kernel_features *k)
{
	struct utsname u;
	uname(&u);
	if (k->landlock_abi < 1)
		return found(false, "not in kernel %s", u.release);
	return found(true, "ABI %d, errata 0x%x, kernel %s", k->landlock_abi, k->landlock_errata, u.release);
}

static struct finding check_landlock_age(const struct kernel_features *k)
{
	cleanup_strv struct strv missing = landlock_missing();
	cleanup_buf struct buf b = {0};
	for (size_t i = 0; i < missing.n; i++)
		buf_addf(&b, "%s%s", i ? ", " : "", missing.v[i]);
	if (missing.n == 0)
		return found(true, "all that there are");
	/* the last two of them the broker judges as well as the kernel would */
	return found(k->landlock_abi >= 6, "not judged by the kernel: %s", b.data);
}

static struct finding check_listener(const struct kernel_features *k)
{
	if (k->listener)
		return found(true, "free%s", k->wait_killable ? ", waits are not interrupted by signals" : "");
	return found(false, k->listener_taken ? "taken by an outer sandbox or container" : "not available");
}

static struct finding check_wake_up(const struct kernel_features *k)
{
	return k->sync_wake_up ? found(true, "available") : found(false, "not available (Linux 6.6)");
}

static struct finding check_yama(const struct kernel_features *k)
{
	if (k->yama < 0)
		return found(true, "not present");
	return found(k->yama <= 2, "ptrace_scope %d", k->yama);
}

static struct finding check_namespaces(const struct kernel_features *k)
{
	return k->user_namespaces ? found(true, "available") : found(false, "refused by this system");
}

static struct finding check_cgroup(const struct kernel_features *k)
{
	return k->cgroup_v2_delegated ? found(true, "delegated")
				      : found(false, "no delegated cgroup v2 with controllers");
}

static struct finding check_wsl(const struct kernel_features *k)
{
	return k->wsl2 ? found(false, "this is WSL2") : found(true, "no");
}

/* The session bus: an address in the environment, or the socket systemd makes. */
static struct finding check_bus(const struct kernel_features *k)
{
	(void)k;
	const char *address = getenv("DBUS_SESSION_BUS_ADDRESS");
	if (address && *address)
		return found(true, "named by DBUS_SESSION_BUS_ADDRESS");
	cleanup_free char *socket = xasprintf("/run/user/%u/bus", (unsigned)getuid());
	struct stat st;
	if (stat(socket, &st) == 0 && S_ISSOCK(st.st_mode))
		return found(true, "%s", socket);
	return found(false, "no session bus");
}

static struct finding check_display(const struct kernel_features *k)
{
	(void)k;
	const char *wayland = getenv("WAYLAND_DISPLAY"), *x11 = getenv("DISPLAY");
	if (wayland && *wayland)
		return found(true, "Wayland %s", wayland);
	return x11 && *x11 ? found(true, "X11 %s", x11) : found(false, "no display");
}

/* The shim, beside the program in the build tree or as installed. */
static struct finding check_shim(const struct kernel_features *k)
{
	(void)k;
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	if (n < 0)
		return found(false, "cannot read /proc/self/exe: %s", strerror(errno));
	self[n] = '\0';
	cleanup_free char *dir = path_dir(self);
	static const char *const places[] = {"../lib/libnono-shim.so", "../lib/nono/libnono-shim.so"};
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		cleanup_free char *joined = path_join(dir, places[i]);
		cleanup_free char *path = path_clean(joined);
		if (access(path, R_OK) == 0)
			return found(true, "%s", path);
	}
	return found(false, "libnono-shim.so is not beside %s", self);
}

static struct finding check_terminal(const struct kernel_features *k)
{
	(void)k;
	const char *tmux = getenv("TMUX");
	if (!isatty(STDIN_FILENO) && !isatty(STDERR_FILENO))
		return found(false, "no terminal here");
	return found(true, "%s%s", getenv("TERM") ? getenv("TERM") : "terminal", tmux && *tmux ? " in tmux" : "");
}

static struct finding check_state(const struct kernel_features *k)
{
	(void)k;
	cleanup_free char *dir = state_dir();
	cleanup_err struct err *e = NULL;
	if (dir_create(dir, 0700, &e) < 0)
		return found(false, "%s", err_msg(e));
	return access(dir, W_OK) == 0 ? found(true, "%s", dir) : found(false, "cannot write %s", dir);
}

static const struct check {
	const char *name, *title;
	bool required;
	struct finding (*run)(const struct kernel_features *k);
	const char *lost, *advice;
} checks[] = {
	{"landlock", "Landlock", true, check_landlock, "nothing is started without it",
		"boot Linux 5.13 or newer with landlock in lsm="},
	{"landlock_rights", "Landlock rights", false, check_landlock_age,
		"without a broker, all of it; with one, device controls, signals and abstract sockets",
		"boot Linux 6.12 or newer"},
	{"listener", "seccomp listener", false, check_listener,
		"nothing can be asked at run time and refusals are not explained; names and ports are not filtered",
		"start nono outside of other sandboxes; in a container allow seccomp user notification"},
	{"sync_wake_up", "fast wake-up", false, check_wake_up,
		"a call the broker serves takes about 50 us instead of 9", "boot Linux 6.6 or newer"},
	{"yama", "Yama", false, check_yama, "the broker cannot read what its programs pass to calls, and refuses them",
		"sysctl kernel.yama.ptrace_scope=1"},
	{"user_namespaces", "user namespaces", false, check_namespaces,
		"names are resolved over TCP; by UDP only for Go, busybox and others that do not look where an answer "
		"comes from (not musl, not dig); UDP that a rule allows is not carried",
		"allow unprivileged user namespaces for nono"},
	{"cgroup", "cgroup delegation", false, check_cgroup, "--memory, --pids and --cpu are refused",
		"start from a systemd user session, or: systemd-run --user --scope -p Delegate=yes"},
	{"wsl2", "WSL2", false, check_wsl,
		"the Windows side is reachable over interop and files under /mnt are weakly protected",
		"use WSL2 kernel 6.6 or newer and turn interop off"},
	{"session_bus", "session bus", false, check_bus, "no secrets from the keyring, no desktop notifications",
		"log in to a desktop session, or: dbus-run-session"},
	{"display", "display", false, check_display, "pages are shown as a link and a QR code instead of opened", NULL},
	{"terminal", "terminal", false, check_terminal, "questions need nono approve, tmux or --approver", NULL},
	{"shim", "shim", false, check_shim, "every open goes through the broker: correct, but slower",
		"install nono whole"},
	{"state", "state directory", false, check_state, "refusals are not recorded", NULL},
};

static void print_text(const struct check *c, const struct finding *f)
{
	bool color = use_color(STDOUT_FILENO);
	const char *mark = f->ok ? "ok" : c->required ? "FAIL" : "lack";
	const char *on = !color ? "" : f->ok ? "\x1b[32m" : c->required ? "\x1b[1;31m" : "\x1b[33m";
	printf("%s%-4s%s  %-17s %s\n", on, mark, color ? "\x1b[0m" : "", c->title, f->detail);
	if (f->ok)
		return;
	printf("      %-17s lost: %s\n", "", c->lost);
	if (c->advice)
		printf("      %-17s do:   %s\n", "", c->advice);
}

static struct json_object *finding_json(const struct check *c, const struct finding *f)
{
	struct json_object *o = json_object_new_object();
	json_add_text(o, "name", c->name);
	json_object_object_add(o, "ok", json_object_new_boolean(f->ok));
	json_object_object_add(o, "required", json_object_new_boolean(c->required));
	json_add_text(o, "detail", f->detail);
	if (!f->ok) {
		json_add_text(o, "lost", c->lost);
		json_add_text(o, "advice", c->advice);
	}
	return o;
}

static bool run_checks(bool json)
{
	const struct kernel_features *k = kernel_features();
	struct json_object *list = json_object_new_array(), *o = json_object_new_object();
	bool works = true, full = k->listener;
	for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
		struct finding f = checks[i].run(k);
		works = works && (f.ok || !checks[i].required);
		if (json)
			json_object_array_add(list, finding_json(&checks[i], &f));
		else
			print_text(&checks[i], &f);
		free(f.detail);
	}
	json_object_object_add(o, "works", json_object_new_boolean(works));
	json_add_text(o, "mode", !works ? "none" : full ? "supervised" : "kernel-only");
	json_object_object_add(o, "checks", list);
	if (json)
		puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE));
	else
		puts(!works    ? "\nThe sandbox does not work on this machine."
			: full ? "\nThe sandbox works here, with questions and explanations."
			       : "\nThe sandbox works here in kernel-only mode.");
	json_object_put(o);
	return works;
}

int doctor_command(int argc, char **argv)
{
	static const struct option options[] = {{"json", no_argument, NULL, 'j'},
		{"check-only", no_argument, NULL, 'c'}, {"verbose", no_argument, NULL, 'v'},
		{"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	bool json = false;
	optind = 0;
	opterr = 0;
	for (int c; (c = getopt_long(argc, argv, "vh", options, NULL)) != -1;) {
		if (c == 'j')
			json = true;
		else if (c == 'h')
			return puts("Usage: nono doctor [--json]") < 0;
		else if (c != 'c' && c != 'v')
			return fprintf(stderr, "nono: doctor does not know %s, only --json\n", argv[optind - 1]) < 0
				       ? 1
				       : 2;
	}
	if (optind < argc)
		return fputs("nono: doctor takes no arguments but --json\n", stderr) < 0 ? 1 : 2;
	return run_checks(json) ? 0 : 1;
}
