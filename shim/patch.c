/* SPDX-License-Identifier: Apache-2.0 */
/*
 * patch.c - let a function's first bytes jump somewhere else.
 *
 * Theory of operation
 * -------------------
 *  - Code pages are never writable, and nothing is ever writable and executable. A
 *    copy of each page is changed, made executable and moved over the original in one
 *    mremap, so that a thread running there sees the old or the new page. Where memory
 *    may not become executable (MDWE, SELinux, seccomp) that fails before anything was
 *    touched: then we do without.
 *  - The jump is relative; where the target is too far away for that, it is an
 *    absolute one, if the function is long enough. It lies in one page, or in
 *    two of code that nobody runs yet.
 *
 * What a jump looks like is in jump.h.
 */
#include "jump.h"
#include "raw.h"
#include "shim.h"

#include <asm/mman.h>
#include <linux/mman.h>

#define P(pointer) ((long)(uintptr_t)(pointer))

static void copy_page(uint8_t *to, uintptr_t from, size_t size)
{
	uint64_t *t = (uint64_t *)(void *)to;
	const uint64_t *f = (const uint64_t *)from;
	for (size_t i = 0; i < size / sizeof(*t); i++)
		t[i] = f[i];
}

/* The copy of the page that holds @address; made when it is the first there. NULL when there is no room. */
static uint8_t *page_of(struct patch *p, uintptr_t address)
{
	if (p->n == 0)
		p->size = page_bytes();
	if (p->size == 0)
		return NULL;
	uintptr_t page = address & ~(p->size - 1);
	for (unsigned i = 0; i < p->n; i++)
		if (p->pages[i].page == page)
			return p->pages[i].copy;
	if (p->n == 0)
		p->room = raw_syscall(__NR_mmap, 0, (long)(PATCH_PAGES * p->size), PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (p->n == PATCH_PAGES || (p->room < 0 && p->room >= -4095))
		return NULL;
	uint8_t *copy = (uint8_t *)p->room + p->n * p->size;
	p->pages[p->n].page = page;
	p->pages[p->n++].copy = copy;
	copy_page(copy, page, p->size);
	return copy;
}

static bool same(const uint8_t *a, const uint8_t *b, unsigned n)
{
	while (n && *a == *b)
		a++, b++, n--;
	return n == 0;
}

bool patch_jump(struct patch *p, uintptr_t entry, size_t size, uintptr_t target)
{
	uint8_t jump[FAR_BYTES];
	const unsigned landing = landing_bytes((const uint8_t *)entry);
	const uintptr_t at = entry + landing;
	const unsigned n = size > landing ? make_jump(jump, at, target, size - landing) : 0;
	if (n == 0 || same((const uint8_t *)at, jump, n) || !page_of(p, at) || !page_of(p, at + n - 1))
		return false;
	for (unsigned i = 0; i < n; i++)
		page_of(p, at + i)[(at + i) & (p->size - 1)] = jump[i];
	return true;
}

void patch_end(struct patch *p)
{
	const long size = (long)p->size, all = PATCH_PAGES * size;
	if (p->n == 0)
		return;
	if (raw_syscall(__NR_mprotect, p->room, all, PROT_READ | PROT_EXEC, 0, 0, 0) == 0)
		for (unsigned i = 0; i < p->n; i++) {
			code_changed((uintptr_t)p->pages[i].copy, p->size);
			(void)raw_syscall(__NR_mremap, P(p->pages[i].copy), size, size, MREMAP_MAYMOVE | MREMAP_FIXED,
				(long)p->pages[i].page, 0);
			code_changed(p->pages[i].page, p->size);
		}
	/* the pages that were moved away leave nothing here to unmap */
	(void)raw_syscall(__NR_munmap, p->room, all, 0, 0, 0, 0);
}
