/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unix.c - connect() and bind() for Unix sockets.
 *
 * A path is resolved in the caller's view (its working directory, its root, its own
 * /proc/self/fd/N) without magic links to a pinned inode; the decision is about the
 * inode's canonical path, and the call is made through the pinned descriptor. So
 * links to a closed socket lead nowhere, and nothing can be exchanged in between.
 *
 * Abstract names are outside the file system, and Landlock's scope would judge the
 * broker, not the tree: where the profile restricts them, only names that a socket of
 * the tree holds are connected to.
 *
 * The other end sees the broker as its peer (SO_PEERCRED): same user, other process.
 */
#include "net/internal.h"

#include "session/session.h"
#include "sandbox/kernel_abi.h"
#include "sandbox/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* sun_path may fill its 108 bytes without a final NUL. */
static void copy_path(const struct sock_call *s, char *path)
{
	size_t n = s->len - offsetof(struct sockaddr_un, sun_path);
	n = n < sizeof(s->addr.un.sun_path) ? n : sizeof(s->addr.un.sun_path);
	memcpy(path, s->addr.un.sun_path, n);
	path[n] = '\0';
}

/* A path beginning with the caller's own descriptor: /proc/self/fd/N or /proc/self/fd/N/rest. */
static int own_descriptor(struct trap_call *c, const char **path)
{
	int fd, end = 0;
	if ((sscanf(*path, "/proc/self/fd/%9d%n", &fd, &end) == 1 ||
		    sscanf(*path, "/proc/thread-self/fd/%9d%n", &fd, &end) == 1 ||
		    sscanf(*path, "/dev/fd/%9d%n", &fd, &end) == 1) &&
		((*path)[end] == '/' || (*path)[end] == '\0')) {
		*path += end + strspn(*path + end, "/");
		if (!**path)
			*path = ".";
		return trap_get_fd(c, fd);
	}
	return -ENOENT;
}

/* Where resolution of *@path starts; *@path becomes relative to it. Return: O_PATH descriptor or -errno. */
static int start_dir(struct trap_call *c, const char **path)
{
	int fd = own_descriptor(c, path);
	if (fd != -ENOENT)
		return fd;
	char proc[40];
	bool absolute = (*path)[0] == '/';
	snprintf(proc, sizeof(proc), "/proc/%d/%s", (int)trap_tid(c), absolute ? "root" : "cwd");
	cleanup_fd int dir = open(proc, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return -errno;
	if (!trap_alive(c))
		return -ESRCH;
	while (absolute && **path == '/')
		++*path;
	if (!**path)
		*path = ".";
	return steal_fd(&dir);
}

static int pin(int dir, const char *path, uint64_t flags)
{
	struct open_how how = {.flags = O_PATH | O_CLOEXEC | flags, .resolve = RESOLVE_NO_MAGICLINKS};
	int fd = (int)syscall(SYS_openat2, dir, path, &how, sizeof(how));
	if (fd >= 0)
		return fd;
	return errno == ELOOP ? -EACCES : -errno;
}

static int canonical(int fd, char *path, size_t max)
{
	char proc[40];
	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
	ssize_t n = readlink(proc, path, max - 1);
	if (n < 0 || (size_t)n >= max - 1)
		return n < 0 ? -errno : -ENAMETOOLONG;
	path[n] = '\0';
	return path[0] == '/' ? 0 : -EACCES;
}

/*
 * Services that the C library asks for names and users whenever they are there, and does
 * without: refused without a question and without a line in the report.
 */
static bool name_service(const char *path)
{
	static const char *const places[] = {
		"/run/nscd/", "/run/systemd/resolve/", "/run/systemd/userdb/", "/run/avahi-daemon/"};
	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (str_starts(path, places[i]))
			return true;
	return false;
}

static bool abstract_open(const struct policy *p)
{
	return policy_settings(p)->ipc_mode == IPC_FULL;
}

/* ---- connect ------------------------------------------------------------- */

static void finish(struct trap_call *c, int rc)
{
	if (rc < 0)
		trap_errno(c, -rc);
	else
		trap_value(c, 0);
}

/* It was decided: connect, for datagrams by a carrier (datagram.c). */
static void connect_to(struct trap_call *c, struct sock_call *s, const struct sockaddr_un *un, socklen_t len)
{
	struct net *n = call_net(c);
	int rc;
	if (n && datagram_is(s))
		rc = datagram_connect(n, s->fd, un, len);
	else if (n && datagram_receives(s))
		rc = datagram_reconnect(c, s, un, len);
	else if (!s->nonblock)
		rc = wait_connect(c, s->fd, (const struct sockaddr *)un, len);
	else
		rc = connect(s->fd, (const struct sockaddr *)un, len) < 0 ? -errno : 0;
	finish(c, rc);
}

static void connect_pinned(struct trap_call *c, struct sock_call *s, int pinned)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	snprintf(un.sun_path, sizeof(un.sun_path), "/proc/self/fd/%d", pinned);
	connect_to(c, s, &un, sizeof(un));
}

static void connect_path(struct trap_call *c, struct sock_call *s)
{
	char path[sizeof(s->addr.un.sun_path) + 1], resolved[PATH_MAX];
	copy_path(s, path);
	const char *rest = path;
	cleanup_fd int dir = start_dir(c, &rest);
	cleanup_fd int pinned = dir < 0 ? dir : pin(dir, rest, 0);
	struct stat st;
	int rc = pinned < 0 ? pinned : canonical(pinned, resolved, sizeof(resolved));
	if (rc == 0 && fstat(pinned, &st) == 0 && !S_ISSOCK(st.st_mode))
		rc = -ECONNREFUSED;
	if (rc < 0) {
		trap_errno(c, -rc);
		return;
	}
	const struct trap_config *cfg = trap_cfg(c);
	struct decision d = policy_check_unix(cfg->policy, OP_UNIX_CONNECT, resolved);
	bool own = cfg->tree_socket && strcmp(cfg->tree_socket, resolved) == 0;
	if (own && s->type == SOCK_SEQPACKET) {
		/* the broker's own socket: who is there is decided by the notification, not by the connection */
		finish(c, session_tree_connect(s->fd, trap_tgid(c)));
		return;
	}
	if (d.verdict == VERDICT_ALLOW || (d.verdict != VERDICT_NEVER && trap_once(c, OP_UNIX_CONNECT, resolved))) {
		connect_pinned(c, s, pinned);
		return;
	}
	if (name_service(resolved)) {
		trap_errno(c, ECONNREFUSED);
		return;
	}
	struct trap_object o = {.op = OP_UNIX_CONNECT, .asked = path, .resolved = resolved};
	trap_refuse_or_ask(c, &o, d, EACCES);
}

static void connect_abstract(struct trap_call *c, struct sock_call *s)
{
	struct net *n = call_net(c);
	size_t len = s->len - offsetof(struct sockaddr_un, sun_path) - 1;
	enum holder held = n ? listeners_abstract(n->listeners, s->addr.un.sun_path + 1, len) : HOLDER_FOREIGN;
	if (held != HOLDER_TREE && !abstract_open(trap_cfg(c)->policy))
		trap_errno(c, held == HOLDER_NOBODY ? ECONNREFUSED : EPERM); /* as with Landlock's scope */
	else
		connect_to(c, s, &s->addr.un, s->len);
}

void unix_connect(struct trap_call *c, struct sock_call *s)
{
	if (s->len < sizeof(sa_family_t) || s->addr.sa.sa_family == AF_UNSPEC)
		finish(c, connect(s->fd, &s->addr.sa, s->len) < 0 ? -errno : 0);
	else if (s->addr.sa.sa_family != AF_UNIX || s->len <= offsetof(struct sockaddr_un, sun_path) ||
		 s->len > sizeof(s->addr.un))
		trap_errno(c, EINVAL);
	else if (s->addr.un.sun_path[0])
		connect_path(c, s);
	else
		connect_abstract(c, s);
}

/* ---- bind ---------------------------------------------------------------- */

static mode_t caller_umask(pid_t tid)
{
	char status[4096];
	unsigned mask = 077;
	caller_status(tid, status, sizeof(status));
	const char *at = strstr(status, "\nUmask:");
	if (at)
		(void)sscanf(at, "\nUmask: %o", &mask);
	return (mode_t)mask;
}

/* Every receiver has a working directory and umask of its own. */
static int bind_in(struct trap_call *c, const struct sock_call *s, int dir, const char *name)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	size_t n = strlen(name);
	if (n > sizeof(un.sun_path))
		return -ENAMETOOLONG;
	memcpy(un.sun_path, name, n);
	socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
	if (fchdir(dir) < 0)
		return -errno;
	mode_t before = umask(caller_umask(trap_tid(c)));
	int rc = bind(s->fd, (struct sockaddr *)&un, len) < 0 ? -errno : 0;
	umask(before);
	return chdir("/") < 0 ? -errno : rc;
}

/*
 * Whether the call may go on. Landlock judges the making of sockets as well as it does that of files (MAKE_SOCK), and
 * from ABI 4 on binding an internet socket, should another be put in this one's place; so a race gains nothing. The
 * socket then keeps the name that the program gave, which Go and others ask for later; made on behalf, it has the last
 * part of it only.
 */
static bool kernel_judges(const struct trap_call *c, const char *full)
{
	struct decision d = policy_check_path(trap_cfg(c)->policy, OP_CREATE, full);
	return d.verdict == VERDICT_ALLOW && d.kernel && landlock_abi() >= 4;
}

static void bind_path(struct trap_call *c, struct sock_call *s)
{
	char path[sizeof(s->addr.un.sun_path) + 1], asked[sizeof(path)], resolved[PATH_MAX];
	copy_path(s, path);
	memcpy(asked, path, sizeof(path));
	char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path, *parent = slash ? path : ".";
	cleanup_free char *leaf = xstrdup(name);
	if (slash)
		slash[slash == path] = '\0';
	cleanup_fd int dir = start_dir(c, &parent);
	cleanup_fd int pinned = dir < 0 ? dir : pin(dir, parent, O_DIRECTORY);
	int rc = pinned < 0 ? pinned : canonical(pinned, resolved, sizeof(resolved));
	if (rc == 0 && (!leaf[0] || strcmp(leaf, ".") == 0 || strcmp(leaf, "..") == 0))
		rc = -EADDRINUSE;
	if (rc < 0) {
		trap_errno(c, -rc);
		return;
	}
	cleanup_free char *full = path_join(resolved, leaf);
	struct decision d = policy_check_unix(trap_cfg(c)->policy, OP_UNIX_BIND, full);
	if (d.verdict == VERDICT_ALLOW || (d.verdict != VERDICT_NEVER && trap_once(c, OP_UNIX_BIND, full))) {
		rc = datagram_is(s) ? datagram_receive(c, s) : 0;
		if (rc == 0 && d.verdict == VERDICT_ALLOW && kernel_judges(c, full))
			trap_continue(c);
		else
			finish(c, rc < 0 ? rc : bind_in(c, s, pinned, leaf));
		return;
	}
	struct trap_object o = {.op = OP_UNIX_BIND, .asked = asked, .resolved = full};
	trap_refuse_or_ask(c, &o, d, EACCES);
}

void unix_bind(struct trap_call *c, struct sock_call *s)
{
	struct net *n = call_net(c);
	bool path = s->len > offsetof(struct sockaddr_un, sun_path) && s->addr.un.sun_path[0];
	if (s->len < sizeof(sa_family_t) || s->addr.sa.sa_family != AF_UNIX || s->len > sizeof(s->addr.un)) {
		trap_errno(c, EINVAL);
	} else if (path) {
		bind_path(c, s);
	} else {
		int rc = datagram_is(s) ? datagram_receive(c, s) : 0;
		if (rc == 0) /* abstract, or a name of the kernel's choice */
			rc = bind(s->fd, &s->addr.sa, s->len) < 0 ? -errno : 0;
		if (rc == 0 && n)
			listeners_add(n->listeners, s->fd, trap_tgid(c));
		finish(c, rc);
	}
}
