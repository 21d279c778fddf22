/* SPDX-License-Identifier: Apache-2.0 */
/* probe_truncate.c - every way to cut a file by path, with and without the lane. */
#include "probe.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "../../proto/lane.h"

struct door {
	const char *name;
	long (*open)(const char *path, unsigned long lane);
};

static long by_truncate(const char *path, unsigned long lane)
{
	return syscall(SYS_truncate, path, 0L, 0L, 0L, 0L, lane);
}

static long by_openat(const char *path, unsigned long lane)
{
	return syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_TRUNC, 0L, 0L, lane);
}

static long by_openat_write(const char *path, unsigned long lane)
{
	return syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_TRUNC | O_CREAT, 0L, 0L, lane);
}

static long by_openat2(const char *path, unsigned long lane)
{
	struct open_how how = {.flags = O_RDONLY | O_TRUNC};
	return syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how), 0L, lane);
}

#ifdef SYS_open
static long by_open(const char *path, unsigned long lane)
{
	return syscall(SYS_open, path, O_RDONLY | O_TRUNC, 0L, 0L, 0L, lane);
}

static long by_creat(const char *path, unsigned long lane)
{
	return syscall(SYS_creat, path, 0600L, 0L, 0L, 0L, lane);
}
#endif

static const struct door doors[] = {
	{"truncate", by_truncate},
	{"openat", by_openat},
	{"openat for writing", by_openat_write},
	{"openat2", by_openat2},
#ifdef SYS_open
	{"open", by_open},
	{"creat", by_creat},
#endif
};

/* Print each door by which FILE was cut; it is filled again from outside or not at all, so the first is the last. */
static int truncate_file(int argc, char **argv)
{
	int bad = 0;
	for (size_t i = 0; argc > 0 && i < sizeof(doors) / sizeof(*doors); i++) {
		for (int on_lane = 0; on_lane < 2; on_lane++) {
			struct stat st;
			doors[i].open(argv[0], on_lane ? TRAP_LANE : 0);
			if (stat(argv[0], &st) == 0 && st.st_size == 0) {
				printf("%s%s\n", doors[i].name, on_lane ? " on the lane" : "");
				return 1;
			}
		}
	}
	return bad;
}
PROBE(truncate_file, truncate_file, "FILE");

/* One file that may be written and one that may not, named in turn by another thread. */
static char name[64];
static volatile bool done;
static const char *volatile names[2];

static void *swap(void *data)
{
	(void)data;
	for (unsigned i = 0; !done; i++)
		memcpy(name, names[i & 1], strlen(names[i & 1]) + 1);
	return NULL;
}

/* truncate() and openat2() while the path, or the flags, change in memory: FILE must stay. */
static int truncate_race(int argc, char **argv)
{
	pthread_t thread;
	if (argc < 3 || strlen(argv[0]) >= sizeof(name) || strlen(argv[1]) >= sizeof(name))
		return 2;
	names[0] = argv[0];
	names[1] = argv[1];
	memcpy(name, argv[0], strlen(argv[0]) + 1);
	pthread_create(&thread, NULL, swap, NULL);
	struct stat st = {.st_size = 1};
	for (long i = 0; i < atol(argv[2]) && st.st_size; i++) {
		doors[i % 4].open(name, 0);
		if (i % 16 < 4)
			stat(argv[1], &st);
	}
	done = true;
	pthread_join(thread, NULL);
	stat(argv[1], &st);
	printf("%s\n", st.st_size ? "stays" : "cut");
	return 0;
}
PROBE(truncate_race, truncate_race, "MINE FILE LOOPS");
