/* SPDX-License-Identifier: Apache-2.0 */
/* base_test.c - paths, strings and errors that every room relies on. */
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void clean_removes_dots_and_double_slashes(void **state)
{
	(void)state;
	static const char *const cases[][2] = {{"/a/b", "/a/b"}, {"//a//b/", "/a/b"}, {"/a/./b/../c", "/a/c"},
		{"/..", "/"}, {"/a/../../b", "/b"}, {"/", "/"}};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_free char *got = path_clean(cases[i][0]);
		assert_string_equal(got, cases[i][1]);
	}
}

static void beneath_does_not_match_a_longer_sibling(void **state)
{
	(void)state;
	assert_true(path_beneath("/a/b", "/a"));
	assert_true(path_beneath("/a", "/a"));
	assert_true(path_beneath("/a", "/"));
	assert_false(path_beneath("/ab", "/a"));
	assert_false(path_beneath("/", "/a"));
}

static void resolve_appends_what_does_not_exist(void **state)
{
	(void)state;
	bool exists = true;
	cleanup_err struct err *e = NULL;
	cleanup_free char *p = path_resolve("/proc/self/../no-such-thing/x", &exists, &e);
	assert_non_null(p);
	assert_false(exists);
	assert_string_equal(p, "/proc/no-such-thing/x");
}

static void quoted_words_are_read_back_by_a_shell(void **state)
{
	(void)state;
	static const struct {
		const char *word, *quoted;
	} cases[] = {
		{"--flag=a/b.c,1", "--flag=a/b.c,1"},
		{"", "''"},
		{"a b", "'a b'"},
		{"it's \\n", "'it'\\''s \\n'"},
		{"caf\xc3\xa9 *", "'caf\xc3\xa9 *'"},
		{"one\ntwo", "$'one\\ntwo'"},
		{"it's\ta \\ \x1b[2J", "$'it\\'s\\ta \\\\ \\033[2J'"},
		{"b\xe2\x80\xae"
		 "1\xff"
		 "1",
			"$'b\\342\\200\\2561\\3771'"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_free char *q = str_quote(cases[i].word);
		cleanup_free char *command = xasprintf("printf %%s %s", q);
		char got[64] = "";
		assert_string_equal(q, cases[i].quoted);
		setenv("COMMAND", command, 1);
		FILE *f = popen("LC_ALL=C bash -c \"$COMMAND\"", "r");
		assert_non_null(f);
		got[fread(got, 1, sizeof(got) - 1, f)] = '\0';
		assert_int_equal(pclose(f), 0);
		assert_string_equal(got, cases[i].word);
	}
}

static void sanitize_shows_controls_and_bidi(void **state)
{
	(void)state;
	cleanup_free char *s = str_sanitize("a\x1b[2Jb\xe2\x80\xae"
					    "c\xff\n");
	assert_string_equal(s, "a\\x1b[2Jb\\u{202e}c\\xff\\x0a");
}

static void nearest_finds_a_typo_and_nothing_for_noise(void **state)
{
	(void)state;
	static const char *const names[] = {"filesystem", "network", "groups"};
	assert_string_equal(str_nearest("filesytem", names, 3), "filesystem");
	assert_null(str_nearest("zzzzzz", names, 3));
}

static void errors_gain_context(void **state)
{
	(void)state;
	cleanup_err struct err *e = NULL;
	err_set(&e, 2, "cannot open %s", "x");
	err_wrap(&e, "profile y");
	assert_string_equal(err_msg(e), "profile y: cannot open x: No such file or directory");
	assert_int_equal(e->code, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clean_removes_dots_and_double_slashes),
		cmocka_unit_test(beneath_does_not_match_a_longer_sibling),
		cmocka_unit_test(resolve_appends_what_does_not_exist),
		cmocka_unit_test(sanitize_shows_controls_and_bidi),
		cmocka_unit_test(quoted_words_are_read_back_by_a_shell),
		cmocka_unit_test(nearest_finds_a_typo_and_nothing_for_noise),
		cmocka_unit_test(errors_gain_context),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
