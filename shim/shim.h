/* SPDX-License-Identifier: Apache-2.0 */
/* shim.h - what the files of the shim share; see docs/fast-lane.md and docs/open.md. */
#ifndef NONO_SHIM_H
#define NONO_SHIM_H

#include "lane.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct link_map;

/* ---- exec.c ------------------------------------------------------------------ */

/** shim_execve() - the execve that libc's is redirected to: openers by path lead to the session's entries. */
int shim_execve(const char *path, char *const argv[], char *const envp[]);
/** openers_start() - remember where the entries are. @socket: path of the session's socket, beside them. */
void openers_start(const char *socket);
/** opener_entry() - the path of BROWSER's entry in @out. Return: whether there is one. */
bool opener_entry(char *out, size_t size);

/** exec_real() - libc's execve, where it cannot be looked up later. */
void exec_real(uintptr_t own);
/** exec_redirect() - let libc's own executions come here too; once. Signal-safe. */
void exec_redirect(void);

/* ---- elf.c --------------------------------------------------------------------- */

/** elf_hash() - of a symbol's name, @n bytes. */
uint32_t elf_hash(const char *name, size_t n);
/**
 * elf_function() - the function @name (@n bytes, of that hash) that a loaded object exports, in its default version.
 * @size: its length in bytes
 * Return: its address, 0 when it exports none.
 */
uintptr_t elf_function(const struct link_map *m, const char *name, size_t n, uint32_t hash, size_t *size);
/** elf_next() - the function @name of the first object that is searched after the shim. @size: see above. 0: none. */
uintptr_t elf_next(const char *name, size_t *size);
/** elf_libc() - the function @name of libc, whoever else exports one. */
uintptr_t elf_libc(const char *name, size_t *size);

/* ---- patch.c --------------------------------------------------------------------- */

#define PATCH_PAGES 2
/** struct patch - changes of code pages that are made together; begins as all zero. */
struct patch {
	struct {
		uintptr_t page;
		uint8_t *copy;
	} pages[PATCH_PAGES];
	unsigned n;
	size_t size; /* of a page; 0: not known yet */
	long room;
};
/**
 * patch_jump() - let the code at @entry, @size bytes of it at least, jump to @target.
 * Return: false when there is no room for a jump, or it is there already; nothing is changed then.
 */
bool patch_jump(struct patch *p, uintptr_t entry, size_t size, uintptr_t target);
/** patch_end() - put the changed pages in place. */
void patch_end(struct patch *p);

/* ---- forward.c --------------------------------------------------------------------- */

/** forward_start() - what has to be known before a program's first call. */
void forward_start(void);

/* ---- functions.c ------------------------------------------------------------------- */

/** functions_start() - take over those of the declared functions that are loaded already. @declared: of the environment
 */
void functions_start(const char *declared);
/** functions_watch() - take over what will be loaded from now on; once. */
void functions_watch(void);
/** function_closure() - for the stubs: the code of function @i, NULL when there is none. */
void *function_closure(unsigned i);

#endif
