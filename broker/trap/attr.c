/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attr.c - mode, owner, times and extended attributes, by path and by descriptor.
 *
 * Landlock judges none of these, so none is ever continued: the broker reads the
 * arguments once, decides on the pinned object and acts on it. A read-only grant
 * does not let a program change modes, not even through a descriptor it has.
 */
#include "trap/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/xattr.h>
#include <time.h>
#include <utime.h>

enum attr_kind { ATTR_MODE, ATTR_OWNER, ATTR_TIMES, ATTR_SET, ATTR_REMOVE };
enum attr_time { TIME_SPEC, TIME_VAL, TIME_BUF };

/* Where each call has its arguments; -1 where it has none. */
static const struct attr_row {
	const char *name;
	enum attr_kind kind;
	signed char fd, dirfd, path, value, flags; /* argument numbers */
	enum attr_time time;
	bool nofollow;
} rows[] = {
	{"chmod", ATTR_MODE, -1, -1, 0, 1, -1, 0, false},
	{"fchmod", ATTR_MODE, 0, -1, -1, 1, -1, 0, false},
	{"fchmodat", ATTR_MODE, -1, 0, 1, 2, -1, 0, false},
	{"fchmodat2", ATTR_MODE, -1, 0, 1, 2, 3, 0, false},
	{"chown", ATTR_OWNER, -1, -1, 0, 1, -1, 0, false},
	{"lchown", ATTR_OWNER, -1, -1, 0, 1, -1, 0, true},
	{"fchown", ATTR_OWNER, 0, -1, -1, 1, -1, 0, false},
	{"fchownat", ATTR_OWNER, -1, 0, 1, 2, 4, 0, false},
	{"utime", ATTR_TIMES, -1, -1, 0, 1, -1, TIME_BUF, false},
	{"utimes", ATTR_TIMES, -1, -1, 0, 1, -1, TIME_VAL, false},
	{"futimesat", ATTR_TIMES, -1, 0, 1, 2, -1, TIME_VAL, false},
	{"utimensat", ATTR_TIMES, -1, 0, 1, 2, 3, TIME_SPEC, false},
	{"setxattr", ATTR_SET, -1, -1, 0, 1, -1, 0, false},
	{"lsetxattr", ATTR_SET, -1, -1, 0, 1, -1, 0, true},
	{"fsetxattr", ATTR_SET, 0, -1, -1, 1, -1, 0, false},
	{"removexattr", ATTR_REMOVE, -1, -1, 0, 1, -1, 0, false},
	{"lremovexattr", ATTR_REMOVE, -1, -1, 0, 1, -1, 0, true},
	{"fremovexattr", ATTR_REMOVE, 0, -1, -1, 1, -1, 0, false},
};

/* struct change - the arguments, read once. */
struct change {
	enum attr_kind kind;
	mode_t mode;
	uid_t uid;
	gid_t gid;
	bool now; /* times: a NULL pointer */
	struct timespec times[2];
	char name[XATTR_NAME_MAX + 1];
	char *value;
	size_t size;
	int flags;
};

static int read_times(struct trap_call *c, const struct attr_row *r, struct change *ch)
{
	uint64_t at = trap_arg(c, (unsigned)r->value);
	if (at == 0) {
		ch->times[0].tv_nsec = ch->times[1].tv_nsec = UTIME_NOW;
		return 0;
	}
	if (r->time == TIME_SPEC)
		return trap_read(c, at, ch->times, sizeof(ch->times));
	if (r->time == TIME_BUF) {
		struct utimbuf b = {0};
		int rc = trap_read(c, at, &b, sizeof(b));
		ch->times[0].tv_sec = b.actime;
		ch->times[1].tv_sec = b.modtime;
		return rc;
	}
	struct timeval tv[2];
	int rc = trap_read(c, at, tv, sizeof(tv));
	for (int i = 0; i < 2 && rc == 0; i++) {
		if (tv[i].tv_usec < 0 || tv[i].tv_usec > 999999)
			return -EINVAL;
		ch->times[i] = (struct timespec){tv[i].tv_sec, tv[i].tv_usec * 1000};
	}
	return rc;
}

static int read_xattr(struct trap_call *c, const struct attr_row *r, struct change *ch)
{
	ssize_t n = trap_read_string(c, trap_arg(c, 1), ch->name, sizeof(ch->name));
	if (n <= 0)
		return n == 0 || n == -ENAMETOOLONG ? -ERANGE : (int)n;
	/* these take capabilities that the broker may have and the program has not: file capabilities, labels */
	if (str_starts(ch->name, "security.") || str_starts(ch->name, "trusted."))
		return -EPERM;
	if (r->kind == ATTR_REMOVE)
		return 0;
	ch->size = (size_t)trap_arg(c, 3);
	ch->flags = (int)trap_arg(c, 4);
	if (ch->size > XATTR_SIZE_MAX)
		return -E2BIG;
	ch->value = xmalloc(ch->size);
	return ch->size ? trap_read(c, trap_arg(c, 2), ch->value, ch->size) : 0;
}

static int read_change(struct trap_call *c, const struct attr_row *r, struct change *ch)
{
	ch->kind = r->kind;
	unsigned v = (unsigned)r->value;
	switch (r->kind) {
	case ATTR_MODE:
		ch->mode = (mode_t)trap_arg(c, v) & 07777;
		return 0;
	case ATTR_OWNER:
		ch->uid = (uid_t)trap_arg(c, v);
		ch->gid = (gid_t)trap_arg(c, v + 1);
		return 0;
	case ATTR_TIMES:
		return read_times(c, r, ch);
	case ATTR_SET:
	case ATTR_REMOVE:
		return read_xattr(c, r, ch);
	}
	return -EINVAL;
}

/* Act on the pinned object. O_PATH descriptors take no f*() calls: their own link in /proc leads to them. */
static int act(const struct object *o, const struct change *ch, bool by_fd)
{
	char link[40];
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", o->fd);
	bool is_link = S_ISLNK(o->st.st_mode);
	switch (ch->kind) {
	case ATTR_MODE:
		if (is_link) {
			errno = EOPNOTSUPP;
			return -1;
		}
		return by_fd ? fchmod(o->fd, ch->mode) : chmod(link, ch->mode);
	case ATTR_OWNER:
		return by_fd ? fchown(o->fd, ch->uid, ch->gid) : fchownat(o->fd, "", ch->uid, ch->gid, AT_EMPTY_PATH);
	case ATTR_TIMES:
		return by_fd ? futimens(o->fd, ch->times) : utimensat(o->fd, "", ch->times, AT_EMPTY_PATH);
	case ATTR_SET:
		return by_fd ? fsetxattr(o->fd, ch->name, ch->value, ch->size, ch->flags)
			     : setxattr(link, ch->name, ch->value, ch->size, ch->flags);
	case ATTR_REMOVE:
		return by_fd ? fremovexattr(o->fd, ch->name) : removexattr(link, ch->name);
	}
	errno = EINVAL;
	return -1;
}

/* The errno with which the file's owner and mode refuse the change, whatever the policy says; 0 when they don't. */
static int refused_by_owner(const struct object *o, const struct change *ch)
{
	bool now = ch->times[0].tv_nsec == UTIME_NOW && ch->times[1].tv_nsec == UTIME_NOW;
	bool by_mode = ch->kind == ATTR_SET || ch->kind == ATTR_REMOVE || (ch->kind == ATTR_TIMES && now);
	if (geteuid() == 0 || o->st.st_uid == geteuid())
		return 0;
	return !by_mode ? EPERM : faccessat(AT_FDCWD, o->path, W_OK, AT_EACCESS) < 0 && errno == EACCES ? EACCES : 0;
}

static bool allowed(struct trap_call *c, const struct object *o, const struct change *ch)
{
	int err = refused_by_owner(o, ch);
	if (err) {
		trap_errno(c, err);
		return false;
	}
	if (created_has(c->t, o->fd) && policy_check_path(c->t->cfg.policy, OP_ATTR, o->path).verdict == VERDICT_NONE)
		return true;
	return judge(c, OP_ATTR, o->asked, o->path, NULL) != JUDGED_ANSWERED;
}

/*
 * "." where the caller stands in a directory that was removed: it has no path any more, as with a descriptor of it.
 * Return: 0 or -ENOENT.
 */
static int removed_directory(struct trap_call *c, int dirfd, struct object *o)
{
	if (strcmp(o->asked, ".") != 0)
		return -ENOENT;
	o->fd = caller_dir(c, dirfd);
	o->native = o->fd >= 0 && fstat(o->fd, &o->st) == 0 && S_ISDIR(o->st.st_mode) && o->st.st_nlink == 0;
	return o->native ? 0 : -ENOENT;
}

/* utimensat(fd, NULL, ...) and AT_EMPTY_PATH mean the descriptor itself. */
static int find_object(struct trap_call *c, const struct attr_row *r, struct object *o, bool *by_fd)
{
	int flags = r->flags >= 0 ? (int)trap_arg(c, (unsigned)r->flags) : 0;
	int dirfd = r->dirfd >= 0 ? (int)trap_arg(c, (unsigned)r->dirfd) : AT_FDCWD;
	uint64_t path = r->path >= 0 ? trap_arg(c, (unsigned)r->path) : 0;
	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	*by_fd = r->fd >= 0 || (r->kind == ATTR_TIMES && r->dirfd >= 0 && path == 0 && dirfd != AT_FDCWD);
	if (*by_fd)
		return object_of_fd(c, r->fd >= 0 ? (int)trap_arg(c, (unsigned)r->fd) : dirfd, o);
	unsigned how = (r->nofollow || (flags & AT_SYMLINK_NOFOLLOW) ? RESOLVE_NOFOLLOW : 0) |
		       (flags & AT_EMPTY_PATH ? RESOLVE_EMPTY : 0);
	int rc = object_resolve(c, dirfd, path, how, 0, o);
	if (rc == -ENOENT)
		return removed_directory(c, dirfd, o);
	/* a descriptor's link to something without a path */
	return rc == 0 && o->native ? -EACCES : rc;
}

void handle_attr(struct trap_call *c)
{
	const struct attr_row *r = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(rows) && !r; i++)
		if (strcmp(rows[i].name, c->row->name) == 0)
			r = &rows[i];
	if (!r) {
		trap_errno(c, ENOSYS); /* newer spellings: libraries fall back to the older ones */
		return;
	}
	cleanup_object struct object o = {.fd = -1, .parent = -1};
	struct change ch = {0};
	bool by_fd = false;
	int rc = find_object(c, r, &o, &by_fd);
	if (rc == 0)
		rc = read_change(c, r, &ch);
	if (rc < 0) {
		trap_errno(c, -rc);
	} else if (o.native || allowed(c, &o, &ch)) { /* a pipe or socket of its own has no path to protect */
		rc = act(&o, &ch, by_fd);
		int err = errno;
		object_close(&o); /* the caller runs on this processor as soon as it is answered */
		if (rc < 0)
			trap_errno(c, err);
		else
			trap_value(c, 0);
	}
	free(ch.value);
}
