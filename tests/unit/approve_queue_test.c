/* SPDX-License-Identifier: Apache-2.0 */
/* approve_queue_test.c - questions: merged, parked, answered, cancelled, served to other terminals. */
#include "policy_fixture.h"

#include "approve/approve.h"
#include "proto/proto.h"

#include <sched.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <time.h>

struct test {
	struct fixture *f;
	struct approve_config cfg;
	struct approve *a;
};

/* What one waiter was told: -1 nothing yet. */
struct told {
	atomic_int answer, times;
};

static void on_done(void *data, enum answer answer)
{
	struct told *t = data;
	atomic_fetch_add(&t->times, 1);
	atomic_store(&t->answer, (int)answer);
}

static void start(struct test *t, enum on_request mode, const char *approver)
{
	cleanup_err struct err *e = NULL;
	t->cfg.on_request = mode;
	t->cfg.approver = approver;
	assert_int_equal(approve_start(&t->a, &t->cfg, &e), 0);
}

static int setup(void **state)
{
	struct test *t = xcalloc(1, sizeof *t);
	void *f = NULL;
	fixture_setup(&f);
	t->f = f;
	make(t->f, "dir/a");
	make(t->f, "dir/b");
	compile(t->f);
	t->cfg = (struct approve_config){.policy = t->f->policy, .session_id = "test"};
	*state = t;
	return 0;
}

static int teardown(void **state)
{
	struct test *t = *state;
	void *f = t->f;
	approve_stop(t->a);
	fixture_teardown(&f);
	free(t);
	return 0;
}

static uint64_t ask(struct test *t, enum operation op, const char *name, struct told *told)
{
	cleanup_free char *path = in_home(t->f, name);
	struct question q = {.op = op, .object = path, .asked = name, .program = "cat", .parent = "sh", .tgid = 42};
	told->answer = -1;
	told->times = 0;
	return approve_submit(t->a, &q, on_done, told);
}

static uint64_t first_id(struct test *t)
{
	size_t n;
	struct pending *p = approve_pending(t->a, &n);
	uint64_t id = n ? p[0].id : 0;
	pending_free(p, n);
	return id;
}

static size_t open_questions(struct test *t)
{
	size_t n;
	struct pending *p = approve_pending(t->a, &n);
	pending_free(p, n);
	return n;
}

/* Wait up to five seconds for the answer. */
static int answer_of(struct told *t)
{
	for (int i = 0; i < 5000 && t->answer < 0; i++)
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	return t->answer;
}

static void identical_requests_wait_on_one_question(void **state)
{
	struct test *t = *state;
	struct told a, b, c, d;
	start(t, ON_REQUEST_HOLD, NULL);
	ask(t, OP_WRITE, "dir/a", &a);
	ask(t, OP_DELETE, "dir/a", &b); /* the same class: one grant covers both */
	ask(t, OP_READ, "dir/a", &c);
	ask(t, OP_WRITE, "dir/b", &d);
	assert_int_equal(open_questions(t), 3);
	assert_int_equal(approve_answer(t->a, first_id(t), ANSWER_ONCE, NULL, NULL), 0);
	assert_int_equal(answer_of(&a), ANSWER_ONCE);
	assert_int_equal(answer_of(&b), ANSWER_ONCE);
	assert_int_equal(c.answer, -1);
	assert_int_equal(d.answer, -1);
	assert_verdict(t->f, OP_WRITE, "dir/a", VERDICT_NONE, false); /* once changes no rule */
	approve_stop(steal_ptr(&t->a));                               /* what waits is on this stack */
}

/* Asks and takes back until it is told that nothing can be asked any more. */
static void *ask_and_cancel(void *data)
{
	struct test *t = data;
	struct told told[64];
	for (unsigned i = 0;; i = (i + 1) % 64) {
		struct question q = {.op = OP_READ,
			.object = "/srv/somewhere",
			.asked = "x",
			.program = "cat",
			.parent = "sh",
			.port = i};
		told[i].answer = -1;
		uint64_t ticket = approve_submit(t->a, &q, on_done, &told[i]);
		if (ticket == 0)
			return NULL;
		if (!approve_cancel(t->a, ticket))
			(void)answer_of(&told[i]);
	}
}

static void calls_of_other_threads_are_fine_while_the_queue_ends(void **state)
{
	struct test *t = *state;
	for (int round = 0; round < 20; round++) {
		pthread_t thread[4];
		struct told a, late = {.answer = -1};
		start(t, ON_REQUEST_HOLD, NULL);
		for (size_t i = 0; i < ARRAY_SIZE(thread); i++)
			assert_int_equal(pthread_create(&thread[i], NULL, ask_and_cancel, t), 0);
		ask(t, OP_READ, "dir/a", &a);
		approve_end(t->a);
		assert_int_equal(answer_of(&a), ANSWER_NO);
		struct question q = {
			.op = OP_READ, .object = "/srv/late", .asked = "late", .program = "cat", .parent = "sh"};
		assert_int_equal(approve_submit(t->a, &q, on_done, &late), 0);
		for (size_t i = 0; i < ARRAY_SIZE(thread); i++)
			pthread_join(thread[i], NULL);
		assert_int_equal(late.answer, -1);
		approve_stop(steal_ptr(&t->a));
	}
}

static void session_answer_is_a_grant_of_exactly_the_object(void **state)
{
	struct test *t = *state;
	struct told a;
	start(t, ON_REQUEST_HOLD, NULL);
	ask(t, OP_READ, "dir/a", &a);
	assert_int_equal(approve_answer(t->a, first_id(t), ANSWER_SESSION, NULL, NULL), 0);
	assert_int_equal(answer_of(&a), ANSWER_SESSION);
	assert_verdict(t->f, OP_READ, "dir/a", VERDICT_ALLOW, false);
	assert_verdict(t->f, OP_WRITE, "dir/a", VERDICT_NONE, false);
	assert_verdict(t->f, OP_READ, "dir/b", VERDICT_NONE, false);
}

static void a_picked_directory_answers_the_whole_burst(void **state)
{
	struct test *t = *state;
	struct told told[20], outside;
	start(t, ON_REQUEST_HOLD, NULL);
	for (int i = 0; i < 20; i++) {
		cleanup_free char *name = xasprintf("dir/file%d", i);
		ask(t, OP_READ, name, &told[i]);
	}
	ask(t, OP_READ, "elsewhere", &outside);
	cleanup_free char *dir = in_home(t->f, "dir");
	assert_int_equal(approve_answer(t->a, first_id(t), ANSWER_SESSION, dir, NULL), 0);
	for (int i = 0; i < 20; i++) {
		assert_int_equal(answer_of(&told[i]), ANSWER_SESSION);
		assert_int_equal(told[i].times, 1);
	}
	assert_int_equal(outside.answer, -1);
	approve_stop(steal_ptr(&t->a)); /* what waits is on this stack */
}

static void a_directory_that_does_not_fit_is_refused_and_the_question_stays(void **state)
{
	struct test *t = *state;
	struct told a;
	start(t, ON_REQUEST_HOLD, NULL);
	ask(t, OP_READ, "dir/a", &a);
	cleanup_free char *dir = in_home(t->f, "dir"), *other = in_home(t->f, "other");
	cleanup_free char *dots = in_home(t->f, "dir/../dir"), *prefix = in_home(t->f, "di");
	const struct {
		enum answer answer;
		const char *dir;
	} bad[] = {{ANSWER_SESSION, other}, {ANSWER_SESSION, "/"}, {ANSWER_SESSION, dots}, {ANSWER_SESSION, prefix},
		{ANSWER_SESSION, "dir"}, {ANSWER_ONCE, dir}, {ANSWER_NO, dir}, {ANSWER_ALWAYS, NULL}};
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		cleanup_err struct err *e = NULL;
		assert_int_equal(approve_answer(t->a, first_id(t), bad[i].answer, bad[i].dir, &e), -1);
		assert_non_null(e);
	}
	assert_int_equal(a.answer, -1);
	assert_int_equal(open_questions(t), 1);
	assert_verdict(t->f, OP_READ, "dir/a", VERDICT_NONE, false);
	approve_stop(steal_ptr(&t->a));
	assert_int_equal(a.answer, ANSWER_NO); /* the end of the session is no */
}

static void always_is_written_to_the_profile_and_holds_at_once(void **state)
{
	struct test *t = *state;
	struct told a, b, c;
	cleanup_err struct err *e = NULL;
	t->cfg.profile_ref = "claude-code";
	start(t, ON_REQUEST_HOLD, NULL);
	ask(t, OP_READ, "dir/a", &a);
	cleanup_free char *file = in_home(t->f, ".config/nono/profiles/claude-code.json");
	cleanup_free char *preview = approve_preview(t->a, first_id(t), NULL, &e);
	assert_non_null(preview);
	assert_non_null(strstr(preview, "+    \"read_file\": [\"~/dir/a\"]"));
	assert_int_equal(access(file, F_OK), -1);
	assert_int_equal(approve_answer(t->a, first_id(t), ANSWER_ALWAYS, NULL, &e), 0);
	assert_int_equal(answer_of(&a), ANSWER_ALWAYS);
	assert_verdict(t->f, OP_READ, "dir/a", VERDICT_ALLOW, false);
	ask(t, OP_WRITE, "dir/b", &b);
	cleanup_free char *dir = in_home(t->f, "dir");
	assert_int_equal(approve_answer(t->a, first_id(t), ANSWER_ALWAYS, dir, &e), 0);
	struct question q = {.op = OP_CONNECT, .object = "api.test", .port = 8443};
	c.answer = -1;
	t->cfg.policy = t->f->policy;
	approve_submit(t->a, &q, on_done, &c);
	/* a first rule in a profile that restricts nothing would close everything else */
	assert_int_equal(approve_answer(t->a, first_id(t), ANSWER_ALWAYS, NULL, &e), -1);
	assert_non_null(strstr(err_msg(e), "--allow-domain api.test:8443"));
	err_free(&e);
	const struct origin by_profile = {.source = SOURCE_PROFILE}, by_flag = {.source = SOURCE_USER};
	items_add(&t->f->profile->network.allow_domain, "flag.test", &by_flag);
	assert_int_equal(approve_answer(t->a, first_id(t), ANSWER_ALWAYS, NULL, NULL), -1);
	items_add(&t->f->profile->network.allow_domain, "other.test", &by_profile);
	assert_int_equal(approve_answer(t->a, first_id(t), ANSWER_ALWAYS, NULL, &e), 0);
	cleanup_profile struct profile *p = profile_load("claude-code", NULL, &e);
	assert_non_null(p);
	assert_true(items_have(&p->fs.read_file, "~/dir/a"));
	assert_true(items_have(&p->fs.write, "~/dir"));
	assert_true(items_have(&p->network.allow_domain, "api.test:8443"));
	assert_true(p->groups_include.n > 0); /* still the built-in one beneath */
}

static void a_profile_that_cannot_be_written_allows_nothing(void **state)
{
	struct test *t = *state;
	struct told a;
	cleanup_err struct err *e = NULL;
	cleanup_free char *broken = in_home(t->f, "broken.json");
	assert_int_equal(file_write_atomic(broken, "{ nonsense", 10, 0600, NULL), 0);
	t->cfg.profile_ref = broken;
	start(t, ON_REQUEST_HOLD, NULL);
	ask(t, OP_READ, "dir/a", &a);
	assert_null(approve_preview(t->a, first_id(t), NULL, &e));
	assert_int_equal(approve_answer(t->a, first_id(t), ANSWER_ALWAYS, NULL, &e), -1);
	assert_int_equal(a.answer, -1);
	assert_verdict(t->f, OP_READ, "dir/a", VERDICT_NONE, false);
	approve_stop(steal_ptr(&t->a));
}

static void never_is_remembered_and_no_is_not(void **state)
{
	struct test *t = *state;
	struct told a, b;
	start(t, ON_REQUEST_HOLD, NULL);
	ask(t, OP_READ, "dir/a", &a);
	ask(t, OP_READ, "dir/b", &b);
	assert_int_equal(approve_answer(t->a, first_id(t), ANSWER_NEVER, NULL, NULL), 0);
	assert_int_equal(approve_answer(t->a, first_id(t), ANSWER_NO, NULL, NULL), 0);
	assert_int_equal(answer_of(&a), ANSWER_NEVER);
	assert_int_equal(answer_of(&b), ANSWER_NO);
	assert_verdict(t->f, OP_READ, "dir/a", VERDICT_NEVER, false);
	assert_verdict(t->f, OP_READ, "dir/b", VERDICT_NONE, false);
}

static void a_cancelled_request_is_never_told_and_takes_its_question_along(void **state)
{
	struct test *t = *state;
	struct told a, b;
	start(t, ON_REQUEST_HOLD, NULL);
	uint64_t one = ask(t, OP_READ, "dir/a", &a), two = ask(t, OP_READ, "dir/a", &b);
	assert_true(approve_cancel(t->a, one));
	assert_false(approve_cancel(t->a, one));
	assert_int_equal(open_questions(t), 1);
	assert_true(approve_cancel(t->a, two));
	assert_int_equal(open_questions(t), 0);
	assert_false(approve_cancel(t->a, 12345));
	assert_int_equal(a.times + b.times, 0);
	uint64_t three = ask(t, OP_READ, "dir/a", &a);
	assert_int_equal(approve_answer(t->a, first_id(t), ANSWER_NO, NULL, NULL), 0);
	assert_int_equal(answer_of(&a), ANSWER_NO);
	assert_false(approve_cancel(t->a, three));
}

static void without_a_front_end_the_answer_is_no(void **state)
{
	struct test *t = *state;
	struct told a;
	start(t, ON_REQUEST_ASK, NULL); /* no terminal, no approver */
	assert_false(approve_possible(t->a));
	ask(t, OP_READ, "dir/a", &a);
	assert_int_equal(answer_of(&a), ANSWER_NO);
	approve_stop(steal_ptr(&t->a));
	start(t, ON_REQUEST_DENY, "echo once");
	assert_false(approve_possible(t->a));
	ask(t, OP_READ, "dir/a", &a);
	assert_int_equal(answer_of(&a), ANSWER_NO);
}

static double cpu_seconds(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void ten_thousand_waiting_questions_cost_no_cpu(void **state)
{
	struct test *t = *state;
	enum { N = 10000 };
	struct told *told = xcalloc(N, sizeof *told);
	start(t, ON_REQUEST_HOLD, NULL);
	for (int i = 0; i < N; i++) {
		cleanup_free char *name = xasprintf("dir/%d", i);
		ask(t, OP_READ, name, &told[i]);
	}
	assert_int_equal(open_questions(t), N);
	nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
	double before = cpu_seconds();
	nanosleep(&(struct timespec){.tv_nsec = 500000000}, NULL);
	assert_true(cpu_seconds() - before < 0.005);
	cleanup_free char *dir = in_home(t->f, "dir");
	assert_int_equal(approve_answer(t->a, first_id(t), ANSWER_SESSION, dir, NULL), 0);
	for (int i = 0; i < N; i++)
		assert_int_equal(answer_of(&told[i]), ANSWER_SESSION);
	free(told);
}

static void a_flood_of_questions_is_refused_beyond_a_burst(void **state)
{
	struct test *t = *state;
	enum { N = 600 };
	struct told *told = xcalloc(N, sizeof *told);
	start(t, ON_REQUEST_ASK, "sleep 60");
	for (int i = 0; i < N; i++) {
		cleanup_free char *name = xasprintf("dir/%d", i);
		ask(t, OP_READ, name, &told[i]);
	}
	assert_int_equal(answer_of(&told[N - 1]), ANSWER_NO);
	assert_int_equal(told[0].answer, -1);
	assert_in_range(open_questions(t), 1, 300);
	approve_stop(steal_ptr(&t->a));
	for (int i = 0; i < N; i++)
		assert_int_equal(told[i].times, 1);
	free(told);
}

static void the_approver_answers_with_exactly_one_word(void **state)
{
	struct test *t = *state;
	static const struct {
		const char *command;
		enum answer want;
	} cases[] = {
		{"cat >/dev/null; echo once", ANSWER_ONCE},
		{"printf ' session\\n\\n'", ANSWER_SESSION},
		{"echo never", ANSWER_NEVER},
		{"echo no", ANSWER_NO},
		{"echo yes", ANSWER_NO},
		{"echo ONCE", ANSWER_NO},
		{"echo once please", ANSWER_NO},
		{"echo once; exit 3", ANSWER_NO},
		{"true", ANSWER_NO},
		{"printf 'once\\000'", ANSWER_NO},
		{"/no/such/program", ANSWER_NO},
		{"echo once; kill -9 $$", ANSWER_NO},
		{"yes once", ANSWER_NO},
		{"echo always", ANSWER_NO}, /* no profile to write to */
		{"sleep 300; echo once", ANSWER_NO},
		{"python3 -c 'import json, sys; q = json.load(sys.stdin); print(\"once\" if q[\"operation\"] == "
		 "\"read\" "
		 "and q[\"path\"].endswith(\"/dir/a\") and q[\"program\"] == \"cat\" and q[\"parent\"] == \"sh\" and "
		 "q[\"rule\"] is None and q[\"protected\"] is False and q[\"id\"] > 0 else \"no\")'",
			ANSWER_ONCE},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		/* long enough for a busy machine, but for the one that is to run into it */
		t->cfg.approver_timeout = strstr(cases[i].command, "sleep") ? 1 : 100;
		struct told a;
		t->cfg.approver_timeout = strncmp(cases[i].command, "sleep", 5) == 0 ? 1 : 60;
		compile(t->f); /* forget what was remembered */
		t->cfg.policy = t->f->policy;
		start(t, ON_REQUEST_ASK, cases[i].command);
		ask(t, OP_READ, "dir/a", &a);
		if (answer_of(&a) != (int)cases[i].want)
			fail_msg("%s: told %d", cases[i].command, a.answer);
		approve_stop(steal_ptr(&t->a));
	}
}

static void one_slow_question_does_not_delay_another(void **state)
{
	struct test *t = *state;
	struct told slow, quick;
	start(t, ON_REQUEST_ASK, "grep -q dir/a && sleep 5; echo once");
	ask(t, OP_READ, "dir/a", &slow);
	ask(t, OP_READ, "dir/b", &quick);
	assert_int_equal(answer_of(&quick), ANSWER_ONCE);
	assert_int_equal(slow.answer, -1);
	approve_stop(steal_ptr(&t->a)); /* what waits is on this stack */
}

static struct msg exchange(struct test *t, int s[2], struct msg request, size_t *before)
{
	cleanup_err struct err *e = NULL;
	assert_int_equal(approve_serve(t->a, s[0], &request, &e), 0);
	*before = 0;
	for (;;) {
		struct msg m;
		assert_int_equal(msg_recv(s[1], &m, 2000, &e), 1);
		if (m.type == MSG_RESULT)
			return m;
		(*before)++;
		msg_free(&m);
	}
}

static void another_terminal_lists_answers_and_revokes(void **state)
{
	struct test *t = *state;
	struct told a, b;
	int s[2];
	size_t before;
	char session[] = "session", wrong[] = "yes";
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, s), 0);
	start(t, ON_REQUEST_ASK, NULL);
	assert_int_equal(approve_serve(t->a, s[0], &(struct msg){.type = MSG_WATCH}, NULL), 0);
	assert_true(approve_possible(t->a)); /* a watching terminal is a front end */
	ask(t, OP_READ, "dir/a", &a);
	ask(t, OP_READ, "dir/b", &b);
	cleanup_msg struct msg news = {0}, r = {0};
	assert_int_equal(msg_recv(s[1], &news, 2000, NULL), 1);
	assert_int_equal(news.type, MSG_PENDING);
	assert_true(str_ends(news.object, "/dir/a"));
	r = exchange(t, s, (struct msg){.type = MSG_PENDING_LIST}, &before);
	assert_int_equal(before, 3); /* one more piece of news, and both */
	msg_free(&r);
	r = exchange(t, s, (struct msg){.type = MSG_ANSWER, .id = news.id, .answer = wrong}, &before);
	assert_int_not_equal(r.status, 0);
	msg_free(&r);
	r = exchange(t, s, (struct msg){.type = MSG_ANSWER, .id = news.id, .answer = session}, &before);
	assert_int_equal(r.status, 0);
	assert_int_equal(before, 1); /* MSG_GONE */
	assert_int_equal(answer_of(&a), ANSWER_SESSION);
	msg_free(&r);
	r = exchange(t, s, (struct msg){.type = MSG_GRANT_LIST}, &before);
	assert_int_equal(before, 1);
	msg_free(&r);
	r = exchange(t, s, (struct msg){.type = MSG_REVOKE, .id = 1}, &before);
	assert_int_equal(r.status, 0);
	assert_verdict(t->f, OP_READ, "dir/a", VERDICT_NONE, false);
	msg_free(&r);
	r = exchange(t, s, (struct msg){.type = MSG_REVOKE, .id = 1}, &before);
	assert_int_not_equal(r.status, 0);
	msg_free(&r);
	assert_int_equal(approve_serve(t->a, s[0], &(struct msg){.type = MSG_OPEN_URL}, NULL), -1);
	/* the terminal goes away: nobody can answer what it left open */
	approve_unserve(t->a, s[0]);
	assert_int_equal(answer_of(&b), ANSWER_NO);
	close(s[0]);
	close(s[1]);
}

static void a_watcher_that_does_not_read_is_dropped(void **state)
{
	struct test *t = *state;
	struct told *told = xcalloc(5000, sizeof *told);
	int s[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, s), 0);
	start(t, ON_REQUEST_HOLD, NULL);
	assert_int_equal(approve_serve(t->a, s[0], &(struct msg){.type = MSG_WATCH}, NULL), 0);
	for (int i = 0; i < 5000; i++) {
		cleanup_free char *name = xasprintf("dir/%d", i);
		ask(t, OP_READ, name, &told[i]);
	}
	assert_int_equal(open_questions(t), 5000);
	char c;
	assert_int_equal(recv(s[0], &c, 1, MSG_DONTWAIT), 0); /* shut down */
	approve_unserve(t->a, s[0]);
	approve_stop(steal_ptr(&t->a));
	free(told);
	close(s[0]);
	close(s[1]);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(identical_requests_wait_on_one_question),
		TEST(calls_of_other_threads_are_fine_while_the_queue_ends),
		TEST(session_answer_is_a_grant_of_exactly_the_object),
		TEST(a_picked_directory_answers_the_whole_burst),
		TEST(a_directory_that_does_not_fit_is_refused_and_the_question_stays),
		TEST(always_is_written_to_the_profile_and_holds_at_once),
		TEST(a_profile_that_cannot_be_written_allows_nothing),
		TEST(never_is_remembered_and_no_is_not),
		TEST(a_cancelled_request_is_never_told_and_takes_its_question_along),
		TEST(without_a_front_end_the_answer_is_no),
		TEST(ten_thousand_waiting_questions_cost_no_cpu),
		TEST(a_flood_of_questions_is_refused_beyond_a_burst),
		TEST(the_approver_answers_with_exactly_one_word),
		TEST(one_slow_question_does_not_delay_another),
		TEST(another_terminal_lists_answers_and_revokes),
		TEST(a_watcher_that_does_not_read_is_dropped),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
