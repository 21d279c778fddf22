/* SPDX-License-Identifier: Apache-2.0 */
/*
 * names.c - synthetic addresses.
 *
 * Programs in the tree are given an address of the broker's choosing for every
 * pair of a name and an address it resolved to, and keep it for the session.
 * When something connects to it, the broker knows which name the program asked
 * for and which address was meant, whatever the name resolves to by then.
 *
 * IPv4 addresses come from 198.18.0.0/15 (RFC 2544, benchmarks: never routed).
 * IPv6 addresses come from a unique local prefix, which RFC 6724 sorts behind
 * IPv4: a host with both is tried by IPv4 first, one with IPv6 only still works.
 */
#include "net/internal.h"

#include <errno.h>

#define N_V4 0x1fffeU
#define N_V6 0x1fffeU
/* Names that nothing allows yet: a program could make up any number of them. */
#define N_LATER 8192U
#define N_BUCKETS 1024U

static const uint8_t prefix6[12] = {0xfd, 0x6e, 0x6f, 0x6e, 0x6f, 0x00};

struct name_entry {
	struct name_entry *next;
	struct host_addr real;
	uint32_t index;
	uint8_t len;
	char name[];
};

struct names {
	pthread_mutex_t lock;
	struct name_entry *bucket[N_BUCKETS];
	struct name_entry **by_index[2]; /* IPv4, IPv6 */
	uint32_t n[2], cap[2], later;
};

struct names *names_new(void)
{
	struct names *t = xcalloc(1, sizeof(*t));
	pthread_mutex_init(&t->lock, NULL);
	return t;
}

void names_free(struct names *t)
{
	if (!t)
		return;
	for (unsigned family = 0; family < 2; family++) {
		for (uint32_t i = 0; i < t->n[family]; i++)
			free(t->by_index[family][i]);
		free((void *)t->by_index[family]);
	}
	pthread_mutex_destroy(&t->lock);
	free(t);
}

static uint32_t hash_name(const char *name, const struct host_addr *real, uint8_t len)
{
	uint32_t h = hash_text(HASH_SEED ^ len, name);
	for (unsigned i = 0; i < real->len; i++)
		h = hash_step(h, (char)real->b[i]);
	return h % N_BUCKETS;
}

/* Index 0 is the first address behind the network's own. */
static struct host_addr index_addr(uint32_t index, uint8_t len)
{
	struct host_addr a = {.len = len};
	uint32_t v = index + 1;
	if (len == 4) {
		v += (198U << 24) | (18U << 16);
		for (unsigned i = 0; i < 4; i++)
			a.b[i] = (uint8_t)(v >> (24 - 8 * i));
		return a;
	}
	memcpy(a.b, prefix6, sizeof(prefix6));
	for (unsigned i = 0; i < 4; i++)
		a.b[12 + i] = (uint8_t)(v >> (24 - 8 * i));
	return a;
}

bool names_range(const struct host_addr *a)
{
	if (a->len == 4)
		return a->b[0] == 198 && (a->b[1] & 0xfe) == 18;
	return a->len == 16 && memcmp(a->b, prefix6, sizeof(prefix6)) == 0;
}

static struct name_entry *entry_new(
	struct names *t, const char *name, const struct host_addr *real, uint8_t len, unsigned family)
{
	if (t->n[family] >= (family ? N_V6 : N_V4) || (!real->len && t->later >= N_LATER))
		return NULL;
	if (t->n[family] == t->cap[family]) {
		t->cap[family] = t->cap[family] ? t->cap[family] * 2 : 64;
		t->by_index[family] =
			xreallocarray((void *)t->by_index[family], t->cap[family], sizeof(struct name_entry *));
	}
	size_t n = strlen(name) + 1;
	struct name_entry *x = xcalloc(1, sizeof(*x) + n);
	memcpy(x->name, name, n);
	x->real = *real;
	x->len = len;
	x->index = t->n[family]++;
	t->by_index[family][x->index] = x;
	t->later += !real->len;
	struct name_entry **bucket = &t->bucket[hash_name(name, real, len)];
	x->next = *bucket;
	*bucket = x;
	return x;
}

int names_assign(struct names *t, const char *name, const struct host_addr *real, uint8_t len, struct host_addr *out)
{
	pthread_mutex_lock(&t->lock);
	struct name_entry *x = t->bucket[hash_name(name, real, len)];
	while (x && (x->len != len || x->real.len != real->len || memcmp(x->real.b, real->b, real->len) != 0 ||
			    strcmp(x->name, name) != 0))
		x = x->next;
	if (!x)
		x = entry_new(t, name, real, len, len == 16);
	if (x)
		*out = index_addr(x->index, len);
	pthread_mutex_unlock(&t->lock);
	return x ? 0 : -ENOSPC;
}

bool names_find(struct names *t, const struct host_addr *synthetic, char *name, struct host_addr *real)
{
	if (!names_range(synthetic))
		return false;
	unsigned family = synthetic->len == 16;
	const uint8_t *b = synthetic->b + (family ? 12 : 0);
	uint32_t v = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
	v -= family ? 1 : ((198U << 24) | (18U << 16)) + 1;
	pthread_mutex_lock(&t->lock);
	const struct name_entry *x = v < t->n[family] ? t->by_index[family][v] : NULL;
	if (x) {
		snprintf(name, 254, "%s", x->name);
		*real = x->real;
	}
	pthread_mutex_unlock(&t->lock);
	return x;
}
