/* SPDX-License-Identifier: Apache-2.0 */
/* profile_append_test.c - one value is added to a profile file and nothing else in it changes. */
#include "profile/profile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <cmocka.h>

static char dir[64];

static int setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/nono-append-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	return dir_remove(dir, NULL);
}

static char *path_of(const char *name)
{
	return path_join(dir, name);
}

static const struct {
	const char *what, *before, *key, *value, *after;
} cases[] = {
	{"one line", "{\"filesystem\": {\"read\": [\"/a\"]}}", "filesystem.read", "/b",
		"{\"filesystem\": {\"read\": [\"/a\", \"/b\"]}}"},
	{"one line, trailing comma", "{\"filesystem\": {\"read\": [\"/a\",]}}", "filesystem.read", "/b",
		"{\"filesystem\": {\"read\": [\"/a\", \"/b\"]}}"},
	{"empty list", "{\"filesystem\": {\"read\": []}}", "filesystem.read", "/b",
		"{\"filesystem\": {\"read\": [\"/b\"]}}"},
	{"lines with comments",
		"{\n  // mine\n  \"filesystem\": {\n    \"read\": [\n      \"/a\" // first\n    ] // end\n  }\n}\n",
		"filesystem.read", "/b",
		"{\n  // mine\n  \"filesystem\": {\n    \"read\": [\n      \"/a\", // first\n      \"/b\"\n    ] // "
		"end\n  }\n}\n"},
	{"lines with a trailing comma",
		"{\n\t\"filesystem\": {\n\t\t\"read\": [\n\t\t\t\"/a\", /* x, y ] */\n\t\t],\n\t}\n}\n",
		"filesystem.read", "/b",
		"{\n\t\"filesystem\": {\n\t\t\"read\": [\n\t\t\t\"/a\", /* x, y ] */\n\t\t\t\"/b\",\n\t\t],\n\t}\n}\n"},
	{"a list that is not there", "{\n  \"filesystem\": {\n    \"read\": [\"/a\"]\n  }\n}\n",
		"filesystem.write_file", "/b",
		"{\n  \"filesystem\": {\n    \"read\": [\"/a\"],\n    \"write_file\": [\"/b\"]\n  }\n}\n"},
	{"a section that is not there", "{\n  \"extends\": \"default\"\n}\n", "network.allow_domain", "api.test",
		"{\n  \"extends\": \"default\",\n  \"network\": {\n    \"allow_domain\": [\"api.test\"]\n  }\n}\n"},
	{"a section that is not there, one line", "{\"extends\": \"default\"}", "filesystem.read", "/b",
		"{\"extends\": \"default\",\n\"filesystem\": {\n  \"read\": [\"/b\"]\n}\n}"},
	{"the value is there already", "{\"filesystem\": {\"read\": [\"/b\"]}}", "filesystem.read", "/b",
		"{\"filesystem\": {\"read\": [\"/b\"]}}"},
	{"a port is a number", "{\"network\": {\"listen_port\": [80]}}", "network.listen_port", "8080",
		"{\"network\": {\"listen_port\": [80, 8080]}}"},
	{"quotes in a name", "{\"filesystem\": {\"read\": []}}", "filesystem.read", "/a\"b\\c",
		"{\"filesystem\": {\"read\": [\"/a\\\"b\\\\c\"]}}"},
	{"conditional entries", "{\"filesystem\": {\"read\": [{\"path\": \"/a\", \"when\": \"linux\"}]}}",
		"filesystem.read", "/b",
		"{\"filesystem\": {\"read\": [{\"path\": \"/a\", \"when\": \"linux\"}, \"/b\"]}}"},
};

static void only_the_value_is_added(void **state)
{
	(void)state;
	cleanup_free char *file = path_of("p.json");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_err struct err *e = NULL;
		cleanup_free char *after = NULL;
		assert_int_equal(file_write_atomic(file, cases[i].before, strlen(cases[i].before), 0640, &e), 0);
		if (profile_append_value(file, NULL, cases[i].key, cases[i].value, NULL, NULL, &e) < 0)
			fail_msg("%s: %s", cases[i].what, err_msg(e));
		assert_int_equal(file_read(file, 4096, &after, NULL, &e), 0);
		if (strcmp(after, cases[i].after) != 0)
			fail_msg("%s: got\n%s\nwanted\n%s", cases[i].what, after, cases[i].after);
		struct stat st;
		assert_int_equal(stat(file, &st), 0);
		assert_int_equal(st.st_mode & 0777, 0640);
	}
}

/* open_urls hides what its base says there, so a file that says nothing yet gets all that held. */
static void a_section_that_replaces_is_written_whole(void **state)
{
	(void)state;
	static const struct {
		const char *what, *before, *key, *value, *after;
	} rows[] = {
		{"no section", "{\n  \"extends\": \"base\" // mine\n}\n", "open_urls.allow_origins", "https://c.test",
			"{\n  \"extends\": \"base\", // mine\n  \"open_urls\": {\n"
			"    \"allow_origins\": [\"https://a.test\", \"https://b.test\", \"https://c.test\"],\n"
			"    \"allow_localhost\": true,\n    \"allow_files\": [\"~/x.html\"]\n  }\n}\n"},
		{"null", "{\n  \"open_urls\": null, // base\n}\n", "open_urls.allow_files", "~/y.html",
			"{\n  \"open_urls\": {\n    \"allow_origins\": [\"https://a.test\", \"https://b.test\"],\n"
			"    \"allow_localhost\": true,\n    \"allow_files\": [\"~/x.html\", \"~/y.html\"]\n  }, // "
			"base\n}\n"},
		{"a section", "{\"open_urls\": {\"allow_origins\": [\"https://d.test\"]}}", "open_urls.allow_origins",
			"https://c.test",
			"{\"open_urls\": {\"allow_origins\": [\"https://d.test\", \"https://c.test\"]}}"},
		{"a section without the list", "{\"open_urls\": {\"allow_localhost\": true}}",
			"open_urls.allow_origins", "https://c.test",
			"{\"open_urls\": {\"allow_localhost\": true, \"allow_origins\": [\"https://c.test\"]}}"},
		{"a value that held already", "{}", "open_urls.allow_files", "~/x.html",
			"{\n  \"open_urls\": {\n    \"allow_origins\": [\"https://a.test\", \"https://b.test\"],\n"
			"    \"allow_localhost\": true,\n    \"allow_files\": [\"~/x.html\"]\n  }\n}"},
		{"another section", "{}", "filesystem.read", "/b",
			"{\n  \"filesystem\": {\n    \"read\": [\"/b\"]\n  }\n}"},
	};
	cleanup_profile struct profile *now = profile_new();
	struct origin base = {.source = SOURCE_PROFILE, .label = (char *)"base"},
		      flag = {.source = SOURCE_USER, .label = (char *)"--allow-url"};
	items_add(&now->open_urls.allow_origins, "https://a.test", &base);
	items_add(&now->open_urls.allow_origins, "https://flag.test", &flag);
	items_add(&now->open_urls.allow_origins, "https://b.test", &base);
	items_add(&now->open_urls.allow_files, "~/x.html", &base);
	now->open_urls.allow_localhost = TRI_TRUE;
	cleanup_free char *file = path_of("whole.json");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_err struct err *e = NULL;
		cleanup_free char *after = NULL;
		assert_int_equal(file_write_atomic(file, rows[i].before, strlen(rows[i].before), 0600, &e), 0);
		if (profile_append_value(file, NULL, rows[i].key, rows[i].value, now, NULL, &e) < 0)
			fail_msg("%s: %s", rows[i].what, err_msg(e));
		assert_int_equal(file_read(file, 4096, &after, NULL, &e), 0);
		if (strcmp(after, rows[i].after) != 0)
			fail_msg("%s: got\n%s\nwanted\n%s", rows[i].what, after, rows[i].after);
	}
}

static void a_new_file_extends_the_profile(void **state)
{
	(void)state;
	cleanup_free char *file = path_of("sub/claude-code.json"), *text = NULL, *preview = NULL;
	cleanup_err struct err *e = NULL;
	assert_int_equal(
		profile_append_value(file, "claude-code", "filesystem.read_file", "~/x", NULL, &preview, &e), 0);
	assert_int_equal(access(file, F_OK), -1); /* a preview writes nothing */
	assert_non_null(strstr(preview, "--- /dev/null\n"));
	assert_non_null(strstr(preview, "+    \"read_file\": [\"~/x\"]\n"));
	assert_int_equal(profile_append_value(file, "claude-code", "filesystem.read_file", "~/x", NULL, NULL, &e), 0);
	assert_int_equal(file_read(file, 4096, &text, NULL, &e), 0);
	assert_string_equal(text,
		"{\n  \"extends\": \"claude-code\",\n  \"filesystem\": {\n    \"read_file\": [\"~/x\"]\n  }\n}\n");
	cleanup_profile struct profile *p = profile_load(file, NULL, &e);
	if (!p)
		fail_msg("%s", err_msg(e));
	assert_true(items_have(&p->fs.read_file, "~/x"));
	assert_true(profile_is_a(p, "claude-code"));
}

static void the_preview_is_a_unified_diff(void **state)
{
	(void)state;
	cleanup_free char *file = path_of("p.json"), *preview = NULL;
	static const char text[] =
		"{\n  // 1\n  // 2\n  // 3\n  \"filesystem\": {\n    \"read\": [\n      \"/a\"\n    ]\n  }\n}\n";
	assert_int_equal(file_write_atomic(file, text, strlen(text), 0600, NULL), 0);
	assert_int_equal(profile_append_value(file, NULL, "filesystem.read", "/b", NULL, &preview, NULL), 0);
	const char *hunk = strstr(preview, "@@");
	assert_non_null(hunk);
	assert_string_equal(hunk, "@@ -4,7 +4,8 @@\n   // 3\n   \"filesystem\": {\n     \"read\": [\n-      \"/a\"\n"
				  "+      \"/a\",\n+      \"/b\"\n     ]\n   }\n }\n");
	/* nothing to change, nothing to show */
	free(steal_ptr(&preview));
	assert_int_equal(profile_append_value(file, NULL, "filesystem.read", "/a", NULL, &preview, NULL), 0);
	assert_string_equal(preview, "");
}

static void what_cannot_be_edited_stays_as_it_is(void **state)
{
	(void)state;
	static const struct {
		const char *text, *key, *value;
	} bad[] = {
		{"{\"filesystem\": {\"read\": \"/a\"}}", "filesystem.read", "/b"},
		{"{\"filesystem\": []}", "filesystem.read", "/b"},
		{"{\"filesystem\": {", "filesystem.read", "/b"},
		{"{}", "filesystem.fly", "/b"},
		{"{}", "filesystem", "/b"},
		{"{}", "workdir.access", "read"},
		{"{}", "network.listen_port", "http"},
		{"{}", "filesystem.read", "/\xff"},
		{"{\"no_such_key\": 1}", "filesystem.read", "/b"},
	};
	cleanup_free char *file = path_of("p.json");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		cleanup_err struct err *e = NULL;
		cleanup_free char *after = NULL;
		assert_int_equal(file_write_atomic(file, bad[i].text, strlen(bad[i].text), 0600, NULL), 0);
		if (profile_append_value(file, NULL, bad[i].key, bad[i].value, NULL, NULL, &e) == 0)
			fail_msg("accepted: %s %s", bad[i].text, bad[i].key);
		assert_non_null(e);
		assert_int_equal(file_read(file, 4096, &after, NULL, NULL), 0);
		assert_string_equal(after, bad[i].text);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(only_the_value_is_added),
		TEST(a_section_that_replaces_is_written_whole),
		TEST(a_new_file_extends_the_profile),
		TEST(the_preview_is_a_unified_diff),
		TEST(what_cannot_be_edited_stays_as_it_is),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
