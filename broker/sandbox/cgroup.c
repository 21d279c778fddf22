/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cgroup.c - memory, process and processor limits by control groups, version 2.
 *
 * The session gets a group of its own below the one nono runs in, or below the
 * nearest ancestor that hands the wanted controllers to its children and is
 * writable. A limit that cannot be enforced is an error that says what is
 * missing; nothing runs without a limit that was asked for.
 *
 * Source: Documentation/admin-guide/cgroup-v2.rst. NONO_CGROUP_ROOT stands in
 * for the mount point in tests.
 */
#include "sandbox/sandbox.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <signal.h>
#include <sys/stat.h>
#include <time.h>

#define CPU_PERIOD_US 100000U

/* Write one value into a control file. */
static int put(const char *dir, const char *file, const char *value, struct err **e)
{
	cleanup_free char *path = path_join(dir, file);
	cleanup_fd int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		return err_set(e, errno, "cannot write %s to %s", value, path);
	return 0;
}

static char *get(const char *dir, const char *file)
{
	cleanup_free char *path = path_join(dir, file);
	char *text = NULL;
	size_t len;
	return file_read(path, 65536, &text, &len, NULL) == 0 ? text : NULL;
}

/* Whether @word is one of the words of @text. */
static bool has_word(const char *text, const char *word)
{
	size_t n = strlen(word);
	for (const char *p = text; (p = strstr(p, word)); p += n)
		if ((p == text || p[-1] == ' ' || p[-1] == '\n') && (p[n] == '\0' || p[n] == ' ' || p[n] == '\n'))
			return true;
	return false;
}

/* Where version 2 is mounted. New string, NULL if it is not. */
static char *mount_point(void)
{
	const char *given = getenv("NONO_CGROUP_ROOT");
	if (given)
		return xstrdup(given);
	cleanup_file FILE *f = setmntent("/proc/self/mounts", "re");
	struct mntent *m;
	while (f && (m = getmntent(f)))
		if (strcmp(m->mnt_type, "cgroup2") == 0)
			return xstrdup(m->mnt_dir);
	return NULL;
}

/* The version 2 group of this process below the mount point, "/" when unknown. */
static char *own_group(void)
{
	cleanup_free char *text = NULL;
	size_t len;
	if (file_read("/proc/self/cgroup", 65536, &text, &len, NULL) < 0)
		return xstrdup("/");
	char *line = strncmp(text, "0::", 3) == 0 ? text : strstr(text, "\n0::");
	if (!line)
		return xstrdup("/");
	line += line[0] == '\n' ? 4 : 3;
	return xstrndup(line, strcspn(line, "\n"));
}

/* The controllers that @l needs, space-separated as the kernel writes them. */
static struct strv wanted(const struct limits *l)
{
	struct strv w = {0};
	if (l->memory_bytes)
		strv_add(&w, "memory");
	if (l->pids)
		strv_add(&w, "pids");
	if (l->cpu_percent)
		strv_add(&w, "cpu");
	return w;
}

/* The first controller of @w that children of @dir do not get; NULL when they get all. */
static const char *lacking(const char *dir, const struct strv *w)
{
	cleanup_free char *control = get(dir, "cgroup.subtree_control");
	for (size_t i = 0; i < w->n; i++)
		if (!control || !w->v[i] || !has_word(control, w->v[i]))
			return w->v[i];
	return NULL;
}

/* The nearest group that delegates all of @w and lets us make children. New string or NULL. */
static char *find_parent(const char *root, const struct strv *w, struct err **e)
{
	cleanup_free char *group = own_group();
	cleanup_free char *dir = xasprintf("%s%s", root, strcmp(group, "/") == 0 ? "" : group);
	const char *missing = NULL;
	bool closed = false;
	while (path_beneath(dir, root)) {
		const char *lack = lacking(dir, w);
		if (!lack && access(dir, W_OK) == 0)
			return steal_ptr(&dir);
		closed = closed || !lack;
		missing = missing ? missing : lack;
		if (strcmp(dir, root) == 0)
			break;
		char *up = path_dir(dir);
		free(dir);
		dir = up;
	}
	if (closed)
		err_set(e, 0,
			"resource limits need a control group that is delegated to this user: "
			"start nono in a user session of systemd (or with systemd-run --user --scope)");
	else
		err_set(e, 0,
			"resource limits need the \"%s\" controller of cgroup version 2, which %s does not delegate",
			missing ? missing : w->v[0], root);
	return NULL;
}

bool cgroup_possible(void)
{
	const struct limits all = {.memory_bytes = 1, .pids = 1, .cpu_percent = 1};
	cleanup_strv struct strv w = wanted(&all);
	cleanup_free char *root = mount_point();
	cleanup_free char *parent = root ? find_parent(root, &w, NULL) : NULL;
	return parent != NULL;
}

static int apply(const char *dir, const struct limits *l, struct err **e)
{
	char text[64];
	if (l->memory_bytes) {
		snprintf(text, sizeof(text), "%llu", (unsigned long long)l->memory_bytes);
		if (put(dir, "memory.max", text, e) < 0)
			return -1;
		/* one limit for both, and the whole session ends when it is passed; kernels may lack either */
		put(dir, "memory.swap.max", "0", NULL);
		put(dir, "memory.oom.group", "1", NULL);
	}
	if (l->pids) {
		snprintf(text, sizeof(text), "%u", l->pids);
		if (put(dir, "pids.max", text, e) < 0)
			return -1;
	}
	if (l->cpu_percent) {
		snprintf(text, sizeof(text), "%llu %u", (unsigned long long)l->cpu_percent * CPU_PERIOD_US / 100,
			CPU_PERIOD_US);
		if (put(dir, "cpu.max", text, e) < 0)
			return -1;
	}
	return 0;
}

int cgroup_create(const struct limits *l, const char *session_id, char **path, struct err **e)
{
	*path = NULL;
	cleanup_strv struct strv w = wanted(l);
	if (w.n == 0)
		return 0;
	cleanup_free char *root = mount_point();
	if (!root)
		return err_set(e, 0, "resource limits need cgroup version 2, which is not mounted");
	cleanup_free char *parent = find_parent(root, &w, e);
	if (!parent)
		return -1;
	cleanup_free char *dir = xasprintf("%s/nono-%s", parent, session_id);
	if (mkdir(dir, 0755) < 0)
		return err_set(e, errno, "cannot make the control group %s", dir);
	if (apply(dir, l, e) < 0) {
		rmdir(dir);
		return -1;
	}
	*path = steal_ptr(&dir);
	return 0;
}

static unsigned oom_kills(const char *path)
{
	cleanup_free char *events = get(path, "memory.events");
	const char *p = events ? strstr(events, "oom_kill ") : NULL;
	return p ? (unsigned)strtoul(p + strlen("oom_kill "), NULL, 10) : 0;
}

unsigned cgroup_destroy(const char *path)
{
	if (!path)
		return 0;
	unsigned kills = oom_kills(path);
	put(path, "cgroup.kill", "1", NULL);
	for (unsigned i = 0; i < 100 && rmdir(path) < 0 && errno == EBUSY; i++)
		nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
	return kills;
}
