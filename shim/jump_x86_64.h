/* SPDX-License-Identifier: Apache-2.0 */
/* jump_x86_64.h - the code of a jump, for patch.c. */
#ifndef NONO_SHIM_JUMP_X86_64_H
#define NONO_SHIM_JUMP_X86_64_H

#include <stddef.h>
#include <stdint.h>

#define NEAR_BYTES 5
#define FAR_BYTES 14
#define EMPTY_FUNCTION_BYTES 16 /* an empty function with what follows it: the next one is aligned */

/* endbr64 stays, for processors that insist on it */
static inline unsigned landing_bytes(const uint8_t *code)
{
	return code[0] == 0xf3 && code[1] == 0x0f && code[2] == 0x1e && code[3] == 0xfa ? 4 : 0;
}

/* A jump to @target for the code at @at, of at most @room bytes. Return: its length, 0 when there is no room. */
static inline unsigned make_jump(uint8_t jump[FAR_BYTES], uintptr_t at, uintptr_t target, size_t room)
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

/* Processors see changed code by themselves. */
static inline void code_changed(uintptr_t at, size_t n)
{
	(void)at;
	(void)n;
}

/* Pages have one size. */
static inline size_t page_bytes(void)
{
	return 4096;
}

#endif
