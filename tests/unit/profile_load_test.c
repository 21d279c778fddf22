/* SPDX-License-Identifier: Apache-2.0 */
/* profile_load_test.c - profiles found, extended and expanded; published examples mean what they say. */
#include "profile/fields.h"

#include <setjmp.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <cmocka.h>

static char home[64];

static int setup(void **state)
{
	(void)state;
	strcpy(home, "/tmp/nono-load-XXXXXX");
	if (!mkdtemp(home) || setenv("HOME", home, 1) != 0)
		return -1;
	unsetenv("XDG_CONFIG_HOME");
	cleanup_free char *profiles = path_join(home, ".config/nono/profiles");
	cleanup_free char *project = path_join(home, "project");
	return dir_create(profiles, 0700, NULL) == 0 && dir_create(project, 0700, NULL) == 0 ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	return dir_remove(home, NULL);
}

/* Write a file below the home directory; a name without a slash is one of the user's profiles. */
static void put(const char *name, const char *text)
{
	cleanup_free char *file = strchr(name, '/') ? xasprintf("%s/%s", home, name)
						    : xasprintf("%s/.config/nono/profiles/%s", home, name);
	assert_int_equal(file_write_atomic(file, text, strlen(text), 0600, NULL), 0);
}

static struct profile *load(const char *ref)
{
	cleanup_err struct err *e = NULL;
	struct profile *p = profile_load(ref, NULL, &e);
	if (!p)
		fail_msg("%s: %s", ref, err_msg(e));
	return p;
}

static void refused(const char *ref, const char *why)
{
	cleanup_err struct err *e = NULL;
	cleanup_profile struct profile *p = profile_load(ref, NULL, &e);
	if (p || !strstr(err_msg(e), why))
		fail_msg("%s: %s, wanted: %s", ref, p ? "loaded" : err_msg(e), why);
}

static void test_names(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		bool valid;
	} names[] = {{"a", true}, {"A-9", true}, {"claude-code", true}, {"", false}, {"-a", false}, {"a-", false},
		{"a_b", false}, {"a.b", false}, {"../a", false}, {"\xc3\xa4", false}};
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_int_equal(profile_name_valid(names[i].name), names[i].valid);
	refused("a_b", "a_b");
	refused("no-such-profile", "no-such-profile");
	refused("claude-cod", "did you mean");
	refused("./missing.json", "missing.json");
	refused(home, home);
}

static void test_lookup(void **state)
{
	(void)state;
	put("twice.json", "{\"meta\": {\"name\": \"json\"}}");
	put("twice.jsonc", "{\"meta\": {\"name\": \"jsonc\"}, /* wins */}");
	cleanup_profile struct profile *p = load("twice");
	assert_string_equal(p->meta.name, "jsonc");

	/* a base beside a project's file is found before one of the same name elsewhere */
	put("base.json", "{\"filesystem\": {\"read\": [\"/global\"]}}");
	put("project/base.json", "{\"filesystem\": {\"read\": [\"/beside\"]}}");
	put("project/mine.json", "{\"extends\": \"base\", \"filesystem\": {\"read\": [\"/mine\"]}}");
	cleanup_free char *file = path_join(home, "project/mine.json");
	cleanup_profile struct profile *q = load(file);
	assert_int_equal(q->fs.read.n, 2);
	assert_string_equal(q->fs.read.v[0].value, "/beside");
	assert_string_equal(q->fs.read.v[1].value, "/mine");

	/* an alias of a built-in, and the built-in below a profile that hides it */
	cleanup_profile struct profile *alias = load("claude");
	assert_true(profile_is_a(alias, "claude-code"));
	put("codex.json", "{\"meta\": {\"name\": \"codex\"}, \"extends\": \"codex\"}");
	cleanup_profile struct profile *hides = load("codex");
	assert_true(hides->open_urls.given);
}

static void test_extends(void **state)
{
	(void)state;
	put("one.json", "{\"workdir\": {\"access\": \"read\"}, \"filesystem\": {\"read\": [\"/1\", \"/x\"]}}");
	put("two.json", "{\"workdir\": {\"access\": \"write\"}, \"filesystem\": {\"read\": [\"/x\", \"/2\"]}}");
	put("both.json", "{\"extends\": [\"one\", \"two\"], \"filesystem\": {\"read\": [\"/3\", \"/1\"]}}");
	cleanup_profile struct profile *p = load("both");
	static const char *const want[] = {"/1", "/x", "/2", "/3"};
	assert_int_equal(p->fs.read.n, ARRAY_SIZE(want));
	for (size_t i = 0; i < ARRAY_SIZE(want); i++)
		assert_string_equal(p->fs.read.v[i].value, want[i]);
	assert_int_equal(p->workdir, WORKDIR_WRITE);

	put("a.json", "{\"extends\": \"b\"}");
	put("b.json", "{\"extends\": [\"default\", \"a\"]}");
	refused("a", "a");
	put("none.json", "{\"extends\": \"no-such-base\"}");
	refused("none", "no-such-base");
	for (int i = 0; i < 13; i++) {
		cleanup_free char *name = xasprintf("deep%d.json", i),
				  *text = xasprintf("{\"extends\": \"deep%d\"}", i + 1);
		put(name, i == 12 ? "{}" : text);
	}
	profile_free(load("deep2"));
	refused("deep1", "deep1");
}

static void test_default_groups(void **state)
{
	(void)state;
	put("plain.json", "{\"groups\": {\"include\": [\"rust_runtime\"], \"exclude\": [\"dangerous_commands\", "
			  "\"no_such_group\"]}}");
	cleanup_profile struct profile *p = load("plain"), *standard = profile_default(NULL);
	assert_true(items_have(&p->groups_include, "deny_credentials"));
	assert_true(items_have(&p->groups_include, "rust_runtime"));
	assert_string_equal(p->groups_include.v[0].value, standard->groups_include.v[0].value);
	put("wrong.json", "{\"groups\": {\"include\": [\n\"rust_runtim\"]}}");
	refused("wrong", "wrong.json:2:1: unknown policy group \"rust_runtim\"; did you mean \"rust_runtime\"?");
}

static void test_when(void **state)
{
	(void)state;
	static const struct {
		const char *when;
		int holds; /* -1: an error */
	} cases[] = {
		{"\"linux\"", 1},
		{"\"!linux\"", 0},
		{"\"macos\"", 0},
		{"\"!macos\"", 1},
		{"\"windows:11\"", 0},
		{"\"freebsd\"", 0},
		{"\"!freebsd\"", 1},
		{"[\"macos\", \"linux\"]", 1},
		{"[\"macos\", \"windows\"]", 0},
		{"\"linux:no-such-distribution\"", 0},
		{"\"!linux:no-such-distribution\"", 1},
		{"\"linux:\"", -1},
		{"\"\"", -1},
		{"\"!\"", -1},
		{"\"linux::12\"", -1},
		{"\"li nux\"", -1},
		{"[]", -1},
		{"5", -1},
		{"[5]", -1},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_free char *text =
			xasprintf("{\"filesystem\": {\"read\": [{\"path\": \"/x\", \"when\": %s}]}}", cases[i].when);
		cleanup_err struct err *e = NULL;
		cleanup_profile struct profile *p = profile_load_text("t.json", text, strlen(text), &e);
		if (p ? (int)p->fs.read.n != cases[i].holds : cases[i].holds != -1)
			fail_msg("%s: %s", cases[i].when, p ? "held wrongly" : err_msg(e));
	}
}

static void test_expand(void **state)
{
	(void)state;
	struct expansion x = {.home = xstrdup("/h"), .workdir = xstrdup("/w"), .tmpdir = xstrdup("/t")};
	setenv("NONO_TEST_DIR", "/own", 1);
	unsetenv("NONO_TEST_UNSET");
	static const struct {
		const char *path, *want; /* NULL: an error */
	} cases[] = {
		{"~", "/h"},
		{"~/a", "/h/a"},
		{"$HOME/a", "/h/a"},
		{"${HOME}/a", "/h/a"},
		{"$WORKDIR", "/w"},
		{"$TMPDIR/a", "/t/a"},
		{"$NONO_TEST_DIR/a", "/own/a"},
		{"$NONO_TEST_UNSET/a", NULL},
		{"$HOMEX/a", NULL},
		{"@git:no-such", NULL},
		{"@svn:toplevel", NULL},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct item it = {.value = xstrdup(cases[i].path)};
		cleanup_strv struct strv out = {0};
		cleanup_err struct err *e = NULL;
		int rc = profile_expand(&x, &it, &out, &e);
		if (cases[i].want ? rc != 0 || out.n != 1 || strcmp(out.v[0], cases[i].want) != 0 : rc == 0)
			fail_msg("%s: %s", cases[i].path, rc == 0 && out.n ? out.v[0] : err_msg(e));
		free(it.value);
	}
	expansion_free(&x);
}

/* What a token stands for in a directory below home; "" for nothing. New string. */
static char *git_token(const char *dir, const char *token)
{
	struct expansion x = {.home = xstrdup(home), .workdir = path_join(home, dir), .tmpdir = xstrdup("/t")};
	struct item it = {.value = xstrdup(token)};
	cleanup_strv struct strv out = {0};
	assert_int_equal(profile_expand(&x, &it, &out, NULL), 0);
	free(it.value);
	expansion_free(&x);
	return xstrdup(out.n ? out.v[0] : "");
}

static void expect_token(const char *dir, const char *token, const char *want)
{
	cleanup_free char *got = git_token(dir, token), *path = *want ? path_join(home, want) : xstrdup("");
	assert_string_equal(got, path);
}

static void make_dir(const char *dir)
{
	cleanup_free char *path = path_join(home, dir);
	assert_int_equal(dir_create(path, 0700, NULL), 0);
}

static void test_git(void **state)
{
	(void)state;
	make_dir("repo/.git/worktrees/two");
	make_dir("repo/.git/modules/sub");
	make_dir("repo/deep");
	make_dir("repo/sub");
	make_dir("two");
	expect_token("repo/deep", "@git:toplevel", "repo");
	expect_token("repo/deep", "@git:common-dir", "repo/.git");
	expect_token("project", "@git:common-dir", "");
	cleanup_free char *above = git_token("repo", "@git:toplevel-parent");
	assert_string_equal(above, home);

	/* a linked work tree, and a submodule */
	cleanup_free char *dot = xasprintf("gitdir: %s/repo/.git/worktrees/two\n", home);
	cleanup_free char *back = xasprintf("%s/two/.git\n", home);
	put("two/.git", dot);
	put("repo/.git/worktrees/two/commondir", "../..\n");
	expect_token("two", "@git:common-dir", ""); /* it doesn't name this work tree yet */
	put("repo/.git/worktrees/two/gitdir", back);
	expect_token("two", "@git:common-dir", "repo/.git");
	put("repo/sub/.git", "gitdir: ../.git/modules/sub\n");
	put("repo/.git/modules/sub/config", "[core]\n\tbare = false\n\tworktree = ../../../sub\n");
	expect_token("repo/sub", "@git:common-dir", "repo/.git/modules/sub");

	/* what a sandboxed program wrote there to be given more the next time */
	make_dir("secrets");
	make_dir("evil/.git");
	put("evil/.git/commondir", "../../secrets\n");
	expect_token("evil", "@git:common-dir", "");
	make_dir("worse");
	put("worse/.git", "gitdir: ../secrets\n");
	expect_token("worse", "@git:common-dir", "");
	put("worse/.git", "gitdir: ../repo/.git/worktrees/two\n");
	expect_token("worse", "@git:common-dir", "");
}

static struct profile *example(const char *name)
{
	cleanup_free char *file = xasprintf("%s/%s", PROFILE_EXAMPLES, name);
	return load(file);
}

/* The examples of the page on Claude Code, and a profile as it is saved with every key. */
static void test_examples(void **state)
{
	(void)state;
	cleanup_profile struct profile *own = example("own/claude-code.json");
	assert_true(items_have(&own->groups_include, "git_config"));
	assert_true(items_have(&own->fs.allow, "$HOME/.claude"));
	assert_string_equal(pairs_get(&own->env_credentials, "anthropic_api_key"), "ANTHROPIC_API_KEY");
	assert_int_equal(own->workdir, WORKDIR_NONE); /* replaces the built-in, inherits nothing */
	assert_false(own->open_urls.given);

	cleanup_profile struct profile *open = example("claude-code-netopen.json");
	assert_true(open->network.profile_given);
	assert_null(open->network.profile);
	assert_true(items_have(&open->open_urls.allow_origins, "https://claude.ai"));
	assert_int_equal(open->workdir, WORKDIR_READWRITE);

	cleanup_profile struct profile *urls = example("claude-code-custom-auth.json");
	assert_int_equal(urls->open_urls.allow_origins.n, 2);
	assert_int_equal(urls->open_urls.allow_localhost, TRI_TRUE);

	cleanup_profile struct profile *agent = example("claude-code-secretive.json");
	assert_true(items_have(&agent->fs.read, "$HOME/.ssh/config"));
	assert_true(items_have(&agent->fs.allow_file, "$HOME/.ssh/known_hosts"));
	assert_true(items_have(&agent->fs.allow, "$HOME/.ssh/known_hosts"));

	unsigned before = profile_deprecated_keys();
	cleanup_profile struct profile *saved = example("saved.json");
	assert_int_equal(profile_deprecated_keys(), before); /* empty legacy keys are silent */
	assert_int_equal(saved->network.allow_domain.n, 8);
	assert_int_equal(saved->workdir, WORKDIR_READWRITE);
	assert_int_equal(saved->interactive, TRI_TRUE);
	assert_true(saved->open_urls.given);
	assert_false(saved->environment.given);
	assert_string_equal(pairs_get(&saved->env_credentials, "github_token"), "GH_TOKEN");

	/* numbers that a page puts beside its lines are pointed at */
	cleanup_free char *file = xasprintf("%s/callouts.json", PROFILE_EXAMPLES);
	refused(file, "callouts.json:23:16: ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_lookup),
		cmocka_unit_test(test_extends),
		cmocka_unit_test(test_default_groups),
		cmocka_unit_test(test_when),
		cmocka_unit_test(test_expand),
		cmocka_unit_test(test_git),
		cmocka_unit_test(test_examples),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
