/* SPDX-License-Identifier: Apache-2.0 */
/*
 * probe_ways.c - ways around: descriptors without rights, descriptors from outside, the lane's value on
 * every call, the broker and its front ends. What works although it must not is printed.
 */
#include "probe.h"

#include "../../proto/lane.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <sys/xattr.h>

extern char **environ;
static int worked;

/* Report a call that must fail. */
static void must_fail(const char *what, long rc)
{
	if (rc < 0)
		return;
	printf("worked: %s\n", what);
	worked = 1;
}

/* The end of a subcommand: said, so that its absence is seen. */
static int tried(void)
{
	printf("tried\n");
	return worked;
}

/* An open that must fail, or at least not lead to the canary. */
static void must_not_read(const char *what, int fd)
{
	char text[64] = "";
	if (fd < 0)
		return;
	ssize_t n = read(fd, text, sizeof(text) - 1);
	if (n > 0 && strstr(text, "CANARY")) {
		printf("worked: %s\n", what);
		worked = 1;
	}
	close(fd);
}

static void run_must_fail(const char *what, int fd, const char *path, int flags)
{
	pid_t child = fork();
	if (child == 0) {
		char *const argv[] = {(char *)"x", NULL};
		syscall(SYS_execveat, fd, path, argv, environ, flags);
		_exit(77);
	}
	int status = 0;
	waitpid(child, &status, 0);
	must_fail(what, WIFEXITED(status) && WEXITSTATUS(status) == 77 ? -1 : 0);
}

/* Everything that may be tried with a descriptor that gives no right, or a lesser one. */
static void misuse(int fd, bool readable)
{
	const struct {
		const char *before;
		int number;
		const char *after;
	} forms[] = {{"/proc/self/fd/", fd, ""}, {"/dev/fd/", fd, ""}, {"/proc/thread-self/fd/", fd, ""},
		{"/proc/", getpid(), "/fd/"}, {"/proc/self/task/", gettid(), "/fd/"},
		{"/proc/self/root/proc/self/fd/", fd, ""}};
	const struct timespec times[2] = {{1, 0}, {1, 0}};
	char link[PATH_MAX] = "";
	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		(void)snprintf(link, sizeof(link), "%s%d%s", forms[i].before, forms[i].number, forms[i].after);
		if (*forms[i].after)
			(void)snprintf(link + strlen(link), sizeof(link) - strlen(link), "%d", fd);
		if (!readable)
			must_not_read(link, open(link, O_RDONLY));
		must_fail("write through a link", open(link, O_WRONLY));
		must_fail("read and write through a link", open(link, O_RDWR));
		must_fail("truncate through a link", truncate(link, 0));
		must_fail("open with O_TRUNC", open(link, O_RDONLY | O_TRUNC));
		must_fail("chmod through a link", chmod(link, 0777));
		must_fail("chown through a link", chown(link, getuid(), getgid()));
		must_fail("times through a link", utimensat(AT_FDCWD, link, times, 0));
		must_fail("attribute through a link", setxattr(link, "user.x", "x", 1, 0));
		must_fail("link through a link", linkat(AT_FDCWD, link, AT_FDCWD, "stolen", AT_SYMLINK_FOLLOW));
		run_must_fail("run through a link", AT_FDCWD, link, 0);
	}
	must_fail("link of the descriptor", linkat(fd, "", AT_FDCWD, "stolen", AT_EMPTY_PATH));
	must_fail("fchmod", fchmod(fd, 0777));
	must_fail("fchmodat2", syscall(452, fd, "", 0777, AT_EMPTY_PATH));
	must_fail("fchown", fchown(fd, getuid(), getgid()));
	must_fail("fchownat", fchownat(fd, "", getuid(), getgid(), AT_EMPTY_PATH));
	must_fail("futimens", futimens(fd, times));
	must_fail("utimensat", utimensat(fd, "", times, AT_EMPTY_PATH));
	must_fail("fsetxattr", fsetxattr(fd, "user.x", "x", 1, 0));
	must_fail("ftruncate", ftruncate(fd, 0));
	run_must_fail("run the descriptor", fd, "", AT_EMPTY_PATH);
}

/* PATH: reopening what was only named */
static int way_opath(int argc, char **argv)
{
	int fd = argc == 1 ? open(argv[0], O_PATH) : -1;
	if (fd < 0)
		return 2;
	misuse(fd, false);
	pid_t child = fork(); /* the same descriptor, by the parent's number */
	if (child == 0) {
		char link[64];
		(void)snprintf(link, sizeof(link), "/proc/%d/fd/%d", getppid(), fd);
		must_not_read("the parent's descriptor", open(link, O_RDONLY));
		_exit(worked);
	}
	int status = 0;
	waitpid(child, &status, 0);
	worked |= status;
	return tried();
}

/* PATH NAME: everything beneath a directory that was only named */
static int way_opath_dir(int argc, char **argv)
{
	int dir = argc == 2 ? open(argv[0], O_PATH | O_DIRECTORY) : -1;
	if (dir < 0)
		return 2;
	must_not_read("openat", openat(dir, argv[1], O_RDONLY));
	must_fail("listing", openat(dir, ".", O_RDONLY));
	must_fail("make", openat(dir, "made", O_CREAT | O_WRONLY, 0600));
	must_fail("mkdirat", mkdirat(dir, "made", 0700));
	must_fail("unlinkat", unlinkat(dir, argv[1], 0));
	must_fail("renameat", renameat(dir, argv[1], AT_FDCWD, "stolen"));
	must_fail("linkat", linkat(dir, argv[1], AT_FDCWD, "stolen", 0));
	must_fail("symlinkat", symlinkat("x", dir, "made"));
	must_fail("O_TMPFILE", openat(dir, ".", O_TMPFILE | O_RDWR, 0600));
	must_fail("fchmodat", fchmodat(dir, argv[1], 0777, 0));
	if (fchdir(dir) == 0 || chdir(argv[0]) == 0)
		must_not_read("from its inside", open(argv[1], O_RDONLY));
	return tried();
}

/* ---- descriptors from outside --------------------------------------------------------- */

static int send_fds(int to, const int *fds, size_t n)
{
	union {
		char buf[CMSG_SPACE(4 * sizeof(int))];
		struct cmsghdr align;
	} control = {0};
	struct iovec io = {(char[1]){'x'}, 1};
	struct msghdr m = {.msg_iov = &io,
		.msg_iovlen = 1,
		.msg_control = control.buf,
		.msg_controllen = CMSG_SPACE(n * sizeof(int))};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(n * sizeof(int));
	memcpy(CMSG_DATA(c), fds, n * sizeof(int));
	return sendmsg(to, &m, 0) == 1 ? 0 : -1;
}

/* FILE DIR CMD...: start CMD with a socket as its input, from which it gets FILE, read and named only, and DIR */
static int way_give(int argc, char **argv)
{
	int pair[2];
	if (argc < 3 || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
		return 2;
	int fds[3] = {open(argv[0], O_RDONLY), open(argv[0], O_PATH), open(argv[1], O_RDONLY | O_DIRECTORY)};
	if (send_fds(pair[0], fds, 3) < 0)
		return 2;
	dup2(pair[1], STDIN_FILENO);
	execvp(argv[2], argv + 2);
	return 2;
}

/* NAME: what comes in over a socket opens nothing else. NAME lies in the directory. */
static int way_take(int argc, char **argv)
{
	union {
		char buf[CMSG_SPACE(4 * sizeof(int))];
		struct cmsghdr align;
	} control = {0};
	char byte;
	struct iovec io = {&byte, 1};
	struct msghdr m = {
		.msg_iov = &io, .msg_iovlen = 1, .msg_control = control.buf, .msg_controllen = sizeof(control)};
	int fds[3];
	if (argc != 1 || recvmsg(STDIN_FILENO, &m, 0) != 1 || !CMSG_FIRSTHDR(&m))
		return 2;
	memcpy(fds, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(fds));
	misuse(fds[0], true); /* what it was opened for, it may be used for */
	misuse(fds[1], false);
	must_not_read("openat", openat(fds[2], argv[0], O_RDONLY));
	must_fail("make", openat(fds[2], "made", O_CREAT | O_WRONLY, 0600));
	must_fail("unlinkat", unlinkat(fds[2], argv[0], 0));
	must_fail("renameat", renameat(fds[2], argv[0], AT_FDCWD, "stolen"));
	must_fail("fchmod", fchmod(fds[2], 0777));
	must_fail("fchmodat", fchmodat(fds[2], argv[0], 0777, 0));
	return tried();
}

/* ---- the lane's value ------------------------------------------------------------------- */

static long lane(long nr, const void *a, const void *b, const void *c, const void *d, const void *e, uint64_t value)
{
	return syscall(nr, a, b, c, d, e, value);
}
#define N(number) ((const void *)(intptr_t)(number))

/* PATH: a program that sets by itself what the shim sets gets what the kernel grants */
static int way_forged(int argc, char **argv)
{
	static const uint64_t values[] = {TRAP_LANE, TRAP_AGAIN, 0, TRAP_LANE + 1};
	static const struct timespec times[2];
	if (argc != 1)
		return 2;
	const char *p = argv[0];
	int fd = open(p, O_PATH);
	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
		uint64_t v = values[i];
#ifdef SYS_open /* newer architectures have only the calls that take a directory */
		must_not_read("open", (int)lane(SYS_open, p, N(O_RDONLY), 0, 0, 0, v));
		must_fail("creat", lane(SYS_creat, p, N(0600), 0, 0, 0, v));
		must_fail("unlink", lane(SYS_unlink, p, 0, 0, 0, 0, v));
		must_fail("rename", lane(SYS_rename, p, "stolen", 0, 0, 0, v));
		must_fail("link", lane(SYS_link, p, "stolen", 0, 0, 0, v));
		must_fail("chmod", lane(SYS_chmod, p, N(0777), 0, 0, 0, v));
		must_fail("chown", lane(SYS_chown, p, N(getuid()), N(getgid()), 0, 0, v));
#endif
		must_not_read("openat", (int)lane(SYS_openat, N(AT_FDCWD), p, N(O_RDONLY), 0, 0, v));
		must_fail("write", lane(SYS_openat, N(AT_FDCWD), p, N(O_WRONLY), 0, 0, v));
		must_fail("truncate", lane(SYS_truncate, p, 0, 0, 0, 0, v));
		must_fail("fchmodat", lane(SYS_fchmodat, N(AT_FDCWD), p, N(0777), 0, 0, v));
		must_fail("fchmodat2", lane(452, N(AT_FDCWD), p, N(0777), 0, 0, v));
		must_fail("utimensat", lane(SYS_utimensat, N(AT_FDCWD), p, times, 0, 0, v));
		must_fail("setxattr", lane(SYS_setxattr, p, "user.x", "x", N(1), 0, v));
		must_fail("fsetxattr", lane(SYS_fsetxattr, N(fd), "user.x", "x", N(1), 0, v));
	}
	return tried();
}

/* ---- who answers -------------------------------------------------------------------------- */

/* PID...: processes of nono's own are out of reach: their memory, descriptors, signals, limits */
static int way_broker(int argc, char **argv)
{
	char path[64], byte;
	for (int i = 0; i < argc; i++) {
		pid_t pid = (pid_t)strtol(argv[i], NULL, 10);
		struct iovec here = {&byte, 1}, there = {(void *)0x400000, 1};
		must_fail("ptrace attach", ptrace(PTRACE_ATTACH, pid, 0, 0));
		must_fail("ptrace seize", ptrace(PTRACE_SEIZE, pid, 0, 0));
		/* EFAULT would mean that it may look */
		must_fail("read memory", process_vm_readv(pid, &here, 1, &there, 1, 0) < 0 && errno != EFAULT ? -1 : 0);
		must_fail(
			"write memory", process_vm_writev(pid, &here, 1, &there, 1, 0) < 0 && errno != EFAULT ? -1 : 0);
		int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
		for (int fd = 0; pidfd >= 0 && fd < 32; fd++)
			must_fail("take a descriptor", syscall(SYS_pidfd_getfd, pidfd, fd, 0));
		must_fail("send a signal", pidfd < 0 ? -1 : syscall(SYS_pidfd_send_signal, pidfd, SIGUSR1, NULL, 0));
		must_fail("kill", kill(pid, SIGCONT));
		static const char *const names[] = {"mem", "environ", "maps", "root", "cwd", "fd", "exe", "auxv",
			"stack", "syscall", "fdinfo", "map_files", "io", "timers", "personality"};
		for (size_t k = 0; k < sizeof(names) / sizeof(*names); k++) {
			(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, names[k]);
			must_fail(path, open(path, O_RDONLY));
		}
		(void)snprintf(path, sizeof(path), "/proc/%d/mem", (int)pid);
		must_fail(path, open(path, O_RDWR));
	}
	return tried();
}

/* a program types the answer to a question itself */
static int way_type(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	int tty = open("/dev/tty", O_RDWR);
	if (tty < 0)
		return 2;
	must_fail("TIOCSTI", ioctl(tty, TIOCSTI, "y"));
	must_fail("TIOCLINUX", ioctl(tty, TIOCLINUX, "\x02"));
	must_fail("TIOCSETD", ioctl(tty, TIOCSETD, &(int){0}));
	if (write(tty, "y\ny\n\033[6n\033[c", 11) != 11) /* an answer of the terminal's is typed as well */
		return 2;
	return tried();
}

/* COUNT CMD...: under so many Landlock domains, each of which forbids only to make block devices */
static int way_layers(int argc, char **argv)
{
	const uint64_t handled = LANDLOCK_ACCESS_FS_MAKE_BLOCK;
	if (argc < 2 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return 2;
	for (long i = strtol(argv[0], NULL, 10); i > 0; i--) {
		int fd = (int)syscall(SYS_landlock_create_ruleset, &handled, sizeof(handled), 0);
		if (fd < 0 || syscall(SYS_landlock_restrict_self, fd, 0) < 0)
			return 3;
		close(fd);
	}
	execvp(argv[1], argv + 1);
	return 2;
}

PROBE(way_opath, way_opath, "PATH");
PROBE(way_layers, way_layers, "COUNT CMD...");
PROBE(way_opath_dir, way_opath_dir, "DIR NAME");
PROBE(way_give, way_give, "FILE DIR CMD...");
PROBE(way_take, way_take, "NAME");
PROBE(way_forged, way_forged, "PATH");
PROBE(way_broker, way_broker, "PID...");
PROBE(way_type, way_type, "");
