/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stubs_x86_64.h - code that goes on to a function as if the caller had called that.
 *
 * A stub keeps every register that may hold an argument, asks for the address of its
 * number and jumps there. Without an address it returns 0.
 *
 * STUBS_FUNCTIONS makes function_stubs, STUB_BYTES apart, for functions.c; without it
 * the names of FORWARDED are made, for forward.c.
 */
#ifndef NONO_SHIM_STUBS_X86_64_H
#define NONO_SHIM_STUBS_X86_64_H

#include "proto/functions.h"

#define STUB_BYTES 16
#define STUB_TEXT_(x) #x
#define STUB_TEXT(x) STUB_TEXT_(x)

/* libc's functions that are forwarded */
#define FORWARDED(F)                                                                                                   \
	F(dlopen)                                                                                                      \
	F(execvp)                                                                                                      \
	F(execvpe)                                                                                                     \
	F(execl)                                                                                                       \
	F(execlp)                                                                                                      \
	F(execle)                                                                                                      \
	F(posix_spawn)                                                                                                 \
	F(posix_spawnp)                                                                                                \
	F(system)                                                                                                      \
	F(popen)
enum forwarded {
#define NUMBER(name) FORWARD_##name,
	FORWARDED(NUMBER)
#undef NUMBER
};

/* clang-format off */
/* The common part: the number is on the stack, above it where the caller returns to. */
#define STUB_COMMON(label, ask) \
	".p2align 4\n" \
	label ":\n" \
	"	push %rdi\n	push %rsi\n	push %rdx\n	push %rcx\n	push %r8\n	push %r9\n	push %rax\n" \
	"	sub $136, %rsp\n" /* aligned to 16 */ \
	"	movups %xmm0, (%rsp)\n	movups %xmm1, 16(%rsp)\n	movups %xmm2, 32(%rsp)\n" \
	"	movups %xmm3, 48(%rsp)\n	movups %xmm4, 64(%rsp)\n	movups %xmm5, 80(%rsp)\n" \
	"	movups %xmm6, 96(%rsp)\n	movups %xmm7, 112(%rsp)\n" \
	"	mov 192(%rsp), %edi\n" /* the number */ \
	"	call " ask "\n" \
	"	mov %rax, %r11\n" \
	"	movups (%rsp), %xmm0\n	movups 16(%rsp), %xmm1\n	movups 32(%rsp), %xmm2\n" \
	"	movups 48(%rsp), %xmm3\n	movups 64(%rsp), %xmm4\n	movups 80(%rsp), %xmm5\n" \
	"	movups 96(%rsp), %xmm6\n	movups 112(%rsp), %xmm7\n" \
	"	add $136, %rsp\n" \
	"	pop %rax\n	pop %r9\n	pop %r8\n	pop %rcx\n	pop %rdx\n	pop %rsi\n	pop %rdi\n" \
	"	lea 8(%rsp), %rsp\n" \
	"	test %r11, %r11\n" \
	"	jz 1f\n" \
	"	jmp *%r11\n" \
	"1:	xor %eax, %eax\n	xorps %xmm0, %xmm0\n	ret\n"

#if defined(STUBS_FUNCTIONS)
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
	STUB_COMMON("function_stub_common", "function_closure")
	".popsection\n");
extern const char function_stubs[] __attribute__((visibility("hidden")));
#else
#define STUB(name) \
	".p2align 4\n" \
	".globl " #name "\n" \
	".type " #name ", @function\n" \
	#name ":\n" \
	"	endbr64\n" \
	"	push $forward_number\n" \
	"	jmp forward_stub_common\n" \
	".size " #name ", . - " #name "\n" \
	".set forward_number, forward_number + 1\n"
__asm__(".pushsection .text\n"
	".hidden forward_target\n"
	".set forward_number, 0\n"
	FORWARDED(STUB)
	STUB_COMMON("forward_stub_common", "forward_target")
	".popsection\n");
#endif
/* clang-format on */

#endif
