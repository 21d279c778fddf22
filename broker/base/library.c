/* SPDX-License-Identifier: Apache-2.0 */
/* library.c - shared libraries that are loaded when they are first needed. */
#include "base/library.h"

#include <dlfcn.h>
#include <stddef.h>

bool library_load(const char *const *sonames, const char *const *names, void *table)
{
	void *handle = NULL, **to = table;
	for (; *sonames && !handle; sonames++)
		handle = dlopen(*sonames, RTLD_LAZY | RTLD_LOCAL);
	for (size_t i = 0; handle && names[i]; i++)
		if (!(to[i] = dlsym(handle, names[i])))
			return false;
	return handle != NULL;
}
