/* SPDX-License-Identifier: Apache-2.0 */
/* jump_aarch64.h - the code of a jump, for patch.c. */
#ifndef NONO_SHIM_JUMP_AARCH64_H
#define NONO_SHIM_JUMP_AARCH64_H

#include <linux/auxvec.h>
#include <stddef.h>
#include <stdint.h>

#define NEAR_BYTES 4
#define NEAR_REACH (1 << 27) /* bytes, either way */
#define FAR_BYTES 16
#define EMPTY_FUNCTION_BYTES 4 /* an empty function: what follows it may be the next one */

/* Both libcs export it. */
extern unsigned long getauxval(unsigned long) __attribute__((weak));

/* The changed page has no PROT_BTI, so nothing there has to say that it may be jumped to. */
static inline unsigned landing_bytes(const uint8_t *code)
{
	(void)code;
	return 0;
}

static inline void put_word(uint8_t *out, uint32_t v)
{
	for (unsigned i = 0; i < sizeof(v); i++)
		out[i] = (uint8_t)(v >> (8 * i));
}

/*
 * A jump to @target for the code at @at, of at most @room bytes. Return: its length, 0
 * when there is no room. x16 is the register that callers leave to such code.
 */
static inline unsigned make_jump(uint8_t jump[FAR_BYTES], uintptr_t at, uintptr_t target, size_t room)
{
	const int64_t distance = (int64_t)(target - at);
	if (distance >= -NEAR_REACH && distance < NEAR_REACH && room >= NEAR_BYTES) {
		put_word(jump, 0x14000000U | ((uint32_t)(distance / 4) & 0x03ffffffU)); /* b */
		return NEAR_BYTES;
	}
	if (room < FAR_BYTES)
		return 0;
	put_word(jump, 0x58000050U);     /* ldr x16, the address below */
	put_word(jump + 4, 0xd61f0200U); /* br x16 */
	put_word(jump + 8, (uint32_t)target);
	put_word(jump + 12, (uint32_t)(target >> 32));
	return FAR_BYTES;
}

/* What __builtin___clear_cache does, which is a function of a library's here. */
static inline void code_changed(uintptr_t at, size_t n)
{
	uint64_t type;
	__asm__ volatile("mrs %0, ctr_el0" : "=r"(type));
	const uintptr_t data = (uintptr_t)4 << (type >> 16 & 15), code = (uintptr_t)4 << (type & 15), end = at + n;
	for (uintptr_t p = at & ~(data - 1); p < end; p += data)
		__asm__ volatile("dc cvau, %0" ::"r"(p) : "memory");
	__asm__ volatile("dsb ish" ::: "memory");
	for (uintptr_t p = at & ~(code - 1); p < end; p += code)
		__asm__ volatile("ic ivau, %0" ::"r"(p) : "memory");
	__asm__ volatile("dsb ish\n\tisb" ::: "memory");
}

/* 4, 16 or 64 KiB, as the kernel was built; 0 when that cannot be known. */
static inline size_t page_bytes(void)
{
	return getauxval ? getauxval(AT_PAGESZ) : 0;
}

#endif
