/* SPDX-License-Identifier: Apache-2.0 */
/* open_file_test.c - names of files, and what may be handed to the host's opener while the tree changes it. */
#include "open/file.h"

#include "open/validate.h"

#include "policy_fixture.h"

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

static void urls_name_paths(void **state)
{
	(void)state;
	static const struct {
		const char *url, *path; /* NULL: refused */
	} cases[] = {
		{"file:///a/b.html", "/a/b.html"},
		{"file:/a", "/a"},
		{"FILE://LOCALHOST/a", "/a"},
		{"file:///a%20b%2f..%2F-x", "/a b/../-x"},
		{"file:///\xc3\xbc", "/\xc3\xbc"},
		{"file:///%C3%BC", "/\xc3\xbc"},
		{"file:", NULL},
		{"file:a", NULL},
		{"file://", NULL},
		{"file://host/a", NULL},
		{"file://localhost", NULL},
		{"file://localhosts/a", NULL},
		{"file:////a", NULL},
		{"file:///a?b", NULL},
		{"file:///a#b", NULL},
		{"file:///a%", NULL},
		{"file:///a%4", NULL},
		{"file:///a%00b", NULL},
		{"file:///a%zz", NULL},
		{"file:///a%0a", NULL},
		{"file:///a\nb", NULL},
		{"file:///%ff", NULL},
		{"file:///\xff", NULL},
		{"file:///%e2%80%ae", NULL},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_err struct err *e = NULL;
		cleanup_free char *path = file_url_path(cases[i].url, strlen(cases[i].url), &e);
		assert_true(file_is_url(cases[i].url, strlen(cases[i].url)));
		if ((path == NULL) != (cases[i].path == NULL) || (path && strcmp(path, cases[i].path) != 0))
			fail_msg("%s: %s", cases[i].url, path ? path : "refused");
		assert_true(path || *err_msg(e));
	}
	cleanup_err struct err *e = NULL;
	assert_null(file_url_path("file:///a\0b", 11, &e));
	char *longest = xcalloc(1, URL_LENGTH_MAX + 2);
	memset(longest, 'a', URL_LENGTH_MAX + 1);
	memcpy(longest, "file:///", 8);
	assert_null(file_url_path(longest, URL_LENGTH_MAX + 1, NULL));
	assert_null(file_url_path(longest, URL_LENGTH_MAX, NULL));
	free(longest);
	assert_false(file_is_url("files://x", 9));
	assert_false(file_is_url("file", 4));
}

static void names_come_back(void **state)
{
	(void)state;
	char name[300] = "/";
	size_t n = 1;
	for (int c = 0x20; c < 0x7f; c++)
		name[n++] = (char)c;
	snprintf(name + n, sizeof name - n, "\xc3\xbc%%41");
	cleanup_free char *url = file_url(name);
	cleanup_free char *back = file_url_path(url, strlen(url), NULL);
	assert_string_equal(back, name);
}

/* ---- races --------------------------------------------------------------- */

struct swap {
	char *a, *b;
	atomic_bool end;
};

static void *swapper(void *data)
{
	struct swap *s = data;
	while (!atomic_load(&s->end))
		renameat2(AT_FDCWD, s->a, AT_FDCWD, s->b, RENAME_EXCHANGE);
	return NULL;
}

/* Pin @asked often while @a and @b change places: what comes out is always this inode under its name. */
static void pin_while(struct fixture *f, const char *asked, const char *a, const char *b, const char *want)
{
	cleanup_free char *path = in_home(f, asked), *good = in_home(f, want), *first = in_home(f, a),
			  *second = in_home(f, b);
	struct swap s = {.a = first, .b = second};
	struct stat right;
	assert_int_equal(stat(good, &right), 0);
	pthread_t t;
	assert_int_equal(pthread_create(&t, NULL, swapper, &s), 0);
	unsigned yes = 0, no = 0;
	for (int i = 0; i < 200000 && (i < 20000 || !yes || !no); i++) {
		cleanup_free char *real = NULL;
		cleanup_fd int fd = file_pin(f->policy, path, &real, NULL);
		struct stat st;
		no += fd < 0;
		if (fd < 0)
			continue;
		yes++;
		if (strcmp(real, good) != 0 || fstat(fd, &st) < 0 || st.st_ino != right.st_ino)
			fail_msg("%s leads to %s", path, real);
	}
	atomic_store(&s.end, true);
	pthread_join(t, NULL);
	assert_true(yes && no);
}

static void swapped_links(void **state)
{
	struct fixture *f = *state;
	make(f, "ok/page.html");
	make(f, "secret/page.html");
	add(f, &f->profile->fs.read, "ok", SOURCE_USER);
	compile(f);
	cleanup_free char *a = in_home(f, "ok/link.html"), *b = in_home(f, "ok/other.html");
	assert_int_equal(symlink("page.html", a), 0);
	assert_int_equal(symlink("../secret/page.html", b), 0);
	pin_while(f, "ok/link.html", "ok/link.html", "ok/other.html", "ok/page.html");
	/* a directory on the way */
	make(f, "ok/dir/");
	cleanup_free char *to = in_home(f, "ok/to"), *inner = in_home(f, "ok/dir/page.html");
	assert_int_equal(symlink("../secret", to), 0);
	make(f, "ok/dir/page.html");
	cleanup_free char *asked = in_home(f, "ok/dir/page.html"), *real = NULL;
	int fd = file_pin(f->policy, asked, &real, NULL);
	assert_true(fd >= 0);
	close(fd);
	struct swap s = {.a = to, .b = in_home(f, "ok/dir")};
	pthread_t t;
	assert_int_equal(pthread_create(&t, NULL, swapper, &s), 0);
	for (int i = 0; i < 20000; i++) {
		cleanup_free char *got = NULL;
		fd = file_pin(f->policy, inner, &got, NULL);
		/* the same file, by the name it had a moment ago */
		if (fd >= 0 && strstr(got, "secret"))
			fail_msg("%s leads to %s", inner, got);
		if (fd >= 0)
			close(fd);
	}
	atomic_store(&s.end, true);
	pthread_join(t, NULL);
	free(s.b);
}

static void modes_and_kinds(void **state)
{
	struct fixture *f = *state;
	make(f, "a.html");
	add(f, &f->profile->fs.read, "", SOURCE_USER);
	compile(f);
	cleanup_free char *path = in_home(f, "a.html");
	for (mode_t mode = 0; mode < 01000; mode++) {
		cleanup_free char *real = NULL;
		assert_int_equal(chmod(path, mode), 0);
		cleanup_fd int fd = file_pin(f->policy, path, &real, NULL);
		if ((fd >= 0) != !(mode & 0111))
			fail_msg("mode %o: %d", mode, fd);
	}
	static const char *const bad[] = {"/dev/null", "/proc/self/exe", "/proc/self/fd/0", "/proc/self/environ", "/",
		"/nowhere/a.html", "a.html/b.html"};
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		cleanup_free char *name = in_home(f, bad[i]), *real = NULL;
		assert_int_equal(file_pin(f->policy, name, &real, NULL), -1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(urls_name_paths),
		cmocka_unit_test(names_come_back),
		cmocka_unit_test_setup_teardown(swapped_links, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(modes_and_kinds, fixture_setup, fixture_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
