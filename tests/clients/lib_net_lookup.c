/* SPDX-License-Identifier: Apache-2.0 */
/* lib_net_lookup.c - names looked up in every way getaddrinfo has, and calls of the shim's that are made wrongly. */
#include "proto/lookup.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

/* musl tells the canonical name without being asked for it */
static void print_list(int rc, const struct addrinfo *list, bool canon)
{
	if (rc)
		printf(" error %d", rc);
	for (const struct addrinfo *a = rc ? NULL : list; a; a = a->ai_next) {
		char host[64], port[16];
		getnameinfo(a->ai_addr, a->ai_addrlen, host, sizeof(host), port, sizeof(port),
			NI_NUMERICHOST | NI_NUMERICSERV);
		printf(" %s:%s/%d/%d/%d/%x%s", host, port, a->ai_family, a->ai_socktype, a->ai_protocol,
			(unsigned)a->ai_flags & 0xffffU, canon && a->ai_canonname ? a->ai_canonname : "");
	}
	puts("");
}

/* every combination of what a program may ask for */
static int list(const char *name)
{
	static const int families[] = {AF_UNSPEC, AF_INET, AF_INET6}, types[] = {0, SOCK_STREAM, SOCK_DGRAM, SOCK_RAW},
			 flags[] = {0, AI_ADDRCONFIG, AI_PASSIVE, AI_V4MAPPED, AI_V4MAPPED | AI_ALL | AI_ADDRCONFIG,
				 AI_CANONNAME, AI_NUMERICHOST, AI_NUMERICSERV};
	static const char *const services[] = {NULL, "80", "https", "no-such-service", "99999"};
	for (int i = 0; i < 3 * 4 * 8 * 5; i++) {
		struct addrinfo *out = NULL, hints = {.ai_family = families[i % 3],
						     .ai_socktype = types[i / 3 % 4],
						     .ai_flags = flags[i / 12 % 8]};
		const char *service = services[i / 96];
		printf("%d %d %x %s:", hints.ai_family, hints.ai_socktype, (unsigned)hints.ai_flags,
			service ? service : "-");
		int rc = getaddrinfo(name, service, &hints, &out);
		print_list(rc, out, hints.ai_flags & AI_CANONNAME);
		if (rc == 0)
			freeaddrinfo(out);
	}
	struct addrinfo *out = NULL, stream = {.ai_socktype = SOCK_STREAM};
	int rc = getaddrinfo(name, "80", NULL, &out);
	printf("without hints:");
	print_list(rc, out, false);
	/* addresses are made up for names: which name it was */
	char host[256] = "none";
	if (getaddrinfo(name, "80", &stream, &out) == 0)
		getnameinfo(out->ai_addr, out->ai_addrlen, host, sizeof(host), NULL, 0, 0);
	printf("means %s\n", host);
	return 0;
}

static long resident(void)
{
	long all, pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");
	if (!f || fscanf(f, "%ld %ld", &all, &pages) != 2)
		abort();
	fclose(f);
	return pages * 4;
}

static int look_up(const char *name)
{
	struct addrinfo *out = NULL, hints = {.ai_socktype = SOCK_STREAM};
	int rc = getaddrinfo(name, "80", &hints, &out);
	if (rc == 0)
		freeaddrinfo(out);
	return rc;
}

/* lists are given back whole */
static int leak(const char *name)
{
	for (int i = 0; i < 200; i++)
		look_up(name);
	long before = resident();
	for (int i = 0; i < 10000; i++)
		if (look_up(name) != 0)
			return 1;
	printf("%s\n", resident() - before < 512 ? "nothing is left" : "it grows");
	return 0;
}

static volatile sig_atomic_t ticks;
static void tick(int sig)
{
	(void)sig;
	ticks++;
}

/* signals are handled while a name server takes its time, and the lookup goes on */
static int handler(const char *name)
{
	struct sigaction sa = {.sa_handler = tick};
	const struct itimerval often = {{0, 50000}, {0, 50000}};
	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	int rc = look_up(name);
	setitimer(ITIMER_REAL, &(struct itimerval){0}, NULL);
	printf("%s, %s\n", rc ? gai_strerror(rc) : "found",
		ticks > 2 ? "signals were handled" : "no signal was handled");
	return rc;
}

static long call(const void *l, size_t n)
{
	errno = 0;
	return syscall(SYS_connect, LOOKUP_FD, l, n) < 0 ? -errno : 0;
}

static struct lookup shared;
static void *flip(void *arg)
{
	static const char *const names[] = {"api.test", "other.test", "loop.test", "meta.test", "two.test"};
	for (unsigned i = 0; !*(volatile bool *)arg; i++) {
		strcpy(shared.name, names[i % 5]);
		memset(shared.name, 'a', i % 7 ? 0 : sizeof(shared.name));
	}
	return NULL;
}

/* a lookup by a program that has no descriptor left */
static int full(const char *name)
{
	while (open("/dev/null", O_RDONLY | O_CLOEXEC) >= 0)
		;
	int rc = look_up(name);
	puts(rc ? "not found" : "found");
	return rc != 0;
}

/* what no shim would ask */
static int wrong(void)
{
	const long page = sysconf(_SC_PAGESIZE);
	struct lookup l = {.name = "api.test", .v4 = 1};
	char *edge = mmap(NULL, 2 * (size_t)page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	mprotect(edge + page, (size_t)page, PROT_NONE);
	memcpy(edge + page - 300, &l, 300);
	bool ok = call(NULL, sizeof(l)) == -EFAULT && call((void *)-8L, sizeof(l)) == -EFAULT;
	ok = ok && call(edge + page - 300, sizeof(l)) == -EFAULT;
	ok = ok && call(&l, sizeof(l) - 1) == -EINVAL && call(&l, 0) == -EINVAL && call(&l, (size_t)-1) == -EINVAL;
	/* an answer has to be written */
	struct lookup *fixed = mmap(NULL, sizeof(l), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	*fixed = l;
	mprotect(fixed, sizeof(l), PROT_READ);
	ok = ok && call(fixed, sizeof(l)) == -EFAULT;
	static const char *const none[] = {"", ".", "..", "a", "localhost", "x.localhost", "other.test", "loop.test",
		"meta.test", "1.0.18.198.in-addr.arpa", "a..b", "-.-", "\xff\xfe.test", "api.test\n", "192.0.2.10",
		"api.test.", "x.local"};
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		l = (struct lookup){.v4 = 1, .v6 = 1};
		strcpy(l.name, none[i]);
		long rc = call(&l, sizeof(l));
		if (rc != -ENOENT)
			printf("%s: %ld\n", none[i], rc);
		ok = ok && rc == -ENOENT;
	}
	memset(l.name, 'a', sizeof(l.name));
	ok = ok && call(&l, sizeof(l)) == -EINVAL;
	/* the name changes while it is read: what was decided on is what is answered */
	volatile bool stop = false;
	pthread_t t;
	pthread_create(&t, NULL, flip, (void *)&stop);
	for (int i = 0; i < 20000; i++) {
		shared.v4 = shared.v6 = 1;
		long rc = call(&shared, sizeof(shared));
		ok = ok && (rc == 0 || rc == -ENOENT || rc == -EINVAL);
	}
	stop = true;
	pthread_join(t, NULL);
	printf("%s\n", ok ? "refused as they should be" : "not as they should be");
	return !ok;
}

/* names by the thousand, by many threads */
static void *many_thread(void *arg)
{
	for (int i = 0; i < 150; i++) {
		char name[100];
		(void)snprintf(name, sizeof(name), "n%dt%lx.wild.test", i, (unsigned long)(uintptr_t)arg);
		look_up(name);
	}
	return NULL;
}
static int many(void)
{
	pthread_t t[40];
	for (int i = 0; i < 40; i++)
		pthread_create(&t[i], NULL, many_thread, (void *)(uintptr_t)(unsigned)i);
	for (int i = 0; i < 40; i++)
		pthread_join(t[i], NULL);
	puts("all asked");
	return 0;
}

int main(int argc, char **argv)
{
	if (argc > 2 && strcmp(argv[1], "list") == 0)
		return list(argv[2]);
	if (argc > 2 && strcmp(argv[1], "leak") == 0)
		return leak(argv[2]);
	if (argc > 2 && strcmp(argv[1], "handler") == 0)
		return handler(argv[2]);
	if (argc > 2 && strcmp(argv[1], "full") == 0)
		return full(argv[2]);
	if (argc > 1 && strcmp(argv[1], "wrong") == 0)
		return wrong();
	if (argc > 1 && strcmp(argv[1], "many") == 0)
		return many();
	return 2;
}
