/* SPDX-License-Identifier: Apache-2.0 */
/* policy_files_test.c - what the decision function says about files. */
#include "policy_fixture.h"

#include <signal.h>
#include <sys/wait.h>

static void a_directory_grant_covers_what_is_beneath_and_not_itself(void **state)
{
	struct fixture *f = *state;
	make(f, "proj/src/");
	add(f, &f->profile->fs.allow, "proj", SOURCE_USER);
	compile(f);
	assert_verdict(f, OP_READ, "proj", VERDICT_ALLOW, true);
	assert_verdict(f, OP_WRITE, "proj/src/x", VERDICT_ALLOW, true);
	assert_verdict(f, OP_CREATE, "proj/src/new", VERDICT_ALLOW, true);
	assert_verdict(f, OP_EXECUTE, "proj/src/x", VERDICT_ALLOW, true);
	assert_verdict(f, OP_DELETE, "proj", VERDICT_NONE, false);
	assert_verdict(f, OP_READ, "project", VERDICT_NONE, false);
	assert_verdict(f, OP_READ, "", VERDICT_NONE, false);
	assert_verdict(f, OP_ATTR, "proj/src/x", VERDICT_ALLOW, false);
}

static void grants_add_up(void **state)
{
	struct fixture *f = *state;
	make(f, "a/b/");
	add(f, &f->profile->fs.read, "a", SOURCE_USER);
	add(f, &f->profile->fs.write, "a/b", SOURCE_PROFILE);
	compile(f);
	assert_verdict(f, OP_READ, "a/b/x", VERDICT_ALLOW, true);
	assert_verdict(f, OP_WRITE, "a/b/x", VERDICT_ALLOW, true);
	assert_verdict(f, OP_CREATE, "a/b/x", VERDICT_ALLOW, true);
	assert_verdict(f, OP_WRITE, "a/x", VERDICT_NONE, false);
	assert_verdict(f, OP_CREATE, "a/b", VERDICT_NONE, false);
}

static void a_denied_path_inside_a_grant_is_split_around(void **state)
{
	struct fixture *f = *state;
	make(f, "keys/id");
	make(f, "docs/a");
	make(f, "note");
	add(f, &f->profile->fs.allow, "", SOURCE_USER);
	add(f, &f->profile->fs.deny, "keys", SOURCE_PROFILE);
	compile(f);
	assert_verdict(f, OP_READ, "keys/id", VERDICT_PROTECTED, false);
	assert_verdict(f, OP_READ, "keys", VERDICT_PROTECTED, false);
	assert_verdict(f, OP_DELETE, "keys", VERDICT_PROTECTED, false);
	assert_verdict(f, OP_READ, "docs/a", VERDICT_ALLOW, true);
	assert_verdict(f, OP_CREATE, "docs/b", VERDICT_ALLOW, true);
	assert_verdict(f, OP_WRITE, "note", VERDICT_ALLOW, true);
	/* made or listed in the split directory itself: the broker's */
	assert_verdict(f, OP_CREATE, "new", VERDICT_ALLOW, false);
	assert_verdict(f, OP_READ, "", VERDICT_ALLOW, false);
	assert_verdict(f, OP_READ, "new", VERDICT_ALLOW, false);
	assert_true(policy_is_split(f->policy, f->home));
}

static void a_denied_path_that_does_not_exist_is_split_around_too(void **state)
{
	struct fixture *f = *state;
	make(f, "proj/src/");
	add(f, &f->profile->fs.allow, "proj", SOURCE_USER);
	add(f, &f->profile->fs.deny, "proj/conf/secret", SOURCE_PROFILE);
	compile(f);
	assert_verdict(f, OP_READ, "proj/conf/secret", VERDICT_PROTECTED, false);
	assert_verdict(f, OP_READ, "proj/conf/other", VERDICT_ALLOW, false);
	assert_verdict(f, OP_CREATE, "proj/conf", VERDICT_PROTECTED, false);
	cleanup_free char *conf = in_home(f, "proj/conf");
	assert_int_equal(policy_check_mkdir(f->policy, conf).verdict, VERDICT_ALLOW);
	assert_verdict(f, OP_READ, "proj/src/x", VERDICT_ALLOW, true);
}

static void a_denied_link_protects_the_link_and_its_target(void **state)
{
	struct fixture *f = *state;
	make(f, "vault/keys/id");
	cleanup_free char *link = in_home(f, "keys"), *target = in_home(f, "vault/keys");
	assert_int_equal(symlink(target, link), 0);
	add(f, &f->profile->fs.allow, "", SOURCE_USER);
	add(f, &f->profile->fs.deny, "keys", SOURCE_PROFILE);
	compile(f);
	assert_verdict(f, OP_READ, "vault/keys/id", VERDICT_PROTECTED, false);
	assert_verdict(f, OP_DELETE, "keys", VERDICT_PROTECTED, false);
	assert_verdict(f, OP_DELETE, "vault", VERDICT_PROTECTED, false);
}

static void a_second_name_of_a_denied_file_is_not_granted_to_the_kernel(void **state)
{
	struct fixture *f = *state;
	make(f, "netrc");
	cleanup_free char *old = in_home(f, "netrc"), *other = in_home(f, "copy");
	assert_int_equal(link(old, other), 0);
	add(f, &f->profile->fs.read, "", SOURCE_USER);
	add(f, &f->profile->fs.deny, "netrc", SOURCE_PROFILE);
	compile(f);
	size_t n;
	const struct kernel_rule *k = policy_kernel_rules(f->policy, &n);
	for (size_t i = 0; i < n; i++)
		assert_string_not_equal(k[i].path, other);
	add(f, &f->profile->fs.allow_file, "copy", SOURCE_PROFILE);
	compile_fails(f, "copy", "netrc");
}

static void a_grant_in_a_denied_place_needs_a_bypass(void **state)
{
	struct fixture *f = *state;
	make(f, ".ssh/keys/id");
	add(f, &f->profile->fs.deny, ".ssh", SOURCE_PROFILE);
	add(f, &f->profile->fs.read, ".ssh/keys", SOURCE_USER);
	compile_fails(f, ".ssh/keys", "--bypass-protection");
	add(f, &f->profile->fs.bypass_protection, ".ssh/keys", SOURCE_USER);
	compile(f);
	assert_verdict(f, OP_READ, ".ssh/keys/id", VERDICT_ALLOW, true);
	assert_verdict(f, OP_READ, ".ssh/config", VERDICT_PROTECTED, false);
}

static void what_is_not_there_in_a_denied_place_is_no_contradiction(void **state)
{
	struct fixture *f = *state;
	make(f, ".ssh/");
	add(f, &f->profile->fs.deny, ".ssh", SOURCE_PROFILE);
	add(f, &f->profile->fs.allow, ".ssh/known_hosts", SOURCE_PROFILE);
	compile(f);
	assert_verdict(f, OP_CREATE, ".ssh/known_hosts", VERDICT_PROTECTED, false);
	add(f, &f->profile->fs.allow_file, ".ssh/known_hosts", SOURCE_PROFILE);
	compile(f);
	assert_verdict(f, OP_CREATE, ".ssh/known_hosts", VERDICT_ALLOW, false);
	assert_verdict(f, OP_READ, ".ssh/id", VERDICT_PROTECTED, false);
}

static void a_group_lets_a_directory_be_listed_and_nothing_else(void **state)
{
	struct fixture *f = *state;
	struct origin origin = {.source = SOURCE_PROFILE, .label = (char *)"test"};
	items_add(&f->profile->groups_include, "system_read_linux_core", &origin);
	compile(f);
	assert_verdict(f, OP_READ, "/", VERDICT_ALLOW, false);
	assert_verdict(f, OP_READ, "/etc", VERDICT_ALLOW, false);
	assert_verdict(f, OP_READ, "/etc/shadow", VERDICT_NONE, false);
	assert_verdict(f, OP_READ, "/etc/nono-no-such-file", VERDICT_NONE, false);
	assert_verdict(f, OP_WRITE, "/etc", VERDICT_NONE, false);
	assert_verdict(f, OP_CREATE, "/etc/new", VERDICT_NONE, false);
	add(f, &f->profile->fs.deny, "/etc", SOURCE_PROFILE);
	compile(f);
	assert_verdict(f, OP_READ, "/etc", VERDICT_PROTECTED, false);
}

static void a_bypass_needs_a_grant(void **state)
{
	struct fixture *f = *state;
	make(f, ".ssh/config");
	add(f, &f->profile->fs.deny, ".ssh", SOURCE_PROFILE);
	add(f, &f->profile->fs.bypass_protection, ".ssh", SOURCE_USER);
	compile_fails(f, ".ssh", "no matching grant");
}

static void a_bypass_restores_a_grant_from_above_the_deny(void **state)
{
	struct fixture *f = *state;
	make(f, ".ssh/config");
	make(f, ".ssh/id");
	add(f, &f->profile->fs.deny, ".ssh", SOURCE_PROFILE);
	add(f, &f->profile->fs.read, "", SOURCE_USER);
	add(f, &f->profile->fs.bypass_protection, ".ssh/config", SOURCE_USER);
	compile(f);
	assert_verdict(f, OP_READ, ".ssh/config", VERDICT_ALLOW, true);
	assert_verdict(f, OP_READ, ".ssh/id", VERDICT_PROTECTED, false);
}

static void exact_files_below_a_denied_directory_are_honoured(void **state)
{
	struct fixture *f = *state;
	make(f, ".ssh/config");
	make(f, ".ssh/known_hosts");
	make(f, ".ssh/id");
	add(f, &f->profile->fs.deny, ".ssh", SOURCE_PROFILE);
	add(f, &f->profile->fs.read, ".ssh/config", SOURCE_PROFILE);
	add(f, &f->profile->fs.allow_file, ".ssh/known_hosts", SOURCE_PROFILE);
	add(f, &f->profile->fs.allow, ".ssh/known_hosts", SOURCE_PROFILE);
	f->profile->fs.allow.v[0].legacy_dir = true;
	compile(f);
	assert_verdict(f, OP_READ, ".ssh/config", VERDICT_ALLOW, true);
	assert_verdict(f, OP_WRITE, ".ssh/config", VERDICT_PROTECTED, false);
	assert_verdict(f, OP_WRITE, ".ssh/known_hosts", VERDICT_ALLOW, true);
	assert_verdict(f, OP_READ, ".ssh/id", VERDICT_PROTECTED, false);
}

static void a_file_grant_equal_to_a_denied_file_is_an_error(void **state)
{
	struct fixture *f = *state;
	make(f, ".netrc");
	add(f, &f->profile->fs.deny, ".netrc", SOURCE_PROFILE);
	add(f, &f->profile->fs.read_file, ".netrc", SOURCE_USER);
	compile_fails(f, ".netrc", "--bypass-protection");
}

static void types_are_checked(void **state)
{
	struct fixture *f = *state;
	make(f, "file");
	make(f, "dir/");
	add(f, &f->profile->fs.allow, "file", SOURCE_USER);
	compile_fails(f, "is not a directory", "--allow-file");
	items_free(&f->profile->fs.allow);
	add(f, &f->profile->fs.read_file, "dir", SOURCE_USER);
	compile_fails(f, "is a directory", "--read");
	items_free(&f->profile->fs.read_file);
	add(f, &f->profile->fs.read, "file", SOURCE_USER);
	compile_fails(f, "is not a directory", "--read-file");
	items_free(&f->profile->fs.read);
	add(f, &f->profile->fs.read, "file", SOURCE_PROFILE);
	add(f, &f->profile->fs.read, "missing", SOURCE_USER);
	compile(f);
	assert_verdict(f, OP_READ, "file", VERDICT_ALLOW, true);
	assert_verdict(f, OP_READ, "missing", VERDICT_NONE, false);
}

static void nono_own_state_is_never_reachable(void **state)
{
	struct fixture *f = *state;
	make(f, ".local/state/nono/x");
	make(f, ".config/nono/profiles/p.json");
	add(f, &f->profile->fs.allow, "", SOURCE_USER);
	compile(f);
	assert_verdict(f, OP_READ, ".local/state/nono/x", VERDICT_NEVER, false);
	assert_verdict(f, OP_DELETE, ".local/state/nono", VERDICT_NEVER, false);
	assert_verdict(f, OP_DELETE, ".local/state", VERDICT_PROTECTED, false);
	assert_verdict(f, OP_READ, ".nono/x", VERDICT_NEVER, false);
	assert_verdict(f, OP_READ, ".config/nono/profiles/p.json", VERDICT_ALLOW, true);
	assert_verdict(f, OP_WRITE, ".config/nono/profiles/p.json", VERDICT_NEVER, false);
	assert_verdict(f, OP_CREATE, ".config/nono/profiles/q.json", VERDICT_NEVER, false);
	/* drafts may be written where a rule names them */
	make(f, ".config/nono/profile-drafts/");
	assert_verdict(f, OP_CREATE, ".config/nono/profile-drafts/d.json", VERDICT_NEVER, false);
	assert_verdict(f, OP_READ, ".config/nono/profile-drafts/d.json", VERDICT_ALLOW, true);
	add(f, &f->profile->fs.allow, ".config/nono/profile-drafts", SOURCE_PROFILE);
	compile(f);
	assert_verdict(f, OP_CREATE, ".config/nono/profile-drafts/d.json", VERDICT_ALLOW, true);
	assert_verdict(f, OP_CREATE, ".config/nono/profiles/q.json", VERDICT_NEVER, false);
	items_free(&f->profile->fs.allow);
	add(f, &f->profile->fs.read_file, ".local/state/nono/x", SOURCE_USER);
	compile_fails(f, "nono's own state", ".local/state/nono");
}

static void a_granted_file_may_be_replaced_atomically(void **state)
{
	struct fixture *f = *state;
	make(f, ".claude.json");
	add(f, &f->profile->fs.allow_file, ".claude.json", SOURCE_PROFILE);
	compile(f);
	assert_verdict(f, OP_WRITE, ".claude.json", VERDICT_ALLOW, true);
	assert_verdict(f, OP_CREATE, ".claude.json", VERDICT_ALLOW, false);
	assert_verdict(f, OP_DELETE, ".claude.json", VERDICT_ALLOW, false);
	static const char *const yes[] = {".claude.json.tmp.4711.1700000000000", ".claude.json.lock",
		".claude.json.backup", ".claude.json.backup.1700000000", ".claude.json~", ".claude.json.123456",
		"..claude.json.aB3dE9", ".claude.json.swp", ".#.claude.json", "#.claude.json#",
		".claude.json.tmp-1a2b"};
	static const char *const no[] = {".claude.json.production", ".claude.jsonx", ".claude", ".claude.json.",
		".claude.json.tmp/x", ".claude.json.local", "claude.json.lock", ".claude.json.tmpfile"};
	for (size_t i = 0; i < ARRAY_SIZE(yes); i++) {
		assert_verdict(f, OP_CREATE, yes[i], VERDICT_ALLOW, false);
		assert_verdict(f, OP_WRITE, yes[i], VERDICT_ALLOW, false);
		assert_verdict(f, OP_DELETE, yes[i], VERDICT_ALLOW, false);
	}
	for (size_t i = 0; i < ARRAY_SIZE(no); i++)
		assert_verdict(f, OP_CREATE, no[i], VERDICT_NONE, false);
	add(f, &f->profile->fs.deny, ".claude.json.lock", SOURCE_PROFILE);
	compile(f);
	assert_verdict(f, OP_CREATE, ".claude.json.lock", VERDICT_PROTECTED, false);
	/* once replaced, the kernel's rule is bound to a file that is gone */
	make(f, "other");
	cleanup_free char *from = in_home(f, "other"), *to = in_home(f, ".claude.json");
	assert_int_equal(rename(from, to), 0);
	assert_verdict(f, OP_READ, ".claude.json", VERDICT_ALLOW, false);
}

static void a_missing_writable_grant_may_be_made(void **state)
{
	struct fixture *f = *state;
	add(f, &f->profile->fs.allow, ".agent", SOURCE_PROFILE);
	add(f, &f->profile->fs.allow_file, "out.txt", SOURCE_USER);
	compile(f);
	assert_verdict(f, OP_CREATE, ".agent", VERDICT_ALLOW, false);
	assert_verdict(f, OP_CREATE, ".agent/state", VERDICT_ALLOW, false);
	assert_verdict(f, OP_READ, ".agent/state", VERDICT_ALLOW, false);
	assert_verdict(f, OP_CREATE, "out.txt", VERDICT_ALLOW, false);
	assert_verdict(f, OP_CREATE, "other.txt", VERDICT_NONE, false);
}

static void write_only_directories_leave_creation_to_the_broker(void **state)
{
	struct fixture *f = *state;
	make(f, "drop/x");
	add(f, &f->profile->fs.write, "drop", SOURCE_USER);
	compile(f);
	assert_verdict(f, OP_WRITE, "drop/x", VERDICT_ALLOW, true);
	assert_verdict(f, OP_CREATE, "drop/new", VERDICT_ALLOW, false);
	assert_verdict(f, OP_DELETE, "drop/x", VERDICT_ALLOW, true);
	assert_verdict(f, OP_READ, "drop/x", VERDICT_NONE, false);
	f->profile->security.supervision = SUPERVISION_OFF;
	compile(f);
	assert_verdict(f, OP_CREATE, "drop/new", VERDICT_ALLOW, true);
}

static bool is_init(void *data, pid_t pid)
{
	(void)data;
	return pid == 1;
}

static void proc_entries_belong_to_the_tree(void **state)
{
	struct fixture *f = *state;
	add(f, &f->profile->fs.read, "/", SOURCE_USER);
	compile(f);
	assert_verdict(f, OP_READ, "/proc/1/status", VERDICT_NEVER, false);
	policy_set_tree(f->policy, is_init, NULL);
	assert_verdict(f, OP_READ, "/proc/1/environ", VERDICT_ALLOW, false);
	assert_verdict(f, OP_READ, "/proc/2/environ", VERDICT_NEVER, false);
	assert_verdict(f, OP_WRITE, "/proc/1/mem", VERDICT_NEVER, false);
	assert_verdict(f, OP_READ, "/proc/meminfo", VERDICT_ALLOW, true);
	assert_verdict(f, OP_READ, "/proc", VERDICT_ALLOW, false);
	f->profile->security.process_info_mode = SCOPE_ALL;
	compile(f);
	assert_verdict(f, OP_READ, "/proc/2/status", VERDICT_ALLOW, false);
	assert_verdict(f, OP_READ, "/proc/2/environ", VERDICT_NEVER, false);
	assert_verdict(f, OP_READ, "/proc/2/task/2/environ", VERDICT_NEVER, false);
}

static bool is_anybody(void *data, pid_t pid)
{
	(void)data;
	return pid > 0;
}

static void terminals_of_others_stay_closed(void **state)
{
	struct fixture *f = *state;
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(master >= 0);
	assert_int_equal(unlockpt(master), 0);
	char name[64];
	assert_int_equal(ptsname_r(master, name, sizeof(name)), 0);
	int ready[2];
	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	add(f, &f->profile->fs.allow, "/dev", SOURCE_USER);
	compile(f);
	/* nobody's yet: a program of the session has just made it */
	assert_verdict(f, OP_READ, name, VERDICT_ALLOW, false);
	pid_t pid = fork();
	if (pid == 0) {
		setsid();
		int fd = open(name, O_RDWR); /* becomes the controlling terminal */
		_exit(fd < 0 || write(ready[1], "", 1) != 1 || pause());
	}
	char byte;
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_verdict(f, OP_READ, name, VERDICT_NEVER, false);
	assert_verdict(f, OP_WRITE, name, VERDICT_NEVER, false);
	policy_set_tree(f->policy, is_anybody, NULL);
	assert_verdict(f, OP_READ, name, VERDICT_ALLOW, false);
	policy_set_tree(f->policy, NULL, NULL);
	add(f, &f->profile->fs.allow_file, name, SOURCE_USER);
	compile(f);
	assert_verdict(f, OP_READ, name, VERDICT_ALLOW, true);
	assert_verdict(f, OP_READ, "/dev/null", VERDICT_ALLOW, true);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(master);
	close(ready[0]);
	close(ready[1]);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_directory_grant_covers_what_is_beneath_and_not_itself),
		TEST(grants_add_up),
		TEST(a_denied_path_inside_a_grant_is_split_around),
		TEST(a_denied_path_that_does_not_exist_is_split_around_too),
		TEST(a_denied_link_protects_the_link_and_its_target),
		TEST(a_second_name_of_a_denied_file_is_not_granted_to_the_kernel),
		TEST(a_grant_in_a_denied_place_needs_a_bypass),
		TEST(what_is_not_there_in_a_denied_place_is_no_contradiction),
		TEST(a_group_lets_a_directory_be_listed_and_nothing_else),
		TEST(a_bypass_needs_a_grant),
		TEST(a_bypass_restores_a_grant_from_above_the_deny),
		TEST(exact_files_below_a_denied_directory_are_honoured),
		TEST(a_file_grant_equal_to_a_denied_file_is_an_error),
		TEST(types_are_checked),
		TEST(nono_own_state_is_never_reachable),
		TEST(a_granted_file_may_be_replaced_atomically),
		TEST(a_missing_writable_grant_may_be_made),
		TEST(write_only_directories_leave_creation_to_the_broker),
		TEST(proc_entries_belong_to_the_tree),
		TEST(terminals_of_others_stay_closed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
