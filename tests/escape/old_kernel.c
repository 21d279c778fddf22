/* SPDX-License-Identifier: Apache-2.0 */
/*
 * old_kernel.c - preloaded into nono by tests: Landlock looks as old as NONO_TEST_ABI says. The kernel below takes
 * the older requests, so nono does what it does on such a machine.
 */
#include <dlfcn.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#define VERSION 1U /* LANDLOCK_CREATE_RULESET_VERSION */

long syscall(long nr, ...)
{
	static long (*next)(long, ...);
	long a[6];
	va_list args;
	va_start(args, nr);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(args, long);
	va_end(args);
	if (!next)
		next = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
	const char *abi = getenv("NONO_TEST_ABI");
	if (abi && nr == SYS_landlock_create_ruleset && (unsigned)a[2] == VERSION)
		return atol(abi);
	return next(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
}
