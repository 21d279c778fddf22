/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scripts.c - session_hooks: scripts that run outside the sandbox, before the program starts and after it has ended.
 *
 * Theory of operation
 * -------------------
 * A script has the user's rights, so nothing that a sandboxed program could have
 * written may decide which one runs: neither the profile that names it, nor the
 * script, nor the directory that it lies in. What this session may write is
 * asked of the decision function, before each of the two runs, because grants
 * come in between; profiles outside nono's own directory are not listened to.
 *
 * Scripts run one at a time while no event loop does. They have a process group
 * of their own, with which they are ended: when their time is over, when somebody
 * ends nono meanwhile, never for what they leave behind in peace.
 */
#include "session/internal.h"

#include "base/program.h"
#include "profile/profile.h"
#include "sandbox/sandbox.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#define KILL_GRACE_MS 2000
#define TIMEOUT_MAX 86400
#define ENV_MAX (64U << 10)

extern char **environ;

/** struct script - one of the two, as the profile says. */
struct script {
	char *path;       /* NULL: there is none */
	unsigned timeout; /* seconds, 0: none */
};

/* The value of session_hooks.@slot. Its shape was checked when the profile was read. */
static struct script script_of(const struct profile *p, const char *slot)
{
	struct script s = {0};
	struct json_object *root = p->session_hooks ? json_tokener_parse(p->session_hooks) : NULL, *o, *v;
	if (root && json_object_object_get_ex(root, slot, &o)) {
		if (json_object_object_get_ex(o, "script", &v))
			s.path = xstrdup(json_object_get_string(v));
		if (json_object_object_get_ex(o, "timeout_secs", &v))
			s.timeout = json_object_get_int64(v) > TIMEOUT_MAX ? TIMEOUT_MAX
									   : (unsigned)json_object_get_int64(v);
	}
	json_object_put(root);
	return s;
}

bool scripts_wanted(const struct profile *p)
{
	if (!p->session_hooks || profile_is_own(p))
		return p->session_hooks != NULL;
	say("warning: %s: session_hooks has no effect: " PROFILE_OWN_ONLY, profile_place(p, "session_hooks"));
	return false;
}

/* ---- which script may run ------------------------------------------------------- */

static bool writable_inside(const struct policy *p, const char *path)
{
	return policy_check_path(p, OP_WRITE, path).verdict == VERDICT_ALLOW ||
	       policy_check_path(p, OP_CREATE, path).verdict == VERDICT_ALLOW ||
	       policy_check_path(p, OP_DELETE, path).verdict == VERDICT_ALLOW;
}

/* The file that may be run. New string, NULL with the reason. */
static char *script_check(const struct scripts *a, const char *slot, const struct script *s, struct err **e)
{
	struct stat st, up;
	cleanup_free char *real = s->path[0] == '/' ? realpath(s->path, NULL) : NULL;
	cleanup_free char *dir = real ? path_dir(real) : NULL;
	const char *problem = NULL;
	if (s->path[0] != '/')
		problem = "must be an absolute path";
	else if (!real || stat(real, &st) < 0 || stat(dir, &up) < 0)
		problem = strerror(errno);
	else if (!S_ISREG(st.st_mode))
		problem = "is no regular file";
	else if (access(real, X_OK) < 0)
		problem = "may not be executed";
	else if ((st.st_uid != geteuid() && st.st_uid != 0) || (st.st_mode & S_IWOTH))
		problem = "belongs to somebody else, or everybody may write it";
	else if (up.st_mode & S_IWOTH)
		problem = "lies in a directory that everybody may write";
	else if (writable_inside(a->policy, real))
		problem = "may be written by programs in the sandbox";
	if (problem) {
		err_set(e, 0, "%s: session_hooks.%s.script: %s %s", profile_place(a->profile, "session_hooks"), slot,
			s->path, problem);
		return NULL;
	}
	return steal_ptr(&real);
}

int scripts_check(const struct scripts *a, struct err **e)
{
	static const char *const slots[] = {"before", "after"};
	for (size_t i = 0; i < ARRAY_SIZE(slots); i++) {
		struct script s = script_of(a->profile, slots[i]);
		cleanup_free char *path = s.path;
		cleanup_free char *real = path ? script_check(a, slots[i], &s, e) : NULL;
		if (path && !real)
			return -1;
	}
	return 0;
}

/* ---- running one ------------------------------------------------------------------ */

static struct strv script_environment(const struct scripts *a, const char *slot, const char *name, const char *value)
{
	struct strv env = {0};
	for (char **v = environ; v && *v; v++)
		if (!str_starts(*v, "NONO_"))
			strv_add(&env, *v);
	strv_addf(&env, "NONO_SESSION_ID=%s", a->session);
	strv_addf(&env, "NONO_WORKDIR=%s", a->workdir);
	strv_addf(&env, "NONO_HOOK_TYPE=%s", slot);
	strv_addf(&env, "%s=%s", name, value);
	return env;
}

/* In a process group of its own; what it prints goes to standard error, which is nono's. */
static pid_t start_script(const struct scripts *a, const char *path, const struct strv *env, struct err **e)
{
	const char *const argv[] = {path, NULL};
	const struct program p = {
		.dir = a->workdir, .in = -1, .out = STDERR_FILENO, .err = STDERR_FILENO, .env = env->v};
	const pid_t pid = program_start(&p, argv);
	return pid > 0 ? pid : err_set(e, -pid, "cannot start");
}

/* Whoever ends nono ends the script; these are blocked. */
static void ending_signals(sigset_t *set)
{
	const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGNAL_FORWARD, SIGNAL_GUARD_GONE};
	sigemptyset(set);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		sigaddset(set, signals[i]);
}

/*
 * What ended the program is not meant for the script behind it. What the guard got as well it passes on, maybe only
 * now: it answers when it has.
 */
static void forget_signals(pid_t guard)
{
	sigset_t set, answer;
	const struct timespec now = {0}, soon = {.tv_sec = 1};
	sigemptyset(&answer);
	sigaddset(&answer, SIGNAL_ANSWER);
	if (guard == getppid() && sigqueue(guard, SIGNAL_ASK, (union sigval){0}) == 0)
		(void)sigtimedwait(&answer, NULL, &soon);
	ending_signals(&set);
	while (sigtimedwait(&set, NULL, &now) > 0)
		;
}

/* Wait for its end. Return: 0 it has ended, 1 its time is over, 2 nono is to end. */
static int wait_for_end(pid_t pid, unsigned timeout)
{
	sigset_t set;
	ending_signals(&set);
	cleanup_fd int end = (int)syscall(SYS_pidfd_open, pid, 0),
		       signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	struct pollfd p[] = {{.fd = end, .events = POLLIN}, {.fd = signals, .events = POLLIN}};
	const int ms = timeout ? (int)timeout * 1000 : -1;
	int n = 0;
	do
		n = poll(p, ARRAY_SIZE(p), ms);
	while (n < 0 && errno == EINTR);
	return n == 0 ? 1 : p[0].revents ? 0 : 2;
}

static void end_group(pid_t pid)
{
	cleanup_fd int end = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd p = {.fd = end, .events = POLLIN};
	kill(-pid, SIGTERM);
	(void)poll(&p, 1, KILL_GRACE_MS);
	kill(-pid, SIGKILL);
}

/* Run it to its end. Return: 0 when it ended with status 0. */
static int run_script(const struct scripts *a, const char *slot, const char *name, const char *value, struct err **e)
{
	struct script s = script_of(a->profile, slot);
	cleanup_free char *path = s.path;
	if (!path)
		return 0;
	cleanup_free char *real = script_check(a, slot, &s, e);
	if (!real)
		return -1;
	say("session_hooks.%s: %s runs outside the sandbox", slot, real);
	cleanup_strv struct strv env = script_environment(a, slot, name, value);
	int status = 0, how = 0;
	pid_t pid = start_script(a, real, &env, e);
	if (pid > 0) {
		how = wait_for_end(pid, s.timeout);
		if (how)
			end_group(pid);
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
	}
	if (pid > 0 && how == 1)
		err_set(e, 0, "took longer than %u seconds", s.timeout);
	else if (pid > 0 && how == 2)
		err_set(e, 0, "was interrupted");
	else if (pid > 0 && WIFSIGNALED(status))
		err_set(e, 0, "was killed by signal %d", WTERMSIG(status));
	else if (pid > 0 && WEXITSTATUS(status))
		err_set(e, 0, "ended with status %d", WEXITSTATUS(status));
	else if (pid > 0)
		return 0;
	return err_wrap(e, "session_hooks.%s: %s", slot, real);
}

/* ---- variables for the program ------------------------------------------------------ */

static bool passes(const char *name)
{
	if (!isalpha((unsigned char)name[0]) && name[0] != '_')
		return false;
	for (const char *c = name; *c; c++)
		if (!isalnum((unsigned char)*c) && *c != '_')
			return false;
	return strcmp(name, "PATH") != 0 && !str_starts(name, "NONO_") && !environment_dangerous(name);
}

/* "NAME=VALUE" lines, "#" comments. */
static void read_variables(char *text, struct pairs *out)
{
	const struct origin origin = {.source = SOURCE_PROFILE};
	char *save = NULL;
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (line[0] == '#')
			continue;
		char *eq = strchr(line, '=');
		if (eq)
			*eq = '\0';
		cleanup_free char *shown = str_sanitize(line);
		if (eq && passes(line))
			pairs_set(out, line, eq + 1, &origin);
		else
			say("warning: session_hooks.before: the variable %s is not passed on", shown);
	}
}

/* It may hold secrets: nothing of it stays. */
static void wipe_file(int fd, const char *path, char *data, size_t len)
{
	static const char zeros[4096];
	struct stat st;
	if (data)
		explicit_bzero(data, len);
	for (off_t at = 0; fstat(fd, &st) == 0 && at < st.st_size; at += (off_t)sizeof(zeros))
		if (pwrite(fd, zeros,
			    st.st_size - at < (off_t)sizeof(zeros) ? (size_t)(st.st_size - at) : sizeof(zeros), at) < 0)
			break;
	unlink(path);
}

int scripts_before(const struct scripts *a, struct pairs *variables, struct err **e)
{
	cleanup_free char *path = path_join(a->run_dir, "env");
	cleanup_free char *data = NULL;
	size_t len = 0;
	cleanup_fd int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_set(e, errno, "cannot make %s", path);
	int rc = run_script(a, "before", "NONO_ENV_FILE", path, e);
	if (rc == 0)
		rc = file_read(path, ENV_MAX, &data, &len, e);
	if (rc == 0)
		read_variables(data, variables);
	wipe_file(fd, path, data, len);
	return rc;
}

void scripts_after(const struct scripts *a, int status)
{
	cleanup_err struct err *e = NULL;
	cleanup_free char *code = xasprintf("%d", status);
	forget_signals(a->guard);
	if (run_script(a, "after", "NONO_EXIT_CODE", code, &e) < 0)
		say("warning: %s", err_msg(e));
}
