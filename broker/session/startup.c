/* SPDX-License-Identifier: Apache-2.0 */
/*
 * startup.c - what is decided and said before anything runs: working directory,
 * program, policy, the question for the working directory, the start-up line.
 */
#include "session/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

/* ---- the program --------------------------------------------------------- */

static bool is_program(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

/*
 * Find @name as a shell would: as it is when it holds a slash (relative to the
 * current directory, as typed), else along PATH. New string, or NULL with exit
 * status 127 (not found) or 126 (found, but nothing that can run).
 */
static char *find_program(const char *name, struct err **e)
{
	int status = 127;
	const char *why = "command not found";
	if (strchr(name, '/')) {
		cleanup_free char *real = realpath(name, NULL);
		if (real && is_program(real)) {
			cleanup_free char *cwd = getcwd(NULL, 0);
			return name[0] == '/' ? xstrdup(name) : path_join(cwd ? cwd : "/", name);
		}
		if (real) {
			status = 126;
			why = "not a program that can be executed";
		}
	} else {
		const char *path = getenv("PATH");
		cleanup_free char *dirs = xstrdup(path ? path : "/usr/local/bin:/usr/bin:/bin");
		char *save = NULL;
		for (char *dir = strtok_r(dirs, ":", &save); dir; dir = strtok_r(NULL, ":", &save)) {
			cleanup_free char *candidate = path_join(dir, name);
			if (dir[0] == '/' && is_program(candidate))
				return steal_ptr(&candidate);
		}
	}
	err_set(e, 0, "%s: %s", name, why);
	if (e && *e)
		(*e)->code = status;
	return NULL;
}

/* ---- the working directory ----------------------------------------------- */

static const char *const access_words[] = {
	[WORKDIR_NONE] = "no",
	[WORKDIR_READ] = "read",
	[WORKDIR_WRITE] = "write",
	[WORKDIR_READWRITE] = "read+write",
};

static bool may(const struct policy *p, enum operation op, const char *path)
{
	return policy_check_path(p, op, path).verdict == VERDICT_ALLOW;
}

/* Whether the rules cover the working directory with the access the profile wants there. */
static bool workdir_covered(const struct policy *p, enum workdir_access access, const char *dir)
{
	if ((access == WORKDIR_READ || access == WORKDIR_READWRITE) && !may(p, OP_READ, dir))
		return false;
	cleanup_free char *entry = path_join(dir, "entry");
	return (access != WORKDIR_WRITE && access != WORKDIR_READWRITE) || may(p, OP_CREATE, entry);
}

/*
 * Ask for the working directory. Only a terminal can answer; no answer is no.
 * Return: 1 yes, 0 no, -1 when it must not go on.
 */
static int ask_workdir(const char *dir, enum workdir_access access, struct err **e)
{
	if (say_level == SAY_SILENT)
		return err_set(e, 0, "sharing %s needs --allow-cwd when nono is silent", dir);
	cleanup_free char *shown = str_sanitize(dir);
	if (!isatty(STDIN_FILENO)) {
		say("%s is not shared: there is no terminal to ask on (--allow-cwd shares it)", shown);
		return 0;
	}
	fprintf(stderr, "nono: Share %s with %s access? [y/N] ", shown, access_words[access]);
	fflush(stderr);
	char answer[16];
	ssize_t n = read(STDIN_FILENO, answer, sizeof(answer) - 1);
	if (n <= 0) {
		fputc('\n', stderr);
		return 0;
	}
	answer[n] = '\0';
	answer[strcspn(answer, "\r\n")] = '\0';
	return strcasecmp(answer, "y") == 0 || strcasecmp(answer, "yes") == 0;
}

/* The shim that belongs to this nono, in the build tree or installed. New string or NULL. */
static char *find_shim(const char *self)
{
	static const char *const places[] = {"../lib/libnono-shim.so", "../lib/nono/libnono-shim.so"};
	cleanup_free char *dir = path_dir(self);
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		cleanup_free char *path = path_join(dir, places[i]);
		cleanup_fd int fd = open(path, O_PATH | O_CLOEXEC);
		if (fd >= 0)
			return path_of_fd(fd);
	}
	return NULL;
}

/* ---- the plan ------------------------------------------------------------ */

/*
 * Directories that the profile wants to be there, so that the kernel has rules for them: a program
 * could make them itself, but not run what it puts there. One that cannot be made is left to the program.
 */
static void make_dirs(const struct profile *p, const struct expansion *x)
{
	for (size_t i = 0; i < p->fs.create_dir.n; i++) {
		cleanup_err struct err *e = NULL;
		cleanup_strv struct strv paths = {0};
		bool done = profile_expand(x, &p->fs.create_dir.v[i], &paths, &e) == 0;
		for (size_t k = 0; k < paths.n && done; k++)
			done = dir_create(paths.v[k], 0700, &e) == 0;
		if (!done)
			say_info("create_dir: %s", err_msg(e));
	}
}

static int compile(
	const struct session_options *o, const struct policy_env *base, struct start_plan *out, struct err **e)
{
	struct policy_env env = *base;
	/* without a profile the working directory may be read, as documented */
	enum workdir_access access = o->profile->workdir;
	if (access == WORKDIR_NONE && !o->profile_ref && !o->manifest)
		access = WORKDIR_READ;
	env.cwd_granted = o->allow_cwd && access != WORKDIR_NONE;
	out->policy = policy_compile(o->profile, &env, e);
	if (!out->policy)
		return -1;
	out->cwd_granted = env.cwd_granted;
	if (access == WORKDIR_NONE || env.cwd_granted || workdir_covered(out->policy, access, out->workdir))
		return 0;
	if (o->dry_run)
		return 0;
	int yes = ask_workdir(out->workdir, access, e);
	if (yes <= 0)
		return yes;
	policy_free(out->policy);
	env.cwd_granted = out->cwd_granted = true;
	out->policy = policy_compile(o->profile, &env, e);
	return out->policy ? 0 : -1;
}

/** struct making - the session's place, and who is making it. */
struct making {
	const struct place *place;
	struct worker *worker;
};

static int session_dirs(void *data, struct session_dirs *out, struct err **e)
{
	const struct making *m = data;
	if (worker_await(m->worker, e) < 0)
		return -1;
	*out = (struct session_dirs){.tmp = m->place->tmp, .run = m->place->run, .openers = m->place->openers};
	return 0;
}

int startup_plan(const struct session_options *o, const struct place *place, struct worker *making,
	struct start_plan *out, struct err **e)
{
	struct expansion x = {0};
	struct making m = {place, making};
	*out = (struct start_plan){0};
	if (expansion_init(&x, o->workdir, e) < 0)
		return -1;
	out->workdir = xstrdup(x.workdir);
	out->program = find_program(o->argv[0], e);
	int rc = -1;
	cleanup_free char *self = path_of_link("/proc/self/exe");
	out->shim = self && place ? find_shim(self) : NULL;
	if (out->program && !o->dry_run)
		make_dirs(o->profile, &x);
	if (out->program) {
		const struct policy_env env = {
			.expansion = &x,
			.session_dirs = place ? session_dirs : NULL,
			.session_data = &m,
			.program = out->program,
			.self = self,
			.shim = out->shim,
			.allow_gpu = o->allow_gpu,
		};
		rc = compile(o, &env, out, e);
	}
	expansion_free(&x);
	const struct rule *denied = rc == 0 ? policy_command_denied(out->policy, path_base(out->program)) : NULL;
	if (denied) {
		cleanup_free char *text = rule_describe(denied);
		rc = err_set(e, 0, "the command %s is blocked by %s", path_base(out->program), text);
	}
	return rc;
}

void start_plan_free(struct start_plan *p)
{
	policy_free(p->policy);
	free(p->workdir);
	free(p->program);
	free(p->shim);
	*p = (struct start_plan){0};
}

/* ---- what is said -------------------------------------------------------- */

static const char *network_text(const struct policy *p)
{
	static const char *const text[] = {
		[NET_OPEN] = "network open",
		[NET_FILTERED] = "network by rule",
		[NET_BLOCKED] = "network blocked",
	};
	return text[policy_settings(p)->net_mode];
}

static const char *badge(const struct rule *r)
{
	static const char *const text[] = {"deny", "read", "write", "read+write"};
	return r->deny ? text[0] : text[r->access & (ACCESS_READ | ACCESS_WRITE)];
}

/* One row for each rule; without -v those of groups and of nono itself are only counted. */
static void print_rules(FILE *f, const struct policy *p)
{
	size_t n, others = 0;
	const struct rule *const *rules = policy_rules(p, &n);
	for (size_t i = 0; i < n; i++) {
		const struct rule *r = rules[i];
		bool own = r->origin.source == SOURCE_USER || r->origin.source == SOURCE_PROFILE;
		if (!r->path || r->never)
			continue;
		if (!own && say_level < SAY_INFO) {
			others++;
			continue;
		}
		cleanup_free char *path = str_sanitize(r->path);
		fprintf(f, "  %-10s  %s (%s)", badge(r), path, r->exact ? "file" : "dir");
		if (say_level >= SAY_INFO)
			fprintf(f, "  [%s%s%s]", source_name(r->origin.source), r->origin.label ? ":" : "",
				r->origin.label ? r->origin.label : "");
		fputc('\n', f);
	}
	if (others)
		fprintf(f, "  + %zu system and group paths (-v shows them)\n", others);
	fprintf(f, "  %s\n", network_text(p));
}

void startup_print(const struct session_options *o, const struct start_plan *p, bool supervised)
{
	const char *mode = !supervised ? "kernel only: refuses what is missing"
			   : policy_settings(p->policy)->on_request == ON_REQUEST_DENY ? "refuses what is missing"
										       : "asks for what is missing";
	if (o->dry_run) {
		fputs("Capabilities:\n", stdout);
		print_rules(stdout, p->policy);
		fputs("Command:\n ", stdout);
		for (size_t i = 0; o->argv[i]; i++) {
			cleanup_free char *arg = str_sanitize(o->argv[i]);
			printf(" %s", arg);
		}
		putchar('\n');
		return;
	}
	cleanup_free char *log = say_log_path();
	if (log && policy_check_path(p->policy, OP_WRITE, log).verdict == VERDICT_ALLOW)
		say_error("warning: the program may write to the log file %s: put it elsewhere, or its lines prove "
			  "nothing",
			log);
	cleanup_free char *line = xasprintf("%s with %s%s%s; %s; %s", path_base(p->program),
		o->profile_ref ? "profile "
		: o->manifest  ? "the manifest "
			       : "the default profile",
		o->profile_ref ? o->profile_ref
		: o->manifest  ? o->manifest
			       : "",
		p->cwd_granted ? ", this directory shared" : "", network_text(p->policy), mode);
	if (say_level < SAY_INFO) {
		say("%s", line);
		return;
	}
	say_log("%s", line);
	fprintf(stderr, "nono %s\nCapabilities:\n", NONO_VERSION);
	print_rules(stderr, p->policy);
	fprintf(stderr, "  starts in %s; %s\n", policy_settings(p->policy)->workdir, mode);
}
