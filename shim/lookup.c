/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lookup.c - getaddrinfo, by one call to the broker.
 *
 * Theory of operation
 * -------------------
 * The C library makes sockets, sends two datagrams and connects once more for each
 * address to sort them; all of that traps or goes through the dead end. Here the broker
 * is asked for the addresses (proto/lookup.h), and the C library makes the list that
 * the program gets: it is called once for each address, as a number, with the program's
 * own service and hints, so what these mean is decided where it always is. The parts
 * are joined. IPv4 comes first, as the C library would sort the broker's addresses.
 *
 * Only plain questions are asked here. For everything else, and whenever anything is
 * not as expected, the C library does all of it as if the shim were not there.
 *
 * glibc frees a list entry by entry, musl only what it made at once: there the first
 * entry of a part is marked, and freeaddrinfo frees the parts.
 */
#include "shim.h"

#include "proto/lookup.h"
#include "raw.h"

#include <asm/errno.h>
#include <dlfcn.h>
#include <link.h>
#include <netdb.h>

#define P(pointer) ((long)(uintptr_t)(pointer))
#define TEXT 48
#define MARK 0x40000000 /* in ai_flags, which musl leaves empty */

#pragma weak _r_debug
#pragma weak dlsym
extern char **environ __attribute__((weak));

typedef int get_fn(const char *, const char *, const struct addrinfo *, struct addrinfo **);
typedef void free_fn(struct addrinfo *);

static get_fn *real_get;
static free_fn *real_free;
static bool never; /* the broker answers no such calls */

static bool is_glibc(void)
{
	return &_r_debug;
}

static uintptr_t find(const char *name)
{
	size_t size;
	return is_glibc() ? elf_next(name, &size) : dlsym ? (uintptr_t)dlsym(RTLD_NEXT, name) : 0;
}

/* Whether it is libc that would be called: others who take it over want to see every call. */
static bool find_real(void)
{
	size_t size;
	if (!real_get) {
		real_free = (free_fn *)find("freeaddrinfo");
		real_get = (get_fn *)find("getaddrinfo");
		if (is_glibc() && (uintptr_t)real_get != elf_libc("getaddrinfo", &size))
			never = true;
	}
	return real_get && real_free;
}

/* ---- whether a question is plain --------------------------------------------------- */

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* A name of several labels whose last cannot be part of an address. */
static bool plain_name(const char *name, struct lookup *l)
{
	size_t n = 0, last = 0;
	for (; name[n]; n++) {
		const char c = name[n];
		if (n + 1 == LOOKUP_NAME ||
			!(is_letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.'))
			return false;
		if (c == '.')
			last = n + 1;
		l->name[n] = c;
	}
	l->name[n] = '\0';
	return last != 0 && is_letter(name[last]);
}

static bool plain_hints(const struct addrinfo *h, struct lookup *l)
{
	const int known = AI_PASSIVE | AI_V4MAPPED | AI_ALL | AI_ADDRCONFIG | AI_NUMERICSERV;
	if (!h || (h->ai_flags & ~known) || (h->ai_family == AF_INET6 && (h->ai_flags & AI_V4MAPPED)))
		return false;
	l->v4 = h->ai_family != AF_INET6;
	l->v6 = h->ai_family != AF_INET;
	return h->ai_family == AF_UNSPEC || h->ai_family == AF_INET || h->ai_family == AF_INET6;
}

/* The environment can change how the C library resolves. */
static bool plain_environment(void)
{
	static const char name[] = "RES_OPTIONS=", usual[] = "use-vc";
	for (char **env = &environ ? environ : NULL; env && *env; env++) {
		size_t n = 0;
		while (n + 1 < sizeof(name) && (*env)[n] == name[n])
			n++;
		if (n + 1 < sizeof(name))
			continue;
		const char *value = *env + n;
		for (n = 0; n < sizeof(usual); n++)
			if (value[n] != usual[n])
				return false;
	}
	return true;
}

/* ---- the broker's answer ------------------------------------------------------------- */

/* Return: how many addresses, or -errno. A signal whose handler asks for no restart does not end a lookup. */
static long ask(struct lookup *l)
{
	long n;
	do
		n = raw_syscall(__NR_connect, LOOKUP_FD, P(l), (long)sizeof(*l), 0, 0, 0);
	while (n == -EINTR);
	if (n == -ENOSYS || n == -EBADF)
		never = true;
	return n > LOOKUP_ADDRS ? -EINVAL : n;
}

/* @v in at least one digit. Return: behind the last. */
static char *put_number(char *out, unsigned v, unsigned base)
{
	static const char digits[] = "0123456789abcdef";
	if (v >= base)
		out = put_number(out, v / base, base);
	*out++ = digits[v % base];
	return out;
}

static void put_address(char out[TEXT], const struct lookup_addr *a)
{
	const unsigned step = a->len == 4 ? 1 : 2;
	for (unsigned i = 0; i < a->len && i < sizeof(a->b); i += step) {
		if (i)
			*out++ = step == 1 ? '.' : ':';
		out = put_number(out, step == 1 ? a->b[i] : (unsigned)a->b[i] << 8 | a->b[i + 1], step == 1 ? 10 : 16);
	}
	*out = '\0';
}

/* ---- the list -------------------------------------------------------------------------- */

static void free_parts(struct addrinfo *list)
{
	while (list) {
		struct addrinfo *end = list, *next;
		while (end->ai_next && !(end->ai_next->ai_flags & MARK))
			end = end->ai_next;
		next = end->ai_next;
		end->ai_next = NULL;
		real_free(list);
		list = next;
	}
}

/* Return: 0 and the list; another value, and none. */
static int make_list(const struct lookup *l, long n, const char *service, struct addrinfo hints, struct addrinfo **out)
{
	struct addrinfo *first = NULL, **end = &first;
	const int flags = hints.ai_flags, wanted = flags & AI_ADDRCONFIG;
	int result = EAI_NONAME;
	unsigned seen = 0, usable = 0; /* families: looked at, and of those that this machine has */
	for (long i = 0; i < n; i++) {
		const unsigned family = l->addr[i].len == 4 ? 1 : 2;
		char text[TEXT];
		if ((seen & family) && !(usable & family))
			continue;
		put_address(text, &l->addr[i]);
		hints.ai_flags = (hints.ai_flags & ~AI_ADDRCONFIG) | AI_NUMERICHOST | (seen & family ? 0 : wanted);
		seen |= family;
		result = real_get(text, service, &hints, end);
		if (result == EAI_SERVICE || result == EAI_MEMORY)
			break;
		if (result != 0) {
			*end = NULL;
			continue;
		}
		usable |= family;
		if (!is_glibc() && end != &first)
			(*end)->ai_flags |= MARK;
		/* glibc repeats the flags; musl tells the name it was called with, and has no room for another */
		for (; *end; end = &(*end)->ai_next) {
			(*end)->ai_canonname = NULL;
			if (is_glibc())
				(*end)->ai_flags = flags;
		}
	}
	if (first && (result == EAI_SERVICE || result == EAI_MEMORY)) {
		*end = NULL;
		free_parts(first);
		return result;
	}
	*out = first;
	return first ? 0 : EAI_NONAME;
}

/* Whether all but the name is in order, so that libc would ask the name servers. */
static bool would_be_asked(struct lookup *l, const char *service, struct addrinfo hints)
{
	struct addrinfo *list = NULL;
	l->addr[0].len = l->v4 ? 4 : 16;
	for (unsigned i = 0; i < sizeof(l->addr[0].b); i++)
		l->addr[0].b[i] = 0;
	const bool well = make_list(l, 1, service, hints, &list) == 0;
	free_parts(list);
	return well;
}

SHIM_EXPORT int getaddrinfo(const char *restrict name, const char *restrict service,
	const struct addrinfo *restrict hints, struct addrinfo **restrict out)
{
	struct lookup l;
	if (!find_real())
		return EAI_SYSTEM;
	if (!never && name && plain_name(name, &l) && plain_hints(hints, &l) && plain_environment()) {
		const long n = ask(&l);
		if (n == -EAGAIN && would_be_asked(&l, service, *hints))
			return EAI_AGAIN;
		if (n > 0 && make_list(&l, n, service, *hints, out) == 0)
			return 0;
	}
	return real_get(name, service, hints, out);
}

SHIM_EXPORT void freeaddrinfo(struct addrinfo *list)
{
	if (find_real())
		free_parts(list);
}
