/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exec.c - execution.
 *
 * Theory of operation
 * -------------------
 * Programs that name an opener by its path (/usr/bin/xdg-open, or a copy of that
 * script beside them) execute the session's entry of that name instead. What executes
 * by itself is taken over by name here. Everything else of libc's (execvp,
 * posix_spawn, system, popen and their relatives) ends in its own execve, whose first
 * bytes become a jump to ours, when one of these is called first (forward.c).
 *
 * They run in children that share their parent's memory (vfork), and in signal
 * handlers: no memory is allocated or changed besides the caller's stack, and errno.
 * Arguments and environment are passed on as they are.
 */
#include "shim.h"

#include "proto/openers.h"
#include "raw.h"

#include <asm/errno.h>
#include <linux/fcntl.h>

/* Programs are compiled against libc's declarations, these only have to have the same calling convention. */
#pragma GCC diagnostic ignored "-Wmissing-prototypes"

#define P(pointer) ((long)(uintptr_t)(pointer))
#define DIR_MAX 512
#define NAME_ROOM 32
#define LINK_MAX 4096
#define SHORTEST_CALL 8 /* bytes of a function that makes a system call */
#define STAT_BYTES 256  /* of struct stat, on every architecture */

extern int *__errno_location(void) __attribute__((weak));
extern char **environ __attribute__((weak));

static char entries[DIR_MAX]; /* ends with a slash; empty: there are none */
static bool redirected;
static uintptr_t own_execve; /* 0: look it up */

static size_t length(const char *s)
{
	size_t n = 0;
	while (s[n])
		n++;
	return n;
}

static size_t append(char *out, size_t at, const char *s)
{
	while (*s)
		out[at++] = *s++;
	out[at] = '\0';
	return at;
}

void openers_start(const char *socket)
{
	size_t n = length(socket);
	while (n && socket[n - 1] != '/')
		n--;
	if (n == 0 || socket[0] != '/' || n + sizeof(OPENERS_DIR) + 1 > sizeof(entries))
		return;
	for (size_t i = 0; i < n; i++)
		entries[i] = socket[i];
	n = append(entries, n, OPENERS_DIR);
	append(entries, n, "/");
}

void exec_real(uintptr_t own)
{
	own_execve = own;
}

void exec_redirect(void)
{
	struct patch p = {.n = 0};
	size_t size = SHORTEST_CALL;
	if (redirected || !entries[0])
		return;
	redirected = true;
	const uintptr_t own = own_execve ? own_execve : elf_libc("execve", &size);
	if (own)
		(void)patch_jump(&p, own, size, (uintptr_t)&shim_execve);
	patch_end(&p);
}

/* The entry of @o; @out has room for DIR_MAX + NAME_ROOM. */
static void make_entry(const struct opener *o, char *out)
{
	append(out, append(out, 0, entries), o->name);
}

bool opener_entry(char *out, size_t size)
{
	if (!entries[0] || size < DIR_MAX + NAME_ROOM)
		return false;
	make_entry(&openers[0], out);
	return true;
}

/* What to execute in the place of @path, in @out; @path itself when it is no opener. */
static const char *lead(const char *path, char *out)
{
	char st[STAT_BYTES] __attribute__((aligned(16)));
	/* a wrong pointer is the kernel's to refuse, so it looks first */
	if (!entries[0] || raw_syscall(__NR_newfstatat, AT_FDCWD, P(path), P(st), AT_SYMLINK_NOFOLLOW, 0, 0) == -EFAULT)
		return path;
	const struct opener *o = opener_at(path);
	if (!o)
		return path;
	make_entry(o, out);
	return out;
}

int shim_execve(const char *path, char *const argv[], char *const envp[])
{
	char entry[DIR_MAX + NAME_ROOM];
	return (int)lane_call(__NR_execve, P(lead(path, entry)), P(argv), P(envp), 0, 0);
}
SHIM_EXPORT extern __typeof(shim_execve) execve __attribute__((alias("shim_execve")));

SHIM_EXPORT int execv(const char *path, char *const argv[])
{
	return shim_execve(path, argv, &environ ? environ : NULL);
}

/* The path of an open file, in @out. Return: whether it has one. */
static bool path_of(int fd, char out[LINK_MAX])
{
	char link[32], digits[12];
	size_t n = 0, at = append(link, 0, "/proc/self/fd/");
	for (unsigned v = (unsigned)fd; n == 0 || v; v /= 10)
		digits[n++] = (char)('0' + v % 10);
	while (n)
		link[at++] = digits[--n];
	link[at] = '\0';
	long len = fd < 0 ? -1 : raw_syscall(__NR_readlinkat, AT_FDCWD, P(link), P(out), LINK_MAX - 1, 0, 0);
	out[len > 0 ? len : 0] = '\0';
	return len > 0 && out[0] == '/';
}

static int execute_at(int dirfd, const char *path, char *const argv[], char *const envp[], int flags)
{
	char entry[DIR_MAX + NAME_ROOM], open_file[LINK_MAX];
	const char *asked = path;
	/* a wrong pointer is the kernel's to refuse, so it looks first */
	if (entries[0] && (flags & AT_EMPTY_PATH) &&
		raw_syscall(__NR_readlinkat, AT_FDCWD, P(path), P(open_file), LINK_MAX, 0, 0) != -EFAULT && !path[0] &&
		path_of(dirfd, open_file))
		asked = open_file;
	const char *to = lead(asked, entry);
	if (to == entry)
		return (int)lane_call(__NR_execve, P(entry), P(argv), P(envp), 0, 0);
	return (int)lane_call(__NR_execveat, dirfd, P(path), P(argv), P(envp), flags);
}

SHIM_EXPORT int execveat(int dirfd, const char *path, char *const argv[], char *const envp[], int flags)
{
	return execute_at(dirfd, path, argv, envp, flags);
}

SHIM_EXPORT int fexecve(int fd, char *const argv[], char *const envp[])
{
	if (fd < 0 || !argv || !envp) {
		if (__errno_location)
			*__errno_location() = EINVAL;
		return -1;
	}
	return execute_at(fd, "", argv, envp, AT_EMPTY_PATH);
}
