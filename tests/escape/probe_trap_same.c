/* SPDX-License-Identifier: Apache-2.0 */
/* probe_trap_same.c - what calls on files answer: printed, to be compared with and without a sandbox. */
#include "probe.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>

static void say(const char *what, long rc)
{
	printf("%s: %s\n", what, errno_name(rc < 0 ? errno : 0));
}

/* The errno, and the flags and mode of what was opened. */
static void opened(const char *what, int fd)
{
	struct stat st = {0};
	say(what, fd);
	if (fd < 0)
		return;
	fstat(fd, &st);
	printf("  flags %o cloexec %d mode %o size %lld\n", (unsigned)fcntl(fd, F_GETFL), fcntl(fd, F_GETFD),
		(unsigned)st.st_mode, (long long)st.st_size);
	close(fd);
}

static void opens(void)
{
	opened("new", open("f", O_CREAT | O_WRONLY, 0666));
	opened("exclusive, there", open("f", O_CREAT | O_EXCL | O_WRONLY, 0666));
	opened("append, cloexec", open("f", O_WRONLY | O_APPEND | O_CLOEXEC));
	say("truncate", truncate("f", 100));
	say("truncate, negative", truncate("f", -1));
	opened("truncating", open("f", O_RDWR | O_TRUNC));
	opened("directory flag on a file", open("f", O_RDONLY | O_DIRECTORY));
	opened("directory for writing", open(".", O_WRONLY));
	opened("O_PATH", open("f", O_PATH));
	opened("anonymous", open(".", O_TMPFILE | O_RDWR, 0640));
	opened("beneath a file", open("f/x", O_RDONLY));
	opened("slash behind a file", open("f/", O_RDONLY));
	opened("missing", open("none", O_RDONLY));
	opened("missing directory", open("none/x", O_CREAT | O_WRONLY, 0600));
	opened("empty", open("", O_RDONLY));
	opened("bad address", open((char *)8, O_RDONLY));
	opened("bad descriptor", openat(99, "f", O_RDONLY));
	say("symlink", symlink("f", "l"));
	say("symlink to nothing", symlink("later", "dangling"));
	opened("link", open("l", O_RDONLY));
	opened("link, nofollow", open("l", O_RDONLY | O_NOFOLLOW));
	opened("link, creating", open("l", O_WRONLY | O_CREAT, 0600));
	opened("link, exclusive", open("l", O_WRONLY | O_CREAT | O_EXCL, 0600));
	say("fifo", mkfifo("p", 0666));
	opened("fifo, no reader", open("p", O_WRONLY | O_NONBLOCK));
	opened("fifo, nonblock", open("p", O_RDONLY | O_NONBLOCK));
	static const unsigned long long resolve[] = {RESOLVE_BENEATH, RESOLVE_IN_ROOT, RESOLVE_NO_SYMLINKS};
	for (size_t i = 0; i < sizeof(resolve) / sizeof(*resolve); i++) {
		struct open_how how = {.flags = O_RDONLY, .resolve = resolve[i]};
		opened("openat2 link", (int)syscall(SYS_openat2, AT_FDCWD, "l", &how, sizeof(how)));
		opened("openat2 absolute", (int)syscall(SYS_openat2, AT_FDCWD, "/f", &how, sizeof(how)));
	}
}

static void nothing(int sig)
{
	(void)sig;
}

/* A FIFO waits for its other end: until a signal, until it comes, until the program is killed. */
static void fifos(void)
{
	struct sigaction sa = {.sa_handler = nothing};
	sigaction(SIGALRM, &sa, NULL);
	ualarm(100000, 0);
	opened("fifo, interrupted", open("p", O_RDONLY));
	sa.sa_flags = SA_RESTART;
	sigaction(SIGALRM, &sa, NULL);
	pid_t child = fork();
	if (child == 0) {
		usleep(300000);
		_exit(open("p", O_WRONLY) < 0);
	}
	ualarm(100000, 0);
	opened("fifo, restarted behind a signal", open("p", O_RDONLY));
	waitpid(child, NULL, 0);
	pid_t blocked[40];
	for (int i = 0; i < 40; i++)
		if ((blocked[i] = fork()) == 0)
			_exit(open("p", O_RDONLY) < 0);
	usleep(100000);
	opened("beside forty that wait", open("f", O_RDONLY));
	for (int i = 0; i < 40; i++) {
		kill(blocked[i], SIGKILL);
		waitpid(blocked[i], NULL, 0);
	}
	opened("behind them", open("f", O_RDONLY));
}

/* What means the caller means the thread that calls, and its own directory. */
static void *other_thread(void *unused)
{
	char line[64] = "";
	(void)unused;
	unshare(CLONE_FS); /* a current directory of its own */
	say("thread: own directory", chdir("sub"));
	opened("thread: beside it", open("../f", O_RDONLY));
	opened("thread: new", open("of-thread", O_CREAT | O_WRONLY, 0666));
	int fd = open("/proc/thread-self/comm", O_RDONLY), self = open("/proc/self/comm", O_RDONLY);
	pthread_setname_np(pthread_self(), "other");
	printf("thread: %d", (int)read(fd, line, sizeof(line) - 1) > 0);
	printf(" %s", line);
	memset(line, 0, sizeof(line));
	printf("process: %d\n", (int)read(self, line, sizeof(line) - 1) > 0 && strcmp(line, "other\n") != 0);
	close(fd);
	close(self);
	opened("thread: of its own /proc entry", open("/proc/thread-self/status", O_RDONLY));
	return NULL;
}

static void views(void)
{
	pthread_t t;
	(void)fflush(stdout);
	say("directory of a thread", mkdir("sub", 0750));
	if (pthread_create(&t, NULL, other_thread, NULL) == 0)
		pthread_join(t, NULL);
	int dir = open("sub", O_PATH | O_DIRECTORY);
	opened("by descriptor", openat(dir, "of-thread", O_RDWR));
	opened("above a descriptor", openat(dir, "../f", O_RDONLY));
	opened("beneath a file's descriptor", openat(open("f", O_PATH), "x", O_RDONLY));
	say("mkdirat", mkdirat(dir, "deep", 0700));
	say("renameat", renameat(dir, "of-thread", AT_FDCWD, "moved-up"));
	say("symlinkat", symlinkat("../f", dir, "s"));
	opened("link in a descriptor", openat(dir, "s", O_RDONLY));
	opened("by /dev/fd", open("/dev/fd/0", O_RDONLY));
	int f = open("moved-up", O_RDWR | O_CREAT, 0600);
	char link[64];
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", f);
	opened("again by its link", open(link, O_RDWR | O_APPEND));
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d/deep", dir);
	opened("through a directory's link", open(link, O_RDONLY | O_DIRECTORY));
	say("unlink", unlink("moved-up"));
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", f);
	opened("a removed file by its link", open(link, O_RDWR));
	int other = open("f", O_RDWR | O_APPEND);
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", other);
	opened("appending by its link", open(link, O_WRONLY | O_APPEND));
	opened("setgid", open("d/new", O_CREAT | O_WRONLY, 02777));
	/* a current directory that is gone */
	say("chdir", chdir("sub/deep"));
	say("rmdir of the current directory", rmdir("../deep"));
	opened("gone: new", open("x", O_CREAT | O_WRONLY, 0600));
	opened("gone: above", open("../s", O_RDONLY));
	say("gone: mkdir", mkdir("x", 0700));
	say("back", fchdir(dir));
	say("back", chdir(".."));
	/* no room for a descriptor */
	struct rlimit files, none = {3, 0};
	getrlimit(RLIMIT_NOFILE, &files);
	none.rlim_max = files.rlim_max;
	int spare = open("/dev/null", O_RDONLY);
	none.rlim_cur = (rlim_t)spare;
	setrlimit(RLIMIT_NOFILE, &none);
	close(spare);
	none.rlim_cur = (rlim_t)spare;
	setrlimit(RLIMIT_NOFILE, &none);
	opened("no descriptor is left", open("f", O_RDONLY));
	opened("nor for a new file", open("no-room", O_CREAT | O_WRONLY, 0600));
	setrlimit(RLIMIT_NOFILE, &files);
}

/* Signals with a handler arrive all the time, and every call ends as it does without them. */
static void storm(void)
{
	struct sigaction sa = {.sa_handler = nothing, .sa_flags = SA_RESTART};
	pid_t me = getpid(), child = fork();
	sigaction(SIGURG, &sa, NULL);
	if (child == 0)
		while (getppid() == me)
			kill(me, SIGURG);
	int failed = 0;
	for (int i = 0; i < 300; i++) {
		int fd = open("f", O_RDONLY), made = open("g", O_CREAT | O_EXCL | O_WRONLY, 0600);
		failed += fd < 0 || made < 0 || chmod("g", 0640) < 0 || rename("g", "h") < 0 || unlink("h") < 0;
		close(fd);
		close(made);
	}
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	printf("failed under signals: %d\n", failed);
}

static void entries(void)
{
	struct stat st;
	say("mkdir", mkdir("d", 0777));
	say("mkdir, slash", mkdir("d2/", 0700));
	say("mkdir, there", mkdir("d", 0777));
	say("setgid", chmod("d", 02755));
	say("mkdir in setgid", mkdir("d/in", 0777));
	printf("  mode %o\n", stat("d/in", &st) == 0 ? (unsigned)st.st_mode : 0);
	say("rmdir, not empty", rmdir("d"));
	say("rmdir of a file", rmdir("f"));
	say("unlink of a directory", unlink("d"));
	say("unlink, slash", unlink("f/"));
	say("unlink, missing", unlink("none"));
	say("link", link("f", "hard"));
	say("link, there", link("f", "hard"));
	say("link of a directory", link("d", "hard2"));
	say("rename", rename("hard", "moved"));
	say("rename, noreplace", renameat2(AT_FDCWD, "moved", AT_FDCWD, "f", RENAME_NOREPLACE));
	opened("other", open("other", O_CREAT | O_WRONLY, 0600));
	say("exchange", renameat2(AT_FDCWD, "other", AT_FDCWD, "f", RENAME_EXCHANGE));
	say("exchange, missing", renameat2(AT_FDCWD, "other", AT_FDCWD, "none", RENAME_EXCHANGE));
	say("rename into itself", rename("d", "d/in/x"));
	say("rename file over directory", rename("other", "d"));
	say("rename, missing", rename("none", "x"));
	say("rmdir dot", rmdir("d/in/."));
	say("mkdir dot", mkdir(".", 0700));
}

static void attributes(void)
{
	const struct timespec bad[2] = {{0, 1000000001}, {0, 0}}, good[2] = {{5, 6}, {7, 8}};
	struct stat st;
	say("chmod", chmod("f", 0640));
	say("chmod, missing", chmod("none", 0640));
	say("chown to nobody else", chown("f", (uid_t)-1, (gid_t)-1));
	say("times", utimensat(AT_FDCWD, "f", good, 0));
	say("times of a link", utimensat(AT_FDCWD, "l", good, AT_SYMLINK_NOFOLLOW));
	say("bad times", utimensat(AT_FDCWD, "f", bad, 0));
	say("bad flags", utimensat(AT_FDCWD, "f", good, 0x40000));
	say("xattr, bad name", setxattr("f", "nothing", "x", 1, 0));
	say("xattr, missing", removexattr("f", "user.none"));
	if (stat("f", &st) == 0)
		printf("  mode %o times %ld %ld\n", (unsigned)st.st_mode, (long)st.st_atime, (long)st.st_mtim.tv_nsec);
	int fd = mkdir("gone", 0700) == 0 ? open("gone", O_RDONLY | O_DIRECTORY) : -1;
	say("removing", rmdir("gone"));
	say("chmod of a removed directory", fchmodat(fd, ".", 0750, 0));
	say("owner of a removed directory", fchownat(fd, ".", (uid_t)-1, (gid_t)-1, 0));
	say("times of a removed directory", utimensat(fd, ".", good, 0));
	say("below a removed directory", fchmodat(fd, "x", 0750, 0));
	if (fstat(fd, &st) == 0)
		printf("  mode %o times %ld\n", (unsigned)st.st_mode, (long)st.st_atime);
	close(fd);
	const struct rlimit small = {10, 10};
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &small);
	say("truncate beyond the limit", truncate("f", 20));
	say("truncate within the limit", truncate("f", 5));
}

/* DIR: made, worked in */
static int trap_same(int argc, char **argv)
{
	if (argc != 1)
		return 2;
	umask(027);
	if (mkdir(argv[0], 0700) < 0 || chdir(argv[0]) < 0) {
		perror(argv[0]);
		return 1;
	}
	opens();
	fifos();
	entries();
	views();
	storm();
	attributes();
	return 0;
}
PROBE(trap_same, trap_same, "DIR");
