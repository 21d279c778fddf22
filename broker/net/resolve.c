/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resolve.c - asking the host's name servers for names that are allowed.
 *
 * The servers, timeouts and attempts are those of the host's /etc/resolv.conf, read
 * again when it changes. Search domains are not applied: the program's own resolver
 * has done that. UDP first, TCP when the answer does not fit; a socket and a random
 * id for each question. Addresses are kept as long as their servers say, at most
 * five minutes.
 */
#include "net/internal.h"

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <errno.h>
#include <poll.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>

#define MAX_SERVERS 3U
#define CACHE_BUCKETS 256U
#define CACHE_MAX 4096U
#define TTL_MAX 300U

struct cached {
	struct cached *next;
	struct resolved answer;
	int64_t until; /* monotonic seconds */
	uint8_t len;
	char name[];
};

/** struct servers - what resolv.conf says. */
struct servers {
	struct sockaddr_storage addr[MAX_SERVERS];
	size_t n;
	int timeout_ms;
	unsigned attempts, ndots;
	bool no_aaaa;
};

struct resolver {
	struct hostsfile *hosts;
	int stop;
	pthread_mutex_t lock;
	struct servers servers;
	struct timespec read;
	bool loaded;
	struct cached *bucket[CACHE_BUCKETS];
	size_t n_cached;
};

struct resolver *resolver_new(struct hostsfile *hosts, int stop)
{
	struct resolver *r = xcalloc(1, sizeof(*r));
	r->hosts = hosts;
	r->stop = stop;
	pthread_mutex_init(&r->lock, NULL);
	return r;
}

static void cache_clear(struct resolver *r)
{
	for (size_t i = 0; i < CACHE_BUCKETS; i++) {
		for (struct cached *c = r->bucket[i], *next; c; c = next) {
			next = c->next;
			free(c);
		}
		r->bucket[i] = NULL;
	}
	r->n_cached = 0;
}

void resolver_free(struct resolver *r)
{
	if (!r)
		return;
	cache_clear(r);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

/* ---- resolv.conf --------------------------------------------------------- */

static void add_server(struct servers *s, const char *text)
{
	if (s->n == MAX_SERVERS)
		return;
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(53)};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(53)};
	char copy[INET6_ADDRSTRLEN + 20];
	snprintf(copy, sizeof(copy), "%s", text);
	char *scope = strchr(copy, '%');
	if (scope) {
		*scope++ = '\0';
		in6.sin6_scope_id = (uint32_t)strtoul(scope, NULL, 10);
	}
	if (inet_pton(AF_INET, copy, &in.sin_addr) == 1)
		memcpy(&s->addr[s->n++], &in, sizeof(in));
	else if (inet_pton(AF_INET6, copy, &in6.sin6_addr) == 1)
		memcpy(&s->addr[s->n++], &in6, sizeof(in6));
}

static void parse_resolv_conf(struct servers *s, char *text)
{
	char *lines = NULL;
	for (char *line = strtok_r(text, "\n", &lines); line; line = strtok_r(NULL, "\n", &lines)) {
		char *words = NULL;
		const char *key = strtok_r(line, " \t", &words);
		if (!key)
			continue;
		const char *word = strtok_r(NULL, " \t", &words);
		if (strcmp(key, "nameserver") == 0 && word)
			add_server(s, word);
		for (; strcmp(key, "options") == 0 && word; word = strtok_r(NULL, " \t", &words)) {
			unsigned v = 0;
			if (sscanf(word, "timeout:%u", &v) == 1 && v >= 1 && v <= 30)
				s->timeout_ms = (int)v * 1000;
			else if (sscanf(word, "attempts:%u", &v) == 1 && v >= 1 && v <= 5)
				s->attempts = v;
			else if (sscanf(word, "ndots:%u", &v) == 1)
				s->ndots = v;
			else if (strcmp(word, "no-aaaa") == 0)
				s->no_aaaa = true;
		}
	}
}

static struct servers servers_now(struct resolver *r)
{
	static const char path[] = "/etc/resolv.conf";
	struct stat st;
	pthread_mutex_lock(&r->lock);
	bool same = stat(path, &st) == 0 && r->loaded && st.st_mtim.tv_sec == r->read.tv_sec &&
		    st.st_mtim.tv_nsec == r->read.tv_nsec;
	if (!same) {
		struct servers s = {.timeout_ms = 3000, .attempts = 2, .ndots = 1};
		cleanup_free char *text = NULL;
		size_t len;
		if (file_read(path, 1U << 16, &text, &len, NULL) == 0)
			parse_resolv_conf(&s, text);
		if (!s.n)
			add_server(&s, "127.0.0.1");
		r->servers = s;
		r->read = st.st_mtim;
		r->loaded = true;
	}
	struct servers copy = r->servers;
	pthread_mutex_unlock(&r->lock);
	return copy;
}

bool resolver_as_is(struct resolver *r, const char *name)
{
	struct servers s = servers_now(r);
	unsigned dots = 0;
	for (const char *p = name; *p; p++)
		dots += *p == '.';
	return dots >= s.ndots && !s.no_aaaa && !hostsfile_has(r->hosts, name);
}

/* ---- one question -------------------------------------------------------- */

static int64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Wait for @events on @fd. Return: 0, -ETIMEDOUT, or -ECANCELED when the room stops. */
static int wait_for(const struct resolver *r, int fd, short events, int64_t deadline)
{
	for (;;) {
		struct pollfd p[2] = {{.fd = fd, .events = events}, {.fd = r->stop, .events = POLLIN}};
		int64_t left = deadline - now_ms();
		int rc = poll(p, 2, left > 0 ? (int)left : 0);
		if (rc < 0 && errno == EINTR)
			continue;
		if (p[1].revents)
			return -ECANCELED;
		return rc > 0 ? 0 : -ETIMEDOUT;
	}
}

static int dial(const struct sockaddr_storage *server, int type)
{
	cleanup_fd int fd = socket(server->ss_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	socklen_t len = server->ss_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
	if (fd < 0 || (connect(fd, (const struct sockaddr *)server, len) < 0 && errno != EINPROGRESS))
		return -errno;
	return steal_fd(&fd);
}

/* Whether @answer is a response to @query: same id, same question. */
static bool answers_query(const uint8_t *query, size_t len, const uint8_t *answer, ssize_t n)
{
	if (n < (ssize_t)len || memcmp(query, answer, 2) != 0 || !(answer[2] & 0x80))
		return false;
	return memcmp(query + 4, answer + 4, 2) == 0 && memcmp(query + 12, answer + 12, len - 12) == 0;
}

static ssize_t ask_udp(struct resolver *r, const struct sockaddr_storage *server, const uint8_t *query, size_t len,
	uint8_t *answer, int timeout_ms)
{
	cleanup_fd int fd = dial(server, SOCK_DGRAM);
	if (fd < 0)
		return fd;
	if (send(fd, query, len, MSG_NOSIGNAL) < 0)
		return -errno;
	for (int64_t deadline = now_ms() + timeout_ms;;) {
		int rc = wait_for(r, fd, POLLIN, deadline);
		if (rc < 0)
			return rc;
		ssize_t n = recv(fd, answer, DNS_MAX, 0);
		if (n < 0 && errno != EAGAIN)
			return -errno;
		if (answers_query(query, len, answer, n))
			return n;
	}
}

static ssize_t transfer(struct resolver *r, int fd, uint8_t *buf, size_t len, bool out, int64_t deadline)
{
	for (size_t done = 0; done < len;) {
		int rc = wait_for(r, fd, out ? POLLOUT : POLLIN, deadline);
		if (rc < 0)
			return rc;
		ssize_t n = out ? send(fd, buf + done, len - done, MSG_NOSIGNAL) : recv(fd, buf + done, len - done, 0);
		if (n == 0 || (n < 0 && errno != EAGAIN))
			return n ? -errno : -EIO;
		done += n > 0 ? (size_t)n : 0;
	}
	return (ssize_t)len;
}

static ssize_t ask_tcp(struct resolver *r, const struct sockaddr_storage *server, const uint8_t *query, size_t len,
	uint8_t *answer, int timeout_ms)
{
	cleanup_fd int fd = dial(server, SOCK_STREAM);
	if (fd < 0)
		return fd;
	int64_t deadline = now_ms() + timeout_ms;
	uint8_t framed[302] = {(uint8_t)(len >> 8), (uint8_t)len}, size[2];
	memcpy(framed + 2, query, len);
	ssize_t rc = transfer(r, fd, framed, len + 2, true, deadline);
	if (rc >= 0)
		rc = transfer(r, fd, size, 2, false, deadline);
	if (rc < 0)
		return rc;
	size_t n = (size_t)size[0] << 8 | size[1];
	rc = transfer(r, fd, answer, n, false, deadline);
	if (rc < 0)
		return rc;
	return answers_query(query, len, answer, rc) ? rc : -EIO;
}

ssize_t resolver_raw(struct resolver *r, const char *name, unsigned type, uint8_t *answer)
{
	struct servers s = servers_now(r);
	uint8_t query[300];
	uint16_t id;
	if (getrandom(&id, sizeof(id), 0) != sizeof(id))
		return -EIO;
	ssize_t len = dns_make_query(name, type, id, query);
	if (len < 0)
		return len;
	ssize_t n = -EIO;
	for (unsigned attempt = 0; attempt < s.attempts; attempt++)
		for (size_t i = 0; i < s.n; i++) {
			n = ask_udp(r, &s.addr[i], query, (size_t)len, answer, s.timeout_ms);
			if (n == -ECANCELED)
				return n;
			bool truncated = n > 2 && (answer[2] & 0x02);
			if (truncated)
				n = ask_tcp(r, &s.addr[i], query, (size_t)len, answer, s.timeout_ms);
			unsigned rcode = n > 3 ? answer[3] & 0xfU : ns_r_servfail;
			if (n > 0 && (rcode == ns_r_noerror || rcode == ns_r_nxdomain))
				return n;
		}
	return n > 0 ? n : -EIO; /* what the last server said, if anything */
}

/* ---- addresses ----------------------------------------------------------- */

static struct cached **cache_slot(struct resolver *r, const char *name, uint8_t len)
{
	struct cached **slot = &r->bucket[hash_text(HASH_SEED ^ len, name) % CACHE_BUCKETS];
	while (*slot && ((*slot)->len != len || strcmp((*slot)->name, name) != 0))
		slot = &(*slot)->next;
	return slot;
}

static bool cache_get(struct resolver *r, const char *name, uint8_t len, struct resolved *out)
{
	int64_t left = 0;
	pthread_mutex_lock(&r->lock);
	const struct cached *c = *cache_slot(r, name, len);
	if (c) {
		left = c->until - now_ms() / 1000;
		*out = c->answer;
	}
	pthread_mutex_unlock(&r->lock);
	if (left <= 0)
		return false;
	out->ttl = (unsigned)left;
	return true;
}

static void cache_put(struct resolver *r, const char *name, uint8_t len, const struct resolved *a)
{
	pthread_mutex_lock(&r->lock);
	if (r->n_cached >= CACHE_MAX)
		cache_clear(r);
	struct cached **slot = cache_slot(r, name, len);
	if (!*slot) {
		size_t n = strlen(name) + 1;
		*slot = xcalloc(1, sizeof(**slot) + n);
		memcpy((*slot)->name, name, n);
		(*slot)->len = len;
		r->n_cached++;
	}
	(*slot)->answer = *a;
	(*slot)->until = now_ms() / 1000 + a->ttl;
	pthread_mutex_unlock(&r->lock);
}

int resolver_host(struct resolver *r, const char *name, uint8_t len, bool wait, struct resolved *out)
{
	*out = (struct resolved){.ttl = 60, .exists = true};
	out->n = hostsfile_addrs(r->hosts, name, len, out->addr, RESOLVE_ADDRS);
	if (out->n || hostsfile_has(r->hosts, name) || cache_get(r, name, len, out))
		return 0;
	if (!wait)
		return -EAGAIN;
	cleanup_free uint8_t *answer = xmalloc(DNS_MAX);
	ssize_t n = resolver_raw(r, name, len == 4 ? ns_t_a : ns_t_aaaa, answer);
	if (n < 0 || dns_parse_addrs(answer, (size_t)n, name, len, out) < 0)
		return -EIO;
	if (out->ttl > TTL_MAX)
		out->ttl = TTL_MAX;
	if (out->ttl < 1)
		out->ttl = 1;
	cache_put(r, name, len, out);
	return 0;
}
