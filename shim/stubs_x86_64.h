/* SPDX-License-Identifier: Apache-2.0 */
/* stubs_x86_64.h - the code of stubs.h. The number lies on the stack. */
#ifndef NONO_SHIM_STUBS_X86_64_H
#define NONO_SHIM_STUBS_X86_64_H

/* clang-format off */
#define STUB_ENTRY(number, common) \
	"	endbr64\n" \
	"	push $" number "\n" \
	"	jmp " common "\n"

/* Above the number is where the caller returns to. */
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
/* clang-format on */

#endif
