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

/* ---- elf.c --------------------------------------------------------------------- */

/** elf_hash() - of a symbol's name. */
uint32_t elf_hash(const char *name);
/**
 * elf_function() - the function @name that a loaded object exports.
 * @size: its length in bytes
 * Return: its address, 0 when it exports none.
 */
uintptr_t elf_function(const struct link_map *m, const char *name, uint32_t hash, size_t *size);

/* ---- patch.c --------------------------------------------------------------------- */

#define PATCH_PAGES 4
/** struct patch - changes of code pages that are made together; begins as all zero. */
struct patch {
	struct {
		uintptr_t page;
		uint8_t *copy;
	} pages[PATCH_PAGES];
	unsigned n;
	long room;
};
/**
 * patch_jump() - let the code at @entry, @size bytes of it at least, jump to @target.
 * Return: false when there is no room for a jump, or it is there already; nothing is changed then.
 */
bool patch_jump(struct patch *p, uintptr_t entry, size_t size, uintptr_t target);
/** patch_end() - put the changed pages in place. */
void patch_end(struct patch *p);

/* ---- functions.c ------------------------------------------------------------------- */

/** functions_start() - take over the functions that @text declares, now and in what is loaded later. */
void functions_start(const char *text);

#endif
