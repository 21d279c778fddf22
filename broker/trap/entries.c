/* SPDX-License-Identifier: Apache-2.0 */
/*
 * entries.c - making, removing, moving and linking entries of directories.
 *
 * The parent is pinned and the last component is a name in it, so the entry that
 * was decided on is the entry that changes. Where the lookup fails the call is
 * continued: it fails in the kernel with the errno the program expects, or
 * Landlock judges it.
 */
#include "trap/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/sysmacros.h>

static void finish(struct trap_call *c, int rc)
{
	if (rc < 0)
		trap_errno(c, errno);
	else
		trap_value(c, 0);
}

/* ---- making --------------------------------------------------------------------- */

/* Decide about a new entry. Return: whether the caller of this goes on and makes it. */
static bool may_make(struct trap_call *c, int dirfd, uint64_t path, bool dir, struct object *o)
{
	if (object_resolve(c, dirfd, path, RESOLVE_PARENT, 0, o) < 0 || (o->trailing_slash && !dir)) {
		trap_continue(c);
		return false;
	}
	if (o->exists) {
		trap_errno(c, EEXIST);
		return false;
	}
	struct decision d = dir ? policy_check_mkdir(c->t->cfg.policy, o->path)
				: policy_check_path(c->t->cfg.policy, OP_CREATE, o->path);
	if (d.verdict == VERDICT_ALLOW) {
		bool kernel = d.kernel && c->t->cfg.kernel_floor;
		if (kernel)
			trap_continue(c);
		return !kernel;
	}
	return judge(c, OP_CREATE, o->asked, o->path, NULL) == JUDGED_BROKER;
}

static void remember(struct trap_call *c, const struct object *o)
{
	cleanup_fd int fd = openat(o->parent, o->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0)
		created_add(c->t, fd);
}

static void make_dir(struct trap_call *c, int dirfd, uint64_t path, uint64_t mode)
{
	cleanup_object struct object o = {.fd = -1, .parent = -1};
	if (!may_make(c, dirfd, path, true, &o))
		return;
	mode_t old = umask(caller_umask(c));
	int rc = mkdirat(o.parent, o.name, (mode_t)mode & 01777);
	int err = errno;
	umask(old);
	errno = err;
	if (rc == 0)
		remember(c, &o);
	finish(c, rc);
}

static void make_node(struct trap_call *c, int dirfd, uint64_t path, uint64_t mode, uint64_t dev)
{
	mode_t type = (mode_t)mode & S_IFMT;
	if (type == S_IFCHR || type == S_IFBLK) {
		trap_errno(c, EPERM); /* a device would lead around every rule */
		return;
	}
	cleanup_object struct object o = {.fd = -1, .parent = -1};
	if (!may_make(c, dirfd, path, false, &o))
		return;
	mode_t old = umask(caller_umask(c));
	int rc = mknodat(o.parent, o.name, (mode_t)mode & (S_IFMT | 07777), (dev_t)dev);
	int err = errno;
	umask(old);
	errno = err;
	if (rc == 0)
		remember(c, &o);
	finish(c, rc);
}

static void make_symlink(struct trap_call *c, uint64_t target, int dirfd, uint64_t path)
{
	char text[PATH_MAX];
	ssize_t n = trap_read_string(c, target, text, sizeof(text));
	if (n <= 0) {
		trap_errno(c, n < 0 ? (int)-n : ENOENT);
		return;
	}
	cleanup_object struct object o = {.fd = -1, .parent = -1};
	if (may_make(c, dirfd, path, false, &o))
		finish(c, symlinkat(text, o.parent, o.name));
}

void handle_mkdir(struct trap_call *c)
{
	make_dir(c, AT_FDCWD, trap_arg(c, 0), trap_arg(c, 1));
}

void handle_mkdirat(struct trap_call *c)
{
	make_dir(c, (int)trap_arg(c, 0), trap_arg(c, 1), trap_arg(c, 2));
}

void handle_mknod(struct trap_call *c)
{
	make_node(c, AT_FDCWD, trap_arg(c, 0), trap_arg(c, 1), trap_arg(c, 2));
}

void handle_mknodat(struct trap_call *c)
{
	make_node(c, (int)trap_arg(c, 0), trap_arg(c, 1), trap_arg(c, 2), trap_arg(c, 3));
}

void handle_symlink(struct trap_call *c)
{
	make_symlink(c, trap_arg(c, 0), AT_FDCWD, trap_arg(c, 1));
}

void handle_symlinkat(struct trap_call *c)
{
	make_symlink(c, trap_arg(c, 0), (int)trap_arg(c, 1), trap_arg(c, 2));
}

/* ---- removing --------------------------------------------------------------------- */

/* What the session made in a write-only directory is its own to remove. */
static enum judged judge_delete(struct trap_call *c, const struct object *o)
{
	return judge(c, OP_DELETE, o->asked, o->path, NULL);
}

static void remove_entry(struct trap_call *c, int dirfd, uint64_t path, int flags)
{
	cleanup_object struct object o = {.fd = -1, .parent = -1};
	if (object_resolve(c, dirfd, path, RESOLVE_PARENT, 0, &o) < 0 || !o.exists ||
		(o.trailing_slash && !(flags & AT_REMOVEDIR))) {
		trap_continue(c);
		return;
	}
	enum judged all = judge_delete(c, &o);
	if (all != JUDGED_ANSWERED && !continue_if_kernel(c, all))
		finish(c, unlinkat(o.parent, o.name, flags));
}

void handle_unlink(struct trap_call *c)
{
	remove_entry(c, AT_FDCWD, trap_arg(c, 0), 0);
}

void handle_rmdir(struct trap_call *c)
{
	remove_entry(c, AT_FDCWD, trap_arg(c, 0), AT_REMOVEDIR);
}

void handle_unlinkat(struct trap_call *c)
{
	int flags = (int)trap_arg(c, 2);
	if (flags & ~AT_REMOVEDIR)
		trap_errno(c, EINVAL);
	else
		remove_entry(c, (int)trap_arg(c, 0), trap_arg(c, 1), flags);
}

/* ---- moving ------------------------------------------------------------------------ */

/*
 * A move must not give an object more access than it had: what could not be read
 * (or run, or written) where it was must not become so by moving it.
 */
static bool gains(struct trap_call *c, const struct object *from, const char *to)
{
	static const enum operation ops[] = {OP_READ, OP_WRITE, OP_EXECUTE};
	for (size_t i = 0; i < ARRAY_SIZE(ops); i++) {
		bool before = policy_check_path(c->t->cfg.policy, ops[i], from->path).verdict == VERDICT_ALLOW;
		bool after = policy_check_path(c->t->cfg.policy, ops[i], to).verdict == VERDICT_ALLOW;
		if (after && !before)
			return true;
	}
	return false;
}

static bool judge_gain(struct trap_call *c, const struct object *from, const struct object *to)
{
	if (!gains(c, from, to->path))
		return true;
	/*
	 * What the session made may be read, but a move is by name: another object could be put there meanwhile.
	 * As between file systems, the program copies it, through a descriptor.
	 */
	if (created_has(c->t, from->fd)) {
		trap_errno(c, EXDEV);
		return false;
	}
	/* reading it where it is has to be granted first */
	enum judged j = judge(c, OP_READ, from->asked, from->path, NULL);
	if (j == JUDGED_ANSWERED)
		return false;
	j = judge(c, OP_WRITE, from->asked, from->path, NULL);
	return j != JUDGED_ANSWERED;
}

static void move(struct trap_call *c, int fromfd, uint64_t from, int tofd, uint64_t to, unsigned flags)
{
	cleanup_object struct object a = {.fd = -1, .parent = -1}, b = {.fd = -1, .parent = -1};
	if (object_resolve(c, fromfd, from, RESOLVE_PARENT, 0, &a) < 0 || !a.exists ||
		object_resolve(c, tofd, to, RESOLVE_PARENT, 0, &b) < 0 ||
		(flags & ~(unsigned)(RENAME_NOREPLACE | RENAME_EXCHANGE)) ||
		((a.trailing_slash || b.trailing_slash) && !S_ISDIR(a.st.st_mode))) {
		trap_continue(c);
		return;
	}
	bool exchange = flags & RENAME_EXCHANGE;
	enum judged ja = judge(c, OP_DELETE, a.asked, a.path, NULL);
	if (ja == JUDGED_ANSWERED)
		return;
	enum judged jb = judge(c, OP_CREATE, b.asked, b.path, NULL);
	if (jb == JUDGED_ANSWERED)
		return;
	if (b.exists && judge(c, OP_DELETE, b.asked, b.path, NULL) == JUDGED_ANSWERED)
		return;
	if (exchange && judge(c, OP_CREATE, a.asked, a.path, NULL) == JUDGED_ANSWERED)
		return;
	bool kernel = ja == JUDGED_KERNEL && jb == JUDGED_KERNEL && !exchange &&
		      policy_kernel_move(c->t->cfg.policy, a.path, b.path, S_ISDIR(a.st.st_mode), false);
	if (continue_if_kernel(c, kernel ? JUDGED_KERNEL : JUDGED_BROKER))
		return;
	if (!judge_gain(c, &a, &b) || (exchange && b.exists && !judge_gain(c, &b, &a)))
		return;
	finish(c, renameat2(a.parent, a.name, b.parent, b.name, flags));
}

void handle_rename(struct trap_call *c)
{
	move(c, AT_FDCWD, trap_arg(c, 0), AT_FDCWD, trap_arg(c, 1), 0);
}

void handle_renameat(struct trap_call *c)
{
	move(c, (int)trap_arg(c, 0), trap_arg(c, 1), (int)trap_arg(c, 2), trap_arg(c, 3), 0);
}

void handle_renameat2(struct trap_call *c)
{
	move(c, (int)trap_arg(c, 0), trap_arg(c, 1), (int)trap_arg(c, 2), trap_arg(c, 3), (unsigned)trap_arg(c, 4));
}

/* ---- linking ------------------------------------------------------------------------ */

static void make_link(struct trap_call *c, int fromfd, uint64_t from, int tofd, uint64_t to, int flags)
{
	cleanup_object struct object a = {.fd = -1, .parent = -1}, b = {.fd = -1, .parent = -1};
	unsigned how = (flags & AT_SYMLINK_FOLLOW ? 0 : RESOLVE_NOFOLLOW) | (flags & AT_EMPTY_PATH ? RESOLVE_EMPTY : 0);
	if ((flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH)) || object_resolve(c, fromfd, from, how, 0, &a) < 0 ||
		a.native) {
		trap_continue(c); /* Landlock judges a link of a file without a name too */
		return;
	}
	if (object_resolve(c, tofd, to, RESOLVE_PARENT, 0, &b) < 0) {
		trap_continue(c);
		return;
	}
	if (b.exists) {
		trap_errno(c, EEXIST);
		return;
	}
	enum judged jb = judge(c, OP_CREATE, b.asked, b.path, NULL);
	if (jb == JUDGED_ANSWERED)
		return;
	bool kernel = jb == JUDGED_KERNEL && policy_kernel_move(c->t->cfg.policy, a.path, b.path, false, true);
	if (continue_if_kernel(c, kernel ? JUDGED_KERNEL : JUDGED_BROKER))
		return;
	/* a second name for something is a way to it: what may not be read and written may not be linked */
	if (judge(c, OP_READ, a.asked, a.path, NULL) == JUDGED_ANSWERED ||
		judge(c, OP_WRITE, a.asked, a.path, NULL) == JUDGED_ANSWERED)
		return;
	char link[40];
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", a.fd);
	if (S_ISLNK(a.st.st_mode))
		finish(c, linkat(a.fd, "", b.parent, b.name, AT_EMPTY_PATH));
	else
		finish(c, linkat(AT_FDCWD, link, b.parent, b.name, AT_SYMLINK_FOLLOW));
}

void handle_link(struct trap_call *c)
{
	make_link(c, AT_FDCWD, trap_arg(c, 0), AT_FDCWD, trap_arg(c, 1), 0);
}

void handle_linkat(struct trap_call *c)
{
	make_link(c, (int)trap_arg(c, 0), trap_arg(c, 1), (int)trap_arg(c, 2), trap_arg(c, 3), (int)trap_arg(c, 4));
}

/* ---- truncating ------------------------------------------------------------------------ */

void handle_truncate(struct trap_call *c)
{
	cleanup_object struct object o = {.fd = -1, .parent = -1};
	int rc = object_resolve(c, AT_FDCWD, trap_arg(c, 0), 0, 0, &o);
	if (rc < 0 || o.native || !S_ISREG(o.st.st_mode)) {
		trap_continue_or(c, rc < 0 ? -rc : S_ISDIR(o.st.st_mode) ? EISDIR : EINVAL);
		return;
	}
	enum judged j =
		created_has(c->t, o.fd) && policy_check_path(c->t->cfg.policy, OP_WRITE, o.path).verdict == VERDICT_NONE
			? JUDGED_BROKER
			: judge(c, OP_WRITE, o.asked, o.path, NULL);
	if (j == JUDGED_ANSWERED || continue_if_kernel(c, j))
		return;
	if (trap_arg(c, 1) > caller_file_limit(c)) {
		trap_errno(c, EFBIG);
		return;
	}
	char link[40];
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", o.fd);
	finish(c, truncate(link, (off_t)trap_arg(c, 1)));
}
