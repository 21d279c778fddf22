/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shim_toolkit.c - shim_toolkit near|far [threads]: loads libtoolkit.so (open_toolkit.c), within reach of a
 * near jump or not, and calls its functions. Prints what they return, and what GLib would have been
 * asked to do, for which it stands in. Built by shim_aarch64.sh.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#define THREADS 8

uint32_t g_io_error_quark(void);
void g_set_error_literal(void **error, uint32_t domain, int code, const char *text);
void *g_task_new(void *source, void *cancellable, void *callback, void *data);
void g_task_return_boolean(void *task, int value);
void g_task_return_new_error(void *task, uint32_t domain, int code, const char *format, ...);
void g_object_unref(void *object);

uint32_t g_io_error_quark(void)
{
	return 5;
}

void g_set_error_literal(void **error, uint32_t domain, int code, const char *text)
{
	*error = error;
	printf("error %u %d %.8s\n", domain, code, text);
}

void *g_task_new(void *source, void *cancellable, void *callback, void *data)
{
	printf("task %d %d %s %s\n", source != NULL, cancellable != NULL, (const char *)callback, (const char *)data);
	return data;
}

void g_task_return_boolean(void *task, int value)
{
	printf("opened %s %d\n", (const char *)task, value);
}

void g_task_return_new_error(void *task, uint32_t domain, int code, const char *format, ...)
{
	(void)format;
	printf("refused %s %u %d\n", (const char *)task, domain, code);
}

void g_object_unref(void *object)
{
	printf("done %s\n", (const char *)object);
}

static pthread_barrier_t gate;
static int (*show)(void *window, const char *url);

static void *call(void *result)
{
	pthread_barrier_wait(&gate);
	*(int *)result = show(NULL, "https://claude.ai/threads");
	return NULL;
}

static int call_together(void)
{
	pthread_t threads[THREADS];
	int results[THREADS], sum = 0;
	pthread_barrier_init(&gate, NULL, THREADS);
	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, call, &results[i]) != 0)
			return -1;
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		sum += results[i];
	}
	return sum;
}

static void call_all(void *lib)
{
	const char *url = "https://claude.ai/x";
	void *error = NULL, *data = strdup("data");
	int (*indirect)(const char *) = (int (*)(const char *))dlsym(lib, "indirect");
	double (*real)(int, void *, double, const char *, long, double) =
		(double (*)(int, void *, double, const char *, long, double))dlsym(lib, "show_double");
	void (*nothing)(double, double, const char *, const char *, void *) =
		(void (*)(double, double, const char *, const char *, void *))dlsym(lib, "show_nothing");
	void *(*many)(int, int, int, int, int, int, int, int, void *, const char *) =
		(void *(*)(int, int, int, int, int, int, int, int, void *, const char *))dlsym(lib, "many");
	printf("show %d %d\n", show(NULL, url), indirect(url));
	printf("real %g\n", real(1, &error, 1.5, url, 3, 4.5));
	printf("set %d\n", error == (void *)&error);
	nothing(1, 2, url, "callback", data);
	/* the last two lie on the stack */
	error = NULL;
	printf("many %d", many(1, 2, 3, 4, 5, 6, 7, 8, &error, url) != NULL);
	printf(" %d\n", error == (void *)&error);
}

int main(int argc, char **argv)
{
	const size_t gap = (size_t)3 << 30;
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc > 1 && strcmp(argv[1], "far") == 0 &&
		mmap(NULL, gap, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0) == MAP_FAILED)
		return 2;
	for (int turn = 0; turn < 2; turn++) {
		void *lib = dlopen("./libtoolkit.so", RTLD_NOW);
		if (!lib || !(show = (int (*)(void *, const char *))dlsym(lib, "show")))
			return 3;
		if (argc > 2)
			printf("threads %d\n", call_together());
		else
			call_all(lib);
		dlclose(lib);
	}
	return 0;
}
