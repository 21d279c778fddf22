/* SPDX-License-Identifier: Apache-2.0 */
/*
 * connect_bench.c - the cost of a connection, for tests/bench.
 * usage: connect_bench serve            prints its port, answers every connection with one short HTTP response
 *        connect_bench connect PORT N   N connections one after another; prints median µs of connect() and of
 *                                       connect+request
 *        connect_bench many PORT N      N connections held open at once; prints the seconds it took
 *        connect_bench open FILE N      N opens of a file; prints median µs
 *        connect_bench opens FILE N     N opens of a file; prints the seconds they took
 *        connect_bench wait DIR N       N threads that open files of their own in DIR, and then wait for ever
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static double now_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static double median(double *v, size_t n)
{
	qsort(v, n, sizeof(*v), by_value);
	return v[n / 2];
}

static void raise_files(void)
{
	struct rlimit r;
	if (getrlimit(RLIMIT_NOFILE, &r) == 0) {
		r.rlim_cur = r.rlim_max;
		setrlimit(RLIMIT_NOFILE, &r);
	}
}

static int serve(void)
{
	static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);
	raise_files();
	int l = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), ep = epoll_create1(0);
	if (bind(l, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(l, 4096) < 0 ||
		getsockname(l, (struct sockaddr *)&a, &len) < 0)
		return 1;
	printf("%d\n", ntohs(a.sin_port));
	fflush(stdout);
	struct epoll_event ev = {.events = EPOLLIN, .data.fd = l};
	epoll_ctl(ep, EPOLL_CTL_ADD, l, &ev);
	for (;;) {
		struct epoll_event got[256];
		int n = epoll_wait(ep, got, 256, -1);
		for (int i = 0; i < n; i++) {
			int fd = got[i].data.fd;
			char buf[4096];
			if (fd == l) {
				int c = accept4(l, NULL, NULL, SOCK_NONBLOCK);
				ev = (struct epoll_event){.events = EPOLLIN, .data.fd = c};
				if (c >= 0)
					epoll_ctl(ep, EPOLL_CTL_ADD, c, &ev);
			} else if (read(fd, buf, sizeof(buf)) > 0) {
				(void)!write(fd, answer, sizeof(answer) - 1);
				close(fd);
			} else {
				close(fd);
			}
		}
	}
}

static int dial(uint16_t port)
{
	struct sockaddr_in a = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0) {
		perror("connect_bench: connect");
		exit(1);
	}
	return fd;
}

static int measure_connect(uint16_t port, size_t n)
{
	double *connected = calloc(n, sizeof(double)), *answered = calloc(n, sizeof(double));
	for (size_t i = 0; i < n; i++) {
		char buf[512];
		double start = now_us();
		int fd = dial(port);
		connected[i] = now_us() - start;
		(void)!write(fd, "GET / HTTP/1.1\r\n\r\n", 18);
		while (read(fd, buf, sizeof(buf)) > 0)
			;
		answered[i] = now_us() - start;
		close(fd);
	}
	printf("%.1f %.1f\n", median(connected, n), median(answered, n));
	return 0;
}

static int measure_many(uint16_t port, size_t n)
{
	raise_files();
	double start = now_us();
	for (size_t i = 0; i < n; i++)
		dial(port);
	printf("%.3f\n", (now_us() - start) / 1e6);
	return 0;
}

static int measure_open(const char *file, size_t n)
{
	double *took = calloc(n, sizeof(double));
	for (size_t i = 0; i < n; i++) {
		double start = now_us();
		int fd = open(file, O_RDONLY | O_CLOEXEC);
		if (fd < 0) {
			perror(file);
			return 1;
		}
		close(fd);
		took[i] = now_us() - start;
	}
	printf("%.2f\n", median(took, n));
	return 0;
}

static int measure_opens(const char *file, size_t n)
{
	double start = now_us();
	for (size_t i = 0; i < n; i++) {
		int fd = open(file, O_RDONLY | O_CLOEXEC);
		if (fd < 0) {
			perror(file);
			return 1;
		}
		close(fd);
	}
	printf("%.6f\n", (now_us() - start) / 1e6);
	return 0;
}

static const char *wait_dir;

static void *open_one(void *number)
{
	char path[PATH_MAX];
	snprintf(path, sizeof(path), "%s/%zu", wait_dir, (size_t)number);
	(void)!open(path, O_RDONLY | O_CLOEXEC);
	return NULL;
}

static int wait_many(const char *dir, size_t n)
{
	pthread_attr_t small;
	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, PTHREAD_STACK_MIN + PATH_MAX);
	wait_dir = dir;
	for (size_t i = 0; i < n; i++) {
		pthread_t t;
		int rc = pthread_create(&t, &small, open_one, (void *)i);
		if (rc) {
			fprintf(stderr, "connect_bench: thread %zu: %s\n", i, strerror(rc));
			return 1;
		}
	}
	printf("waiting\n");
	fflush(stdout);
	for (;;)
		pause();
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "serve") == 0)
		return serve();
	if (argc != 4)
		return 2;
	size_t n = strtoul(argv[3], NULL, 10);
	if (strcmp(argv[1], "open") == 0)
		return measure_open(argv[2], n);
	if (strcmp(argv[1], "opens") == 0)
		return measure_opens(argv[2], n);
	if (strcmp(argv[1], "wait") == 0)
		return wait_many(argv[2], n);
	uint16_t port = (uint16_t)strtoul(argv[2], NULL, 10);
	return strcmp(argv[1], "many") == 0 ? measure_many(port, n) : measure_connect(port, n);
}
