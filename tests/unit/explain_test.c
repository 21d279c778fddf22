/* SPDX-License-Identifier: Apache-2.0 */
/* explain_test.c - denial records, the report, the capability file. */
#include "policy_fixture.h"

#include "explain/explain.h"
#include "explain/internal.h"

#include <sys/wait.h>

static struct explain *start(struct fixture *f, const char *session)
{
	cleanup_err struct err *e = NULL;
	struct explain *x = NULL;
	if (explain_start(&x, session, f->policy, &e) < 0)
		fail_msg("%s", err_msg(e));
	return x;
}

static unsigned deny(struct fixture *f, struct explain *x, enum operation op, const char *name, const char *answer)
{
	cleanup_free char *path = in_home(f, name);
	struct denial d = {.op = op,
		.asked = name,
		.resolved = path,
		.tgid = 77,
		.program = "cat",
		.parent = "sh",
		.err = EACCES,
		.answer = answer};
	d.decision = policy_check_path(f->policy, op, path);
	return explain_denial(x, &d);
}

/* What explain_report() prints, from a process of its own. New string. */
static char *report_of(struct explain *x, bool json)
{
	int p[2];
	assert_int_equal(pipe(p), 0);
	pid_t pid = fork();
	if (pid == 0) {
		dup2(p[1], STDERR_FILENO);
		char cat[] = "cat", arg[] = "a b";
		char *argv[] = {cat, arg, NULL};
		explain_report(x, argv, json);
		_exit(0);
	}
	close(p[1]);
	struct buf b = {0};
	char chunk[4096];
	for (ssize_t n; (n = read(p[0], chunk, sizeof chunk)) > 0;)
		buf_add(&b, chunk, (size_t)n);
	close(p[0]);
	waitpid(pid, NULL, 0);
	return buf_steal(&b);
}

static void equal_refusals_are_one_record_with_a_count(void **state)
{
	struct fixture *f = *state;
	compile(f);
	struct explain *x = start(f, "s1");
	for (int i = 0; i < 7; i++)
		assert_int_equal(deny(f, x, OP_READ, "secret", "not asked"), 1);
	assert_int_equal(deny(f, x, OP_WRITE, "secret", "not asked"), 2);
	assert_int_equal(deny(f, x, OP_READ, "other", "no"), 3);
	explain_stop(x);
	size_t n;
	cleanup_err struct err *e = NULL;
	cleanup_free char *name = NULL;
	struct record **r = denials_load(NULL, &n, &name, &e);
	assert_non_null(r);
	assert_string_equal(name, "s1");
	assert_int_equal(n, 3);
	assert_int_equal(r[0]->count, 7);
	assert_int_equal(r[0]->op, OP_READ);
	assert_int_equal(r[0]->err, EACCES);
	assert_int_equal(r[0]->pid, 77);
	assert_string_equal(r[0]->asked, "secret");
	assert_true(str_ends(r[0]->resolved, "/secret"));
	assert_true(str_starts(r[0]->suggest, "--read-file /"));
	assert_string_equal(r[2]->answer, "no");
	denials_free(r, n);
}

static void the_log_can_be_read_while_the_session_runs(void **state)
{
	struct fixture *f = *state;
	compile(f);
	struct explain *x = start(f, "live");
	deny(f, x, OP_READ, "secret", "not asked");
	size_t n;
	struct record **r = denials_load("li", &n, NULL, NULL);
	assert_non_null(r);
	assert_int_equal(n, 1);
	denials_free(r, n);
	explain_stop(x);
}

static void a_session_without_refusals_writes_nothing(void **state)
{
	struct fixture *f = *state;
	compile(f);
	struct explain *x = start(f, "quiet");
	cleanup_free char *report = report_of(x, false), *dir = denials_dir();
	explain_stop(x);
	assert_string_equal(report, "");
	assert_int_equal(access(dir, F_OK), -1);
}

static void hostile_names_survive_the_log_and_stay_off_the_terminal(void **state)
{
	struct fixture *f = *state;
	compile(f);
	struct explain *x = start(f, "evil");
	deny(f, x, OP_READ, "a\nb\x1b[2J\xff\"\\", "not asked");
	cleanup_free char *text = report_of(x, false);
	assert_null(strchr(text, '\x1b'));
	assert_null(strstr(text, "a\nb"));
	explain_stop(x);
	size_t n;
	struct record **r = denials_load("evil", &n, NULL, NULL);
	assert_non_null(r);
	assert_int_equal(n, 1);
	denials_free(r, n);
}

static void the_report_is_short_and_names_the_command(void **state)
{
	struct fixture *f = *state;
	make(f, "keys/id");
	add(f, &f->profile->fs.deny, "keys", SOURCE_PROFILE);
	compile(f);
	struct explain *x = start(f, "rep");
	deny(f, x, OP_READ, "one", "not asked");
	deny(f, x, OP_READ, "one", "not asked");
	deny(f, x, OP_READ, "keys/id", "not asked");
	deny(f, x, OP_READ, "refused", "no");
	cleanup_free char *text = report_of(x, false);
	assert_non_null(strstr(text, "3 things were refused"));
	assert_non_null(strstr(text, "/one  by cat, 2 times"));
	assert_non_null(strstr(text, "you said no"));
	assert_non_null(strstr(text, "protected"));
	const char *command = strstr(text, "nono run --read-file");
	assert_non_null(command);
	assert_non_null(strstr(command, "/one -- cat 'a b'"));
	/* not what was refused on purpose */
	assert_null(strstr(command, "keys"));
	assert_null(strstr(command, "/refused"));
	explain_stop(x);
}

static void many_files_of_one_directory_are_suggested_as_the_directory(void **state)
{
	struct fixture *f = *state;
	compile(f);
	make(f, "src/");
	struct explain *x = start(f, "many");
	for (int i = 0; i < 40; i++) {
		cleanup_free char *name = xasprintf("src/%d", i);
		deny(f, x, OP_READ, name, "not asked");
	}
	cleanup_free char *text = report_of(x, false);
	cleanup_free char *want = xasprintf("--read %s/src -- cat", f->home);
	assert_non_null(strstr(text, want));
	assert_null(strstr(text, "--read-file"));
	cleanup_free char *row = xasprintf("read  40 files in %s/src  by cat\n", f->home);
	assert_non_null(strstr(text, row));
	assert_null(strstr(text, "more"));
	explain_stop(x);
}

static void long_reports_are_cut_and_say_so(void **state)
{
	struct fixture *f = *state;
	compile(f);
	struct explain *x = start(f, "long");
	for (int i = 0; i < 15; i++) {
		cleanup_free char *name = xasprintf("src%d/file", i);
		deny(f, x, OP_READ, name, "not asked");
	}
	cleanup_free char *text = report_of(x, false);
	assert_non_null(strstr(text, "15 things were refused"));
	assert_non_null(strstr(text, "and 5 more"));
	assert_non_null(strstr(text, "to allow a part of it"));
	explain_stop(x);
}

static void a_directory_speaks_for_what_is_beneath(void **state)
{
	struct fixture *f = *state;
	compile(f);
	make(f, "src/deep/");
	struct explain *x = start(f, "beneath");
	deny(f, x, OP_READ, "src/deep/file", "not asked");
	deny(f, x, OP_READ, "src", "not asked");
	deny(f, x, OP_WRITE, "src/deep/file", "not asked");
	cleanup_free char *text = report_of(x, false);
	cleanup_free char *want =
		xasprintf("nono run --read %s/src --allow-file %s/src/deep/file -- cat", f->home, f->home);
	assert_non_null(strstr(text, want));
	explain_stop(x);
}

static void what_a_person_allowed_is_logged_and_not_reported(void **state)
{
	struct fixture *f = *state;
	compile(f);
	struct explain *x = start(f, "granted");
	cleanup_free char *path = in_home(f, "file");
	struct denial d = {.op = OP_READ, .asked = "file", .resolved = path, .program = "cat", .answer = "session"};
	explain_grant(x, &d);
	cleanup_free char *text = report_of(x, false);
	assert_string_equal(text, "");
	explain_stop(x);
	size_t n;
	struct record **r = denials_load("granted", &n, NULL, NULL);
	assert_int_equal(n, 1);
	assert_true(r[0]->granted);
	assert_string_equal(r[0]->answer, "session");
	denials_free(r, n);
}

static void the_json_report_is_one_object(void **state)
{
	struct fixture *f = *state;
	compile(f);
	struct explain *x = start(f, "json");
	deny(f, x, OP_READ, "one", "not asked");
	cleanup_free char *text = report_of(x, true);
	struct json_object *o = json_tokener_parse(text), *list = NULL;
	assert_true(json_object_object_get_ex(o, "denials", &list));
	assert_int_equal(json_object_array_length(list), 1);
	struct json_object *one = json_object_array_get_idx(list, 0);
	assert_string_equal(json_get_text(one, "operation"), "read");
	assert_string_equal(json_get_text(one, "errno"), "EACCES");
	assert_non_null(json_get_text(o, "suggested_command"));
	json_object_put(o);
	explain_stop(x);
}

static void fifty_logs_are_kept(void **state)
{
	struct fixture *f = *state;
	compile(f);
	for (int i = 0; i < 55; i++) {
		cleanup_free char *session = xasprintf("r%02d", i);
		struct explain *x = start(f, session);
		deny(f, x, OP_READ, "one", "not asked");
		explain_stop(x);
	}
	cleanup_free char *dir = denials_dir();
	cleanup_dir DIR *d = opendir(dir);
	unsigned n = 0;
	for (const struct dirent *de; (de = readdir(d));)
		n += str_ends(de->d_name, ".jsonl");
	assert_int_equal(n, 50);
	size_t count;
	cleanup_free char *name = NULL;
	struct record **r = denials_load(NULL, &count, &name, NULL);
	assert_string_equal(name, "r54");
	denials_free(r, count);
}

static void a_flood_of_distinct_refusals_is_bounded(void **state)
{
	struct fixture *f = *state;
	compile(f);
	struct explain *x = start(f, "flood");
	for (int i = 0; i < 5000; i++) {
		cleanup_free char *name = xasprintf("d%d/f", i);
		unsigned id = deny(f, x, OP_READ, name, "not asked");
		assert_int_equal(id, i < 2000 ? i + 1 : 0);
	}
	cleanup_free char *text = report_of(x, false);
	assert_non_null(strstr(text, "5000 things were refused"));
	assert_true(strlen(text) < 4000);
	explain_stop(x);
}

static void a_damaged_log_gives_what_is_whole(void **state)
{
	struct fixture *f = *state;
	compile(f);
	struct explain *x = start(f, "bad");
	deny(f, x, OP_READ, "one", "not asked");
	explain_stop(x);
	cleanup_free char *dir = denials_dir(), *path = xasprintf("%s/bad.jsonl", dir);
	FILE *file = fopen(path, "a");
	fputs("{\"id\": 9, \"operation\": \"read\", \"resolved\": \"/x\"}\n[1]\n7\nnull\n{\"id\": 5, \"count\": 3}\n"
	      "{\"id\": 2, \"operation\": \"fly\", \"resolved\": \"/x\"}\n{\"id\": -1}\n{\"id\": 2, \"oper",
		file);
	fclose(file);
	size_t n;
	struct record **r = denials_load("bad", &n, NULL, NULL);
	assert_non_null(r);
	assert_int_equal(n, 1);
	assert_int_equal(r[0]->count, 1);
	denials_free(r, n);
}

static void session_ids_cannot_leave_the_directory(void **state)
{
	struct fixture *f = *state;
	compile(f);
	struct explain *x = NULL;
	assert_int_equal(explain_start(&x, "../x", f->policy, NULL), -1);
	assert_int_equal(explain_start(&x, "", f->policy, NULL), -1);
	assert_null(x);
}

static void the_capability_file_lists_grants_and_denies(void **state)
{
	struct fixture *f = *state;
	make(f, "proj/keys/");
	make(f, "note");
	add(f, &f->profile->fs.allow, "proj", SOURCE_USER);
	add(f, &f->profile->fs.read_file, "note", SOURCE_PROFILE);
	add(f, &f->profile->fs.deny, "proj/keys", SOURCE_PROFILE);
	compile(f);
	cleanup_free char *path = in_home(f, ".nono-cap.json");
	cleanup_err struct err *e = NULL;
	assert_int_equal(capfile_write(f->policy, path, &e), 0);
	struct stat st;
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(capfile_write(f->policy, path, &e), -1); /* never over something that is there */
	struct json_object *o = json_object_from_file(path), *fs = NULL, *denies = NULL, *flag = NULL;
	assert_true(json_object_object_get_ex(o, "fs", &fs));
	assert_true(json_object_object_get_ex(o, "deny", &denies));
	assert_true(json_object_object_get_ex(o, "net_blocked", &flag));
	bool proj = false, note = false, keys = false;
	for (size_t i = 0; i < json_object_array_length(fs); i++) {
		struct json_object *r = json_object_array_get_idx(fs, i), *is_file;
		json_object_object_get_ex(r, "is_file", &is_file);
		if (str_ends(json_get_text(r, "path"), "/proj"))
			proj = strcmp(json_get_text(r, "access"), "readwrite") == 0 &&
			       !json_object_get_boolean(is_file) &&
			       strcmp(json_get_text(r, "source"), source_name(SOURCE_USER)) == 0;
		if (str_ends(json_get_text(r, "path"), "/note"))
			note = strcmp(json_get_text(r, "access"), "read") == 0 && json_object_get_boolean(is_file);
	}
	for (size_t i = 0; i < json_object_array_length(denies); i++)
		keys |= str_ends(json_get_text(json_object_array_get_idx(denies, i), "path"), "/proj/keys");
	assert_true(proj);
	assert_true(note);
	assert_true(keys);
	json_object_put(o);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, fixture_setup, fixture_teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(equal_refusals_are_one_record_with_a_count),
		TEST(the_log_can_be_read_while_the_session_runs),
		TEST(a_session_without_refusals_writes_nothing),
		TEST(hostile_names_survive_the_log_and_stay_off_the_terminal),
		TEST(the_report_is_short_and_names_the_command),
		TEST(many_files_of_one_directory_are_suggested_as_the_directory),
		TEST(long_reports_are_cut_and_say_so),
		TEST(a_directory_speaks_for_what_is_beneath),
		TEST(what_a_person_allowed_is_logged_and_not_reported),
		TEST(the_json_report_is_one_object),
		TEST(fifty_logs_are_kept),
		TEST(a_flood_of_distinct_refusals_is_bounded),
		TEST(a_damaged_log_gives_what_is_whole),
		TEST(session_ids_cannot_leave_the_directory),
		TEST(the_capability_file_lists_grants_and_denies),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
