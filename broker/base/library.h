/* SPDX-License-Identifier: Apache-2.0 */
/*
 * library.h - shared libraries that are loaded when they are first needed.
 *
 * A list of functions, FUNCTIONS(F), each as F(name), makes the table and its names:
 *
 *	static struct { FUNCTIONS(LIBRARY_MEMBER) } lib;
 *	static const char *const names[] = {FUNCTIONS(LIBRARY_NAME) NULL};
 */
#ifndef NONO_BASE_LIBRARY_H
#define NONO_BASE_LIBRARY_H

#include <stdbool.h>

/* LIBRARY_MEMBER() - a pointer to the function, of the type that the library's header declares. */
#define LIBRARY_MEMBER(name) __typeof__(name) *name;
#define LIBRARY_NAME(name) #name,

/**
 * library_load() - load a library for the life of the process, and find its functions.
 * @sonames: names to try in turn, ended by NULL
 * @names: of the functions, ended by NULL
 * @table: receives one pointer for each name, in their order
 * Return: whether all of them are there; see dlopen(3).
 */
bool library_load(const char *const *sonames, const char *const *names, void *table);

#endif
