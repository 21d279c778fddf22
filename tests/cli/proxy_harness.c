/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proxy_harness.c - the proxy module alone, for tests: every name leads to loopback.
 * usage: proxy_harness MODULE BUNDLE UPSTREAM|- MAP... where MAP is host:port=localport,
 * or route:host:METHOD:glob. Prints "PORT TOKEN" and serves until standard input ends.
 */
#include "net/proxy/proxy.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

static char **maps;
static int n_maps;

static void dial(void *data, const char *host, unsigned port, const char *via, proxy_dialed *done, void *arg)
{
	(void)data;
	cleanup_free char *key = via ? xasprintf("%s=", via) : xasprintf("%s:%u=", host, port);
	for (int i = 0; i < n_maps; i++) {
		if (!str_starts(maps[i], key))
			continue;
		struct sockaddr_in a = {.sin_family = AF_INET,
			.sin_port = htons((uint16_t)atoi(maps[i] + strlen(key))),
			.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof a) < 0) {
			done(arg, -1, 502, strerror(errno));
			return;
		}
		fcntl(fd, F_SETFL, O_NONBLOCK);
		done(arg, fd, 0, NULL);
		return;
	}
	done(arg, -1, 403, "no rule allows it");
}

int main(int argc, char **argv)
{
	void *so = argc >= 4 ? dlopen(argv[1], RTLD_NOW) : NULL;
	const struct proxy_api *api = so ? dlsym(so, PROXY_API_SYMBOL) : NULL;
	if (!api) {
		fprintf(stderr, "proxy_harness: cannot load the module: %s\n", dlerror());
		return 1;
	}
	struct proxy_route routes[16];
	struct proxy_endpoint endpoints[16];
	size_t n = 0;
	maps = argv + 4;
	n_maps = argc - 4;
	for (int i = 4; i < argc; i++) {
		if (!str_starts(argv[i], "route:") || n == ARRAY_SIZE(routes))
			continue;
		char *host = strtok(argv[i] + 6, ":");
		endpoints[n].method = strtok(NULL, ":");
		endpoints[n].path = strtok(NULL, ":");
		routes[n] = (struct proxy_route){.host = host, .endpoints = &endpoints[n], .n = 1};
		n++;
	}
	struct proxy_config cfg = {.dial = dial,
		.routes = routes,
		.n_routes = n,
		.bundle = argv[2],
		.upstream = strcmp(argv[3], "-") ? argv[3] : NULL};
	struct proxy *p = NULL;
	cleanup_err struct err *e = NULL;
	if (api->start(&p, &cfg, &e) < 0) {
		fprintf(stderr, "proxy_harness: %s\n", err_msg(e));
		return 1;
	}
	printf("%u %s\n", api->port(p), api->token(p));
	fflush(stdout);
	while (getchar() != EOF)
		;
	api->stop(p);
	return 0;
}
