/* SPDX-License-Identifier: Apache-2.0 */
/*
 * elf.c - look a function up in one loaded object.
 *
 * The loader's own lookups (dlsym) take its locks and may not be made while it works,
 * which is when the shim looks. Tables are read as the loader left them: it has
 * checked them before. Objects without a GNU hash table are none of today.
 */
#include "shim.h"

#include <elf.h>
#include <link.h>

uint32_t elf_hash(const char *name)
{
	uint32_t h = 5381;
	for (; *name; name++)
		h = h * 33 + (uint8_t)*name;
	return h;
}

static bool same(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return *a == *b;
}

/** struct tables - where an object has what a lookup needs. */
struct tables {
	const uint32_t *hash;
	const ElfW(Sym) * symbols;
	const char *strings;
};

/* Addresses in a dynamic section are relocated by some loaders and left as offsets by others. */
static const void *located(const struct link_map *m, uintptr_t p)
{
	return (const void *)(p < m->l_addr ? p + m->l_addr : p);
}

static bool read_tables(const struct link_map *m, struct tables *t)
{
	*t = (struct tables){0};
	for (const ElfW(Dyn) *d = m->l_ld; d && d->d_tag != DT_NULL; d++) {
		if (d->d_tag == DT_GNU_HASH)
			t->hash = located(m, d->d_un.d_ptr);
		else if (d->d_tag == DT_SYMTAB)
			t->symbols = located(m, d->d_un.d_ptr);
		else if (d->d_tag == DT_STRTAB)
			t->strings = located(m, d->d_un.d_ptr);
	}
	return t->hash && t->symbols && t->strings;
}

static bool is_function(const ElfW(Sym) * s)
{
	return (s->st_info & 0xf) == STT_FUNC && s->st_shndx != SHN_UNDEF && s->st_value;
}

uintptr_t elf_function(const struct link_map *m, const char *name, uint32_t hash, size_t *size)
{
	struct tables t;
	if (!read_tables(m, &t))
		return 0;
	const uint32_t n_buckets = t.hash[0], first = t.hash[1], n_bloom = t.hash[2], shift = t.hash[3];
	const ElfW(Addr) *bloom = (const ElfW(Addr) *)(const void *)(t.hash + 4);
	const uint32_t *buckets = (const uint32_t *)(const void *)(bloom + n_bloom);
	const uint32_t *chain = buckets + n_buckets;
	const unsigned bits = 8 * sizeof(*bloom);
	if (!n_buckets || !n_bloom)
		return 0;
	ElfW(Addr) word = bloom[hash / bits % n_bloom];
	if (!(word >> (hash % bits) & word >> ((hash >> shift) % bits) & 1))
		return 0;
	uint32_t i = buckets[hash % n_buckets];
	if (i < first)
		return 0;
	for (;; i++) {
		uint32_t h = chain[i - first];
		const ElfW(Sym) *s = &t.symbols[i];
		if ((h | 1) == (hash | 1) && same(t.strings + s->st_name, name) && is_function(s)) {
			*size = s->st_size;
			return m->l_addr + s->st_value;
		}
		if (h & 1)
			return 0;
	}
}
