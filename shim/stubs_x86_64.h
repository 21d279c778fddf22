/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stubs_x86_64.h - where a function that opens pages leads: one stub for each.
 *
 * A stub keeps every register that may hold an argument, asks function_closure() for
 * the closure of its number and jumps to it, as if the caller had called that. Without
 * a closure it returns 0.
 */
#ifndef NONO_SHIM_STUBS_X86_64_H
#define NONO_SHIM_STUBS_X86_64_H

#include "proto/functions.h"

#define STUB_BYTES 16
#define STUB_TEXT_(x) #x
#define STUB_TEXT(x) STUB_TEXT_(x)

__asm__(".pushsection .text\n"
	".p2align 4\n"
	".local function_stubs\n"
	".hidden function_closure\n"
	"function_stubs:\n"
	".set stub, 0\n"
	".rept " STUB_TEXT(OPEN_FUNCTIONS_MAX) "\n"
					       "	.p2align 4\n"
					       "	endbr64\n"
					       "	push $stub\n"
					       "	jmp function_stub_common\n"
					       "	.set stub, stub + 1\n"
					       ".endr\n"
					       ".p2align 4\n"
					       "function_stub_common:\n"
					       "	push %rdi\n	push %rsi\n	push %rdx\n	push "
					       "%rcx\n	push %r8\n	push %r9\n	push %rax\n"
					       "	sub $136, %rsp\n" /* aligned to 16 */
					       "	movups %xmm0, (%rsp)\n	movups %xmm1, 16(%rsp)\n	movups "
					       "%xmm2, 32(%rsp)\n"
					       "	movups %xmm3, 48(%rsp)\n	movups %xmm4, "
					       "64(%rsp)\n	movups %xmm5, 80(%rsp)\n"
					       "	movups %xmm6, 96(%rsp)\n	movups %xmm7, 112(%rsp)\n"
					       "	mov 192(%rsp), %edi\n" /* the number */
					       "	call function_closure\n"
					       "	mov %rax, %r11\n"
					       "	movups (%rsp), %xmm0\n	movups 16(%rsp), %xmm1\n	movups "
					       "32(%rsp), %xmm2\n"
					       "	movups 48(%rsp), %xmm3\n	movups 64(%rsp), "
					       "%xmm4\n	movups 80(%rsp), %xmm5\n"
					       "	movups 96(%rsp), %xmm6\n	movups 112(%rsp), %xmm7\n"
					       "	add $136, %rsp\n"
					       "	pop %rax\n	pop %r9\n	pop %r8\n	pop "
					       "%rcx\n	pop %rdx\n	pop %rsi\n	pop %rdi\n"
					       "	lea 8(%rsp), %rsp\n"
					       "	test %r11, %r11\n"
					       "	jz 1f\n"
					       "	jmp *%r11\n"
					       "1:	xor %eax, %eax\n"
					       "	xorps %xmm0, %xmm0\n"
					       "	ret\n"
					       ".popsection\n");

extern const char function_stubs[] __attribute__((visibility("hidden")));

#endif
