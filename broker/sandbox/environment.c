/* SPDX-License-Identifier: Apache-2.0 */
/*
 * environment.c - the program's environment.
 *
 * In this order: what is inherited, without the variables that change what
 * other programs run (nobody can allow those), without what the profile denies,
 * only what it allows when it says so; then nono's own variables, the profile's
 * set_vars, secrets, and what the network room adds.
 */
#include "sandbox/sandbox.h"

#include <errno.h>
#include <strings.h>

extern char **environ;

/*
 * Variables that make interpreters, loaders and shells run or load something,
 * and credentials of secret stores. A '*' at the end stands for any rest.
 */
static const char *const dangerous[] = {
	"LD_*",
	"DYLD_*",
	"BASH_ENV",
	"ENV",
	"CDPATH",
	"GLOBIGNORE",
	"BASH_FUNC_*",
	"PROMPT_COMMAND",
	"IFS",
	"PYTHONSTARTUP",
	"PYTHONPATH",
	"NODE_OPTIONS",
	"NODE_PATH",
	"PERL5OPT",
	"PERL5LIB",
	"RUBYOPT",
	"RUBYLIB",
	"GEM_PATH",
	"GEM_HOME",
	"JAVA_TOOL_OPTIONS",
	"_JAVA_OPTIONS",
	"DOTNET_STARTUP_HOOKS",
	"GOFLAGS",
	"GCONV_PATH",
	"OP_SERVICE_ACCOUNT_TOKEN",
	"OP_CONNECT_TOKEN",
	"OP_CONNECT_HOST",
	"OP_SESSION_*",
};
/* nono's own, never inherited from outside. */
static const char *const reserved[] = {"NONO_CAP_FILE", "NONO_SOCKET", "NONO_OPEN_FUNCTIONS", "NONO_SUPERVISOR_PATH",
	"NONO_LOG_FILE", "NONO_DETACHED_*", "NONO_TOOL_SANDBOX_*"};

/* Whether @name (@len bytes) matches @pattern, which may end in '*'. */
static bool matches(const char *pattern, const char *name, size_t len, bool fold)
{
	size_t n = strlen(pattern);
	bool prefix = n > 0 && pattern[n - 1] == '*';
	if (prefix)
		n--;
	if (prefix ? len < n : len != n)
		return false;
	return (fold ? strncasecmp(pattern, name, n) : strncmp(pattern, name, n)) == 0;
}

static bool matches_any(const char *const *patterns, size_t n, const char *name, size_t len, bool fold)
{
	for (size_t i = 0; i < n; i++)
		if (matches(patterns[i], name, len, fold))
			return true;
	return false;
}

static bool listed(const struct items *patterns, const char *name, size_t len)
{
	for (size_t i = 0; i < patterns->n; i++)
		if (matches(patterns->v[i].value, name, len, false))
			return true;
	return false;
}

bool environment_dangerous(const char *name)
{
	return matches_any(dangerous, ARRAY_SIZE(dangerous), name, strlen(name), true);
}

/* Whether one inherited "NAME=value" stays. */
static bool inherited(const struct profile *p, const char *entry)
{
	const char *eq = strchr(entry, '=');
	if (!eq || eq == entry)
		return false;
	size_t len = (size_t)(eq - entry);
	if (matches_any(dangerous, ARRAY_SIZE(dangerous), entry, len, false) ||
		matches_any(reserved, ARRAY_SIZE(reserved), entry, len, false))
		return false;
	if (listed(&p->environment.deny_vars, entry, len))
		return false;
	const struct items *allow = &p->environment.allow_vars;
	return allow->n == 0 || listed(allow, entry, len);
}

/*
 * Programs that find TMUX run tmux uninvited. While its socket is closed to them that fails, after a question that
 * nobody understands, so they are not told of it.
 */
static bool closed_multiplexer(const struct policy *p, const char *entry)
{
	const char *tmux = getenv("TMUX");
	if (!tmux || !(str_starts(entry, "TMUX=") || str_starts(entry, "TMUX_PANE=")))
		return false;
	cleanup_free char *named = xstrndup(tmux, strcspn(tmux, ","));
	cleanup_free char *path = realpath(named, NULL);
	return !path || policy_check_unix(p, OP_UNIX_CONNECT, path).verdict != VERDICT_ALLOW;
}

/* Replace NAME or append it: a variable never appears twice. */
static void set(struct strv *env, const char *name, const char *value)
{
	size_t len = strlen(name);
	for (size_t i = 0; i < env->n; i++) {
		if (strncmp(env->v[i], name, len) == 0 && env->v[i][len] == '=') {
			free(env->v[i]);
			env->v[i] = xasprintf("%s=%s", name, value);
			return;
		}
	}
	strv_addf(env, "%s=%s", name, value);
}

static void set_pairs(struct strv *env, const struct pairs *m)
{
	for (size_t i = 0; m && i < m->n; i++)
		set(env, m->v[i].key, m->v[i].value);
}

static const char *get(const struct strv *env, const char *name)
{
	size_t len = strlen(name);
	for (size_t i = 0; i < env->n; i++)
		if (strncmp(env->v[i], name, len) == 0 && env->v[i][len] == '=')
			return env->v[i] + len + 1;
	return NULL;
}

/* The profile's variables. $TMPDIR in them is the session's, which the program may use. */
static void set_vars(struct strv *env, const struct pairs *vars, const struct environment_extra *x)
{
	const struct expansion values = {.home = (char *)home_dir(),
		.workdir = (char *)(x->workdir ? x->workdir : "/"),
		.tmpdir = (char *)(x->tmpdir ? x->tmpdir : "/tmp")};
	for (size_t i = 0; i < vars->n; i++) {
		cleanup_free char *value = profile_expand_text(&values, vars->v[i].value);
		if (strcmp(vars->v[i].key, "PATH") != 0 && !str_starts(vars->v[i].key, "NONO_"))
			set(env, vars->v[i].key, value);
	}
}

struct strv environment_build(const struct policy *p, const struct environment_extra *x)
{
	struct strv env = {0};
	const struct profile *profile = policy_profile(p);
	for (char **v = environ; v && *v; v++)
		if (inherited(profile, *v) && !closed_multiplexer(p, *v))
			strv_add(&env, *v);

	set_pairs(&env, x->hooks);
	static const char *const temp[] = {"TMPDIR", "TMP", "TEMP"};
	for (size_t i = 0; x->tmpdir && i < ARRAY_SIZE(temp); i++)
		set(&env, temp[i], x->tmpdir);
	if (x->cap_file)
		set(&env, "NONO_CAP_FILE", x->cap_file);
	if (x->browser)
		set(&env, "BROWSER", x->browser);

	set_vars(&env, &profile->environment.set_vars, x);
	if (x->path_prefix) {
		const char *path = get(&env, "PATH");
		cleanup_free char *with = xasprintf("%s:%s", x->path_prefix, path ? path : "/usr/bin:/bin");
		set(&env, "PATH", with);
	}
	set_pairs(&env, x->secrets);
	set_pairs(&env, x->more);
	/* last: nothing above may load something into every program */
	if (x->shim) {
		set(&env, "LD_PRELOAD", x->shim);
		/* a program built with AddressSanitizer otherwise refuses to start behind a preloaded library */
		const char *asan = get(&env, "ASAN_OPTIONS");
		cleanup_free char *options =
			xasprintf("verify_asan_link_order=0%s%s", asan && *asan ? ":" : "", asan ? asan : "");
		set(&env, "ASAN_OPTIONS", options);
	}
	if (!env.v)
		env.v = xcalloc(1, sizeof(*env.v));
	return env;
}
