/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proc.c - entries of /proc/<pid>.
 *
 * No rule of the kernel's can say "the processes of this session": they come and
 * go. So numbered entries are never granted to the kernel; the broker opens them,
 * and asks here with the number in the path. Who belongs to the session is told by
 * policy_set_tree(). Nothing here is ever asked: a person cannot judge a process id.
 */
#include "policy/internal.h"

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

struct decision proc_check(const struct policy *p, enum operation op, const char *path)
{
	char *end;
	long pid = strtol(path + 6, &end, 10);
	const char *rest = *end == '/' ? end + 1 : end;
	struct decision no = {VERDICT_NEVER, p->proc_rule, false}, yes = {VERDICT_ALLOW, p->proc_rule, false};
	if (*end != '/' && *end != '\0')
		return no;
	pthread_rwlock_rdlock((pthread_rwlock_t *)&p->lock);
	bool (*owns)(void *, pid_t) = p->owns;
	void *data = p->owns_data;
	pthread_rwlock_unlock((pthread_rwlock_t *)&p->lock);
	bool ours = owns && owns(data, (pid_t)pid);
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
