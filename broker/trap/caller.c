/* SPDX-License-Identifier: Apache-2.0 */
/*
 * caller.c - looking at the process that made a call: memory, descriptors, facts.
 *
 * Everything read from /proc/<tid> or from memory may belong to another process
 * by then, if the caller died and its number was taken: so the notification's id
 * is checked after each look (seccomp_unotify(2)).
 */
#include "trap/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#ifndef PIDFD_THREAD
#define PIDFD_THREAD O_EXCL
#endif

const struct trap_config *trap_cfg(const struct trap_call *c)
{
	return &c->t->cfg;
}

const struct trap_row *trap_row(const struct trap_call *c)
{
	return c->row;
}

uint64_t trap_arg(const struct trap_call *c, unsigned i)
{
	return c->n.data.args[i];
}

pid_t trap_tid(const struct trap_call *c)
{
	return (pid_t)c->n.pid;
}

bool trap_alive(struct trap_call *c)
{
	return ioctl(c->t->listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &c->n.id) == 0;
}

pid_t process_number(pid_t pid, const char *key)
{
	char path[40], text[1024];
	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (n <= 0)
		return -1;
	text[n] = '\0';
	const char *at = strstr(text, key);
	return at ? (pid_t)strtol(at + strlen(key), NULL, 10) : -1;
}

pid_t trap_tgid(struct trap_call *c)
{
	if (c->tgid == 0) {
		c->tgid = process_number(trap_tid(c), "\nTgid:");
		if (!trap_alive(c))
			c->tgid = -1;
	}
	return c->tgid;
}

int trap_read(struct trap_call *c, uint64_t addr, void *buf, size_t len)
{
	struct iovec local = {buf, len}, remote = {(void *)(uintptr_t)addr, len};
	ssize_t n = process_vm_readv(trap_tid(c), &local, 1, &remote, 1, 0);
	if (!trap_alive(c))
		return -ESRCH;
	return n == (ssize_t)len ? 0 : -EFAULT;
}

int trap_write(struct trap_call *c, uint64_t addr, const void *buf, size_t len)
{
	struct iovec local = {(void *)(uintptr_t)buf, len}, remote = {(void *)(uintptr_t)addr, len};
	if (!trap_alive(c))
		return -ESRCH;
	return process_vm_writev(trap_tid(c), &local, 1, &remote, 1, 0) == (ssize_t)len ? 0 : -EFAULT;
}

ssize_t trap_read_string(struct trap_call *c, uint64_t addr, char *buf, size_t max)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	for (size_t have = 0; have < max;) {
		/* a string may end just before memory that cannot be read: never across a page */
		size_t take = page - (size_t)((addr + have) % page);
		if (take > max - have)
			take = max - have;
		if (have == 0 && take > 256)
			take = 256; /* most paths are short */
		struct iovec local = {buf + have, take}, remote = {(void *)(uintptr_t)(addr + have), take};
		ssize_t n = process_vm_readv(trap_tid(c), &local, 1, &remote, 1, 0);
		if (n <= 0)
			return trap_alive(c) ? -EFAULT : -ESRCH;
		const char *nul = memchr(buf + have, '\0', (size_t)n);
		if (nul)
			return trap_alive(c) ? nul - buf : -ESRCH;
		have += (size_t)n;
	}
	return -ENAMETOOLONG;
}

/*
 * The caller that this receiver served last: the next call is mostly the same one's. A pidfd that still works means
 * the thread it was opened for, and nobody else can have its number.
 */
static _Thread_local struct {
	pid_t tid;
	int fd;
} last = {.fd = -1};

void caller_forget(void)
{
	if (last.fd >= 0)
		close(steal_fd(&last.fd));
}

/* A duplicate of descriptor @fd of the caller's. Return: descriptor, or -1 with errno. */
static int get_fd(struct trap_call *c, int fd)
{
	if (last.fd >= 0 && last.tid == trap_tid(c)) {
		int got = (int)syscall(SYS_pidfd_getfd, last.fd, fd, 0);
		if (got >= 0 || errno != ESRCH)
			return got;
	}
	caller_forget();
	last.tid = trap_tid(c);
	/* a thread may have descriptors of its own, and outlive the first one; before Linux 6.9 only that one can be
	 * asked */
	last.fd = (int)syscall(SYS_pidfd_open, last.tid, PIDFD_THREAD);
	if (last.fd < 0 && errno == EINVAL)
		last.fd = (int)syscall(SYS_pidfd_open, trap_tgid(c), 0);
	return last.fd < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, last.fd, fd, 0);
}

int trap_get_fd(struct trap_call *c, int fd)
{
	if (fd < 0)
		return -EBADF;
	int got = get_fd(c, fd);
	int err = errno;
	if (!trap_alive(c)) {
		if (got >= 0)
			close(got);
		return -ESRCH;
	}
	return got < 0 ? -err : got;
}

int caller_dir(struct trap_call *c, int dirfd)
{
	char path[64];
	if (dirfd != AT_FDCWD) {
		if (dirfd < 0)
			return -EBADF;
		(void)snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)trap_tid(c), dirfd);
	} else {
		(void)snprintf(path, sizeof(path), "/proc/%d/cwd", (int)trap_tid(c));
	}
	int fd = open(path, O_PATH | O_CLOEXEC);
	int err = errno;
	if (!trap_alive(c)) {
		if (fd >= 0)
			close(fd);
		return -ESRCH;
	}
	if (fd < 0)
		return err == ENOENT && dirfd != AT_FDCWD ? -EBADF : -err;
	return fd;
}

mode_t caller_umask(struct trap_call *c)
{
	char path[40], text[256];
	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)trap_tid(c));
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	text[n < 0 ? 0 : n] = '\0';
	const char *at = n > 0 ? strstr(text, "\nUmask:") : NULL;
	/* the strictest one where it cannot be read */
	return at && trap_alive(c) ? (mode_t)strtoul(at + 7, NULL, 8) & 0777 : 0777;
}

uint64_t caller_file_limit(struct trap_call *c)
{
	struct rlimit r;
	if (prlimit(trap_tgid(c), RLIMIT_FSIZE, NULL, &r) < 0)
		return 0;
	return r.rlim_cur == RLIM_INFINITY ? UINT64_MAX : r.rlim_cur;
}

static char *command_of(pid_t pid)
{
	char path[40], text[64];
	(void)snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (n <= 0)
		return xstrdup("?");
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return xstrdup(text);
}

void caller_names(pid_t tgid, char **program, char **parent)
{
	pid_t up = process_number(tgid, "\nPPid:");
	*program = command_of(tgid);
	*parent = up == getpid() ? xstrdup("nono") : up > 0 ? command_of(up) : xstrdup("?");
}
