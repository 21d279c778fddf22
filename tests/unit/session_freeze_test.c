/* SPDX-License-Identifier: Apache-2.0 */
/* session_freeze_test.c - the tree is stopped and let go on without anything being lost. */
#include "session/internal.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include <cmocka.h>

#define FREEZES 1000

static atomic_ulong *handled;
static atomic_bool stop;

static void count(int sig)
{
	(void)sig;
	atomic_fetch_add(handled, 1);
}

/* A filter makes it part of the tree. */
static int add_filter(void)
{
	struct sock_filter allow[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
	const struct sock_fprog program = {.len = ARRAY_SIZE(allow), .filter = allow};
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

/* A child that counts @sig and then goes on with @work, for ever. */
static pid_t start_child(int sig, void (*work)(void))
{
	const struct timespec moment = {.tv_nsec = 1000000};
	atomic_store(handled, 0);
	pid_t pid = fork();
	if (pid == 0) {
		const struct sigaction sa = {.sa_handler = count};
		if (sigaction(sig, &sa, NULL) || add_filter())
			_exit(1);
		atomic_fetch_add(handled, 1); /* ready */
		for (;;)
			work();
	}
	while (atomic_load(handled) == 0)
		nanosleep(&moment, NULL);
	return pid;
}

static void freeze_often(pid_t pid)
{
	const struct timespec moment = {.tv_nsec = 1000000};
	for (int i = 0; i < FREEZES; i++) {
		tree_freeze(true);
		assert_int_equal(tree_thread_state(pid), 't');
		while (tree_freeze(false))
			nanosleep(&moment, NULL);
	}
}

static void end_child(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void wait_for_signals(void)
{
	sigset_t none;
	sigemptyset(&none);
	sigsuspend(&none);
}

/* Signals that are queued, not merged: each that was sent has to arrive. */
static void *send_signals(void *data)
{
	static unsigned long sent;
	const pid_t *pid = data;
	while (!atomic_load(&stop))
		sent += sigqueue(*pid, SIGRTMIN, (union sigval){0}) == 0;
	return &sent;
}

static void no_signal_is_lost(void **state)
{
	(void)state;
	const struct timespec moment = {.tv_nsec = 1000000};
	pid_t pid = start_child(SIGRTMIN, wait_for_signals);
	pthread_t t;
	assert_int_equal(pthread_create(&t, NULL, send_signals, &pid), 0);
	freeze_often(pid);
	atomic_store(&stop, true);
	void *sent;
	pthread_join(t, &sent);
	const unsigned long want = *(unsigned long *)sent + 1;
	for (int i = 0; i < 5000 && atomic_load(handled) < want; i++)
		nanosleep(&moment, NULL);
	end_child(pid);
	assert_int_equal(atomic_load(handled), want);
}

static void *ends_at_once(void *unused)
{
	return unused;
}

static void make_threads(void)
{
	pthread_t t[4];
	unsigned n = 0;
	while (n < 4 && pthread_create(&t[n], NULL, ends_at_once, NULL) == 0)
		n++;
	while (n)
		pthread_join(t[--n], NULL);
}

/* Whoever is stopped by a signal hears SIGCONT. */
static void threads_that_end_meanwhile_need_no_signal(void **state)
{
	(void)state;
	pid_t pid = start_child(SIGCONT, make_threads);
	freeze_often(pid);
	end_child(pid);
	assert_int_equal(atomic_load(handled), 1);
}

static int share_counter(void **state)
{
	(void)state;
	handled = mmap(NULL, sizeof(*handled), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return handled == MAP_FAILED;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_signal_is_lost), cmocka_unit_test(threads_that_end_meanwhile_need_no_signal)};
	return cmocka_run_group_tests(tests, share_counter, NULL);
}
