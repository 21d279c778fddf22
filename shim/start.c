/* SPDX-License-Identifier: Apache-2.0 */
/*
 * start.c - what happens when the shim is loaded.
 *
 * fopen, opendir, the NSS modules, posix_spawn and system do not look up `open` and
 * `execve`: they jump straight to libc's own. So the entry points that they share
 * become a jump to ours, once. The opens are found by the loader: weak references to
 * the names under which libc exports them besides the public ones, which are ours.
 * execve has no other name, so it is looked up in libc. What a libc does not export is
 * left alone, and traps.
 */
#include "shim.h"

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

static bool ends_with(const char *text, const char *end)
{
	size_t n = 0, m = 0;
	while (text[n])
		n++;
	while (end[m])
		m++;
	while (n && m && text[n - 1] == end[m - 1])
		n--, m--;
	return m == 0;
}

/* libc's own execve, whoever else exports one. */
static uintptr_t libc_execve(size_t *size)
{
	if (!&_r_debug)
		return 0;
	for (const struct link_map *m = _r_debug.r_map; m; m = m->l_next)
		if (m->l_name && ends_with(m->l_name, "/libc.so.6"))
			return elf_function(m, "execve", elf_hash("execve"), size);
	return 0;
}

static void redirect(void)
{
	const uintptr_t opens[] = {(uintptr_t)&__open64, (uintptr_t)&__open64_nocancel};
	size_t size = 0;
	const uintptr_t exec = libc_execve(&size);
	struct patch p = {.n = 0};
	for (unsigned i = 0; i < sizeof(opens) / sizeof(opens[0]); i++)
		if (opens[i])
			(void)patch_jump(&p, opens[i], FUNCTION_BYTES, (uintptr_t)&shim_open);
	if (exec)
		(void)patch_jump(&p, exec, size, (uintptr_t)&shim_execve);
	patch_end(&p);
}

/* glibc passes the program's arguments and environment; musl passes nothing, but has environ by now. */
__attribute__((constructor)) static void start(int argc, char **argv, char **envp)
{
	(void)argc;
	(void)argv;
	char **env = &_r_debug ? envp : &environ ? environ : NULL;
	redirect();
	for (; env && *env; env++) {
		const char *socket = (*env)[0] == 'N' ? value_of(*env, "NONO_SOCKET") : NULL;
		const char *functions = (*env)[0] == 'N' ? value_of(*env, "NONO_OPEN_FUNCTIONS") : NULL;
		if (socket)
			openers_start(socket);
		if (functions)
			functions_start(functions);
	}
}
