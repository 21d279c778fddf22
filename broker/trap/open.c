/* SPDX-License-Identifier: Apache-2.0 */
/*
 * open.c - open, openat, openat2, creat.
 *
 * What the kernel grants is continued: Landlock judges the same call again. A path
 * that cannot be looked up is continued as well, so that the program gets the
 * errno it would get without us (ENOENT never asks). Everything else that is
 * allowed is opened here, through the pinned descriptor, with the caller's flags.
 */
#include "trap/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>

struct wish {
	int dirfd;
	uint64_t path, flags, mode, resolve;
};

#define REOPEN_FLAGS                                                                                                   \
	(O_ACCMODE | O_APPEND | O_NONBLOCK | O_DSYNC | O_SYNC | O_DIRECTORY | O_LARGEFILE | O_NOATIME | O_DIRECT |     \
		O_NOCTTY | O_TRUNC | O_ASYNC)

struct reopening {
	char link[40];
	int flags;
};

static int reopen_now(void *arg)
{
	const struct reopening *r = arg;
	return open(r->link, r->flags);
}

/* Open what is pinned: through our own descriptor there is no path left to swap. */
static int reopen(struct trap_call *c, const struct object *o, uint64_t flags)
{
	/* a terminal must not become the broker's */
	struct reopening r = {.flags = (int)(flags & REOPEN_FLAGS) | O_CLOEXEC | O_NOCTTY};
	(void)snprintf(r.link, sizeof(r.link), "/proc/self/fd/%d", o->fd);
	/* a FIFO waits for its other end, a device may wait too */
	if (!(flags & O_NONBLOCK) && (S_ISFIFO(o->st.st_mode) || S_ISCHR(o->st.st_mode)))
		return trap_blocking(c, false, reopen_now, &r);
	int got = reopen_now(&r);
	return got < 0 ? -errno : got;
}

/* A file that session processes may read because they made it. */
static bool own_creation(struct trap_call *c, const struct object *o)
{
	return o->exists && (S_ISREG(o->st.st_mode) || S_ISDIR(o->st.st_mode)) && created_has(c->t, o->fd);
}

/* Decide one operation; a denied read of something the session made is allowed. */
static enum judged judge_object(struct trap_call *c, enum operation op, const struct object *o)
{
	if (op != OP_CREATE && own_creation(c, o)) {
		struct decision d = policy_check_path(c->t->cfg.policy, op, o->path);
		if (d.verdict == VERDICT_NONE)
			return JUDGED_BROKER;
	}
	if (op == OP_READ && o->exists && permit_has(c, o->path) &&
		policy_check_path(c->t->cfg.policy, op, o->path).verdict != VERDICT_NEVER)
		return JUDGED_BROKER; /* it was allowed to run it */
	return judge(c, op, o->asked, o->path, NULL);
}

static enum judged both(enum judged a, enum judged b)
{
	return a > b ? a : b;
}

static enum judged judge_existing(struct trap_call *c, uint64_t flags, const struct object *o)
{
	enum judged all = JUDGED_KERNEL;
	int mode = (int)(flags & O_ACCMODE);
	if (mode == O_RDONLY || mode == O_RDWR)
		all = judge_object(c, OP_READ, o);
	if (all != JUDGED_ANSWERED && (mode != O_RDONLY || (flags & O_TRUNC)))
		all = both(all, judge_object(c, OP_WRITE, o));
	return all;
}

/*
 * A removed file, named by the link of a descriptor. Opening it for what the descriptor was opened for gains nothing.
 * Otherwise, as pipes and files in memory, it is the kernel's to open: Landlock judges the object.
 */
static void open_native(struct trap_call *c, const struct wish *w, const struct object *o)
{
	int has = o->fd < 0 || !S_ISREG(o->st.st_mode) ? -1 : fcntl(o->fd, F_GETFL);
	int mode = (int)(w->flags & O_ACCMODE), had = has & O_ACCMODE;
	bool within = has >= 0 && !(has & O_PATH) && (had == mode || had == O_RDWR) &&
		      (!(has & O_APPEND) || mode == O_RDONLY || (w->flags & O_APPEND)) &&
		      (!(w->flags & O_TRUNC) || (had != O_RDONLY && !(has & O_APPEND)));
	int fd = within ? reopen(c, o, w->flags) : -1;
	if (fd < 0)
		trap_continue(c);
	else
		trap_fd(c, fd, w->flags & O_CLOEXEC);
}

static void open_existing(struct trap_call *c, const struct wish *w, struct object *o)
{
	if (o->native) {
		open_native(c, w, o);
		return;
	}
	const enum judged all = judge_existing(c, w->flags, o);
	if (all == JUDGED_KERNEL && trap_kernel_judges(c)) {
		quick_remember(c, o);
		object_close(o); /* the caller runs on this processor as soon as it is answered */
	}
	if (continue_if_kernel(c, all) || c->answered)
		return;
	if (S_ISLNK(o->st.st_mode)) {
		trap_errno(c, ELOOP);
		return;
	}
	int fd = reopen(c, o, w->flags);
	/* an entry of a process: its number may be another process's by now */
	if (fd >= 0 && str_starts(o->path, "/proc/") &&
		policy_check_path(c->t->cfg.policy, OP_READ, o->path).verdict != VERDICT_ALLOW &&
		!trap_once(c, OP_READ, o->path)) {
		close(fd);
		fd = -EACCES;
	}
	if (fd < 0)
		trap_errno(c, -fd);
	else
		trap_fd(c, fd, w->flags & O_CLOEXEC);
}

/* A new file: made in the pinned parent, with the caller's umask. */
static void open_new(struct trap_call *c, const struct wish *w, struct object *o)
{
	enum judged all = judge_object(c, OP_CREATE, o);
	if (all == JUDGED_ANSWERED || continue_if_kernel(c, all))
		return;
	mode_t old = umask(caller_umask(c));
	/* O_EXCL does not follow a link either; O_NOFOLLOW would be seen by F_GETFL */
	int flags =
		(int)(w->flags & ((REOPEN_FLAGS & ~O_TRUNC) | O_NOFOLLOW)) | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY;
	int fd = openat(o->parent, o->name, flags, (mode_t)w->mode);
	int err = errno;
	umask(old);
	if (fd < 0) {
		/* somebody else was faster: without O_EXCL that is an ordinary open, looked up anew */
		if (err == EEXIST && !(w->flags & O_EXCL) && c->again++ < MOST_AGAIN)
			trap_run(c);
		else
			trap_errno(c, err);
		return;
	}
	created_add(c->t, fd);
	trap_fd(c, fd, w->flags & O_CLOEXEC);
}

static void open_tmpfile(struct trap_call *c, const struct wish *w)
{
	cleanup_object struct object o;
	if (object_resolve(c, w->dirfd, w->path, 0, w->resolve, &o) < 0) {
		trap_continue(c);
		return;
	}
	cleanup_free char *entry = path_join(o.path, "tmpfile");
	enum judged all = judge(c, OP_CREATE, o.asked, entry, NULL);
	if (all == JUDGED_ANSWERED || continue_if_kernel(c, all))
		return;
	mode_t old = umask(caller_umask(c));
	char link[40];
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", o.fd);
	int fd = open(link, (int)(w->flags & REOPEN_FLAGS) | (int)(w->flags & (O_TMPFILE | O_EXCL)) | O_CLOEXEC,
		(mode_t)w->mode);
	int err = errno;
	umask(old);
	if (fd < 0) {
		trap_errno(c, err);
		return;
	}
	created_add(c->t, fd);
	trap_fd(c, fd, w->flags & O_CLOEXEC);
}

/* O_CREAT: the entry decides; a link there leads on, unless O_EXCL or O_NOFOLLOW. */
static void open_create(struct trap_call *c, const struct wish *w)
{
	cleanup_object struct object o;
	int rc = object_resolve(c, w->dirfd, w->path, RESOLVE_PARENT, w->resolve, &o);
	if (rc < 0 || o.trailing_slash) {
		trap_continue_or(c, rc < 0 ? -rc : EISDIR); /* fails by itself */
		return;
	}
	if (!o.exists) {
		open_new(c, w, &o);
		return;
	}
	if (w->flags & O_EXCL) {
		trap_errno(c, EEXIST);
		return;
	}
	if (!S_ISLNK(o.st.st_mode) || (w->flags & O_NOFOLLOW)) {
		open_existing(c, w, &o);
		return;
	}
	cleanup_object struct object target;
	rc = object_resolve(c, w->dirfd, w->path, 0, w->resolve, &target);
	if (rc == 0)
		open_existing(c, w, &target);
	else
		trap_continue_or(c, -rc); /* a dangling link: Landlock judges what the kernel makes of it */
}

static void open_wish(struct trap_call *c, const struct wish *w)
{
	if (w->flags & O_PATH) {
		trap_continue(c); /* gives no access; whatever is done with it is judged then */
		return;
	}
	if ((w->flags & O_TMPFILE) == O_TMPFILE) {
		open_tmpfile(c, w);
		return;
	}
	if (w->flags & O_CREAT) {
		open_create(c, w);
		return;
	}
	cleanup_object struct object o;
	int rc = (int)object_read(c, w->path, 0, &o);
	if (rc > 0 && !w->resolve && quick_open(c, w->dirfd, &o, w->flags))
		return;
	if (rc >= 0)
		rc = object_find(c, w->dirfd, w->flags & O_NOFOLLOW ? RESOLVE_NOFOLLOW : 0, w->resolve, &o);
	if (rc < 0)
		trap_continue_or(c, -rc); /* the same errno from the kernel, or Landlock's judgement */
	else
		open_existing(c, w, &o);
}

void handle_open(struct trap_call *c)
{
	const struct wish w = {.dirfd = AT_FDCWD,
		.path = trap_arg(c, 0),
		.flags = (uint32_t)trap_arg(c, 1),
		.mode = trap_arg(c, 2) & 07777};
	open_wish(c, &w);
}

void handle_creat(struct trap_call *c)
{
	const struct wish w = {.dirfd = AT_FDCWD,
		.path = trap_arg(c, 0),
		.flags = O_CREAT | O_WRONLY | O_TRUNC,
		.mode = trap_arg(c, 1) & 07777};
	open_wish(c, &w);
}

void handle_openat(struct trap_call *c)
{
	const struct wish w = {.dirfd = (int)trap_arg(c, 0),
		.path = trap_arg(c, 1),
		.flags = (uint32_t)trap_arg(c, 2),
		.mode = trap_arg(c, 3) & 07777};
	open_wish(c, &w);
}

void handle_openat2(struct trap_call *c)
{
	struct open_how how = {0};
	uint64_t size = trap_arg(c, 3);
	if (size < sizeof(how) || size > 4096) {
		trap_continue(c); /* EINVAL or E2BIG; were it to work, Landlock judges */
		return;
	}
	int rc = trap_read(c, trap_arg(c, 2), &how, sizeof(how));
	if (rc < 0) {
		trap_errno(c, -rc);
		return;
	}
	const struct wish w = {.dirfd = (int)trap_arg(c, 0),
		.path = trap_arg(c, 1),
		.flags = how.flags,
		.mode = how.mode & 07777,
		.resolve = how.resolve};
	open_wish(c, &w);
}
