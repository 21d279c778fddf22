/* SPDX-License-Identifier: Apache-2.0 */
/*
 * expand.c - variables and @git: tokens in paths.
 *
 * $NAME and ${NAME} are replaced as whole names: first the names that mean
 * something to profiles, then other variables of nono's own environment, which
 * must be set. "~" and "~/" at the start are the home directory.
 */
#include "profile/fields.h"

#include <errno.h>
#include <limits.h>
#include <sys/stat.h>

#define NAME_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_"

/* ---- what variables stand for ----------------------------------------------------- */

static int absolute(const char *name, const char *value, struct err **e)
{
	return value[0] == '/' ? 0 : err_set(e, 0, "$%s is \"%s\", which is not an absolute path", name, value);
}

int expansion_init(struct expansion *x, const char *workdir_flag, struct err **e)
{
	*x = (struct expansion){0};
	const char *home = getenv("HOME"), *tmp = getenv("TMPDIR"), *pwd = getenv("PWD");
	if (home && *home && absolute("HOME", home, e) < 0)
		return -1;
	if (!home_dir())
		return err_set(e, 0, "there is no home directory: HOME is unset and the password database has none");
	if (tmp && *tmp && absolute("TMPDIR", tmp, e) < 0)
		return -1;
	x->home = path_clean(home_dir());
	x->tmpdir = path_clean(tmp && *tmp ? tmp : "/tmp");
	if (workdir_flag) {
		x->workdir = realpath(workdir_flag, NULL);
		struct stat st;
		if (!x->workdir || stat(x->workdir, &st) < 0)
			return err_set(e, errno, "cannot use working directory %s", workdir_flag);
		if (!S_ISDIR(st.st_mode))
			return err_set(e, 0, "working directory %s is not a directory", workdir_flag);
		return 0;
	}
	(void)pwd; /* the canonical directory is the same however it was reached */
	x->workdir = getcwd(NULL, 0);
	return x->workdir ? 0 : err_set(e, errno, "cannot find the current directory");
}

void expansion_free(struct expansion *x)
{
	free(x->home);
	free(x->workdir);
	free(x->tmpdir);
	*x = (struct expansion){0};
}

static int xdg_value(const struct expansion *x, const char *name, const char *below, char **out, struct err **e)
{
	const char *v = getenv(name);
	if (v && *v) {
		*out = xstrdup(v);
		return absolute(name, v, e);
	}
	*out = below ? path_join(x->home, below) : NULL;
	return 0;
}

/* The value of a name that means something to profiles; *@out NULL when it has none or is another name. */
static int known_variable(const struct expansion *x, const char *name, char **out, struct err **e)
{
	*out = NULL;
	static const struct {
		const char *name, *below;
	} xdg[] = {{"XDG_CONFIG_HOME", ".config"}, {"XDG_DATA_HOME", ".local/share"},
		{"XDG_STATE_HOME", ".local/state"}, {"XDG_CACHE_HOME", ".cache"}, {"XDG_RUNTIME_DIR", NULL}};
	for (size_t i = 0; i < ARRAY_SIZE(xdg); i++)
		if (strcmp(name, xdg[i].name) == 0)
			return xdg_value(x, name, xdg[i].below, out, e);
	if (strcmp(name, "HOME") == 0)
		*out = xstrdup(x->home);
	else if (strcmp(name, "WORKDIR") == 0)
		*out = xstrdup(x->workdir);
	else if (strcmp(name, "TMPDIR") == 0)
		*out = xstrdup(x->tmpdir);
	else if (strcmp(name, "UID") == 0)
		*out = xasprintf("%u", (unsigned)getuid());
	else if (strcmp(name, "NONO_CONFIG") == 0)
		*out = config_dir();
	else if (strcmp(name, "NONO_PACKAGES") == 0) {
		cleanup_free char *c = config_dir();
		*out = path_join(c, "packages");
	}
	return 0;
}

/* The value of a variable; *@out NULL when it has none. */
static int variable(const struct expansion *x, const char *name, char **out, struct err **e)
{
	if (known_variable(x, name, out, e) < 0)
		return -1;
	if (!*out)
		*out = xstrdup(getenv(name));
	return 0;
}

static int fail_at(const struct item *it, struct err **e, const char *what)
{
	if (it->origin.file && it->origin.line)
		return err_set(
			e, 0, "%s:%u:%u: %s: %s", it->origin.file, it->origin.line, it->origin.column, it->value, what);
	return err_set(e, 0, "%s %s: %s", it->origin.label ? it->origin.label : "path", it->value, what);
}

/* One $NAME or ${NAME} at *@p; moves *@p behind it. Return: 1 when the entry stands for nothing here. */
static int expand_one(const struct expansion *x, const struct item *it, const char **p, struct buf *out, struct err **e)
{
	const char *name = *p + 1;
	if (*name == '$') { /* "$$" is a dollar */
		buf_addc(out, '$');
		*p += 2;
		return 0;
	}
	bool braces = *name == '{';
	name += braces;
	size_t n = strspn(name, NAME_CHARACTERS);
	if (n == 0 || (braces && name[n] != '}')) {
		if (braces)
			return fail_at(it, e, "\"${\" without a name and \"}\"");
		buf_addc(out, '$'); /* a dollar that names nothing is a dollar */
		(*p)++;
		return 0;
	}
	cleanup_free char *key = xstrndup(name, n);
	cleanup_free char *value = NULL;
	if (variable(x, key, &value, e) < 0)
		return fail_at(it, e, "");
	if (!value && strcmp(key, "XDG_RUNTIME_DIR") == 0 && it->origin.source != SOURCE_USER)
		return 1; /* there is none without a login session */
	if (!value) {
		cleanup_free char *what = xasprintf("$%s is not set", key);
		return fail_at(it, e, what);
	}
	buf_adds(out, value);
	*p = name + n + braces;
	return 0;
}

/* ---- @git: tokens ------------------------------------------------------------------ */

static char *git_dir_file(const char *dir)
{
	cleanup_free char *dot = path_join(dir, ".git");
	struct stat st;
	/* as git does: what somebody else put there is no repository of this person */
	if (lstat(dot, &st) < 0 || (st.st_uid != geteuid() && st.st_uid != 0))
		return NULL;
	if (S_ISDIR(st.st_mode))
		return steal_ptr(&dot);
	cleanup_free char *text = NULL;
	if (!S_ISREG(st.st_mode) || file_read(dot, 4096, &text, NULL, NULL) < 0 || !str_starts(text, "gitdir: "))
		return NULL;
	text[strcspn(text, "\n")] = '\0';
	return path_join(dir, text + strlen("gitdir: "));
}

/* The work tree that holds the working directory, and its git directory. */
static char *git_toplevel(const struct expansion *x, char **git_dir)
{
	char *dir = xstrdup(x->workdir);
	for (;;) {
		char *found = git_dir_file(dir);
		if (found) {
			*git_dir = found;
			return dir;
		}
		if (strcmp(dir, "/") == 0) {
			free(dir);
			return NULL;
		}
		char *up = path_dir(dir);
		free(dir);
		dir = up;
	}
}

/* A key of [core] in a configuration file of git. New string, NULL if it is not there. */
static char *git_core_value(const char *config, const char *key)
{
	cleanup_free char *text = NULL;
	if (file_read(config, 1U << 20, &text, NULL, NULL) < 0)
		return NULL;
	bool core = false;
	char *save = NULL;
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		line += strspn(line, " \t");
		if (*line == '[')
			core = strncasecmp(line, "[core]", 6) == 0;
		if (!core || strncasecmp(line, key, strlen(key)) != 0)
			continue;
		char *v = line + strlen(key) + strspn(line + strlen(key), " \t");
		if (*v++ != '=')
			continue;
		v += strspn(v, " \t\"");
		v[strcspn(v, "\"\r")] = '\0';
		return xstrdup(v);
	}
	return NULL;
}

/* The real path of what a one-line file of git names, seen from @dir. New string or NULL. */
static char *git_link(const char *dir, const char *name)
{
	cleanup_free char *file = path_join(dir, name), *text = NULL;
	if (file_read(file, 4096, &text, NULL, NULL) < 0)
		return NULL;
	text[strcspn(text, "\n")] = '\0';
	cleanup_free char *target = path_join(dir, text);
	return realpath(target, NULL);
}

static bool same_file(const char *a, const char *b)
{
	struct stat x, y;
	return a && b && lstat(a, &x) == 0 && lstat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/*
 * The directory that all work trees of the repository share. Programs of an
 * earlier session may have written what stands in the work tree, so a directory
 * outside it counts only when it names this work tree itself: a linked work
 * tree by the file gitdir, a submodule by core.worktree.
 * Return: new string, NULL if there is none to be trusted.
 */
static char *git_common_dir(const char *top, const char *git_dir)
{
	cleanup_free char *dot = path_join(top, ".git"), *real = realpath(git_dir, NULL);
	if (!real)
		return NULL;
	cleanup_free char *common = git_link(real, "commondir");
	if (common) {
		cleanup_free char *trees = path_join(common, "worktrees"), *back = git_link(real, "gitdir");
		return path_beneath(real, trees) && same_file(back, dot) ? steal_ptr(&common) : NULL;
	}
	if (same_file(dot, real))
		return steal_ptr(&real);
	cleanup_free char *config = path_join(real, "config"), *tree = git_core_value(config, "worktree");
	cleanup_free char *back = tree ? path_join(real, tree) : NULL;
	return same_file(back, top) ? steal_ptr(&real) : NULL;
}

static void git_config_files(const struct expansion *x, struct strv *out)
{
	static const char *const names[] = {".gitconfig", ".gitignore_global", ".config/git/config",
		".config/git/ignore", ".config/git/attributes"};
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		strv_take(out, path_join(x->home, names[i]));
	strv_add(out, "/etc/gitconfig");
}

static int expand_git(const struct expansion *x, const struct item *it, struct strv *out, struct err **e)
{
	const char *query = it->value + strlen("@git:");
	cleanup_free char *git_dir = NULL;
	cleanup_free char *top = git_toplevel(x, &git_dir);
	if (strcmp(query, "config-files") == 0) {
		git_config_files(x, out);
	} else if (strcmp(query, "hooks-path") == 0) {
		cleanup_free char *config = path_join(x->home, ".gitconfig");
		/* of the person's own configuration; a repository's is not trusted to name paths */
		char *hooks = git_core_value(config, "hookspath");
		if (hooks && hooks[0] == '~') {
			char *abs = xasprintf("%s%s", x->home, hooks + 1);
			free(hooks);
			hooks = abs;
		}
		if (hooks && hooks[0] == '/')
			strv_add(out, hooks);
		free(hooks);
	} else if (strcmp(query, "common-dir") == 0) {
		char *common = top ? git_common_dir(top, git_dir) : NULL;
		if (common)
			strv_take(out, common);
	} else if (strcmp(query, "worktree") == 0 || strcmp(query, "toplevel") == 0) {
		if (top)
			strv_add(out, top);
	} else if (strcmp(query, "toplevel-parent") == 0) {
		if (top)
			strv_take(out, path_dir(top));
	} else {
		return fail_at(it, e,
			"unknown token; known: @git:config-files, hooks-path, common-dir, worktree, toplevel, "
			"toplevel-parent");
	}
	return 0;
}

/* The directories above @dir, up to "/". */
static void parents(const char *dir, struct strv *out)
{
	cleanup_free char *at = xstrdup(dir);
	while (strcmp(at, "/") != 0) {
		char *up = path_dir(at);
		free(at);
		at = up;
		strv_add(out, at);
	}
}

/* ---- entries ------------------------------------------------------------------------- */

char *profile_literal(const char *path)
{
	struct buf b = {0};
	for (const char *c = path; *c; c++)
		buf_adds(&b, (char[]){*c, *c == '$' ? '$' : '\0', '\0'});
	if (!b.data)
		buf_adds(&b, "");
	return buf_steal(&b);
}

char *profile_path_value(const char *path)
{
	const char *home = home_dir();
	bool below = home && strcmp(home, "/") != 0 && path_beneath(path, home) && strcmp(path, home) != 0;
	cleanup_free char *literal = profile_literal(below ? path + strlen(home) : path);
	return xasprintf("%s%s", below ? "~" : "", literal);
}

int profile_expand(const struct expansion *x, const struct item *it, struct strv *out, struct err **e)
{
	const char *p = it->value;
	if (str_starts(p, "@git:"))
		return expand_git(x, it, out, e);
	if (strcmp(p, "@workdir:parents") == 0) {
		parents(x->workdir, out);
		return 0;
	}
	if (p[0] == '@')
		return fail_at(it, e, "unknown token; only @git: tokens and @workdir:parents are known");
	cleanup_buf struct buf b = {0};
	if (p[0] == '~' && (p[1] == '/' || p[1] == '\0')) {
		buf_adds(&b, x->home);
		p++;
	}
	for (;;) {
		size_t n = strcspn(p, "$");
		buf_add(&b, p, n);
		p += n;
		if (!*p)
			break;
		int rc = expand_one(x, it, &p, &b, e);
		if (rc != 0)
			return rc < 0 ? -1 : 0;
	}
	if (b.len == 0)
		return fail_at(it, e, "an empty path");
	if (b.data[0] == '/') {
		strv_take(out, buf_steal(&b));
	} else if (it->origin.source == SOURCE_USER) { /* a flag is relative to where it was given */
		cleanup_free char *cwd = getcwd(NULL, 0);
		strv_take(out, path_join(cwd ? cwd : x->workdir, b.data));
	} else {
		strv_take(out, path_join(x->workdir, b.data));
	}
	return 0;
}

char *profile_expand_text(const struct expansion *x, const char *text)
{
	cleanup_buf struct buf b = {0};
	if (text[0] == '~' && (text[1] == '/' || text[1] == '\0')) {
		buf_adds(&b, x->home);
		text++;
	}
	while (*text) {
		const char *name = text + 1;
		bool braces = *text == '$' && *name == '{';
		name += braces;
		size_t n = *text == '$' ? strspn(name, NAME_CHARACTERS) : 0;
		cleanup_free char *key = xstrndup(name, n), *value = NULL;
		if (n && (!braces || name[n] == '}') && known_variable(x, key, &value, NULL) == 0 && value) {
			buf_adds(&b, value);
			text = name + n + braces;
		} else {
			buf_addc(&b, *text++);
		}
	}
	return b.data ? buf_steal(&b) : xstrdup("");
}
