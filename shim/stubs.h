/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stubs.h - code that goes on to a function as if the caller had called that.
 *
 * A stub keeps every register that may hold an argument, asks for the address of its
 * number and jumps there. Without an address it returns 0. The code itself is in one
 * header for each architecture.
 *
 * STUBS_FUNCTIONS makes function_stubs, STUB_BYTES apart, for functions.c; without it
 * the names of FORWARDED are made, for forward.c.
 */
#ifndef NONO_SHIM_STUBS_H
#define NONO_SHIM_STUBS_H

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

#if defined(__x86_64__)
#include "stubs_x86_64.h"
#elif defined(__aarch64__)
#include "stubs_aarch64.h"
#endif

/* clang-format off */
#if defined(STUBS_FUNCTIONS)
__asm__(".pushsection .text\n"
	".p2align 4\n"
	".local function_stubs\n"
	".hidden function_closure\n"
	"function_stubs:\n"
	".set stub, 0\n"
	".rept " STUB_TEXT(OPEN_FUNCTIONS_MAX) "\n"
	"	.p2align 4\n"
	STUB_ENTRY("stub", "function_stub_common")
	"	.set stub, stub + 1\n"
	".endr\n"
	STUB_COMMON("function_stub_common", "function_closure")
	".popsection\n");
extern const char function_stubs[] __attribute__((visibility("hidden")));
#else
#define STUB(name) \
	".p2align 4\n" \
	".globl " #name "\n" \
	".type " #name ", %function\n" \
	#name ":\n" \
	STUB_ENTRY("forward_number", "forward_stub_common") \
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
