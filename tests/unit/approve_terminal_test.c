/* SPDX-License-Identifier: Apache-2.0 */
/*
 * approve_terminal_test.c - the session's own terminal is taken over and given back.
 *
 * The test is the terminal: it holds the master of a pseudo-terminal. On the
 * slave a stand-in for the broker asks, while a program in a process group of
 * its own has the foreground and reads raw keys.
 */
#include "policy_fixture.h"

#include "approve/approve.h"

#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>

struct side {
	struct fixture *f;
	int master;
	pid_t broker;
	int commands;     /* to the broker: one letter each */
	int reports;      /* from the broker and the program: lines */
	struct buf lines; /* reports not yet expected */
	struct buf seen;  /* what was drawn since the last command */
	bool alternate;   /* answer queries as a terminal on the alternate screen does */
};

static int64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- on the slave side --------------------------------------------------- */

static int report_fd;
static pid_t program;

static void report_line(const char *fmt, ...) PRINTF_LIKE(1, 2);
static void report_line(const char *fmt, ...)
{
	char line[256];
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	(void)!write(report_fd, line, (size_t)n);
}

static void on_winch(int sig)
{
	(void)sig;
	(void)!write(report_fd, "winch\n", 6);
}

static atomic_bool lose_at_read;

/* In place of libc's, to lose the terminal in the one moment in which nothing can be done about it. */
ssize_t read(int fd, void *buf, size_t n)
{
	if (atomic_load(&lose_at_read) && isatty(fd) && atomic_exchange(&lose_at_read, false))
		tcsetpgrp(fd, getsid(0));
	return syscall(SYS_read, fd, buf, n);
}

/* Raw keys in, "key X" out, as a full-screen program does. */
static void run_program(void)
{
	struct termios raw;
	char c;
	signal(SIGWINCH, on_winch);
	tcgetattr(0, &raw);
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	raw.c_cc[VEOL] = 'z'; /* a mode nobody sets by accident */
	tcsetattr(0, TCSANOW, &raw);
	report_line("ready\n");
	for (;;) {
		ssize_t n = read(0, &c, 1);
		if (n == 1)
			report_line("key %c\n", c);
		else if (n == 0 || errno != EINTR)
			_exit(0);
	}
}

static bool freeze(void *data, bool stop)
{
	(void)data;
	siginfo_t si;
	kill(-program, stop ? SIGSTOP : SIGCONT);
	if (stop) /* what it reports comes before "stopped" */
		waitid(P_PID, (id_t)program, &si, WSTOPPED);
	report_line(stop ? "stopped\n" : "continued\n");
	return stop;
}

static void told(void *data, enum answer answer)
{
	report_line("%s %s\n", (const char *)data, answer_name(answer));
}

static void submit(struct approve *a, struct fixture *f, const char *name)
{
	cleanup_free char *path = in_home(f, name);
	struct question q = {.op = OP_READ, .object = path, .asked = name, .program = "cat", .parent = "sh"};
	approve_submit(a, &q, told, (char *)name);
}

static void run_broker(struct fixture *f, int commands)
{
	struct approve_config cfg = {.policy = f->policy,
		.session_id = "t",
		.on_request = ON_REQUEST_ASK,
		.terminal = true,
		.freeze = freeze};
	struct approve *a = NULL;
	char c;
	unsetenv("TMUX");
	unsetenv("NONO_ASK");
	setenv("NO_COLOR", "1", 1);
	signal(SIGTTOU, SIG_IGN);
	program = fork();
	if (program == 0) {
		setpgid(0, 0);
		tcsetpgrp(0, getpid());
		signal(SIGTTOU, SIG_DFL);
		run_program();
	}
	setpgid(program, program);
	tcsetpgrp(0, program);
	cfg.tree_root = program;
	if (approve_start(&a, &cfg, NULL) < 0)
		_exit(1);
	while (read(commands, &c, 1) == 1) {
		if (c == '1')
			submit(a, f, "first");
		else if (c == '2')
			submit(a, f, "second");
		else if (c == 'b') /* another job takes the foreground, as a shell would give it */
			tcsetpgrp(0, getppid() > 1 ? getsid(0) : 0);
		else if (c == 'f')
			tcsetpgrp(0, program);
		else if (c == 'l') { /* the same when the next key is read */
			atomic_store(&lose_at_read, true);
			report_line("armed\n");
		} else if (c == 'q')
			break;
	}
	approve_stop(a);
	report_line("foreground %s\n", tcgetpgrp(0) == program ? "program" : "other");
	kill(program, SIGKILL);
	_exit(0);
}

/* ---- the terminal -------------------------------------------------------- */

static void answer_queries(struct side *s, const char *text)
{
	if (!strstr(text, "\x1b[c"))
		return;
	const char *reply = s->alternate ? "\x1b[?1049;1$y\x1b[?62;22c" : "\x1b[?1049;2$y\x1b[?62;22c";
	(void)!write(s->master, reply, strlen(reply));
}

/* Take @want, and what came before it, out of the reports. */
static bool take_line(struct side *s, const char *want)
{
	char *at = s->lines.data ? strstr(s->lines.data, want) : NULL;
	if (!at)
		return false;
	char *rest = xstrdup(at + strlen(want));
	buf_free(&s->lines);
	buf_adds(&s->lines, rest);
	free(rest);
	return true;
}

/* Let the screen and the reports flow for @ms or until @want is reported or drawn. */
static bool flow(struct side *s, const char *want, int ms)
{
	for (int64_t until = now_ms() + ms, left; (left = until - now_ms()) > 0;) {
		struct pollfd p[2] = {{.fd = s->master, .events = POLLIN}, {.fd = s->reports, .events = POLLIN}};
		char chunk[4097];
		if (want && (take_line(s, want) || (s->seen.data && strstr(s->seen.data, want))))
			return true;
		if (poll(p, 2, (int)left) <= 0)
			continue;
		if (p[0].revents & POLLIN) {
			ssize_t n = read(s->master, chunk, sizeof chunk - 1);
			chunk[n > 0 ? n : 0] = '\0';
			buf_adds(&s->seen, chunk);
			answer_queries(s, chunk);
		}
		if (p[1].revents & POLLIN) {
			ssize_t n = read(s->reports, chunk, sizeof chunk - 1);
			buf_add(&s->lines, chunk, n > 0 ? (size_t)n : 0);
		}
	}
	return false;
}

static void expect(struct side *s, const char *want)
{
	if (!flow(s, want, 60000))
		fail_msg("\"%s\" did not come; reports: %s; screen: %s", want, s->lines.data ? s->lines.data : "",
			s->seen.data ? s->seen.data : "");
}

/* Everything that is reported within @ms. New string. */
static char *reports_within(struct side *s, int ms)
{
	flow(s, NULL, ms);
	return buf_steal(&s->lines);
}

static void assert_same_modes(const struct termios *a, const struct termios *b)
{
	assert_int_equal(a->c_iflag, b->c_iflag);
	assert_int_equal(a->c_oflag, b->c_oflag);
	assert_int_equal(a->c_cflag, b->c_cflag);
	assert_int_equal(a->c_lflag, b->c_lflag);
	assert_memory_equal(a->c_cc, b->c_cc, NCCS);
}

static void command(struct side *s, char c)
{
	buf_free(&s->seen); /* what was drawn before does not count */
	assert_int_equal(write(s->commands, &c, 1), 1);
}

static void type(struct side *s, const char *keys)
{
	assert_int_equal(write(s->master, keys, strlen(keys)), strlen(keys));
}

static int setup(void **state)
{
	struct side *s = xcalloc(1, sizeof *s);
	void *f = NULL;
	int commands[2], reports[2];
	struct winsize ws = {.ws_row = 24, .ws_col = 80};
	fixture_setup(&f);
	s->f = f;
	compile(s->f);
	assert_int_equal(pipe2(commands, O_CLOEXEC), 0);
	assert_int_equal(pipe2(reports, O_CLOEXEC), 0);
	report_fd = reports[1];
	s->broker = forkpty(&s->master, NULL, NULL, &ws);
	assert_true(s->broker >= 0);
	if (s->broker == 0) {
		close(commands[1]);
		/* a session leader that is not the broker, as a login shell is */
		pid_t pid = fork();
		if (pid == 0) {
			setpgid(0, 0);
			run_broker(s->f, commands[0]);
		}
		setpgid(pid, pid);
		close(commands[0]);
		waitpid(pid, NULL, 0);
		_exit(0);
	}
	close(commands[0]);
	close(reports[1]);
	s->commands = commands[1];
	s->reports = reports[0];
	*state = s;
	expect(s, "ready");
	return 0;
}

static int teardown(void **state)
{
	struct side *s = *state;
	void *f = s->f;
	close(s->commands);
	close(s->master);
	kill(s->broker, SIGKILL);
	waitpid(s->broker, NULL, 0);
	close(s->reports);
	buf_free(&s->seen);
	buf_free(&s->lines);
	fixture_teardown(&f);
	free(s);
	return 0;
}

static void yes_for_the_session_and_the_program_has_its_terminal_again(void **state)
{
	struct side *s = *state;
	struct termios before, after;
	assert_int_equal(tcgetattr(s->master, &before), 0);
	command(s, '1');
	expect(s, "stopped");
	expect(s, "this session");
	assert_non_null(strstr(s->seen.data, "\x1b[?1049h"));
	assert_non_null(strstr(s->seen.data, "/first"));
	flow(s, NULL, 700);
	type(s, "s");
	expect(s, "first session");
	expect(s, "\x1b[?1049l");
	expect(s, "winch");
	assert_int_equal(tcgetattr(s->master, &after), 0);
	assert_same_modes(&before, &after);
	type(s, "k");
	expect(s, "key k");
	command(s, 'q');
	expect(s, "foreground program");
}

static void keys_typed_to_the_program_answer_nothing(void **state)
{
	struct side *s = *state;
	type(s, "abc"); /* some of it is read by the program, the rest waits in the queue */
	command(s, '1');
	type(s, "abc");
	expect(s, "stopped");
	type(s, "yyyy");
	expect(s, "this session");
	type(s, "yyyy"); /* within the guard: nobody can have read the question */
	cleanup_free char *lines = reports_within(s, 700);
	assert_null(strstr(lines, "first"));
	assert_null(strstr(lines, "key y"));
	type(s, "n");
	expect(s, "first no");
	cleanup_free char *later = reports_within(s, 300);
	assert_null(strstr(later, "key y")); /* nor do they reach the program afterwards */
}

static void a_burst_is_one_screen_and_keys_do_not_carry_over(void **state)
{
	struct side *s = *state;
	command(s, '1');
	assert_int_equal(write(s->commands, "2", 1), 1);
	expect(s, "2 questions");
	flow(s, NULL, 700);
	type(s, "yy");
	expect(s, "first once");
	cleanup_free char *lines = reports_within(s, 400);
	assert_null(strstr(lines, "second"));
	assert_null(strstr(lines, "continued"));
	type(s, "\x1b"); /* a lone Escape is no */
	expect(s, "second no");
}

static void a_program_on_the_alternate_screen_stays_there_and_redraws(void **state)
{
	struct side *s = *state;
	s->alternate = true;
	command(s, '1');
	expect(s, "this session");
	assert_null(strstr(s->seen.data, "\x1b[?1049h"));
	flow(s, NULL, 700);
	type(s, "y");
	expect(s, "first once");
	cleanup_free char *lines = reports_within(s, 400);
	assert_null(strstr(s->seen.data, "\x1b[?1049l"));
	assert_non_null(strstr(lines, "winch"));
	struct winsize ws;
	assert_int_equal(ioctl(s->master, TIOCGWINSZ, &ws), 0);
	assert_int_equal(ws.ws_row, 24);
}

static void a_session_in_the_background_does_not_take_the_terminal(void **state)
{
	struct side *s = *state;
	command(s, 'b');
	flow(s, NULL, 200);
	command(s, '1');
	cleanup_free char *lines = reports_within(s, 900);
	assert_null(strstr(lines, "stopped"));
	assert_int_equal(s->seen.len, 0);
	command(s, 'f');
	expect(s, "stopped");
	expect(s, "this session");
	flow(s, NULL, 700);
	type(s, "y");
	expect(s, "first once");
}

/* A shell took the terminal while the question showed: it is left alone, and asked on again in the foreground. */
static void a_question_outlives_the_loss_of_the_terminal(void **state)
{
	struct side *s = *state;
	struct termios before, after;
	assert_int_equal(tcgetattr(s->master, &before), 0);
	command(s, '1');
	expect(s, "stopped");
	expect(s, "this session");
	command(s, 'b');
	type(s, "x"); /* to the shell */
	expect(s, "continued");
	cleanup_free char *lines = reports_within(s, 900);
	assert_null(strstr(lines, "first"));
	assert_null(strstr(lines, "stopped"));
	tcflush(s->master, TCOFLUSH);
	command(s, 'f');
	expect(s, "stopped");
	expect(s, "this session");
	flow(s, NULL, 700);
	type(s, "y");
	expect(s, "first once");
	expect(s, "continued");
	flow(s, NULL, 100);
	assert_int_equal(tcgetattr(s->master, &after), 0);
	assert_same_modes(&before, &after);
}

static void a_question_outlives_a_loss_just_as_a_key_is_read(void **state)
{
	struct side *s = *state;
	command(s, '1');
	expect(s, "stopped");
	expect(s, "this session");
	flow(s, NULL, 700);
	command(s, 'l');
	expect(s, "armed");
	type(s, "x");
	expect(s, "continued");
	cleanup_free char *lines = reports_within(s, 900);
	assert_null(strstr(lines, "first"));
	command(s, 'f');
	expect(s, "stopped");
	expect(s, "this session");
	flow(s, NULL, 700);
	type(s, "y");
	expect(s, "first once");
}

static void nobody_is_waited_for_when_the_terminal_is_gone(void **state)
{
	struct side *s = *state;
	command(s, 'b');
	flow(s, NULL, 200);
	command(s, '1');
	flow(s, NULL, 900);
	close(s->master);
	s->master = -1;
	expect(s, "first no");
	command(s, '2');
	expect(s, "second no");
}

static void the_end_of_the_session_gives_the_terminal_back(void **state)
{
	struct side *s = *state;
	struct termios before, after;
	assert_int_equal(tcgetattr(s->master, &before), 0);
	command(s, '1');
	expect(s, "this session");
	assert_int_equal(write(s->commands, "q", 1), 1);
	expect(s, "first no");
	expect(s, "foreground program");
	assert_int_equal(tcgetattr(s->master, &after), 0);
	assert_same_modes(&before, &after);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(yes_for_the_session_and_the_program_has_its_terminal_again),
		TEST(keys_typed_to_the_program_answer_nothing),
		TEST(a_burst_is_one_screen_and_keys_do_not_carry_over),
		TEST(a_program_on_the_alternate_screen_stays_there_and_redraws),
		TEST(a_session_in_the_background_does_not_take_the_terminal),
		TEST(a_question_outlives_the_loss_of_the_terminal),
		TEST(a_question_outlives_a_loss_just_as_a_key_is_read),
		TEST(nobody_is_waited_for_when_the_terminal_is_gone),
		TEST(the_end_of_the_session_gives_the_terminal_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
