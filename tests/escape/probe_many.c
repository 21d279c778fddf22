/* SPDX-License-Identifier: Apache-2.0 */
/* probe_many.c - many calls at once: threads that wait for answers, processes that open and open. */
#include "probe.h"

#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

static const char *many_dir;

static void *wait_for_answer(void *number)
{
	char path[PATH_MAX];
	(void)snprintf(path, sizeof(path), "%s/%ld", many_dir, (long)(intptr_t)number);
	(void)!open(path, O_RDONLY);
	return NULL;
}

/* DIR COUNT: one thread for each file DIR/N waits for the answer to a question of its own */
static int many_waiting(int argc, char **argv)
{
	pthread_attr_t small;
	long count = argc == 2 ? strtol(argv[1], NULL, 10) : 0, made = 0;
	if (argc != 2)
		return 2;
	many_dir = argv[0];
	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 32768);
	for (long i = 0; i < count; i++) {
		pthread_t t;
		made += pthread_create(&t, &small, wait_for_answer, (void *)(intptr_t)i) == 0;
	}
	printf("%ld\n", made);
	(void)fflush(stdout);
	pause();
	return 0;
}

static double seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int by_time(const void *a, const void *b)
{
	double d = *(const double *)a - *(const double *)b;
	return d < 0 ? -1 : d > 0;
}

/* PATH COUNT PROCESSES: each opens PATH that often, past libc; opens a second of all, the median of one in microseconds
 */
static int many_opens(int argc, char **argv)
{
	long count = argc == 3 ? strtol(argv[1], NULL, 10) : 0, processes = argc == 3 ? strtol(argv[2], NULL, 10) : 0;
	int result[2];
	if (count < 1 || processes < 1 || pipe(result) < 0)
		return 2;
	double start = seconds();
	for (long p = 0; p < processes; p++) {
		if (fork())
			continue;
		double *took = calloc((size_t)count, sizeof(*took));
		for (long i = 0; took && i < count; i++) {
			double at = seconds();
			int fd = (int)syscall(SYS_openat, AT_FDCWD, argv[0], O_RDONLY, 0, 0, 0);
			took[i] = seconds() - at;
			if (fd < 0)
				_exit(1);
			close(fd);
		}
		qsort(took, (size_t)count, sizeof(*took), by_time);
		_exit(write(result[1], &took[count / 2], sizeof(*took)) != sizeof(*took));
	}
	int status, failed = 0;
	while (wait(&status) > 0)
		failed |= status;
	double all = seconds() - start, median = 0, one;
	close(result[1]);
	while (read(result[0], &one, sizeof(one)) == sizeof(one))
		median += one / (double)processes;
	printf("%.0f opens a second, median %.1f us\n", (double)(count * processes) / all, median * 1e6);
	return failed;
}

PROBE(many_waiting, many_waiting, "DIR COUNT");
PROBE(many_opens, many_opens, "PATH COUNT PROCESSES");
