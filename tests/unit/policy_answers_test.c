/* SPDX-License-Identifier: Apache-2.0 */
/* policy_answers_test.c - sockets, answers of the person, words for rules. */
#include "policy_fixture.h"

#include <pthread.h>

static enum verdict socket_verdict(const struct fixture *f, enum operation op, const char *name)
{
	cleanup_free char *path = in_home(f, name);
	return policy_check_unix(f->policy, op, path).verdict;
}

static void control_sockets_stay_closed_under_any_grant(void **state)
{
	struct fixture *f = *state;
	make(f, "agent/sock");
	cleanup_free char *agent = in_home(f, "agent/sock");
	setenv("SSH_AUTH_SOCK", agent, 1);
	add(f, &f->profile->fs.allow, "", SOURCE_USER);
	add(f, &f->profile->fs.allow, "/run", SOURCE_USER);
	add(f, &f->profile->fs.allow, "/tmp", SOURCE_USER);
	compile(f);
	unsetenv("SSH_AUTH_SOCK");
	static const char *const closed[] = {"agent/sock", "/run/docker.sock", "/run/user/1000/podman/podman.sock",
		"/run/containerd/containerd.sock", "/run/systemd/private", "/run/dbus/system_bus_socket",
		"/run/user/1000/bus", "/run/user/1000/systemd/private", "/tmp/tmux-0/default", "/tmp/ssh-abc/agent.17",
		".gnupg/S.gpg-agent", "/run/user/1000/gnupg/d.x/S.gpg-agent.ssh", "/run/libvirt/libvirt-sock",
		"/run/user/1000/vscode-ipc-1.sock", "/tmp/.X11-unix/X0", "/run/user/1000/wayland-0",
		".docker/run/docker.sock"};
	for (size_t i = 0; i < ARRAY_SIZE(closed); i++)
		if (socket_verdict(f, OP_UNIX_CONNECT, closed[i]) != VERDICT_PROTECTED)
			fail_msg("%s is not protected", closed[i]);
	assert_int_equal(socket_verdict(f, OP_UNIX_CONNECT, "proj/dev.sock"), VERDICT_ALLOW);
	assert_int_equal(socket_verdict(f, OP_UNIX_BIND, "proj/dev.sock"), VERDICT_ALLOW);
}

static void naming_a_socket_opens_it(void **state)
{
	struct fixture *f = *state;
	make(f, "run/docker.sock");
	make(f, "run/agent.sock");
	add(f, &f->profile->fs.unix_socket, "run/docker.sock", SOURCE_USER);
	add(f, &f->profile->fs.read, "run/agent.sock", SOURCE_PROFILE);
	add(f, &f->profile->fs.unix_socket_dir, "run", SOURCE_PROFILE);
	compile(f);
	assert_int_equal(socket_verdict(f, OP_UNIX_CONNECT, "run/docker.sock"), VERDICT_ALLOW);
	assert_int_equal(socket_verdict(f, OP_UNIX_BIND, "run/docker.sock"), VERDICT_PROTECTED);
	assert_int_equal(socket_verdict(f, OP_UNIX_CONNECT, "run/agent.sock"), VERDICT_ALLOW);
	assert_int_equal(socket_verdict(f, OP_UNIX_CONNECT, "run/podman.sock"), VERDICT_PROTECTED);
	assert_int_equal(socket_verdict(f, OP_UNIX_CONNECT, "run/other.sock"), VERDICT_ALLOW);
	assert_int_equal(socket_verdict(f, OP_UNIX_CONNECT, "run/deep/other.sock"), VERDICT_NONE);
	assert_int_equal(socket_verdict(f, OP_UNIX_BIND, "run/other.sock"), VERDICT_NONE);
}

static void reading_a_directory_does_not_open_its_sockets(void **state)
{
	struct fixture *f = *state;
	make(f, "srv/db.sock");
	add(f, &f->profile->fs.read, "srv", SOURCE_PROFILE);
	compile(f);
	assert_int_equal(socket_verdict(f, OP_UNIX_CONNECT, "srv/db.sock"), VERDICT_NONE);
}

static void socket_rules_check_types(void **state)
{
	struct fixture *f = *state;
	make(f, "dir/");
	make(f, "file");
	add(f, &f->profile->fs.unix_socket, "dir", SOURCE_USER);
	compile_fails(f, "is a directory", "--allow-unix-socket-dir");
	items_free(&f->profile->fs.unix_socket);
	add(f, &f->profile->fs.unix_socket_subtree, "file", SOURCE_USER);
	compile_fails(f, "is not a directory", "--allow-unix-socket");
	items_free(&f->profile->fs.unix_socket_subtree);
	cleanup_free char *link = in_home(f, "dangling");
	assert_int_equal(symlink("nowhere", link), 0);
	add(f, &f->profile->fs.unix_socket_bind, "dangling", SOURCE_USER);
	compile_fails(f, "dangling", "symbolic link");
}

static void a_socket_to_be_bound_may_be_made_and_removed(void **state)
{
	struct fixture *f = *state;
	make(f, "run/");
	add(f, &f->profile->fs.unix_socket_bind, "run/new.sock", SOURCE_USER);
	compile(f);
	assert_int_equal(socket_verdict(f, OP_UNIX_BIND, "run/new.sock"), VERDICT_ALLOW);
	assert_verdict(f, OP_DELETE, "run/new.sock", VERDICT_ALLOW, false);
	assert_int_equal(socket_verdict(f, OP_UNIX_BIND, "run/old.sock"), VERDICT_NONE);
}

static void an_answer_counts_at_once_and_can_be_revoked(void **state)
{
	struct fixture *f = *state;
	make(f, ".ssh/config");
	make(f, "other/x");
	add(f, &f->profile->fs.deny, ".ssh", SOURCE_PROFILE);
	compile(f);
	cleanup_free char *config = in_home(f, ".ssh/config"), *other = in_home(f, "other");
	unsigned id = policy_grant_path(f->policy, config, true, ACCESS_READ, false);
	assert_verdict(f, OP_READ, ".ssh/config", VERDICT_ALLOW, false);
	assert_verdict(f, OP_WRITE, ".ssh/config", VERDICT_PROTECTED, false);
	assert_verdict(f, OP_READ, ".ssh/id", VERDICT_PROTECTED, false);
	unsigned dir = policy_grant_path(f->policy, other, false, ACCESS_READ | ACCESS_WRITE, false);
	assert_verdict(f, OP_CREATE, "other/new", VERDICT_ALLOW, false);
	assert_true(policy_revoke(f->policy, id));
	assert_false(policy_revoke(f->policy, id));
	assert_verdict(f, OP_READ, ".ssh/config", VERDICT_PROTECTED, false);
	size_t n;
	struct grant_info *g = policy_grants(f->policy, &n);
	assert_int_equal(n, 1);
	assert_int_equal(g[0].id, dir);
	assert_non_null(strstr(g[0].text, "everything beneath"));
	grants_free(g, n);
}

static void a_session_grant_of_a_directory_does_not_reach_what_is_denied_in_it(void **state)
{
	struct fixture *f = *state;
	make(f, ".ssh/id");
	add(f, &f->profile->fs.deny, ".ssh", SOURCE_PROFILE);
	compile(f);
	policy_grant_path(f->policy, f->home, false, ACCESS_READ, false);
	assert_verdict(f, OP_READ, "x", VERDICT_ALLOW, false);
	assert_verdict(f, OP_READ, ".ssh/id", VERDICT_PROTECTED, false);
}

static void no_for_this_session_is_not_asked_again(void **state)
{
	struct fixture *f = *state;
	make(f, "dir/x");
	make(f, "proj/");
	add(f, &f->profile->fs.read, "proj", SOURCE_PROFILE);
	compile(f);
	cleanup_free char *dir = in_home(f, "dir"), *x = in_home(f, "dir/x");
	policy_grant_path(f->policy, dir, false, ACCESS_READ, true);
	assert_verdict(f, OP_READ, "dir/x", VERDICT_NEVER, false);
	assert_verdict(f, OP_WRITE, "dir/x", VERDICT_NONE, false);
	policy_grant_path(f->policy, x, true, ACCESS_READ, false);
	assert_verdict(f, OP_READ, "dir/x", VERDICT_ALLOW, false);
	policy_grant_path(f->policy, f->home, false, ACCESS_READ, true);
	assert_verdict(f, OP_READ, "proj/y", VERDICT_ALLOW, true);
}

static void nothing_opens_nono_own_state(void **state)
{
	struct fixture *f = *state;
	make(f, ".local/state/nono/x");
	compile(f);
	cleanup_free char *x = in_home(f, ".local/state/nono/x");
	policy_grant_path(f->policy, x, true, ACCESS_READ, false);
	assert_verdict(f, OP_READ, ".local/state/nono/x", VERDICT_NEVER, false);
}

static int own_dirs(void *data, struct session_dirs *out, struct err **e)
{
	(void)e;
	*out = *(struct session_dirs *)data;
	return 0;
}

static void the_session_place_is_reachable_inside_nono_own_state(void **state)
{
	struct fixture *f = *state;
	make(f, ".local/state/nono/run/s1/tmp/");
	make(f, ".local/state/nono/run/s1/run/cap.json");
	make(f, ".local/state/nono/run/s2/tmp/");
	cleanup_free char *tmp = in_home(f, ".local/state/nono/run/s1/tmp");
	cleanup_free char *run = in_home(f, ".local/state/nono/run/s1/run");
	struct session_dirs dirs = {.tmp = tmp, .run = run};
	f->env.session_dirs = own_dirs;
	f->env.session_data = &dirs;
	add(f, &f->profile->fs.allow, "", SOURCE_USER);
	compile(f);
	assert_verdict(f, OP_CREATE, ".local/state/nono/run/s1/tmp/x", VERDICT_ALLOW, true);
	assert_verdict(f, OP_EXECUTE, ".local/state/nono/run/s1/tmp/x", VERDICT_ALLOW, true);
	assert_verdict(f, OP_READ, ".local/state/nono/run/s1/run/cap.json", VERDICT_ALLOW, true);
	assert_verdict(f, OP_WRITE, ".local/state/nono/run/s1/run/cap.json", VERDICT_NEVER, false);
	assert_verdict(f, OP_READ, ".local/state/nono/run/s2/tmp/x", VERDICT_NEVER, false);
	assert_verdict(f, OP_READ, ".local/state/nono/x", VERDICT_NEVER, false);
}

#define ANSWERS 2000

static void *ask_all_the_time(void *data)
{
	const struct policy *p = data;
	size_t allowed = 0;
	for (unsigned i = 0; i < ANSWERS * 20; i++) {
		struct decision d = policy_check_path(p, OP_READ, "/srv/a/b/file");
		if (d.verdict == VERDICT_ALLOW && strcmp(d.rule->path, "/srv/a/b/file") == 0)
			allowed++;
		policy_check_unix(p, OP_UNIX_CONNECT, "/srv/sock");
		policy_is_split(p, "/srv");
	}
	return (void *)allowed; /* NOLINT(performance-no-int-to-ptr): a count, not a pointer */
}

static void answers_may_change_while_others_ask(void **state)
{
	struct fixture *f = *state;
	compile(f);
	pthread_t t[2];
	for (size_t i = 0; i < ARRAY_SIZE(t); i++)
		assert_int_equal(pthread_create(&t[i], NULL, ask_all_the_time, f->policy), 0);
	for (unsigned i = 0; i < ANSWERS; i++) {
		unsigned id = policy_grant_path(f->policy, "/srv/a/b/file", true, ACCESS_READ, false);
		cleanup_free char *other = xasprintf("/srv/%u", i);
		policy_grant_path(f->policy, other, false, ACCESS_READ, true);
		policy_grant_unix(f->policy, "/srv/sock", OP_UNIX_CONNECT, i & 1U);
		assert_true(policy_revoke(f->policy, id));
	}
	for (size_t i = 0; i < ARRAY_SIZE(t); i++)
		pthread_join(t[i], NULL);
	assert_int_equal(policy_check_path(f->policy, OP_READ, "/srv/a/b/file").verdict, VERDICT_NONE);
	assert_int_equal(policy_check_path(f->policy, OP_READ, "/srv/7/x").verdict, VERDICT_NEVER);
}

static void sockets_hosts_and_origins_are_remembered(void **state)
{
	struct fixture *f = *state;
	compile(f);
	policy_grant_unix(f->policy, "/run/docker.sock", OP_UNIX_CONNECT, false);
	assert_int_equal(policy_check_unix(f->policy, OP_UNIX_CONNECT, "/run/docker.sock").verdict, VERDICT_ALLOW);
	assert_int_equal(policy_check_unix(f->policy, OP_UNIX_BIND, "/run/docker.sock").verdict, VERDICT_PROTECTED);
	policy_grant_origin(f->policy, "https://sso.test", false);
	assert_int_equal(policy_check_origin(f->policy, "https://sso.test").verdict, VERDICT_ALLOW);
	assert_int_equal(policy_check_origin(f->policy, "https://sso.test:444").verdict, VERDICT_NONE);
	policy_grant_origin(f->policy, "https://evil.test", true);
	assert_int_equal(policy_check_origin(f->policy, "https://evil.test").verdict, VERDICT_NEVER);
}

static void origins_compare_whole(void **state)
{
	struct fixture *f = *state;
	struct origin o = {.source = SOURCE_PROFILE, .label = (char *)"test"};
	items_add(&f->profile->open_urls.allow_origins, "https://claude.ai", &o);
	items_add(&f->profile->open_urls.allow_origins, "https://*.example.com", &o);
	compile(f);
	static const char *const yes[] = {"https://claude.ai", "https://a.example.com", "https://a.b.example.com"};
	static const char *const no[] = {"http://claude.ai", "https://claude.ai.evil.test", "https://xclaude.ai",
		"https://example.com", "https://.example.com", "https://evilexample.com", "http://a.example.com",
		"https://a.example.com:444"};
	for (size_t i = 0; i < ARRAY_SIZE(yes); i++)
		assert_int_equal(policy_check_origin(f->policy, yes[i]).verdict, VERDICT_ALLOW);
	for (size_t i = 0; i < ARRAY_SIZE(no); i++)
		if (policy_check_origin(f->policy, no[i]).verdict != VERDICT_NONE)
			fail_msg("%s is allowed", no[i]);
}

static void files_to_open_lie_below_a_listed_path(void **state)
{
	struct fixture *f = *state;
	make(f, "docs/a.html");
	make(f, "one.txt");
	cleanup_free char *link = in_home(f, "link");
	assert_int_equal(symlink("docs", link), 0);
	add(f, &f->profile->open_urls.allow_files, "link", SOURCE_PROFILE);
	add(f, &f->profile->open_urls.allow_files, "one.txt", SOURCE_USER);
	add(f, &f->profile->open_urls.allow_files, "later", SOURCE_PROFILE);
	compile(f);
	static const char *const yes[] = {"docs/a.html", "docs/b/c.html", "docs", "one.txt", "later/x.html"};
	static const char *const no[] = {"link/a.html", "docs2/a.html", "one.txt2", "", "late"};
	for (size_t i = 0; i < ARRAY_SIZE(yes); i++) {
		cleanup_free char *path = in_home(f, yes[i]);
		assert_int_equal(policy_check_origin(f->policy, path).verdict, VERDICT_ALLOW);
	}
	for (size_t i = 0; i < ARRAY_SIZE(no); i++) {
		cleanup_free char *path = in_home(f, no[i]);
		if (policy_check_origin(f->policy, path).verdict != VERDICT_NONE)
			fail_msg("%s is allowed", no[i]);
	}
	/* and listing it to be opened does not make it readable */
	assert_int_equal(check(f, OP_READ, "docs/a.html").verdict, VERDICT_NONE);
	cleanup_free char *path = in_home(f, "other.html");
	policy_grant_origin(f->policy, path, false);
	assert_int_equal(policy_check_origin(f->policy, path).verdict, VERDICT_ALLOW);
}

static void suggestions_name_the_flag_that_helps(void **state)
{
	struct fixture *f = *state;
	make(f, "dir/it's a file");
	make(f, ".ssh/id");
	add(f, &f->profile->fs.deny, ".ssh", SOURCE_PROFILE);
	compile(f);
	const struct {
		enum operation op;
		const char *object;
		unsigned port;
		const char *want; /* %s: the home directory */
	} cases[] = {
		{OP_READ, "dir", 0, "--read %s/dir"},
		{OP_WRITE, "dir/it's a file", 0, "--allow-file '%s/dir/it'\\''s a file'"},
		{OP_CREATE, "dir/new", 0, "--allow %s/dir"},
		{OP_READ, ".ssh/id", 0, "--read-file %s/.ssh/id"},
		{OP_READ, ".ssh", 0, "--read %s/.ssh --bypass-protection %s/.ssh"},
		{OP_CONNECT, "/api.test", 443, "--allow-domain /api.test"},
		{OP_CONNECT, "/api.test", 22, "--allow-domain /api.test:22"},
		{OP_CONNECT, "/::1", 8443, "--allow-domain '[/::1]:8443'"},
		{OP_READ, "dir/a $HOME", 0, "--read-file '%s/dir/a $$HOME'"},
		{OP_OPEN_URL, "dir/it's a file", 0, "--allow-open-file '%s/dir/it'\\''s a file'"},
		{OP_BIND, "/0.0.0.0", 8080, "--listen-port 8080"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_free char *object = in_home(f, cases[i].object);
		cleanup_free char *got = policy_suggest_flag(f->policy, cases[i].op, object, cases[i].port, false);
		struct buf want = {0};
		for (const char *c = cases[i].want; *c; c++) {
			if (c[0] == '%' && c[1] == 's') {
				buf_adds(&want, f->home);
				c++;
			} else {
				buf_addc(&want, *c);
			}
		}
		assert_string_equal(got, want.data);
		buf_free(&want);
	}
}

static void rules_have_words(void **state)
{
	struct fixture *f = *state;
	make(f, "a/");
	add(f, &f->profile->fs.read, "a", SOURCE_USER);
	compile(f);
	struct decision d = check(f, OP_READ, "a/x");
	cleanup_free char *words = rule_describe(d.rule), *want = xasprintf("--flag %s/a", f->home);
	assert_string_equal(words, want);
	for (unsigned op = 0; op < OP_COUNT; op++)
		assert_true(strlen(operation_name((enum operation)op)) > 1);
}

static void limits_are_parsed(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *text;
		uint64_t bytes;
	} sizes[] = {{"1048576", 1 << 20}, {"2G", 2ULL << 30}, {"2048K", 2 << 20}, {"1MiB", 1 << 20}, {"3mb", 3000000}};
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		f->profile->limits.memory = xstrdup(sizes[i].text);
		compile(f);
		assert_int_equal(policy_settings(f->policy)->limits.memory_bytes, sizes[i].bytes);
		free(f->profile->limits.memory);
	}
	static const char *const bad[] = {"", "x", "-1", "0", "1Q", "99999999999999999999", "20000000T"};
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		f->profile->limits.memory = (char *)bad[i];
		compile_fails(f, "limits.memory", "is not a size");
	}
	f->profile->limits.memory = NULL;
	f->profile->limits.cpu = xstrdup("150%");
	f->profile->limits.pids = xstrdup("64");
	compile(f);
	assert_int_equal(policy_settings(f->policy)->limits.cpu_percent, 150);
	assert_int_equal(policy_settings(f->policy)->limits.pids, 64);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(control_sockets_stay_closed_under_any_grant),
		TEST(naming_a_socket_opens_it),
		TEST(reading_a_directory_does_not_open_its_sockets),
		TEST(socket_rules_check_types),
		TEST(a_socket_to_be_bound_may_be_made_and_removed),
		TEST(an_answer_counts_at_once_and_can_be_revoked),
		TEST(a_session_grant_of_a_directory_does_not_reach_what_is_denied_in_it),
		TEST(no_for_this_session_is_not_asked_again),
		TEST(nothing_opens_nono_own_state),
		TEST(the_session_place_is_reachable_inside_nono_own_state),
		TEST(answers_may_change_while_others_ask),
		TEST(sockets_hosts_and_origins_are_remembered),
		TEST(origins_compare_whole),
		TEST(files_to_open_lie_below_a_listed_path),
		TEST(suggestions_name_the_flag_that_helps),
		TEST(rules_have_words),
		TEST(limits_are_parsed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
