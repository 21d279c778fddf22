/* SPDX-License-Identifier: Apache-2.0 */
/*
 * control.c - the session's two sockets, served in the broker's main thread.
 *
 * Theory of operation
 * -------------------
 * The control socket is for the person's commands in other terminals; the tree
 * socket takes a handshake and URLs to open, nothing else. Who is at the other
 * end is the kernel's word:
 *
 *  - Control: a process of this user (or root) without more seccomp filters
 *    than the broker has. Everything sandboxed by any session has one more, and
 *    cannot take it off. The policy closes the socket's path to every tree as
 *    well; this check holds where nothing traps connect().
 *  - Tree: connect() of a trapped program is made by the broker on the
 *    program's own socket, so the kernel would name the broker as the peer.
 *    session_tree_connect() therefore connects and accepts in one step and
 *    keeps the caller's identity, which it has from the notification. A peer
 *    that connected by itself (kernel-only mode) has to be in the tree.
 *
 * A pidfd taken when the connection was made says whether the process is still
 * the one it was. Connections that do not greet, and those of the tree that do not ask
 * for anything, are closed after a moment; both sockets have limits of their own,
 * so that the tree cannot keep the person out.
 */
#include "session/control.h"
#include "session/internal.h"

#include "approve/approve.h"
#include "open/open.h"
#include "proto/proto.h"
#include "sandbox/kernel_abi.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/un.h>

#define CONNECTIONS_MAX 64 /* on each socket */
#define SILENCE_S 5        /* until the greeting, and on the tree's until the request */

struct connection {
	struct control *control;
	struct event *event;
	int fd;
	bool tree;
	bool greeted;
	pid_t tgid;
	int pidfd;
	uint64_t request; /* what it asked the open room for; one request a connection */
	struct connection *next;
};

struct control {
	struct control_config cfg;
	int control_fd, tree_fd;
	int tree_node, wake_fd; /* O_PATH of the tree socket; eventfd */
	struct event *control_event, *tree_event, *adopt_event;
	struct connection *list;
	unsigned n[2];        /* connections: of persons, of the tree */
	pthread_mutex_t lock; /* tree_fd's queue and adopted */
	struct connection *adopted;
};

/* The session's tree socket, for session_tree_connect(): a broker serves one session. */
static struct control *serving;
static pthread_mutex_t serving_lock = PTHREAD_MUTEX_INITIALIZER;

/* Whether the process has not ended. */
static bool pidfd_alive(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	return poll(&p, 1, 0) == 0;
}

static void connection_close(struct connection *c)
{
	struct connection **at = &c->control->list;
	while (*at && *at != c)
		at = &(*at)->next;
	if (*at) {
		*at = c->next;
		c->control->n[c->tree]--;
	}
	if (!c->tree && c->control->cfg.approve)
		approve_unserve(c->control->cfg.approve, c->fd);
	if (c->request)
		open_url_gone(c->control->cfg.open, c->request);
	if (c->event)
		event_free(c->event);
	close(c->fd);
	close(c->pidfd);
	free(c);
}

static int answer(int fd, int status, const char *text)
{
	struct msg m = {.type = MSG_RESULT, .status = status, .text = (char *)text};
	return msg_send(fd, &m, NULL);
}

/* The opener was started, or not: tell the program that asked. Any thread; @data is a descriptor of its own. */
static void url_done(void *data, const char *problem)
{
	int fd = (int)(intptr_t)data;
	answer(fd, problem ? EACCES : 0, problem ? problem : "opened");
	close(fd);
}

/* A message of the tree. Return: -1 to close the connection. */
static int serve_tree(struct connection *c, const struct msg *m)
{
	if (m->type != MSG_OPEN_URL || !m->url || c->request || !pidfd_alive(c->pidfd))
		return -1;
	if (!c->control->cfg.open)
		return answer(c->fd, ENOSYS, "this session opens no pages");
	/* the answer may come after the connection has gone */
	int fd = fcntl(c->fd, F_DUPFD_CLOEXEC, 3);
	if (fd < 0)
		return -1;
	event_remove_timer(c->event);
	c->request = open_url(c->control->cfg.open, c->tgid, m->url, strlen(m->url), url_done, (void *)(intptr_t)fd);
	return 0;
}

/* A message of the person's command line. Return: -1 to close the connection. */
static int serve_control(struct connection *c, const struct msg *m)
{
	struct approve *a = c->control->cfg.approve;
	return a ? approve_serve(a, c->fd, m, NULL) : answer(c->fd, ENOSYS, "this session asks for nothing");
}

static void on_message(evutil_socket_t fd, short what, void *data)
{
	struct connection *c = data;
	if (what & EV_TIMEOUT) {
		connection_close(c);
		return;
	}
	cleanup_msg struct msg m = {0};
	cleanup_err struct err *e = NULL;
	int r = msg_recv((int)fd, &m, 0, &e);
	if (r < 0 && e && (e->code == EAGAIN || e->code == ETIMEDOUT))
		return;
	if (r <= 0) {
		if (e && e->code == EPROTONOSUPPORT)
			answer((int)fd, EPROTONOSUPPORT, err_msg(e));
		connection_close(c);
		return;
	}
	int rc = -1;
	/* one greeting: more answers than are read would hold this thread up */
	if (m.type == MSG_HELLO && !c->greeted) {
		struct msg hello = {.type = MSG_HELLO, .text = (char *)NONO_VERSION};
		rc = msg_send((int)fd, &hello, NULL);
		c->greeted = true;
		if (!c->tree)
			event_remove_timer(c->event);
	} else if (c->greeted) {
		rc = c->tree ? serve_tree(c, &m) : serve_control(c, &m);
	}
	if (rc < 0)
		connection_close(c);
}

/* Take a connection into the event loop; main thread only. Owns @fd. */
static void adopt(struct control *k, int fd, int pidfd, bool tree, pid_t tgid)
{
	static const struct timeval silence = {.tv_sec = SILENCE_S};
	if (k->n[tree] >= CONNECTIONS_MAX) {
		close(fd);
		close(pidfd);
		return;
	}
	struct connection *c = xcalloc(1, sizeof(*c));
	*c = (struct connection){.control = k, .fd = fd, .pidfd = pidfd, .tree = tree, .tgid = tgid, .next = k->list};
	c->event = event_new(k->cfg.base, fd, EV_READ | EV_PERSIST, on_message, c);
	k->list = c;
	k->n[tree]++;
	if (!c->event || event_add(c->event, &silence) < 0)
		connection_close(c);
}

/* Whether the peer of @fd may use the socket. Return: a pidfd of it, or -1. */
static int peer_allowed(int fd, bool tree, struct ucred *peer)
{
	int pid_fd;
	socklen_t len = sizeof(*peer), size = sizeof(pid_fd);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, peer, &len) < 0)
		return -1;
	if (peer->uid != geteuid() && peer->uid != 0)
		return -1;
	/* before 6.5 the process may have ended since; then another one may have its number, and is judged by itself */
	if (getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &pid_fd, &size) < 0)
		pid_fd = pidfd_open(peer->pid, 0);
	if (pid_fd < 0)
		return -1;
	bool good = tree ? tree_has(getpid(), peer->pid) : !tree_filtered(peer->pid);
	if (good && pidfd_alive(pid_fd)) /* looked at last: what was judged is what connected */
		return pid_fd;
	close(pid_fd);
	return -1;
}

static void on_control(evutil_socket_t fd, short what, void *data)
{
	(void)what;
	struct control *k = data;
	struct ucred peer;
	int conn = accept4((int)fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (conn < 0)
		return;
	int pid_fd = peer_allowed(conn, false, &peer);
	if (pid_fd >= 0)
		adopt(k, conn, pid_fd, false, peer.pid);
	else
		close(conn);
}

static void on_tree(evutil_socket_t fd, short what, void *data)
{
	(void)what;
	struct control *k = data;
	struct ucred peer;
	pthread_mutex_lock(&k->lock);
	int conn = accept4((int)fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	pthread_mutex_unlock(&k->lock);
	if (conn < 0)
		return;
	int pid_fd = peer_allowed(conn, true, &peer);
	if (pid_fd >= 0)
		adopt(k, conn, pid_fd, true, peer.pid);
	else
		close(conn);
}

/* Connections that session_tree_connect() made on other threads. */
static void on_adopted(evutil_socket_t fd, short what, void *data)
{
	(void)what;
	struct control *k = data;
	uint64_t count;
	if (fd >= 0 && read((int)fd, &count, sizeof(count)) < 0)
		return;
	pthread_mutex_lock(&k->lock);
	struct connection *c = k->adopted;
	k->adopted = NULL;
	pthread_mutex_unlock(&k->lock);
	while (c) {
		struct connection *next = c->next;
		adopt(k, c->fd, c->pidfd, true, c->tgid);
		free(c);
		c = next;
	}
}

/* Connect and accept in one step. The lock is held: the next connection with our own pid is this one. */
static int connect_locked(struct control *k, int fd, pid_t tgid)
{
	/* by the inode: the path may be longer than an address, and nobody can have replaced it */
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	snprintf(a.sun_path, sizeof(a.sun_path), "/proc/self/fd/%d", k->tree_node);
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		return -errno;
	for (;;) {
		struct ucred peer;
		socklen_t size = sizeof(peer);
		int conn = accept4(k->tree_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (conn < 0)
			return -ECONNREFUSED;
		if (getsockopt(conn, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 || peer.pid != getpid()) {
			close(conn); /* somebody who is not in the tree */
			continue;
		}
		/* the caller still waits for its connect(), so the number is its own */
		int pid_fd = pidfd_open(tgid, 0);
		if (pid_fd < 0) {
			close(conn);
			return -ECONNREFUSED;
		}
		struct connection *c = xcalloc(1, sizeof(*c));
		*c = (struct connection){.fd = conn, .pidfd = pid_fd, .tgid = tgid, .next = k->adopted};
		k->adopted = c;
		return 0;
	}
}

int session_tree_connect(int fd, pid_t tgid)
{
	pthread_mutex_lock(&serving_lock);
	struct control *k = serving;
	int rc = -ECONNREFUSED;
	if (k) {
		pthread_mutex_lock(&k->lock);
		rc = connect_locked(k, fd, tgid);
		pthread_mutex_unlock(&k->lock);
		if (rc == 0 && eventfd_write(k->wake_fd, 1) < 0)
			rc = -ECONNREFUSED;
	}
	pthread_mutex_unlock(&serving_lock);
	return rc;
}

static struct event *listen_event(struct control *k, const char *path, int *fd, event_callback_fn on, struct err **e)
{
	*fd = msg_listen(path, e);
	if (*fd < 0)
		return NULL;
	evutil_make_socket_nonblocking(*fd);
	struct event *ev = event_new(k->cfg.base, *fd, EV_READ | EV_PERSIST, on, k);
	if (!ev || event_add(ev, NULL) < 0)
		err_set(e, ENOMEM, "cannot serve %s", path);
	return ev;
}

int control_start(struct control **out, const struct control_config *cfg, struct err **e)
{
	struct control *k = xcalloc(1, sizeof(*k));
	*k = (struct control){.cfg = *cfg, .control_fd = -1, .tree_fd = -1, .tree_node = -1};
	pthread_mutex_init(&k->lock, NULL);
	cleanup_err struct err *first = NULL;
	k->control_event = listen_event(k, cfg->control_path, &k->control_fd, on_control, &first);
	if (!first)
		k->tree_event = listen_event(k, cfg->tree_path, &k->tree_fd, on_tree, &first);
	k->tree_node = open(cfg->tree_path, O_PATH | O_CLOEXEC | O_NOFOLLOW);
	k->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	k->adopt_event = event_new(cfg->base, k->wake_fd, EV_READ | EV_PERSIST, on_adopted, k);
	if (!first && (k->tree_node < 0 || k->wake_fd < 0 || !k->adopt_event || event_add(k->adopt_event, NULL) < 0))
		err_set(&first, ENOMEM, "cannot serve the session's sockets");
	if (first) {
		control_stop(k);
		*e = steal_ptr(&first);
		return -1;
	}
	pthread_mutex_lock(&serving_lock);
	serving = k;
	pthread_mutex_unlock(&serving_lock);
	*out = k;
	return 0;
}

void control_stop(struct control *k)
{
	if (!k)
		return;
	pthread_mutex_lock(&serving_lock);
	serving = serving == k ? NULL : serving;
	pthread_mutex_unlock(&serving_lock);
	on_adopted(-1, 0, k);
	while (k->list)
		connection_close(k->list);
	struct event *events[] = {k->control_event, k->tree_event, k->adopt_event};
	for (size_t i = 0; i < ARRAY_SIZE(events); i++)
		if (events[i])
			event_free(events[i]);
	const int fds[] = {k->control_fd, k->tree_fd, k->tree_node, k->wake_fd};
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		if (fds[i] >= 0)
			close(fds[i]);
	pthread_mutex_destroy(&k->lock);
	free(k);
}
