/* SPDX-License-Identifier: Apache-2.0 */
/* process.c - parents, as /proc/PID/stat tells them (proc(5)). */
#include "base/process.h"

#include <fcntl.h>

#define DEPTH_MAX 512

pid_t process_parent(pid_t pid, pid_t *group)
{
	char path[40], text[512];
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	text[n < 0 ? 0 : n] = '\0';
	const char *after = strrchr(text, ')'); /* the name may hold anything */
	int up, of;
	if (!after || sscanf(after + 1, " %*c %d %d", &up, &of) != 2)
		return 0;
	if (group)
		*group = of;
	return up;
}

bool process_descends(pid_t pid, pid_t ancestor)
{
	for (int depth = 0; pid > 1 && depth < DEPTH_MAX; depth++) {
		if (pid == ancestor)
			return true;
		pid = process_parent(pid, NULL);
	}
	return false;
}
