/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tree.c - the processes of the sandboxed tree: listing and ending them.
 *
 * Broker and guard are child subreapers, so every process of the tree is below
 * them whatever it does. But so are helpers that work for nono on the host's
 * side (the URL opener and the browser it starts). They are told apart by the
 * children of @top at the head of their lines: the tree's have more seccomp
 * filters than @top itself, and nothing can take a filter off.
 */
#include "session/internal.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <time.h>

/** struct process - one line of /proc. */
struct process {
	pid_t pid, parent;
	char state;
	bool stopped, zombie, seen;
};
struct processes {
	struct process *v;
	size_t n, cap;
};

/* Read /proc/PID/NAME into @buf. Return: length or -1. */
static ssize_t read_proc(pid_t pid, const char *name, char *buf, size_t size)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, size - 1);
	buf[n < 0 ? 0 : n] = '\0';
	return n;
}

/* State and parent from /proc/PID/stat; the name between may hold anything, so look for the last ')'. */
static bool read_stat(pid_t pid, struct process *p)
{
	char buf[512];
	if (read_proc(pid, "stat", buf, sizeof(buf)) <= 0)
		return false;
	const char *end = strrchr(buf, ')');
	if (!end || end[1] != ' ' || !end[2] || !end[3])
		return false;
	*p = (struct process){.pid = pid, .parent = (pid_t)strtol(end + 3, NULL, 10)};
	p->state = end[2];
	p->stopped = end[2] == 'T' || end[2] == 't';
	p->zombie = end[2] == 'Z' || end[2] == 'X';
	return true;
}

/* The number after "@key:" in /proc/PID/status, -1 if absent. */
static long status_number(const char *status, const char *key)
{
	const char *p = strstr(status, key);
	return p ? strtol(p + strlen(key), NULL, 10) : -1;
}

/* How many filters a process has; -1 when it is gone. Kernels before 5.9 only say whether. */
static long filters_of(pid_t pid)
{
	char buf[4096];
	if (read_proc(pid, "status", buf, sizeof(buf)) <= 0)
		return -1;
	long n = status_number(buf, "\nSeccomp_filters:");
	return n >= 0 ? n : (status_number(buf, "\nSeccomp:") == 2 ? 1 : 0);
}

static struct processes read_all(void)
{
	struct processes all = {0};
	cleanup_dir DIR *d = opendir("/proc");
	struct dirent *de;
	while (d && (de = readdir(d))) {
		struct process p;
		if (!isdigit((unsigned char)de->d_name[0]) || !read_stat((pid_t)strtol(de->d_name, NULL, 10), &p))
			continue;
		if (all.n == all.cap) {
			all.cap = all.cap ? all.cap * 2 : 256;
			all.v = xreallocarray(all.v, all.cap, sizeof(*all.v));
		}
		all.v[all.n++] = p;
	}
	return all;
}

static void append(struct tree *t, pid_t top, const struct process *p)
{
	t->pid = xreallocarray(t->pid, t->n + 1, sizeof(*t->pid));
	t->stopped = xreallocarray(t->stopped, t->n + 1, sizeof(*t->stopped));
	t->child = xreallocarray(t->child, t->n + 1, sizeof(*t->child));
	t->pid[t->n] = p->pid;
	t->child[t->n] = p->parent == top;
	t->stopped[t->n++] = p->stopped;
}

struct tree tree_list(pid_t top)
{
	struct tree t = {0};
	struct processes all = read_all();
	long own = filters_of(top);
	for (size_t i = 0; i < all.n; i++) {
		struct process *p = &all.v[i];
		if (p->parent == top && !p->zombie && filters_of(p->pid) > own) {
			append(&t, top, p);
			p->seen = true;
		}
	}
	/* breadth first: parents come before their children */
	for (size_t at = 0; at < t.n; at++) {
		for (size_t i = 0; i < all.n; i++) {
			struct process *p = &all.v[i];
			if (p->parent == t.pid[at] && !p->seen && !p->zombie) {
				append(&t, top, p);
				p->seen = true;
			}
		}
	}
	free(all.v);
	return t;
}

void tree_free(struct tree *t)
{
	free(t->pid);
	free(t->stopped);
	free(t->child);
	*t = (struct tree){0};
}

bool tree_has(pid_t top, pid_t pid)
{
	struct tree t = tree_list(top);
	bool found = false;
	for (size_t i = 0; i < t.n && !found; i++)
		found = t.pid[i] == pid;
	tree_free(&t);
	return found;
}

bool tree_filtered(pid_t pid)
{
	long theirs = filters_of(pid);
	return theirs < 0 || theirs > filters_of(getpid());
}

char tree_thread_state(pid_t tid)
{
	struct process p;
	return read_stat(tid, &p) ? p.state : 0;
}

static unsigned signal_all(pid_t top, int sig)
{
	struct tree t = tree_list(top);
	unsigned n = (unsigned)t.n;
	for (size_t i = 0; i < t.n; i++) {
		kill(t.pid[i], sig);
		if (t.stopped[i])
			kill(t.pid[i], SIGCONT);
	}
	tree_free(&t);
	return n;
}

/* Collect what ended. Return: whether children are left at all. */
static bool reap(void)
{
	pid_t pid;
	while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
		;
	return pid == 0 || errno != ECHILD;
}

bool tree_only_child(pid_t pid)
{
	/* orphans become children of the first thread, whose list this is; helpers of other threads are no part of the
	 * tree */
	char name[48], list[64], only[24];
	snprintf(name, sizeof(name), "task/%d/children", (int)getpid());
	snprintf(only, sizeof(only), "%d ", (int)pid);
	return read_proc(getpid(), name, list, sizeof(list)) > 0 && strcmp(list, only) == 0;
}

unsigned tree_end(pid_t top, unsigned grace_ms)
{
	if (!reap())
		return 0;
	unsigned left = grace_ms ? signal_all(top, SIGTERM) : 0;
	for (unsigned waited = 0; waited < grace_ms && left; waited += 10) {
		nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
		if (!reap())
			return left;
		struct tree t = tree_list(top);
		size_t n = t.n;
		tree_free(&t);
		if (n == 0)
			return left;
	}
	/* whoever forks while being killed is met in the next round */
	unsigned round = 0, killed;
	while ((killed = signal_all(top, SIGKILL)) > 0 && round++ < 1000) {
		left = left ? left : killed;
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
		reap();
	}
	return left;
}
