/* SPDX-License-Identifier: Apache-2.0 */
/* calls.c - the call table: what is trapped, what it means, who answers it, why CONTINUE is safe. */
#include "trap/internal.h"

#include "net/net.h"

#include <sys/syscall.h>

/* Numbers that old headers lack; the same on every architecture. */
#ifndef __NR_fchmodat2
#define __NR_fchmodat2 452
#endif
#ifndef __NR_setxattrat
#define __NR_setxattrat 463
#define __NR_removexattrat 466
#endif
#ifndef __NR_file_setattr
#define __NR_file_setattr 469
#endif
/* Calls that newer architectures never had. */
#ifndef __NR_open
#define __NR_open (-1)
#define __NR_creat (-1)
#define __NR_mkdir (-1)
#define __NR_mknod (-1)
#define __NR_symlink (-1)
#define __NR_unlink (-1)
#define __NR_rmdir (-1)
#define __NR_rename (-1)
#define __NR_link (-1)
#define __NR_chmod (-1)
#define __NR_chown (-1)
#define __NR_lchown (-1)
#define __NR_utime (-1)
#define __NR_utimes (-1)
#define __NR_futimesat (-1)
#endif
#ifndef __NR_renameat
#define __NR_renameat (-1)
#endif

#define FILE_CALL(name_, op_, handle_)                                                                                 \
	{                                                                                                              \
		.name = #name_, .nr = __NR_##name_, .op = op_, .when = TRAP_FILES, .lane = true,                       \
		.safe = CONTINUE_LANDLOCK, .handle = handle_                                                           \
	}
#define CUT_CALL(name_, op_, handle_, cuts_)                                                                           \
	{                                                                                                              \
		.name = #name_, .nr = __NR_##name_, .op = op_, .when = TRAP_FILES, .lane = true, .cuts = cuts_,        \
		.safe = CONTINUE_LANDLOCK, .handle = handle_                                                           \
	}
#define ATTR_CALL(name_)                                                                                               \
	{                                                                                                              \
		.name = #name_, .nr = __NR_##name_, .op = OP_ATTR, .when = TRAP_FILES, .safe = CONTINUE_NEVER,         \
		.handle = handle_attr                                                                                  \
	}
#define SOCKET_CALL(name_, op_, handle_)                                                                               \
	{                                                                                                              \
		.name = #name_, .nr = __NR_##name_, .op = op_, .when = TRAP_SOCKETS, .safe = CONTINUE_NEVER,           \
		.handle = handle_                                                                                      \
	}

static const struct trap_row rows[] = {
	CUT_CALL(open, OP_READ, handle_open, CUTS_BY_FLAG_1),
	CUT_CALL(openat, OP_READ, handle_openat, CUTS_BY_FLAG_2),
	CUT_CALL(openat2, OP_READ, handle_openat2, CUTS_BY_MEMORY),
	CUT_CALL(creat, OP_CREATE, handle_creat, CUTS_ALWAYS),
	FILE_CALL(mkdir, OP_CREATE, handle_mkdir),
	FILE_CALL(mkdirat, OP_CREATE, handle_mkdirat),
	FILE_CALL(mknod, OP_CREATE, handle_mknod),
	FILE_CALL(mknodat, OP_CREATE, handle_mknodat),
	FILE_CALL(symlink, OP_CREATE, handle_symlink),
	FILE_CALL(symlinkat, OP_CREATE, handle_symlinkat),
	FILE_CALL(unlink, OP_DELETE, handle_unlink),
	FILE_CALL(unlinkat, OP_DELETE, handle_unlinkat),
	FILE_CALL(rmdir, OP_DELETE, handle_rmdir),
	FILE_CALL(rename, OP_DELETE, handle_rename),
	FILE_CALL(renameat, OP_DELETE, handle_renameat),
	FILE_CALL(renameat2, OP_DELETE, handle_renameat2),
	FILE_CALL(link, OP_CREATE, handle_link),
	FILE_CALL(linkat, OP_CREATE, handle_linkat),
	CUT_CALL(truncate, OP_WRITE, handle_truncate, CUTS_ALWAYS),
	FILE_CALL(execve, OP_EXECUTE, handle_execve),
	FILE_CALL(execveat, OP_EXECUTE, handle_execveat),
	ATTR_CALL(chmod),
	ATTR_CALL(fchmod),
	ATTR_CALL(fchmodat),
	ATTR_CALL(fchmodat2),
	ATTR_CALL(chown),
	ATTR_CALL(lchown),
	ATTR_CALL(fchown),
	ATTR_CALL(fchownat),
	ATTR_CALL(utime),
	ATTR_CALL(utimes),
	ATTR_CALL(futimesat),
	ATTR_CALL(utimensat),
	ATTR_CALL(setxattr),
	ATTR_CALL(lsetxattr),
	ATTR_CALL(fsetxattr),
	ATTR_CALL(setxattrat),
	ATTR_CALL(removexattr),
	ATTR_CALL(lremovexattr),
	ATTR_CALL(fremovexattr),
	ATTR_CALL(removexattrat),
	ATTR_CALL(file_setattr),
	SOCKET_CALL(connect, OP_CONNECT, net_on_connect),
	{.name = "bind", /* Unix sockets, where Landlock judges the same (net/unix.c) */
		.nr = __NR_bind,
		.op = OP_BIND,
		.when = TRAP_SOCKETS,
		.safe = CONTINUE_LANDLOCK,
		.handle = net_on_bind},
	SOCKET_CALL(listen, OP_BIND, net_on_listen),
	{.name = "socket",
		.nr = __NR_socket,
		.op = OP_CONNECT,
		.when = TRAP_UDP,
		.safe = CONTINUE_NEVER,
		.handle = net_on_socket},
	{.name = "socketpair",
		.nr = __NR_socketpair,
		.op = OP_CONNECT,
		.when = TRAP_UDP,
		.safe = CONTINUE_NEVER,
		.handle = net_on_socketpair},
};

const struct trap_row *trap_table(size_t *n)
{
	*n = ARRAY_SIZE(rows);
	return rows;
}
