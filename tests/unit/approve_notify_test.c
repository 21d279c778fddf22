/* SPDX-License-Identifier: Apache-2.0 */
/*
 * approve_notify_test.c - questions as desktop notifications, on a real session
 * bus of the test's own with a notification server of the test's own.
 */
#include "policy_fixture.h"

#include "approve/approve.h"

#include <dbus/dbus.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <time.h>

#define NAME "org.freedesktop.Notifications"

struct test {
	struct fixture *f;
	struct approve_config cfg;
	struct approve *a;
	pid_t server;
};

/* One for all tests: libdbus remembers the first address it saw. */
static pid_t bus;

/* ---- the server ---------------------------------------------------------- */

static void reply_capabilities(DBusConnection *c, DBusMessage *m)
{
	const char *list[] = {"body", "actions"}, **v = list;
	DBusMessage *r = dbus_message_new_method_return(m);
	dbus_message_append_args(r, DBUS_TYPE_ARRAY, DBUS_TYPE_STRING, &v, 2, DBUS_TYPE_INVALID);
	dbus_connection_send(c, r, NULL);
	dbus_message_unref(r);
}

/* The person: what is done with a notification is written in the file's name. */
static void act(DBusConnection *c, const char *body, dbus_uint32_t id)
{
	static const char *const actions[] = {"once", "session", "no", "always", "dismiss"};
	for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
		cleanup_free char *word = xasprintf("please-%s", actions[i]);
		if (!strstr(body, word))
			continue;
		bool dismiss = strcmp(actions[i], "dismiss") == 0;
		dbus_uint32_t reason = 2;
		DBusMessage *s = dbus_message_new_signal(
			"/org/freedesktop/Notifications", NAME, dismiss ? "NotificationClosed" : "ActionInvoked");
		if (dismiss)
			dbus_message_append_args(
				s, DBUS_TYPE_UINT32, &id, DBUS_TYPE_UINT32, &reason, DBUS_TYPE_INVALID);
		else
			dbus_message_append_args(
				s, DBUS_TYPE_UINT32, &id, DBUS_TYPE_STRING, &actions[i], DBUS_TYPE_INVALID);
		dbus_connection_send(c, s, NULL);
		dbus_message_unref(s);
	}
}

static void notify(DBusConnection *c, DBusMessage *m)
{
	static dbus_uint32_t last;
	const char *app, *icon, *summary, *body;
	dbus_uint32_t replaces, id = ++last;
	if (!dbus_message_get_args(m, NULL, DBUS_TYPE_STRING, &app, DBUS_TYPE_UINT32, &replaces, DBUS_TYPE_STRING,
		    &icon, DBUS_TYPE_STRING, &summary, DBUS_TYPE_STRING, &body, DBUS_TYPE_INVALID) ||
		!dbus_message_has_signature(m, "susssasa{sv}i"))
		_exit(3);
	DBusMessage *r = dbus_message_new_method_return(m);
	dbus_message_append_args(r, DBUS_TYPE_UINT32, &id, DBUS_TYPE_INVALID);
	dbus_connection_send(c, r, NULL);
	dbus_message_unref(r);
	act(c, body, id);
}

static void serve(int ready)
{
	DBusConnection *c = dbus_bus_get(DBUS_BUS_SESSION, NULL);
	if (!c || dbus_bus_request_name(c, NAME, 0, NULL) != DBUS_REQUEST_NAME_REPLY_PRIMARY_OWNER)
		_exit(2);
	(void)!write(ready, "r", 1);
	while (dbus_connection_read_write(c, -1)) {
		DBusMessage *m;
		while ((m = dbus_connection_pop_message(c))) {
			if (dbus_message_is_method_call(m, NAME, "GetCapabilities"))
				reply_capabilities(c, m);
			else if (dbus_message_is_method_call(m, NAME, "Notify"))
				notify(c, m);
			dbus_message_unref(m);
		}
	}
	_exit(0);
}

/* ---- the test ------------------------------------------------------------ */

static int start_bus(void **state)
{
	(void)state;
	int p[2];
	char address[512] = "";
	assert_int_equal(pipe(p), 0);
	bus = fork();
	if (bus == 0) {
		dup2(p[1], 3);
		execlp("dbus-daemon", "dbus-daemon", "--session", "--nofork", "--nosyslog", "--print-address=3", NULL);
		_exit(127);
	}
	close(p[1]);
	for (size_t n = 0; n < sizeof address - 1 && !strchr(address, '\n');) {
		ssize_t got = read(p[0], address + n, sizeof address - 1 - n);
		if (got <= 0)
			fail_msg("dbus-daemon did not start");
		n += (size_t)got;
	}
	close(p[0]);
	address[strcspn(address, "\n")] = '\0';
	return setenv("DBUS_SESSION_BUS_ADDRESS", address, 1);
}

static void start_server(struct test *t)
{
	int p[2];
	char c;
	assert_int_equal(pipe(p), 0);
	t->server = fork();
	if (t->server == 0)
		serve(p[1]);
	close(p[1]);
	assert_int_equal(read(p[0], &c, 1), 1);
	close(p[0]);
}

static int setup(void **state)
{
	struct test *t = xcalloc(1, sizeof *t);
	void *f = NULL;
	fixture_setup(&f);
	t->f = f;
	compile(t->f);
	unsetenv("NONO_ASK");
	t->cfg = (struct approve_config){.policy = t->f->policy, .session_id = "n", .on_request = ON_REQUEST_ASK};
	*state = t;
	return 0;
}

static void end(pid_t pid)
{
	if (pid <= 0)
		return;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static int teardown(void **state)
{
	struct test *t = *state;
	void *f = t->f;
	approve_stop(t->a);
	end(t->server);
	fixture_teardown(&f);
	free(t);
	return 0;
}

static int stop_bus(void **state)
{
	(void)state;
	end(bus);
	return 0;
}

static void on_done(void *data, enum answer answer)
{
	atomic_store((atomic_int *)data, (int)answer);
}

/* The answer to reading @name, -1 when there is none within @ms. */
static int answer_to(struct test *t, const char *name, bool protected_object, int ms)
{
	static atomic_int told;
	cleanup_free char *path = in_home(t->f, name);
	struct question q = {
		.op = OP_READ, .object = path, .asked = name, .program = "cat", .protected_object = protected_object};
	atomic_store(&told, -1);
	uint64_t ticket = approve_submit(t->a, &q, on_done, &told);
	for (int i = 0; i < ms && atomic_load(&told) < 0; i++)
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	if (atomic_load(&told) < 0)
		approve_cancel(t->a, ticket);
	return atomic_load(&told);
}

static void buttons_answer(void **state)
{
	struct test *t = *state;
	start_server(t);
	assert_int_equal(approve_start(&t->a, &t->cfg, NULL), 0);
	assert_true(approve_possible(t->a));
	assert_int_equal(answer_to(t, "please-once", false, 5000), ANSWER_ONCE);
	assert_int_equal(answer_to(t, "please-session", false, 5000), ANSWER_SESSION);
	assert_verdict(t->f, OP_READ, "please-session", VERDICT_ALLOW, false);
	assert_int_equal(answer_to(t, "please-no", false, 5000), ANSWER_NO);
	assert_int_equal(answer_to(t, "please-dismiss", false, 5000), ANSWER_NO);
	/* an action that was not offered */
	assert_int_equal(answer_to(t, "please-always", false, 5000), ANSWER_NO);
	assert_int_equal(answer_to(t, "ignored", false, 300), -1);
}

static void hostile_names_reach_the_bus_as_valid_text(void **state)
{
	struct test *t = *state;
	start_server(t);
	assert_int_equal(approve_start(&t->a, &t->cfg, NULL), 0);
	assert_int_equal(answer_to(t, "please-once\xff\xfe<b>\x1b[2J", false, 5000), ANSWER_ONCE);
	/* cut in the middle of a character */
	cleanup_buf struct buf b = {0};
	buf_adds(&b, "please-once");
	for (int i = 0; i < 60; i++)
		buf_adds(&b, "\xf0\x9f\x94\x92/\xe2\x82\xac");
	assert_int_equal(answer_to(t, b.data, false, 5000), ANSWER_ONCE);
}

/* Somebody else on the bus cannot answer: the server never saw this name's please. */
static void signals_of_others_answer_nothing(void **state)
{
	struct test *t = *state;
	start_server(t);
	assert_int_equal(approve_start(&t->a, &t->cfg, NULL), 0);
	pid_t forger = fork();
	if (forger == 0) {
		DBusConnection *c = dbus_bus_get_private(DBUS_BUS_SESSION, NULL);
		for (int i = 0; c && i < 1000; i++) {
			for (dbus_uint32_t id = 0; id < 8; id++)
				act(c, "please-session", id);
			dbus_connection_flush(c);
			nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
		}
		_exit(0);
	}
	int answer = answer_to(t, "quiet", false, 500);
	end(forger);
	assert_int_equal(answer, -1);
}

static void without_a_server_the_answer_is_no(void **state)
{
	struct test *t = *state;
	assert_int_equal(approve_start(&t->a, &t->cfg, NULL), 0);
	assert_int_equal(answer_to(t, "file", false, 5000), ANSWER_NO);
	assert_false(approve_possible(t->a));
}

static void a_bus_that_dies_refuses_what_is_open(void **state)
{
	struct test *t = *state;
	start_server(t);
	assert_int_equal(approve_start(&t->a, &t->cfg, NULL), 0);
	assert_int_equal(answer_to(t, "please-once", false, 5000), ANSWER_ONCE);
	pid_t killer = fork();
	if (killer == 0) {
		nanosleep(&(struct timespec){.tv_nsec = 200000000}, NULL);
		kill(bus, SIGKILL);
		_exit(0);
	}
	assert_int_equal(answer_to(t, "ignored", false, 5000), ANSWER_NO);
	waitpid(killer, NULL, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(buttons_answer),
		TEST(hostile_names_reach_the_bus_as_valid_text),
		TEST(signals_of_others_answer_nothing),
		TEST(without_a_server_the_answer_is_no),
		TEST(a_bus_that_dies_refuses_what_is_open),
	};
	return cmocka_run_group_tests(tests, start_bus, stop_bus);
}
