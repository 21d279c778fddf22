/* SPDX-License-Identifier: Apache-2.0 */
/* shim_opens.c - shim_opens KIND PATH: opens PATH in one way, prints the errno (0: it worked). Built by shim_libc.sh.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

static int by_open(const char *path)
{
	return open(path, O_RDONLY) < 0 ? errno : 0;
}

static int by_fopen(const char *path)
{
	return fopen(path, "r") ? 0 : errno;
}

static int by_opendir(const char *path)
{
	return opendir(path) ? 0 : errno;
}

static int by_syscall(const char *path)
{
	return syscall(SYS_openat, AT_FDCWD, path, O_RDONLY, 0, 0, 0) < 0 ? errno : 0;
}

/* a program that imitates the shim: the lane's value, set by itself */
static int by_forgery(const char *path)
{
	return syscall(SYS_openat, AT_FDCWD, path, O_RDONLY, 0, 0, 0x6e6f6e6f6c616e65ULL) < 0 ? errno : 0;
}

/* a call of a program's own, right behind one that the shim made: it sets no more registers than it has arguments */
static int by_instruction(const char *path)
{
	close(open("/dev/null", O_RDONLY));
#ifdef __x86_64__
	long rc;
	register long r10 __asm__("r10") = 0;
	__asm__ volatile("syscall"
			 : "=a"(rc)
			 : "a"(SYS_openat), "D"(AT_FDCWD), "S"(path), "d"(O_RDONLY), "r"(r10)
			 : "rcx", "r11", "memory");
	return rc < 0 ? (int)-rc : 0;
#else
	register long x8 __asm__("x8") = SYS_openat;
	register long x0 __asm__("x0") = AT_FDCWD;
	register long x1 __asm__("x1") = (long)path;
	register long x2 __asm__("x2") = O_RDONLY;
	register long x3 __asm__("x3") = 0;
	__asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3) : "memory");
	return x0 < 0 ? (int)-x0 : 0;
#endif
}

/* a child that shares memory with its parent */
static int by_vfork(const char *path)
{
	volatile int result = -1;
	pid_t child = vfork();
	if (child == 0) {
		result = by_open(path);
		_exit(0);
	}
	return result;
}

static void *thread(void *path)
{
	(void)by_fopen(path);
	return NULL;
}

/* errno belongs to the thread */
static int by_thread(const char *path)
{
	pthread_t t;
	errno = 77;
	if (pthread_create(&t, NULL, thread, (void *)path) != 0 || pthread_join(t, NULL) != 0)
		return -1;
	return errno == 77 ? by_open(path) : -1;
}

static void nothing(int sig)
{
	(void)sig;
}

/* under a storm of signals whose handler asks for no restart: EINTR if one open ever said so */
static int by_storm(const char *path)
{
	struct sigaction sa = {.sa_handler = nothing};
	const struct itimerval often = {{0, 50}, {0, 50}}, never = {{0, 0}, {0, 0}};
	int result = 0;
	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	for (int i = 0; i < 20000 && result != EINTR; i++) {
		int fd = open(path, O_RDONLY);
		result = fd < 0 ? errno : 0;
		close(fd);
	}
	setitimer(ITIMER_REAL, &never, NULL);
	return result;
}

/* a FIFO nobody writes to, and a signal */
static int by_alarm(const char *path)
{
	struct sigaction sa = {.sa_handler = nothing};
	sigaction(SIGALRM, &sa, NULL);
	alarm(1);
	return open(path, O_RDONLY) < 0 ? errno : 0;
}

static const struct {
	const char *name;
	int (*open)(const char *path);
} kinds[] = {
	{"open", by_open},
	{"fopen", by_fopen},
	{"opendir", by_opendir},
	{"syscall", by_syscall},
	{"forgery", by_forgery},
	{"instruction", by_instruction},
	{"vfork", by_vfork},
	{"thread", by_thread},
	{"storm", by_storm},
	{"alarm", by_alarm},
};

int main(int argc, char **argv)
{
	/* "mdwe CMD...": memory can't become executable from here on (PR_SET_MDWE) */
	if (argc > 2 && strcmp(argv[1], "mdwe") == 0) {
		if (prctl(65, 1, 0, 0, 0) < 0 && errno != EINVAL)
			return 3;
		execv(argv[2], argv + 2);
		return 4;
	}
	for (size_t i = 0; argc == 3 && i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(argv[1], kinds[i].name) == 0) {
			printf("%d\n", kinds[i].open(argv[2]));
			return 0;
		}
	return 2;
}
