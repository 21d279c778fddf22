/* SPDX-License-Identifier: Apache-2.0 */
/*
 * standin.c - datagram sockets where there can be no dead end.
 *
 * Theory of operation
 * -------------------
 * Some systems and containers refuse user namespaces, so no namespace without a way
 * out can be made (deadend.c). An ordinary UDP socket cannot be given out instead:
 * it sends anywhere, each time. What programs mostly want of one is to ask a name
 * server. So socket() gives them one end of a pair of sequenced-packet sockets and
 * the broker's resolver holds the other: messages keep their bounds, and whatever
 * address goes with a send, the kernel ignores it for this kind of socket. Nothing
 * that is done with such a socket leaves the pair.
 *
 * Go, musl, busybox and others that take an answer on the socket they asked on work
 * like this. Who insists on the answer's source address does not: the C library and
 * c-ares, which are told by RES_OPTIONS to ask by TCP (net.c). Connecting to another
 * port than 53 is refused as on a machine without a network, which is also what
 * getaddrinfo() takes as "cannot tell" when it sorts addresses by such connects.
 */
#include "net/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>

#define STANDINS_MAX 512U
#define QUERY_MAX 1500U
#define ANSWER_MAX 4096U

struct standins {
	pthread_mutex_t lock;
	int epoll; /* -1 before the first */
	unsigned n;
};

/** struct asked - a question whose answer has to be waited for. */
struct asked {
	struct net *net;
	int fd;
	size_t len;
	uint8_t query[QUERY_MAX];
};

struct standins *standins_new(void)
{
	struct standins *s = xcalloc(1, sizeof(*s));
	pthread_mutex_init(&s->lock, NULL);
	s->epoll = -1;
	return s;
}

void standins_free(struct standins *s)
{
	if (!s)
		return;
	cleanup_fd_fn(&s->epoll);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

static void *asked_thread(void *arg)
{
	struct asked *a = arg;
	struct net *net = a->net;
	uint8_t out[ANSWER_MAX];
	ssize_t len = dns_answer(net, a->query, a->len, out, true, false);
	if (len > 0)
		(void)send(a->fd, out, (size_t)len, MSG_NOSIGNAL | MSG_DONTWAIT);
	close(a->fd);
	free(a);
	net_thread_done(net);
	return NULL;
}

/* Answer later, on a thread. What cannot be is asked again by the program. */
static void answer_later(struct net *n, int fd, const uint8_t *query, size_t len)
{
	struct asked *a = xcalloc(1, sizeof(*a));
	*a = (struct asked){.net = n, .fd = fcntl(fd, F_DUPFD_CLOEXEC, 3), .len = len};
	memcpy(a->query, query, len);
	if (a->fd >= 0 && net_thread(n, asked_thread, a) == 0)
		return;
	cleanup_fd_fn(&a->fd);
	free(a);
}

/* One message of a program. Return: false when its end is closed. */
static bool serve(struct net *n, int fd, bool hung_up)
{
	uint8_t query[QUERY_MAX], out[ANSWER_MAX];
	ssize_t len = recv(fd, query, sizeof(query), MSG_DONTWAIT);
	if (len <= 0)
		return !hung_up && (len == 0 || errno == EAGAIN || errno == EINTR); /* 0: an empty datagram */
	ssize_t answer = dns_answer(n, query, (size_t)len, out, false, false);
	if (answer > 0)
		(void)send(fd, out, (size_t)answer, MSG_NOSIGNAL | MSG_DONTWAIT);
	else if (answer == -EAGAIN)
		answer_later(n, fd, query, (size_t)len);
	return true;
}

static void *standins_thread(void *arg)
{
	struct net *n = arg;
	struct standins *s = n->standins;
	for (bool stop = false; !stop;) {
		struct epoll_event ready[32];
		int count = epoll_wait(s->epoll, ready, ARRAY_SIZE(ready), -1);
		if (count < 0 && errno != EINTR)
			break;
		for (int i = 0; i < count; i++) {
			int fd = ready[i].data.fd;
			stop = stop || fd == n->stop;
			if (fd == n->stop || serve(n, fd, ready[i].events & (EPOLLHUP | EPOLLERR)))
				continue;
			close(fd);
			pthread_mutex_lock(&s->lock);
			s->n--;
			pthread_mutex_unlock(&s->lock);
		}
	}
	net_thread_done(n);
	return NULL;
}

/* Under the lock. Return: 0 or -errno. */
static int start(struct net *n)
{
	struct standins *s = n->standins;
	if (s->epoll >= 0)
		return 0;
	struct epoll_event stop = {.events = EPOLLIN, .data.fd = n->stop};
	s->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (s->epoll < 0)
		return -errno;
	int rc = epoll_ctl(s->epoll, EPOLL_CTL_ADD, n->stop, &stop) < 0 ? -errno : net_thread(n, standins_thread, n);
	if (rc < 0)
		cleanup_fd_fn(&s->epoll);
	return rc;
}

int standin_socket(struct net *n, int type)
{
	struct standins *s = n->standins;
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	struct epoll_event e = {.events = EPOLLIN, .data.fd = pair[1]};
	pthread_mutex_lock(&s->lock);
	int rc = s->n < STANDINS_MAX ? start(n) : -EMFILE;
	if (rc == 0 && (type & SOCK_NONBLOCK) && fcntl(pair[0], F_SETFL, O_RDWR | O_NONBLOCK) < 0)
		rc = -errno;
	if (rc == 0 && epoll_ctl(s->epoll, EPOLL_CTL_ADD, pair[1], &e) < 0)
		rc = -errno;
	s->n += rc == 0;
	pthread_mutex_unlock(&s->lock);
	if (rc == 0)
		return pair[0];
	close(pair[0]);
	close(pair[1]);
	return rc;
}

bool standin_is(const struct sock_call *s)
{
	struct ucred maker;
	socklen_t len = sizeof(maker);
	sa_family_t family = s->len >= sizeof(sa_family_t) ? s->addr.sa.sa_family : AF_UNIX;
	return s->domain == AF_UNIX && s->type == SOCK_SEQPACKET && family != AF_UNIX &&
	       getsockopt(s->fd, SOL_SOCKET, SO_PEERCRED, &maker, &len) == 0 && maker.pid == getpid();
}

int standin_connect(const struct sock_call *s)
{
	struct host_addr a;
	unsigned port;
	if (s->addr.sa.sa_family == AF_UNSPEC)
		return 0;
	if (!sock_call_host(s, &a, &port))
		return -EINVAL;
	return port == 53 ? 0 : -ENETUNREACH;
}
