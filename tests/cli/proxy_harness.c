/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proxy_harness.c - the proxy module alone, for tests: every name leads to loopback.
 * usage: proxy_harness MODULE BUNDLE MAP... where MAP is host:port=localport, or
 * route:host:METHOD:glob. Prints "PORT TOKEN", hands every connection to the module and
 * serves until standard input ends.
 */
#include "net/proxy/proxy.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <poll.h>

#define TOKEN "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static char **maps;
static int n_maps;
static struct proxy_endpoint endpoints[16];
static struct proxy_route routes[16];
static const char *hosts[16];
static size_t n_routes;

static void decide(void *data, pid_t peer, const char *host, unsigned port, bool via, proxy_decided *done, void *arg)
{
	(void)data;
	(void)peer;
	(void)via;
	cleanup_free char *key = xasprintf("%s:%u=", host, port);
	for (int i = 0; i < n_maps; i++) {
		if (!str_starts(maps[i], key))
			continue;
		const struct sockaddr_in a = {.sin_family = AF_INET,
			.sin_port = htons((uint16_t)atoi(maps[i] + strlen(key))),
			.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
		struct proxy_targets to = {.n = 1, .len = {sizeof a}};
		memcpy(&to.addr[0], &a, sizeof a);
		done(arg, &to, 0, NULL);
		return;
	}
	done(arg, NULL, 403, "no rule allows it");
}

static bool withdraw(void *data, void *arg)
{
	(void)data;
	(void)arg;
	return false;
}

static const struct proxy_route *route(void *data, const char *host, unsigned port)
{
	(void)data;
	(void)port;
	for (size_t i = 0; i < n_routes; i++)
		if (strcmp(hosts[i], host) == 0)
			return &routes[i];
	return NULL;
}

static bool through_parent(void *data, const char *host)
{
	(void)data;
	(void)host;
	return false;
}

static void read_routes(char **args, int n)
{
	for (int i = 0; i < n; i++) {
		if (!str_starts(args[i], "route:") || n_routes == ARRAY_SIZE(routes))
			continue;
		hosts[n_routes] = strtok(args[i] + 6, ":");
		endpoints[n_routes].method = strtok(NULL, ":");
		endpoints[n_routes].path = strtok(NULL, ":");
		routes[n_routes] = (struct proxy_route){&endpoints[n_routes], 1};
		n_routes++;
	}
}

/* Until standard input ends. */
static void serve(const struct proxy_api *api, struct proxy *p)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof a;
	cleanup_fd int l = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (l < 0 || bind(l, (struct sockaddr *)&a, len) < 0 || listen(l, 1024) < 0 ||
		getsockname(l, (struct sockaddr *)&a, &len) < 0)
		return;
	printf("%u %s\n", ntohs(a.sin_port), TOKEN);
	fflush(stdout);
	struct pollfd fds[] = {{.fd = l, .events = POLLIN}, {.fd = STDIN_FILENO, .events = POLLIN}};
	while (poll(fds, 2, -1) > 0 && !fds[1].revents) {
		int fd = fds[0].revents ? accept4(l, NULL, NULL, SOCK_CLOEXEC) : -1;
		if (fd >= 0)
			api->serve(p, fd, getpid());
	}
}

int main(int argc, char **argv)
{
	void *so = argc >= 3 ? dlopen(argv[1], RTLD_NOW) : NULL;
	const struct proxy_api *api = so ? dlsym(so, PROXY_API_SYMBOL) : NULL;
	if (!api) {
		fprintf(stderr, "proxy_harness: cannot load the module: %s\n", dlerror());
		return 1;
	}
	maps = argv + 3;
	n_maps = argc - 3;
	read_routes(maps, n_maps);
	const struct proxy_config cfg = {.decide = decide,
		.withdraw = withdraw,
		.route = route,
		.through_parent = through_parent,
		.token = TOKEN,
		.bundle = argv[2]};
	struct proxy *p = NULL;
	cleanup_err struct err *e = NULL;
	if (api->start(&p, &cfg, &e) < 0) {
		fprintf(stderr, "proxy_harness: %s\n", err_msg(e));
		return 1;
	}
	serve(api, p);
	api->stop(p);
	api->free(p);
	return 0;
}
