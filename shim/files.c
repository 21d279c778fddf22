/* SPDX-License-Identifier: Apache-2.0 */
/*
 * files.c - the path calls that the shim takes over by name.
 *
 * They are the rows of the trap room's table that have `lane`, made with the
 * *at calls that every architecture has. Arguments are passed on unread: the
 * kernel judges them, a wrong pointer is its EFAULT. None of these is a point
 * at which a thread can be cancelled (docs/fast-lane.md).
 */
#include "lane.h"
#include "raw.h"

#include <linux/fcntl.h>
#include <stdarg.h>

/* Programs are compiled against libc's declarations, these only have to have the same calling convention. */
#pragma GCC diagnostic ignored "-Wmissing-prototypes"

#define P(pointer) ((long)(uintptr_t)(pointer))
#define TMPFILE_BIT 020000000
#define ALIAS(name, target) SHIM_EXPORT extern __typeof(target) name __attribute__((alias(#target)))

static int open_at(int dirfd, const char *path, int flags, va_list args)
{
	unsigned mode = flags & (O_CREAT | TMPFILE_BIT) ? va_arg(args, unsigned) : 0;
	return (int)lane_call(__NR_openat, dirfd, P(path), flags, (long)mode, 0);
}

int shim_open(const char *path, int flags, ...)
{
	va_list args;
	va_start(args, flags);
	int fd = open_at(AT_FDCWD, path, flags, args);
	va_end(args);
	return fd;
}
ALIAS(open, shim_open);
ALIAS(open64, shim_open);

SHIM_EXPORT int openat(int dirfd, const char *path, int flags, ...)
{
	va_list args;
	va_start(args, flags);
	int fd = open_at(dirfd, path, flags, args);
	va_end(args);
	return fd;
}
ALIAS(openat64, openat);

SHIM_EXPORT int creat(const char *path, unsigned mode)
{
	return (int)lane_call(__NR_openat, AT_FDCWD, P(path), O_CREAT | O_WRONLY | O_TRUNC, (long)mode, 0);
}
ALIAS(creat64, creat);

SHIM_EXPORT int mkdirat(int dirfd, const char *path, unsigned mode)
{
	return (int)lane_call(__NR_mkdirat, dirfd, P(path), (long)mode, 0, 0);
}
SHIM_EXPORT int mkdir(const char *path, unsigned mode)
{
	return mkdirat(AT_FDCWD, path, mode);
}

SHIM_EXPORT int mknodat(int dirfd, const char *path, unsigned mode, unsigned long dev)
{
	return (int)lane_call(__NR_mknodat, dirfd, P(path), (long)mode, (long)dev, 0);
}
SHIM_EXPORT int mknod(const char *path, unsigned mode, unsigned long dev)
{
	return mknodat(AT_FDCWD, path, mode, dev);
}

SHIM_EXPORT int renameat2(int from, const char *old, int to, const char *new, unsigned flags)
{
	return (int)lane_call(__NR_renameat2, from, P(old), to, P(new), (long)flags);
}
SHIM_EXPORT int renameat(int from, const char *old, int to, const char *new)
{
	return renameat2(from, old, to, new, 0);
}
SHIM_EXPORT int rename(const char *old, const char *new)
{
	return renameat2(AT_FDCWD, old, AT_FDCWD, new, 0);
}

SHIM_EXPORT int linkat(int from, const char *old, int to, const char *new, int flags)
{
	return (int)lane_call(__NR_linkat, from, P(old), to, P(new), flags);
}
SHIM_EXPORT int link(const char *old, const char *new)
{
	return linkat(AT_FDCWD, old, AT_FDCWD, new, 0);
}

SHIM_EXPORT int symlinkat(const char *target, int dirfd, const char *path)
{
	return (int)lane_call(__NR_symlinkat, P(target), dirfd, P(path), 0, 0);
}
SHIM_EXPORT int symlink(const char *target, const char *path)
{
	return symlinkat(target, AT_FDCWD, path);
}

SHIM_EXPORT int unlinkat(int dirfd, const char *path, int flags)
{
	return (int)lane_call(__NR_unlinkat, dirfd, P(path), flags, 0, 0);
}
SHIM_EXPORT int unlink(const char *path)
{
	return unlinkat(AT_FDCWD, path, 0);
}
SHIM_EXPORT int rmdir(const char *path)
{
	return unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
}

SHIM_EXPORT int truncate(const char *path, long length)
{
	return (int)lane_call(__NR_truncate, P(path), length, 0, 0, 0);
}
ALIAS(truncate64, truncate);
