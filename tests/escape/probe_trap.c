/* SPDX-License-Identifier: Apache-2.0 */
/* probe_trap.c - hostile callers of trapped calls: swapped paths, changed memory, attributes without a path. */
#include "probe.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>

static const char *result(int rc)
{
	return errno_name(rc < 0 ? errno : 0);
}

/* FILE: extended attributes that take capabilities are not set on behalf */
static int capability_xattr(int argc, char **argv)
{
	/* VFS_CAP_REVISION_2, cap_setuid permitted and effective */
	static const unsigned char caps[20] = {1, 0, 0, 2, 0x80};
	if (argc != 1)
		return 2;
	printf("security %s\n", result(setxattr(argv[0], "security.capability", caps, sizeof(caps), 0)));
	printf("trusted %s\n", result(setxattr(argv[0], "trusted.nono", "x", 1, 0)));
	printf("remove %s\n", result(removexattr(argv[0], "security.capability")));
	return 0;
}

/* DIR DEPTH NAME: the mode of a file through a descriptor, where its path is longer than any path may be */
static int deep_chmod(int argc, char **argv)
{
	char step[201];
	if (argc != 3 || chdir(argv[0]) < 0)
		return 2;
	memset(step, 'd', sizeof(step) - 1);
	step[sizeof(step) - 1] = '\0';
	for (long i = strtol(argv[1], NULL, 10); i > 0; i--)
		if (chdir(step) < 0)
			return 3;
	int fd = open(argv[2], O_RDONLY);
	printf("open %s\n", result(fd));
	printf("fchmod %s\n", result(fd < 0 ? 0 : fchmod(fd, 0777)));
	return 0;
}

/* ---- races ------------------------------------------------------------------------------ */

#define SWAP_FD 99

/* struct race - one file that may be read and one that may not, which change places under one name. */
struct race {
	char path[PATH_MAX]; /* what the calls name; its memory changes */
	const char *good, *secret;
	char good_dir[PATH_MAX], secret_dir[PATH_MAX], stolen[PATH_MAX];
	int dirfd, fds[2];
	volatile bool stop;
};

static void swap_memory(struct race *r)
{
	memcpy(r->path, r->secret, strlen(r->secret) + 1);
	memcpy(r->path, r->good, strlen(r->good) + 1);
}

static void swap_symlink(struct race *r)
{
	if (symlink(r->secret, "swap.new") == 0)
		(void)rename("swap.new", "swap");
	if (symlink(r->good, "swap.new") == 0)
		(void)rename("swap.new", "swap");
}

/* Two directories change places: in one the name is a file, in the other a link. */
static void swap_rename(struct race *r)
{
	(void)r;
	(void)renameat2(AT_FDCWD, "swap.a", AT_FDCWD, "swap.b", RENAME_EXCHANGE);
}

static void swap_fd(struct race *r)
{
	dup2(r->fds[1], SWAP_FD);
	dup2(r->fds[0], SWAP_FD);
}

static void swap_cwd(struct race *r)
{
	(void)!chdir(r->secret_dir);
	(void)!chdir(r->good_dir);
}

static void nothing(struct race *r)
{
	(void)r; /* somebody outside does it */
}

static void start_rename(struct race *r)
{
	(void)mkdir("swap.a", 0700);
	(void)mkdir("swap.b", 0700);
	(void)!link(r->good, "swap.a/f");
	(void)!symlink(r->secret, "swap.b/f");
	(void)snprintf(r->path, sizeof(r->path), "swap.a/f");
}

/* Descriptors of the files, which are opened again by their links. */
static void start_fd(struct race *r)
{
	r->fds[0] = open(r->good, O_PATH);
	r->fds[1] = open(r->secret, O_PATH);
	dup2(r->fds[0], SWAP_FD);
	(void)snprintf(r->path, sizeof(r->path), "/proc/self/fd/%d", SWAP_FD);
}

/* Descriptors of their directories, from where paths begin. */
static void start_dirfd(struct race *r)
{
	r->fds[0] = open(r->good_dir, O_PATH);
	r->fds[1] = open(r->secret_dir, O_PATH);
	dup2(r->fds[0], SWAP_FD);
	r->dirfd = SWAP_FD;
	(void)snprintf(r->path, sizeof(r->path), "%s", strrchr(r->good, '/') + 1);
}

static void start_cwd(struct race *r)
{
	(void)snprintf(r->path, sizeof(r->path), "%s", strrchr(r->good, '/') + 1);
}

static void start_symlink(struct race *r)
{
	(void)snprintf(r->path, sizeof(r->path), "swap");
}

static void start_plain(struct race *r)
{
	(void)snprintf(r->path, sizeof(r->path), "%s", r->good);
}

static const struct race_row {
	const char *name;
	void (*start)(struct race *r);
	void (*swap)(struct race *r);
	bool process; /* swapped by a process that shares memory, not by a thread */
} race_rows[] = {
	{"memory", start_plain, swap_memory, false},
	{"process", start_plain, swap_memory, true},
	{"symlink", start_symlink, swap_symlink, false},
	{"rename", start_rename, swap_rename, false},
	{"fd", start_fd, swap_fd, false},
	{"dirfd", start_dirfd, swap_fd, false},
	{"cwd", start_cwd, swap_cwd, false},
	{"outside", start_plain, nothing, false},
};

struct swapping {
	struct race *r;
	const struct race_row *row;
};

static void *swap(void *arg)
{
	const struct swapping *s = arg;
	while (!s->r->stop)
		s->row->swap(s->r);
	return NULL;
}

static bool is_secret(int fd, long *reads)
{
	char text[64] = "";
	if (fd < 0)
		return false;
	ssize_t n = read(fd, text, sizeof(text) - 1);
	close(fd);
	*reads += n >= 4 && memcmp(text, "fine", 4) == 0;
	return n > 0 && strstr(text, "CANARY") != NULL;
}

static long leaks(const struct race *r, long loops, long *reads)
{
	long found = 0, other = 0;
	for (long i = 0; i < loops; i++) {
		found += is_secret(openat(r->dirfd, r->path, O_RDONLY), reads);
		(void)!fchmodat(r->dirfd, r->path, 0755, 0);
		if (i % 8)
			continue;
		if (linkat(r->dirfd, r->path, AT_FDCWD, r->stolen, AT_SYMLINK_FOLLOW) == 0) {
			found += is_secret(open(r->stolen, O_RDONLY), &other);
			unlink(r->stolen);
		}
	}
	return found;
}

/* HOW GOOD SECRET LOOPS: the object changes while the broker decides */
static int trap_race(int argc, char **argv)
{
	if (argc != 4)
		return 2;
	struct race *r = mmap(NULL, sizeof(*r), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	const struct race_row *row = NULL;
	for (size_t i = 0; i < sizeof(race_rows) / sizeof(*race_rows); i++)
		if (strcmp(race_rows[i].name, argv[0]) == 0)
			row = &race_rows[i];
	if (r == MAP_FAILED || !row)
		return 2;
	r->good = argv[1];
	r->secret = argv[2];
	r->dirfd = AT_FDCWD;
	(void)snprintf(r->good_dir, sizeof(r->good_dir), "%.*s", (int)(strrchr(r->good, '/') - r->good), r->good);
	(void)snprintf(
		r->secret_dir, sizeof(r->secret_dir), "%.*s", (int)(strrchr(r->secret, '/') - r->secret), r->secret);
	if (!getcwd(r->stolen, sizeof(r->stolen) - 8))
		return 2;
	strcat(r->stolen, "/stolen");
	row->start(r);
	struct swapping s = {r, row};
	long reads = 0, loops = strtol(argv[3], NULL, 10), found = 0;
	pthread_t thread;
	pid_t child = row->process ? fork() : -1;
	if (child == 0) {
		swap(&s);
		_exit(0);
	}
	if (!row->process && pthread_create(&thread, NULL, swap, &s) != 0)
		return 2;
	/* on a busy machine whoever swaps may not run for as long as all of them take */
	for (int round = 0; round == 0 || (reads == 0 && round < 100); round++)
		found += leaks(r, loops, &reads);
	r->stop = true;
	if (row->process)
		waitpid(child, NULL, 0);
	else
		pthread_join(thread, NULL);
	printf("leaks %ld, reads %s\n", found, reads > 0 ? "some" : "none");
	return found != 0;
}

PROBE(capability_xattr, capability_xattr, "FILE");
PROBE(deep_chmod, deep_chmod, "DIR DEPTH NAME");
PROBE(trap_race, trap_race, "HOW GOOD SECRET LOOPS");
