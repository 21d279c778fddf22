/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net_probe.c - socket calls, well-behaved and hostile, from inside. Each command prints
 * what happened; the scripts beside it say what should have.
 */
#include "net_probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static struct sockaddr_in addr(const char *ip, const char *port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
	inet_pton(AF_INET, ip, &a.sin_addr);
	return a;
}

static int result(int rc)
{
	printf("%s\n", rc < 0 ? strerrorname_np(errno) : "ok");
	fflush(stdout);
	return rc < 0;
}

static int tcp(void)
{
	return socket(AF_INET, SOCK_STREAM, 0);
}

static int do_connect(int fd, struct sockaddr_in a)
{
	return connect(fd, (struct sockaddr *)&a, sizeof(a));
}

static double seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* connect IP PORT */
static int cmd_connect(char **v)
{
	return result(do_connect(tcp(), addr(v[0], v[1])));
}

/* speed IP PORT N: microseconds of one connect() */
static int cmd_speed(char **v)
{
	struct sockaddr_in a = addr(v[0], v[1]);
	int n = atoi(v[2]);
	double total = 0;
	for (int i = 0; i < n; i++) {
		int fd = socket(AF_INET, SOCK_STREAM | (v[3] ? SOCK_NONBLOCK : 0), 0);
		double start = seconds();
		(void)do_connect(fd, a);
		total += seconds() - start;
		close(fd);
	}
	printf("%.1f us\n", total / n * 1e6);
	return 0;
}

/* nonblock IP PORT: what a non-blocking connect says, and what its completion says */
static int cmd_nonblock(char **v)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), err = 0;
	socklen_t len = sizeof(err);
	int rc = do_connect(fd, addr(v[0], v[1]));
	result(rc);
	struct pollfd p = {.fd = fd, .events = POLLOUT};
	if (rc < 0 && errno == EINPROGRESS && poll(&p, 1, 300) == 1) {
		getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len);
		printf("%s\n", err ? strerrorname_np(err) : "ok");
	}
	return 0;
}

/* errors: malformed calls get what the kernel answers */
static int cmd_errors(char **v)
{
	(void)v;
	struct sockaddr_in a = addr("192.0.2.10", "80");
	result(connect(999, (struct sockaddr *)&a, sizeof(a)));
	result(connect(open("/dev/null", O_RDONLY), (struct sockaddr *)&a, sizeof(a)));
	result(connect(tcp(), (struct sockaddr *)8, sizeof(a)));
	result(connect(tcp(), (struct sockaddr *)&a, 4));
	result(connect(tcp(), (struct sockaddr *)&a, 4096));
	result(connect(tcp(), (struct sockaddr *)&a, (socklen_t)-1));
	struct sockaddr_in6 six = {
		.sin6_family = AF_INET6,
	};
	inet_pton(AF_INET6, "2001:db8::10", &six.sin6_addr);
	result(connect(tcp(), (struct sockaddr *)&six, sizeof(six)));
	int fd = tcp();
	do_connect(fd, a);
	result(do_connect(fd, a));
	return 0;
}

static void on_alarm(int sig)
{
	(void)sig;
}

/* interrupt IP PORT RESTART: a blocking connect and a signal with a handler */
static int cmd_interrupt(char **v)
{
	struct sigaction sa = {.sa_handler = on_alarm, .sa_flags = v[2][0] == '1' ? SA_RESTART : 0};
	sigaction(SIGALRM, &sa, NULL);
	const struct itimerval t = {.it_value.tv_usec = 200000};
	setitimer(ITIMER_REAL, &t, NULL);
	double start = seconds();
	int fd = tcp();
	int rc = do_connect(fd, addr(v[0], v[1]));
	int err = errno, flags = fcntl(fd, F_GETFL);
	printf("%s %s %s\n", rc < 0 ? strerrorname_np(err) : "ok", seconds() - start < 10 ? "soon" : "late",
		flags & O_NONBLOCK ? "nonblock" : "blocking");
	return 0;
}

/* killed IP PORT: a child in a blocking connect is killed */
static int cmd_killed(char **v)
{
	pid_t pid = fork();
	if (pid == 0) {
		do_connect(tcp(), addr(v[0], v[1]));
		_exit(0);
	}
	usleep(200000);
	double start = seconds();
	kill(pid, SIGKILL);
	int status;
	waitpid(pid, &status, 0);
	printf("%s\n", WIFSIGNALED(status) && seconds() - start < 10 ? "gone" : "lingers");
	return 0;
}

struct swap {
	volatile struct sockaddr_in *a;
	struct in_addr good, bad;
	volatile int stop;
};

static void *swapper(void *arg)
{
	struct swap *s = arg;
	for (unsigned i = 0; !s->stop; i++)
		s->a->sin_addr = i & 1 ? s->bad : s->good;
	return NULL;
}

/* swap GOOD BAD PORT N PROCESS: the address changes all the time, by a thread or another process */
static int cmd_swap(char **v)
{
	struct swap *s = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct sockaddr_in good = addr(v[0], v[2]), bad = addr(v[1], v[2]);
	struct sockaddr_in *shared = (struct sockaddr_in *)((char *)s + 4096);
	*shared = good;
	*s = (struct swap){.a = shared, .good = good.sin_addr, .bad = bad.sin_addr};
	pthread_t t;
	pid_t pid = 0;
	if (v[4][0] == 'p' && (pid = fork()) == 0) {
		swapper(s);
		_exit(0);
	}
	if (!pid)
		pthread_create(&t, NULL, swapper, s);
	long n = atol(v[3]), reached = 0, good_ones = 0;
	for (long i = 0; i < n; i++) {
		int fd = socket(AF_INET, SOCK_STREAM | (i & 1 ? SOCK_NONBLOCK : 0), 0);
		struct sockaddr_in peer = {0};
		socklen_t len = sizeof(peer);
		(void)connect(fd, (struct sockaddr *)shared, sizeof(*shared));
		if (getpeername(fd, (struct sockaddr *)&peer, &len) == 0) {
			reached += peer.sin_addr.s_addr == bad.sin_addr.s_addr;
			good_ones += peer.sin_addr.s_addr == good.sin_addr.s_addr;
		}
		close(fd);
	}
	s->stop = 1;
	printf("bad %ld good %s\n", reached, good_ones ? "some" : "none");
	return reached != 0;
}

/* again GOOD BAD PORT: associate, dissolve with AF_UNSPEC, try elsewhere */
static int cmd_again(char **v)
{
	int fd = tcp();
	struct sockaddr_in none = {.sin_family = AF_UNSPEC};
	result(do_connect(fd, addr(v[0], v[2])));
	result(do_connect(fd, none));
	result(do_connect(fd, addr(v[1], v[2])));
	/* an unspecified family with an address behind it */
	struct sockaddr_in hidden = addr(v[1], v[2]);
	hidden.sin_family = AF_UNSPEC;
	result(do_connect(fd, hidden));
	struct sockaddr_in peer;
	socklen_t len = sizeof(peer);
	result(getpeername(fd, (struct sockaddr *)&peer, &len));
	return 0;
}

/* kinds IP PORT: sockets of other kinds do not connect */
static int cmd_kinds(char **v)
{
	static const int protocols[] = {132 /* SCTP */, 262 /* MPTCP */};
	struct sockaddr_in a = addr(v[0], v[1]);
	for (unsigned i = 0; i < 2; i++) {
		int fd = socket(AF_INET, SOCK_STREAM, protocols[i]);
		if (fd >= 0 && do_connect(fd, a) == 0)
			printf("protocol %d connected\n", protocols[i]);
	}
	printf("done\n");
	return 0;
}

/* udp IP PORT: every way to send a datagram */
static int cmd_udp(char **v)
{
	struct sockaddr_in a = addr(v[0], v[1]);
	char text[] = "leak";
	struct iovec iov = {text, 4};
	struct mmsghdr m = {.msg_hdr = {.msg_name = &a, .msg_namelen = sizeof(a), .msg_iov = &iov, .msg_iovlen = 1}};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	result((int)sendto(fd, text, 4, 0, (struct sockaddr *)&a, sizeof(a)));
	result((int)sendmsg(fd, &m.msg_hdr, 0));
	result(sendmmsg(fd, &m, 1, 0));
	result(do_connect(fd, a));
	result((int)send(fd, text, 4, 0));
	const int on = 1;
	setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3);
	setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof(on));
	result((int)send(fd, text, 4, 0));
	return 0;
}

/* listen IP PORT: bind, listen; the port is connected to */
static int cmd_listen(char **v)
{
	int fd = tcp();
	struct sockaddr_in a = addr(v[0], v[1]);
	socklen_t len = sizeof(a);
	if (result(bind(fd, (struct sockaddr *)&a, len)) || result(listen(fd, 5)))
		return 1;
	getsockname(fd, (struct sockaddr *)&a, &len);
	return result(connect(tcp(), (struct sockaddr *)&a, len));
}

/* listen-unbound, and binding with the family left out */
static int cmd_unbound(char **v)
{
	(void)v;
	result(listen(tcp(), 5));
	struct sockaddr_in a = addr("0.0.0.0", "4567");
	a.sin_family = AF_UNSPEC;
	return result(bind(tcp(), (struct sockaddr *)&a, sizeof(a)));
}

static struct sockaddr_un unix_addr(const char *path, socklen_t *len)
{
	struct sockaddr_un u = {.sun_family = AF_UNIX};
	size_t n = strlen(path);
	n = n < sizeof(u.sun_path) ? n : sizeof(u.sun_path);
	memcpy(u.sun_path, path, n);
	*len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
	if (u.sun_path[0] == '@')
		u.sun_path[0] = '\0';
	return u;
}

/* unix PATH [DIR]: connect, "@" for abstract; in DIR */
static int cmd_unix(char **v)
{
	socklen_t len;
	struct sockaddr_un u = unix_addr(v[0], &len);
	if (v[1] && chdir(v[1]) < 0)
		return 1;
	return result(connect(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&u, len));
}

/* unix-bind PATH [DIR]: bind, listen, connect; the mode of the socket */
static int cmd_unix_bind(char **v)
{
	socklen_t len;
	struct sockaddr_un u = unix_addr(v[0], &len);
	struct stat st;
	if (v[1] && chdir(v[1]) < 0)
		return 1;
	umask(027);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	if (result(bind(fd, (struct sockaddr *)&u, len)) || result(listen(fd, 5)))
		return 1;
	if (u.sun_path[0] && stat(v[0], &st) == 0)
		printf("mode %o\n", st.st_mode & 0777);
	return result(connect(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&u, len));
}

/* unix-datagram PATH: send without and with connecting; an answer */
static int cmd_unix_datagram(char **v)
{
	socklen_t len;
	struct sockaddr_un u = unix_addr(v[0], &len);
	char text[100] = "";
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	result((int)sendto(fd, "unasked", 7, MSG_NOSIGNAL, (struct sockaddr *)&u, len));
	if (result(connect(fd, (struct sockaddr *)&u, len)))
		return 1;
	result((int)send(fd, "one", 3, 0));
	result((int)send(fd, "two", 3, 0));
	ssize_t n = recv(fd, text, sizeof(text) - 1, 0);
	printf("%.*s\n", (int)(n > 0 ? n : 0), text);
	return 0;
}

/* unix-swap GOOD BAD N: a link in the working directory alternates while it is connected to */
static int cmd_unix_swap(char **v)
{
	static const char link_path[] = "swap.link", other[] = "swap.next";
	long n = atol(v[2]), done = 0;
	pid_t pid = fork();
	if (pid == 0)
		for (unsigned i = 0;; i++) {
			if (symlink(i & 1 ? v[1] : v[0], other) < 0 || rename(other, link_path) < 0)
				unlink(other); /* left by one that was killed */
		}
	for (long i = 0; i < n; i++) {
		socklen_t len;
		struct sockaddr_un u = unix_addr(link_path, &len);
		int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
		done += connect(fd, (struct sockaddr *)&u, len) == 0;
		close(fd);
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	printf("%s\n", done ? "connected" : "never");
	return 0;
}

/* many IP PORT N: that many connections at a time, each of which has been answered */
static int cmd_many(char **v)
{
	int n = atoi(v[2]);
	int *fd = calloc((size_t)n, sizeof(*fd));
	struct rlimit limit;
	if (!fd || getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return 1;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_cur < (rlim_t)n + 16) {
		printf("limit %lu\n", (unsigned long)limit.rlim_cur);
		return 1;
	}
	struct sockaddr_in a = addr(v[0], v[1]);
	char byte;
	for (int i = 0; i < n; i++) {
		fd[i] = tcp();
		if (do_connect(fd[i], a) < 0 || write(fd[i], "x", 1) != 1) {
			printf("%d: %s\n", i, strerrorname_np(errno));
			return 1;
		}
	}
	for (int i = 0; i < n; i++)
		if (read(fd[i], &byte, 1) != 1)
			return result(-1);
	printf("%d connections\n", n);
	free(fd);
	return 0;
}

/* unix-bind-swap GOOD BAD NAME N: a link to a directory alternates while a socket is made below it */
static int cmd_unix_bind_swap(char **v)
{
	static const char link_path[] = "swap.dir", other[] = "swap.next";
	char below[256], good[256];
	long n = atol(v[3]), done = 0;
	snprintf(below, sizeof(below), "%s/%s", link_path, v[2]);
	snprintf(good, sizeof(good), "%s/%s", v[0], v[2]);
	pid_t pid = fork();
	if (pid == 0)
		for (unsigned i = 0;; i++) {
			if (symlink(i & 1 ? v[1] : v[0], other) < 0 || rename(other, link_path) < 0)
				unlink(other); /* left by one that was killed */
		}
	for (long i = 0; i < n || !done; i++) {
		socklen_t len;
		struct sockaddr_un u = unix_addr(below, &len);
		int fd = socket(AF_UNIX, SOCK_STREAM, 0);
		done += bind(fd, (struct sockaddr *)&u, len) == 0;
		close(fd);
		unlink(good);
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	printf("%s\n", done ? "some" : "none");
	return 0;
}

static const struct {
	const char *name;
	int args;
	int (*fn)(char **v);
} commands[] = {
	{"connect", 2, cmd_connect},
	{"speed", 3, cmd_speed},
	{"nonblock", 2, cmd_nonblock},
	{"errors", 0, cmd_errors},
	{"interrupt", 3, cmd_interrupt},
	{"killed", 2, cmd_killed},
	{"swap", 5, cmd_swap},
	{"again", 3, cmd_again},
	{"kinds", 2, cmd_kinds},
	{"many", 3, cmd_many},
	{"same", 1, cmd_same},
	{"attack", 4, cmd_attack},
	{"udp", 2, cmd_udp},
	{"listen", 2, cmd_listen},
	{"unbound", 0, cmd_unbound},
	{"unix", 1, cmd_unix},
	{"unix-bind", 1, cmd_unix_bind},
	{"unix-swap", 3, cmd_unix_swap},
	{"unix-bind-swap", 4, cmd_unix_bind_swap},
	{"unix-datagram", 1, cmd_unix_datagram},
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(commands[i].name, argv[1]) == 0 && argc - 2 >= commands[i].args)
			return commands[i].fn(argv + 2);
	fprintf(stderr, "net_probe: unknown command or too few arguments\n");
	return 2;
}
