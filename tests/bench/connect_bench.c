/* SPDX-License-Identifier: Apache-2.0 */
/*
 * connect_bench.c - the cost of a connection, for tests/bench.
 *
 * connect_bench serve             prints its port, answers every connection with one short HTTP response
 * connect_bench connect PORT N    N connections one after another; prints median µs of connect() and of
 *                                 connect+request
 * connect_bench proxy PORT N      the same through the proxy of $https_proxy, by CONNECT
 * connect_bench many PORT N       N connections held open at once; prints the seconds it took
 * connect_bench manyproxy PORT N  the same through the proxy
 * connect_bench dns NAME N        N questions to the name server of /etc/resolv.conf; prints median µs
 * connect_bench open FILE N       N opens of a file; prints median µs
 * connect_bench opens FILE N      N opens of a file; prints the seconds they took
 * connect_bench wait DIR N        N threads that open files of their own in DIR, and then wait for ever
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

static int to_loopback(uint16_t port)
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

/* ---- through a proxy ------------------------------------------------------- */

/** struct proxy - the host's part of $https_proxy: its port and the value of Proxy-Authorization. */
static struct proxy {
	uint16_t port;
	char auth[1024];
} proxy;

static void base64(const char *in, char *out)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t n = strlen(in);
	for (size_t i = 0; i < n; i += 3) {
		const unsigned char *b = (const unsigned char *)in + i;
		uint32_t v = (uint32_t)b[0] << 16 | (i + 1 < n ? (uint32_t)b[1] << 8 : 0) | (i + 2 < n ? b[2] : 0);
		*out++ = digits[v >> 18];
		*out++ = digits[v >> 12 & 63];
		*out++ = i + 1 < n ? digits[v >> 6 & 63] : '=';
		*out++ = i + 2 < n ? digits[v & 63] : '=';
	}
	*out = '\0';
}

/* "http://user:password@host:port", user and password percent-encoded */
static int read_proxy(void)
{
	const char *url = getenv("https_proxy"), *at = url ? strrchr(url, '@') : NULL,
		   *start = url ? strstr(url, "//") : NULL;
	char plain[512];
	size_t n = 0;
	if (!at || !start || !strrchr(at, ':'))
		return -1;
	for (const char *c = start + 2; c < at && n < sizeof(plain) - 1; c++) {
		unsigned v = (unsigned char)*c;
		if (*c == '%' && sscanf(c + 1, "%2x", &v) == 1)
			c += 2;
		plain[n++] = (char)v;
	}
	plain[n] = '\0';
	base64(plain, proxy.auth);
	proxy.port = (uint16_t)strtoul(strrchr(at, ':') + 1, NULL, 10);
	return 0;
}

static int through_proxy(uint16_t port)
{
	char request[2048], answer[4096];
	size_t got = 0;
	int fd = to_loopback(proxy.port);
	int n = snprintf(request, sizeof(request),
		"CONNECT 127.0.0.1:%u HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nProxy-Authorization: Basic %s\r\n\r\n", port,
		port, proxy.auth);
	(void)!write(fd, request, (size_t)n);
	while (got < sizeof(answer) - 1) {
		ssize_t r = read(fd, answer + got, sizeof(answer) - 1 - got);
		if (r <= 0)
			break;
		got += (size_t)r;
		answer[got] = '\0';
		if (strstr(answer, "\r\n\r\n"))
			break;
	}
	if (got < 12 || strncmp(answer + 8, " 200", 4) != 0) {
		fprintf(stderr, "connect_bench: the proxy says %.60s\n", got ? answer : "nothing");
		exit(1);
	}
	return fd;
}

static int dial(uint16_t port)
{
	return proxy.port ? through_proxy(port) : to_loopback(port);
}

/* ---- names ------------------------------------------------------------------- */

static int name_server(struct sockaddr_in *a)
{
	char line[256], addr[64];
	FILE *f = fopen("/etc/resolv.conf", "re");
	int found = -1;
	*a = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(53)};
	while (f && found < 0 && fgets(line, sizeof(line), f))
		if (sscanf(line, "nameserver %63s", addr) == 1 && inet_pton(AF_INET, addr, &a->sin_addr) == 1)
			found = 0;
	if (f)
		fclose(f);
	return found;
}

static int measure_dns(const char *name, size_t n)
{
	uint8_t query[300] = {0, 0, 1, 0, 0, 1}, answer[1500];
	size_t len = 12;
	struct sockaddr_in a;
	double *took = calloc(n, sizeof(double));
	for (const char *label = name; *label;) {
		size_t l = strcspn(label, ".");
		query[len++] = (uint8_t)l;
		memcpy(query + len, label, l);
		len += l;
		label += l + (label[l] == '.');
	}
	len++;
	query[len + 1] = query[len + 3] = 1; /* A, IN */
	len += 4;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (name_server(&a) < 0 || fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0) {
		perror("connect_bench: name server");
		return 1;
	}
	for (size_t i = 0; i < n; i++) {
		double start = now_us();
		query[0] = (uint8_t)(i >> 8);
		query[1] = (uint8_t)i;
		ssize_t got = write(fd, query, len) < 0 ? -1 : read(fd, answer, sizeof(answer));
		if (got < 12 || answer[7] == 0) {
			fprintf(stderr, "connect_bench: no address for %s\n", name);
			return 1;
		}
		took[i] = now_us() - start;
	}
	printf("%.1f\n", median(took, n));
	return 0;
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
	if (strcmp(argv[1], "dns") == 0)
		return measure_dns(argv[2], n);
	if (strstr(argv[1], "proxy") && read_proxy() < 0) {
		fprintf(stderr, "connect_bench: https_proxy names no proxy with a password\n");
		return 1;
	}
	uint16_t port = (uint16_t)strtoul(argv[2], NULL, 10);
	return strncmp(argv[1], "many", 4) == 0 ? measure_many(port, n) : measure_connect(port, n);
}
