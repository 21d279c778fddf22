/* SPDX-License-Identifier: Apache-2.0 */
/* probe_listener.c - run a program where somebody listens to system calls already, as some containers do. */
#include "probe.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

static int listened(int argc, char **argv)
{
	struct sock_filter allow[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
	const struct sock_fprog prog = {.len = 1, .filter = allow};
	if (argc < 1 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return 2;
	int fd = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &prog);
	/* it is taken for as long as somebody has it */
	if (fd < 0 || fcntl(fd, F_SETFD, 0) < 0)
		return 2;
	execvp(argv[0], argv);
	return 127;
}
PROBE(listened, listened, "PROGRAM [ARGUMENTS]");
