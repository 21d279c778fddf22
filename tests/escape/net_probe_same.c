/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net_probe_same.c - what socket calls answer, one line each. Run with and without a sandbox that allows the
 * addresses, the lines have to be the same (net_same.sh).
 */
#include "net_probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char *const server = "192.0.2.10", *const server6 = "2001:db8::10";

/* struct any - an address of any family. */
struct any {
	socklen_t len;
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_un un;
	} u;
};

static struct any inet(const char *text, unsigned port)
{
	struct any a = {.len = sizeof(a.u.in)};
	a.u.in = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	if (inet_pton(AF_INET, text, &a.u.in.sin_addr) == 1)
		return a;
	a.len = sizeof(a.u.in6);
	a.u.in6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
	inet_pton(AF_INET6, text, &a.u.in6.sin6_addr);
	return a;
}

static struct any local(const char *path)
{
	struct any a = {.len = sizeof(a.u.un)};
	a.u.un = (struct sockaddr_un){.sun_family = AF_UNIX};
	snprintf(a.u.un.sun_path, sizeof(a.u.un.sun_path), "%s", path);
	return a;
}

static void say(const char *what, int rc)
{
	printf("%s: %s\n", what, rc < 0 ? strerrorname_np(errno) : "ok");
	fflush(stdout);
}

static int go(int fd, struct any a)
{
	return connect(fd, &a.u.sa, a.len);
}

static int to_bind(int fd, struct any a)
{
	return bind(fd, &a.u.sa, a.len);
}

static int stream(int family)
{
	return socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static int async(int family)
{
	return socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

static const char *settled(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};
	int err = 0;
	socklen_t len = sizeof(err);
	if (poll(&p, 1, 30000) != 1)
		return "never";
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len);
	return err ? strerrorname_np(err) : "ok";
}

static void peer(const char *what, int fd)
{
	struct any a = {.len = sizeof(a.u)};
	char text[INET6_ADDRSTRLEN] = "";
	if (getpeername(fd, &a.u.sa, &a.len) < 0)
		snprintf(text, sizeof(text), "%s", strerrorname_np(errno));
	else if (a.u.sa.sa_family == AF_INET)
		inet_ntop(AF_INET, &a.u.in.sin_addr, text, sizeof(text));
	else if (a.u.sa.sa_family == AF_INET6)
		inet_ntop(AF_INET6, &a.u.in6.sin6_addr, text, sizeof(text));
	printf("%s: family %d length %u %s\n", what, a.u.sa.sa_family, (unsigned)a.len, text);
}

static void blocking(void)
{
	int fd = stream(AF_INET);
	say("IPv4", go(fd, inet(server, 80)));
	peer("its peer", fd);
	say("again", go(fd, inet(server, 80)));
	say("elsewhere", go(fd, inet(server, 9)));
	fd = stream(AF_INET6);
	say("IPv6", go(fd, inet(server6, 80)));
	peer("its peer", fd);
	fd = stream(AF_INET6);
	say("mapped", go(fd, inet("::ffff:192.0.2.10", 80)));
	peer("its peer", fd);
	const int only = 1;
	fd = stream(AF_INET6);
	setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof(only));
	say("mapped, IPv6 only", go(fd, inet("::ffff:192.0.2.10", 80)));
	say("IPv4 address, IPv6 socket", go(stream(AF_INET6), inet(server, 80)));
	say("IPv6 address, IPv4 socket", go(stream(AF_INET), inet(server6, 80)));
	fd = stream(AF_INET);
	say("refused", go(fd, inet(server, 9)));
	say("then accepted", go(fd, inet(server, 80)));
	say("refused by IPv6", go(stream(AF_INET6), inet(server6, 9)));
	say("unreachable network", go(stream(AF_INET), inet("203.0.113.1", 80)));
	say("prohibited", go(stream(AF_INET), inet("203.0.113.129", 80)));
	say("black hole", go(stream(AF_INET), inet("203.0.113.193", 80)));
	say("no such neighbour", go(stream(AF_INET), inet("192.0.2.200", 80)));
	say("no answer", go(stream(AF_INET), inet("192.0.2.10", 81)));
	struct any a = inet(server6, 80);
	a.u.in6.sin6_scope_id = 77;
	say("a scope that means nothing", go(stream(AF_INET6), a));
	a.len = offsetof(struct sockaddr_in6, sin6_scope_id);
	say("no scope", go(stream(AF_INET6), a));
}

static void non_blocking(void)
{
	int fd = async(AF_INET);
	say("in progress", go(fd, inet(server, 80)));
	printf("then: %s\n", settled(fd));
	say("again", go(fd, inet(server, 80)));
	say("and again", go(fd, inet(server, 80)));
	fd = async(AF_INET);
	say("refused in progress", go(fd, inet(server, 9)));
	printf("then: %s\n", settled(fd));
	fd = async(AF_INET);
	say("waiting", go(fd, inet("192.0.2.200", 80)));
	say("already", go(fd, inet("192.0.2.200", 80)));
	say("elsewhere meanwhile", go(fd, inet(server, 80)));
	printf("then: %s\n", settled(fd));
	fd = async(AF_INET6);
	say("IPv6 in progress", go(fd, inet(server6, 80)));
	printf("then: %s\n", settled(fd));
	say("unreachable at once", go(async(AF_INET), inet("203.0.113.1", 80)));
	fd = async(AF_INET);
	const int on = 1;
	say("fast open set", setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &on, sizeof(on)));
	(void)go(fd, inet(server, 83));
	const struct timeval limit = {.tv_sec = 10};
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	char byte = 0;
	while (send(fd, "x", 1, MSG_NOSIGNAL) < 0 && (errno == EAGAIN || errno == EINPROGRESS || errno == ENOTCONN))
		settled(fd);
	fcntl(fd, F_SETFL, 0);
	say("then answered", (int)recv(fd, &byte, 1, 0));
}

static void states(void)
{
	struct any none = {.len = sizeof(none.u.in), .u.sa.sa_family = AF_UNSPEC};
	int fd = stream(AF_INET);
	say("dissolved before", go(fd, none));
	say("connected", go(fd, inet(server, 80)));
	say("dissolved", go(fd, none));
	peer("no peer", fd);
	say("connected anew", go(fd, inet(server, 80)));
	none.len = 1;
	say("one byte", go(fd, none));
	none.len = 0;
	say("no byte", go(fd, none));
	fd = stream(AF_INET);
	struct any any = inet("127.0.0.1", 4999);
	say("bound", to_bind(fd, any));
	say("bound again", to_bind(fd, any));
	say("listening", listen(fd, 5));
	say("listening again", listen(fd, 50));
	say("a listener connects", go(fd, inet(server, 80)));
	int second = stream(AF_INET);
	getsockname(fd, &any.u.sa, &any.len);
	say("in use", to_bind(second, any));
	say("to the listener", go(second, any));
	say("listening while connected", listen(second, 5));
	say("a pipe", go(STDIN_FILENO, inet(server, 80)));
	say("not bound to somebody else's address", to_bind(stream(AF_INET), inet("192.0.2.10", 0)));
	say("bound with a short address", bind(stream(AF_INET), &any.u.sa, 8));
	say("bound with another family", to_bind(stream(AF_INET), inet("::1", 0)));
	say("bound at a bad address", bind(stream(AF_INET), (struct sockaddr *)8, sizeof(struct sockaddr_in)));
	say("listening on a file", listen(STDIN_FILENO, 5));
	say("listening on nothing", listen(999, 5));
}

static void units(const char *dir)
{
	char path[100], gone[100];
	snprintf(path, sizeof(path), "%s/same.sock", dir);
	snprintf(gone, sizeof(gone), "%s/gone.sock", dir);
	unlink(path);
	unlink(gone);
	struct any a = local(path), b = local(gone), file = local("/etc/hosts"), missing = local("/etc/none/x");
	int fd = stream(AF_UNIX), one = stream(AF_UNIX);
	say("Unix socket bound", to_bind(fd, a));
	say("Unix socket bound again", to_bind(stream(AF_UNIX), a));
	say("before listening", go(one, a));
	say("listening", listen(fd, 1));
	say("connected", go(one, a));
	say("twice", go(one, a));
	say("the wrong type", go(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), a));
	say("a full queue, not blocking", go(async(AF_UNIX), a));
	int last = async(AF_UNIX);
	say("and more", go(last, a));
	say("and more", go(async(AF_UNIX), a));
	say("a file", go(stream(AF_UNIX), file));
	say("nothing", go(stream(AF_UNIX), missing));
	int stale = stream(AF_UNIX);
	say("bound to be left", to_bind(stale, b));
	close(stale);
	say("left behind", go(stream(AF_UNIX), b));
	b.u.un.sun_path[0] = '\0';
	b.len = offsetof(struct sockaddr_un, sun_path) + 20;
	say("an abstract name of nobody", go(stream(AF_UNIX), b));
	struct any empty = {.len = sizeof(sa_family_t), .u.sa.sa_family = AF_UNIX};
	say("no name", go(stream(AF_UNIX), empty));
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	say("a name of the kernel's choice", to_bind(fd, empty));
	empty.len = sizeof(empty.u);
	getsockname(fd, &empty.u.sa, &empty.len);
	printf("its length: %u\n", (unsigned)empty.len);
	say("listening", listen(fd, 5));
	say("sequenced packets", go(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), empty));
	a.len = sizeof(a.u.un) + 1;
	say("an address that is too long", go(stream(AF_UNIX), a));
	say("an internet address", go(stream(AF_UNIX), inet(server, 80)));
}

int cmd_same(char **v)
{
	signal(SIGPIPE, SIG_IGN);
	if (strcmp(v[0], "blocking") == 0)
		blocking();
	else if (strcmp(v[0], "nonblocking") == 0)
		non_blocking();
	else if (strcmp(v[0], "states") == 0)
		states();
	else
		units(v[0]);
	return 0;
}
