/* SPDX-License-Identifier: Apache-2.0 */
/* map.c - the table of paths that rules name: a chained hash over FNV-1a of the path's bytes. */
#include "policy/internal.h"

#define FIRST_BUCKETS 256U

uint32_t hash_bytes(uint32_t h, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		h = hash_step(h, s[i]);
	return h;
}

struct node *map_find(const struct map *m, const char *path, size_t len, uint32_t hash)
{
	if (!m->n_buckets)
		return NULL;
	for (struct node *n = m->bucket[hash & (m->n_buckets - 1)]; n; n = n->next)
		if (n->hash == hash && n->len == len && memcmp(n->path, path, len) == 0)
			return n;
	return NULL;
}

struct node *map_get(const struct map *m, const char *path)
{
	size_t len = strlen(path);
	return map_find(m, path, len, hash_bytes(HASH_SEED, path, len));
}

static void map_grow(struct map *m)
{
	size_t n = m->n_buckets ? m->n_buckets * 2 : FIRST_BUCKETS;
	struct node **bucket = xcalloc(n, sizeof(struct node *));
	for (size_t i = 0; i < m->n_buckets; i++) {
		for (struct node *node = m->bucket[i], *next; node; node = next) {
			next = node->next;
			struct node **slot = &bucket[node->hash & (n - 1)];
			node->next = *slot;
			*slot = node;
		}
	}
	free(m->bucket);
	m->bucket = bucket;
	m->n_buckets = n;
}

struct node *map_add(struct map *m, const char *path)
{
	size_t len = strlen(path);
	uint32_t hash = hash_bytes(HASH_SEED, path, len);
	struct node *found = map_find(m, path, len, hash);
	if (found)
		return found;
	if (m->n >= m->n_buckets)
		map_grow(m);
	struct node *node = xmalloc(sizeof(*node) + len + 1);
	*node = (struct node){.hash = hash, .len = (uint32_t)len, .path = (char *)(node + 1)};
	memcpy(node + 1, path, len + 1);
	struct node **slot = &m->bucket[hash & (m->n_buckets - 1)];
	node->next = *slot;
	*slot = node;
	m->n++;
	return node;
}

void map_free(struct map *m)
{
	for (size_t i = 0; i < m->n_buckets; i++) {
		for (struct node *n = m->bucket[i], *next; n; n = next) {
			next = n->next;
			free(n);
		}
	}
	free(m->bucket);
	*m = (struct map){0};
}
