/* SPDX-License-Identifier: Apache-2.0 */
/* host.c - small facts about the machine nono runs on. */
#include "base/base.h"

#include <sys/stat.h>
#include <time.h>

int64_t monotonic_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

bool session_bus_exists(void)
{
	const char *address = getenv("DBUS_SESSION_BUS_ADDRESS");
	cleanup_free char *socket = xasprintf("/run/user/%u/bus", (unsigned)getuid());
	struct stat st;
	return (address && *address) || (stat(socket, &st) == 0 && S_ISSOCK(st.st_mode));
}
