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

#pragma weak _r_debug
extern __typeof(_DYNAMIC) _DYNAMIC __attribute__((visibility("hidden")));

#define HIDDEN_VERSION 0x8000

uint32_t elf_hash(const char *name, size_t n)
{
	uint32_t h = 5381;
	for (size_t i = 0; i < n; i++)
		h = h * 33 + (uint8_t)name[i];
	return h;
}

static bool same(const char *symbol, const char *name, size_t n)
{
	size_t i = 0;
	while (i < n && symbol[i] == name[i])
		i++;
	return i == n && symbol[n] == '\0';
}

/** struct tables - where an object has what a lookup needs. */
struct tables {
	const uint32_t *hash;
	const ElfW(Sym) * symbols;
	const char *strings;
	const ElfW(Half) * versions; /* NULL: it has none */
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
		else if (d->d_tag == DT_VERSYM)
			t->versions = located(m, d->d_un.d_ptr);
	}
	return t->hash && t->symbols && t->strings;
}

static bool is_function(const ElfW(Sym) * s)
{
	return (s->st_info & 0xf) == STT_FUNC && s->st_shndx != SHN_UNDEF && s->st_value;
}

uintptr_t elf_function(const struct link_map *m, const char *name, size_t n, uint32_t hash, size_t *size)
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
		if ((h | 1) == (hash | 1) && same(t.strings + s->st_name, name, n) && is_function(s) &&
			!(t.versions && t.versions[i] & HIDDEN_VERSION)) {
			*size = s->st_size;
			return m->l_addr + s->st_value;
		}
		if (h & 1)
			return 0;
	}
}

static size_t length(const char *s)
{
	size_t n = 0;
	while (s[n])
		n++;
	return n;
}

uintptr_t elf_next(const char *name, size_t *size)
{
	const size_t n = length(name);
	const uint32_t hash = elf_hash(name, n);
	uintptr_t found = 0;
	bool after = false;
	for (const struct link_map *m = &_r_debug ? _r_debug.r_map : NULL; m && !found; m = m->l_next) {
		if (after)
			found = elf_function(m, name, n, hash, size);
		after = after || m->l_ld == _DYNAMIC;
	}
	return found;
}

uintptr_t elf_libc(const char *name, size_t *size)
{
	static const char libc[] = "/libc.so.6";
	const size_t n = length(name);
	for (const struct link_map *m = &_r_debug ? _r_debug.r_map : NULL; m; m = m->l_next) {
		const size_t l = m->l_name ? length(m->l_name) : 0;
		if (l >= sizeof(libc) - 1 && same(m->l_name + l - (sizeof(libc) - 1), libc, sizeof(libc) - 1))
			return elf_function(m, name, n, elf_hash(name, n), size);
	}
	return 0;
}
