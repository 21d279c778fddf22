/* SPDX-License-Identifier: Apache-2.0 */
/* socket.c - messages as packets of a SOCK_SEQPACKET Unix socket (unix(7)). */
#include "proto/proto.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#define HELLO_TIMEOUT_MS 5000
#define SEND_TIMEOUT_MS 1000 /* on a non-blocking descriptor */
#define BACKLOG 64

int msg_send(int fd, const struct msg *m, struct err **e)
{
	cleanup_buf struct buf b = {0};
	if (msg_encode(m, &b, e) < 0)
		return -1;
	ssize_t n;
	while ((n = send(fd, b.data, b.len, MSG_NOSIGNAL)) < 0) {
		struct pollfd p = {.fd = fd, .events = POLLOUT};
		if (errno == EAGAIN && poll(&p, 1, SEND_TIMEOUT_MS) == 0)
			return err_set(e, EAGAIN, "the peer does not read");
		if (errno != EINTR && errno != EAGAIN)
			break;
	}
	return n < 0 ? err_set(e, errno, "cannot send a message") : 0;
}

static int wait_readable(int fd, int timeout_ms, struct err **e)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	int r;
	do {
		r = poll(&p, 1, timeout_ms);
	} while (r < 0 && errno == EINTR);
	if (r < 0)
		return err_set(e, errno, "cannot wait for a message");
	return r == 0 ? err_set(e, ETIMEDOUT, "no message from the peer") : 0;
}

int msg_recv(int fd, struct msg *m, int timeout_ms, struct err **e)
{
	char data[PROTO_MAX];
	*m = (struct msg){0};
	if (timeout_ms >= 0 && wait_readable(fd, timeout_ms, e) < 0)
		return -1;
	ssize_t n;
	do {
		n = recv(fd, data, sizeof data, MSG_TRUNC); /* MSG_TRUNC: the packet's real length */
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_set(e, errno, "cannot receive a message");
	if (n == 0)
		return 0;
	return msg_decode(data, (size_t)n, m, e) < 0 ? -1 : 1;
}

/*
 * Fill @sa for @path. A path that does not fit sun_path is reached through a
 * descriptor of its directory, which stays in *@dirfd while the address is used.
 */
static int address(const char *path, struct sockaddr_un *sa, int *dirfd, struct err **e)
{
	*sa = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (strlen(path) < sizeof sa->sun_path) {
		memcpy(sa->sun_path, path, strlen(path) + 1);
		return 0;
	}
	cleanup_free char *dir = path_dir(path);
	*dirfd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (*dirfd < 0)
		return err_set(e, errno, "cannot open %s", dir);
	int n = snprintf(sa->sun_path, sizeof sa->sun_path, "/proc/self/fd/%d/%s", *dirfd, path_base(path));
	if (n < 0 || (size_t)n >= sizeof sa->sun_path)
		return err_set(e, ENAMETOOLONG, "%s", path);
	return 0;
}

static int open_socket(const char *path, struct sockaddr_un *sa, int *dirfd, struct err **e)
{
	if (address(path, sa, dirfd, e) < 0)
		return -1;
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	return fd < 0 ? err_set(e, errno, "cannot make a socket") : fd;
}

int msg_connect(const char *path, struct err **e)
{
	struct sockaddr_un sa;
	cleanup_fd int dirfd = -1;
	cleanup_fd int fd = open_socket(path, &sa, &dirfd, e);
	if (fd < 0)
		return -1;
	if (connect(fd, (struct sockaddr *)&sa, sizeof sa) < 0)
		return err_set(e, errno, "cannot connect to %s", path);
	char version[] = NONO_VERSION;
	struct msg hello = {.type = MSG_HELLO, .text = version};
	cleanup_msg struct msg answer = {0};
	if (msg_send(fd, &hello, e) < 0)
		return err_wrap(e, "%s", path);
	int r = msg_recv(fd, &answer, HELLO_TIMEOUT_MS, e);
	if (r < 0)
		return err_wrap(e, "%s", path);
	if (r == 0 || answer.type != MSG_HELLO)
		return err_set(e, r == 0 ? ECONNRESET : EPROTO, "%s did not greet", path);
	return steal_fd(&fd);
}

/* Whether nobody listens at the socket any more, so that it may be replaced. */
static bool stale(const struct sockaddr_un *sa)
{
	cleanup_fd int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	return fd >= 0 && connect(fd, (const struct sockaddr *)sa, sizeof *sa) < 0 && errno == ECONNREFUSED;
}

int msg_listen(const char *path, struct err **e)
{
	struct sockaddr_un sa;
	cleanup_fd int dirfd = -1;
	cleanup_fd int fd = open_socket(path, &sa, &dirfd, e);
	if (fd < 0)
		return -1;
	/* bind() gives the new inode the socket's mode, so there is no moment at which others could connect */
	if (fchmod(fd, 0600) < 0)
		return err_set(e, errno, "cannot set the mode of %s", path);
	int r = bind(fd, (struct sockaddr *)&sa, sizeof sa);
	if (r < 0 && errno == EADDRINUSE && stale(&sa) && unlink(sa.sun_path) == 0)
		r = bind(fd, (struct sockaddr *)&sa, sizeof sa);
	if (r < 0)
		return err_set(e, errno, "cannot bind %s", path);
	if (listen(fd, BACKLOG) < 0)
		return err_set(e, errno, "cannot listen on %s", path);
	return steal_fd(&fd);
}
