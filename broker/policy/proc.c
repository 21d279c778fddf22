/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proc.c - entries of /proc/<pid>.
 *
 * No rule of the kernel's can say "the processes of this session": they come and
 * go. So numbered entries are never granted to the kernel; the broker opens them,
 * and asks here with the number in the path. Who belongs to the session is told by
 * policy_set_tree(). Nothing here is ever asked: a person cannot judge a process id.
 *
 * Terminals are alike: pseudo-terminals are made as the session runs (tmux, script,
 * expect), and a rule for /dev/pts that the kernel holds would open those of other
 * programs of the same person: what is typed into them could be read, and what they
 * show forged. So the broker opens them, unless a process outside is using one.
 */
#include "policy/internal.h"

#include <ctype.h>
#include <fcntl.h>

/* What allow_all opens of processes outside the session: what ps and top show, no memory, no environment. */
static const char *const public_entries[] = {"cgroup", "cmdline", "comm", "limits", "loginuid", "oom_score",
	"oom_score_adj", "sched", "schedstat", "sessionid", "stat", "statm", "status", "task", "wchan"};

static bool is_public(const char *rest)
{
	/* task/<tid>/NAME is judged by NAME */
	if (str_starts(rest, "task/")) {
		const char *slash = strchr(rest + 5, '/');
		if (!slash)
			return true;
		rest = slash + 1;
	}
	for (size_t i = 0; i < ARRAY_SIZE(public_entries); i++)
		if (strcmp(rest, public_entries[i]) == 0)
			return true;
	return rest[0] == '\0';
}

static bool is_ours(const struct policy *p, pid_t pid)
{
	pthread_rwlock_rdlock((pthread_rwlock_t *)&p->lock);
	bool (*owns)(void *, pid_t) = p->owns;
	void *data = p->owns_data;
	pthread_rwlock_unlock((pthread_rwlock_t *)&p->lock);
	return owns && owns(data, pid);
}

struct decision proc_check(const struct policy *p, enum operation op, const char *path)
{
	char *end;
	long pid = strtol(path + 6, &end, 10);
	const char *rest = *end == '/' ? end + 1 : end;
	struct decision no = {VERDICT_NEVER, p->proc_rule, false}, yes = {VERDICT_ALLOW, p->proc_rule, false};
	if (*end != '/' && *end != '\0')
		return no;
	bool ours = is_ours(p, (pid_t)pid);
	switch (op) {
	case OP_READ:
		if (ours || (p->settings.process_info_mode == SCOPE_ALL && is_public(rest)))
			return yes;
		return no;
	case OP_WRITE:
		/* Memory of the session's own processes can be changed with ptrace, not through nono's eyes. */
		return ours && strcmp(path_base(path), "mem") != 0 ? yes : no;
	default:
		return no;
	}
}

/* ---- terminals ----------------------------------------------------------- */

/* The controlling terminal of a process as a device number, 0 if none: the seventh field of /proc/PID/stat. */
static unsigned terminal_of(const char *pid)
{
	char path[64], text[512];
	snprintf(path, sizeof(path), "/proc/%.20s/stat", pid);
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;
	if (n <= 0)
		return 0;
	text[n] = '\0';
	/* the second field, in parentheses, may hold anything */
	const char *rest = strrchr(text, ')');
	int tty = 0;
	if (!rest || sscanf(rest + 1, " %*c %*d %*d %*d %d", &tty) != 1)
		return 0;
	return (unsigned)tty;
}

bool terminal_hidden(const struct policy *p, const char *path)
{
	static const char dir[] = "/dev/pts/";
	if (!str_starts(path, dir) || !isdigit((unsigned char)path[sizeof(dir) - 1]))
		return false;
	struct stat st;
	if (lstat(path, &st) < 0)
		return false;
	cleanup_dir DIR *d = opendir("/proc");
	if (!d)
		return true;
	for (struct dirent *de; (de = readdir(d));) {
		if (!isdigit((unsigned char)de->d_name[0]) || terminal_of(de->d_name) != st.st_rdev)
			continue;
		if (!is_ours(p, (pid_t)strtol(de->d_name, NULL, 10)))
			return true;
	}
	return false;
}
