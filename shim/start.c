/* SPDX-License-Identifier: Apache-2.0 */
/*
 * start.c - what happens when the shim is loaded. Every program pays for it.
 *
 * fopen, opendir, the NSS modules and posix_spawn do not look up `open`: they jump
 * straight to libc's own. So the entry points that they share become a jump to ours,
 * once. They are found by the loader: weak references to the names under which libc
 * exports them besides the public ones, which are ours. What a libc does not export is
 * left alone, and traps.
 */
#include "shim.h"

#include "proto/functions.h"

#include <link.h>

#pragma weak _r_debug
extern int __open64(const char *, int, ...) __attribute__((weak));
extern int __open64_nocancel(const char *, int, ...) __attribute__((weak));
extern char **environ __attribute__((weak));

#define FUNCTION_BYTES 16 /* libc aligns functions to this */

/* What follows "NAME=" at the beginning of @variable; NULL. */
static const char *value_of(const char *variable, const char *name)
{
	while (*name && *variable == *name)
		variable++, name++;
	return *name == '\0' && *variable == '=' ? variable + 1 : NULL;
}

static void redirect_opens(void)
{
	const uintptr_t opens[] = {(uintptr_t)&__open64, (uintptr_t)&__open64_nocancel};
	struct patch p = {.n = 0};
	for (unsigned i = 0; i < sizeof(opens) / sizeof(opens[0]); i++)
		if (opens[i])
			(void)patch_jump(&p, opens[i], FUNCTION_BYTES, (uintptr_t)&shim_open);
	patch_end(&p);
}

/* glibc passes the program's arguments and environment; musl passes nothing, but has environ by now. */
__attribute__((constructor)) static void start(int argc, char **argv, char **envp)
{
	(void)argc;
	(void)argv;
	char **env = &_r_debug ? envp : &environ ? environ : NULL;
	const char *functions = NULL;
	redirect_opens();
	forward_start();
	for (; env && *env; env++) {
		if ((*env)[0] != 'N')
			continue;
		const char *socket = value_of(*env, "NONO_SOCKET");
		if (socket)
			openers_start(socket);
		else if (value_of(*env, OPEN_FUNCTIONS_VARIABLE))
			functions = value_of(*env, OPEN_FUNCTIONS_VARIABLE);
	}
	if (functions)
		functions_start(functions);
}
