/* SPDX-License-Identifier: Apache-2.0 */
/*
 * raw.h - system calls without libc.
 *
 * The shim is loaded into programs of every libc, so it links none. Numbers and
 * constants are the kernel's own (linux/, asm/ headers).
 */
#ifndef NONO_SHIM_RAW_H
#define NONO_SHIM_RAW_H

#include <asm/unistd.h>
#include <stddef.h>
#include <stdint.h>

/** raw_syscall() - one system call. Return: its value, or -errno. See syscall(2), "Architecture calling conventions".
 */
static inline long raw_syscall(long nr, long a0, long a1, long a2, long a3, long a4, long a5)
{
#if defined(__x86_64__)
	long ret;
	register long r10 __asm__("r10") = a3;
	register long r8 __asm__("r8") = a4;
	register long r9 __asm__("r9") = a5;
	/* the kernel keeps r9, and libc sets only what a call uses: the lane value must not stay for its next one */
	__asm__ volatile("syscall\n\txorl %%r9d, %%r9d"
			 : "=a"(ret), "+r"(r9)
			 : "a"(nr), "D"(a0), "S"(a1), "d"(a2), "r"(r10), "r"(r8)
			 : "rcx", "r11", "memory", "cc");
	return ret;
#elif defined(__aarch64__)
	register long x8 __asm__("x8") = nr;
	register long x0 __asm__("x0") = a0;
	register long x1 __asm__("x1") = a1;
	register long x2 __asm__("x2") = a2;
	register long x3 __asm__("x3") = a3;
	register long x4 __asm__("x4") = a4;
	register long x5 __asm__("x5") = a5;
	/* the lane value must not stay for the next call, which sets only what it uses */
	__asm__ volatile("svc 0\n\tmov x5, xzr"
			 : "+r"(x0), "+r"(x5)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4)
			 : "memory");
	return x0;
#else
#error "the shim knows x86_64 and aarch64"
#endif
}

#endif
