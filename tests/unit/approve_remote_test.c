/* SPDX-License-Identifier: Apache-2.0 */
/* approve_remote_test.c - `nono approve` on a terminal of its own, against a real queue. */
#include "policy_fixture.h"

#include "approve/approve.h"
#include "approve/remote.h"
#include "proto/proto.h"

#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#define CLIENT_FD 9

struct test {
	struct fixture *f;
	struct approve_config cfg;
	struct approve *a;
	int master, socket;
	pid_t client;
	struct buf seen;
};

static int64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int setup(void **state)
{
	struct test *t = xcalloc(1, sizeof *t);
	void *f = NULL;
	cleanup_err struct err *e = NULL;
	fixture_setup(&f);
	t->f = f;
	compile(t->f);
	unsetenv("NONO_CAP_FILE");
	setenv("NO_COLOR", "1", 1);
	t->cfg = (struct approve_config){.policy = t->f->policy, .session_id = "r", .on_request = ON_REQUEST_HOLD};
	*state = t;
	return approve_start(&t->a, &t->cfg, &e);
}

/* `nono approve`, as the command line starts it: this program anew, because a fork of one with threads may only
 * execute.
 */
static void start_client(struct test *t, bool popup)
{
	int s[2];
	struct winsize ws = {.ws_row = 24, .ws_col = 80};
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, s), 0);
	t->client = forkpty(&t->master, NULL, NULL, &ws);
	if (t->client == 0) {
		dup2(s[1], CLIENT_FD);
		execl("/proc/self/exe", "client", popup ? "popup" : "screen", NULL);
		_exit(127);
	}
	close(s[1]);
	t->socket = s[0];
}

/* The broker's main loop and the terminal, until @want is drawn or @ms have passed. */
static bool run(struct test *t, const char *want, int ms)
{
	for (int64_t until = now_ms() + ms, left; (left = until - now_ms()) > 0;) {
		struct pollfd p[2] = {{.fd = t->master, .events = POLLIN}, {.fd = t->socket, .events = POLLIN}};
		char chunk[4097];
		if (want && t->seen.data && strstr(t->seen.data, want))
			return true;
		if (poll(p, 2, (int)left) <= 0)
			continue;
		if (p[0].revents) {
			ssize_t n = read(t->master, chunk, sizeof chunk - 1);
			if (n <= 0)
				return false;
			chunk[n] = '\0';
			buf_adds(&t->seen, chunk);
		}
		cleanup_msg struct msg m = {0};
		if (p[1].revents && msg_recv(t->socket, &m, 0, NULL) > 0)
			approve_serve(t->a, t->socket, &m, NULL);
	}
	return false;
}

static void expect(struct test *t, const char *want)
{
	if (!run(t, want, 5000))
		fail_msg("\"%s\" is not on the screen: %s", want, t->seen.data ? t->seen.data : "");
	t->seen.len = 0;
	if (t->seen.data)
		t->seen.data[0] = '\0';
}

static void type(struct test *t, const char *keys)
{
	run(t, NULL, 400); /* a person reads first */
	assert_int_equal(write(t->master, keys, strlen(keys)), strlen(keys));
}

static int client_status(struct test *t)
{
	int status = -1;
	for (int i = 0; i < 500 && waitpid(t->client, &status, WNOHANG) == 0; i++)
		run(t, NULL, 10);
	t->client = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int teardown(void **state)
{
	struct test *t = *state;
	void *f = t->f;
	if (t->client > 0) {
		kill(t->client, SIGKILL);
		waitpid(t->client, NULL, 0);
	}
	approve_unserve(t->a, t->socket);
	approve_stop(t->a);
	close(t->master);
	close(t->socket);
	buf_free(&t->seen);
	fixture_teardown(&f);
	free(t);
	return 0;
}

static atomic_int told[64];

static void on_done(void *data, enum answer answer)
{
	atomic_store((atomic_int *)data, (int)answer);
}

static void ask(struct test *t, unsigned i, const char *name)
{
	cleanup_free char *path = in_home(t->f, name);
	struct question q = {.op = OP_READ, .object = path, .asked = name, .program = "cat", .parent = "sh"};
	atomic_store(&told[i], -1);
	approve_submit(t->a, &q, on_done, &told[i]);
}

static void questions_come_are_answered_and_go(void **state)
{
	struct test *t = *state;
	start_client(t, false);
	expect(t, "Nothing waits");
	ask(t, 0, "first");
	expect(t, "/first");
	type(t, "s");
	expect(t, "Nothing waits");
	assert_int_equal(told[0], ANSWER_SESSION);
	assert_verdict(t->f, OP_READ, "first", VERDICT_ALLOW, false);
	ask(t, 1, "second");
	expect(t, "/second");
	/* answered by somebody else meanwhile */
	size_t n;
	struct pending *p = approve_pending(t->a, &n);
	assert_int_equal(approve_answer(t->a, p[0].id, ANSWER_NO, NULL, NULL), 0);
	pending_free(p, n);
	expect(t, "Nothing waits");
	type(t, "q");
	assert_int_equal(client_status(t), 0);
}

static void leaving_answers_nothing(void **state)
{
	struct test *t = *state;
	ask(t, 0, "first");
	start_client(t, false);
	expect(t, "/first");
	type(t, "q");
	assert_int_equal(client_status(t), 0);
	assert_int_equal(told[0], -1);
}

static void a_popup_goes_with_the_last_question(void **state)
{
	struct test *t = *state;
	ask(t, 0, "first");
	ask(t, 1, "second");
	start_client(t, true);
	expect(t, "2 questions");
	type(t, "y");
	expect(t, "a program in the sandbox asks");
	assert_int_equal(told[0], ANSWER_ONCE);
	type(t, "N");
	assert_int_equal(client_status(t), 0);
	assert_int_equal(told[1], ANSWER_NEVER);
}

static void a_refused_answer_is_shown_and_the_question_stays(void **state)
{
	struct test *t = *state;
	ask(t, 0, "first");
	start_client(t, false);
	expect(t, "/first");
	type(t, "a"); /* no profile to write to */
	expect(t, "no profile");
	assert_int_equal(told[0], -1);
	type(t, "d");
	expect(t, "beneath which directory");
	type(t, "s");
	expect(t, "Nothing waits");
	assert_int_equal(told[0], ANSWER_SESSION);
	assert_verdict(t->f, OP_READ, "other", VERDICT_ALLOW, false);
}

static void the_end_of_the_session_ends_it(void **state)
{
	struct test *t = *state;
	start_client(t, false);
	expect(t, "Nothing waits");
	approve_unserve(t->a, t->socket);
	shutdown(t->socket, SHUT_RDWR);
	expect(t, "the session ended");
	assert_int_equal(client_status(t), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[0], "client") == 0)
		return remote_screen(CLIENT_FD, NULL, strcmp(argv[1], "popup") == 0, NULL) < 0 ? 1 : 0;
	const struct CMUnitTest tests[] = {
		TEST(questions_come_are_answered_and_go),
		TEST(leaving_answers_nothing),
		TEST(a_popup_goes_with_the_last_question),
		TEST(a_refused_answer_is_shown_and_the_question_stays),
		TEST(the_end_of_the_session_ends_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
