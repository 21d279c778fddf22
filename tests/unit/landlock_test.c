/* SPDX-License-Identifier: Apache-2.0 */
/* landlock_test.c - what a process inside the domain can and cannot do, for every ABI version this kernel can play. */
#include "policy_fixture.h"
#include "sandbox/landlock.h"

#include <arpa/inet.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

/* Run @fn inside the domain of the fixture's policy; its return value, at most 255. */
static int inside(const struct fixture *f, const struct landlock_options *o, int (*fn)(const struct fixture *, void *),
	void *data)
{
	cleanup_err struct err *e = NULL;
	cleanup_fd int ruleset = landlock_prepare(f->policy, o, &e);
	if (ruleset < 0)
		fail_msg("landlock_prepare: %s", err_msg(e));
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		if (landlock_enter(ruleset, !o->broker_files) < 0)
			_exit(255);
		_exit(fn(f, data));
	}
	int status;
	waitpid(pid, &status, 0);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static const struct landlock_options brokered = {.broker_files = true, .broker_sockets = true};
static const struct landlock_options kernel_only = {0};

static int open_errno(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0666);
	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

static int probe_files(const struct fixture *f, void *data)
{
	(void)data;
	cleanup_free char *in = in_home(f, "proj/x"), *new = in_home(f, "proj/new"), *out = in_home(f, "out");
	if (open_errno(in, O_RDWR) || open_errno(new, O_WRONLY | O_CREAT))
		return 1;
	if (open_errno(out, O_RDONLY) != EACCES || open_errno(out, O_WRONLY) != EACCES)
		return 2;
	if (truncate(out, 0) == 0 && landlock_abi() >= 3)
		return 3;
	return 0;
}

static void every_abi_version_enforces_files(void **state)
{
	struct fixture *f = *state;
	make(f, "proj/x");
	make(f, "out");
	add(f, &f->profile->fs.allow, "proj", SOURCE_USER);
	compile(f);
	int newest = landlock_abi();
	for (int abi = 1; abi <= newest; abi++) {
		landlock_limit_abi(abi);
		assert_int_equal(inside(f, &brokered, probe_files, NULL), 0);
		assert_int_equal(inside(f, &kernel_only, probe_files, NULL), 0);
		struct strv missing = landlock_missing();
		assert_true(missing.n <= 8);
		strv_free(&missing);
	}
	landlock_limit_abi(-1);
}

static void a_kernel_without_landlock_is_a_clear_error(void **state)
{
	struct fixture *f = *state;
	compile(f);
	landlock_limit_abi(0);
	cleanup_err struct err *e = NULL;
	assert_int_equal(landlock_prepare(f->policy, &brokered, &e), -1);
	assert_non_null(strstr(err_msg(e), "no Landlock"));
	landlock_limit_abi(-1);
}

static void signals_to_the_same_sandbox_only_need_a_kernel_that_can(void **state)
{
	struct fixture *f = *state;
	f->profile->security.signal_mode = SCOPE_SAME_SANDBOX;
	compile(f);
	landlock_limit_abi(5);
	cleanup_err struct err *e = NULL;
	assert_int_equal(landlock_prepare(f->policy, &brokered, &e), -1);
	assert_non_null(strstr(err_msg(e), "allow_same_sandbox"));
	landlock_limit_abi(-1);
}

static int probe_devices(const struct fixture *f, void *data)
{
	(void)f;
	(void)data;
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC);
	return fd < 0 && errno == EACCES ? 1 : open_errno("/dev/null", O_RDWR);
}

static void device_files_can_be_granted(void **state)
{
	struct fixture *f = *state;
	add(f, &f->profile->fs.allow_file, "/dev/null", SOURCE_USER);
	add(f, &f->profile->fs.allow_file, "/dev/tty", SOURCE_USER);
	compile(f);
	assert_int_equal(inside(f, &brokered, probe_devices, NULL), 0);
}

static int probe_terminal(const struct fixture *f, void *data)
{
	(void)f;
	return open_errno(data, O_RDWR | O_NOCTTY);
}

static void terminals_are_the_brokers_where_there_is_one(void **state)
{
	struct fixture *f = *state;
	cleanup_fd int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(master >= 0);
	assert_int_equal(unlockpt(master), 0);
	char name[64];
	assert_int_equal(ptsname_r(master, name, sizeof(name)), 0);
	add(f, &f->profile->fs.allow, "/dev/pts", SOURCE_USER);
	compile(f);
	assert_int_equal(inside(f, &brokered, probe_terminal, name), EACCES);
	assert_int_equal(inside(f, &kernel_only, probe_terminal, name), 0);
}

static int probe_signal(const struct fixture *f, void *data)
{
	(void)f;
	(void)data;
	return kill(getppid(), 0) < 0 ? errno : 0;
}

static void signals_stay_inside(void **state)
{
	struct fixture *f = *state;
	compile(f);
	assert_int_equal(inside(f, &brokered, probe_signal, NULL), landlock_abi() >= 6 ? EPERM : 0);
	f->profile->security.signal_mode = SCOPE_ALL;
	compile(f);
	assert_int_equal(inside(f, &brokered, probe_signal, NULL), 0);
}

/* ---- sockets ------------------------------------------------------------- */

static int listen_loopback(unsigned short *port)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, len), 0);
	assert_int_equal(listen(fd, 5), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	*port = ntohs(a.sin_port);
	return fd;
}

static int probe_connect(const struct fixture *f, void *data)
{
	(void)f;
	const unsigned short *port = data;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in a = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(*port)};
	int r = connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0 ? errno : 0;
	close(fd);
	return r;
}

static void tcp_belongs_to_the_broker_or_to_the_port_lists(void **state)
{
	if (landlock_abi() < 4)
		return;
	struct fixture *f = *state;
	unsigned short port;
	cleanup_fd int server = listen_loopback(&port);
	assert_true(server >= 0);
	compile(f);
	assert_int_equal(inside(f, &brokered, probe_connect, &port), EACCES);
	assert_int_equal(inside(f, &kernel_only, probe_connect, &port), 0);
	f->profile->network.block = TRI_TRUE;
	compile(f);
	assert_int_equal(inside(f, &kernel_only, probe_connect, &port), EACCES);
	struct origin o = {.source = SOURCE_USER, .label = (char *)"--allow-connect-port"};
	cleanup_free char *text = xasprintf("%u", port);
	items_add(&f->profile->network.connect_port, text, &o);
	compile(f);
	assert_int_equal(inside(f, &kernel_only, probe_connect, &port), 0);
	assert_int_equal(inside(f, &brokered, probe_connect, &port), EACCES);
}

static int probe_abstract(const struct fixture *f, void *data)
{
	(void)f;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const struct sockaddr_un *a = data;
	return connect(fd, (const struct sockaddr *)a, sizeof(*a)) < 0 ? errno : 0;
}

static void abstract_sockets_outside_are_closed(void **state)
{
	if (landlock_abi() < 6)
		return;
	struct fixture *f = *state;
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	snprintf(a.sun_path + 1, sizeof(a.sun_path) - 1, "nono-test-%d", getpid());
	cleanup_fd int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(server, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(server, 5), 0);
	compile(f);
	assert_int_equal(inside(f, &brokered, probe_abstract, &a), EPERM);
	f->profile->security.ipc_mode = IPC_FULL;
	compile(f);
	assert_int_equal(inside(f, &brokered, probe_abstract, &a), 0);
}

static int probe_proc(const struct fixture *f, void *data)
{
	(void)f;
	(void)data;
	char parent[64];
	snprintf(parent, sizeof(parent), "/proc/%d/status", getppid());
	return open_errno("/proc/self/status", O_RDONLY) * 2 + (open_errno(parent, O_RDONLY) != EACCES);
}

static void without_a_broker_a_process_reads_its_own_proc_entry(void **state)
{
	struct fixture *f = *state;
	compile(f);
	assert_int_equal(inside(f, &kernel_only, probe_proc, NULL), 0);
	assert_int_equal(inside(f, &brokered, probe_proc, NULL), EACCES * 2);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(every_abi_version_enforces_files),
		TEST(a_kernel_without_landlock_is_a_clear_error),
		TEST(signals_to_the_same_sandbox_only_need_a_kernel_that_can),
		TEST(device_files_can_be_granted),
		TEST(terminals_are_the_brokers_where_there_is_one),
		TEST(signals_stay_inside),
		TEST(tcp_belongs_to_the_broker_or_to_the_port_lists),
		TEST(abstract_sockets_outside_are_closed),
		TEST(without_a_broker_a_process_reads_its_own_proc_entry),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
