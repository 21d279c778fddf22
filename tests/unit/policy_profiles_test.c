/* SPDX-License-Identifier: Apache-2.0 */
/* policy_profiles_test.c - what the built-in profiles, and profiles people write over them, mean for files and sockets.
 */
#include "policy_fixture.h"

static void write_profile(const struct fixture *f, const char *name, const char *json)
{
	cleanup_free char *dir = in_home(f, ".config/nono/profiles"), *path = xasprintf("%s/%s.json", dir, name);
	assert_int_equal(dir_create(dir, 0755, NULL), 0);
	assert_int_equal(file_write_atomic(path, json, strlen(json), 0600, NULL), 0);
}

static void load(struct fixture *f, const char *ref)
{
	cleanup_err struct err *e = NULL;
	profile_free(f->profile);
	f->profile = profile_load(ref, NULL, &e);
	if (!f->profile)
		fail_msg("profile_load: %s", err_msg(e));
}

/* A home directory as people have it, with the session in ~/proj. */
static int home_setup(void **state)
{
	if (fixture_setup(state) < 0)
		return -1;
	struct fixture *f = *state;
	static const char *const files[] = {".ssh/id_ed25519", ".ssh/config", ".ssh/known_hosts", ".aws/credentials",
		".bashrc", ".claude/settings.json", ".claude.json", ".vscode/x", ".config/Code/x", ".gitconfig",
		".local/share/claude/versions/1", ".config/gh/hosts.yml", "proj/src/main.c", "go/pkg/mod/x",
		".mozilla/firefox/key4.db", ".local/state/nono/audit/x"};
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		make(f, files[i]);
	f->expansion.workdir = in_home(f, "proj");
	return 0;
}

static int home_teardown(void **state)
{
	struct fixture *f = *state;
	free(f->expansion.workdir);
	return fixture_teardown(state);
}

static void claude_code_grants_what_its_page_promises(void **state)
{
	struct fixture *f = *state;
	load(f, "claude-code");
	f->env.cwd_granted = true;
	compile(f);
	static const char *const writable[] = {
		"proj/src/main.c", ".claude/settings.json", ".claude.json", ".vscode/x", ".config/Code/x"};
	for (size_t i = 0; i < ARRAY_SIZE(writable); i++) {
		assert_verdict(f, OP_READ, writable[i], VERDICT_ALLOW, true);
		assert_verdict(f, OP_WRITE, writable[i], VERDICT_ALLOW, true);
	}
	static const char *const readable[] = {
		".local/share/claude/versions/1", ".gitconfig", "/usr/bin/env", "/etc/passwd", "/etc/ssl/openssl.cnf"};
	for (size_t i = 0; i < ARRAY_SIZE(readable); i++) {
		assert_verdict(f, OP_READ, readable[i], VERDICT_ALLOW, true);
		assert_int_not_equal(check(f, OP_WRITE, readable[i]).verdict, VERDICT_ALLOW);
	}
	static const char *const closed[] = {
		".ssh/id_ed25519", ".ssh/config", ".aws/credentials", ".bashrc", ".mozilla/firefox/key4.db"};
	for (size_t i = 0; i < ARRAY_SIZE(closed); i++)
		assert_verdict(f, OP_READ, closed[i], VERDICT_PROTECTED, false);
	assert_verdict(f, OP_READ, "/etc/shadow", VERDICT_NONE, false);
	assert_verdict(f, OP_READ, ".local/state/nono/audit/x", VERDICT_NEVER, false);
	assert_verdict(f, OP_CREATE, ".claude.json.tmp.4711.1700000000000", VERDICT_ALLOW, false);
	assert_string_equal(policy_settings(f->policy)->workdir, f->expansion.workdir);
	assert_int_equal(policy_settings(f->policy)->net_mode, NET_OPEN);
}

static void without_a_profile_the_working_directory_is_not_shared_unasked(void **state)
{
	struct fixture *f = *state;
	cleanup_err struct err *e = NULL;
	profile_free(f->profile);
	f->profile = profile_default(&e);
	assert_non_null(f->profile);
	compile(f);
	assert_verdict(f, OP_READ, "proj/src/main.c", VERDICT_NONE, false);
	assert_string_equal(policy_settings(f->policy)->workdir, "/");
	f->env.cwd_granted = true;
	compile(f);
	assert_verdict(f, OP_READ, "proj/src/main.c", VERDICT_ALLOW, true);
	assert_verdict(f, OP_WRITE, "proj/src/main.c", VERDICT_NONE, false);
}

static void sharing_the_home_directory_keeps_secrets_closed(void **state)
{
	struct fixture *f = *state;
	load(f, "claude-code");
	add(f, &f->profile->fs.allow, "", SOURCE_USER);
	compile(f);
	static const char *const closed[] = {".ssh/id_ed25519", ".aws/credentials", ".bashrc",
		".mozilla/firefox/key4.db", ".kube/config", ".config/gcloud/x"};
	for (size_t i = 0; i < ARRAY_SIZE(closed); i++)
		assert_verdict(f, OP_READ, closed[i], VERDICT_PROTECTED, false);
	assert_verdict(f, OP_WRITE, "proj/src/main.c", VERDICT_ALLOW, true);
	assert_verdict(f, OP_READ, ".config/gh/hosts.yml", VERDICT_ALLOW, true);
	assert_verdict(f, OP_READ, "", VERDICT_ALLOW, false);
	assert_verdict(f, OP_DELETE, ".ssh", VERDICT_PROTECTED, false);
}

static void the_signing_profile_opens_two_files_of_ssh(void **state)
{
	struct fixture *f = *state;
	write_profile(f, "claude-code-secretive",
		"{\"meta\": {\"name\": \"claude-code-secretive\", \"version\": \"1.0.0\", \"description\": \"x\"},"
		" \"extends\": \"claude-code\","
		" \"filesystem\": {\"read\": [\"$HOME/.ssh/config\", \"$HOME/Library/no/socket.ssh\"],"
		"  \"allow_file\": [\"$HOME/.ssh/known_hosts\"]},"
		" \"policy\": {\"add_allow_readwrite\": [\"$HOME/.ssh/known_hosts\"]}}");
	load(f, "claude-code-secretive");
	compile(f);
	assert_verdict(f, OP_READ, ".ssh/config", VERDICT_ALLOW, true);
	assert_verdict(f, OP_WRITE, ".ssh/known_hosts", VERDICT_ALLOW, true);
	assert_verdict(f, OP_WRITE, ".ssh/config", VERDICT_PROTECTED, false);
	assert_verdict(f, OP_READ, ".ssh/id_ed25519", VERDICT_PROTECTED, false);
}

static void an_override_of_the_built_in_has_only_what_it_says(void **state)
{
	struct fixture *f = *state;
	make(f, "shared-libs/x");
	write_profile(f, "claude-code",
		"{\"meta\": {\"name\": \"claude-code\", \"version\": \"1.0.0\"},"
		" \"security\": {\"groups\": [\"git_config\"]},"
		" \"filesystem\": {\"allow\": [\"$WORKDIR\", \"$HOME/.claude\"], \"read\": [\"$HOME/shared-libs\"],"
		"  \"allow_file\": [\"$HOME/.claude.json\"]},"
		" \"network\": {\"block\": false}}");
	load(f, "claude-code");
	compile(f);
	assert_verdict(f, OP_WRITE, "proj/src/main.c", VERDICT_ALLOW, true);
	assert_verdict(f, OP_READ, "shared-libs/x", VERDICT_ALLOW, true);
	assert_verdict(f, OP_READ, ".gitconfig", VERDICT_ALLOW, true);
	assert_verdict(f, OP_READ, ".vscode/x", VERDICT_NONE, false);
	assert_verdict(f, OP_READ, ".ssh/id_ed25519", VERDICT_PROTECTED, false);
}

static void a_team_profile_adds_to_the_built_in(void **state)
{
	struct fixture *f = *state;
	write_profile(f, "team",
		"{\"extends\": [\"claude-code\"], \"meta\": {\"name\": \"team\"},"
		" \"filesystem\": {\"allow\": [\"$HOME/go/pkg/mod\", \"$HOME/.cache/go-build\"],"
		"  \"read\": [\"$HOME/.config/gh\", \"~/.local/state/claude/locks\"],"
		"  \"write\": [\"~/.local/share/claude/versions\"]},"
		" \"workdir\": {\"access\": \"none\"}, \"open_urls\": null}");
	load(f, "team");
	f->env.cwd_granted = true;
	compile(f);
	assert_verdict(f, OP_WRITE, "go/pkg/mod/x", VERDICT_ALLOW, true);
	assert_verdict(f, OP_READ, ".config/gh/hosts.yml", VERDICT_ALLOW, true);
	assert_verdict(f, OP_WRITE, ".local/share/claude/versions/1", VERDICT_ALLOW, true);
	assert_verdict(f, OP_CREATE, ".local/share/claude/versions/2", VERDICT_ALLOW, true);
	assert_verdict(f, OP_WRITE, "proj/src/main.c", VERDICT_ALLOW, true);
	assert_int_equal(policy_check_origin(f->policy, "https://claude.ai").verdict, VERDICT_ALLOW);
}

static void every_built_in_profile_compiles(void **state)
{
	struct fixture *f = *state;
	static const char *const names[] = {"default", "linux-host-compat", "claude-code", "claude", "codex",
		"opencode", "gemini", "gh", "openclaw", "swival", "python-dev", "node-dev", "go-dev", "rust-dev",
		"java-dev"};
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		load(f, names[i]);
		compile(f);
		assert_verdict(f, OP_READ, ".ssh/id_ed25519", VERDICT_PROTECTED, false);
		assert_verdict(f, OP_READ, "/usr/bin/env", VERDICT_ALLOW, true);
	}
}

static void devices_and_what_groups_list_cannot_be_replaced(void **state)
{
	struct fixture *f = *state;
	load(f, "default");
	add(f, &f->profile->fs.allow_file, "/dev/zero", SOURCE_USER);
	compile(f);
	assert_verdict(f, OP_WRITE, "/dev/null", VERDICT_ALLOW, true);
	static const char *const names[] = {"/dev/null", "/dev/null.tmp", "/dev/zero", "/dev/zero.tmp"};
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		assert_verdict(f, OP_DELETE, names[i], VERDICT_NONE, false);
		assert_verdict(f, OP_CREATE, names[i], VERDICT_NONE, false);
	}
}

static void groups_are_checked(void **state)
{
	struct fixture *f = *state;
	load(f, "default");
	struct origin o = {.source = SOURCE_PROFILE, .label = (char *)"test"};
	items_add(&f->profile->groups_include, "no_such_group", &o);
	compile_fails(f, "no_such_group", "unknown");
	load(f, "default");
	items_add(&f->profile->groups_exclude, "deny_credentials", &o);
	compile_fails(f, "deny_credentials", "required");
}

static void dangerous_programs_are_stopped_at_the_start(void **state)
{
	struct fixture *f = *state;
	load(f, "default");
	compile(f);
	assert_non_null(policy_command_denied(f->policy, "sudo"));
	assert_null(policy_command_denied(f->policy, "git"));
	struct origin o = {.source = SOURCE_USER, .label = (char *)"--allow-command"};
	items_add(&f->profile->commands_allow, "sudo", &o);
	compile(f);
	assert_null(policy_command_denied(f->policy, "sudo"));
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, home_setup, home_teardown)
	const struct CMUnitTest tests[] = {
		TEST(claude_code_grants_what_its_page_promises),
		TEST(without_a_profile_the_working_directory_is_not_shared_unasked),
		TEST(sharing_the_home_directory_keeps_secrets_closed),
		TEST(the_signing_profile_opens_two_files_of_ssh),
		TEST(an_override_of_the_built_in_has_only_what_it_says),
		TEST(a_team_profile_adds_to_the_built_in),
		TEST(every_built_in_profile_compiles),
		TEST(devices_and_what_groups_list_cannot_be_replaced),
		TEST(groups_are_checked),
		TEST(dangerous_programs_are_stopped_at_the_start),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
