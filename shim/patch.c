/* SPDX-License-Identifier: Apache-2.0 */
/*
 * patch.c - libc's internal opens.
 *
 * Theory of operation
 * -------------------
 * fopen, opendir, the NSS modules and posix_spawn do not look up `open`: they jump
 * straight to libc's own. So the first bytes of the entry points that they share
 * become a jump to ours, once, when the shim is loaded.
 *
 *  - The entry points are found by the loader: weak references to the names under
 *    which libc exports them besides the public ones, which are ours. What a libc
 *    does not export is left alone, and traps.
 *  - libc's pages are never writable, and nothing is ever writable and executable.
 *    A copy of each page is changed, made executable and moved over the original
 *    in one mremap, so that a thread running there sees the old or the new page.
 *    Where memory may not become executable (MDWE, SELinux, seccomp) that fails
 *    before anything of libc was touched: then we do without.
 *  - The jump is relative: a libc that is mapped too far away is left alone.
 */
#include "lane.h"
#include "raw.h"

#include <asm/mman.h>
#include <linux/mman.h>

#define P(pointer) ((long)(uintptr_t)(pointer))
#define MAX_PAGES 3

extern int __open64(const char *, int, ...) __attribute__((weak));
extern int __open64_nocancel(const char *, int, ...) __attribute__((weak));

#if defined(__x86_64__)
#define JUMP_BYTES 5
/* endbr64 stays, for processors that insist on it */
static int landing_bytes(const uint8_t *code)
{
	return code[0] == 0xf3 && code[1] == 0x0f && code[2] == 0x1e && code[3] == 0xfa ? 4 : 0;
}

/* jmp rel32 */
static int make_jump(uint8_t *at, int64_t distance)
{
	distance -= JUMP_BYTES;
	if (distance != (int32_t)distance)
		return -1;
	at[0] = 0xe9;
	for (int i = 0; i < 4; i++)
		at[1 + i] = (uint8_t)((uint64_t)distance >> (8 * i));
	return 0;
}
#define PAGE_MASK 4095UL

/** struct patched - one page of libc and its copy. */
struct patched {
	uintptr_t page;
	uint8_t *copy;
};

static void copy_page(uint8_t *to, uintptr_t from)
{
	uint64_t *t = (uint64_t *)(void *)to;
	const uint64_t *f = (const uint64_t *)from;
	for (size_t i = 0; i <= PAGE_MASK / sizeof(*t); i++)
		t[i] = f[i];
}

/* The copy of the page that holds @address; made when it is the first there. NULL when there is no room. */
static struct patched *page_of(struct patched *pages, unsigned *n, uint8_t *room, uintptr_t address)
{
	uintptr_t page = address & ~PAGE_MASK;
	for (unsigned i = 0; i < *n; i++)
		if (pages[i].page == page)
			return &pages[i];
	if (*n == MAX_PAGES)
		return NULL;
	struct patched *p = &pages[*n];
	p->page = page;
	p->copy = room + *n * (PAGE_MASK + 1);
	copy_page(p->copy, page);
	(*n)++;
	return p;
}

__attribute__((constructor)) static void redirect(void)
{
	const uintptr_t entries[] = {(uintptr_t)&__open64, (uintptr_t)&__open64_nocancel};
	const long size = MAX_PAGES * (PAGE_MASK + 1);
	struct patched pages[MAX_PAGES];
	unsigned n = 0;

	if (!entries[0] && !entries[1])
		return;
	long room = raw_syscall(
		__NR_mmap, 0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (room < 0 && room > -4096)
		return;
	for (unsigned i = 0; i < sizeof(entries) / sizeof(entries[0]); i++) {
		if (!entries[i])
			continue;
		uintptr_t start = entries[i] + (uintptr_t)landing_bytes((const uint8_t *)entries[i]);
		/* a jump over the end of a page would need both: libc aligns functions to 16 */
		if ((start & PAGE_MASK) + JUMP_BYTES > PAGE_MASK + 1)
			continue;
		struct patched *p = page_of(pages, &n, (uint8_t *)room, start);
		if (p)
			(void)make_jump(p->copy + (start & PAGE_MASK), (int64_t)((uintptr_t)&shim_open - start));
	}
	if (raw_syscall(__NR_mprotect, room, size, PROT_READ | PROT_EXEC, 0, 0, 0) == 0)
		for (unsigned i = 0; i < n; i++)
			(void)raw_syscall(__NR_mremap, P(pages[i].copy), PAGE_MASK + 1, PAGE_MASK + 1,
				MREMAP_MAYMOVE | MREMAP_FIXED, (long)pages[i].page, 0);
	/* the pages that were moved away leave nothing here to unmap */
	(void)raw_syscall(__NR_munmap, room, size, 0, 0, 0, 0);
}
#endif
