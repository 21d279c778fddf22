/* SPDX-License-Identifier: Apache-2.0 */
/*
 * forward.c - functions of libc's before which something has to be done.
 *
 * What executes by libc's own execve (execvp, posix_spawn, system, ...) needs that
 * redirected, and what loads libraries needs to be watched. Both cost a changed
 * page, which programs that do neither should not pay for. So these names lead to a
 * stub that does it at the first call and goes on to the real function, with all
 * arguments and the caller's own return address: dlopen searches in the place of
 * its caller.
 *
 * They may be called by a child that shares its parent's memory, so nothing here waits
 * or allocates.
 */
#include "shim.h"

#include "stubs.h"

#include <asm/errno.h>
#include <dlfcn.h>
#include <link.h>

#pragma weak _r_debug
#pragma weak dlsym
extern int *__errno_location(void) __attribute__((weak));

static const char names[][16] = {
#define NAME(name) #name,
	FORWARDED(NAME)
#undef NAME
};
#define N_NAMES (sizeof(names) / sizeof(names[0]))

static uintptr_t real[N_NAMES]; /* 0: not looked for yet */

void forward_start(void)
{
	/* musl does not show its list of objects; its own lookup is made beforehand, as it takes locks */
	if (&_r_debug || !dlsym)
		return;
	for (unsigned i = 0; i < N_NAMES; i++)
		real[i] = (uintptr_t)dlsym(RTLD_NEXT, names[i]);
	exec_real((uintptr_t)dlsym(RTLD_NEXT, "execve"));
}

/* Where a libc has no such function, or keeps it in a library that is not loaded. */
static long missing(long result)
{
	if (__errno_location)
		*__errno_location() = ENOSYS;
	return result;
}

static void *missing_object(void)
{
	return (void *)missing(0);
}

static int missing_spawn(void)
{
	return ENOSYS;
}

static int missing_call(void)
{
	return (int)missing(-1);
}

static void *without(unsigned i)
{
	if (i == FORWARD_dlopen || i == FORWARD_popen)
		return (void *)&missing_object;
	if (i == FORWARD_posix_spawn || i == FORWARD_posix_spawnp)
		return (void *)&missing_spawn;
	return (void *)&missing_call;
}

void *forward_target(unsigned i);
void *forward_target(unsigned i)
{
	size_t size;
	if (i == FORWARD_dlopen)
		functions_watch();
	else
		exec_redirect();
	if (!real[i])
		real[i] = elf_next(names[i], &size);
	return real[i] ? (void *)real[i] : without(i);
}
