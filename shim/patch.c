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
 * What holds for x86_64 only is here; elsewhere nothing is patched, and what would
 * have come through a patched function is trapped.
 */
#include "raw.h"
#include "shim.h"

#include <asm/mman.h>
#include <linux/mman.h>

#define P(pointer) ((long)(uintptr_t)(pointer))
#define PAGE_BYTES 4096UL

#if defined(__x86_64__)
#define NEAR_BYTES 5
#define FAR_BYTES 14

/* endbr64 stays, for processors that insist on it */
static unsigned landing_bytes(const uint8_t *code)
{
	return code[0] == 0xf3 && code[1] == 0x0f && code[2] == 0x1e && code[3] == 0xfa ? 4 : 0;
}

/* A jump to @target for the code at @at, of at most @room bytes. Return: its length, 0 when there is no room. */
static unsigned make_jump(uint8_t jump[FAR_BYTES], uintptr_t at, uintptr_t target, size_t room)
{
	const int64_t distance = (int64_t)(target - at) - NEAR_BYTES;
	if (distance == (int32_t)distance && room >= NEAR_BYTES) {
		jump[0] = 0xe9; /* jmp rel32 */
		for (unsigned i = 0; i < 4; i++)
			jump[1 + i] = (uint8_t)((uint64_t)distance >> (8 * i));
		return NEAR_BYTES;
	}
	if (room < FAR_BYTES)
		return 0;
	static const uint8_t indirect[] = {0xff, 0x25, 0, 0, 0, 0}; /* jmp *0(%rip) */
	for (unsigned i = 0; i < sizeof(indirect); i++)
		jump[i] = indirect[i];
	for (unsigned i = 0; i < 8; i++)
		jump[sizeof(indirect) + i] = (uint8_t)((uint64_t)target >> (8 * i));
	return FAR_BYTES;
}

static void copy_page(uint8_t *to, uintptr_t from)
{
	uint64_t *t = (uint64_t *)(void *)to;
	const uint64_t *f = (const uint64_t *)from;
	for (size_t i = 0; i < PAGE_BYTES / sizeof(*t); i++)
		t[i] = f[i];
}

/* The copy of the page that holds @address; made when it is the first there. NULL when there is no room. */
static uint8_t *page_of(struct patch *p, uintptr_t address)
{
	uintptr_t page = address & ~(PAGE_BYTES - 1);
	for (unsigned i = 0; i < p->n; i++)
		if (p->pages[i].page == page)
			return p->pages[i].copy;
	if (p->n == 0)
		p->room = raw_syscall(__NR_mmap, 0, PATCH_PAGES * PAGE_BYTES, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (p->n == PATCH_PAGES || (p->room < 0 && p->room >= -4095))
		return NULL;
	uint8_t *copy = (uint8_t *)p->room + p->n * PAGE_BYTES;
	p->pages[p->n].page = page;
	p->pages[p->n++].copy = copy;
	copy_page(copy, page);
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
		page_of(p, at + i)[(at + i) & (PAGE_BYTES - 1)] = jump[i];
	return true;
}

void patch_end(struct patch *p)
{
	if (p->n == 0)
		return;
	if (raw_syscall(__NR_mprotect, p->room, PATCH_PAGES * PAGE_BYTES, PROT_READ | PROT_EXEC, 0, 0, 0) == 0)
		for (unsigned i = 0; i < p->n; i++)
			(void)raw_syscall(__NR_mremap, P(p->pages[i].copy), PAGE_BYTES, PAGE_BYTES,
				MREMAP_MAYMOVE | MREMAP_FIXED, (long)p->pages[i].page, 0);
	/* the pages that were moved away leave nothing here to unmap */
	(void)raw_syscall(__NR_munmap, p->room, PATCH_PAGES * PAGE_BYTES, 0, 0, 0, 0);
}
#else
bool patch_jump(struct patch *p, uintptr_t entry, size_t size, uintptr_t target)
{
	(void)p;
	(void)entry;
	(void)size;
	(void)target;
	return false;
}

void patch_end(struct patch *p)
{
	(void)p;
}
#endif
