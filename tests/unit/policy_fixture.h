/* SPDX-License-Identifier: Apache-2.0 */
/* policy_fixture.h - a home directory of the test's own and profiles written as lists of lines. */
#ifndef POLICY_FIXTURE_H
#define POLICY_FIXTURE_H

#include "policy/policy.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <setjmp.h>
#include <sys/stat.h>
#include <cmocka.h>

struct fixture {
	char *home;
	struct expansion expansion;
	struct policy_env env;
	struct profile *profile;
	struct policy *policy;
};

static inline char *in_home(const struct fixture *f, const char *name)
{
	return name[0] == '/' ? xstrdup(name) : path_join(f->home, name);
}

/* Make "dir/" or "file" below the home directory, with its parents. */
static inline void make(const struct fixture *f, const char *name)
{
	cleanup_free char *path = in_home(f, name);
	size_t n = strlen(path);
	if (path[n - 1] == '/') {
		assert_int_equal(dir_create(path, 0755, NULL), 0);
		return;
	}
	cleanup_free char *dir = path_dir(path);
	assert_int_equal(dir_create(dir, 0755, NULL), 0);
	cleanup_fd int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(io_write_all(fd, "data\n", 5), 0);
}

static inline int fixture_setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));
	char template[] = "/tmp/nono-policy-test-XXXXXX";
	char *dir = mkdtemp(template);
	if (!dir)
		return -1;
	f->home = realpath(dir, NULL);
	setenv("HOME", f->home, 1);
	unsetenv("XDG_CONFIG_HOME");
	unsetenv("XDG_STATE_HOME");
	unsetenv("XDG_RUNTIME_DIR");
	f->expansion = (struct expansion){.home = f->home, .workdir = f->home, .tmpdir = (char *)"/tmp"};
	f->env = (struct policy_env){.expansion = &f->expansion};
	f->profile = profile_new();
	*state = f;
	return 0;
}

static inline int fixture_teardown(void **state)
{
	struct fixture *f = *state;
	policy_free(f->policy);
	profile_free(f->profile);
	dir_remove(f->home, NULL);
	free(f->home);
	free(f);
	return 0;
}

static inline void add(struct fixture *f, struct items *list, const char *value, enum source source)
{
	cleanup_free char *path = in_home(f, value);
	struct origin origin = {.source = source, .label = (char *)(source == SOURCE_USER ? "--flag" : "test")};
	items_add(list, path, &origin);
}

static inline void compile(struct fixture *f)
{
	cleanup_err struct err *e = NULL;
	policy_free(f->policy);
	f->policy = policy_compile(f->profile, &f->env, &e);
	if (!f->policy)
		fail_msg("policy_compile: %s", err_msg(e));
}

/* Compilation must fail with a message that holds both words. */
static inline void compile_fails(struct fixture *f, const char *word1, const char *word2)
{
	cleanup_err struct err *e = NULL;
	struct policy *p = policy_compile(f->profile, &f->env, &e);
	assert_null(p);
	if (!strstr(err_msg(e), word1) || !strstr(err_msg(e), word2))
		fail_msg("message \"%s\" lacks \"%s\" or \"%s\"", err_msg(e), word1, word2);
}

static inline struct decision check(const struct fixture *f, enum operation op, const char *name)
{
	cleanup_free char *path = in_home(f, name);
	return policy_check_path(f->policy, op, path);
}

#define assert_verdict(f, op, name, want, in_kernel)                                                                   \
	do {                                                                                                           \
		struct decision d_ = check(f, op, name);                                                               \
		if (d_.verdict != (want) || d_.kernel != (in_kernel))                                                  \
			fail_msg("%s %s: verdict %d kernel %d, want %d %d", operation_name(op), name, d_.verdict,      \
				d_.kernel, want, in_kernel);                                                           \
	} while (0)

#endif
