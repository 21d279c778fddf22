/* SPDX-License-Identifier: Apache-2.0 */
/* stubs_aarch64.h - the code of stubs.h. The number is in x16, which no argument is in. */
#ifndef NONO_SHIM_STUBS_AARCH64_H
#define NONO_SHIM_STUBS_AARCH64_H

/* clang-format off */
#define STUB_ENTRY(number, common) \
	"	hint #34\n" /* bti c */ \
	"	mov w16, #" number "\n" \
	"	b " common "\n"

/* x8 is where a large result goes, x30 where the caller returns to. */
#define STUB_COMMON(label, ask) \
	".p2align 4\n" \
	label ":\n" \
	"	stp x29, x30, [sp, #-224]!\n" \
	"	mov x29, sp\n" \
	"	stp x0, x1, [sp, #16]\n	stp x2, x3, [sp, #32]\n	stp x4, x5, [sp, #48]\n" \
	"	stp x6, x7, [sp, #64]\n	str x8, [sp, #80]\n" \
	"	stp q0, q1, [sp, #96]\n	stp q2, q3, [sp, #128]\n	stp q4, q5, [sp, #160]\n" \
	"	stp q6, q7, [sp, #192]\n" \
	"	mov w0, w16\n" \
	"	bl " ask "\n" \
	"	mov x16, x0\n" \
	"	ldp q0, q1, [sp, #96]\n	ldp q2, q3, [sp, #128]\n	ldp q4, q5, [sp, #160]\n" \
	"	ldp q6, q7, [sp, #192]\n" \
	"	ldp x0, x1, [sp, #16]\n	ldp x2, x3, [sp, #32]\n	ldp x4, x5, [sp, #48]\n" \
	"	ldp x6, x7, [sp, #64]\n	ldr x8, [sp, #80]\n" \
	"	ldp x29, x30, [sp], #224\n" \
	"	cbz x16, 1f\n" \
	"	br x16\n" \
	"1:	mov x0, #0\n	movi d0, #0\n	ret\n"
/* clang-format on */

#endif
